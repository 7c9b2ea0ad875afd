"""Finding a badge that nobody recorded, anywhere in a picture.

Two looks. The first, at a reduced grey copy in many sizes, asks whether anything has the shape of a badge: sign, plate and
lines of text, whatever they say. The second, at full resolution and only at the few best places, tells what it says and
measures it, see `close_look`.

The work is bounded by constants, not by a clock, so that the same picture always gets the same answer.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from aikz_label.notice.close_look import Budget, Place, second_look
from aikz_label.notice.correlate import Array, Field, peaks
from aikz_label.notice.shapes import DRAWN_EM, Family, families, in_grey, is_plain, reduced_badge
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, NoticeState

_COPY_PIXELS = 640 * 480  # of the reduced copy
_STEP = 1.12  # between two sizes of it; the second look reaches a little further than half of that
_LEAST_COPY = 24  # shorter side of the smallest copy, px
_SMALL = 400  # shorter side up to which the layouts of small pictures are looked for, px
_LIKELY = 0.7  # likeness from which the second look is worth while; true badges have 0.8 and more
_PLACES = 8  # looked at twice
_LEAST_EM = 8.0  # below, letters are less than 6 px high and no wording can be told, px


def search(picture: Image.Image, profile: Profile) -> Found | None:
    """Look for a badge in a whole picture.

    Args:
        picture: The picture as displayed, in any 8-bit mode.
        profile: Its languages are looked for together, the first two together, and each alone.

    Returns:
        The badge; with the state `unknown` when more places look like one than are looked at twice; `None` when there is
        none that this can find.
    """
    budget = Budget()
    shapes = families(profile.languages, small=min(picture.size) <= _SMALL)
    places = _places(picture, shapes)
    for place in places[:_PLACES]:
        found = second_look(picture, place, profile.image, budget)
        if found is not None:
            return found
    if len(places) > _PLACES or budget.refused:
        return Found(Measurement(NoticeState.UNKNOWN))
    return None


def _places(picture: Image.Image, shapes: tuple[Family, ...]) -> list[Place]:
    """The first look: everything shaped like a badge, the likeliest first."""
    copy, reduced = _reduced(picture)
    places: list[Place] = []
    zoom = 1.0
    while min(copy.size) * zoom >= _LEAST_COPY:
        size = (round(copy.width * zoom), round(copy.height * zoom))
        level = copy.resize(size, Image.Resampling.BILINEAR)
        field = Field(np.asarray(level, np.float32))
        for family in shapes:
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
                places.append(Place(peak.score, *place, family))
        zoom /= _STEP
    return _distinct(places)


def _reduced(picture: Image.Image) -> tuple[Image.Image, float]:
    """A grey copy of bounded size, and how much smaller it is."""
    factor = min(1.0, (_COPY_PIXELS / (picture.width * picture.height)) ** 0.5)
    plain = is_plain(picture) and factor < 0.5
    grey = in_grey(picture.reduce(int(1 / factor)) if plain else picture)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return grey.resize(size, Image.Resampling.BILINEAR), factor


def _distinct(places: list[Place]) -> list[Place]:
    """The best of those that mean the same place, size and shape."""
    kept: list[Place] = []
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
    drawn = [reduced_badge(one.lines, DRAWN_EM, family.ratio, family.em) for one in family.wordings]
    width, height = (min(one.shape[axis] for one in drawn) for axis in (1, 0))
    return np.asarray(np.mean([one[:height, :width] for one in drawn], axis=0), np.float32)
