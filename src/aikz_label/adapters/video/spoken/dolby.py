"""AC-3 and Enhanced AC-3 in a film (ETSI TS 102 366)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aikz_label.adapters.video.spoken.codings import Form, Overlapping
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.notice.sound import Samples
from aikz_label.values import dataclass

_SYNC = b"\x0b\x77"
_SHORTEST = 7  # bytes of a head
_BLOCKS = 1536  # samples of a frame of six blocks

_RATES = (48_000, 44_100, 32_000)


class Ac3(Overlapping):
    """Frames of 1536 samples, all of one length."""

    step = _BLOCKS
    delay = 256
    like: ClassVar[str] = "noise"

    def packets(self, pieces: Sequence[bytes]) -> list[bytes]:
        """See `Coding.packets`."""
        stream, found, at = b"".join(pieces), [], 0
        while at + _SHORTEST <= len(stream):
            size = self._size(stream[at : at + _SHORTEST])
            if not size:
                raise Unspoken("codec", f"{self.form.codec} in parts")
            if at + size > len(stream):
                break
            found.append(stream[at : at + size])
            at += size
        return found

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        if any(self._size(packet[:_SHORTEST]) != len(packet) for packet in packets):
            raise Unspoken("codec", f"{self.form.codec} of several streams")
        level = max({self._level(packet) for packet in packets[:count]})
        options = {"dialnorm": str(-(level or 31))}
        coder = self.coder(self.form.codec, "fltp", self.bits(packets), options)
        return self.aligned(coder, sound, count)

    def _size(self, head: bytes) -> int:
        """Bytes of a frame; 0 where none starts."""
        if len(head) < _SHORTEST:
            return 0
        rate, code = head[4] >> 6, head[4] & 63
        if head[:2] != _SYNC or rate == 3 or code > 37 or head[5] >> 3 > 10:
            return 0
        kbits = _KBITS[code >> 1]
        words = kbits * 1000 * _BLOCKS // (16 * _RATES[rate])
        return 2 * (words + (code & 1 if rate == 1 else 0))

    def _level(self, packet: bytes) -> int:
        """The loudness of speech that a frame tells, below full scale; receivers turn it up or down by that."""
        take = _Bits(packet[5:])
        take(8)
        mode = take(3)
        take(2 if mode & 1 and mode != 1 else 0)
        take(2 if mode & 4 else 0)
        take(2 if mode == 2 else 0)
        take(1)
        return take(5)


_KBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


class Eac3(Ac3):
    """Frames of six blocks, of one stream."""

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        if "Atmos" in form.profile:
            raise Unspoken("codec", "Dolby Atmos")
        super().__init__(form, fixed=fixed)

    def _size(self, head: bytes) -> int:
        """See `Ac3._size`."""
        if len(head) < _SHORTEST:
            return 0
        independent, first, rate = head[2] >> 6 == 0, not head[2] >> 3 & 7, head[4] >> 6
        six = head[4] >> 4 & 3 == 3
        if head[:2] != _SYNC or not independent or not first or rate == 3 or not six:
            return 0
        return 2 * ((int.from_bytes(head[2:4]) & 0x7FF) + 1)

    def _level(self, packet: bytes) -> int:
        """See `Ac3._level`."""
        take = _Bits(packet[4:])
        take(2 + 2 + 3 + 1 + 5)
        return take(5)


@dataclass(slots=True)
class _Bits:
    """Numbers of some bits each, one after another."""

    data: bytes
    at: int = 0

    def __call__(self, count: int) -> int:
        found = int.from_bytes(self.data[:8].ljust(8, b"\0"))
        self.at += count
        return found >> (64 - self.at) & (1 << count) - 1
