"""Drawing the badge into the pictures of a file, comparing the result, and measuring badges on record.

Apart from the adapter, because only here pixels are needed: numpy and Pillow cost more start-up than a whole verification.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.container import Container
from aikz_label.adapters.image.picture import Picture
from aikz_label.errors import Refused
from aikz_label.label import Origin
from aikz_label.notice import badge, wording
from aikz_label.notice.measure import Region, measure
from aikz_label.notice.search import search
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.texts import LANGUAGES

_TOLERANCE = (
    1.1  # of a recorded shape and size: boxes are rounded, pictures are resized by odd factors
)
_MAX_SEARCHED = 20  # pictures of one file


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A badge that was drawn.

    Attributes:
        picture: The picture with it, to compare the finished file with; `None` in a file of several, which would take too
            much memory: the source is decoded again.
        box: The plate, in the stored picture.
        badge: The badge.
        record: What the marker says of it: enough to find it and to draw it again.
    """

    picture: Picture | None
    box: canvas.Box
    badge: badge.Badge
    record: Mapping[str, Any]


class Painting:
    """The pictures of a file, and the badges drawn into them; the note that `render` leaves for `check`."""

    def __init__(self, source: Container, order: Order) -> None:
        self._source = source
        self._order = order
        self.drawn: list[Drawn] = []

    def pictures(self) -> Iterator[Picture]:
        """Every picture in turn, decoded and painted; whoever encodes it needs no more than one at a time."""
        for index in range(self._source.count):
            picture = self._source.decode(index)
            self.drawn.append(_paint(self._source, picture, self._order, index))
            yield picture

    @property
    def placements(self) -> tuple[Mapping[str, Any], ...]:
        """The records of all badges."""
        return tuple(one.record for one in self.drawn)

    def check(self, container: Container) -> Measurement:
        """Decode what was written, compare it with the source outside the badges, and measure the badges.

        Raises:
            Refused: Something outside a badge changed more than the format makes inevitable.
        """
        if container.count != len(self.drawn):
            raise damaged("it no longer holds the same pictures")
        return worst(
            [self._check_one(container, index, one) for index, one in enumerate(self.drawn)],
        )

    def _check_one(self, container: Container, index: int, drawn: Drawn) -> Measurement:
        try:
            picture = container.decode(index)
        except MediaProblem as problem:
            raise damaged("it no longer decodes") from problem
        before = drawn.picture or self._source.decode(index)
        if picture.stored != before.stored or picture.orientation != before.orientation:
            raise damaged("its size or orientation changed")
        psnr = before.difference(picture, drawn.box)
        if psnr < container.least_psnr:
            raise damaged(f"pixels outside the notice changed too much ({psnr:.1f} dB)")
        region = Region(*(float(drawn.record[key]) for key in ("x", "y", "width", "height")))
        return measure(picture, drawn.badge, region, self._order.profile.image)


def _paint(container: Container, picture: Picture, order: Order, index: int) -> Drawn:
    """Plan the badge for the displayed picture, turn it as the file is stored, draw it."""
    (width, height), stored = picture.size, picture.stored
    orientation, grid = picture.orientation, container.grid
    placed = badge.plan(width, height, order.label.origin, order.languages, order.profile.image)
    if placed is None:
        raise Refused(
            f"No legible notice fits into {width} × {height} pixels.",
            code="not-perceptible",
            hint="Use a larger picture, or --notice none with the reason why people are told elsewhere.",
        )
    shown: canvas.Box = (placed.x, placed.y, *placed.size)
    box = canvas.stored_box(shown, (width, height), orientation)
    box = canvas.centred(box, grid, stored)
    x, y, _, _ = canvas.shown_box(box, (width, height), orientation)
    placed = replace(placed, x=x, y=y)
    mask = canvas.stored_mask(placed.badge.mask, orientation)
    plate, plate_box = canvas.on_grid(mask, box, grid, stored)
    for old in _old_boxes(order, index, (width, height)):
        old_box = canvas.stored_box(old, (width, height), orientation)
        plate, plate_box = canvas.covering(plate, plate_box, old_box, grid, stored)
    picture.paint(plate, plate_box)
    record = _record(placed, picture.size, index if container.count > 1 else None)
    kept = picture if container.count == 1 else None
    return Drawn(kept, plate_box, placed.badge, record)


def _old_boxes(order: Order, index: int, displayed: tuple[int, int]) -> Iterator[canvas.Box]:
    """Where an earlier badge is: the new plate covers it, so that two never stand beside each other."""
    for place in _of_picture(order.previous, index):
        region = recorded_region(place, order.profile)
        if region is not None:
            left, top = int(region.x * displayed[0]), int(region.y * displayed[1])
            right = min(displayed[0], math.ceil((region.x + region.width) * displayed[0]) + 1)
            bottom = min(displayed[1], math.ceil((region.y + region.height) * displayed[1]) + 1)
            yield left, top, right - left, bottom - top


def _of_picture(
    placements: tuple[Mapping[str, Any], ...], index: int
) -> Iterator[Mapping[str, Any]]:
    """The records that belong to one picture of the file; one without a number belongs to the first."""
    yield from (place for place in placements if place.get("picture", 1) == index + 1)


def _record(
    placed: badge.Placed, size: tuple[int, int], index: int | None
) -> dict[str, str | int | float]:
    width, height = size
    record: dict[str, str | int | float] = {
        "design": badge.DESIGN,
        "layout": placed.layout,
        "em": placed.badge.em,
        "icon_em": placed.badge.icon_em,
        "x": round(placed.x / width, 6),
        "y": round(placed.y / height, 6),
        "width": round(placed.size[0] / width, 6),
        "height": round(placed.size[1] / height, 6),
    }
    return record if index is None else {"picture": index + 1, **record}


def measure_recorded(
    container: Container, notice: Notice, origin: Origin, profile: Profile
) -> Measurement:
    """Measure the badges that a marker records; `unknown` when this version cannot have drawn them.

    The record may come from anybody, so it is checked against the picture before anything is drawn from it. Every picture
    of the file must have its badge, and the worst of them counts.
    """
    measured = []
    for index in range(container.count):
        places = tuple(_of_picture(notice.placements, index))
        one = _measure_one(container, index, places, notice, origin, profile)
        if one is None:
            return Measurement(NoticeState.UNKNOWN)
        measured.append(one)
    return worst(measured)


def _measure_one(
    container: Container,
    index: int,
    places: tuple[Mapping[str, Any], ...],
    notice: Notice,
    origin: Origin,
    profile: Profile,
) -> Measurement | None:
    place = places[0] if places else {}
    region = recorded_region(place, profile)
    if region is None or notice.wording != wording.version():
        return None
    picture = container.decode(index)
    drawn = _drawn_again(place, notice.languages, origin, region, picture.size)
    return measure(picture, drawn, region, profile.image) if drawn else None


def worst(measured: list[Measurement]) -> Measurement:
    """The measurement of the picture that has the most problems, or the faintest badge."""
    return max(
        measured,
        key=lambda one: (len(one.problems), -dict(one.figures).get("contrast", 0.0)),
        default=Measurement(NoticeState.UNKNOWN),
    )


def search_whole(container: Container, profile: Profile) -> Found | None:
    """Search the displayed pictures for a badge that no marker records; each of them must have one."""
    found = []
    for index in range(min(container.count, _MAX_SEARCHED)):
        one = search(container.decode(index).seen(), profile)
        if one is not None:
            found.append(one)
    if not found:
        return None
    if len(found) < container.count:
        return Found(Measurement(NoticeState.UNKNOWN))
    chosen = worst([one.measurement for one in found])
    origins = {one.origin for one in found}
    return Found(chosen, origins.pop() if len(origins) == 1 else None)


def recorded_region(place: Mapping[str, Any], profile: Profile) -> Region | None:
    """The box of a recorded placement, or `None` when no badge can have it."""
    numbers = [place.get(key) for key in ("x", "y", "width", "height")]
    if place.get("design") != badge.DESIGN or not all(
        isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= 1 for n in numbers
    ):
        return None
    x, y, width, height = (float(n) for n in numbers if n is not None)
    if not 0 < width * height <= profile.image.max_small_area * _TOLERANCE:
        return None
    return Region(x, y, width, height)


def _drawn_again(
    place: Mapping[str, Any],
    languages: tuple[str, ...],
    origin: Origin,
    region: Region,
    picture: tuple[int, int],
) -> badge.Badge | None:
    """The badge a record describes, if its sizes fit the box it claims."""
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
    wanted = region.width * picture[0] / (region.height * picture[1])
    if (
        width * height > badge.MAX_PIXELS
        or not 1 / _TOLERANCE < width / height / wanted < _TOLERANCE
    ):
        return None
    return badge.draw(step.lines, em, icon_em)


def damaged(what: str) -> Refused:
    """The refusal to deliver a file that lost something."""
    return Refused(
        f"Marking would damage this file: {what}.",
        code="content-changed",
        hint="Nothing was written. Re-save the file with another program and try again.",
    )
