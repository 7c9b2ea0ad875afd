"""A notice in a picture that moves: it is measured in everything that is shown in its place, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aikz_label.notice.measure import Region, measure, worst
from aikz_label.report import Measurement, NoticeState, message
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.image.picture import Picture
    from aikz_label.notice.badge import Badge
    from aikz_label.notice.measure import Seen
    from aikz_label.profile import ImageProfile

MEASURED = 300_000_000  # pixels that a measurement shows, of all frames: a few seconds
LOOKS = 50  # that a notice may have in one file
_ALIKE = 8  # levels of 255 by which codecs let a still part of moving pictures differ


def measure_moments(
    picture: Picture, drawn: Badge, where: Region, profile: ImageProfile, most: float
) -> Measurement:
    """Measure a notice in a picture, or in every one that is shown in its place; the worst counts.

    A place that looks as it did before, but for what a codec adds, is measured once.

    Args:
        picture: Still or moving.
        drawn: The badge, or the middle of a strip.
        where: Its place.
        profile: Thresholds.
        most: Pixels of all moments beyond which the answer is `unknown`.
    """
    if picture.moving is None:
        return measure(picture, drawn, where, profile)
    if picture.moving * picture.size[0] * picture.size[1] > most:
        return Measurement(NoticeState.UNKNOWN)
    edges = pixels_of(where, picture.size)
    looks: list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]] = []
    measured: list[tuple[int, Measurement]] = []
    for number, moment in enumerate(picture.moments()):
        look = np.asarray(moment.crop(edges).convert("RGBA"), np.int16)
        if any(np.abs(look - other).max() <= _ALIKE for other in looks):
            continue
        if len(looks) == LOOKS:
            return Measurement(NoticeState.UNKNOWN)
        looks.append(look)
        measured.append((number, measure(moment, drawn, where, profile)))
    return of_all(measured, picture.moving)


def ends(picture: Picture) -> list[Seen] | None:
    """The first and the last of what is shown in a place; `None` when finding the last takes too long."""
    if picture.moving is None:
        return [picture]
    if picture.moving * picture.size[0] * picture.size[1] > MEASURED:
        return None
    found: list[Seen] = []
    for moment in picture.moments():
        found[1:] = [moment]
    return found


def of_all(measured: list[tuple[int, Measurement]], count: int) -> Measurement:
    """The worst, with the number of frames that it stands for, and which of them lacks what others have."""
    found = worst([one for _, one in measured])
    problems = found.problems
    if problems and not all(one.problems for _, one in measured):
        number = next(number for number, one in measured if one.problems)
        problems = (*problems, message("notice.some-frames", frame=number + 1, frames=count))
    return replace(found, figures=(*found.figures, ("frames", float(count))), problems=problems)


def pixels_of(where: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The edges of a region; records are exact enough to round."""
    left, top = round(where.x * size[0]), round(where.y * size[1])
    right, bottom = (
        round((where.x + where.width) * size[0]),
        round((where.y + where.height) * size[1]),
    )
    return left, top, min(size[0], max(right, left + 1)), min(size[1], max(bottom, top + 1))
