"""Two programmes side by side: whether they are the same, or how like one is to the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters.audio import decoding
from aikz_label.adapters.audio.decoding import Stretches
from aikz_label.errors import Refused

if TYPE_CHECKING:
    from aikz_label.adapters.audio.container import SoundFile
    from aikz_label.adapters.audio.decoding import Samples

NEAR = 2.0**-16  # half a step of 16 bits: the difference where a decoder remembers what came before
_BEGINNING = 4800  # samples of Opus behind the first notice
_BEGUN = 2.0**-12  # and by how much FFmpeg may be off in them, -72 dB
_SILENT = 2.0**-28  # mean square of what nobody hears, -84 dB
_MOST = 99.0  # decibels that are told at most
_MOMENT = 1 << 15  # samples
_LOUD = 0.1  # of the mean power: a moment of more is heard as part of the programme
_WRECKED = 2.0  # decibels: what has less is something else, for silence has 0


def alike(source: SoundFile, kept: Stretches, painted: SoundFile, outside: Stretches) -> bool:
    """Whether two programmes of Opus are the same to half a step of 16 bits.

    Both its own decoder and FFmpeg's must say so. FFmpeg's does not begin quite anew where its own does, so for a moment
    behind the first notice it may be off by what nobody can hear.
    """
    for decoder in ("libopus", ""):
        at = 0
        for left, right in _pairs(source, kept, painted, outside, decoder):
            unlike = np.abs(left - right).max(axis=0)
            if not decoder and at < _BEGINNING:
                unlike[: _BEGINNING - at] *= NEAR / _BEGUN
            if float(unlike.max()) > NEAR:
                return False
            at += left.shape[1]
    return True


def likeness(source: SoundFile, kept: Stretches, painted: SoundFile, outside: Stretches) -> float:
    """How many decibels a programme is louder than what coding it anew put into it.

    A shift by one sample makes noise of all high tones, so this tells of that too. A stretch as loud as the rest that
    became something else, or nothing, is not made good by the rest: then it is what that stretch has.

    Raises:
        Refused: One is longer, or has another rate or other channels.
    """
    moments: list[tuple[float, float, int]] = []
    signal, noise, count = 0.0, 0.0, 0
    for left, right in _pairs(source, kept, painted, outside):
        signal += float(np.square(left, dtype=np.float64).sum())
        noise += float(np.square(left - right, dtype=np.float64).sum())
        count += left.size
        if count >= _MOMENT * len(left):
            moments.append((signal, noise, count))
            signal, noise, count = 0.0, 0.0, 0
    moments.append((signal, noise, count))
    whole = [sum(parts) for parts in zip(*moments, strict=True)]
    loud = whole[0] / max(1, whole[2]) * _LOUD
    worst = min((_decibels(*one) for one in moments if one[0] > loud * one[2]), default=_MOST)
    return _decibels(*whole) if worst > _WRECKED else worst


def _decibels(signal: float, noise: float, count: float) -> float:
    """How much louder the first is, of so many samples."""
    if noise <= _SILENT * count:
        return _MOST
    ratio = signal / noise
    return min(10 * math.log10(ratio), _MOST) if ratio > 0 else -_MOST


def _pairs(
    source: SoundFile,
    kept: Stretches,
    painted: SoundFile,
    outside: Stretches,
    decoder: str = "",
) -> Iterator[tuple[Samples, Samples]]:
    """The same samples of both, a block at a time."""
    with (
        decoding.opened(source.source, source.demuxer, decoder) as before,
        decoding.opened(painted.source, painted.demuxer, decoder) as after,
    ):
        if (before.rate, before.channels) != (after.rate, after.channels):
            raise changed()
        first, second = _samples(before, kept), _samples(after, outside)
        left, right = next(first, None), next(second, None)
        while left is not None and right is not None:
            count = min(left.shape[1], right.shape[1])
            yield left[:, :count], right[:, :count]
            left = left[:, count:] if count < left.shape[1] else next(first, None)
            right = right[:, count:] if count < right.shape[1] else next(second, None)
        if left is not right:
            raise changed()


def _samples(heard: decoding.Decoding, stretches: Stretches) -> Iterator[Samples]:
    for _, parts in decoding.cut(heard.blocks(), stretches):
        for _, part in parts:
            yield part.samples


def changed() -> Refused:
    """The refusal to deliver a file whose programme became different."""
    return Refused(
        "Putting the notice in would change the programme of this file.",
        code="content-changed",
        hint="Nothing was written. Convert it to WAV or FLAC and mark that.",
    )
