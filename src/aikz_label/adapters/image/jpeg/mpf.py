"""Multi-Picture Format (CIPA DC-007): a segment with the places of further pictures behind the first one.

Gain maps of HDR photographs, stereo pairs and large previews are found by it. Places count from a byte within the segment,
so they must be told anew whenever the file before them changes its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from aikz_label.adapters.image.jpeg.segments import APP2, Segment, made
from aikz_label.values import dataclass

_NAME = b"MPF\0"
_ORDER: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_ENTRIES = 0xB002
_UNDEFINED = 7
_MAX_TAGS, _MAX_PICTURES = 100, 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture of the file.

    Attributes:
        at: Where the entry stands in the segment's payload.
        length: How long the picture says it is.
        offset: Where it begins, from `Index.base` on; 0 is the first picture.
    """

    at: int
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Index:
    """The segment taken apart.

    Attributes:
        segment: The whole segment.
        order: Its byte order.
        entries: The pictures in order.
    """

    segment: Segment
    order: Literal["little", "big"]
    entries: tuple[Entry, ...]

    @classmethod
    def find(cls, segments: tuple[Segment, ...]) -> Self | None:
        """The first one among the segments of a header; `None` without one that can be read."""
        for segment in segments:
            if segment.code == APP2 and segment.payload.startswith(_NAME):
                return cls._read(segment)
        return None

    @classmethod
    def _read(cls, segment: Segment) -> Self | None:
        block = segment.payload[len(_NAME) :]
        order = _ORDER.get(block[:4])
        if order is None:
            return None
        start = int.from_bytes(block[4:8], order)
        count = int.from_bytes(block[start : start + 2], order)
        for at in range(
            start + 2, min(start + 2 + 12 * min(count, _MAX_TAGS), len(block) - 11), 12
        ):
            tag, kind = (int.from_bytes(block[i : i + 2], order) for i in (at, at + 2))
            if (tag, kind) == (_ENTRIES, _UNDEFINED):
                size, table = (int.from_bytes(block[i : i + 4], order) for i in (at + 4, at + 8))
                stop = min(table + size, len(block), table + 16 * _MAX_PICTURES)
                places = range(table, stop - 15, 16)
                return cls(segment, order, tuple(_entry(block, at, order) for at in places))
        return None

    @property
    def base(self) -> int:
        """What offsets count from, in the file."""
        return self.segment.start + 4 + len(_NAME)

    def places(self) -> Iterator[tuple[int, int]]:
        """Begin and length of every picture, in the file."""
        for entry in self.entries:
            yield (self.base + entry.offset if entry.offset else 0), entry.length

    def blank(self) -> bytes:
        """The segment without places and lengths, to compare with another."""
        return self._with([(0, 0)] * len(self.entries)).data

    def moved(self, end: int, new_base: int, new_end: int) -> Segment:
        """The segment for a file whose first picture ends elsewhere.

        Args:
            end: Where the first picture ends in the file it is from.
            new_base: What offsets will count from.
            new_end: Where the first picture will end; what followed it follows it still.
        """
        told = []
        for entry, (place, length) in zip(self.entries, self.places(), strict=True):
            if not entry.offset:
                told.append((new_end, 0))
            elif place >= end:
                told.append((length, place - end + new_end - new_base))
            else:
                told.append((length, entry.offset))
        return self._with(told)

    def _with(self, told: list[tuple[int, int]]) -> Segment:
        payload = bytearray(self.segment.payload)
        for entry, numbers in zip(self.entries, told, strict=True):
            at = len(_NAME) + entry.at + 4
            payload[at : at + 8] = b"".join((n % 2**32).to_bytes(4, self.order) for n in numbers)
        return made(APP2, bytes(payload))


def _entry(block: bytes, at: int, order: Literal["little", "big"]) -> Entry:
    length, offset = (int.from_bytes(block[i : i + 4], order) for i in (at + 4, at + 8))
    return Entry(at, length, offset)
