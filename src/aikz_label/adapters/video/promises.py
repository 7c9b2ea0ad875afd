"""What a marker promises of the notice in a film: where it is, and from when to when."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from aikz_label.adapters.image import records as pictures
from aikz_label.notice import wording
from aikz_label.notice.measure import Region
from aikz_label.profile import Profile
from aikz_label.report import Notice
from aikz_label.values import dataclass

_LONGEST = 1e6  # seconds, eleven days


@dataclass(frozen=True, slots=True)
class Promise:
    """One stretch of the film.

    Attributes:
        place: The record.
        region: Where the notice is.
        start: From when, seconds since the first frame.
        end: Until when.
    """

    place: Mapping[str, Any]
    region: Region
    start: float
    end: float


def promised(notice: Notice, profile: Profile) -> tuple[Promise, ...]:
    """All stretches, in order; none when this version cannot have written one of them."""
    found = []
    for place in notice.placements:
        if not str(place.get("design", "")).startswith("badge/"):
            continue  # what is heard is no business of this
        region = pictures.region(place, profile)
        start, end = _time(place.get("start")), _time(place.get("end"))
        if region is None or not 0 <= start < end <= _LONGEST:
            return ()
        found.append(Promise(place, region, start, end))
    known = notice.wording == wording.version()
    return tuple(sorted(found, key=lambda one: (one.start, one.end))) if known else ()


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def spans(known: tuple[Promise, ...], duration: float) -> dict[str, float]:
    """When the notice is there, as figures.

    Args:
        known: The stretches, in order.
        duration: Of the film, seconds.
    """
    joined: list[tuple[float, float]] = []
    for promise in known:
        start, end = min(promise.start, duration), min(promise.end, duration)
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    first, last = joined[0], joined[-1]
    gaps = [after[0] - before[1] for before, after in pairwise(joined)]
    away = duration - last[1]
    figures = {
        "first_s": first[0],
        "opening_s": first[1] - first[0],
        "longest_gap_s": max([*gaps, away, 0.0]),
        "closing_s": last[1] - last[0] if away <= _SLACK else 0.0,
        "covered": sum(end - start for start, end in joined) / duration if duration else 0.0,
        "duration_s": duration,
    }
    return {name: round(value, 3) for name, value in figures.items()}


_SLACK = 0.25  # seconds after its last stretch that a film may go on: containers end it in different ways
