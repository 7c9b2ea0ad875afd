"""The strip: the notice on a band of full width below a picture, which hides nothing of it.

For animations, where one band stays under every frame, and for pictures too small for a badge. It is a badge's plate, as
wide as the picture and with the keyline above and below only; in its middle stand the same sign and text, drawn by the same
code and found by the same search. Changing anything here needs a new `DESIGN`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.badge import Badge
from aikz_label.notice.measure import Seen
from aikz_label.notice.wording import Layout, ladder
from aikz_label.profile import ImageProfile
from aikz_label.values import dataclass, replace

DESIGN = "strip/1"
_ROUNDS = (
    8  # the band makes the picture higher, which may ask for larger text; two rounds are the rule
)
_LEAST_AIR = 1  # px
_LINE, _PLATE = 200, 60  # grey levels of a band that may have been coded with losses
_TOLERANCE = 1.1  # of a recorded shape: boxes are rounded, pictures are resized by odd factors


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A planned strip.

    Attributes:
        layout: Name of its layout.
        middle: What is measured: sign and text between the two keylines.
        width: Of the band, px; that of the picture, unless letters need more.
    """

    layout: str
    middle: Badge
    width: int

    @property
    def height(self) -> int:
        """By how much the picture grows, px."""
        return self.middle.mask.height

    @property
    def left(self) -> int:
        """Where the middle begins, px."""
        return (self.width - self.middle.mask.width) // 2

    def mask(self) -> Image.Image:
        """White coverage of the whole band."""
        middle = self.middle.mask
        # any column beside the text holds nothing but the two keylines
        band = middle.crop((0, 0, 1, middle.height)).resize((self.width, middle.height))
        band.paste(middle, (self.left, 0))
        return band


def plan(
    width: int,
    height: int,
    origin: Origin,
    languages: tuple[str, ...],
    profile: ImageProfile,
    *,
    wider: bool = False,
) -> Strip | None:
    """Choose the band for a displayed picture.

    One line of words is best, several are next, codes come last. The sizes follow the shorter side of the picture with its
    band, because that is the picture people get.

    Args:
        width: Of the picture, px.
        height: Likewise.
        origin: What the notice says.
        languages: In which.
        profile: Thresholds.
        wider: Below a picture too narrow for any letters the band may be wider than it: as wide as all codes need.

    Returns:
        The strip, or `None` when there is no room for legible text.
    """
    found = _stable(width, height, origin, languages, profile)
    if found is None and wider:
        least = max(width, _least_width(origin, languages, profile))
        found = _stable(least, height, origin, languages, profile)
    return found


def _stable(
    width: int, height: int, origin: Origin, languages: tuple[str, ...], profile: ImageProfile
) -> Strip | None:
    """The band that is large enough for the picture with that very band."""
    grown = height
    for _ in range(_ROUNDS):
        found = _fitting(width, height, grown, origin, languages, profile)
        if found is None or min(width, height + found.height) <= min(width, grown):
            return found
        grown = height + found.height
    return None


def _least_width(origin: Origin, languages: tuple[str, ...], profile: ImageProfile) -> int:
    """Width that the codes of all languages need, one below the other, at the least size of text, px."""
    layout = next(step for step in ladder(origin, languages) if step.name == "codeN")
    em, icon_em = min(badge.sizes(layout, (1, 1), profile))
    return content(layout.lines, em, icon_em) + 2 * _air(layout, em, icon_em)


def draw_in_shape(layout: Layout, em: int, icon_em: int, shape: float) -> Badge | None:
    """Draw the middle of a strip whose width is so many times its height; `None` when none such is ever drawn."""
    widest, height = badge.size(layout.lines, em, icon_em)
    width = round(height * shape)
    if not content(layout.lines, em, icon_em) <= width <= widest * _TOLERANCE:
        return None
    return draw(layout.lines, em, icon_em, width)


def lies_below(picture: Seen, top: int, em: int) -> bool:
    """Whether a picture ends with a band from there on: two white lines, and nothing but black between their ends."""
    width, height = picture.size
    keyline = badge.keyline(em)
    if not 0 < top < height - 2 * keyline:
        return False
    part = picture.crop((0, top, width, height)).convert("RGBA")
    rows = np.asarray(
        Image.alpha_composite(Image.new("RGBA", part.size, "gray"), part).convert("L")
    )
    lines = np.concatenate([rows[:keyline], rows[-keyline:]])
    ends = rows[keyline + 1 : -keyline - 1, [0, -1]]
    return bool(ends.size and lines.mean() >= _LINE and ends.mean() <= _PLATE)


def _fitting(
    width: int,
    height: int,
    grown: int,
    origin: Origin,
    languages: tuple[str, ...],
    profile: ImageProfile,
) -> Strip | None:
    for layout in _steps(origin, languages):
        ems = list(badge.sizes(layout, (width, grown), profile))
        for em, icon_em in reversed(ems) if layout.small else ems:
            room = width - 2 * _air(layout, em, icon_em)
            if room < content(layout.lines, em, icon_em):
                continue
            middle = draw(layout.lines, em, icon_em, width)
            band = middle.mask.height
            if layout.small or len(layout.lines) == 1 or band <= profile.max_area * (height + band):
                return Strip(layout.name, middle, width)
    return None


def _air(layout: Layout, em: int, icon_em: int) -> int:
    """Plate wanted on either side of sign and text, px: less for codes, which are for narrow pictures."""
    return _LEAST_AIR if layout.small else round(badge.geometry(layout.lines, em, icon_em).pad)


def content(lines: tuple[str, ...], em: int, icon_em: int) -> int:
    """Width of sign and text alone, px."""
    laid = badge.geometry(lines, em, icon_em)
    return math.ceil(laid.width - 2 * (laid.pad + laid.border))


def _steps(origin: Origin, languages: tuple[str, ...]) -> Iterator[Layout]:
    steps = tuple(ladder(origin, languages))
    yield from sorted((step for step in steps if not step.small), key=lambda step: len(step.lines))
    yield from (step for step in steps if step.small)


@lru_cache(maxsize=32)
def draw(lines: tuple[str, ...], em: int, icon_em: int, width: int) -> Badge:
    """Draw the middle of a strip; the same arguments always give the same pixels.

    Args:
        lines: The text.
        em: Size of the text, px.
        icon_em: Size of the sign's letters, px; 0 without a sign.
        width: Room for it, px; it becomes no wider, nor wider than a badge between its keylines.
    """
    whole = badge.draw(lines, em, icon_em)
    side = max(badge.keyline(em), (whole.mask.width - width + 1) // 2)
    mask = whole.mask.crop((side, 0, whole.mask.width - side, whole.mask.height))
    boxes = tuple((x - side, top, right - side, low) for x, top, right, low in whole.text_boxes)
    return replace(whole, mask=mask, text_boxes=boxes)
