"""A bundled font, read: which glyph a letter has, how wide it is, and its outline (OpenType 1.9).

The fonts are ours and do not change, so only what they contain is read: a `cmap` of format 4, and outlines of TrueType that
are simple, or composed of parts that are only moved.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache, cached_property
from importlib.resources import files

Contour = tuple[tuple[int, int, bool], ...]
"""Points in font units, each on the curve or off it."""

UNITS = 1000  # of the em, as the `head` of each of them says; checked by a test
_ON, _X_SHORT, _Y_SHORT, _REPEAT, _X_SAME, _Y_SAME = 1, 2, 4, 8, 16, 32
_WORDS, _OFFSETS, _MORE, _SCALED = 1, 2, 32, 0x8 | 0x40 | 0x80


@cache
def bundled(name: str) -> TrueType:
    """A font of the package, by its file name."""
    return TrueType(files("aikz_label").joinpath("notice", "fonts", name).read_bytes())


class TrueType:
    """One font.

    Args:
        data: The file.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._contours: dict[int, tuple[Contour, ...]] = {}

    @cached_property
    def tables(self) -> dict[str, bytes]:
        """The tables by their tags."""
        count = int.from_bytes(self.data[4:6])
        rows = (struct.unpack(">4sIII", self.data[12 + 16 * i : 28 + 16 * i]) for i in range(count))
        return {tag.decode(): self.data[start : start + size] for tag, _, start, size in rows}

    @property
    def count(self) -> int:
        """How many glyphs there are."""
        return int.from_bytes(self.tables["maxp"][4:6])

    @cached_property
    def characters(self) -> dict[str, int]:
        """The glyph of each character, from the `cmap`."""
        cmap = self.tables["cmap"]
        for index in range(int.from_bytes(cmap[2:4])):
            at = int.from_bytes(cmap[8 + 8 * index : 12 + 8 * index])
            if int.from_bytes(cmap[at : at + 2]) == 4:
                return dict(_segments(cmap[at:]))
        return {}

    def glyph(self, character: str) -> int:
        """The number of a character's glyph, 0 when there is none."""
        return self.characters.get(character, 0)

    def advance(self, glyph: int) -> int:
        """How far it is to the next glyph, font units."""
        last = int.from_bytes(self.tables["hhea"][34:36]) - 1
        at = 4 * min(glyph, last)
        return int.from_bytes(self.tables["hmtx"][at : at + 2])

    def width(self, text: str) -> int:
        """How long a line is, font units."""
        return sum(self.advance(self.glyph(character)) for character in text)

    def contours(self, number: int) -> tuple[Contour, ...]:
        """The outline of a glyph."""
        if number not in self._contours:
            self._contours[number] = self._outline(number)
        return self._contours[number]

    def _outline(self, number: int) -> tuple[Contour, ...]:
        long = self.tables["head"][51] == 1
        size = 4 if long else 2
        loca = self.tables["loca"][number * size : (number + 2) * size]
        start, stop = (int.from_bytes(loca[i : i + size]) * (1 if long else 2) for i in (0, size))
        data = self.tables["glyf"][start:stop]
        if not data:
            return ()
        count = int.from_bytes(data[:2], signed=True)
        return _simple(data, count) if count >= 0 else tuple(self._composed(data))

    def _composed(self, data: bytes) -> Iterator[Contour]:
        """Parts that are only moved, which is all that the fonts have; a test draws every letter."""
        at, flags = 10, _MORE
        while flags & _MORE:
            flags, part = struct.unpack(">HH", data[at : at + 4])
            if flags & _SCALED or not flags & _OFFSETS:
                raise ValueError("the font composes a letter in a way that is not read here")
            wide = flags & _WORDS
            dx, dy = struct.unpack(
                *((">hh", data[at + 4 : at + 8]) if wide else (">bb", data[at + 4 : at + 6]))
            )
            at += 8 if wide else 6
            for contour in self.contours(part):
                yield tuple((x + dx, y + dy, on) for x, y, on in contour)


def _segments(table: bytes) -> Iterator[tuple[str, int]]:
    """Characters and glyphs of a `cmap` of format 4."""
    count = int.from_bytes(table[6:8]) // 2
    ends, starts, deltas, offsets = (
        struct.unpack(f">{count}H", table[at : at + 2 * count])
        for at in (14 + 2 * count * row + 2 * (row > 0) for row in range(4))
    )
    for segment, (first, last) in enumerate(zip(starts, ends, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            found = code
            if offsets[segment]:
                at = 16 + 6 * count + 2 * segment + offsets[segment] + 2 * (code - first)
                found = int.from_bytes(table[at : at + 2])
                if not found:
                    continue
            yield chr(code), (found + deltas[segment]) % 65536


def _simple(data: bytes, count: int) -> tuple[Contour, ...]:
    ends = struct.unpack(f">{count}H", data[10 : 10 + 2 * count])
    at = 12 + 2 * count + int.from_bytes(data[10 + 2 * count : 12 + 2 * count])
    total = ends[-1] + 1
    flags: list[int] = []
    while len(flags) < total:
        flag = data[at]
        again = data[at + 1] if flag & _REPEAT else 0
        at += 2 if flag & _REPEAT else 1
        flags += [flag] * (again + 1)
    axes: list[list[int]] = []
    for short, same in ((_X_SHORT, _X_SAME), (_Y_SHORT, _Y_SAME)):
        values, value = [], 0
        for flag in flags:
            if flag & short:
                value += data[at] if flag & same else -data[at]
                at += 1
            elif not flag & same:
                value += int.from_bytes(data[at : at + 2], signed=True)
                at += 2
            values.append(value)
        axes.append(values)
    points = [(x, y, bool(flag & _ON)) for x, y, flag in zip(*axes, flags, strict=True)]
    starts = (0, *(end + 1 for end in ends[:-1]))
    return tuple(tuple(points[a : b + 1]) for a, b in zip(starts, ends, strict=True))
