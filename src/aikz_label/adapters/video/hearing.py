"""The spoken notice of a film, where its marker records one besides the badge."""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.profile import Profile
from aikz_label.report import Measurement, Notice, NoticeState

UNKNOWN = Measurement(NoticeState.UNKNOWN)


def measure(
    source: BinaryIO, notice: Notice, origin: Origin, profile: Profile
) -> Measurement | None:
    """Listen to the first sound of a film.

    Returns:
        What was heard; `None` when nothing is promised.

    Raises:
        MediaProblem: The sound cannot be decoded.
    """
    import av  # noqa: PLC0415  # costs more start-up than the rest of a verification

    if all(place.get("design") != sound.DESIGN for place in notice.placements):
        return None
    try:
        with sound.decode(source) as heard:
            return sound.measure(
                heard.blocks(), heard.rate, heard.layout, notice, origin, profile.sound
            )
    except IndexError:
        return UNKNOWN  # a promise of sound in a film without
    except (av.FFmpegError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="decoder") from error


def joined(seen: Measurement, heard: Measurement | None) -> Measurement:
    """Both halves of a notice as one: each must be perceivable."""
    if heard is None:
        return seen
    problems = (*seen.problems, *heard.problems)
    states = {seen.state, heard.state}
    if problems or NoticeState.NOT_PERCEIVABLE in states:
        state = NoticeState.NOT_PERCEIVABLE
    else:
        state = NoticeState.UNKNOWN if NoticeState.UNKNOWN in states else seen.state
    return Measurement(state, (*seen.figures, *heard.figures), problems)
