"""Drawing the badge into a picture, comparing the result, and measuring a badge on record.

Apart from the adapter, because only here pixels are needed: numpy and Pillow cost more start-up than a whole verification.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.container import Container
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


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What `check` compares with: the source's pixels with the badge drawn in, and where it is."""

    picture: Image.Image
    orientation: int
    box: canvas.Box
    placed: badge.Placed


def paint(container: Container, picture: Image.Image, orientation: int, order: Order) -> Reference:
    """Plan the badge for the displayed picture, turn it as the file is stored, draw it."""
    width, height = canvas.displayed_size(picture.size, orientation)
    profile = order.profile.image
    placed = badge.plan(width, height, order.label.origin, order.languages, profile)
    if placed is None:
        raise Refused(
            f"No legible notice fits into {width} × {height} pixels.",
            code="not-perceptible",
            hint="Use a larger picture, or --notice none with the reason why people are told elsewhere.",
        )
    shown: canvas.Box = (placed.x, placed.y, *placed.size)
    box = canvas.stored_box(shown, (width, height), orientation)
    box = canvas.centred(box, container.grid, picture.size)
    x, y, _, _ = canvas.shown_box(box, (width, height), orientation)
    placed = replace(placed, x=x, y=y)
    mask = canvas.stored_mask(placed.badge.mask, orientation)
    plate, plate_box = canvas.on_grid(mask, box, container.grid, picture.size)
    for old in _old_boxes(order, (width, height)):
        old_box = canvas.stored_box(old, (width, height), orientation)
        plate, plate_box = canvas.covering(plate, plate_box, old_box, container.grid, picture.size)
    canvas.paint(picture, plate, plate_box)
    return Reference(picture, orientation, plate_box, placed)


def _old_boxes(order: Order, displayed: tuple[int, int]) -> Iterator[canvas.Box]:
    """Where an earlier badge is: the new plate covers it, so that two never stand beside each other."""
    for place in order.previous:
        region = recorded_region(place, order.profile)
        if region is not None:
            left, top = int(region.x * displayed[0]), int(region.y * displayed[1])
            right = min(displayed[0], math.ceil((region.x + region.width) * displayed[0]) + 1)
            bottom = min(displayed[1], math.ceil((region.y + region.height) * displayed[1]) + 1)
            yield left, top, right - left, bottom - top


def placement(reference: Reference) -> Mapping[str, Any]:
    """The record of a badge: enough to find it and to draw it again."""
    placed = reference.placed
    width, height = canvas.displayed_size(reference.picture.size, reference.orientation)
    return {
        "design": badge.DESIGN,
        "layout": placed.layout,
        "em": placed.badge.em,
        "icon_em": placed.badge.icon_em,
        "x": round(placed.x / width, 6),
        "y": round(placed.y / height, 6),
        "width": round(placed.size[0] / width, 6),
        "height": round(placed.size[1] / height, 6),
    }


def _placed_region(reference: Reference) -> Region:
    record = placement(reference)
    return Region(*(float(record[key]) for key in ("x", "y", "width", "height")))


def check(container: Container, reference: Reference, order: Order) -> Measurement:
    """Decode what was written, compare it with the source outside the badge, and measure the badge.

    Raises:
        Refused: Something outside the badge changed more than the format makes inevitable.
    """
    try:
        picture, orientation = container.decode()
    except MediaProblem as problem:
        raise damaged("it no longer decodes") from problem
    before = reference.picture
    if picture.mode != before.mode:
        picture = picture.convert(before.mode)
    if picture.size != before.size or orientation != reference.orientation:
        raise damaged("its size or orientation changed")
    psnr, _ = canvas.difference_outside(before, picture, reference.box)
    if psnr < container.least_psnr:
        raise damaged(f"pixels outside the notice changed too much ({psnr:.1f} dB)")
    return measure(
        canvas.displayed(picture, orientation),
        reference.placed.badge,
        _placed_region(reference),
        order.profile.image,
    )


def measure_recorded(
    container: Container, notice: Notice, origin: Origin, profile: Profile
) -> Measurement:
    """Measure the badge that a marker records; `unknown` when this version cannot have drawn it.

    The record may come from anybody, so it is checked against the picture before anything is drawn from it.
    """
    place = notice.placements[0] if notice.placements else {}
    region = recorded_region(place, profile)
    if region is None or notice.wording != wording.version():
        return Measurement(NoticeState.UNKNOWN)
    picture, orientation = container.decode()
    seen = canvas.displayed(picture, orientation)
    drawn = _drawn_again(place, notice.languages, origin, region, seen.size)
    if drawn is None:
        return Measurement(NoticeState.UNKNOWN)
    return measure(seen, drawn, region, profile.image)


def search_whole(container: Container, profile: Profile) -> Found | None:
    """Search the displayed picture for a badge that no marker records."""
    picture, orientation = container.decode()
    return search(canvas.displayed(picture, orientation), profile)


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
