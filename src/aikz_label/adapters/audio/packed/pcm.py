"""Samples that are stored one by one, so many of them in a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aikz_label.adapters.audio.container import Coded
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.adapters.audio.waves import pcm
from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
else:
    np = Later("numpy")

_LONGEST = 0.1  # seconds of a packet of a notice


@dataclass(frozen=True, slots=True)
class Pcm(Packets):
    """Samples.

    Attributes:
        told: How many there are in a second.
        channels: In how many channels.
        coding: How each is stored.
    """

    told: int
    channels: int
    coding: pcm.Coding

    @property
    def rate(self) -> int:
        """See `Packets.rate`."""
        return self.told

    @property
    def moment(self) -> int:
        """Bytes of a sample of each channel."""
        return self.coding.width * self.channels

    def length(self, head: bytes, size: int) -> int:  # noqa: ARG002
        """See `Packets.length`."""
        return size // self.moment

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:  # noqa: ARG002
        """See `Packets.encode`: packets as long as the first one, and silence that fills up the last."""
        step = min(max(len(first) // self.moment, 1), round(_LONGEST * self.told))
        count = -(-samples.shape[1] // step)
        padded = np.pad(samples, ((0, 0), (0, count * step - samples.shape[1])))
        data = self.coding.encode(padded)
        size = step * self.moment
        packets = tuple(data[at : at + size] for at in range(0, len(data), size))
        return Coded(packets, count * step)
