"""Finding a badge that nobody recorded, anywhere in a picture.

Two looks. The first, at a reduced grey copy in many sizes, asks whether anything has the shape of a badge: sign, plate and
lines of text, whatever they say. The second, at full resolution and only at the few best places, compares with every
wording, finds the size that the best of them was once drawn in (fonts round differently in every size), and measures it
like a recorded badge. Only that measurement counts.

The work is bounded by constants, not by a clock, so that the same picture always gets the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge, wording
from aikz_label.notice.correlate import Array, Field, peaks
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import ImageProfile, Profile
from aikz_label.report import Found, Measurement, NoticeState, message

_COPY_PIXELS = 640 * 480  # of the reduced copy
_STEP = 1.12  # between two sizes of it; the second look reaches a little further than half of that
_LEAST_COPY = 24  # shorter side of the smallest copy, px
_RATIOS = (
    2.0,
    1.63,
)  # letters of the sign to those of the text, in nearly all badges that `plan` makes
_SMALL_RATIOS = (1.25,)  # the same in the smallest pictures
_SMALL = 400  # shorter side up to which the layouts of small pictures are looked for, px
_EM, _CODE_EM = (
    4.0,
    8.0,
)  # of the text in a template of the first look, px; codes have no sign to be told by
_ROOM = 0.35  # around a place, share of the badge's height, that the second look sees
_CLOSE_EM = 8.0  # of the text in the second look, px
_ZOOMS = (0.91, 0.955, 1.0, 1.047, 1.096)
_LIKELY = 0.7  # likeness from which the second look is worth while; true badges have 0.8 and more
_PROMISING = 0.75  # the same for the second look, before anything is measured
_PLACES = 8  # looked at twice
_WORDINGS = 3  # measured at each of them
_SCANS = 4  # through all the sizes of text, in one picture
_LEAST_EM = 8.0  # below, letters are less than 6 px high and no wording can be told, px
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
_DRAWN_EM = 40  # templates are drawn this large and reduced; nothing is measured much larger


@dataclass(frozen=True, slots=True)
class Wording:
    """One thing a badge may say."""

    origin: Origin | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Badges of one shape, which the first look does not tell apart.

    Attributes:
        wordings: What they may say.
        ratio: Letters of the sign to those of the text, 0 without a sign.
        em: Size of the text in the first look's template, px.
    """

    wordings: tuple[Wording, ...]
    ratio: float
    em: float


@dataclass(frozen=True, slots=True)
class _Place:
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
    drawn: int = _DRAWN_EM


@dataclass(slots=True)
class _Budget:
    """What the costly part of the second look may still do in one picture."""

    scans: int = _SCANS
    refused: bool = False

    def take(self) -> bool:
        """Whether there is one more."""
        self.scans -= 1
        self.refused = self.refused or self.scans < 0
        return self.scans >= 0


def search(picture: Image.Image, profile: Profile) -> Found | None:
    """Look for a badge in a whole picture.

    Args:
        picture: The picture as displayed, in any 8-bit mode.
        profile: Its languages are looked for together, the first two together, and each alone.

    Returns:
        The badge; with the state `unknown` when more places look like one than are looked at twice; `None` when there is
        none that this can find.
    """
    budget = _Budget()
    families = _families(profile.languages, small=min(picture.size) <= _SMALL)
    places = _places(picture, families)
    for place in places[:_PLACES]:
        found = _second_look(picture, place, profile.image, budget)
        if found is not None:
            return found
    if len(places) > _PLACES or budget.refused:
        return Found(Measurement(NoticeState.UNKNOWN))
    return None


@lru_cache(maxsize=8)
def _families(languages: tuple[str, ...], *, small: bool) -> tuple[Family, ...]:
    sets = tuple(dict.fromkeys((languages, languages[:2], *((one,) for one in languages))))
    shapes: dict[tuple[str, int], list[Wording]] = {}
    for chosen in sets:
        for origin in Origin:
            for layout in wording.ladder(origin, chosen):
                if layout.name == "ai" or (layout.small and not small):
                    continue  # "AI" alone in a box is too easily something else
                told = None if layout.small else origin
                shape = ("code", len(shapes)) if layout.small else ("words", len(layout.lines))
                same = shapes.setdefault(shape, [])
                if all(layout.lines != known.lines for known in same):
                    same.append(Wording(told, layout.lines))
    ratios = _RATIOS + _SMALL_RATIOS * small
    return tuple(
        Family(tuple(same), ratio, _CODE_EM if kind == "code" else _EM)
        for (kind, _), same in _unlike(shapes).items()
        for ratio in ((0.0,) if kind == "code" else ratios)
    )


def _unlike(shapes: dict[tuple[str, int], list[Wording]]) -> dict[tuple[str, int], list[Wording]]:
    """Without codes that are there already: both origins have the same ones."""
    seen: set[tuple[str, ...]] = set()
    kept = {}
    for shape, same in shapes.items():
        new = [one for one in same if one.lines not in seen]
        seen.update(one.lines for one in new)
        if new:
            kept[shape] = new
    return kept


def _places(picture: Image.Image, families: tuple[Family, ...]) -> list[_Place]:
    """The first look: everything shaped like a badge, the likeliest first."""
    copy, reduced = _reduced(picture)
    places: list[_Place] = []
    zoom = 1.0
    while min(copy.size) * zoom >= _LEAST_COPY:
        size = (round(copy.width * zoom), round(copy.height * zoom))
        level = copy.resize(size, Image.Resampling.BILINEAR)
        field = Field(np.asarray(level, np.float32))
        for family in families:
            template = _rough(family)
            likeness = field.likeness(template)
            if likeness is None:
                continue
            height, width = template.shape
            for peak in peaks(likeness, _LIKELY, (width // 2, height // 2), 4):
                scale = reduced * zoom
                if family.em / scale < _LEAST_EM:
                    continue
                place = (peak.x / scale, peak.y / scale, family.em / scale)
                places.append(_Place(peak.score, *place, family))
        zoom /= _STEP
    return _distinct(places)


def _reduced(picture: Image.Image) -> tuple[Image.Image, float]:
    """A grey copy of bounded size, and how much smaller it is."""
    factor = min(1.0, (_COPY_PIXELS / (picture.width * picture.height)) ** 0.5)
    plain = _plain(picture) and factor < 0.5
    grey = _grey(picture.reduce(int(1 / factor)) if plain else picture)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return grey.resize(size, Image.Resampling.BILINEAR), factor


def _plain(picture: Image.Image) -> bool:
    """Whether its pixels can be averaged as they are."""
    return picture.mode in {"L", "RGB"} and "transparency" not in picture.info


def _grey(picture: Image.Image) -> Image.Image:
    """Grey, on black where it is transparent: a badge is opaque, so the ground does not matter."""
    if _plain(picture):
        return picture.convert("L")
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB").convert("L")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "black"), layer).convert("L")


def _distinct(places: list[_Place]) -> list[_Place]:
    """The best of those that mean the same place, size and shape."""
    kept: list[_Place] = []
    for place in sorted(places, key=lambda one: -one.score):
        if not any(
            place.family is other.family
            and max(abs(place.x - other.x), abs(place.y - other.y)) < 2 * other.em
            and 0.75 < place.em / other.em < 1.33
            for other in kept
        ):
            kept.append(place)
    return kept


@lru_cache(maxsize=64)
def _rough(family: Family) -> Array:
    """The mean of a family's badges, as far as the narrowest reaches."""
    drawn = [_drawn(one.lines, _DRAWN_EM, family.ratio, family.em) for one in family.wordings]
    width, height = (min(one.shape[axis] for one in drawn) for axis in (1, 0))
    return np.asarray(np.mean([one[:height, :width] for one in drawn], axis=0), np.float32)


@lru_cache(maxsize=1024)
def _drawn(lines: tuple[str, ...], em: int, ratio: float, seen: float) -> Array:
    """A badge drawn in one size of text, smoothly reduced to another."""
    mask = badge.draw(lines, em, round(em * ratio)).mask
    factor = seen / em
    size = (max(1, round(mask.width * factor)), max(1, round(mask.height * factor)))
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(mask.resize(size, method), np.float32)


def _second_look(
    picture: Image.Image, place: _Place, profile: ImageProfile, budget: _Budget
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


def _guesses(picture: Image.Image, place: _Place) -> Iterator[_Guess]:
    """Every wording of the family where it fits best around a place."""
    # drawn in the size it has now, which is right unless the picture was scaled, and in one that hardly rounds
    sizes = {max(8, min(_EXACT_EM, round(place.em))), _EXACT_EM}
    drawn = [
        (one, _drawn(one.lines, em, place.family.ratio, _CLOSE_EM))
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
    picture: Image.Image, guess: _Guess, profile: ImageProfile, budget: _Budget
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
    shape = _drawn(lines, _DRAWN_EM, ratio, _ORIGINAL_EM).shape
    views = [
        (guess.em * zoom, _view(picture, (guess.x, guess.y), shape, guess.em * zoom / _ORIGINAL_EM))
        for zoom in _ORIGINAL_ZOOMS
    ]
    fits = []
    for drawn in sizes:
        template = _drawn(lines, drawn, ratio, _ORIGINAL_EM)
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
    grey = _grey(part).resize(size, Image.Resampling.BILINEAR, box=inner)
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
    factor = int(guess.em / _DRAWN_EM) if _plain(picture) else 1
    if factor < 2:
        return measure(picture, drawn, region, profile)
    reduced = measure(picture.reduce(factor), drawn, region, profile)
    figures = tuple(
        (name, round(value * factor, 4) if name.endswith("_px") else value)
        for name, value in reduced.figures
    )
    return replace(reduced, figures=figures, problems=profile.problems(dict(figures)))
