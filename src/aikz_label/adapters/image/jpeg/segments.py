"""The marker segments of a JPEG file, and where its picture ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.limits import Limits
from aikz_label.values import dataclass

EOI, SOS, COM = 0xD9, 0xDA, 0xFE
APP0, APP1, APP2, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF
DHT, DQT, DRI = 0xC4, 0xDB, 0xDD
SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_EXIF = b"Exif\0\0"
_MAX_BODY = 65533
# A marker inside entropy-coded data: not a stuffed zero, not a restart, not fill. With the fill before it in the pattern it
# would take ninety times as long.
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_FILL = b"\xff"
_AHEAD = 4096  # bytes looked at for the next marker where none stands
_STRAY = 64 * 1024  # bytes that belong to no segment
_BETWEEN = 100_000  # segments from the first scan on: a picture has some dozens


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment.

    Attributes:
        code: The byte after 0xFF.
        data: All its bytes, from 0xFF on.
        start: Where it stands in its file; -1 when it is not part of one yet.
    """

    code: int
    data: bytes
    start: int = -1

    @property
    def payload(self) -> bytes:
        """What follows marker and length."""
        return self.data[4:]

    @property
    def is_metadata(self) -> bool:
        """Whether it says something about the picture, and nothing of how it is coded."""
        return APP0 <= self.code <= APP15 or self.code == COM

    @property
    def is_xmp(self) -> bool:
        """Whether it holds the XMP packet, or the main part of it."""
        return self.code == APP1 and self.data.startswith(_XMP, 4)

    @property
    def is_extended_xmp(self) -> bool:
        """Whether it holds a piece of what did not fit into the main part."""
        return self.code == APP1 and self.data.startswith(_EXTENDED, 4)

    @property
    def is_photoshop(self) -> bool:
        """Whether it holds resources of Photoshop's."""
        return self.code == APP13 and self.data.startswith(_PHOTOSHOP, 4)

    @property
    def is_exif(self) -> bool:
        """Whether it holds the EXIF block."""
        return self.code == APP1 and self.data.startswith(_EXIF, 4)

    @property
    def is_c2pa(self) -> bool:
        """The first APP11 of a C2PA box: 'JP', box number, sequence, length, `jumb`, `jumd`, then the type `c2pa`."""
        data = self.data
        return self.code == APP11 and data[4:6] == b"JP" and data[28:32] == b"c2pa"

    def belongs(self, numbers: set[bytes]) -> bool:
        """Whether it is a part of one of the boxes with these numbers."""
        data = self.data
        return self.code == APP11 and data[4:6] == b"JP" and data[6:8] in numbers


def made(code: int, body: bytes) -> Segment:
    """A segment for a body.

    Raises:
        ValueError: It is too large for one.
    """
    if len(body) > _MAX_BODY:
        raise ValueError("it does not fit into a JPEG segment")
    return Segment(code, bytes((0xFF, code)) + (len(body) + 2).to_bytes(2) + body)


def xmp_segment(packet: bytes) -> Segment:
    """A segment for an XMP packet."""
    return made(APP1, _XMP + packet)


def xmp_packet(segment: Segment) -> bytes:
    """The packet in it."""
    return segment.payload[len(_XMP) :]


def extended_packets(segments: Iterable[Segment]) -> Iterator[bytes]:
    """The packets that were cut into pieces: each says of which one it is, how long that is, and where it begins."""
    pieces: dict[bytes, dict[int, bytes]] = {}
    lengths: dict[bytes, int] = {}
    for segment in segments:
        if segment.is_extended_xmp:
            body = segment.payload[len(_EXTENDED) :]
            name, length, start = body[:32], body[32:36], body[36:40]
            pieces.setdefault(name, {})[int.from_bytes(start)] = body[40:]
            lengths[name] = int.from_bytes(length)
    for name, parts in pieces.items():
        whole = b"".join(part for _, part in sorted(parts.items()))
        if len(whole) == lengths[name]:
            yield whole


def photoshop_block(segments: Iterable[Segment]) -> bytes:
    """The resources of Photoshop's, which several segments share when they are many."""
    return b"".join(s.payload[len(_PHOTOSHOP) :] for s in segments if s.is_photoshop)


def marker_numbers(segments: Iterable[Segment]) -> set[bytes]:
    """Box numbers of the C2PA boxes; their later APP11 segments carry the same number."""
    return {segment.payload[2:4] for segment in segments if segment.is_c2pa}


def walk_header(data: bytes, limits: Limits) -> tuple[tuple[Segment, ...], int]:
    """Segments before the first scan, and the offset of that scan. Stray bytes between them are skipped, as decoders do."""
    segments: list[Segment] = []
    at, size, stray = 2, len(data), 0
    while at + 4 <= size:
        head = data[at : at + 4]
        if head[0] != 0xFF or head[1] == 0:
            found = data[at + 1 : at + 1 + _AHEAD].find(b"\xff")
            step = 1 + (found if found >= 0 else _AHEAD)
            at, stray = at + step, stray + step
            if stray > _STRAY:
                break
            continue
        code = head[1]
        if code == 0xFF:  # fill
            ahead = data[at + 1 : at + 1 + _AHEAD]
            at += len(ahead) - len(ahead.lstrip(_FILL))
            continue
        if code == SOS:
            return tuple(segments), at
        if code == EOI or 0xD0 <= code <= 0xD7:
            break
        stop = at + 2 + int.from_bytes(head[2:])
        if stop > size or stop < at + 4:
            break
        segments.append(Segment(code, data[at:stop], at))
        if len(segments) > limits.max_parts:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(segments), limit=limits.max_parts
            )
        at = stop
    raise MediaProblem("damaged", detail_word="cut")


def entropy_coded(data: bytes, start: int) -> tuple[bytes, int, int]:
    """What stands before the next marker, that marker's code, and where it stands; without one, all the rest and code 0."""
    found = _MARKER.search(data, start)
    if found is None:
        return data[start:], 0, len(data)
    return data[start : found.start()].rstrip(_FILL), found[1][0], found.start()


def intervals(coded: bytes) -> list[bytes]:
    """Entropy-coded data between restart markers."""
    *before, last = _RESTART.split(coded)
    return [*(part.rstrip(_FILL) for part in before), last]


def walk_scans(data: bytes, scan: int) -> tuple[tuple[Segment, ...], int]:
    """Metadata between the scans, and the offset after the end-of-image marker of the primary picture.

    Raises:
        MediaProblem: It has no end, or there are far too many segments before it.
    """
    between: list[Segment] = []
    at, count = scan, 0
    while found := _MARKER.search(data, at):
        code, at = found[1][0], found.end()
        if code == EOI:
            return tuple(between), at
        stop = at + int.from_bytes(data[at : at + 2])
        count += 1
        if at + 2 > len(data):
            break
        if count > _BETWEEN:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_BETWEEN)
        segment = Segment(code, data[found.start() : stop], found.start())
        if segment.is_metadata and stop <= len(data):
            between.append(segment)
        at = stop
    raise MediaProblem("damaged", detail_word="no-end")
