"""Apple's lossless coding in packets, which need nothing of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, OnlyOver
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples

# What FFmpeg's encoder writes into the description of ALAC, as Apple's own does.
_USUAL = (40, 10, 14)
_LAYOUTS = {1: "mono", 2: "stereo"}
_COOKIE = 24  # bytes of its configuration
_SHORT = (
    1 << 12
)  # of the first 32 bits of a packet: it tells how many samples it has, behind 23 bits


@dataclass(frozen=True, slots=True)
class Alac(Packets):
    """ALAC.

    Attributes:
        title: Name of the container, for people.
        step: Samples of a packet.
        depth: Bits of a sample.
        channels: How many.
        told: Samples per second.
        usual: Its codes are those of every encoder.
    """

    title: str
    step: int
    depth: int
    channels: int
    told: int
    usual: bool
    ends: ClassVar[bool] = True

    @classmethod
    def read(cls, title: str, cookie: bytes) -> Self:
        """Read the configuration.

        Raises:
            MediaProblem: It is too short.
        """
        if len(cookie) < _COOKIE:
            raise MediaProblem("damaged", detail_word="no-sound")
        step, rate = int.from_bytes(cookie[:4]), int.from_bytes(cookie[20:24])
        return cls(title, step, cookie[5], cookie[9], rate, tuple(cookie[6:9]) == _USUAL)

    @property
    def rate(self) -> int:
        """See `Packets.rate`."""
        return self.told

    def check(self) -> None:
        """Refuse what the encoder at hand makes differently."""
        if (
            not self.usual
            or self.step != 4096
            or self.depth not in {16, 24}
            or self.channels not in _LAYOUTS
        ):
            raise OnlyOver(self.title, f"ALAC of {self.depth} bits and {self.channels} channels")

    def length(self, head: bytes, size: int) -> int:  # noqa: ARG002
        """See `Packets.length`: the last packet may be shorter, and tells so."""
        if int.from_bytes(head[:4]) & _SHORT:
            return int.from_bytes(head[:8].ljust(8, b"\0")) >> 9 & 0xFFFFFFFF
        return self.step if head else 0

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:  # noqa: ARG002  # nothing is early here
        """A notice in whole packets."""
        count = -(-samples.shape[1] // self.step)
        padded = np.pad(samples, ((0, 0), (0, count * self.step - samples.shape[1])))
        form = "s16p" if self.depth == 16 else "s32p"
        coder = Coder(self.title, "alac", self.rate, _LAYOUTS[self.channels], form)
        return Coded(tuple(coder.packets(padded)), count * self.step)
