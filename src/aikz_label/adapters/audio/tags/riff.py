"""Metadata in chunks of RIFF: the texts of LIST INFO, and an XMP packet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.waves import chunks
from aikz_label.adapters.audio.waves.chunks import Chunk
from aikz_label.label import Label
from aikz_label.metadata import mirror
from aikz_label.metadata import xmp as packets

INFO = b"INFO"
XMP = b"_PMX"  # Adobe's name, which other programs read too
_COMMENT = b"ICMT"
_KEYWORDS = {_COMMENT: "Comment", b"AIGC": "AIGC", b"ISFT": "Software"}
_MOST_TEXTS = 1000


def text(content: bytes) -> str:
    """A text as programs write it: in UTF-8, or in the code page of somebody's Windows."""
    stored = content.partition(b"\0")[0]
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError:
        return stored.decode("cp1252", "replace")


def texts(content: bytes) -> Iterator[Text]:
    """The texts of a LIST INFO that can say something."""
    for name, start, stop in _parts(content):
        if name in _KEYWORDS:
            yield Text("riff", _KEYWORDS[name], text(content[start:stop]))


def rewritten(chunk: Chunk, source: BinaryIO, label: Label, said: list[str]) -> bytes | None:
    """The new content of a chunk that can hold our mirror; `None` for one that stays as it is."""
    if chunk.name == XMP:
        try:
            return packets.write(chunk.read(source), label)
        except packets.XmpError as error:
            said.append(
                f"The XMP mirror was not written; the file's own was left as it is: {error}."
            )
            return None
    if chunk.name != b"LIST":
        return None
    content = chunk.read(source)
    if content[:4] != INFO:
        return None
    kept: list[bytes] = []
    at = 4
    for name, start, stop in _parts(content):
        at = stop + (stop - start & 1)
        if not _ours(name, content[start:stop]):
            kept.append(content[start - 8 : stop] + bytes(stop - start & 1))
    if all(part[:4] != _COMMENT for part in kept):
        kept.insert(0, _comment(label))  # where readers come to that stop behind many
    return b"".join((INFO, *kept, content[at:]))


def added(listed: Sequence[Chunk], source: BinaryIO, label: Label) -> list[bytes]:
    """Chunks for mirrors that a file has no place for yet."""
    found: list[bytes] = []
    if not any(c.name == b"LIST" and c.read(source)[:4] == INFO for c in listed):
        found.append(chunks.packed(b"LIST", INFO + _comment(label), "little"))
    if not any(c.name == XMP for c in listed):
        found.append(chunks.packed(XMP, packets.write(None, label), "little"))
    return found


def _comment(label: Label) -> bytes:
    return chunks.packed(_COMMENT, mirror.line(label).encode() + b"\0", "little")


def _ours(name: bytes, content: bytes) -> bool:
    return name == _COMMENT and bool(mirror.parsed(text(content)))


def _parts(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stop of each text."""
    if content[:4] != INFO:
        return
    at = 4
    for _ in range(_MOST_TEXTS):
        if at + 8 > len(content):
            return
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        stop = min(at + 8 + length, len(content))
        yield content[at : at + 4], at + 8, stop
        at = stop + (length & 1)
