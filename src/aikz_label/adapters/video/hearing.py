"""The spoken notice of a film, where its marker records one besides the badge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import Samples
from aikz_label.profile import Profile
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.values import replace

UNKNOWN = Measurement(NoticeState.UNKNOWN)
_SEARCHED = 60.0  # seconds of a film without a record, whose picture is searched too
LISTENED = 120.0  # seconds; a notice is said at the start, and as loud as what is heard there
_LEAST = 45.0  # of each, where there are many
MOST_SOUNDS = 16  # of one film, that get a notice and are listened to


def numbers(profile: Profile) -> SoundProfile:
    """What a notice in a film must reach: it is said once, since the badge says it all the time."""
    return replace(profile.sound, repeat_s=math.inf, at_end_from_s=0.0)


def measure(
    source: BinaryIO, notice: Notice, origin: Origin, profile: Profile, *, alone: bool = False
) -> Measurement | None:
    """Listen to the sounds of a film that promise a notice.

    Args:
        source: The film.
        notice: What is on record.
        origin: What it must say.
        profile: Numbers it must reach.
        alone: Nothing is seen, so all of the sound is listened to, and a long one must say it again.

    Returns:
        What was heard, of the worst of them; `None` when nothing is promised.

    Raises:
        MediaProblem: The sound cannot be decoded.
    """
    sounds = _promised(notice)
    if not sounds:
        return None
    many = sum(map(len, sounds.values())) > MOST_SOUNDS  # of which each costs a third of a second
    if many or not 0 <= min(sounds) <= max(sounds) < MOST_SOUNDS:
        return UNKNOWN
    heard = []
    wanted = profile.sound if alone else numbers(profile)
    lasting = math.inf if alone else max(LISTENED / len(sounds), _LEAST)
    for index, places in sorted(sounds.items()):
        promise = replace(notice, placements=tuple(places))
        heard.append(_measured(source, index, promise, origin, wanted, lasting))
    return min(heard, key=lambda one: (not one.problems, one.state is not NoticeState.UNKNOWN))


def _promised(notice: Notice) -> dict[int, list[Mapping[str, Any]]]:
    """The placements of each sound; -1 for those that nobody here can listen for."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for place in notice.placements:
        design, index = str(place.get("design", "")), place.get("sound", 0)
        if design.startswith("spoken/"):
            known = design == sound.DESIGN and isinstance(index, int)
            found.setdefault(index if known else -1, []).append(place)
    return found


def _measured(
    source: BinaryIO,
    index: int,
    notice: Notice,
    origin: Origin,
    wanted: SoundProfile,
    seconds: float,
) -> Measurement:
    import av  # noqa: PLC0415  # costs more start-up than the rest of a verification

    try:
        with sound.decode(source, index) as heard:
            blocks = _first(heard.blocks(), seconds * heard.rate)
            found = sound.measure(blocks, heard.rate, heard.layout, notice, origin, wanted)
    except IndexError:
        return UNKNOWN  # a promise of sound in a film without
    except (av.FFmpegError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="decoder") from error
    if not math.isinf(wanted.repeat_s):
        return found
    figures = tuple((name, value) for name, value in found.figures if name != "gap_s")
    return replace(found, figures=figures)


def _first(blocks: Iterator[Samples], most: float) -> Iterator[Samples]:
    """Blocks up to so many samples."""
    taken = 0

    def before(block: Samples) -> bool:
        nonlocal taken
        taken += int(block.shape[1])
        return taken - int(block.shape[1]) < most

    return takewhile(before, blocks)


def search(source: BinaryIO, profile: Profile, *, alone: bool = False) -> Found | None:
    """Listen to the first sound of a film for a notice that nobody recorded; `alone` is as of `measure`.

    Raises:
        MediaProblem: The sound cannot be decoded.
    """
    import av  # noqa: PLC0415

    try:
        with sound.decode(source) as heard:
            blocks = _first(heard.blocks(), (math.inf if alone else _SEARCHED) * heard.rate)
            wanted = profile.sound if alone else numbers(profile)
            return sound.search(blocks, heard.rate, heard.layout, wanted)
    except IndexError:
        return None
    except (av.FFmpegError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="decoder") from error


# What can be wrong with a notice that is heard, and with none that is only seen.
_HEARD = frozenset(
    f"notice.{what}"
    for what in (
        "unheard",
        "sped-up",
        "broken-off",
        "missing-language",
        "masked",
        "too-quiet",
        "too-loud",
        "too-late",
    )
)


def is_hindered(found: Measurement) -> bool:
    """Whether a notice that is seen and heard fails for what is heard."""
    return any(problem.code in _HEARD for problem in found.problems)


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
