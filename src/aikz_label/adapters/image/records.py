"""Placements: what a marker records of a notice in a picture, and how the notice is drawn again from that.

A record may come from anybody, so it is checked against the picture before anything is drawn from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from aikz_label.adapters.image.canvas import Box
from aikz_label.label import Origin
from aikz_label.notice import badge, strip, wording
from aikz_label.notice.badge import Badge
from aikz_label.notice.measure import Region
from aikz_label.profile import Profile
from aikz_label.texts import LANGUAGES

if TYPE_CHECKING:
    from aikz_label.adapters.image.picture import Picture

Record: TypeAlias = Mapping[str, str | int | float]

_DESIGNS = (badge.DESIGN, strip.DESIGN)
_SMALLEST = 1e-6  # share of a picture, of a place that does not lie in it
_TOLERANCE = (
    1.1  # of a recorded shape and size: boxes are rounded, pictures are resized by odd factors
)


def record(
    design: str,
    layout: str,
    drawn: Badge,
    box: Box,
    window: Box,
    number: int | None = None,
) -> Record:
    """Enough to find a notice and to draw it again.

    Args:
        design: Version of the drawing rules.
        layout: Step of the layout ladder.
        drawn: The badge, or the middle of a strip.
        box: Where that is in the displayed picture, px.
        window: Where the displayed picture lies, see `Picture.window`.
        number: Which picture of a file with several, from 1.
    """
    x, y, width, height = box
    left, top, *size = window
    which: dict[str, str | int | float] = {} if number is None else {"picture": number}
    return which | {
        "design": design,
        "layout": layout,
        "em": drawn.em,
        "icon_em": drawn.icon_em,
        "x": round((left + x) / size[0], 6),
        "y": round((top + y) / size[1], 6),
        "width": round(width / size[0], 6),
        "height": round(height / size[1], 6),
    }


def of_picture(
    placements: tuple[Mapping[str, object], ...], index: int
) -> Iterator[Mapping[str, object]]:
    """The records that belong to one picture of the file; one without a number belongs to the first."""
    yield from (place for place in placements if place.get("picture", 1) == index + 1)


def region(place: Mapping[str, object], profile: Profile) -> Region | None:
    """The box of a recorded placement, or `None` when no notice can have it."""
    numbers = [place.get(key) for key in ("x", "y", "width", "height")]
    if place.get("design") not in _DESIGNS or not all(
        isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= 1 for n in numbers
    ):
        return None
    x, y, width, height = (float(n) for n in numbers if isinstance(n, int | float))
    # a strip hides nothing, so it may be any share of a very flat picture
    most = 1.0 if is_strip(place) else profile.image.max_small_area * _TOLERANCE
    return Region(x, y, width, height) if 0 < width * height <= most else None


def within(where: Region, picture: Picture) -> Region:
    """A place on the canvas as a place in the picture that lies there, as far as it does."""
    left, top, *canvas = picture.window
    size = picture.size
    if tuple(canvas) == size:
        return where
    edges = (
        (where.x * canvas[0] - left) / size[0],
        (where.y * canvas[1] - top) / size[1],
        ((where.x + where.width) * canvas[0] - left) / size[0],
        ((where.y + where.height) * canvas[1] - top) / size[1],
    )
    x, y, right, bottom = (min(max(share, 0.0), 1.0) for share in edges)
    return Region(x, y, max(right - x, _SMALLEST), max(bottom - y, _SMALLEST))


def is_strip(place: Mapping[str, object]) -> bool:
    """Whether it is the middle of a strip."""
    return place.get("design") == strip.DESIGN


def band_top(
    placements: tuple[Mapping[str, object], ...], index: int, picture: Picture, profile: Profile
) -> int | None:
    """Where an earlier strip begins in a picture that has one on record, and at its lower end.

    A record alone is not believed: what it calls a strip will be cut away.
    """
    height = picture.size[1]
    for place in of_picture(placements, index):
        where, em = region(place, profile), place.get("em")
        if where is None or not is_strip(place) or not isinstance(em, int):
            continue
        where = within(where, picture)
        top, bottom = (round(share * height) for share in (where.y, where.y + where.height))
        if bottom == height and 0 < em < height and strip.lies_below(picture, top, em):
            return top
    return None


def drawn_again(
    place: Mapping[str, object],
    languages: tuple[str, ...],
    origin: Origin,
    where: Region,
    picture: tuple[int, int],
) -> Badge | None:
    """What a record describes, if its sizes fit the box it claims; `None` when this version cannot have drawn it."""
    em, icon_em = place.get("em"), place.get("icon_em")
    if (
        not isinstance(em, int)
        or not isinstance(icon_em, int)
        or not 1 <= em <= max(picture)
        or not 0 <= icon_em <= max(picture)
        or not set(languages) <= set(LANGUAGES)
        or not 0 < len(languages) == len(set(languages))
    ):
        return None
    step = wording.layout(str(place.get("layout")), origin, languages)
    if step is None or step.icon != bool(icon_em):
        return None
    width, height = badge.size(step.lines, em, icon_em)
    if width * height > badge.MAX_PIXELS:
        return None
    shape = where.width * picture[0] / (where.height * picture[1])
    if is_strip(place):
        return strip.draw_in_shape(step, em, icon_em, shape)
    fits = 1 / _TOLERANCE < width / height / shape < _TOLERANCE
    return badge.draw(step.lines, em, icon_em) if fits else None
