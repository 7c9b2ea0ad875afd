"""EBML and the outline of Matroska and WebM (RFC 8794, RFC 9559): elements within elements, found without reading a film.

Every number in such a file may be a lie. A walk reads heads only, stays within the element that it looks into, and ends at
a count; whatever does not fit raises `Broken`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from aikz_label.values import dataclass, replace

HEADER, SEGMENT = 0x1A45DFA3, 0x18538067
SEEK_HEAD, CLUSTER, TAGS, CUES, TRACKS = 0x114D9B74, 0x1F43B675, 0x1254C367, 0x1C53BB6B, 0x1654AE6B
INFO, CHAPTERS, ATTACHMENTS = 0x1549A966, 0x1043A770, 0x1941A469
VOID, CRC = 0xEC, 0xBF
SEEK, SEEK_ID, SEEK_POSITION = 0x4DBB, 0x53AB, 0x53AC
TAG, TARGETS, SIMPLE_TAG, TAG_NAME = 0x7373, 0x63C0, 0x67C8, 0x45A3
TAG_STRING, TAG_BINARY = 0x4487, 0x4485
TRACK_UID, EDITION_UID, CHAPTER_UID, ATTACHMENT_UID = 0x63C5, 0x63C9, 0x63C4, 0x63C6
CONTENT_ENCRYPTION = 0x5035
_DOCTYPE = 0x4282
_TOP = {SEEK_HEAD, CLUSTER, TAGS, CUES, TRACKS, INFO, CHAPTERS, ATTACHMENTS, HEADER, SEGMENT}
_LONGEST = 12  # bytes of a head: four of the name, eight of the size
_BLOCKS = 16  # times as many elements as the caller allows may lie in clusters without a size: one is a frame


class Broken(ValueError):
    """The structure breaks off, or goes on too long.

    Attributes:
        found: How many elements there were, if that was too many; else 0.
    """

    def __init__(self, found: int = 0) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element lies: its head from `start`, what it holds from `body` to `stop`.

    Attributes:
        name: The ID, with its marker bits, as the specifications print it.
        start: Offset of the head.
        body: Offset of the content.
        stop: Offset after the content; the end of what holds it, when the size is unknown.
        sized: The size is known.
    """

    name: int
    start: int
    body: int
    stop: int
    sized: bool = True

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return self.stop - self.body


def head(source: BinaryIO, at: int, stop: int) -> Element:
    """The element that starts at an offset, and that must end by another one.

    Raises:
        Broken: None does.
    """
    source.seek(at)
    data = source.read(min(_LONGEST, stop - at))
    first = data[0] if data else 0
    width = 9 - first.bit_length()
    if not 1 <= width <= 4 or len(data) <= width:
        raise Broken
    name, rest = int.from_bytes(data[:width]), data[width:]
    length = 9 - rest[0].bit_length()
    if not 1 <= length <= 8 or len(rest) < length:
        raise Broken
    body = at + width + length
    size = int.from_bytes(rest[:length]) & (1 << 7 * length) - 1
    if size == (1 << 7 * length) - 1:
        return Element(name, at, body, stop, sized=False)
    if body + size > stop:
        raise Broken
    return Element(name, at, body, body + size)


def children(source: BinaryIO, parent: Element, most: int) -> Iterator[Element]:
    """What an element of known size holds.

    Raises:
        Broken: What is in it is not made of elements, or of more than `most`.
    """
    at, count = parent.body, 0
    while at < parent.stop:
        found = head(source, at, parent.stop)
        count += 1
        if count > most:
            raise Broken(count)
        yield found
        at = found.stop


def content(source: BinaryIO, element: Element, most: int = 1 << 20) -> bytes:
    """The bytes of an element that should be small.

    Raises:
        Broken: It has more than `most` bytes.
    """
    if element.size > most:
        raise Broken
    source.seek(element.body)
    return source.read(element.size)


def number(source: BinaryIO, element: Element) -> int:
    """The value of an unsigned integer."""
    return int.from_bytes(content(source, element, 8))


@dataclass(frozen=True, slots=True)
class Document:
    """A file: the kind that its header names, its first Segment, and the parts of that.

    Attributes:
        kind: `matroska` or `webm`, or what else it says.
        segment: The Segment.
        parts: What it holds, in order; of clusters, nothing inside.
        size: Of the file.
    """

    kind: str
    segment: Element
    parts: tuple[Element, ...]
    size: int

    @classmethod
    def read(cls, source: BinaryIO, most: int) -> Document:
        """Walk the parts of a file.

        Args:
            source: The file.
            most: Parts that are looked at.

        Raises:
            Broken: It is no such file, is cut, or has more parts.
        """
        size = source.seek(0, io.SEEK_END)
        first = head(source, 0, size)
        if first.name != HEADER or not first.sized:
            raise Broken
        kind = next((e for e in children(source, first, most) if e.name == _DOCTYPE), None)
        said = content(source, kind, 64).rstrip(b"\0").decode("ascii", "replace") if kind else ""
        segment = _segment(source, first.stop, size, most)
        return cls(said, segment, tuple(_parts(source, segment, most)), size)

    def all(self, name: int) -> Iterator[Element]:
        """The parts of one kind."""
        yield from (part for part in self.parts if part.name == name)


def _segment(source: BinaryIO, at: int, size: int, most: int) -> Element:
    """The first Segment after the header; only empty space may lie between."""
    for _ in range(most):
        found = head(source, at, size)
        if found.name == SEGMENT:
            return found
        if found.name not in {VOID, CRC} or not found.sized:
            break
        at = found.stop
    raise Broken


def _parts(source: BinaryIO, segment: Element, most: int) -> Iterator[Element]:
    at, count, left = segment.body, 0, most * _BLOCKS
    while at < segment.stop:
        found = head(source, at, segment.stop)
        if found.name in {HEADER, SEGMENT} and not segment.sized:
            return  # another film behind a live one
        if not found.sized:
            if found.name != CLUSTER:
                raise Broken
            stop, left = _end_of_live(source, found, left)
            found = Element(CLUSTER, found.start, found.body, stop, sized=False)
        count += 1
        if count > most:
            raise Broken(count)
        yield found
        at = found.stop


def _end_of_live(source: BinaryIO, cluster: Element, left: int) -> tuple[int, int]:
    """Where a cluster without a size ends: at the next part of the Segment."""
    at = cluster.body
    while at < cluster.stop:
        found = head(source, at, cluster.stop)
        if found.name in _TOP:
            break
        left -= 1
        if left < 0 or not found.sized:
            raise Broken(0 if left >= 0 else 1)
        at = found.stop
    return at, left


# --- tags ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Simple:
    """A SimpleTag.

    Attributes:
        name: What it is called.
        element: The whole of it.
        value: Its TagString or TagBinary, if it has one.
        tags: The part of the Segment that it lies in.
        about_all: It is about the whole file, not about a track, a chapter or an attachment.
        count: How many lie in that part of the Segment.
    """

    name: str
    element: Element
    value: Element | None
    tags: Element
    about_all: bool
    count: int = 1


def simple_tags(source: BinaryIO, document: Document, most: int) -> Iterator[Simple]:
    """Every SimpleTag of a file that lies directly in a Tag."""
    for tags in document.all(TAGS):
        found = [
            simple
            for tag in children(source, tags, most)
            if tag.name == TAG and tag.sized
            for simple in _of_tag(source, tags, tag, most)
        ]
        yield from (replace(simple, count=len(found)) for simple in found)


_TARGETED = {TRACK_UID, EDITION_UID, CHAPTER_UID, ATTACHMENT_UID}


def _of_tag(source: BinaryIO, tags: Element, tag: Element, most: int) -> Iterator[Simple]:
    parts = tuple(children(source, tag, most))
    named = {
        part.name
        for targets in parts
        if targets.name == TARGETS
        for part in children(source, targets, most)
        if any(content(source, part, 8))
    }
    for simple in parts:
        if simple.name == SIMPLE_TAG:
            inner = tuple(children(source, simple, most))
            name = next((e for e in inner if e.name == TAG_NAME), None)
            value = next((e for e in inner if e.name in {TAG_STRING, TAG_BINARY}), None)
            said = (
                content(source, name, 4096).rstrip(b"\0").decode("utf-8", "replace") if name else ""
            )
            yield Simple(said, simple, value, tags, not named & _TARGETED)


# --- writing ------------------------------------------------------------------------------------------------------------


def pack(name: int, *payload: bytes, width: int = 4) -> bytes:
    """An element whose size takes so many bytes."""
    size = sum(map(len, payload))
    return packed_name(name) + packed_size(size, width) + b"".join(payload)


def packed_name(name: int) -> bytes:
    """An ID as it is written."""
    return name.to_bytes((name.bit_length() + 7) // 8)


def packed_size(size: int, width: int) -> bytes:
    """A size in so many bytes.

    Raises:
        OverflowError: It does not fit.
    """
    if size >= (1 << 7 * width) - 1:
        raise OverflowError(size)
    return (1 << 7 * width | size).to_bytes(width)


def empty(length: int) -> bytes:
    """Empty space of a length, which is 0 or at least 2 bytes."""
    if not length:
        return b""
    width = 1 if length < 129 else 8
    return pack(VOID, bytes(length - 1 - width), width=width)
