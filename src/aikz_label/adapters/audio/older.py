"""Notices that a sound has already: a new one takes their place, and nothing else is ever taken out for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from aikz_label.adapters import Order
from aikz_label.adapters.audio import decoding
from aikz_label.adapters.audio.container import Insert, SoundFile
from aikz_label.adapters.audio.decoding import Decoding, Samples
from aikz_label.errors import Refused
from aikz_label.notice import sound as notices
from aikz_label.values import dataclass

_NEAR = 0.01  # seconds between the moment and the sample of a record
_AGAIN = (
    0.7  # seconds of a programme at most that come again behind a repeat, where a codec needs them
)
_SILENT = 0.02  # of full scale: silence as lossy codecs make it
_MOST = 1 << 40  # samples


@dataclass(frozen=True, slots=True)
class _Place:
    """A notice on record: its samples, and the second at which its words are over."""

    first: int
    stop: int
    over: float


def older(source: SoundFile, order: Order, *, anywhere: bool = False) -> tuple[Insert, ...]:
    """Where a new notice takes the place of one that the file has; none when the file has none any more.

    A record can be of an earlier version of the file, or of a stranger, so only what is heard is believed.

    Args:
        source: The file.
        order: Tells where notices are on record.
        anywhere: They need not be packets of their own.

    Raises:
        Refused: Notices are heard, and cannot be taken out without anything else.
    """
    if not order.previous:
        return ()
    numbers = order.profile.sound
    with decoding.opened(source.source, source.demuxer) as heard:
        places = [_place(record, heard.rate) for record in order.previous]
        rests = _Rests(heard, [place for place in places if place is not None])
        blocks = rests.listened()
        stand = notices.standing(blocks, heard.rate, heard.layout, order.previous, numbers)
    if not any(stand):
        if _heard(source, order):
            raise stays()
        return ()
    known = sorted((place.first, place.stop) for place in places if place is not None)
    apart = all(before[1] <= behind[0] for before, behind in pairwise(known))
    exact = all(stand) and len(known) == len(places) and rests.silent and apart
    if not exact or not (anywhere or source.holds(known)):
        raise stays()
    return tuple(Insert(first, 0, None, stop - first) for first, stop in known)


def _place(record: Mapping[str, Any], rate: int) -> _Place | None:
    first, length = record.get("first"), record.get("samples")
    start, end = record.get("start"), record.get("end")
    if not isinstance(first, int) or not isinstance(length, int):
        return None
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    if not 0 <= first < _MOST or not 0 < length < _MOST:
        return None
    near = abs(first / rate - start) <= _NEAR and (first + length) / rate >= end - _NEAR
    return _Place(first, first + length, float(end)) if near else None


class _Rests:
    """What follows the words of notices within their samples: silence, and a moment that comes again.

    Args:
        heard: The sound.
        places: The notices.
    """

    def __init__(self, heard: Decoding, places: Sequence[_Place]) -> None:
        self._heard = heard
        rate = heard.rate
        self._stretches = tuple(
            (round((place.over + _NEAR) * rate), place.stop - round(_AGAIN * rate))
            for place in places
        )
        self.silent = True

    def listened(self) -> Iterator[Samples]:
        """The whole sound, looked through on its way."""
        wanted = tuple((first, stop) for first, stop in self._stretches if first < stop)
        for block, parts in decoding.cut(self._heard.blocks(), wanted):
            for _, part in parts:
                self.silent = self.silent and float(np.abs(part.samples).max()) <= _SILENT
            yield block.samples


def _heard(source: SoundFile, order: Order) -> bool:
    """Whether a notice is heard anywhere else, as far as anybody listens."""
    with decoding.opened(source.source, source.demuxer) as heard:
        blocks = (block.samples for block in heard.blocks())
        found = notices.search(blocks, heard.rate, heard.layout, order.profile.sound)
    return found is not None


def stays() -> Refused:
    """The refusal to speak a second notice."""
    return Refused(
        "A notice is heard in this file, but not exactly where its marker says, so it cannot be taken out.",
        code="notice-stays",
        hint="Mark the file as it was before it had a notice: a second one beside it would confuse.",
    )
