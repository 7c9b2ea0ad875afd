"""Measuring the notice of a video in some of its frames."""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters.image import records as pictures
from aikz_label.adapters.video import films
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.notice.measure import measure as measure_picture
from aikz_label.notice.measure import worst
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState


def measure(
    source: BinaryIO,
    row: Format,  # noqa: ARG001
    notice: Notice,
    origin: Origin,
    profile: Profile,
    limits: Limits,  # noqa: ARG001
) -> Measurement:
    """See `Adapter.measure`: one frame a second."""
    place = notice.placements[0] if notice.placements else {}
    region = pictures.region(place, profile)
    if region is None:
        return Measurement(NoticeState.UNKNOWN)
    found: list[Measurement] = []
    with films.open_film(source) as container:
        stream, due = films.picture(container), 0.0
        for frame in container.decode(stream):
            seconds = frame.time or 0.0
            if seconds < due:
                continue
            due = seconds + 1
            seen = films.view(stream, frame)
            badge = pictures.drawn_again(place, notice.languages, origin, region, seen.size)
            if badge is None:
                return Measurement(NoticeState.UNKNOWN)
            found.append(
                measure_picture(films.displayed(frame, seen), badge, region, profile.image)
            )
    return worst(found)


def search(
    source: BinaryIO,  # noqa: ARG001
    row: Format,  # noqa: ARG001
    profile: Profile,  # noqa: ARG001
    limits: Limits,  # noqa: ARG001
) -> Found | None:
    """See `Searching.search`."""
    return None
