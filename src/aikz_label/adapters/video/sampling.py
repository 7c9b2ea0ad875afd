"""Which frames of a film are looked at.

All seconds, where decoding them is within the budget. Otherwise the opening, which counts most, keyframes spread over
the film, since one of them costs no more than itself, and frames far from a keyframe at places spread likewise, so that a
notice which is in keyframes only is found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, TypeAlias

from aikz_label.adapters.video.promises import Promise
from aikz_label.adapters.video.watching import AT_ONCE, SEEK, Watched

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

LOOK = 3_000_000  # pixels that looking at one frame costs, as against decoding them
_OPENING = 5.0  # seconds at the start that are looked at first
# Of the budget: for the opening, for keyframes, and in all. Not the whole of it, since keyframes are dear.
_OPENING_SHARE, _KEYS_SHARE, _ALL = 0.15, 0.3, 0.5
_APART = 1.7  # seconds between two looks that leave no second out
_UNSEEN, _UNSEEN_SHARE = 10.0, 0.1  # the longest stretch that may be left out: seconds, or of all
_FEWEST = 5  # seconds in which something must have been looked at
_GOLDEN = 0.618  # where in the longest part that was left out the next look is
_MOST_LOOKS = 600

Chosen: TypeAlias = "tuple[Promise, VideoFrame, float]"


def affordable(watched: Watched, known: tuple[Promise, ...]) -> bool:
    """Whether all frames of these times can be decoded within the budget."""
    return _Line(known).lasts * (watched.rate * watched.pixels + LOOK) <= watched.left


def every(watched: Watched, known: tuple[Promise, ...]) -> Iterator[Chosen]:
    """A frame in each second of all."""
    for promise in known:
        for frame, seconds in watched.every(promise.start, promise.end):
            yield promise, frame, seconds


def spread(watched: Watched, known: tuple[Promise, ...]) -> Iterator[Chosen]:
    """A sample, within the budget."""
    line, whole, seen = _Line(known), watched.left, [0.0]
    for chosen in chain(
        _opening(watched, known[0], int(whole * _OPENING_SHARE)),
        _keys(watched, line, int(whole * _KEYS_SHARE)),
    ):
        seen.append(line.place(*chosen[::2]))
        yield chosen
    watched.left -= int(whole * (1 - _ALL))
    seen.append(line.lasts)
    for _ in range(_MOST_LOOKS):
        watched.left -= LOOK
        if watched.left < (SEEK + 2) * watched.pixels:
            return
        gap, start = max((later - one, one) for one, later in pairwise(sorted(seen)))
        promise, seconds = line.at(start + gap * _GOLDEN)
        seen.append(start + gap * _GOLDEN)
        found = watched.at(seconds, watched.left // watched.pixels - SEEK)
        if found is not None and found[1] >= promise.start - AT_ONCE:
            yield promise, *found


def _opening(watched: Watched, first: Promise, most: int) -> Iterator[Chosen]:
    """As many of the first seconds as the budget for them allows, and the first frame in any case."""
    lasts = min(_OPENING, most / (watched.rate * watched.pixels + LOOK))
    end = min(first.end, first.start + max(lasts, 1.5 / watched.rate))
    for frame, seconds in watched.every(first.start, end):
        watched.left -= LOOK
        yield first, frame, seconds


def _keys(watched: Watched, line: _Line, most: int) -> Iterator[Chosen]:
    """Keyframes, one for each of as many equal parts as the budget for them allows."""
    cost = (SEEK + 1) * watched.pixels + LOOK
    count = max(1, min(most // cost, _MOST_LOOKS, int(line.lasts)))
    seen = set[float]()
    for number in range(count):
        promise, seconds = line.at((number + 0.5) / count * line.lasts)
        found = watched.at(seconds, 1)
        watched.left -= LOOK
        if found is None or found[1] in seen or found[1] < promise.start - AT_ONCE:
            continue
        seen.add(found[1])
        yield promise, *found


class _Line:
    """All promised times as one, after another."""

    def __init__(self, known: tuple[Promise, ...]) -> None:
        self._known = known
        self._ends = list(accumulate(promise.end - promise.start for promise in known))
        self.lasts = self._ends[-1]

    def at(self, past: float) -> tuple[Promise, float]:
        """When so many seconds of them are over."""
        number = next((n for n, end in enumerate(self._ends) if past <= end), -1)
        promise = self._known[number]
        return promise, promise.end - max(0.0, self._ends[number] - past)

    def place(self, promise: Promise, seconds: float) -> float:
        """How many seconds of them are over then."""
        return self._ends[self._known.index(promise)] - (promise.end - seconds)


def all_seen(seconds: Sequence[float], known: tuple[Promise, ...]) -> bool:
    """Whether something was seen in each stretch."""
    return all(any(_inside(one, promise) for one in seconds) for promise in known)


def enough(seconds: Sequence[float], known: tuple[Promise, ...]) -> bool:
    """Whether at least some seconds were seen, and no long part of all, taken as one, was left out."""
    if looked(seconds, known) < min(_FEWEST, lasts(known)):
        return False
    line = _Line(known)
    times = [line.place(p, one) for p in known for one in seconds if _inside(one, p)]
    most = max(_APART, min(_UNSEEN, line.lasts / 2), _UNSEEN_SHARE * line.lasts)
    ordered = sorted([0.0, *times, line.lasts])
    return all(later - one <= most for one, later in pairwise(ordered))


def _inside(seconds: float, promise: Promise) -> bool:
    return promise.start - AT_ONCE <= seconds <= promise.end


def looked(seconds: Sequence[float], known: tuple[Promise, ...]) -> float:
    """In how many seconds of what was promised something was looked at."""
    found = 0.0
    for promise in known:
        lasts = promise.end - promise.start
        inside = (one - promise.start for one in seconds if _inside(one, promise))
        parts = {int(max(0.0, one)) for one in inside}
        found += sum(min(1.0, max(0.0, lasts - part)) for part in parts)
    return found


def lasts(known: tuple[Promise, ...]) -> float:
    """How many seconds are promised."""
    return _Line(known).lasts
