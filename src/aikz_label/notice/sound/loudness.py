"""Loudness by ITU-R BS.1770: momentary while it streams, integrated with its gates over any stretch afterwards.

FFmpeg's filter does the weighting, in C and with constant memory; what is kept is one number for every tenth of a second.
"""

from __future__ import annotations

import math
from array import array

import av
import av.filter
import numpy as np
from numpy.typing import NDArray

from aikz_label.notice.sound.layouts import Samples, channels, finite
from aikz_label.notice.sound.pyav import PLANES
from aikz_label.values import dataclass

HOP = 0.1  # seconds between two momentary values
_WINDOW = 4  # hops that one value covers
_ABSOLUTE_GATE = -70.0  # LUFS; BS.1770-5, annex 1
_RELATIVE_GATE = -10.0  # LU
SILENT = -math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Loudness:
    """How loud a sound is over time.

    Attributes:
        momentary: LUFS of the 400 ms that end at 0.1, 0.2, 0.3 … seconds.
        seconds: Length of what was heard.
    """

    momentary: NDArray[np.float64]
    seconds: float

    def integrated(self, *stretches: tuple[float, float]) -> float:
        """Gated loudness in LUFS of all blocks that lie whole in one of the stretches; of everything without any.

        `-inf` when nothing there is louder than the absolute gate.
        """
        return _gated(self.momentary[self.inside(stretches or ((0.0, math.inf),))])

    def inside(self, stretches: tuple[tuple[float, float], ...]) -> NDArray[np.bool_]:
        """Which blocks lie whole inside one of the stretches."""
        ends = (np.arange(len(self.momentary)) + 1) * HOP
        starts = ends - _WINDOW * HOP
        slack = HOP / 100  # of sums of decimal fractions
        chosen = np.zeros(len(ends), bool)
        for start, stop in stretches:
            chosen |= (starts >= max(0.0, start) - slack) & (ends <= stop + slack)
        return chosen


def _gated(blocks: NDArray[np.float64]) -> float:
    loud = blocks[blocks > _ABSOLUTE_GATE]
    if not len(loud):
        return SILENT
    loud = loud[loud > _mean(loud) + _RELATIVE_GATE]
    return _mean(loud)


def _mean(blocks: NDArray[np.float64]) -> float:
    """Mean of the powers."""
    return float(10 * np.log10(np.mean(10 ** (blocks / 10))))


class Meter:
    """A loudness meter that is fed block by block.

    Args:
        rate: Sampling rate, Hz.
        layout: Name of the channel layout, as FFmpeg writes it.
    """

    def __init__(self, rate: int, layout: str) -> None:
        self._rate, self._layout = rate, layout
        self._packed = channels(layout) > PLANES
        self._format = "flt" if self._packed else "fltp"
        self._pushed = 0
        self._momentary = array("d")
        graph = av.filter.Graph()
        self._source = graph.add_abuffer(format=self._format, sample_rate=rate, layout=layout)
        weighting = graph.add("ebur128", "metadata=1:framelog=quiet")
        self._sink = graph.add("abuffersink")
        self._source.link_to(weighting)
        weighting.link_to(self._sink)
        graph.configure()
        self._graph = graph

    def push(self, block: Samples) -> None:
        """Take the next samples, `(channels, n)`."""
        length = block.shape[1]
        if not length:
            return
        block = finite(block)
        packed = block.T.reshape(1, -1) if self._packed else block
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(packed, np.float32), format=self._format, layout=self._layout
        )
        frame.sample_rate, frame.pts = self._rate, self._pushed
        self._pushed += length
        self._source.push(frame)
        self._pull()

    def finish(self) -> Loudness:
        """Everything heard. Nothing can be pushed afterwards."""
        self._source.push(None)
        self._pull()
        seconds = self._pushed / self._rate
        return Loudness(np.array(self._momentary), seconds)

    def _pull(self) -> None:
        while True:
            try:
                frame = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            value = frame.metadata.get("lavfi.r128.M")
            if value is not None:  # the rest after the last tenth has none
                self._momentary.append(float(value))


def measure(block: Samples, rate: int, layout: str) -> float:
    """Integrated loudness of a short sound in LUFS."""
    meter = Meter(rate, layout)
    meter.push(block)
    return meter.finish().integrated()
