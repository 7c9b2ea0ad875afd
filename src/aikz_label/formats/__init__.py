"""Which format these bytes are: `sniff`, and who handles it.

Only bytes decide. Names and declared types are hints for messages, because a verifier that believes a file's name can be
sent to the wrong parser.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, Literal

from aikz_label.errors import MissingDependency
from aikz_label.formats import tracks
from aikz_label.formats.table import FORMATS, Format
from aikz_label.values import replace

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from aikz_label.adapters import Adapter

__all__ = ["FORMATS", "HEAD", "Format", "load_adapter", "sniff", "with_password", "with_sidecar"]

HEAD = 64 * 1024


def with_password(row: Format | None, password: str) -> Format | None:
    """The row by which a document is handled that may be encrypted; other formats know no password."""
    return replace(row, password=password) if row and row.family == "pdf" else row


def with_sidecar(row: Format | None) -> Format | None:
    """The row by which a file that has a sidecar, or is to get one, is handled: every format but a sidecar itself."""
    other = FORMATS["other"]
    if row is None:
        return other
    if row.supported or row.name == "c2pa":
        return row
    return replace(row, adapter=other.adapter)


def sniff(source: BinaryIO | bytes) -> Format | None:
    """Name the format from the bytes alone.

    Total: any bytes give a format or `None`, never an exception of their own.

    Args:
        source: The file's bytes, or a seekable binary stream, read from offset 0 and rewound.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    stream.seek(0)
    head = stream.read(HEAD)
    name = next((name for test, name in _SIGNATURES if test(head)), "") or _look_inside(
        head, stream
    )
    if name in {"mp4", "mov", "3gp"} and tracks.only_sound(stream):
        name = "m4a"
    elif name in {"mkv", "webm"} and tracks.only_sound_in_matroska(stream):
        name = "mka"
    stream.seek(0)
    if name:
        return FORMATS[name]
    return _ask_plugins(head)


def load_adapter(row: Format) -> Adapter:
    """Import the adapter of a supported format.

    Raises:
        MissingDependency: A package that the adapter needs is not installed.
    """
    module, _, attribute = row.adapter.partition(":")
    try:
        adapter: Adapter = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("aikz_label"):
            raise
        raise MissingDependency(row.title, row.extra or row.family) from error
    return adapter


def _at(offset: int, *words: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[offset:].startswith(words)


def _riff(kind: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == kind


def _brands(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[4:8] == b"ftyp" and head[8:12].startswith(brands)


def _compatible(*brands: bytes) -> Callable[[bytes], bool]:
    """An ISO-BMFF file whose `ftyp` lists one of these among its compatible brands."""

    def test(head: bytes) -> bool:
        if head[4:8] != b"ftyp":
            return False
        listed = head[16 : min(int.from_bytes(head[:4], "big"), 512)]
        return any(listed[i : i + 4] in brands for i in range(0, len(listed), 4))

    return test


def _bmp(head: bytes) -> bool:
    return head[:2] == b"BM" and head[14:18] in {
        n.to_bytes(4, "little") for n in (12, 16, 40, 52, 56, 64, 108, 124)
    }


def _icon(head: bytes) -> bool:
    """A directory of icons or cursors whose first entry is one; the four bytes before it begin other files too."""
    count, length, start = (
        int.from_bytes(head[i:j], "little") for i, j in ((4, 6), (14, 18), (18, 22))
    )
    return (
        head[:4] in {b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"}
        and count > 0
        and head[9:10] == b"\0"
        and length > 0
        and 6 + 16 * count <= start < 2**24
    )


def _ebml(doctype: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"\x1a\x45\xdf\xa3" and doctype in head[:128]


# The order matters: exact signatures first, then ISO-BMFF by brand (still pictures before films, because pictures
# list film brands as compatible), then formats that only look plausible. Text comes last, in `_look_inside`.
_SIGNATURES: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_at(0, b"\x89PNG\r\n\x1a\n"), "png"),
    (_at(0, b"\xff\xd8\xff"), "jpeg"),
    (_riff(b"WEBP"), "webp"),
    (_riff(b"WAVE"), "wav"),
    (_riff(b"AVI "), "avi"),
    (_at(0, b"GIF87a", b"GIF89a"), "gif"),
    (_at(0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", b"\xff\x0a"), "jxl"),
    (_at(0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), "jp2"),
    (_brands(b"avif", b"avis"), "avif"),
    (_brands(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), "heic"),
    (_compatible(b"avif", b"avis"), "avif"),
    (_brands(b"mif1", b"msf1"), "heic"),
    (_brands(b"M4A ", b"M4B ", b"M4P "), "m4a"),
    (_brands(b"qt  "), "mov"),
    (_brands(b"3g"), "3gp"),
    (_at(4, b"ftyp"), "mp4"),
    (_at(4, b"moov", b"mdat", b"wide"), "mov"),  # QuickTime from before `ftyp`
    (_at(0, b"fLaC"), "flac"),
    (_at(0, b"OggS"), "ogg"),
    (lambda head: head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}, "aiff"),
    (_ebml(b"webm"), "webm"),
    (_at(0, b"\x1a\x45\xdf\xa3"), "mkv"),
    (lambda head: b"%PDF-" in head[:1024], "pdf"),
    (lambda head: head[4:8] == b"jumb" and head[12:20] == b"jumdc2pa", "c2pa"),
    (_icon, "ico"),
    (_bmp, "bmp"),
)


def _look_inside(head: bytes, stream: BinaryIO) -> str:
    """Formats that a few leading bytes cannot tell apart."""
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "dng" if _has_dng_version(head, stream) else "tiff"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(head, stream)
    if head.startswith(b"ID3"):
        return _after_id3(head, stream)
    if head.startswith(b"\x1f\x8b\x08"):
        return "svgz" if _text_kind(_gunzipped(head)) == "svg" else ""
    # the byte order mark of UTF-16 is also the start of a frame of MPEG audio
    wide = _text_kind(head) if head.startswith(b"\xff\xfe") else ""
    return wide or _mpeg_frame(head) or _text_kind(head)


def _text_kind(head: bytes) -> str:
    from aikz_label.formats import textkinds  # noqa: PLC0415  # its many patterns cost what only text should pay

    return textkinds.kind(head) if head else ""


def _gunzipped(head: bytes) -> bytes:
    """The beginning of what is in a gzip file."""
    import zlib  # noqa: PLC0415  # few files are compressed as a whole

    with contextlib.suppress(zlib.error):
        # 31: with the header of gzip; without its sums, which may be wrong, and that is for its adapter to say
        return zlib.decompressobj(31).decompress(head[:-8], HEAD)
    return b""


def _has_dng_version(head: bytes, stream: BinaryIO) -> bool:
    """Whether the first directory holds tag 50706, DNGVersion."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    big = head[2:4] in {b"+\0", b"\0+"}  # BigTIFF, with wider numbers
    first, row, field = (8, 20, slice(8, 16)) if big else (2, 12, slice(4, 8))
    stream.seek(min(int.from_bytes(head[field], order), stream.seek(0, io.SEEK_END)))
    directory = stream.read(first + row * 1000)
    count = min(int.from_bytes(directory[:first], order), 1000)
    tag = (50706).to_bytes(2, order)
    return any(directory[first + i * row :][:2] == tag for i in range(count))


_ZIP_WORDS = ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx"))
_ZIP_TYPES = {
    b"application/epub+zip": "epub",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}


def _zip_kind(head: bytes, stream: BinaryIO) -> str:
    if head[30:38] == b"mimetype":
        declared = head[38:110]
        return next((kind for word, kind in _ZIP_TYPES.items() if declared.startswith(word)), "zip")
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - HEAD))  # the central directory is at the end
    names = head + stream.read(HEAD)
    if b"[Content_Types].xml" in names:
        return next((kind for word, kind in _ZIP_WORDS if word in names), "zip")
    return "zip"


def _after_id3(head: bytes, stream: BinaryIO) -> str:
    """An ID3 tag can stand before MP3, AAC and FLAC."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    stream.seek(10 + size)
    after = stream.read(4096)
    if after.startswith(b"fLaC"):
        return "flac"
    if after.startswith(_NOT_MPEG):
        return ""
    return _mpeg_frame(after.lstrip(b"\0")) or "mp3"


_NOT_MPEG = (b"TTA1", b"MP+", b"MPCK", b"wvpk", b"MAC ", b"OFR ", b"DSD ")  # sound of other kinds


def _mpeg_frame(data: bytes) -> str:
    """MP3 or ADTS AAC by a valid frame header; both start with a 0xFFF synchronisation word."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return ""
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    if layer == 0 and data[1] & 0xF0 == 0xF0 and data[2] >> 2 & 15 < 13:
        return "aac"
    if layer == 0 or version == 1 or data[2] >> 4 == 15 or data[2] >> 2 & 3 == 3:
        return ""
    return "mp3"


def _ask_plugins(head: bytes) -> Format | None:
    """Installed plug-ins see only what nobody here recognised, so none can take over a built-in format.

    An entry point of the group `aikz_label.formats` is a function from the first bytes to a `Format` or `None`.
    """
    for point in _plugins(tuple(sys.path)):
        found = point.load()(head)
        if isinstance(found, Format):
            return found
    return None


@lru_cache(maxsize=4)
def _plugins(places: tuple[str, ...]) -> tuple[EntryPoint, ...]:  # noqa: ARG001  # where they are looked for
    """Found once in a process: to look for them costs as much as two whole verifications."""
    from importlib.metadata import entry_points  # noqa: PLC0415  # 30 ms that only a miss pays

    return tuple(entry_points(group="aikz_label.formats"))
