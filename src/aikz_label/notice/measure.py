"""Measuring a badge in a finished picture: is it there, large enough, and readable?

The badge is drawn again from its record and compared with the pixels at the recorded place: normalised cross-correlation
of the whole and of the text alone, WCAG contrast on the strokes of the text, height of a capital letter, and how much of it
is covered or outside the picture. The thresholds live in the profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.notice.badge import Badge
from aikz_label.report import Measurement, Message, NoticeState
from aikz_label.values import dataclass

_WIDTH = 360  # of the template, px: fine enough for the text, cheap enough to search with
_WHOLE = 540  # up to which it is not reduced, since that costs more likeness than it saves time
_SURE = 0.97  # a first look this good needs no search
_REACH = 0.3  # of a search around the place, share of the badge's width and height together
_OPAQUE = {"L", "RGB", "YCbCr"}  # modes in which a mean of pixels is the mean of their colours
_INK, _PLATE = 225, 10  # template levels that are certainly ink or plate

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """A box as shares of the displayed picture's width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well the template matches at a scale and a shift (in heights of the box)."""

    score: float
    scale: float
    dx: float
    dy: float


class Seen(Protocol):
    """A picture as people see it: a Pillow image in an 8-bit mode, or anything that gives one where it is looked at."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""

    def crop(self, edges: tuple[int, int, int, int], /) -> Image.Image:
        """What lies between left, top, right and bottom."""


class Thresholds(Protocol):
    """What says whether figures are good enough, such as a profile."""

    def problems(self, figures: Mapping[str, float], /) -> tuple[Message, ...]:
        """Which thresholds the figures miss."""


def measure(picture: Seen, badge: Badge, region: Region, profile: Thresholds) -> Measurement:
    """Measure a badge where the record says it is, give or take a few percent.

    A picture that can be transparent is measured on white and on black, and the worse result counts.

    Args:
        picture: The picture as displayed.
        badge: The badge, drawn from its record.
        region: Where it was placed.
        profile: Thresholds.
    """
    found = _looked_at(picture, badge, region, 0.0)
    if any(one["match"] < _SURE for one in found):
        found = _looked_at(picture, badge, region, _REACH)
    figures = max(found, key=lambda one: (len(profile.problems(one)), -one["contrast"]))
    problems = profile.problems(figures)
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return Measurement(state, tuple(figures.items()), problems)


def _looked_at(picture: Seen, badge: Badge, region: Region, reach: float) -> list[dict[str, float]]:
    """The figures on every ground; only at the place itself, or in what a search can reach."""
    part, inside = _neighbourhood(picture, region, reach)
    template = _template(badge)
    # twice the template's resolution is all that is looked at, however large the picture
    factor = max(1, int(inside.width * part.width / (2 * template.shape[1])))
    found = [
        _figures(flat, template, badge, inside, search=reach > 0) for flat in _reduced(part, factor)
    ]
    for figures in found:
        figures["cap_px"] *= factor
        figures["icon_cap_px"] *= factor
        figures["short_side_px"] = float(min(picture.size))
    return found


def worst(measured: Sequence[Measurement]) -> Measurement:
    """Of the pictures of one file, that which has the most problems, or the faintest notice."""
    return max(
        measured,
        key=lambda one: (len(one.problems), -dict(one.figures).get("contrast", 0.0)),
        default=Measurement(NoticeState.UNKNOWN),
    )


def _neighbourhood(picture: Seen, region: Region, reach: float) -> tuple[Image.Image, Region]:
    """The part of the picture around a region, by a share of its sides, and the region within that part."""
    width, height = picture.size
    reach = reach * (region.width * width + region.height * height) + 2
    left = max(0, min(width - 1, int(region.x * width - reach)))
    top = max(0, min(height - 1, int(region.y * height - reach)))
    right = min(width, max(left + 1, int((region.x + region.width) * width + reach)))
    bottom = min(height, max(top + 1, int((region.y + region.height) * height + reach)))
    part = picture.crop((left, top, right, bottom))
    return part, Region(
        (region.x * width - left) / part.width,
        (region.y * height - top) / part.height,
        region.width * width / part.width,
        region.height * height / part.height,
    )


def _reduced(part: Image.Image, factor: int) -> list[Image.Image]:
    """The part smaller and as RGB; what is opaque is first made smaller, which spares converting most of it."""
    if part.mode in _OPAQUE and "transparency" not in part.info:
        return [part.reduce(factor).convert("RGB")]
    return [flat.reduce(factor) for flat in flattened(part)]


def flattened(picture: Image.Image) -> list[Image.Image]:
    """The picture as RGB; once on white and once on black where it can be transparent."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return [picture.convert("RGB")]
    layer = picture.convert("RGBA")
    grounds = (Image.new("RGBA", layer.size, colour) for colour in ("white", "black"))
    return [Image.alpha_composite(ground, layer).convert("RGB") for ground in grounds]


def _figures(
    picture: Image.Image, template: Array, badge: Badge, region: Region, *, search: bool
) -> dict[str, float]:
    grey = picture.convert("L")
    fit = (_search if search else _exact)(grey, template, region)
    box = _box(region, fit, picture.size)
    seen = np.asarray(_cut(picture, box, template.shape))
    seen_grey = np.asarray(_cut(grey, box, template.shape), np.float32)
    text = _text_mask(badge, template.shape)
    scale = (box[3] - box[1]) / badge.mask.height
    contrast, plate = _contrast(_luminance(seen), template, text)
    figures = {
        "match": fit.score,
        "text_match": _correlation(seen_grey[text], template[text]),
        "contrast": contrast,
        "plate_luminance": plate,
        "lost": _lost(seen_grey, template, badge),
        "outside": _outside(box, picture.size),
        "cap_px": badge.cap * scale,
        "icon_cap_px": badge.icon_cap * scale,
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def _template(badge: Badge) -> Array:
    mask = badge.mask
    if mask.width > _WHOLE:
        height = max(1, round(mask.height * _WIDTH / mask.width))
        mask = mask.resize((_WIDTH, height), Image.Resampling.BOX)
    return np.asarray(mask, np.float32)


def _exact(grey: Image.Image, template: Array, region: Region) -> _Fit:
    """The badge at its recorded place."""
    return _score(grey, template, region, 1.0, 0.0, 0.0)


def _search(grey: Image.Image, template: Array, region: Region) -> _Fit:
    """Find the badge near its recorded place: coarse at a third of the size, then finer twice."""
    exact = _exact(grey, template, region)
    height, width = template.shape
    third = (max(8, width // 3), max(4, height // 3))
    small = np.asarray(
        Image.fromarray(template.astype(np.uint8)).resize(third, Image.Resampling.BOX), np.float32
    )
    best = _Fit(-1.0, 1.0, 0.0, 0.0)
    steps = (
        (small, (-0.06, -0.03, 0.0, 0.03, 0.06), np.linspace(-0.15, 0.15, 7)),
        (small, (-0.015, 0.0, 0.015), np.linspace(-0.03, 0.03, 5)),
        (template, (-0.005, 0.0, 0.005), np.linspace(-0.01, 0.01, 5)),
    )
    for shape, scales, shifts in steps:
        centre = best
        best = max(
            (
                _score(
                    grey,
                    shape,
                    region,
                    centre.scale + s,
                    centre.dx + float(dx),
                    centre.dy + float(dy),
                )
                for s in scales
                for dx in shifts
                for dy in shifts
            ),
            key=lambda fit: fit.score,
        )
    return max(best, exact, key=lambda fit: fit.score)


def _score(
    grey: Image.Image, template: Array, region: Region, scale: float, dx: float, dy: float
) -> _Fit:
    fit = _Fit(0.0, scale, dx, dy)
    box = _box(region, fit, grey.size)
    cut = np.asarray(_cut(grey, box, template.shape), np.float32)
    return _Fit(_correlation(cut, template), scale, dx, dy)


def _box(region: Region, fit: _Fit, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in px; may reach outside the picture."""
    width, height = region.width * size[0] * fit.scale, region.height * size[1] * fit.scale
    shift = region.height * size[1]
    x = (region.x + region.width / 2) * size[0] + fit.dx * shift - width / 2
    y = (region.y + region.height / 2) * size[1] + fit.dy * shift - height / 2
    return x, y, x + width, y + height


def _cut(
    picture: Image.Image, box: tuple[float, float, float, float], shape: tuple[int, ...]
) -> Image.Image:
    """The pixels of a box, resampled to the template's size; outside the picture there is mid-grey."""
    size = (shape[1], shape[0])
    left, top, right, bottom = box
    if 0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height:
        return picture.resize(size, Image.Resampling.BILINEAR, box=box)
    edges = (int(left) - 1, int(top) - 1, int(right) + 2, int(bottom) + 2)
    canvas = Image.new(
        picture.mode, (edges[2] - edges[0], edges[3] - edges[1]), _grey(picture.mode)
    )
    canvas.paste(picture.crop(_inside(edges, picture.size)), _offset(edges))
    inner = (left - edges[0], top - edges[1], right - edges[0], bottom - edges[1])
    return canvas.resize(size, Image.Resampling.BILINEAR, box=inner)


def _grey(mode: str) -> int | tuple[int, int, int]:
    return 128 if mode == "L" else (128, 128, 128)


def _inside(edges: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top = min(max(0, edges[0]), size[0]), min(max(0, edges[1]), size[1])
    return left, top, max(left, min(size[0], edges[2])), max(top, min(size[1], edges[3]))


def _offset(edges: tuple[int, int, int, int]) -> tuple[int, int]:
    return max(0, -edges[0]), max(0, -edges[1])


def _outside(box: tuple[float, float, float, float], size: tuple[int, int]) -> float:
    """Share of the box that lies outside the picture."""
    left, top, right, bottom = box
    area = (right - left) * (bottom - top)
    wide = min(right, size[0]) - max(left, 0.0)
    high = min(bottom, size[1]) - max(top, 0.0)
    return 1.0 - max(0.0, wide) * max(0.0, high) / area if area > 0 else 1.0


def _correlation(first: Array, second: Array) -> float:
    """Zero-mean normalised cross-correlation, -1 to 1; 0 when either is flat."""
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def _text_mask(badge: Badge, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The part of the template that holds the lines of text, without sign and keyline."""
    fx, fy = shape[1] / badge.mask.width, shape[0] / badge.mask.height
    mask = np.zeros(shape, np.bool_)
    for left, top, right, bottom in badge.text_boxes:
        above = max(
            1, round(0.3 * badge.cap * fy)
        )  # room for marks over letters, and plate to compare with
        rows = slice(max(0, int(top * fy) - above), int(np.ceil(bottom * fy)) + above)
        mask[rows, max(0, int(left * fx) - 1) : int(np.ceil(right * fx)) + 1] = True
    return mask


def _luminance(rgb: NDArray[np.uint8]) -> Array:
    """Relative luminance of sRGB, WCAG 2.2."""
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.asarray(_LINEAR[rgb] @ weights, np.float32)


def _linear() -> Array:
    """The light of each level of sRGB."""
    value = np.arange(256, dtype=np.float32) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(light, np.float32)


_LINEAR = _linear()


def _contrast(seen: Array, template: Array, text: NDArray[np.bool_]) -> tuple[float, float]:
    """WCAG contrast of the medians of ink and plate within the text, and the plate's luminance."""
    ink, plate = seen[text & (template >= _INK)], seen[text & (template <= _PLATE)]
    if not ink.size or not plate.size:
        return 0.0, 0.0
    bright, dark = float(np.median(ink)), float(np.median(plate))
    if bright <= dark:
        return 1.0, dark
    return (bright + 0.05) / (dark + 0.05), dark


def _lost(seen: Array, template: Array, badge: Badge) -> float:
    """Share of the text's pieces that no longer look as drawn.

    Each line is cut into pieces about as wide as two letters are high. A picture that is merely blurred or compressed loses
    likeness everywhere alike; something laid over the badge leaves some pieces whole and others without any likeness.
    """
    fx, fy = template.shape[1] / badge.mask.width, template.shape[0] / badge.mask.height
    scores = []
    for left, top, right, bottom in badge.text_boxes:
        count = max(1, round((right - left) / (2 * badge.cap)))
        edges = np.linspace(left, right, count + 1)
        rows = slice(int(top * fy), int(np.ceil(bottom * fy)))
        for start, stop in pairwise(edges):
            columns = slice(int(start * fx), int(np.ceil(stop * fx)))
            piece = template[rows, columns]
            if piece.size and piece.std() > 1:
                scores.append(_correlation(seen[rows, columns], piece))
    if not scores:
        return 1.0
    lost = [score for score in scores if score < 0.4]
    whole = [score for score in scores if score >= 0.75]
    return len(lost) / len(scores) if whole else 0.0
