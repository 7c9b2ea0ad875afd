"""The badge: an opaque black plate with pure white ink, drawn as one mask of white coverage.

Plate 0, ink 255: the mask is the picture for grey and RGB, the template for the check, and is mapped to whatever a pixel
mode calls black and white. Neutral extremes cannot be hurt by colour profiles or swapped channels.

The mask is a function of three things, text and two sizes, so a reader can draw the same one again from the record in the
marker. Changing anything here needs a new `DESIGN`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from itertools import product

from PIL import Image, ImageDraw, ImageFont

from aikz_label.errors import Refused
from aikz_label.label import Origin
from aikz_label.notice import truetype
from aikz_label.notice.wording import Layout, ladder
from aikz_label.profile import ImageProfile
from aikz_label.values import dataclass

DESIGN = "badge/1"
FONT = "NotoSans-Bold.ttf"
CAP_HEIGHT = 0.714  # of the em, Noto Sans
_LINE_HEIGHT = 1.28  # of the em
_SUPERSAMPLING = 4
_SIGN_RATIOS = (
    1.6,
    1.2,
    1.0,
)  # letters of the sign to those of the text, where the floor leaves a choice
MAX_PIXELS = 16_000_000  # of a mask; a badge on the largest picture allowed takes a quarter of it

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Badge:
    """A drawn badge.

    Attributes:
        mask: White coverage, mode L.
        lines: The text.
        em: Size of the text in px; `cap` follows from it.
        icon_em: Size of the sign's letters in px, 0 without a sign.
        text_boxes: Where each line of text is in the mask: left, top, right, bottom.
    """

    mask: Image.Image
    lines: tuple[str, ...]
    em: int
    icon_em: int
    text_boxes: tuple[Box, ...]

    @property
    def cap(self) -> float:
        """Height of a capital letter of the text, px."""
        return self.em * CAP_HEIGHT

    @property
    def icon_cap(self) -> float:
        """Height of the sign's letters, px; those of the text when it stands alone."""
        return (self.icon_em or self.em) * CAP_HEIGHT


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A badge and where it goes in the displayed picture, in px from the top left."""

    layout: str
    badge: Badge
    x: int
    y: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the badge, px."""
        return self.badge.mask.size


def plan(
    width: int, height: int, origin: Origin, languages: tuple[str, ...], profile: ImageProfile
) -> Placed | None:
    """Choose the richest layout that fits a displayed picture, at its top right.

    Long pictures get larger text, because they are shown small: the size follows `clamp(long / 2.5, short, 2 short)`.

    Returns:
        The placed badge, or `None` when even the smallest one would not be legible.
    """
    margin = max(2, round(profile.margin_share * min(width, height)))
    for layout in ladder(origin, languages):
        for ems in sizes(layout, (width, height), profile):
            box_width, box_height = size(layout.lines, *ems)
            share = profile.max_small_area if layout.small else profile.max_area
            if (
                box_width <= width - 2 * margin
                and box_height <= height - 2 * margin
                and box_width * box_height <= share * width * height
            ):
                badge = draw(layout.lines, *ems)
                return Placed(layout.name, badge, width - margin - box_width, margin)
    return None


def sizes(
    layout: Layout, picture: tuple[int, int], profile: ImageProfile
) -> Iterator[tuple[int, int]]:
    """Sizes of text and sign to try in a displayed picture, the best first; 0 for a sign that the layout has not."""
    short, long = sorted(picture)
    effective = min(max(long / 2.5, short), 2 * short)
    floor = max(profile.min_cap_px, profile.min_text_share * short)
    icon_floor = max(profile.min_cap_px, profile.min_icon_share * short)
    wanted = max(floor, profile.min_text_share * effective)
    reserve = profile.drawing_reserve
    for cap, sign in dict.fromkeys(product((wanted, floor), _SIGN_RATIOS)):
        icon_em = _em(max(icon_floor, sign * cap) * reserve)
        yield (_em(cap * reserve), icon_em) if layout.icon else (icon_em, 0)


def _em(cap: float) -> int:
    return math.ceil(cap / CAP_HEIGHT)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of a badge before anything is drawn, px."""

    width: int
    height: int
    cap: int
    line_height: int
    text_height: int
    pad: float
    border: int
    icon: tuple[float, float]
    gap: float


def size(lines: tuple[str, ...], em: int, icon_em: int) -> tuple[int, int]:
    """Width and height that `draw` would give, without drawing."""
    planned = geometry(lines, em, icon_em)
    return planned.width, planned.height


def geometry(lines: tuple[str, ...], em: int, icon_em: int) -> Geometry:
    """Lay a badge out."""
    cap = round(em * CAP_HEIGHT)
    pad, border = max(2.0, (0.75 if icon_em else 0.5) * cap), keyline(em)
    line_height = round(em * _LINE_HEIGHT)
    text_width = max(math.ceil(_font(em).getlength(line)) for line in lines)
    text_height = line_height * (len(lines) - 1) + cap
    icon_width = icon_height = gap = 0.0
    if icon_em:
        icon_cap = icon_em * CAP_HEIGHT
        icon_height = max(float(text_height), 1.7 * icon_cap)
        icon_width = max(icon_height, _font(icon_em).getlength("AI") + 0.6 * icon_cap)
        gap = 0.9 * pad
    descent = 0 if icon_em else 0.35 * math.ceil(0.27 * em)
    width = math.ceil(2 * (pad + border) + text_width + icon_width + gap)
    height = math.ceil(2 * (0.85 * pad + border) + max(text_height, icon_height) + descent)
    icon = (icon_width, icon_height)
    return Geometry(width, height, cap, line_height, text_height, pad, border, icon, gap)


def keyline(em: int) -> int:
    """Width of the white line around the plate, px."""
    return max(1, round(0.11 * round(em * CAP_HEIGHT)))


@lru_cache(maxsize=32)
def draw(lines: tuple[str, ...], em: int, icon_em: int) -> Badge:
    """Draw a badge of given text and sizes; the same arguments always give the same pixels.

    Raises:
        Refused: The font lacks a letter of the text.
    """
    text = tuple(unicodedata.normalize("NFC", line) for line in lines)
    for line in text:
        _check_glyphs(line)
    planned, font = geometry(text, em, icon_em), _font(em)
    width, height, cap = planned.width, planned.height, planned.cap
    mask = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(mask)
    # the keyline shows the plate on dark pictures
    pen.rectangle((0, 0, width - 1, height - 1), outline=255, width=planned.border)
    left = planned.pad + planned.border
    if icon_em:
        _draw_icon(mask, icon_em, (left, height / 2), planned.icon)
        left += planned.icon[0] + planned.gap
    boxes = []
    baseline = height / 2 - planned.text_height / 2 + cap
    for line in text:
        x, y = round(left), round(baseline)
        pen.text((x, y), line, fill=255, font=font, anchor="ls")
        boxes.append((x, y - cap, min(width, x + math.ceil(font.getlength(line))), y))
        baseline += planned.line_height
    return Badge(mask, text, em, icon_em, tuple(boxes))


def _draw_icon(
    mask: Image.Image, icon_em: int, middle_left: tuple[float, float], size: tuple[float, float]
) -> None:
    """A white rounded square with black letters, drawn larger and reduced for smooth corners."""
    (left, middle), (width, height) = middle_left, size
    box = (round(left), round(middle - height / 2), round(left + width), round(middle + height / 2))
    final = (box[2] - box[0], box[3] - box[1])
    scale = _SUPERSAMPLING
    large = Image.new("L", (final[0] * scale, final[1] * scale), 0)
    pen = ImageDraw.Draw(large)
    pen.rounded_rectangle(
        (0, 0, large.width - 1, large.height - 1), 0.22 * height * scale, fill=255
    )
    base = large.height / 2 + icon_em * CAP_HEIGHT * scale / 2
    pen.text((large.width / 2, base), "AI", fill=0, font=_font(icon_em * scale), anchor="ms")
    mask.paste(large.resize(final, Image.Resampling.LANCZOS), box[:2])


def advance(character: str, em: int) -> float:
    """From one letter to the next, px."""
    return _font(em).getlength(character)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # BASIC: the other layout engine needs a system library and gives other widths where it is missing
    data = BytesIO(truetype.bundled(FONT).data)
    return ImageFont.truetype(data, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=256)
def _check_glyphs(line: str) -> None:
    """A missing letter would be drawn as an empty box; that is no notice, so it is an error."""
    font = _font(32)
    box = bytes(font.getmask("\ue000"))  # private use: certainly not in the font
    for character in set(line) - {" "}:
        if bytes(font.getmask(character)) == box:
            raise Refused(
                f"The notice font has no letter {character!r} (U+{ord(character):04X}).",
                code="missing-glyph",
                hint="Use the wording that comes with the package.",
            )
