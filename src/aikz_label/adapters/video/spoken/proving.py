"""Proof that a notice in the sound of a film changed nothing but the packets it is in."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from aikz_label.adapters.image.refusals import damaged
from aikz_label.adapters.video import films
from aikz_label.adapters.video.film import Numbers
from aikz_label.adapters.video.spoken import tracks
from aikz_label.adapters.video.spoken.speaking import Spoken
from aikz_label.formats import Format
from aikz_label.limits import NO_LIMITS
from aikz_label.notice import sound as notices
from aikz_label.notice.sound import Samples

_LOOKED = 3.0  # seconds behind the new packets that are decoded and compared
_LIKE = 0.1  # of the programme
_SOFT = 2.0**-13  # what nobody hears


def check(source: BinaryIO, painted: BinaryIO, row: Format, spoken: Spoken) -> None:
    """Compare one sound of a film with that of its source.

    Raises:
        Refused: More of it changed than a notice.
    """
    before = tracks.find(source, row, spoken.number, NO_LIMITS)
    after = tracks.find(painted, row, spoken.number, NO_LIMITS)
    one, two, count = before.stored.slots, after.stored.slots, spoken.count
    same = (
        len(one) == len(two)
        and np.array_equal(one.size[count:], two.size[count:])
        and np.array_equal(one.shown, two.shown)
        and np.array_equal(one.key, two.key)
        and _same(one.decoded, two.decoded)
        and before.digest(count) == after.digest(count)
    )
    if not same:
        raise damaged("packets of its sound that should be copied changed")
    _compare_sounds(source, painted, spoken)


def _same(one: Numbers | None, two: Numbers | None) -> bool:
    return one is two is None or (one is not None and two is not None and np.array_equal(one, two))


def _compare_sounds(source: BinaryIO, painted: BinaryIO, spoken: Spoken) -> None:
    """Behind the new packets a decoder gives what it gave before."""
    was, now = (_behind(stream, spoken) for stream in (source, painted))
    if was.shape != now.shape:
        raise damaged("its sound has another length")
    if not was.size:
        return
    off, before, after = (_level(part) for part in (now - was, was, now))
    same = off == 0.0
    if spoken.like != "exact":
        same = off <= max(_SOFT, _LIKE * before)
    if spoken.like == "noise":
        same = same or abs(after - before) <= _LIKE * before
    if not same:
        raise damaged("its sound changed behind the notice")


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _behind(stream: BinaryIO, spoken: Spoken) -> Samples:
    """What is heard behind the new packets."""
    try:
        with notices.decode(stream, spoken.index) as heard:
            parts, at, stop = [], 0, spoken.after + round(_LOOKED * heard.rate)
            for block in heard.blocks():
                parts.append(block[:, max(0, spoken.after - at) : max(0, stop - at)])
                at += block.shape[1]
                if at >= stop:
                    break
            return np.concatenate(parts, axis=1)
    except films.errors() as error:
        raise damaged("its sound no longer decodes") from error
