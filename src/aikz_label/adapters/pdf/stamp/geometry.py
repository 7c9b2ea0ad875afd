"""Where a stamp goes on a page: from the page as people see it to the page's own coordinates, and back.

A page is seen through its crop box, turned by multiples of 90 degrees clockwise. Sizes are points: the page's units times
its `UserUnit`.
"""

from __future__ import annotations

from aikz_label.adapters.pdf.stamp.form import SIGN, UNIT, Drawing, drawing
from aikz_label.label import Origin
from aikz_label.notice import wording
from aikz_label.profile import PageProfile
from aikz_label.values import dataclass

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]

CORNERS = ("top-right", "bottom-right", "top-left", "bottom-left")
"""In the order of preference."""


@dataclass(frozen=True, slots=True)
class View:
    """A page as people see it.

    Attributes:
        crop: What is shown, in units of the page: left, bottom, right, top.
        rotation: 0, 90, 180 or 270 degrees clockwise.
        unit: Points of one unit.
    """

    crop: Box
    rotation: int
    unit: float = 1.0

    @property
    def size(self) -> tuple[float, float]:
        """Width and height as shown, pt."""
        x0, y0, x1, y1 = self.crop
        width, height = (x1 - x0) * self.unit, (y1 - y0) * self.unit
        return (height, width) if self.rotation in {90, 270} else (width, height)

    def place(self, x: float, y: float, size: float) -> Matrix:
        """The matrix that draws something of one unit upright, `size` points large.

        Args:
            x: Left end of where it is seen, pt from the left.
            y: Its lower end, pt from below.
            size: Points of one of its units.
        """
        x0, y0, x1, y1 = self.crop
        x, y, k = x / self.unit, y / self.unit, size / self.unit
        match self.rotation:
            case 90:
                return 0, k, -k, 0, x1 - y, y0 + x
            case 180:
                return -k, 0, 0, -k, x1 - x, y1 - y
            case 270:
                return 0, -k, k, 0, x0 + y, y1 - x
            case _:
                return k, 0, 0, k, x0 + x, y0 + y

    def seen(self, matrix: Matrix) -> tuple[float, float, float] | None:
        """The `x`, `y` and `size` of `place`, or `None` for a matrix that does not draw upright."""
        a, b, c, d, e, f = matrix
        x0, y0, x1, y1 = self.crop
        k, others, x, y = {
            0: (a, (d - a, b, c), e - x0, f - y0),
            90: (b, (b + c, a, d), f - y0, x1 - e),
            180: (-a, (a - d, b, c), x1 - e, y1 - f),
            270: (c, (b + c, a, d), y1 - f, e - x0),
        }[self.rotation]
        if k <= 0 or any(abs(other) > k / 1000 for other in others):
            return None
        return x * self.unit, y * self.unit, k * self.unit

    def shown(self, box: Box) -> Box:
        """A box in units of the page as it is displayed, pt from the left and from below."""
        x0, y0, x1, y1 = self.crop
        left, bottom, right, top = {
            0: (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0),
            90: (box[1] - y0, x1 - box[2], box[3] - y0, x1 - box[0]),
            180: (x1 - box[2], y1 - box[3], x1 - box[0], y1 - box[1]),
            270: (y1 - box[3], box[0] - x0, y1 - box[1], box[2] - x0),
        }[self.rotation]
        return left * self.unit, bottom * self.unit, right * self.unit, top * self.unit


@dataclass(frozen=True, slots=True)
class Fitted:
    """A stamp that fits on a page.

    Attributes:
        drawn: What it shows.
        size: Of the text, pt.
        margin: From the edges, pt.
    """

    drawn: Drawing
    size: float
    margin: float

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height, pt."""
        return self.drawn.width * self.size / UNIT, self.drawn.height * self.size / UNIT

    def at(self, corner: str, page: tuple[float, float]) -> tuple[float, float]:
        """Its left and lower ends in a corner of a page of some size, pt."""
        width, height = self.extent
        right, top = page[0] - self.margin - width, page[1] - self.margin - height
        return (
            self.margin if corner.endswith("left") else right,
            self.margin if corner.startswith("bottom") else top,
        )


def fit(
    page: tuple[float, float], origin: Origin, languages: tuple[str, ...], profile: PageProfile
) -> Fitted | None:
    """The richest layout that fits on a page of some size, or `None` when not even the poorest does."""
    short = min(page)
    margin, floor = profile.margin_share * short, profile.floor(short) * profile.drawing_reserve
    room = page[0] - 2 * margin, page[1] - 2 * margin
    for layout in wording.ladder(origin, languages):
        drawn = drawing(layout.name, origin, languages)
        assert drawn is not None
        share = profile.max_small_area if layout.small else profile.max_area
        # codes that stand for the sign are as large as it, where there is room
        for size in (floor,) if layout.icon else (floor * SIGN / UNIT, floor):
            fitted = Fitted(drawn, size, margin)
            width, height = fitted.extent
            if (
                width <= room[0]
                and height <= room[1]
                and width * height <= share * page[0] * page[1]
            ):
                return fitted
    return None
