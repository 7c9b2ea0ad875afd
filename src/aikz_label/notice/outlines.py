"""The notice as outlines, for drawings: every letter from the font's own curves, so that no font is needed to show it.

The badge has the geometry of `badge.draw`: a black plate, and above it everything white in one path, out of which the
letters of the sign are cut. The font is ours and does not change, so only what it contains is read: TrueType outlines,
simple and composed (OpenType 1.9, `glyf`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import lru_cache

from aikz_label.notice import badge

Point = tuple[float, float]
Contour = tuple[tuple[int, int, bool], ...]
"""Points in font units, each on the curve or off it."""

_UNITS = 1000  # of the em, as the font's `head` says; checked by a test
_ON, _X_SHORT, _Y_SHORT, _REPEAT, _X_SAME, _Y_SAME = 1, 2, 4, 8, 16, 32
_WORDS, _OFFSETS, _MORE, _SCALED = 1, 2, 32, 0x8 | 0x40 | 0x80
_CIRCLE = 0.5523  # control points of a quarter of a circle


@lru_cache(maxsize=1)
def _tables() -> dict[str, bytes]:
    data = badge.font_data()
    count = int.from_bytes(data[4:6])
    rows = (struct.unpack(">4sIII", data[12 + 16 * i : 28 + 16 * i]) for i in range(count))
    return {tag.decode(): data[start : start + size] for tag, _, start, size in rows}


@lru_cache(maxsize=512)
def _glyph_number(character: str) -> int:
    """From the `cmap`, format 4."""
    cmap, code = _tables()["cmap"], ord(character)
    for index in range(int.from_bytes(cmap[2:4])):
        at = int.from_bytes(cmap[8 + 8 * index : 12 + 8 * index])
        if int.from_bytes(cmap[at : at + 2]) == 4:
            break
    twice = int.from_bytes(cmap[at + 6 : at + 8])

    def row(number: int, segment: int) -> int:
        place = at + 14 + number * twice + 2 * (number > 0) + 2 * segment
        return int.from_bytes(cmap[place : place + 2])

    for segment in range(twice // 2):
        if row(0, segment) >= code:
            first, delta, offset = (row(number, segment) for number in (1, 2, 3))
            if code < first:
                return 0
            if not offset:
                return (code + delta) % 65536
            place = at + 16 + 3 * twice + 2 * segment + offset + 2 * (code - first)
            found = int.from_bytes(cmap[place : place + 2])
            return (found + delta) % 65536 if found else 0
    return 0


@lru_cache(maxsize=512)
def contours(number: int) -> tuple[Contour, ...]:
    """The outline of a glyph."""
    long = _tables()["head"][51] == 1
    size = 4 if long else 2
    loca = _tables()["loca"][number * size : (number + 2) * size]
    start, stop = (int.from_bytes(loca[i : i + size]) * (1 if long else 2) for i in (0, size))
    data = _tables()["glyf"][start:stop]
    if not data:
        return ()
    count = int.from_bytes(data[:2], signed=True)
    return _simple(data, count) if count >= 0 else tuple(_composed(data))


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


def _composed(data: bytes) -> Iterator[Contour]:
    """Parts that are only moved, which is all that the font has; a test draws every letter."""
    at, flags = 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack(">HH", data[at : at + 4])
        if flags & _SCALED or not flags & _OFFSETS:
            raise ValueError("the font composes a letter in a way that is not read here")
        dx, dy = struct.unpack(
            *((">hh", data[at + 4 : at + 8]) if flags & _WORDS else (">bb", data[at + 4 : at + 6]))
        )
        at += 8 if flags & _WORDS else 6
        for contour in contours(part):
            yield tuple((x + dx, y + dy, on) for x, y, on in contour)


class Pen:
    """Writes path data in the coordinates of a drawing, with as few digits as can be.

    Args:
        place: From px of the badge to the drawing.
        unit: Size of one px in the drawing; a fiftieth of it does not show.
    """

    def __init__(self, place: Callable[[float, float], Point], unit: float) -> None:
        self._place = place
        self._digits = next(digits for digits in range(-6, 12) if 10.0**-digits <= unit / 50)
        self._data: list[str] = []
        self._at = (0, 0)

    def _rounded(self, x: float, y: float) -> tuple[int, int]:
        across, down = self._place(x, y)
        scale = 10.0**self._digits
        return round(across * scale), round(down * scale)

    def _number(self, value: int) -> str:
        if self._digits <= 0:
            return str(value * 10**-self._digits)
        sign, whole = "-" * (value < 0), f"{abs(value):0{self._digits + 1}d}"
        text = f"{whole[: -self._digits]}.{whole[-self._digits :]}".rstrip("0").rstrip(".")
        return sign + (text or "0")

    def _write(self, letter: str, points: list[tuple[int, int]], origin: tuple[int, int]) -> None:
        numbers = [
            self._number(value - start)
            for point in points
            for value, start in zip(point, origin, strict=True)
        ]
        self._data.append(letter + " ".join(numbers).replace(" -", "-"))
        self._at = points[-1]

    def move(self, x: float, y: float) -> None:
        """Begin a contour."""
        self._write("M", [self._rounded(x, y)], (0, 0))

    def line(self, x: float, y: float) -> None:
        """Draw a straight line."""
        self._write("l", [self._rounded(x, y)], self._at)

    def curve(self, *points: Point) -> None:
        """Draw a curve: one control point for a quadratic, two for a cubic, then the end."""
        letter = "q" if len(points) == 2 else "c"
        self._write(letter, [self._rounded(*point) for point in points], self._at)

    def close(self) -> None:
        """End a contour."""
        self._data.append("z")

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, *, hole: bool
    ) -> None:
        """A rectangle; a hole turns the other way."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        first, *others = corners[::-1] if hole else corners
        self.move(*first)
        for corner in others:
            self.line(*corner)
        self.close()

    def data(self) -> str:
        """What was drawn."""
        return "".join(self._data)


def plate(pen: Pen, lines: tuple[str, ...], em: int, icon_em: int) -> None:
    """The black part of a badge."""
    pen.rectangle(0, 0, *badge.size(lines, em, icon_em), hole=False)


def ink(pen: Pen, lines: tuple[str, ...], em: int, icon_em: int) -> None:
    """The white part of a badge: keyline, sign and text."""
    planned = badge.geometry(lines, em, icon_em)
    width, height, border = planned.width, planned.height, planned.border
    pen.rectangle(0, 0, width, height, hole=False)
    pen.rectangle(border, border, width - border, height - border, hole=True)
    left = planned.pad + border
    if icon_em:
        _sign(pen, icon_em, (left, height / 2), planned.icon)
        left += planned.icon[0] + planned.gap
    baseline = height / 2 - planned.text_height / 2 + planned.cap
    for line in lines:
        _text(pen, line, em, (round(left), round(baseline)), hole=False)
        baseline += planned.line_height


def _sign(pen: Pen, icon_em: int, middle_left: Point, size: Point) -> None:
    """The rounded square with its letters cut out."""
    (left, middle), (width, height) = middle_left, size
    left, right = round(left), round(left + width)
    top, bottom = round(middle - height / 2), round(middle + height / 2)
    round_by = 0.22 * height
    bend = round_by * (1 - _CIRCLE)
    pen.move(left + round_by, top)
    pen.line(right - round_by, top)
    pen.curve((right - bend, top), (right, top + bend), (right, top + round_by))
    pen.line(right, bottom - round_by)
    pen.curve((right, bottom - bend), (right - bend, bottom), (right - round_by, bottom))
    pen.line(left + round_by, bottom)
    pen.curve((left + bend, bottom), (left, bottom - bend), (left, bottom - round_by))
    pen.line(left, top + round_by)
    pen.curve((left, top + bend), (left + bend, top), (left + round_by, top))
    pen.close()
    wide = sum(badge.advance(letter, icon_em) for letter in "AI")
    base = (top + bottom) / 2 + icon_em * badge.CAP_HEIGHT / 2
    _text(pen, "AI", icon_em, ((left + right - wide) / 2, base), hole=True)


def _text(pen: Pen, text: str, em: int, start: Point, *, hole: bool) -> None:
    """Letters side by side, from the left end of their baseline."""
    scale, (x, y) = em / _UNITS, start
    for character in text:
        for contour in contours(_glyph_number(character)):
            _contour(pen, contour, scale, (x, y), hole=hole)
        x += badge.advance(character, em)


def _contour(pen: Pen, contour: Contour, scale: float, start: Point, *, hole: bool) -> None:
    """One closed line of quadratic curves; two points off the curve have one on it halfway between them.

    The outer line of a letter turns like the rectangles, so a hole's letters are drawn backwards.
    """
    points = [
        (start[0] + x * scale, start[1] - y * scale, on)
        for x, y, on in (contour[::-1] if hole else contour)
    ]
    first = next((i for i, point in enumerate(points) if point[2]), None)
    if first is None:
        (x0, y0, _), (x1, y1, _) = points[-1], points[0]
        points.insert(0, ((x0 + x1) / 2, (y0 + y1) / 2, True))
        first = 0
    ring = [*points[first:], *points[:first], points[first]]
    pen.move(*ring[0][:2])
    control: Point | None = None
    for x, y, on in ring[1:]:
        if control is None:
            if on:
                pen.line(x, y)
        elif on:
            pen.curve(control, (x, y))
        else:
            pen.curve(control, ((control[0] + x) / 2, (control[1] + y) / 2))
        control = None if on else (x, y)
    pen.close()
