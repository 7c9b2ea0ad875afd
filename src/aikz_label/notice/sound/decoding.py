"""Samples of any sound that FFmpeg decodes, from its start on, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np

from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.pyav import samples_of, settle_layout
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A sound that is being decoded.

    Attributes:
        rate: Sampling rate, Hz.
        layout: Name of the channel layout, as FFmpeg writes it.
    """

    rate: int
    layout: str
    _container: Any
    _stream: Any

    def blocks(self) -> Iterator[Samples]:
        """The samples in order, `(channels, n)` each; iterate once.

        Raises:
            av.error.FFmpegError: The rest cannot be decoded.
        """
        # a stream may change its form on the way; what is handed over does not
        resampler = av.AudioResampler("flt", self.layout, self.rate)
        for frame in self._container.decode(self._stream):
            for part in resampler.resample(frame):
                yield np.asarray(samples_of(part), np.float32)
        for part in resampler.resample(None):
            yield np.asarray(samples_of(part), np.float32)


@contextmanager
def decode(source: BinaryIO, index: int = 0) -> Iterator[Decoded]:
    """Open one of the sounds of a file.

    Args:
        source: The file, seekable; it is rewound and not closed.
        index: Which of its sounds, from 0.

    Raises:
        av.error.FFmpegError: It cannot be opened.
        IndexError: There is no such sound.
        ValueError: There is no decoder for it.
    """
    source.seek(0)
    with av.open(_Lent(source), metadata_errors="replace") as container:
        stream = container.streams.audio[index]
        if stream.codec_context is None:
            raise ValueError("There is no decoder for this sound.")
        yield Decoded(stream.rate, settle_layout(stream.codec_context), container, stream)


class _Lent:
    """A stream that libav may read and not close."""

    def __init__(self, source: BinaryIO) -> None:
        self.read, self.seek, self.tell = source.read, source.seek, source.tell
