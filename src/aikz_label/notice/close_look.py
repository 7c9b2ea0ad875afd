"""The second look of the search: does a place really hold a badge, in which words and sizes, and can it be perceived?

At full resolution every wording is compared, then the size is found that the best of them was once drawn in (fonts round
differently in every size), and it is measured like a recorded badge. Only that measurement counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.correlate import Array, Field, peaks
from aikz_label.notice.measure import Region, measure
from aikz_label.notice.shapes import DRAWN_EM, Family, Wording, in_grey, is_plain, reduced_badge
from aikz_label.profile import ImageProfile
from aikz_label.report import Found, Measurement, message
from aikz_label.values import dataclass, replace

_ROOM = 0.35  # around a place, share of the badge's height, that the second look sees
_CLOSE_EM = 8.0  # of the text in the second look, px
_ZOOMS = (0.91, 0.955, 1.0, 1.047, 1.096)
_PROMISING = 0.75  # likeness from which a wording is measured; true badges have 0.8 and more
_WORDINGS = 3  # measured at each place
_SCANS = 4  # through all the sizes of text, in one picture
_ORIGINAL_EM = 16.0  # of the text while its first size is looked for, px
_ORIGINAL_ZOOMS = (0.97, 0.985, 1.0, 1.015, 1.03)
_ORIGINALS = (*range(12, 64), *range(64, 116, 4))  # sizes of text that are tried, px
_TRIED = 3  # of them are measured, unless one gives
_CERTAIN = 0.95  # likeness before
_READABLE = 0.35  # likeness of the text without which other sizes are not tried
# From here on it is one of ours, whether or not it can be perceived. Of 245 pictures without a badge the likest had 0.55
# and, of the text, 0.02; true badges with letters of 6 px, halved and saved at quality 30, have 0.86 and 0.74.
_FOUND, _FOUND_TEXT = 0.8, 0.7
_APART = 0.1  # likeness of the text by which one origin must be ahead of the other
_EXACT_EM = 96  # of a drawing whose proportions are nearly those of the font, px


@dataclass(frozen=True, slots=True)
class Place:
    """Where a badge may be: top left corner and size of the text, in px of the picture."""

    score: float
    x: float
    y: float
    em: float
    family: Family


@dataclass(frozen=True, slots=True)
class _Guess:
    """What it may be, after the second look; `drawn` is the size of the text before any scaling."""

    score: float
    x: float
    y: float
    em: float
    wording: Wording
    ratio: float
    drawn: int = DRAWN_EM


@dataclass(slots=True)
class Budget:
    """What the costly part of the second look may still do in one picture."""

    scans: int = _SCANS
    refused: bool = False

    def take(self) -> bool:
        """Whether there is one more."""
        self.scans -= 1
        self.refused = self.refused or self.scans < 0
        return self.scans >= 0


def second_look(
    picture: Image.Image, place: Place, profile: ImageProfile, budget: Budget
) -> Found | None:
    """Measure what the place most likely says; nothing when it does not say it."""
    best: dict[Wording, _Guess] = {}
    for guess in _guesses(picture, place):
        if guess.wording not in best or guess.score > best[guess.wording].score:
            best[guess.wording] = guess
    ranked = sorted(best.values(), key=lambda one: -one.score)
    for guess in ranked[:_WORDINGS]:
        if guess.score < _PROMISING:
            break
        exact, measured = _best_size(picture, guess, profile, budget)
        if _is_one(measured):
            text = dict(measured.figures)["text_match"]
            return Found(_named(measured), _origin(picture, exact, text, ranked, profile))
    return None


def _is_one(measured: Measurement) -> bool:
    figures = dict(measured.figures)
    return figures["match"] >= _FOUND and figures["text_match"] >= _FOUND_TEXT


def _named(measured: Measurement) -> Measurement:
    """What is found is not missing, however unlike it has become."""
    problems = tuple(
        message("notice.unclear") if one.code == "notice.missing" else one
        for one in measured.problems
    )
    return replace(measured, problems=problems)


def _origin(
    picture: Image.Image, said: _Guess, text: float, ranked: list[_Guess], profile: ImageProfile
) -> Origin | None:
    """What a wording says about the origin, if the likeliest one that says otherwise is clearly less like the picture."""
    other = next((one for one in ranked if one.wording.origin is not said.wording.origin), None)
    if other is not None:
        figures = dict(_measured(picture, replace(said, wording=other.wording), profile).figures)
        if text - figures["text_match"] < _APART:
            return None
    return said.wording.origin


def _guesses(picture: Image.Image, place: Place) -> Iterator[_Guess]:
    """Every wording of the family where it fits best around a place."""
    # drawn in the size it has now, which is right unless the picture was scaled, and in one that hardly rounds
    sizes = {max(8, min(_EXACT_EM, round(place.em))), _EXACT_EM}
    drawn = [
        (one, reduced_badge(one.lines, em, place.family.ratio, _CLOSE_EM))
        for one in place.family.wordings
        for em in sorted(sizes)
    ]
    shape = (max(one.shape[0] for _, one in drawn), max(one.shape[1] for _, one in drawn))
    for zoom in _ZOOMS:
        view = _view(picture, (place.x, place.y), shape, place.em * zoom / _CLOSE_EM)
        for said, template in drawn:
            for peak in view.best(template):
                yield _Guess(*peak, place.em * zoom, said, place.family.ratio)


def _best_size(
    picture: Image.Image, guess: _Guess, profile: ImageProfile, budget: Budget
) -> tuple[_Guess, Measurement]:
    """The measurement with the size of text that fits best: the present one, or that before the picture was scaled."""
    near = range(max(1, int(guess.em * 0.95)), int(guess.em * 1.05) + 2, max(1, int(guess.em / 30)))
    best = None
    for sizes, tried in ((tuple(near), 1), (_ORIGINALS, _TRIED)):
        for exact in _originals(picture, guess, sizes)[:tried]:
            measured = _measured(picture, exact, profile)
            figures = dict(measured.figures)
            if best is None or figures["match"] > best[0]:
                best = (figures["match"], figures["text_match"], exact, measured)
            if best[0] >= _CERTAIN:
                break
        if best is None or not _could_be_more(best[3]) or not budget.take():
            break
    return best[2:] if best is not None else (guess, _measured(picture, guess, profile))


def _could_be_more(measured: Measurement) -> bool:
    """Whether another size of the drawing may change the answer: is it one of ours, and can it be perceived?"""
    if _is_one(measured):
        return any(one.code != "notice.too-small" for one in measured.problems)
    return dict(measured.figures)["text_match"] >= _READABLE


def _originals(picture: Image.Image, guess: _Guess, sizes: tuple[int, ...]) -> list[_Guess]:
    """The guess with a finer place for each size that its text may have been drawn in, the best first."""
    lines, ratio = guess.wording.lines, guess.ratio
    shape = reduced_badge(lines, DRAWN_EM, ratio, _ORIGINAL_EM).shape
    views = [
        (guess.em * zoom, _view(picture, (guess.x, guess.y), shape, guess.em * zoom / _ORIGINAL_EM))
        for zoom in _ORIGINAL_ZOOMS
    ]
    fits = []
    for drawn in sizes:
        template = reduced_badge(lines, drawn, ratio, _ORIGINAL_EM)
        found = [
            replace(guess, score=score, x=x, y=y, em=em, drawn=drawn)
            for em, view in views
            for score, x, y in view.best(template)
        ]
        fits += [max(found, key=lambda one: one.score)] if found else []
    return sorted(fits, key=lambda one: -one.score)


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A part of the picture, resampled.

    Attributes:
        field: Its pixels.
        corner: Where it begins in the picture, px.
        unit: Size of its pixels in those of the picture.
    """

    field: Field
    corner: tuple[float, float]
    unit: float

    def best(self, template: Array) -> Iterator[tuple[float, float, float]]:
        """Likeness and place in the picture where a template fits best; nothing where it does not fit in."""
        likeness = self.field.likeness(template)
        if likeness is not None:
            for peak in peaks(likeness, -1.0, (0, 0), 1):
                x, y = self.corner[0] + peak.x * self.unit, self.corner[1] + peak.y * self.unit
                yield peak.score, x, y


def _view(
    picture: Image.Image, corner: tuple[float, float], shape: tuple[int, ...], unit: float
) -> _View:
    """The surroundings of a place as large as a template, where a pixel is so many of the picture's."""
    room = _ROOM * min(shape) * unit
    left, top = max(0.0, corner[0] - room), max(0.0, corner[1] - room)
    right = min(float(picture.width), corner[0] + shape[1] * unit + room)
    bottom = min(float(picture.height), corner[1] + shape[0] * unit + room)
    edges = (int(left), int(top), int(right) + 1, int(bottom) + 1)
    part = picture.crop((*edges[:2], min(picture.width, edges[2]), min(picture.height, edges[3])))
    part.info = picture.info
    inner = (left - edges[0], top - edges[1], right - edges[0], bottom - edges[1])
    size = (max(1, round((right - left) / unit)), max(1, round((bottom - top) / unit)))
    grey = in_grey(part).resize(size, Image.Resampling.BILINEAR, box=inner)
    return _View(Field(np.asarray(grey, np.float32)), (left, top), unit)


def _measured(picture: Image.Image, guess: _Guess, profile: ImageProfile) -> Measurement:
    """Measure a guess, in a smaller copy where the badge is much larger than its template."""
    drawn = badge.draw(guess.wording.lines, guess.drawn, round(guess.drawn * guess.ratio))
    unit = guess.em / guess.drawn
    region = Region(
        guess.x / picture.width,
        guess.y / picture.height,
        drawn.mask.width * unit / picture.width,
        drawn.mask.height * unit / picture.height,
    )
    factor = int(guess.em / DRAWN_EM) if is_plain(picture) else 1
    if factor < 2:
        return measure(picture, drawn, region, profile)
    reduced = measure(picture.reduce(factor), drawn, region, profile)
    figures = tuple(
        (name, round(value * factor, 4) if name.endswith("_px") else value)
        for name, value in reduced.figures
    )
    return replace(reduced, figures=figures, problems=profile.problems(dict(figures)))
