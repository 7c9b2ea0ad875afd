"""Where a long programme has its notice again."""

from __future__ import annotations

import numpy as np

from aikz_label.notice.sound.loudness import HOP, Loudness
from aikz_label.profile.sound import SoundProfile

MAX_REPEATS = 900  # a marker holds a thousand placements; that many are six days at the default
_PAUSE = 0.4  # seconds; what one momentary value covers
# Seconds of programme that must follow a repeat, or nobody joins any more: less than a profile tolerates, by what fills up
# the last packets of a codec and the silence at a notice's end, which count when the finished file is heard.
_LEAST_LEFT = 59.0
_NO_LOUDER = -20.0  # LU against the programme: softer is a pause


def plan(heard: Loudness, profile: SoundProfile) -> tuple[float, ...]:
    """Seconds of the programme before which the notice comes again; the one at its start is not among them.

    Each moves to the deepest pause nearby, where there is one, so that no word is cut in two.

    Args:
        heard: Loudness of the programme.
        profile: How often, and whether at the end.
    """
    reference = heard.integrated()
    times: list[float] = []
    last = 0.0
    while len(times) < MAX_REPEATS and heard.seconds - last - profile.repeat_s > _LEAST_LEFT:
        last = _at_pause(heard, last + profile.repeat_s, reference, profile.repeat_tolerance_s / 2)
        times.append(round(last, 3))
    if 0 < profile.at_end_from_s < heard.seconds:
        times.append(round(heard.seconds, 3))
    return tuple(times)


def _at_pause(heard: Loudness, wanted: float, reference: float, reach: float) -> float:
    """The middle of the quietest moment within reach, the wanted time itself where there is no pause.

    Never later than wanted by more than the reach, so that the stretch without a notice stays bounded.
    """
    first = max(0, round((wanted - reach) / HOP))
    near = heard.momentary[first : round((wanted + reach) / HOP)]
    if not len(near) or not near.min() < reference + _NO_LOUDER:
        return wanted
    # of equally quiet moments the one nearest to the time wanted
    quiet = np.flatnonzero(near <= max(near.min() + 1.0, -70.0)) + first + 1
    ends = quiet * HOP
    middle = ends - _PAUSE / 2
    return float(middle[np.abs(middle - wanted).argmin()])
