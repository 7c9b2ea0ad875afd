"""Coding a notice as the file is coded, with FFmpeg's encoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from aikz_label.adapters.audio.container import refuse_variant
from aikz_label.later import Later
from aikz_label.values import dataclass, field

if TYPE_CHECKING:
    import fractions

    import av
    import numpy as np
    from numpy.typing import NDArray

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.notice.sound import pyav
else:
    av = Later("av")
    np = Later("numpy")
    fractions = Later("fractions")
    pyav = Later("aikz_label.notice.sound.pyav")


@dataclass(frozen=True, slots=True)
class Coder:
    """What to code with.

    Attributes:
        title: Name of the format, for people.
        codec: FFmpeg's name of the encoder.
        rate: Samples per second.
        layout: FFmpeg's name of the channel layout.
        form: Kind of samples it takes.
        bits: Bits per second; 0 for a codec that loses nothing.
        options: Its own options.
    """

    title: str
    codec: str
    rate: int
    layout: str
    form: str
    bits: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    def packets(self, samples: Samples, *, length: int = 0) -> Iterator[bytes]:
        """The packets of some samples; `length` is that of a packet where the codec takes any.

        Raises:
            Refused: The encoder does not take such sound.
        """
        try:
            yield from self._packets(samples, length)
        except (av.error.FFmpegError, ValueError) as error:
            raise refuse_variant(
                self.title, f"{self.codec} codes no {self.layout} sound at {self.rate} Hz"
            ) from error

    def extradata(self) -> bytes:
        """What the encoder says to decoders beforehand."""
        context = self._context()
        return bytes(context.extradata or b"")

    def _context(self) -> av.AudioCodecContext:
        context = av.CodecContext.create(self.codec, "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate = self.rate
        context.layout = self.layout
        context.format = self.form
        context.time_base = fractions.Fraction(1, self.rate)
        if self.bits:
            context.bit_rate = self.bits
        context.options = dict(self.options)
        context.open()
        return context

    def _packets(self, samples: Samples, length: int) -> Iterator[bytes]:
        context = self._context()
        step = context.frame_size or length or 4096
        for at in range(0, samples.shape[1], step):
            part = samples[:, at : at + step]
            if part.shape[1] < step:
                part = np.pad(part, ((0, 0), (0, step - part.shape[1])))
            for packet in context.encode(frame_of(part, at, self)):
                yield bytes(packet)
        for packet in context.encode(None):
            yield bytes(packet)


def frame_of(samples: Samples, at: int, coder: Coder) -> av.AudioFrame:
    """Samples from some moment on, as an encoder takes them."""
    fit, form = _as(samples, coder.form), av.AudioFormat(coder.form)
    # PyAV cannot fill so many planes: FFmpeg does
    split = form.is_planar and len(samples) > pyav.PLANES
    packed = form.packed if split else form
    array = np.ascontiguousarray(fit.T.reshape(1, -1) if packed.is_packed else fit)
    frame = av.AudioFrame.from_ndarray(array, format=packed, layout=coder.layout)
    frame.sample_rate = coder.rate
    if split:
        (frame,) = av.AudioResampler(form).resample(frame)
    frame.pts, frame.time_base = at, fractions.Fraction(1, coder.rate)
    return frame


def _as(samples: Samples, form: str) -> NDArray[np.generic]:
    """The kind of samples that an encoder takes."""
    if form.startswith("flt"):
        return samples
    kind = np.int16 if form.startswith("s16") else np.int32
    most = 2.0 ** (8 * np.dtype(kind).itemsize - 1) - 1
    return np.rint(np.clip(samples.astype(np.float64), -1, 1) * most).astype(kind)
