"""A sequential picture in a single scan: how it is coded, and its data between restart markers."""

from __future__ import annotations

from collections.abc import Sequence

from aikz_label.adapters.image.jpeg import coefficients
from aikz_label.adapters.image.jpeg.coefficients import Component, Unreadable
from aikz_label.adapters.image.jpeg.loops import MAX_MCU
from aikz_label.adapters.image.jpeg.segments import (
    DHT,
    DRI,
    EOI,
    SOF,
    Segment,
    entropy_coded,
    intervals,
)
from aikz_label.adapters.image.jpeg.units import Coding, Huffman
from aikz_label.values import dataclass

_SEQUENTIAL = {0xC0, 0xC1}
_BLOCK = 8  # px


@dataclass(frozen=True, slots=True)
class Scan:
    """The only scan of a picture.

    Attributes:
        components: In its order.
        tables: Of each the numbers of its Huffman tables, 16 added for those of coefficients after the mean.
        huffman: The tables.
        across: Units in a row.
        down: Rows of them.
        unit: Width and height of one, px.
        interval: Units between restart markers; all of them without.
        header: From its marker to its data.
        parts: The data of each interval.
    """

    components: tuple[Component, ...]
    tables: tuple[tuple[int, int], ...]
    huffman: dict[int, Huffman]
    across: int
    down: int
    unit: tuple[int, int]
    interval: int
    header: bytes
    parts: tuple[bytes, ...]

    @classmethod
    def read(cls, header: Sequence[Segment], scans: bytes) -> Scan:
        """Take it apart.

        Args:
            header: All segments before the scan.
            scans: Everything from there to the end of the picture.

        Raises:
            Unreadable: It is coded otherwise, or damaged.
        """
        frame = next(s for s in header if s.code in SOF)
        if frame.code not in _SEQUENTIAL:
            raise Unreadable("it is not sequential")
        components = coefficients.laid_out(frame.data)
        start = 2 + int.from_bytes(scans[2:4])
        tables = _tables(scans[4:start], components)
        huffman, interval = _defined(header)
        if not all(number in huffman for pair in tables for number in pair):
            raise Unreadable("a Huffman table is missing")
        data, code, _ = entropy_coded(scans, start)
        if code != EOI:
            raise Unreadable("it has further scans")
        across, down, unit = _units(components)
        interval = interval or across * down
        parts = intervals(data)
        if len(parts) != -(-across * down // interval):
            raise Unreadable("a restart marker is missing, or one too many")
        if any(b"\xff\xff" in part for part in parts):
            raise Unreadable("there are fill bytes, which no reader takes for data")
        return cls(
            components, tables, huffman, across, down, unit, interval, scans[:start], tuple(parts)
        )

    @property
    def coding(self) -> Coding:
        """How its blocks are coded."""
        slots = tuple(i for i, one in enumerate(self.components) for _ in range(self.share(one)))
        dc, ac = (tuple(self.huffman[pair[i]] for pair in self.tables) for i in (0, 1))
        return Coding(slots, dc, ac)

    def share(self, component: Component) -> int:
        """How many blocks of a component are in a unit."""
        return component.h * component.v if len(self.components) > 1 else 1

    def units_in(self, number: int) -> int:
        """How many units an interval has."""
        return min(self.interval, self.across * self.down - number * self.interval)


def _tables(said: bytes, components: tuple[Component, ...]) -> tuple[tuple[int, int], ...]:
    """What a scan header says of the tables of each component."""
    pairs = [said[1 + at : 3 + at] for at in range(0, 2 * said[0], 2)] if said else []
    if [pair[0] for pair in pairs if len(pair) == 2] != [one.number for one in components]:
        raise Unreadable("its scan is not of all components in their order")
    return tuple((pair[1] >> 4, 16 + (pair[1] & 15)) for pair in pairs)


def _defined(header: Sequence[Segment]) -> tuple[dict[int, Huffman], int]:
    """The Huffman tables, and the interval of restart markers."""
    tables: dict[int, Huffman] = {}
    interval = 0
    for segment in header:
        if segment.code == DHT:
            tables |= {n: (c, s) for n, c, s in coefficients.definitions(segment.payload)}
        elif segment.code == DRI:
            interval = int.from_bytes(segment.payload[:2])
    return tables, interval


def _units(components: tuple[Component, ...]) -> tuple[int, int, tuple[int, int]]:
    if len(components) == 1:
        return *components[0].size, (_BLOCK, _BLOCK)
    if sum(one.h * one.v for one in components) > MAX_MCU:
        raise Unreadable("its units are too large")
    first = components[0]
    widest, highest = max(one.h for one in components), max(one.v for one in components)
    across, down = first.columns // first.h, first.rows // first.v
    return across, down, (_BLOCK * widest, _BLOCK * highest)
