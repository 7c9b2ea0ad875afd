"""Drawing notices into the still pictures of a file, comparing the result, and measuring notices on record.

Apart from the adapter, because only here pixels are needed: numpy and Pillow cost more start-up than a whole verification.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.image import animation, canvas, records
from aikz_label.adapters.image.container import Container, Tags
from aikz_label.adapters.image.frames import Animated
from aikz_label.adapters.image.moments import MEASURED, ends, measure_moments
from aikz_label.adapters.image.picture import Picture
from aikz_label.adapters.image.refusals import (
    LONGEST,
    damaged,
    some_too_small,
    too_long,
    too_narrow,
    too_small,
)
from aikz_label.label import Origin
from aikz_label.notice import badge, strip, strip_search, wording
from aikz_label.notice.measure import Region, worst
from aikz_label.notice.search import search
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.values import dataclass, replace

_MAX_SEARCHED = 20  # pictures of one file
_MOST_COVERED = 5 / 6  # of a picture, by a badge on the grid of its codec


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A notice that was drawn.

    Attributes:
        picture: The picture with it, to compare the finished file with; `None` in a file of several, which would take too
            much memory: it is drawn again.
        box: The plate or the band, in the stored picture.
        badge: The badge, or the middle of the strip.
        record: What the marker says of it: enough to find it and to draw it again.
    """

    picture: Picture | None
    box: canvas.Box
    badge: badge.Badge
    record: Mapping[str, Any]


class Painting:
    """The still pictures of a file, and the notices drawn into them; the note that `render` leaves for `check`."""

    def __init__(self, source: Container, order: Order) -> None:
        self._source = source
        self._order = order
        self.drawn: list[Drawn | None] = []  # None for a preview too small for a badge

    def encode(self, tags: Tags) -> bytes:
        """The file with its notices."""
        return self._source.encode(self.pictures(), tags)

    def pictures(self) -> Iterator[Picture]:
        """Every picture in turn, decoded and painted; whoever encodes it needs no more than one at a time."""
        self._refuse_small()
        for index in range(self._source.count):
            picture, drawn = self._draw(index)
            if drawn is not None and self._source.count > 1:
                drawn = replace(drawn, picture=None)
            self.drawn.append(drawn)
            yield picture

    def _refuse_small(self) -> None:
        """Name every picture of the file that is too small, not only the first."""
        order, sizes = self._order, self._source.sizes
        if order.when_too_small == "strip":
            return
        small = [
            size
            for size in sizes
            if badge.plan(*size, order.label.origin, order.languages, order.profile.image) is None
        ]
        if small:
            raise some_too_small(small, len(sizes))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be kept."""
        return self._source.losses

    @property
    def kind(self) -> str:
        """What the notice is called."""
        return "strip" if all(map(records.is_strip, self.placements)) else "badge"

    @property
    def placements(self) -> tuple[Mapping[str, Any], ...]:
        """The records of all notices."""
        return tuple(one.record for one in self.drawn if one)

    def check(self, container: Container) -> Measurement:
        """Decode what was written, compare it with the source outside the notices, and measure the notices.

        Raises:
            Refused: Something outside a notice changed more than the format makes inevitable.
        """
        if container.count != len(self.drawn):
            raise damaged("it no longer holds the same pictures")
        checked = [self._check_one(container, index, one) for index, one in enumerate(self.drawn)]
        return worst([one for one in checked if one])

    def _check_one(
        self, container: Container, index: int, drawn: Drawn | None
    ) -> Measurement | None:
        try:
            picture = container.decode(index)
        except MediaProblem as problem:
            raise damaged("it no longer decodes") from problem
        before = drawn.picture if drawn else None
        before = before or self._draw(index)[0]
        if picture.stored != before.stored or picture.orientation != before.orientation:
            raise damaged("its size or orientation changed")
        psnr = before.difference(picture, drawn.box if drawn else None)
        if psnr < container.least_psnr:
            raise damaged(f"pixels outside the notice changed too much ({psnr:.1f} dB)")
        if drawn is None:
            return None
        region = Region(*(float(drawn.record[key]) for key in ("x", "y", "width", "height")))
        region = records.within(region, picture)
        profile = self._order.profile.image
        return measure_moments(picture, drawn.badge, region, profile, most=math.inf)

    def _draw(self, index: int) -> tuple[Picture, Drawn | None]:
        """Decode a picture and draw a badge; a strip where one was, or where no badge fits and one is wanted instead.

        Nothing is drawn into a preview that is too small for a badge.
        """
        picture, order = self._source.decode(index), self._order
        number = index + 1 if self._source.count > 1 else None
        grid = self._source.grid_of(index)
        top = records.band_top(order.previous, index, picture, order.profile)
        if top is None and not any(records.of_picture(order.previous, index)):
            top = _found_top(picture, order.profile)
        profile = order.profile.image
        if top is None:
            placed = badge.plan(*picture.size, order.label.origin, order.languages, profile)
            if placed is not None and _leaves_enough(picture, placed, grid):
                old = tuple(_old_boxes(order, index, picture))
                return picture, _badge(picture, placed, grid, old, number)
            if self._source.is_preview(index):
                return picture, None
            if order.when_too_small != "strip":
                raise too_small(picture.size)
            top = picture.size[1]
        wider = order.when_too_small == "strip"
        band = strip.plan(
            picture.size[0], top, order.label.origin, order.languages, profile, wider=wider
        )
        if band is None:
            raise too_narrow(picture.size)
        return _strip(picture, band, top, number)


def _found_top(picture: Picture, profile: Profile) -> int | None:
    """Where a strip of ours begins that nobody recorded: its sidecar is missing, or its marker was taken out."""
    if picture.moving is not None or picture.window != (0, 0, *picture.size):
        return None
    found = strip_search.locate(picture, profile)
    return found.top if found else None


def draw_badge(picture: Picture, grid: tuple[int, int], order: Order) -> bool:
    """Draw the badge that fits a picture of no record, such as a thumbnail; whether there is one."""
    origin, profile = order.label.origin, order.profile.image
    placed = badge.plan(*picture.size, origin, order.languages, profile)
    if placed is None:
        return False
    old: tuple[canvas.Box, ...] = ()
    if order.previous:  # whatever was drawn there was one of the badges of this size
        known = badge.plan(*picture.size, origin, order.profile.languages, profile)
        old = ((known.x, known.y, *known.size),) if known else ()
    _badge(picture, placed, grid, old, None)
    return True


def _badge(
    picture: Picture,
    placed: badge.Placed,
    grid: tuple[int, int],
    old: tuple[canvas.Box, ...],
    number: int | None,
) -> Drawn:
    """Turn a badge as the file is stored, and draw it."""
    size, stored, orientation = picture.size, picture.stored, picture.orientation
    box = canvas.stored_box((placed.x, placed.y, *placed.size), size, orientation)
    box = canvas.centred(box, grid, stored)
    shown = canvas.shown_box(box, size, orientation)
    mask = canvas.stored_mask(placed.badge.mask, orientation)
    plate, plate_box = canvas.on_grid(mask, box, grid, stored)
    for other in old:
        old_box = canvas.stored_box(other, size, orientation)
        plate, plate_box = canvas.covering(plate, plate_box, old_box, grid, stored)
    picture.paint(plate, plate_box)
    record = records.record(
        badge.DESIGN, placed.layout, placed.badge, shown, picture.window, number
    )
    return Drawn(picture, plate_box, placed.badge, record)


def _leaves_enough(picture: Picture, placed: badge.Placed, grid: tuple[int, int]) -> bool:
    """Whether a badge, grown to the blocks of the codec, leaves something of a small picture to be seen."""
    width, height = picture.size
    box = canvas.stored_box((placed.x, placed.y, *placed.size), picture.size, picture.orientation)
    box = canvas.centred(box, grid, picture.stored)
    _, _, wide, high = canvas.grown(box, grid, picture.stored)
    return wide * high <= _MOST_COVERED * width * height


def _strip(
    picture: Picture, band: strip.Strip, top: int, number: int | None
) -> tuple[Picture, Drawn]:
    """Draw a strip below a picture."""
    higher, box = picture.with_band(band.mask(), top)
    if max(higher.size) > LONGEST:
        raise too_long(higher.size)
    middle = (band.left, top, *band.middle.mask.size)
    record = records.record(strip.DESIGN, band.layout, band.middle, middle, higher.window, number)
    return higher, Drawn(higher, box, band.middle, record)


def _old_boxes(order: Order, index: int, picture: Picture) -> Iterator[canvas.Box]:
    """Where an earlier badge is: the new plate covers it, so that two never stand beside each other."""
    displayed = picture.size
    for place in records.of_picture(order.previous, index):
        region = records.region(place, order.profile)
        if region is not None:
            region = records.within(region, picture)
            left, top = int(region.x * displayed[0]), int(region.y * displayed[1])
            right = min(displayed[0], math.ceil((region.x + region.width) * displayed[0]) + 1)
            bottom = min(displayed[1], math.ceil((region.y + region.height) * displayed[1]) + 1)
            yield left, top, right - left, bottom - top


def measure_recorded(
    container: Container, notice: Notice, origin: Origin, profile: Profile
) -> Measurement:
    """Measure the notices that a marker records; `unknown` when this version cannot have drawn them.

    Every picture of the file must have its notice, in an animation every frame, and the worst of them counts.
    """
    if isinstance(container, Animated) and container.moving:
        return animation.measure_recorded(container, notice, origin, profile)
    measured = []
    for index in range(container.count):
        places = tuple(records.of_picture(notice.placements, index))
        if not places and container.is_preview(index):
            continue
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
    region = records.region(place, profile)
    if region is None or notice.wording != wording.version():
        return None
    picture = container.decode(index)
    region = records.within(region, picture)
    drawn = records.drawn_again(place, notice.languages, origin, region, picture.size)
    if drawn is None:
        return None
    return measure_moments(picture, drawn, region, profile.image, MEASURED)


def search_whole(container: Container, profile: Profile) -> Found | None:
    """Search the displayed pictures for a notice that no marker records; each of them must have one."""
    if isinstance(container, Animated) and container.moving:
        return animation.search_frames(container, profile)
    found = []
    for index in range(min(container.count, _MAX_SEARCHED)):
        picture = container.decode(index)
        strip_found = strip_search.locate(picture, profile)
        one = strip_found.found if strip_found else _searched(picture, profile)
        if one is not None:
            found.append(one)
    if not found:
        return None
    if len(found) < container.count:
        return Found(Measurement(NoticeState.UNKNOWN))
    chosen = worst([one.measurement for one in found])
    origins = {one.origin for one in found}
    return Found(chosen, origins.pop() if len(origins) == 1 else None)


def _searched(picture: Picture, profile: Profile) -> Found | None:
    """A notice in a picture; in one that moves it must be there at the beginning and at the end."""
    shown = ends(picture)
    if shown is None:
        return Found(Measurement(NoticeState.UNKNOWN))
    found = [search(one.crop((0, 0, *one.size)), profile) for one in shown]
    there = [one for one in found if one is not None]
    if len(there) < len(found):
        return Found(Measurement(NoticeState.UNKNOWN)) if there else None
    return max(there, key=lambda one: len(one.measurement.problems), default=None)
