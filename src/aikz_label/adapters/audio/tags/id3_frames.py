"""What single ID3v2 frames hold: texts, moments, markers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import lyrics
from aikz_label.adapters.audio.tags.id3 import Frame, Tag
from aikz_label.label import Label
from aikz_label.limits import MIB
from aikz_label.metadata import mirror
from aikz_label.values import replace

_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_USER, _COMMENTS = {b"TXX", b"TXXX"}, {b"COM", b"COMM"}
_OBJECTS = {b"GEO", b"GEOB"}
_XMP = b"XMP\0"  # owner of a private frame, as Adobe's programs write it
_MIME = b"application/c2pa"
_OLD_MIME = b"application/x-c2pa-manifest-store"
_NOWHERE = b"\xff" * 4  # "this place is not told", in bytes of the file
MARKER_HEAD = b"\0" + _MIME + b"\0c2pa\0c2pa manifest store\0"
"""What stands in the body of a frame before a marker."""
_ORDERS = {b"\xfe\xff", b"\xff\xfe"}  # marks that tell which byte comes first
_MILLISECONDS = 2
_COMPRESSED, _LENGTH_TOLD = {3: 0x80, 4: 0x08}, 0x01


def texts(tag: Tag) -> Iterator[Text]:
    """The texts with a name of their own, and the comments."""
    for frame in tag.frames:
        if frame.name not in _USER | _COMMENTS:
            continue
        content = _content(frame, tag.version)
        start = 1 if frame.name in _USER else 4  # a comment names its language
        if len(content) <= start or content[0] > 3:
            continue
        keyword, value = _strings(content[start:], content[0])
        yield Text("id3", keyword if frame.name in _USER else "Comment", value)


def packets(tag: Tag) -> Iterator[bytes]:
    """The XMP packets."""
    for frame in tag.frames:
        if frame.name == b"PRIV" and frame.plain and frame.body.startswith(_XMP):
            yield frame.body[len(_XMP) :]


def with_mirror(tag: Tag, label: Label) -> Tag:
    """The tag with our statements in place of earlier ones of the same name."""
    names = {name.lower() for name in mirror.PROPERTIES}
    kept = tuple(frame for frame in tag.frames if not _said(frame, names))
    added = tuple(_user_text(tag, name, value) for name, value in mirror.statements(label))
    return tag.with_frames(kept + added)


def moved(tag: Tag, shift: Shift, samples_per_frame: int = 1152) -> Tag:
    """The tag with every moment that it tells moved; frames that list places in the file are left out."""
    frames = tuple(
        _moved(frame, shift, samples_per_frame)
        for frame in tag.frames
        if frame.name not in {b"MLLT", b"MLL", b"ASPI"} or not shift.total
    )
    return tag.with_frames(frames)


def stores(tag: Tag) -> Iterator[tuple[Frame, int]]:
    """The frames that hold a marker, and where it starts in each."""
    for frame in tag.frames:
        start = _store_start(frame)
        if start:
            yield frame, start


def without_stores(tag: Tag) -> Tag:
    """The tag without markers."""
    return tag.with_frames(tuple(f for f in tag.frames if not _store_start(f)))


def _store_start(frame: Frame) -> int:
    """Where a marker starts in the body of a frame; 0 when it holds none."""
    if (
        frame.name not in _OBJECTS
        or not frame.plain
        or frame.body[:1] not in {b"\0", b"\x01", b"\x02", b"\x03"}
    ):
        return 0
    kind, _, _ = frame.body[1:64].partition(b"\0")
    if kind not in {_MIME, _OLD_MIME}:
        return 0
    at = 1 + len(kind) + 1
    for _ in range(2):  # a file name and a description
        at = _after_string(frame.body, at, frame.body[0])
    return at


def _after_string(body: bytes, at: int, coding: int) -> int:
    """Behind the end of a string."""
    width = 1 if coding in {0, 3} else 2
    stop = body.find(bytes(width), at)
    while stop >= 0 and (stop - at) % width:  # the halves of two characters
        stop = body.find(bytes(width), stop + 1)
    return stop + width if stop >= 0 else len(body)


def _content(frame: Frame, version: int) -> bytes:
    """The content of a text frame; empty when it is encrypted, or takes more than a text may."""
    if frame.plain:
        return frame.body[: 2 * MIB]
    kind, body = frame.flags[1], frame.body
    told = (kind & _LENGTH_TOLD) if version == 4 else (kind & 0x80)
    if kind & (0x04 if version == 4 else 0x40):  # encrypted
        return b""
    body = body[1:] if kind & (0x40 if version == 4 else 0x20) else body  # a group's number
    body = body[4:] if told else body
    if version == 4 and kind & 0x02:
        body = body.replace(b"\xff\x00", b"\xff")
    if not kind & _COMPRESSED[version]:
        return body[: 2 * MIB]
    try:
        return zlib.decompressobj().decompress(body, 2 * MIB)
    except zlib.error:
        return b""


def _strings(content: bytes, coding: int) -> tuple[str, str]:
    """The name of a text and the text."""
    codec = _CODECS[coding]
    stop = _after_string(content, 0, coding)
    width = 1 if coding in {0, 3} else 2
    name, value = content[: stop - width], content[stop:]
    return _decoded(name, codec), _decoded(value, codec).rstrip("\0")


def _decoded(data: bytes, codec: str) -> str:
    return data.decode(codec, "replace").lstrip("\ufeff")


def _said(frame: Frame, names: set[str]) -> bool:
    if frame.name not in _USER or not frame.plain or len(frame.body) < 2 or frame.body[0] > 3:
        return False
    return _strings(frame.body[1:], frame.body[0])[0].lower() in names


def _user_text(tag: Tag, name: str, value: str) -> Frame:
    """A text of our own: in Latin 1 where it can be, because everybody reads that."""
    try:
        coding, stored = 0, value.encode("latin-1")
    except UnicodeEncodeError:
        coding, stored = (3, value.encode()) if tag.version == 4 else (1, value.encode("utf-16"))
    title = name.encode(_CODECS[coding]) + (b"\0\0" if coding == 1 else b"\0")
    body = bytes([coding]) + title + stored
    short = tag.version == 2
    return Frame(b"TXX" if short else b"TXXX", b"" if short else bytes(2), body)


def _moved(frame: Frame, shift: Shift, samples_per_frame: int) -> Frame:
    """A frame with its moments moved, if it has any."""
    if not frame.plain or not shift.total:
        return frame
    body = frame.body
    if frame.name == b"CHAP":
        body = _chapter(body, shift)
    elif frame.name in {b"SYLT", b"SLT"}:
        body = _lyrics(body, shift, samples_per_frame)
    elif frame.name in {b"ETCO", b"ETC"} and body:
        per = _per_second(body[0], shift, samples_per_frame)
        body = body[:1] + b"".join(
            body[i : i + 1] + _time(body[i + 1 : i + 5], shift, per) for i in range(1, len(body), 5)
        )
    elif frame.name in {b"USLT", b"ULT"}:
        body = _plain_lyrics(body, shift)
    elif frame.name in {b"TLEN", b"TLE"}:
        body = _length(body, shift)
    elif frame.name in {b"SYTC", b"STC"} and body:
        body = body[:1] + _tempo(body[1:], shift, _per_second(body[0], shift, samples_per_frame))
    return replace(frame, body=body)


def _per_second(form: int, shift: Shift, samples_per_frame: int) -> float:
    """Moments are told in milliseconds, or in frames of MPEG sound."""
    return 1000.0 if form == _MILLISECONDS else shift.rate / samples_per_frame


def _time(stored: bytes, shift: Shift, per_second: float, *, end: bool = False) -> bytes:
    if len(stored) < 4:
        return stored
    moved = shift.units(int.from_bytes(stored), per_second, end=end)
    return min(moved, 0xFFFFFFFF).to_bytes(4)


def _chapter(body: bytes, shift: Shift) -> bytes:
    """Its start and its end; places in the file are not told any more."""
    at = body.find(b"\0") + 1
    if not at or at + 16 > len(body):
        return body
    start = _time(body[at : at + 4], shift, 1000)
    stop = _time(body[at + 4 : at + 8], shift, 1000, end=True)
    return body[:at] + start + stop + 2 * _NOWHERE + body[at + 16 :]


def _lyrics(body: bytes, shift: Shift, samples_per_frame: int) -> bytes:
    """Pieces of text, a moment behind each."""
    if len(body) < 6 or body[0] > 3:
        return body
    per_second = _per_second(body[4], shift, samples_per_frame)
    at = _after_string(body, 6, body[0])
    found = [body[:at]]
    while at < len(body):
        stop = _after_string(body, at, body[0])
        found += (body[at:stop], _time(body[stop : stop + 4], shift, per_second))
        at = stop + 4
    return b"".join(found)


def _plain_lyrics(body: bytes, shift: Shift) -> bytes:
    """A text; its lines can have moments all the same, in the form of LRC."""
    if len(body) < 4 or body[0] > 3:
        return body
    at = _after_string(body, 4, body[0])
    codec = _CODECS[body[0]]
    if codec == "utf-16":  # each text tells its own order of bytes
        codec = "utf-16-be" if body[at : at + 2] == b"\xfe\xff" else "utf-16-le"
        at += 2 * (body[at : at + 2] in _ORDERS)
    text = body[at:]
    try:
        told = text.decode(codec, "surrogatepass").encode("utf-8", "surrogatepass")
    except UnicodeError:
        return body
    fresh = lyrics.moved(told, shift)
    if fresh == told:
        return body
    return body[:at] + fresh.decode("utf-8", "surrogatepass").encode(codec, "surrogatepass")


def _tempo(pairs: bytes, shift: Shift, per_second: float) -> bytes:
    """A tempo of one byte, or of two when the first is full, and a moment."""
    found: list[bytes] = []
    at = 0
    while at < len(pairs):
        width = 2 if pairs[at] == 0xFF else 1
        found += (
            pairs[at : at + width],
            _time(pairs[at + width : at + width + 4], shift, per_second),
        )
        at += width + 4
    return b"".join(found)


def _length(body: bytes, shift: Shift) -> bytes:
    """The length of the sound in milliseconds, as digits."""
    digits = re.fullmatch(rb"([\0\x03])(\d{1,9})\0*", body)
    if digits is None:
        return body
    longer = int(digits[2]) + round(shift.total * 1000 / shift.rate)
    return digits[1] + str(longer).encode()
