"""The notice as outlines, for drawings: every letter from the font's own curves, so that no font is needed to show it.

The badge has the geometry of `badge.draw`: a black plate, and above it everything white in one path, out of which the
letters of the sign are cut.
"""

from __future__ import annotations

from collections.abc import Callable

from aikz_label.notice import badge, truetype
from aikz_label.notice.truetype import Contour

Point = tuple[float, float]
_CIRCLE = 0.5523  # control points of a quarter of a circle


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


def plate(pen: Pen, size: tuple[int, int]) -> None:
    """The black part of a notice."""
    pen.rectangle(0, 0, *size, hole=False)


def ink(pen: Pen, lines: tuple[str, ...], em: int, icon_em: int) -> None:
    """The white part of a badge: keyline, sign and text."""
    planned = badge.geometry(lines, em, icon_em)
    width, height, border = planned.width, planned.height, planned.border
    pen.rectangle(0, 0, width, height, hole=False)
    pen.rectangle(border, border, width - border, height - border, hole=True)
    _words(pen, lines, em, icon_em, 0)


def band(pen: Pen, lines: tuple[str, ...], em: int, icon_em: int, width: int) -> None:
    """The white part of a strip of that width: two keylines, and sign and text in its middle."""
    planned = badge.geometry(lines, em, icon_em)
    pen.rectangle(0, 0, width, planned.border, hole=False)
    pen.rectangle(0, planned.height - planned.border, width, planned.height, hole=False)
    _words(pen, lines, em, icon_em, (width - planned.width) // 2)


def _words(pen: Pen, lines: tuple[str, ...], em: int, icon_em: int, start: int) -> None:
    """Sign and text of a badge that begins there."""
    planned = badge.geometry(lines, em, icon_em)
    left = start + planned.pad + planned.border
    if icon_em:
        _sign(pen, icon_em, (left, planned.height / 2), planned.icon)
        left += planned.icon[0] + planned.gap
    baseline = planned.height / 2 - planned.text_height / 2 + planned.cap
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
    font = truetype.bundled(badge.FONT)
    scale, (x, y) = em / truetype.UNITS, start
    for character in text:
        for contour in font.contours(font.glyph(character)):
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
