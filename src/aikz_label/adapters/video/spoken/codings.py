"""How the sound of a film is coded, and its first packets coded anew so that those behind them go on as before.

A packet that is copied needs what its decoder remembers of those before it. These are coded from the same sound, the
untouched programme, so it remembers nearly the same, and soon exactly the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar

import av
import numpy as np

from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.packets import packet_of
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.notice.sound import Samples
from aikz_label.notice.sound.pyav import samples_of
from aikz_label.values import dataclass

_LEAST = 64_000  # bits per second and pair of channels at which speech is clear


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a sound before its packets.

    Attributes:
        codec: Libav's name of how it is coded.
        profile: Of the codec; empty for most.
        rate: Samples per second.
        layout: Libav's name of its channels.
        channels: How many.
        setup: What decoders are told beforehand.
    """

    codec: str
    profile: str
    rate: int
    layout: str
    channels: int
    setup: bytes


class Coding(ABC):
    """One codec.

    Args:
        form: What is known of the sound.
        fixed: A new packet must be as long as the old one.

    Attributes:
        settles: Packets behind the last new one that may be decoded a little differently.
        reach: Packets further at which the old ones may go on.
        like: What a decoder gives behind these, whatever it decoded before: the same (`exact`), nearly the same (`alike`),
            or, where it makes noise up for what a packet only describes, as much of it (`noise`).
        ahead: How many of these an encoder must have seen before it gives the last new one.
    """

    settles: ClassVar[int] = 0
    reach: ClassVar[int] = 0
    ahead: ClassVar[int] = 0
    like: ClassVar[str] = "exact"

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        self.form, self.fixed = form, fixed

    @abstractmethod
    def samples_of(self, packet: bytes) -> int:
        """Samples of a packet, as a decoder gives them."""

    def packets(self, pieces: Sequence[bytes]) -> list[bytes]:  # noqa: ARG002  # where packets are stored as such
        """The packets of a stream that a container cuts anywhere.

        Raises:
            Unspoken: They cannot be told apart.
        """
        raise Unspoken("codec", f"{self.form.codec} whose packets are not kept apart")

    @abstractmethod
    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """New packets.

        Args:
            sound: What a decoder is to give, from the first packet on, and a little behind the last new one.
            packets: The old packets of that sound.
            count: How many of them to replace.

        Raises:
            Unspoken: No such packets can be made.
        """

    def joins(self, new: Sequence[bytes], behind: bytes) -> bool:  # noqa: ARG002
        """Whether an old packet sounds behind the new ones as before."""
        return True

    def joined(self, new: Sequence[bytes], packets: Sequence[bytes]) -> list[bytes]:  # noqa: ARG002
        """The new packets with what old ones behind them take from those before."""
        return list(new)

    def described(self) -> bytes:
        """What decoders are told once there are new packets."""
        return self.form.setup


class Overlapping(Coding):
    """A codec with packets of one length, each of which is laid over the end of the one before.

    Attributes:
        step: Samples of a packet.
        delay: Samples by which encoder and decoder together are late.
    """

    step: int
    delay: int
    settles: ClassVar[int] = 2
    reach: ClassVar[int] = 30
    ahead: ClassVar[int] = 4
    like: ClassVar[str] = "alike"

    def samples_of(self, packet: bytes) -> int:
        """See `Coding.samples_of`."""
        return self.step if packet else 0

    def aligned(self, coder: Coder, sound: Samples, count: int) -> list[bytes]:
        """Packets that a decoder turns into this sound from its first sample on."""
        before = -self.delay % self.step
        padded = np.pad(sound, ((0, 0), (before, 0)))
        drop = (self.delay + before) // self.step
        made = list(islice(coder.packets(padded), drop, drop + count))
        if len(made) < count:
            raise Unspoken("codec", f"{coder.codec} gives another number of packets")
        return made

    def bits(self, packets: Sequence[bytes]) -> int:
        """Bits per second of some packets."""
        total = sum(map(len, packets)) * 8
        return int(total * self.form.rate / max(1, len(packets) * self.step))

    def coder(self, codec: str, form: str, bits: int, options: dict[str, str]) -> Coder:
        """An encoder for such sound."""
        return Coder("film", codec, self.form.rate, self.form.layout, form, bits, options)


def least_bits(channels: int) -> int:
    """Bits per second at which speech is clear in so many channels."""
    return _LEAST * (channels + 1) // 2


class Decoder:
    """Packets of one sound into samples, all of them from the first one on.

    Args:
        coding: How they are coded.
        context: Libav's decoder, told what it must know.
    """

    def __init__(self, coding: Coding, context: av.AudioCodecContext) -> None:
        self._coding, self._context = coding, context

    def decode(self, packets: Sequence[bytes]) -> Samples:
        """The samples, `(channels, n)`, as many as the packets have.

        Raises:
            Unspoken: They are others than the container promises.
            FFmpegError: They cannot be decoded.
        """
        form = self._coding.form
        parts = list(self._decoded(packets))
        wanted = sum(map(self._coding.samples_of, packets))
        found = np.concatenate([np.zeros((form.channels, 0), np.float32), *parts], axis=1)
        missing = wanted - found.shape[1]
        if missing < 0 or missing > form.rate // 10:
            raise Unspoken("codec", "its packets have other lengths than they say")
        return np.pad(found, ((0, 0), (missing, 0)))  # some decoders take their delay off

    def _decoded(self, packets: Sequence[bytes]) -> Iterator[Samples]:
        form = self._coding.form
        resampler = av.AudioResampler("flt", form.layout, form.rate)
        self._context.flush_buffers()
        for packet in packets:
            for frame in self._context.decode(packet_of(packet)):
                if (frame.sample_rate, frame.layout.name) != (form.rate, form.layout):
                    raise Unspoken("codec", "it is decoded to another rate than it has")
                for part in resampler.resample(frame):
                    yield np.asarray(samples_of(part), np.float32)
