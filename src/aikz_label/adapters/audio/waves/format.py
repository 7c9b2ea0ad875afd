"""What the `fmt ` chunk of a WAV file says of its samples."""

from __future__ import annotations

import struct

from aikz_label.adapters.audio.waves import pcm
from aikz_label.adapters.audio.waves.pcm import Coding
from aikz_label.values import dataclass

_INTEGER, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# What follows the first two bytes of an identifier that stands for an old number.
_OLD_NUMBER = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class WaveFormat:
    """Kind and size of the samples.

    Attributes:
        tag: Number of the kind, of the extension where there is one.
        channels: How many.
        rate: Samples per second.
        step: Bytes of one moment.
        bits: Bits of a sample, as declared.
        valid: Bits of it that hold something.
    """

    tag: int
    channels: int
    rate: int
    step: int
    bits: int
    valid: int

    @property
    def coding(self) -> Coding | None:
        """How a sample is stored; `None` when it is not stored as it is, or the numbers do not fit."""
        width, rest = divmod(self.step, self.channels) if self.channels else (0, 1)
        if rest or not self.rate or not width:
            return None
        if self.tag in {_A_LAW, _MU_LAW} and width == 1:
            return Coding(pcm.A_LAW if self.tag == _A_LAW else pcm.MU_LAW, 1, 8)
        if self.tag == _FLOAT and width in {4, 8} and self.bits == 8 * width:
            return Coding(pcm.FLOAT, width, self.bits)
        if self.tag != _INTEGER or width != (self.bits + 7) // 8 or width > 4:
            return None
        return Coding(pcm.UNSIGNED if width == 1 else pcm.SIGNED, width, self.valid)


def read(content: bytes) -> WaveFormat | None:
    """Read a `fmt ` chunk; `None` when it is too short."""
    if len(content) < 16:
        return None
    tag, channels, rate, _, step, bits = struct.unpack_from("<HHIIHH", content)
    valid = bits
    if tag == _EXTENSIBLE and len(content) >= 40 and content[26:40] == _OLD_NUMBER:
        said, _, tag = struct.unpack_from("<HIH", content, 18)
        valid = said if 0 < said <= bits else bits
    return WaveFormat(tag, channels, rate, step, bits, valid)
