"""Whether a sentence is heard in a stretch of sound, where, and how much of it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aikz_label.label import Origin
from aikz_label.notice.sound import speech
from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.resampling import resample
from aikz_label.notice.transform import fast_length
from aikz_label.values import dataclass

# Hz: what a telephone carries, and how far the edges slope to both sides; steep ones ring for seconds
BAND = (300.0, 3400.0)
_SLOPE = 60.0
_SEGMENT = 0.4  # seconds, about two syllables
_DRIFT = 0.012  # seconds that a segment may have moved: clocks of recorders differ
_FINER = 4  # at 3 kHz half a sample is a fifth of a wave
_PRESENT = 0.4  # likeness of a segment that is there
_LAST = 2  # segments that hold the last word
_HALF = 0.5
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence where it is most likely said.

    Attributes:
        score: Likeness of those of its segments that are there, 0 to 1.
        whole: Share of it that is there, by energy.
        at: Where it begins, seconds from the start of the stretch.
        ending: Share of its last words that is there.
    """

    score: float
    whole: float
    at: float
    ending: float = 1.0

    @property
    def said(self) -> float:
        """Share of it that is there; without its last words, which say what AI did, never more than half."""
        return self.whole if self.ending >= _HALF else min(self.whole, _HALF)


@lru_cache(maxsize=32)
def template(language: str, origin: Origin, *, brief: bool) -> Samples:
    """A bundled sentence as a telephone would carry it."""
    clip = speech.bundled(speech.name(language, origin, brief=brief))
    return in_band(resample(clip, speech.RATE, HEARING_RATE))


def in_band(samples: Samples) -> Samples:
    """One channel at `HEARING_RATE` without what lies outside of the band."""
    padded = np.pad(samples, HEARING_RATE // 10)
    size = fast_length(len(padded))
    spectrum = np.fft.rfft(padded, size)
    hertz = np.fft.rfftfreq(size, 1 / HEARING_RATE)
    inside = (
        np.minimum(hertz - BAND[0], BAND[1] - hertz) / _SLOPE
    )  # 1 and more is whole, -1 is none
    weight = 0.5 + 0.5 * np.sin(np.pi / 2 * np.clip(inside, -1, 1))
    kept = np.fft.irfft(spectrum * weight.astype(np.float32), size)[HEARING_RATE // 10 :]
    return np.asarray(kept[: len(samples)], np.float32)


def find(stretch: Samples, sentence: Samples) -> Sentence | None:
    """Where a stretch is most like a sentence, both in band; `None` when it is much too short."""
    room = len(sentence) // 2  # it may be cut at either end
    padded = np.pad(stretch, room)
    if len(padded) < len(sentence):
        return None
    at = int(_likeness(padded, sentence).argmax())
    score, whole, ending = _by_segments(padded, sentence, at)
    return Sentence(score, whole, (at - room) / HEARING_RATE, ending)


def _by_segments(stretch: Samples, sentence: Samples, at: int) -> tuple[float, float, float]:
    length, drift = round(_SEGMENT * HEARING_RATE), round(_DRIFT * HEARING_RATE)
    weights, scores = [], []
    for first in range(0, len(sentence) - length // 2, length):
        part = sentence[first : first + length]
        begin = max(0, at + first - drift)
        near = stretch[begin : at + first + len(part) + drift]
        weights.append(float((part * part).sum()))
        scores.append(min(1.0, float(_likeness(near, part, _FINER).max(initial=0.0))))
    weight, score = np.array(weights), np.array(scores)
    there = score >= _PRESENT
    if not there.any():
        return 0.0, 0.0, 0.0
    share = weight * there
    return (
        float((weight * score)[there].sum() / weight[there].sum()),
        float(share.sum() / weight.sum()),
        float(share[-_LAST:].sum() / weight[-_LAST:].sum()),
    )


def _likeness(stretch: Samples, pattern: Samples, finer: int = 1) -> Samples:
    """Normalised correlation from every place on at which the pattern fits, so many for each sample."""
    length, places = len(pattern), len(stretch) - len(pattern) + 1
    if places < 1:
        return np.zeros(0, np.float32)
    size = fast_length(len(stretch) + length)
    product = np.fft.rfft(stretch, size) * np.conj(np.fft.rfft(pattern, size))
    likeness = np.fft.irfft(product, size * finer)[: places * finer] * finer
    total = np.cumsum(np.concatenate(([0.0], np.square(stretch, dtype=np.float64))))
    energy = np.maximum(total[length:] - total[:places], _TINY * length)
    norm = np.sqrt(energy * float((pattern * pattern).sum()))
    return np.asarray(likeness / np.repeat(norm, finer), np.float32)
