"""Coding a whole programme anew, a block at a time, into a bare file of its own format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, Self

from aikz_label.adapters.audio.container import refuse_variant
from aikz_label.adapters.audio.encoding import Coder, frame_of
from aikz_label.later import Later
from aikz_label.values import dataclass, field, replace

if TYPE_CHECKING:
    import av
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
else:
    av = Later("av")
    np = Later("numpy")

_STEP = 1 << 14  # samples that libsndfile gets at once: it keeps what it codes on a stack
_RICHER = 1.4  # by how much a second try has more bits


@dataclass(frozen=True, slots=True)
class Coding:
    """How a sound is coded.

    Attributes:
        codec: FFmpeg's name of the codec, and of its profile where it has one.
        rate: Samples per second, as decoded.
        layout: FFmpeg's name of the channel layout.
        bits: Bits per second.
    """

    codec: str
    rate: int
    layout: str
    bits: int

    @property
    def title(self) -> str:
        """For people."""
        return _TITLES.get(self.codec, self.codec)


_TITLES = {
    "aac LC": "AAC-LC",
    "aac Main": "AAC Main",
    "aac LTP": "AAC-LTP",
    "aac HE-AAC": "HE-AAC",
    "aac HE-AACv2": "HE-AAC v2",
    "adpcm_ima_wav": "IMA ADPCM",
    "adpcm_ms": "Microsoft ADPCM",
    "adpcm_yamaha": "Yamaha ADPCM",
    "adpcm_ima_qt": "IMA 4:1",
    "gsm_ms": "GSM 6.10",
    "vorbis": "Vorbis",
    "opus": "Opus",
    "mp1": "MPEG layer I",
    "mp2": "MPEG layer II",
    "mp3": "MP3",
}


@dataclass(frozen=True, slots=True)
class Recoder(ABC):
    """Codes sound into a file without metadata.

    Attributes:
        step: The file can only tell a length in multiples of so many samples.
        early: By how many samples it is late when it is decoded, if the file cannot tell that.
    """

    step: int = field(default=1, kw_only=True)
    early: int = field(default=0, kw_only=True)

    @abstractmethod
    def write(self, blocks: Iterable[Samples], destination: BinaryIO) -> None:
        """Write a file.

        Raises:
            Refused: The encoder does not take such sound.
        """

    @abstractmethod
    def richer(self) -> Self:
        """The same with more bits."""


@dataclass(frozen=True, slots=True)
class Muxed(Recoder):
    """What FFmpeg codes and puts into its container.

    Attributes:
        container: FFmpeg's name of that.
        coder: What to code with.
        options: Those of the container.
        rates: Bits per second that the encoder takes, where it does not take any.
    """

    container: str
    coder: Coder
    options: Mapping[str, str] = field(default_factory=dict)
    rates: tuple[int, ...] = ()

    def write(self, blocks: Iterable[Samples], destination: BinaryIO) -> None:
        """See `Recoder.write`."""
        coder = self.coder
        try:
            with av.open(
                destination, "w", format=self.container, options=dict(self.options)
            ) as out:
                stream = out.add_stream(coder.codec, rate=coder.rate, layout=coder.layout)
                context = stream.codec_context
                assert isinstance(context, av.AudioCodecContext)
                context.format = coder.form
                context.options = dict(coder.options)
                if coder.bits:
                    context.bit_rate = coder.bits
                context.open()
                at = 0
                for part in steps(blocks, context.frame_size or 4096):
                    out.mux(context.encode(frame_of(part, at, coder)))
                    at += part.shape[1]
                out.mux(context.encode(None))
        except (av.error.FFmpegError, ValueError) as error:
            raise refuse_variant(
                coder.title, f"{coder.codec} codes no {coder.layout} sound at {coder.rate} Hz"
            ) from error

    def richer(self) -> Self:
        """See `Recoder.richer`."""
        bits = self.coder.bits
        more = next((r for r in self.rates if r > bits), bits) if self.rates else bits * _RICHER
        return replace(self, coder=replace(self.coder, bits=round(more)))


@dataclass(frozen=True, slots=True)
class Sndfile(Recoder):
    """What libsndfile codes: Vorbis with libvorbis, of which FFmpeg's own encoder is an experiment, and GSM.

    Attributes:
        rate: Samples per second.
        channels: How many.
        kind: Its names of the format and of the coding.
        quality: From 0 to 1, of a coding that has it.
    """

    rate: int
    channels: int
    kind: tuple[str, str]
    quality: float | None = None

    def write(self, blocks: Iterable[Samples], destination: BinaryIO) -> None:
        """See `Recoder.write`."""
        import soundfile  # noqa: PLC0415  # a library that few files need

        container, coding = self.kind
        order = _VORBIS_ORDER.get(self.channels)
        level = {} if self.quality is None else {"compression_level": 1.0 - self.quality}
        shape = {"format": container, "subtype": coding} | level
        try:
            with soundfile.SoundFile(destination, "w", self.rate, self.channels, **shape) as out:
                for part in steps(blocks, _STEP):
                    ordered = part if order is None else part[list(order)]
                    out.write(np.ascontiguousarray(ordered.T))
        except soundfile.LibsndfileError as error:
            raise refuse_variant(
                container, f"{coding} of {self.channels} channels at {self.rate} Hz cannot be coded"
            ) from error

    def richer(self) -> Self:
        """See `Recoder.richer`."""
        if self.quality is None:
            return self
        return replace(self, quality=min(self.quality + 0.15, 1.0))


# Which of FFmpeg's channels each of Vorbis is.
_VORBIS_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 4, 5, 3),
    7: (0, 2, 1, 5, 6, 4, 3),
    8: (0, 2, 1, 6, 7, 4, 5, 3),
}


def steps(blocks: Iterable[Samples], step: int) -> Iterator[Samples]:
    """The same samples in blocks of one length, the last of which can be shorter."""
    waiting: list[Samples] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += block.shape[1]
        if count < step:
            continue
        joined = np.concatenate(waiting, axis=1)
        whole = count - count % step
        for at in range(0, whole, step):
            yield joined[:, at : at + step]
        waiting, count = [joined[:, whole:]], count - whole
    if count:
        yield np.concatenate(waiting, axis=1)
