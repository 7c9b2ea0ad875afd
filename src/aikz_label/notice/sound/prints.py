"""Prints of sentences that are not in the package: enough to know a recording again, too little to hear it.

Speech of the signer's own is heard by nobody else beforehand, so the record carries what tells it from other speech: how
strong four bands of the telephone's range are, every 40 milliseconds, in steps of 3 dB. It says nothing of the words.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.matching import Sentence

_EDGES = (300.0, 700.0, 1300.0, 2200.0, 3400.0)  # Hz
BANDS = len(_EDGES) - 1
_STEP = 320  # samples of 40 ms
_WINDOW = 512
_FINE = 4  # places tried in one step
_DB = 3.0
_DEPTH = 15  # steps below the loudest
_FORM = re.compile(r"(?:[0-9a-f]{4}){8,320}")  # 0.3 to 12.8 s
_LIKE = 0.7  # correlation from which it is that recording; other sentences of one voice: below 0.45
_PIECE = 10  # frames
_PIECE_LIKE = 0.5
_LAST = 2  # pieces

Strengths = NDArray[np.float32]


def make(sentence: Samples) -> str:
    """The print of a sentence, one channel at `HEARING_RATE`, in band."""
    strengths = _strengths(sentence, _STEP)
    steps = np.clip((strengths - strengths.max()) / _DB + _DEPTH, 0, _DEPTH).round().astype(int)
    return "".join(f"{value:x}" for frame in steps for value in frame)


def is_print(value: object) -> bool:
    """Whether a record's value is one."""
    return isinstance(value, str) and _FORM.fullmatch(value) is not None


def seconds(printed: str) -> float:
    """Length of the sentence, to 40 ms."""
    return len(printed) / BANDS * _STEP / HEARING_RATE


def find(stretch: Samples, printed: str) -> Sentence | None:
    """Where a stretch, in band, is that recording; `None` where it is nowhere."""
    wanted = np.array([int(value, 16) for value in printed], np.float32).reshape(-1, BANDS)
    heard = _strengths(stretch, _STEP // _FINE)
    best, at = 0.0, 0
    for phase in range(_FINE):
        likeness = _likeness(heard[phase::_FINE], wanted)
        if len(likeness) and likeness.max() > best:
            best, at = float(likeness.max()), int(likeness.argmax()) * _FINE + phase
    if best < _LIKE:
        return None
    frames = heard[at::_FINE][: len(wanted)]
    pieces = [
        _likeness(frames[i : i + _PIECE], wanted[i : i + _PIECE])
        for i in range(0, len(wanted) - _PIECE // 2, _PIECE)
    ]
    there = [bool(len(piece)) and float(piece[0]) >= _PIECE_LIKE for piece in pieces]
    begin = at * _STEP / _FINE / HEARING_RATE
    return Sentence(best, sum(there) / len(there), begin, sum(there[-_LAST:]) / _LAST)


def _strengths(samples: Samples, step: int) -> Strengths:
    """Strength of each band over time, dB, nothing far below the loudest."""
    if len(samples) < _WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::step]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32))) ** 2
    hertz = np.fft.rfftfreq(_WINDOW, 1 / HEARING_RATE)
    bands = [
        power[:, (hertz >= low) & (hertz < high)].sum(axis=1) for low, high in pairwise(_EDGES)
    ]
    strengths = 10 * np.log10(np.stack(bands, axis=1) + 1e-12)
    return np.asarray(np.maximum(strengths, strengths.max() - _DEPTH * _DB), np.float32)


def _likeness(heard: Strengths, wanted: Strengths) -> Strengths:
    """Correlation from every frame on; each band against its own mean, so that no filter on the way counts."""
    length, places = len(wanted), len(heard) - len(wanted) + 1
    if places < 1:
        return np.zeros(0, np.float32)
    shape = wanted - wanted.mean(axis=0)
    product = np.zeros(places)
    energy = np.zeros(places)
    for band in range(BANDS):
        values = heard[:, band].astype(np.float64)
        product += np.correlate(values, shape[:, band], mode="valid")
        sums, squares = (
            np.cumsum(np.concatenate(([0.0], series))) for series in (values, values * values)
        )
        total = sums[length:] - sums[:places]
        energy += squares[length:] - squares[:places] - total * total / length
    norm = np.sqrt(np.maximum(energy, 1e-6) * float((shape * shape).sum()) + 1e-9)
    return np.asarray(product / norm, np.float32)
