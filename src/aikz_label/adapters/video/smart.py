"""Smart mode: only the stretches that are promised to carry the notice are coded again; every other frame is copied.

A stretch begins and ends where decoding can begin: what is coded again must need nothing of what is copied, and the other
way round.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.video import obus, units
from aikz_label.adapters.video.film import Film, Numbers
from aikz_label.adapters.video.recoding import Stretch

SHORTEST = 60.0  # seconds; films below are coded whole
LASTS = 5.0  # seconds of notice at least, each time
EVERY = 300.0  # seconds from one to the next
# What can be cut at keyframes, with parameter sets that do not collide or that come with every keyframe.
CODECS = frozenset({"h264", "hevc", "av1", "vp8", "vp9", "mjpeg", "prores"})
_MOST_SHARE = 0.7  # of a film; to copy the little rest would gain nothing


def stretches(taken: Film, source: BinaryIO, codec: str) -> tuple[tuple[Stretch, ...], str]:
    """What is to be coded again.

    Returns:
        The stretches; or none, and why the whole film must be.
    """
    if taken.seconds < SHORTEST:
        return (), f"films below {SHORTEST:.0f} seconds are coded whole"
    if codec not in CODECS or (codec in units.IDR and not taken.lengths):
        return (), f"{codec} in this format cannot be cut"
    if not taken.mixes:
        return (), "its frames are packed in a way that new ones are not"
    if not taken.plain:
        return (), "an edit list shows its frames in another order or only in part"
    cuts = _cuts(taken, source, codec)
    found = tuple(_merged(_covering(taken, cuts)))
    coded = sum(one.stop - one.first for one in found)
    if coded > _MOST_SHARE * len(taken.slots):
        return (), "its keyframes are too far apart"
    return found, ""


def spans(taken: Film, found: tuple[Stretch, ...]) -> tuple[tuple[float, float], ...]:
    """From when to when the notice is there, seconds."""
    shown = np.sort(taken.slots.shown)
    unit, end = float(taken.time_base), taken.seconds
    starts = (shown - shown[0]) * unit
    return tuple(
        (
            float(starts[one.first]),
            float(starts[one.stop]) if one.stop < len(starts) else end,
        )
        for one in found
    )


def _wanted(seconds: float) -> Iterator[tuple[float, float]]:
    """When there must be a notice: at the start, at regular intervals, at the end."""
    at = 0.0
    while at < seconds:
        yield at, min(at + LASTS, seconds)
        at += EVERY
    yield max(0.0, seconds - LASTS), seconds


def _cuts(taken: Film, source: BinaryIO, codec: str) -> NDArray[np.bool_]:
    """Slots before which a film can be cut: all that is decoded from there on is shown later than all before."""
    rank = taken.slots.rank
    highest = np.concatenate([[-1], np.maximum.accumulate(rank)[:-1]])
    clean = taken.slots.key & (highest == np.arange(len(rank)) - 1)
    for slot in np.flatnonzero(clean).tolist():
        if codec in units.IDR:
            clean[slot] = _is_idr(taken, source, slot, codec)
        elif codec == "av1":
            clean[slot] = obus.has_sequence(frame(taken, source, slot))
    clean[0] = True
    return np.asarray(clean, np.bool_)


def _is_idr(taken: Film, source: BinaryIO, slot: int, codec: str) -> bool:
    """A real beginning: after a mere recovery point frames may still need what was before."""
    data = frame(taken, source, slot)
    return any(
        units.kind(codec, unit) in units.IDR[codec] for unit in units.by_length(data, taken.lengths)
    )


def key_units(taken: Film, source: BinaryIO) -> Iterator[bytes]:
    """The units of all keyframes, among which there may be parameter sets."""
    for slot in np.flatnonzero(taken.slots.key).tolist():
        yield from units.by_length(frame(taken, source, slot), taken.lengths)


def frame(taken: Film, source: BinaryIO, slot: int) -> bytes:
    """A frame as it is stored."""
    source.seek(int(taken.slots.start[slot]))
    return source.read(int(taken.slots.size[slot]))


def _covering(taken: Film, cuts: NDArray[np.bool_]) -> Iterator[Stretch]:
    """The shortest stretches between cuts that hold what is wanted."""
    places: Numbers = np.flatnonzero(cuts)
    shown = np.sort(taken.slots.shown)
    seconds = (shown - shown[0]) * float(taken.time_base)
    when = seconds[places]
    for start, end in _wanted(taken.seconds):
        before = int(np.searchsorted(when, start + 1e-6, side="right")) - 1
        after = int(np.searchsorted(when, end - 1e-6, side="left"))
        stop = int(places[after]) if after < len(places) else len(shown)
        yield Stretch(int(places[max(0, before)]), stop)


def _merged(found: Iterator[Stretch]) -> Iterator[Stretch]:
    """In order, those that touch as one."""
    last: Stretch | None = None
    for one in sorted(found, key=lambda stretch: stretch.first):
        if last is not None and one.first <= last.stop:
            last = Stretch(last.first, max(last.stop, one.stop))
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last
