"""FLAC in packets: a frame each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from aikz_label.adapters.audio.container import Coded
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.flac import frames as flac_frames
from aikz_label.adapters.audio.flac import sound as flac_sound
from aikz_label.adapters.audio.flac.blocks import StreamInfo
from aikz_label.adapters.audio.flac.splice import coded
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples


@dataclass(frozen=True, slots=True)
class Flac(Packets):
    """FLAC.

    Attributes:
        info: What its first block of metadata says.
    """

    info: StreamInfo
    numbered: ClassVar[bool] = True

    @property
    def rate(self) -> int:
        """See `Packets.rate`."""
        return self.info.rate

    def length(self, head: bytes, size: int) -> int:  # noqa: ARG002
        """See `Packets.length`."""
        return flac_frames.samples_of(head)

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:  # noqa: ARG002
        """See `Packets.encode`: numbers, in whole blocks."""
        return flac_sound.coded(samples, self.info)

    def stored(self, data: Any, more: int, like: bytes) -> tuple[bytes, ...]:
        """See `Packets.stored`."""
        number = flac_coding.read_number(like)[0] + more
        return tuple(coded(data, self.info, number, like, variable=self.numbers_samples(like)))

    def numbers_samples(self, like: bytes) -> bool:
        """See `Packets.numbers_samples`: those of blocks that vary do."""
        return bool(like[1] & 1)

    def renumbered(self, source: BinaryIO, start: int, stop: int, more: int) -> tuple[Piece, ...]:
        """See `Packets.renumbered`."""
        return flac_frames.renumbered(source, start, stop, more)
