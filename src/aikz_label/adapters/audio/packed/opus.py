"""Opus in packets: a notice coded alike, and what makes decoders begin anew behind it.

A decoder goes on from what it decoded before, and no packet tells all of that. But it forgets: behind a packet of the other
of its two ways to code it begins anew, and fed with some packets that came before a place it comes to the same state there,
or so near that no sample differs by more than half a step of 16 bits. How many it takes is tried out, with both decoders
there are (see `settling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from aikz_label.adapters.audio.container import Coded, needs_recoding, refuse_variant
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.packed.packets import Packets, Reading
from aikz_label.later import Later
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.packed import settling
else:
    np = Later("numpy")
    settling = Later("aikz_label.adapters.audio.packed.settling")

RATE = 48000
_PACKET, _DELAY = 960, 312
LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}
_USUAL = {"frame_duration": "20"}
_SPEECH = 12  # configurations below code speech alone; behind those of its narrowest band all others begin anew
_RESETTING = 2
_SETTLING = 6  # packets of silence behind which a decoder is as at its start, or nearly
_HEAD = 19  # bytes


@dataclass(frozen=True, slots=True)
class Opus(Packets):
    """Opus.

    Attributes:
        title: Name of the container, for people.
        head: What comes before its packets, as in Ogg (RFC 7845, 5.1).
    """

    title: str
    head: bytes
    exact: ClassVar[bool] = False
    least: ClassVar[int] = 50
    step: ClassVar[int] = _PACKET

    @property
    def rate(self) -> int:
        """Always this one."""
        return RATE

    @property
    def skipped(self) -> int:
        """How many samples are taken off at the start."""
        return int.from_bytes(self.head[10:12], "little")

    @property
    def gain(self) -> float:
        """By how much players make it louder."""
        return float(10 ** (int.from_bytes(self.head[16:18], "little", signed=True) / 256 / 20))

    def check(self) -> None:
        """Refuse a head that is not whole."""
        if len(self.head) < _HEAD or self.head[9] not in LAYOUTS:
            raise refuse_variant(self.title, "its Opus has an unusual number of channels")

    def length(self, head: bytes, size: int) -> int:  # noqa: ARG002
        """See `Packets.length`."""
        return samples_of(head)

    def samples(self, packet: bytes) -> int:
        """What its first bytes tell."""
        return samples_of(packet)

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:
        """Packets of 20 ms, of the same streams within the stream, with silence at both ends."""
        before = max(early - _DELAY, 0)
        count = -(-(before + samples.shape[1] + _DELAY) // _PACKET) + _SETTLING
        after = (count + 2) * _PACKET - before - samples.shape[1]
        padded = np.pad(samples / np.float32(self.gain), ((0, 0), (before, after)))
        channels = self.head[9]
        least, most = 48_000 * (channels + 1) // 2, 128_000 * (channels + 1) // 2
        coder = self.coder(min(max(bits, least), most))
        made = coder.extradata()
        if self.head[18] and made[18:] != self.head[18:]:
            raise refuse_variant(self.title, "its Opus is put together in an unusual way")
        packets = list(coder.packets(padded.astype(np.float32)))[: count - _RESETTING]
        packets += self.resetting(first)
        return Coded(tuple(packets), count * _PACKET)

    def nearest(self, read: Reading, numbers: Sequence[int]) -> int | None:
        """See `Packets.nearest`."""
        return settling.nearest(self, read, numbers)

    def joined(self, coded: Coded, read: Reading, number: int, behind: int) -> Coded:
        """See `Packets.joined`: some of those before come again behind a decoder's new beginning."""
        if not number:
            return coded
        again = settling.again(self, read, number, behind)
        if again is None:
            raise needs_recoding(self.title, "its decoder does not go on behind a notice as before")
        packets = (*coded.data[:-_RESETTING], *self.resetting(again[0]), *again)
        return Coded(packets, coded.length + sum(map(samples_of, again)))

    def resetting(self, following: bytes) -> tuple[bytes, ...]:
        """Silence in the other of the two ways in which Opus codes: a decoder begins anew when the way changes."""
        return _resetting(self.title, self.head, speech=following[:1] < bytes((_SPEECH << 3,)))

    def coder(self, bits: int) -> Coder:
        """What codes such streams."""
        options = _USUAL | {"application": "audio", "vbr": "on"}
        if self.head[18]:
            options["mapping_family"] = str(self.head[18])
        return Coder(self.title, "libopus", RATE, LAYOUTS[self.head[9]], "flt", bits, options)


@lru_cache(maxsize=16)  # any head can come, and each is asked for often
def _resetting(title: str, head: bytes, *, speech: bool) -> tuple[bytes, ...]:
    other = {"application": "lowdelay"} if speech else {"application": "voip", "cutoff": "4000"}
    bits = 64_000 if speech else 8_000
    silent = Coder(title, "libopus", RATE, LAYOUTS[head[9]], "flt", bits, _USUAL | other)
    if not head[18]:
        return _silence(silent, silent.layout, head[9])
    streams, coupled = head[19:21]
    two, one = _silence(silent, "stereo", 2), _silence(silent, "mono", 1)
    each = [two if number < coupled else one for number in range(streams)]
    return tuple(
        b"".join(_delimited(title, packet) for packet in moment[:-1]) + moment[-1]
        for moment in zip(*each, strict=True)
    )


def _silence(coder: Coder, layout: str, channels: int) -> tuple[bytes, ...]:
    silence = np.zeros((channels, 12 * _PACKET), np.float32)
    packets = list(replace(coder, layout=layout).packets(silence))
    return tuple(packets[6 : 6 + _RESETTING])


def _delimited(title: str, packet: bytes) -> bytes:
    """A packet of one frame that tells its own length (RFC 6716, appendix B)."""
    if packet[0] & 3 or len(packet) > 252:
        raise refuse_variant(title, "its Opus is put together in an unusual way")
    return packet[:1] + bytes((len(packet) - 1,)) + packet[1:]


def samples_of(packet: bytes) -> int:
    """Samples of a packet of Opus, at 48 kHz (RFC 6716, 3.1)."""
    if not packet:
        return 0
    config = packet[0] >> 3
    if config < 12:
        step = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        step = (480, 960)[config & 1]
    else:
        step = 120 << (config & 3)
    code = packet[0] & 3
    count = {0: 1, 1: 2, 2: 2}.get(code, packet[1] & 63 if len(packet) > 1 else 0)
    return count * step
