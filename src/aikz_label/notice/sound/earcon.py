"""The signal before the spoken words: "AI" in Morse code, ·— ··, in two tones, and how it is found again.

China's GB 45438-2025 asks for the rhythm short-long short-short; with the gap of a letter after the second sign it is Morse
for "AI" as well (without it, for "L"). It is an addition to the words, never a notice by itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.transform import fast_length
from aikz_label.values import dataclass

TONES = (880.0, 1320.0)  # Hz: a fifth, both well inside a telephone's 300 to 3400 Hz
_SHARES = (0.6, 0.4)
_RAMP = 0.008  # seconds; shorter ones click
# On and off in turn, in dits: A is a dit and a dah, then the gap of a letter, I is two dits.
RHYTHM = (1, 1, 3, 3, 1, 1, 1)
HEARING_RATE = 8000  # Hz; what a telephone carries is enough for everything that is checked
_DECIMATION = 8
_ENVELOPE_RATE = HEARING_RATE // _DECIMATION
_SMOOTHING = 0.02  # seconds
_EDGE = 0.05  # seconds of silence that belong to the pattern on both sides
_EVEN = 1.5  # the higher tone is the softer one
_PAD = 0.3  # seconds: an earcon at the very start needs the silence before it
_TINY = 1e-14


def seconds(dit: float) -> float:
    """Length of the earcon for a length of a dit."""
    return sum(RHYTHM) * dit


def draw(rate: int, dit: float) -> Samples:
    """The earcon at a rate in Hz, with dits of so many seconds; its highest peak is below 1."""
    parts = []
    for i, units in enumerate(RHYTHM):
        length = round(units * dit * rate)
        parts.append(_tone(length, rate) if i % 2 == 0 else np.zeros(length, np.float32))
    return np.concatenate(parts)


def _tone(length: int, rate: int) -> Samples:
    time = np.arange(length) / rate
    tone = sum(a * np.sin(2 * np.pi * f * time) for a, f in zip(_SHARES, TONES, strict=True))
    ramp = np.minimum(1.0, np.minimum(time, time[::-1]) / _RAMP)
    return np.asarray(tone * (0.5 - 0.5 * np.cos(np.pi * ramp)), np.float32)


@dataclass(frozen=True, slots=True)
class Heard:
    """A place that sounds like the earcon.

    Attributes:
        score: Correlation with the rhythm, -1 to 1.
        at: Where it begins, seconds.
    """

    score: float
    at: float


class Ear:
    """A stretch of sound, prepared once to be searched for the earcon in several tempos.

    Blind to level and to what lies above 3.4 kHz. A tempo of 5 % more or less is already something else.

    Args:
        samples: One channel at `HEARING_RATE`.
        pitch: How much higher the earcon would sound.
    """

    def __init__(self, samples: Samples, pitch: float = 1.0) -> None:
        padded = np.pad(samples, round(_PAD * HEARING_RATE))
        low, high = (_strength(padded, tone * pitch) for tone in TONES)
        self._envelope = np.minimum(low, _EVEN * high)  # both tones sound together

    def best(self, dit: float, most: int = 1) -> list[Heard]:
        """The places most like the earcon, the likeliest first, at least its length apart."""
        scores = _scores(self._envelope, _pattern(dit))
        apart = round(seconds(dit) * _ENVELOPE_RATE)
        found: list[Heard] = []
        while len(found) < most and len(scores):
            at = int(scores.argmax())
            if scores[at] <= 0:
                break
            start = at / _ENVELOPE_RATE + _SMOOTHING / 2 + _EDGE - _PAD
            found.append(Heard(float(scores[at]), start))
            scores[max(0, at - apart) : at + apart + 1] = -1.0
        return found


def _pattern(dit: float) -> NDArray[np.float64]:
    edge = np.zeros(round(_EDGE * _ENVELOPE_RATE))
    parts = [edge]
    for i, units in enumerate(RHYTHM):
        parts.append(np.full(round(units * dit * _ENVELOPE_RATE), 1.0 - i % 2))
    return np.concatenate([*parts, edge])


def _strength(samples: Samples, frequency: float) -> NDArray[np.float64]:
    turns = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / HEARING_RATE)
    total = np.cumsum(np.concatenate(([0], samples * turns)))
    width = round(_SMOOTHING * HEARING_RATE)
    return np.asarray(np.abs(total[width::_DECIMATION] - total[:-width:_DECIMATION]) / width)


def _scores(envelope: NDArray[np.float64], pattern: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normalised correlation of the envelope with the pattern from every place on."""
    length, places = len(pattern), len(envelope) - len(pattern) + 1
    if places < 1:
        return np.zeros(0)
    shape = pattern - pattern.mean()
    size = fast_length(len(envelope) + length)
    product = np.fft.rfft(envelope, size) * np.conj(np.fft.rfft(shape, size))
    likeness = np.fft.irfft(product, size)[:places]
    sums, squares = (
        np.cumsum(np.concatenate(([0.0], values)))[length:]
        - np.cumsum(np.concatenate(([0.0], values)))[:places]
        for values in (envelope, envelope * envelope)
    )
    spread = np.maximum(squares - sums * sums / length, _TINY * length)
    return np.asarray(likeness / np.sqrt(spread * float((shape * shape).sum())))
