"""Listening to a sound once, from its start on: how loud it is, and the stretches that may hold a notice."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

import av
import numpy as np

from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples, finite, mono
from aikz_label.notice.sound.loudness import HOP, SILENT, Loudness, Meter
from aikz_label.profile.sound import LISTENED
from aikz_label.values import dataclass

Stretch = tuple[float, float]
# Seconds around a stretch that are listened to as well: filters that begin in the middle of a sound settle in them.
_MARGIN = 1
_HOPS = round(1 / HOP)


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What is left of a sound after it was listened to.

    Attributes:
        loudness: Of all of it, or of the stretches that were listened to, and silence elsewhere.
        pieces: Stretches that were kept: where each begins, seconds, and its samples, one channel at `HEARING_RATE`.
        programme: How loud everything beside notices is, where that was known before.
    """

    loudness: Loudness
    pieces: tuple[tuple[float, Samples], ...]
    programme: float | None = None

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
        programme: How loud the rest is, if that is known: then only the stretches are listened to.
        passed: Asked about each stretch once it is over whether its sound can be forgotten.
    """

    def __init__(
        self,
        rate: int,
        layout: str,
        keep: Iterable[Stretch],
        *,
        programme: float | None = None,
        passed: Callable[[Heard], bool] | None = None,
    ) -> None:
        self._rate, self._layout = rate, layout
        self._programme, self._passed = programme, passed
        self._meter = Meter(rate, layout) if programme is None else None
        self._coming = deque(_merged(keep))
        self._open: list[_Window] = []
        self._over: list[_Window] = []
        self._waiting: list[Samples] = []
        self._held = self._taken = 0

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

    def skips(self, length: int) -> bool:
        """Whether nobody listens to the next samples; then they count as taken."""
        start = self._taken + self._held
        if self._meter or self._open or self._begins(start + length):
            return False
        self._take()
        self._taken += length
        return True

    def finish(self) -> Heard:
        """What was heard. Nothing can be pushed afterwards."""
        self._take()
        while self._open:
            self._close(self._open[0])
        seconds = self._taken / self._rate
        loudness = self._meter.finish() if self._meter else self._joined(seconds)
        pieces = tuple(window.piece for window in self._over if window.parts)
        return Heard(loudness, pieces, self._programme)

    def _begins(self, stop: int) -> bool:
        """Whether another stretch begins before a sample."""
        return bool(self._coming) and _begin(self._coming[0]) * self._rate < stop

    def _take(self) -> None:
        if not self._held:
            return
        start, self._taken, self._held = self._taken, self._taken + self._held, 0
        waiting, self._waiting = self._waiting, []
        while self._begins(self._taken):
            alone = self._meter is None
            self._open.append(_Window(self._coming.popleft(), self._rate, self._layout, alone))
        if not self._meter and not self._open:
            return
        block = finite(np.concatenate(waiting, axis=1))
        if self._meter:
            self._meter.push(block)
        for window in tuple(self._open):
            window.push(block, start)
            if window.stop * self._rate <= self._taken:
                self._close(window)

    def _close(self, window: _Window) -> None:
        window.finish()
        self._open.remove(window)
        self._over.append(window)
        if self._passed and window.parts:
            so_far = Loudness(np.zeros(0), self._taken / self._rate)
            if self._passed(Heard(so_far, (window.piece,))):
                window.parts.clear()

    def _joined(self, seconds: float) -> Loudness:
        """The loudness of the stretches in their places."""
        momentary = np.full(int(seconds * _HOPS) + 1, SILENT)
        for window in self._over:
            heard = window.momentary
            first = window.begin * _HOPS
            room = momentary[first : first + len(heard)]
            room[:] = np.maximum(room, heard[: len(room)])
        return Loudness(momentary, seconds)


class _Window:
    """One of the stretches, with what settles around it.

    Args:
        keep: The stretch, seconds.
        rate: Sampling rate, Hz.
        layout: Channel layout.
        metered: Its loudness is measured on its own.
    """

    def __init__(self, keep: Stretch, rate: int, layout: str, metered: bool) -> None:
        self._keep, self._rate, self._layout = keep, rate, layout
        self.begin = _begin(keep)  # whole seconds are whole samples of both rates
        self.stop = math.ceil(keep[1]) + _MARGIN
        self.parts: list[Samples] = []
        self.momentary = np.zeros(0)
        self._meter = Meter(rate, layout) if metered else None
        self._resampler = av.AudioResampler("fltp", "mono", HEARING_RATE)
        self._position = self.begin * HEARING_RATE
        self._pushed = 0

    @property
    def piece(self) -> tuple[float, Samples]:
        """Where what was kept begins, and its samples."""
        return self._keep[0], np.concatenate(self.parts)

    def push(self, block: Samples, start: int) -> None:
        """Take what is in the window of samples that start somewhere."""
        first = max(0, self.begin * self._rate - start)
        part = block[:, first : max(first, self.stop * self._rate - start)]
        if not part.shape[1]:
            return
        if self._meter:
            self._meter.push(part)
        single = np.ascontiguousarray(mono(part, self._layout), np.float32)[None, :]
        frame = av.AudioFrame.from_ndarray(single, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._pushed
        self._pushed += part.shape[1]
        for resampled in self._resampler.resample(frame):
            self._store(resampled.to_ndarray()[0])

    def finish(self) -> None:
        """Take what the filters still hold; nothing can be pushed afterwards."""
        for resampled in self._resampler.resample(None):
            self._store(resampled.to_ndarray()[0])
        if self._meter:
            self.momentary = self._meter.finish().momentary
        del self._resampler, self._meter  # which hold seconds of sound

    def _store(self, samples: Samples) -> None:
        begin = self._position
        self._position += len(samples)
        first = max(0, round(self._keep[0] * HEARING_RATE) - begin)
        last = min(len(samples), round(self._keep[1] * HEARING_RATE) - begin)
        if first < last:
            self.parts.append(samples[first:last].copy())


def listen(blocks: Iterable[Samples], rate: int, layout: str, keep: Iterable[Stretch]) -> Heard:
    """Listen to the first `LISTENED` seconds of a sound."""
    listener = Listener(rate, layout, keep)
    for block in blocks:
        left = round(LISTENED * rate) - round(listener.seconds * rate)
        listener.push(block[:, :left])
        if left <= block.shape[1]:
            break
    return listener.finish()


def _begin(keep: Stretch) -> int:
    """The second at which listening to a stretch begins."""
    return max(0, math.floor(keep[0]) - _MARGIN)


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, stop in sorted((max(0.0, start), stop) for start, stop in stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
