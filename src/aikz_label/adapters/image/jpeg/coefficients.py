"""JPEG coefficients, read from the entropy-coded data (ITU-T T.81: Huffman, sequential or progressive, 8 bits).

The bits of a scan are looked at through a window that slides over 32-bit words, one word per byte, so that there is no
state but a position. What decoders forgive is forgiven alike: bits after the end are zeros, and what follows them in that
interval stays as it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.image.jpeg import loops
from aikz_label.adapters.image.jpeg.loops import Mcus, Scan, Table
from aikz_label.adapters.image.jpeg.segments import (
    DHT,
    DQT,
    DRI,
    EOI,
    SOS,
    entropy_coded,
    intervals,
)
from aikz_label.values import dataclass

_DNL = 0xDC
_MAX_SCANS = 500


class Unreadable(ValueError):
    """The data do not follow the standard, or cost too much."""


@dataclass(slots=True)
class Component:
    """One channel.

    Attributes:
        number: As the frame header names it.
        h: How often it is sampled across, relative to the others.
        v: The same, down.
        table: Number of its quantisation table.
        size: Width and height in blocks, without what only fills the last units.
        columns: Blocks per row, with it.
        rows: Rows of blocks, with it.
        data: The coefficients, 64 for every block, in zigzag order.
    """

    number: int
    h: int
    v: int
    table: int
    size: tuple[int, int]
    columns: int
    rows: int
    data: array[int]

    @property
    def blocks(self) -> NDArray[np.int16]:
        """The same coefficients as rows × columns × 64 numbers that can be changed."""
        return np.frombuffer(self.data, np.int16).reshape(self.rows, self.columns, 64)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as its coefficients."""

    size: tuple[int, int]
    progressive: bool
    components: tuple[Component, ...]
    interval: int


def read(header: bytes, tables: Sequence[bytes], scans: bytes) -> Frame:
    """All coefficients of a picture.

    Args:
        header: The frame header from its 0xFF on.
        tables: Segments before the first scan that define Huffman tables and the restart interval.
        scans: Everything from the first scan header to the end of the picture.

    Raises:
        Unreadable: It is not the kind that is handled.
    """
    if header[1] not in {0xC0, 0xC1, 0xC2}:
        raise Unreadable("its coding is not Huffman's")
    progressive = header[1] == 0xC2
    components = laid_out(header)
    for one in components:
        one.data = array("h", bytes(2 * 64 * one.columns * one.rows))
    reader = _Reader(components, progressive=progressive)
    try:
        for segment in tables:
            reader.define(segment[1], segment[4:])
        reader.walk(scans)
    except Unreadable:
        raise
    except (IndexError, OverflowError, ValueError) as error:
        raise Unreadable("its data are damaged") from error
    size = int.from_bytes(header[7:9]), int.from_bytes(header[5:7])
    return Frame(size, progressive, components, reader.interval)


def laid_out(header: bytes) -> tuple[Component, ...]:
    """The channels that a frame header tells of, without coefficients.

    Raises:
        Unreadable: It makes no sense.
    """
    if len(header) < 10:
        raise Unreadable("its frame header is cut off")
    height, width = int.from_bytes(header[5:7]), int.from_bytes(header[7:9])
    listed = [header[10 + at : 13 + at] for at in range(0, 3 * header[9], 3)]
    factors = [(one[1] >> 4, one[1] & 15) for one in listed if len(one) == 3]
    if (
        header[4] != 8
        or not 0 < len(factors) == len(listed) <= 4
        or not all(1 <= h <= 4 and 1 <= v <= 4 for h, v in factors)
        or not width * height
    ):
        raise Unreadable("its frame header is not one of 8 bits")
    named = [(one[0], h, v, one[2]) for one, (h, v) in zip(listed, factors, strict=True)]
    return _empty(named, (width, height))


def _empty(
    named: Sequence[tuple[int, int, int, int]], size: tuple[int, int]
) -> tuple[Component, ...]:
    """Channels of a number, sampling across and down, and table, without any coefficient."""
    widest, highest = max(h for _, h, _, _ in named), max(v for _, _, v, _ in named)
    across, down = -(-size[0] // (8 * widest)), -(-size[1] // (8 * highest))
    found = []
    for number, h, v, table in named:
        blocks = -(-size[0] * h // (8 * widest)), -(-size[1] * v // (8 * highest))
        columns, rows = across * h, down * v
        found.append(Component(number, h, v, table, blocks, columns, rows, array("h")))
    return tuple(found)


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """A picture of another width and height in px with the same upper left part; blocks that are new are grey."""
    fresh = _empty([(c.number, c.h, c.v, c.table) for c in frame.components], size)
    for old, new in zip(frame.components, fresh, strict=True):
        new.data = array("h", bytes(2 * 64 * new.columns * new.rows))
        rows, columns = min(old.rows, new.rows), min(old.columns, new.columns)
        new.blocks[:rows, :columns] = old.blocks[:rows, :columns]
    return Frame(size, frame.progressive, fresh, frame.interval)


class _Reader:
    """Tables as they are defined on the way, and the walk from scan to scan."""

    def __init__(self, components: tuple[Component, ...], *, progressive: bool) -> None:
        self.interval = 0
        self._components = components
        self._progressive = progressive
        self._tables: dict[int, Table] = {}

    def walk(self, data: bytes) -> None:
        """Read scan after scan."""
        at, count = 0, 0
        while True:
            _, code, at = entropy_coded(data, at)
            if not code:
                raise Unreadable("it has no end")
            if code == EOI:
                return
            at += 2
            stop = at + int.from_bytes(data[at : at + 2])
            payload = data[at + 2 : stop]
            if code == SOS:
                count += 1
                if count > _MAX_SCANS:
                    raise Unreadable("it has too many scans")
                coded, _, at = entropy_coded(data, stop)
                self._read(self._scan(payload), coded)
            elif code in {_DNL, DQT}:
                raise Unreadable("its header goes on between the scans")
            else:
                self.define(code, payload)
                at = stop

    def define(self, code: int, payload: bytes) -> None:
        """Take a table or the restart interval; other segments mean nothing here."""
        if code == DRI:
            self.interval = int.from_bytes(payload[:2])
        if code == DHT:
            for number, counts, symbols in definitions(payload):
                self._tables[number] = lookup(counts, symbols).tolist()

    def _scan(self, payload: bytes) -> Scan:
        count = payload[0]
        numbers = {one.number: index for index, one in enumerate(self._components)}
        pairs = [payload[1 + at : 3 + at] for at in range(0, 2 * count, 2)]
        members = tuple((numbers.get(one, -1), t >> 4, t & 15) for one, t in pairs)
        distinct = {index for index, _, _ in members}
        first, last, bits = payload[1 + 2 * count : 4 + 2 * count]
        if not self._progressive:  # says nothing there
            first, last, bits = 0, 63, 0
        band = first <= last <= 63 and (not first or count == 1)
        if not members or min(distinct) < 0 or len(distinct) < count or not band:
            raise Unreadable("a scan header makes no sense")
        return Scan(members, first, last, bits >> 4, bits & 15)

    def _read(self, scan: Scan, data: bytes) -> None:
        mcus = _mcus(scan, self._components)
        parts = intervals(data) if self.interval else intervals(data)[:1]
        step = self.interval or max(1, len(mcus))
        data_of = [self._components[index].data for index, _, _ in scan.members]
        for number, part in enumerate(parts[: -(-len(mcus) // step)]):
            chosen = mcus[number * step : (number + 1) * step]
            words, end = loops.words_of(part)
            if not self._progressive:
                tables = [(self._table(dc), self._table(16 + ac)) for _, dc, ac in scan.members]
                loops.sequential(words, end, chosen, tables, data_of)
            elif not scan.first and scan.high:
                loops.refine_first(words, end, chosen, scan, data_of)
            elif not scan.first:
                lookups = [self._table(dc) for _, dc, _ in scan.members]
                loops.first(words, end, chosen, scan, lookups, data_of)
            else:
                lookup = self._table(16 + scan.members[0][2])
                work = loops.refine_others if scan.high else loops.others
                work(words, end, [mcu[0][1] for mcu in chosen], scan, lookup, data_of[0])

    def _table(self, number: int) -> Table:
        if number not in self._tables:
            raise Unreadable("a Huffman table is missing")
        return self._tables[number]


def definitions(payload: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The tables in a segment: number, how many codes there are of each length, and the symbols in their order."""
    while len(payload) > 16:
        count = sum(payload[1:17])
        yield payload[0], payload[1:17], payload[17 : 17 + count]
        payload = payload[17 + count :]


def lookup(counts: bytes, symbols: bytes) -> NDArray[np.int32]:
    """The table as one entry for all that can follow, see `loops.Table`; no code reads as zero, as in every decoder."""
    entries: list[NDArray[np.int32]] = []
    given, room = iter(symbols), 1 << 16
    for length, count in enumerate(counts, 1):
        each = 1 << (16 - length)
        for symbol in islice(given, count):
            entries.append(np.full(each, length << 8 | symbol, np.int32))
            room -= each
    if room < 0:
        raise Unreadable("a Huffman table has too many codes")
    return np.concatenate([*entries, np.full(room, 17 << 8, np.int32)])


def _mcus(scan: Scan, components: tuple[Component, ...]) -> Mcus:
    """The blocks of a scan in its order: all of one component, or unit by unit when there are several."""
    if len(scan.members) == 1:
        only = components[scan.members[0][0]]
        width, height = only.size
        return [[(0, 64 * (y * only.columns + x))] for y in range(height) for x in range(width)]
    chosen = [components[index] for index, _, _ in scan.members]
    if sum(one.h * one.v for one in chosen) > loops.MAX_MCU:
        raise Unreadable("its units are too large")
    across, down = chosen[0].columns // chosen[0].h, chosen[0].rows // chosen[0].v
    return [
        [
            (slot, 64 * ((my * one.v + y) * one.columns + mx * one.h + x))
            for slot, one in enumerate(chosen)
            for y in range(one.v)
            for x in range(one.h)
        ]
        for my in range(down)
        for mx in range(across)
    ]
