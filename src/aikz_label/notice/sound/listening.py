"""Listening to a sound once, from its start on: loudness of all of it, and the stretches that may hold a notice."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np

from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples, finite, mono
from aikz_label.notice.sound.loudness import Loudness, Meter
from aikz_label.profile.sound import LISTENED
from aikz_label.values import dataclass

Stretch = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is left of a sound after it was listened to.

    Attributes:
        loudness: Of all of it.
        pieces: Stretches that were kept: where each begins, seconds, and its samples, one channel at `HEARING_RATE`.
    """

    loudness: Loudness
    pieces: tuple[tuple[float, Samples], ...]

    @property
    def seconds(self) -> float:
        """How much was listened to."""
        return self.loudness.seconds

    def piece(self, start: float, stop: float) -> tuple[float, Samples]:
        """As much of a stretch as was kept, and where that begins."""
        for at, samples in self.pieces:
            first = max(0, round((start - at) * HEARING_RATE))
            last = min(len(samples), round((stop - at) * HEARING_RATE))
            if first < last and at + first / HEARING_RATE <= max(start, 0.0) + 0.01:
                return at + first / HEARING_RATE, samples[first:last]
        return max(0.0, start), np.zeros(0, np.float32)


class Listener:
    """Takes a sound block by block; memory does not grow with its length, only with what is kept.

    Args:
        rate: Sampling rate, Hz.
        layout: Channel layout, as FFmpeg writes it.
        keep: Stretches to keep, seconds.
    """

    def __init__(self, rate: int, layout: str, keep: Iterable[Stretch]) -> None:
        self._rate, self._layout = rate, layout
        self._meter = Meter(rate, layout)
        self._resampler = av.AudioResampler("fltp", "mono", HEARING_RATE)
        self._keep = _merged(keep)
        self._kept: list[list[Samples]] = [[] for _ in self._keep]
        self._waiting: list[Samples] = []
        self._held = self._taken = self._position = 0

    @property
    def seconds(self) -> float:
        """How much was taken so far."""
        return (self._taken + self._held) / self._rate

    def push(self, block: Samples) -> None:
        """Take the next samples, `(channels, n)`."""
        self._waiting.append(block)
        self._held += block.shape[1]
        if self._held >= self._rate:  # many small blocks cost more than they hold
            self._take()

    def finish(self) -> Heard:
        """What was heard. Nothing can be pushed afterwards."""
        self._take()
        for part in self._resampler.resample(None):
            self._store(part.to_ndarray()[0])
        pieces = tuple(
            (start, np.concatenate(parts))
            for (start, _), parts in zip(self._keep, self._kept, strict=True)
            if parts
        )
        return Heard(self._meter.finish(), pieces)

    def _take(self) -> None:
        if not self._held:
            return
        block = finite(np.concatenate(self._waiting, axis=1))
        self._waiting = []
        self._meter.push(block)
        single = np.ascontiguousarray(mono(block, self._layout), np.float32)[None, :]
        frame = av.AudioFrame.from_ndarray(single, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._taken
        self._taken += self._held
        self._held = 0
        for part in self._resampler.resample(frame):
            self._store(part.to_ndarray()[0])

    def _store(self, samples: Samples) -> None:
        begin = self._position
        self._position += len(samples)
        for (start, stop), parts in zip(self._keep, self._kept, strict=True):
            first = max(0, round(start * HEARING_RATE) - begin)
            last = min(len(samples), round(stop * HEARING_RATE) - begin)
            if first < last:
                parts.append(samples[first:last].copy())


def listen(blocks: Iterable[Samples], rate: int, layout: str, keep: Iterable[Stretch]) -> Heard:
    """Listen to the first `LISTENED` seconds of a sound."""
    listener = Listener(rate, layout, keep)
    for block in blocks:
        left = round(LISTENED * rate) - round(listener.seconds * rate)
        listener.push(block[:, :left])
        if left <= block.shape[1]:
            break
    return listener.finish()


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, stop in sorted((max(0.0, start), stop) for start, stop in stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
