"""Decoding a whole sound file once, a block at a time, as exactly as FFmpeg gives it.

Encoder delay, padding, pre-skip and edit lists are taken off by FFmpeg, as players do: what comes is what people hear.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from aikz_label.adapters import MediaProblem
from aikz_label.notice.sound.pyav import samples_of, settle_layout
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Samples: TypeAlias = "NDArray[np.float32]"
Native: TypeAlias = "NDArray[np.generic]"
# Moments of a block, which is what a frame of lossless codecs has at most; calls for every frame of others cost more than
# the work.
_GATHERED = 1 << 15

_MOST_FAILED = 1000  # by how many packets those that cannot be decoded may be more than the others

_BUFFER = 1 << 18  # bytes that are read at a time
# Full scale of each kind of sample; dividing by powers of two loses nothing.
_SCALES = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


@dataclass(frozen=True, slots=True)
class Block:
    """Decoded sound.

    Attributes:
        native: The samples as the decoder gives them, one row for each moment, in whatever order they lie in memory.
    """

    native: Native

    def __len__(self) -> int:
        return len(self.native)

    @property
    def samples(self) -> Samples:
        """One row for each channel, full scale 1."""
        turned = self.native.T
        if self.native.dtype.kind == "f":
            return np.ascontiguousarray(turned, dtype=np.float32)
        kind = self.native.dtype.str[1:]
        part = np.float32(1 / _SCALES[kind])
        found: Samples = np.multiply(turned, part, dtype=np.float32, order="C", casting="same_kind")
        return found - np.float32(1) if kind == "u1" else found


class Decoding:
    """A sound file being decoded.

    Attributes:
        rate: Samples per second.
        layout: FFmpeg's name of its channel layout.
        channels: How many there are.
        planar: The decoder gives each channel by itself.
        coded: How many bytes of packets were decoded so far.
        length: To how many moments.
    """

    def __init__(self, container: InputContainer, decoder: str = "") -> None:
        self._container = container
        self._stream = container.streams.audio[0]
        if self._stream.codec_context is None:  # there is no decoder
            raise MediaProblem("damaged", detail_word="decoder")
        settle_layout(self._stream.codec_context)
        self._context = _context(self._stream, decoder)
        self.coded = self.length = 0
        self._coming = self._frames()
        first = next(self._coming, None)  # a file does not tell of everything that its codec adds
        if first is None:
            raise MediaProblem("damaged", detail_word="no-sound")
        self._first: AudioFrame | None = first
        self.rate: int = first.sample_rate
        self.layout: str = first.layout.name
        self.channels: int = first.layout.nb_channels
        self.planar: bool = first.format.is_planar

    @property
    def codec(self) -> str:
        """FFmpeg's name of the coding, and of its profile where it has one."""
        context = self._stream.codec_context
        return " ".join(filter(None, (context.codec.canonical_name, context.profile)))

    def blocks(self) -> Iterator[Block]:
        """All of it, from its start.

        Raises:
            MediaProblem: It cannot be decoded, or changes its nature on the way.
        """
        assert self._first is not None
        gathered = av.AudioFifo()
        for frame in chain([self._first], self._coming):
            self._gather(frame, gathered)
            self.length += frame.samples
            if gathered.samples >= _GATHERED:
                yield self._block(gathered)
        if gathered.samples:
            yield self._block(gathered)

    def _frames(self) -> Iterator[AudioFrame]:
        """Every frame that can be decoded: players go on behind one that cannot, and so does this, within bounds."""
        decoded = failed = 0
        try:
            for packet in self._container.demux(self._stream):
                self.coded += packet.size
                try:
                    frames = self._context.decode(packet) if self._context else packet.decode()
                except av.error.InvalidDataError:
                    failed += 1
                    if failed > decoded + _MOST_FAILED:
                        raise
                    continue
                for frame in frames:
                    decoded += 1
                    yield frame
        except (FFmpegError, ValueError) as error:
            raise MediaProblem("damaged", detail_word="decoder") from error
        if failed and not decoded:
            raise MediaProblem("damaged", detail_word="decoder")

    def _gather(self, frame: AudioFrame, gathered: av.AudioFifo) -> None:
        frame.pts = None  # where something cannot be decoded, time goes on and the sound does not
        same = (frame.sample_rate, frame.layout.name) == (self.rate, self.layout)
        try:
            if same:
                gathered.write(frame)
        except ValueError:  # other samples than before
            same = False
        if not same:
            raise MediaProblem("damaged", detail_word="sampling")

    def _block(self, gathered: av.AudioFifo) -> Block:
        frame = gathered.read()
        assert frame is not None
        return Block(samples_of(frame).T)


def _context(stream: AudioStream, decoder: str) -> av.AudioCodecContext | None:
    """Another decoder of a stream."""
    if not decoder:
        return None
    context = av.CodecContext.create(decoder, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.extradata = stream.codec_context.extradata
    context.options = {"request_sample_fmt": "flt"}
    return context


@contextmanager
def opened(source: BinaryIO, demuxer: str, decoder: str = "") -> Iterator[Decoding]:
    """Open a sound file for decoding.

    Args:
        source: The file, seekable.
        demuxer: FFmpeg's name of its format.
        decoder: FFmpeg's name of another decoder than the one it takes by itself.

    Raises:
        MediaProblem: There is no sound in it that can be decoded.
    """
    source.seek(0, io.SEEK_SET)
    try:
        container = av.open(
            source, "r", format=demuxer, metadata_errors="ignore", buffer_size=_BUFFER
        )
    except (FFmpegError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="decoder") from error
    with container:
        if not container.streams.audio:
            raise MediaProblem("damaged", detail_word="no-sound")
        yield Decoding(container, decoder)


Stretches: TypeAlias = "tuple[tuple[int, int], ...]"


def cut(
    blocks: Iterable[Block], stretches: Stretches
) -> Iterator[tuple[Block, list[tuple[int, Block]]]]:
    """Each block, and its parts in some stretches, with the number of each; a stop of -1 is the end."""
    at = 0
    for block in blocks:
        end = at + len(block)
        parts = []
        for number, (start, stop) in enumerate(stretches):
            first, last = max(start, at), min(stop if stop >= 0 else end, end)
            if first < last:
                parts.append((number, Block(block.native[first - at : last - at])))
        yield block, parts
        at = end
