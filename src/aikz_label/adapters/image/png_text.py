"""Texts in PNG: `tEXt`, `zTXt` and `iTXt` chunks, among them the XMP packet."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from aikz_label.adapters.image.container import Chunk, Tags, Text, metadata
from aikz_label.limits import MIB

_XMP = b"XML:com.adobe.xmp\0"
_MAX_KEYWORD = 80  # with the zero byte that ends it


def is_xmp(chunk: Chunk) -> bool:
    """Whether it holds the XMP packet."""
    return chunk.name == b"iTXt" and chunk.data.startswith(_XMP)


def packet(chunk: Chunk) -> bytes | None:
    """The XMP packet, inflated up to a limit if it is compressed."""
    return _international_text(chunk.data[len(_XMP) :])


def chunks_for(tags: Tags) -> Iterator[Chunk]:
    """Chunks for an XMP packet and for texts, none of them compressed."""
    if tags.xmp is not None:
        yield Chunk.of(b"iTXt", _XMP + b"\0\0\0\0" + tags.xmp)
    for keyword, text in tags.texts:
        yield Chunk.of(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def is_replaced(chunk: Chunk, tags: Tags) -> bool:
    """Whether what it holds is written anew: the XMP packet, or a text with the same keyword."""
    if is_xmp(chunk):
        return tags.xmp is not None
    return chunk.name in _TEXTS and _keyword(chunk) in {keyword for keyword, _ in tags.texts}


def texts(chunks: Iterable[Chunk]) -> Iterator[Text]:
    """Every text but the XMP packet."""
    for chunk in chunks:
        read = _TEXTS.get(chunk.name)
        if read is None:
            continue
        if not is_xmp(chunk):
            yield Text(_keyword(chunk), chunk, read)


def _keyword(chunk: Chunk) -> str:
    start = chunk.whole[chunk.start : min(chunk.stop, chunk.start + _MAX_KEYWORD)]
    return start.partition(b"\0")[0].decode("latin-1")


def _international_text(rest: bytes) -> bytes | None:
    """The text of an iTXt chunk after its keyword: two flags, two names, then the text."""
    compressed = rest[:1] == b"\1"
    fields = rest[2:].split(b"\0", 2)
    if len(fields) != 3:
        return None
    if not compressed:
        return fields[2]
    try:
        # one byte over the limit, so that a packet that is too large is seen to be
        return zlib.decompressobj().decompress(fields[2], MIB + 1)
    except zlib.error:
        return None


def _plain(chunk: Chunk) -> str:
    return _decoded((metadata(chunk) or b"").partition(b"\0")[2])


def _compressed(chunk: Chunk) -> str:
    """Keyword, a zero byte, the method (there is one), then the text."""
    rest = (metadata(chunk) or b"").partition(b"\0")[2]
    try:
        return _decoded(zlib.decompressobj().decompress(rest[1:], MIB + 1))
    except zlib.error:
        return ""


def _international(chunk: Chunk) -> str:
    rest = (metadata(chunk) or b"").partition(b"\0")[2]
    return _decoded(_international_text(rest) or b"")


def _decoded(text: bytes) -> str:
    """The standard says Latin-1, most tools write UTF-8, and to ASCII it is all the same."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


_TEXTS = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}
