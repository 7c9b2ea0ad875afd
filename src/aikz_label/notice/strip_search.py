"""Finding a strip that nobody recorded: black between two light lines along the lower edge, with our words in its middle.

A strip is where it is by its nature, so that it is found in pictures and letters for which the general search is too
coarse. A picture that was cut or framed is left to that search.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge, strip, wording
from aikz_label.notice.badge import Badge
from aikz_label.notice.measure import Region, Seen, measure
from aikz_label.notice.wording import Layout
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, NoticeState
from aikz_label.values import dataclass, replace

_DARK, _LIGHT = 70, 100  # grey levels of plate and lines that may have been coded or scaled
_LEAST_ROWS = 8  # of the plate, px
# The lower line and some of the plate are in the last 64 px, or in the last 64th part of a higher picture.
_LOWEST = 64
_LINE_SHARE = 0.1  # of the band that one line may take
_RATIOS = (2.0, 1.67, 1.25, 1.0)  # letters of the sign to those of the text
_PROBE_EM = 96
_MEASURED = 4  # guesses, the likeliest
_TOLERANCE = 0.03  # of the band's height
_ROUGH = (96, 24)  # px, of the comparison that chooses them
_APART = 0.1  # likeness of the text by which one origin must be ahead of the other

Grey = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A strip that was found.

    Attributes:
        middle: What is in its middle.
        where: Where that is.
        top: Where the strip begins, px; the picture is above it.
        origin: What it says; `None` when it does not tell.
        measurement: Of that picture.
    """

    middle: Badge
    where: Region
    top: int
    origin: Origin | None
    measurement: Measurement

    @property
    def found(self) -> Found:
        """What is reported of it."""
        return Found(self.measurement, self.origin)


@dataclass(frozen=True, slots=True)
class _Guess:
    likeness: float
    lines: tuple[str, ...]
    origin: Origin | None
    em: int
    icon_em: int


def locate(picture: Seen, profile: Profile) -> Located | None:
    """Look for a strip along the lower edge of a picture; `None` where there is none of ours."""
    top = _band_top(picture)
    if not top:  # without a picture above it is something else
        return None
    width, height = picture.size
    grey = np.asarray(_levels(picture.crop((0, top, width, height))), np.float32)
    guesses = sorted(_guesses(grey, profile.languages), key=lambda one: -one.likeness)
    measured = (_measured(picture, top, guess, profile) for guess in guesses[:_MEASURED])
    found = [one for one in measured if one.measurement.state is NoticeState.PERCEIVABLE]
    if not found:
        return None
    best = max(found, key=_text_match)
    rivals = (one for one in found if one.origin is not best.origin)
    unclear = any(_text_match(best) - _text_match(one) < _APART for one in rivals)
    return replace(best, origin=None) if unclear else best


def _text_match(one: Located) -> float:
    return dict(one.measurement.figures)["text_match"]


def _band_top(picture: Seen) -> int | None:
    """Where a band begins that ends with the picture, by what is at both ends of its rows."""
    height = picture.size[1]
    lowest = max(0, height - max(_LOWEST, height // _LOWEST))
    dark, light = _ends(picture, lowest)  # most pictures need no more rows than these
    if not dark.any() or not light[np.flatnonzero(dark)[-1] + 1 :].any():
        return None
    dark, light = _ends(picture, 0)
    bottom = height
    while bottom > 0 and not dark[bottom - 1]:
        bottom -= 1
    top = bottom
    while top > 0 and dark[top - 1]:
        top -= 1
    line = height - bottom
    if bottom - top < _LEAST_ROWS or not 0 < line <= _LINE_SHARE * (height - top) + 1:
        return None
    upper = max(0, top - line)
    if not light[upper:top].any() or not light[bottom:].any():
        return None
    return upper


def _ends(picture: Seen, top: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of every row from one on: whether both of its ends are dark, and whether both are light."""
    width, height = picture.size
    ends = [_levels(picture.crop((x, top, x + 1, height))) for x in (0, width - 1)]
    columns = np.stack([np.asarray(one)[:, 0] for one in ends], axis=1)
    return columns.max(axis=1) <= _DARK, columns.min(axis=1) >= _LIGHT


def _levels(part: Image.Image) -> Image.Image:
    """How light it is, whatever may be transparent; a palette with opacity needs a step between."""
    part = part.convert("RGBA") if "transparency" in part.info else part
    return part.convert("RGB").convert("L")


def _guesses(grey: Grey, languages: tuple[str, ...]) -> Iterator[_Guess]:
    """Everything that such a band may say, in the sizes of text that its height allows."""
    height, width = grey.shape
    for layout, origin in _sayings(languages):
        for ratio in _RATIOS if layout.icon else (0.0,):
            probe = badge.size(layout.lines, _PROBE_EM, round(_PROBE_EM * ratio))
            if probe[0] * height > 2 * probe[1] * width:  # no room for half of it
                continue
            em = round(height * _PROBE_EM / probe[1])
            for near in range(max(1, em - 1), em + 2):
                icon_em = round(near * ratio)
                laid = badge.size(layout.lines, near, icon_em)
                if abs(laid[1] - height) <= max(1, _TOLERANCE * height):
                    middle = strip.draw(layout.lines, near, icon_em, width)
                    likeness = _likeness(grey, middle)
                    yield _Guess(likeness, layout.lines, origin, near, icon_em)


def _sayings(languages: tuple[str, ...]) -> Iterator[tuple[Layout, Origin | None]]:
    sets = tuple(dict.fromkeys((languages, languages[:2], *((one,) for one in languages))))
    seen: set[tuple[str, ...]] = set()
    for chosen in sets:
        for origin in Origin:
            for layout in wording.ladder(origin, chosen):
                if layout.lines not in seen and layout.name != "ai":
                    seen.add(layout.lines)
                    yield layout, None if layout.small else origin


def _likeness(grey: Grey, middle: Badge) -> float:
    """A rough correlation of the middle of a band with a drawn one."""
    wide = min(grey.shape[1], middle.mask.width)
    left = (grey.shape[1] - wide) // 2
    part = Image.fromarray(grey[:, left : left + wide].astype(np.uint8))
    seen, drawn = (
        np.asarray(one.resize(_ROUGH, Image.Resampling.BOX), np.float32)
        for one in (part, middle.mask)
    )
    seen, drawn = seen - seen.mean(), drawn - drawn.mean()
    norm = float(np.sqrt((seen * seen).sum() * (drawn * drawn).sum()))
    return float((seen * drawn).sum()) / norm if norm else 0.0


def _measured(picture: Seen, top: int, guess: _Guess, profile: Profile) -> Located:
    width, height = picture.size
    middle = strip.draw(guess.lines, guess.em, guess.icon_em, width)
    wide = middle.mask.width * (height - top) / middle.mask.height
    where = Region((width - wide) / 2 / width, top / height, wide / width, 1 - top / height)
    measurement = measure(picture, middle, where, profile.image)
    return Located(middle, where, top, guess.origin, measurement)
