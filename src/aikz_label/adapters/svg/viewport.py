"""How large an SVG is shown by itself, and where its drawing lies in what is seen (SVG 2, chapters 7 and 8)."""

from __future__ import annotations

import math
import re

from aikz_label.adapters.svg.document import Document
from aikz_label.adapters.svg.styles import declarations
from aikz_label.values import dataclass

_DEFAULT = (300.0, 150.0)  # px, of a picture that does not say (CSS 2.2, 10.3.2)
_INCH = 96
_UNITS = {
    "": 1,
    "px": 1,
    "pt": _INCH / 72,
    "pc": _INCH / 6,
    "mm": _INCH / 25.4,
    "cm": _INCH / 2.54,
    "in": _INCH,
    "q": _INCH / 101.6,
    "em": 16,
    "rem": 16,
    "ex": 8,
}
_LENGTH = re.compile(
    r"\s*\+?(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)\s*([a-z]*)\s*", re.IGNORECASE
)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_ALIGN = re.compile(r"x(Min|Mid|Max)Y(Min|Mid|Max)")
_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
_LARGEST = 1e7
_ROUNDING = 1e-6
Sizes = tuple[float | None, float | None]
"""Width and height, px; `None` when they are not said, or in shares of something."""
Area = tuple[float, float, float, float]
"""Left, top, width and height."""

MEASURED = 50_000.0  # px of the shorter side; a larger drawing is measured at another scale


@dataclass(frozen=True, slots=True)
class Viewport:
    """A drawing that is shown in its own size.

    Attributes:
        size: Of the picture, px.
        sure: Left, top, width and height of the part that is seen in whatever shape it is shown, px.
        x: Left edge of that part in the drawing's own coordinates.
        y: Its upper edge there.
        across: The drawing's units in one px, from left to right.
        down: And from top to bottom.
        anchored: The right edge is known; else only the upper left corner is.
    """

    size: tuple[float, float]
    sure: tuple[float, float, float, float]
    x: float
    y: float
    across: float
    down: float
    anchored: bool = True

    def near(self, other: Viewport) -> bool:
        """Whether it is the same but for rounding."""
        numbers, others = (
            (*one.size, *one.sure, one.x, one.y, one.across, one.down) for one in (self, other)
        )
        return self.anchored == other.anchored and all(
            math.isclose(a, b, rel_tol=_ROUNDING, abs_tol=_ROUNDING * max(map(abs, numbers)))
            for a, b in zip(numbers, others, strict=True)
        )


def viewport(document: Document) -> Viewport | None:
    """Of a document; `None` when nothing of it is shown, or it is cut to whatever shape it is shown in."""
    sizes, box = _said(document)
    if _empty(sizes, box):
        return None
    if box is None:
        return _without_box(sizes)
    found = document.attribute(document.root, "preserveAspectRatio")
    words = found.value.split() if found else []
    return _with_box(sizes, box, [word for word in words if word != "defer"])


def is_empty(document: Document) -> bool:
    """Whether a side is zero, so that nothing is shown (SVG 2, 8.2 and 8.6)."""
    return _empty(*_said(document))


def _said(document: Document) -> tuple[Sizes, Area | None]:
    """What the root says of its size and of its own coordinates."""
    named = {one.name: one.value for one in document.attributes(document.root)}
    style = declarations(named.get("style", ""))
    width, height = (length(style.get(name, named.get(name, ""))) for name in ("width", "height"))
    return (width, height), _box(named.get("viewBox", ""))


def _empty(sizes: Sizes, box: Area | None) -> bool:
    return 0.0 in sizes or (box is not None and 0.0 in box[2:])


def length(text: str) -> float | None:
    """A length in px; `None` for shares, words and nothing."""
    match = _LENGTH.fullmatch(text)
    unit = match[2].lower() if match else "%"
    if match is None or unit not in _UNITS:
        return None
    return min(float(match[1]) * _UNITS[unit], _LARGEST)


def _box(text: str) -> Area | None:
    numbers = [float(number) for number in NUMBER.findall(text)]
    if len(numbers) != 4 or min(numbers[2:]) < 0 or any(abs(n) > _LARGEST for n in numbers):
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _without_box(sizes: Sizes) -> Viewport:
    """Units are px; a side that is not given is as long as a page leaves it."""
    width, height = sizes[0] or _DEFAULT[0], sizes[1] or _DEFAULT[1]
    sure = (0.0, 0.0, width, height)
    return Viewport((width, height), sure, 0, 0, 1, 1, anchored=sizes[0] is not None)


def _with_box(sizes: Sizes, box: Area, words: list[str]) -> Viewport | None:
    x, y, wide, high = box
    width, height = sizes
    if width is None or height is None:
        if "slice" in words:
            return None
        # in its own shape: units are px, unless one side says more
        scale = width / wide if width is not None else (height or high) / high
        width, height = wide * scale, high * scale
    size = (width, height)
    if words[:1] == ["none"]:
        return Viewport(size, (0, 0, *size), x, y, wide / width, high / height)
    align = _ALIGN.fullmatch(words[0]) if words else None
    left, top = (_SHARES[align[i]] if align else 0.5 for i in (1, 2))
    if "slice" in words:
        scale = max(width / wide, height / high)
        x, y = x + (wide - width / scale) * left, y + (high - height / scale) * top
        return Viewport(size, (0, 0, *size), x, y, 1 / scale, 1 / scale)
    scale = min(width / wide, height / high)
    shown = wide * scale, high * scale
    sure = ((width - shown[0]) * left, (height - shown[1]) * top, *shown)
    return Viewport(size, sure, x, y, 1 / scale, 1 / scale)
