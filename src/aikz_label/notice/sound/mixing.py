"""The notice over a programme instead of before it: for films, whose sound cannot become longer than their picture."""

from __future__ import annotations

import numpy as np

from aikz_label.notice.sound.composing import Composed
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.loudness import Loudness
from aikz_label.profile.sound import SoundProfile

_RAMP = 0.05  # seconds
_RESERVE = (
    3.0  # dB more than the profile asks for: a programme is louder in moments than over a stretch
)


class Mixer:
    """Lays a notice over a programme that streams through, and turns the programme down under it.

    Args:
        made: The notice, composed for the programme's rate and layout.
        starts: Where it begins, seconds, ascending and without overlap.
        heard: Loudness of the programme.
        profile: How far the programme must be below the notice.
    """

    def __init__(
        self,
        made: Composed,
        starts: tuple[float, ...],
        heard: Loudness,
        profile: SoundProfile,
    ) -> None:
        self._made = made
        self._length = made.samples.shape[1]
        self._ramp = round(_RAMP * made.rate)
        self._places = tuple(
            (round(start * made.rate), self._gain(start, heard, profile)) for start in starts
        )

    def _gain(self, start: float, heard: Loudness, profile: SoundProfile) -> float:
        """What the loudest moment under the notice has to be multiplied with; 1 where it is soft enough."""
        under = heard.momentary[heard.inside(((start - 0.4, start + self._made.seconds + 0.4),))]
        loudest = float(under.max(initial=-120.0))
        wanted = self._made.lufs - profile.min_background_db - _RESERVE
        return float(min(1.0, 10 ** ((wanted - loudest) / 20)))

    def apply(self, block: Samples, position: int) -> Samples:
        """The mixed samples.

        Args:
            block: `(channels, n)`.
            position: Index of its first sample in the programme.
        """
        mixed = block
        for start, gain in self._places:
            begin, end = start - self._ramp, start + self._length + self._ramp
            if end <= position or begin >= position + block.shape[1]:
                continue
            if mixed is block:
                mixed = block.copy()
            mixed *= self._ducking(np.arange(position, position + block.shape[1]), start, gain)
            first = max(position, start)
            last = min(position + block.shape[1], start + self._length)
            if first < last:
                part = self._made.samples[:, first - start : last - start]
                mixed[:, first - position : last - position] += part
        return mixed

    def _ducking(self, at: np.ndarray, start: int, gain: float) -> Samples:
        """The programme's gain at every sample: down before the notice begins, up after it ended."""
        before = (start - at) / self._ramp
        after = (at - start - self._length) / self._ramp
        open_ = np.clip(np.maximum(before, after), 0.0, 1.0)
        return np.asarray(gain + (1.0 - gain) * open_, np.float32)
