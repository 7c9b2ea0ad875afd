"""At which packets of Opus, and behind how many that come again, a decoder goes on as if nothing had been put in.

Nothing in the format tells: a decoder predicts energies, pitch and filters from frame to frame, and each encoder begins
anew when it likes. So it is tried out: a decoder that has only the last packets before a place is set beside one that
has heard three seconds before it, and both decode the second behind the place. Of FFmpeg and libopus each must agree with
itself, to half a step of 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

import av
import numpy as np
from av.error import FFmpegError

from aikz_label.adapters.audio.comparing import NEAR
from aikz_label.adapters.packets import packet_of
from aikz_label.notice.sound.pyav import samples_of
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.packed.opus import Opus
    from aikz_label.adapters.audio.packed.packets import Reading

_DECODERS = ("opus", "libopus")
_PREROLLS = (3_840, 7_680, 15_360, 28_800)  # samples that come again: 80 to 600 ms
_KNOWN = 144_000  # samples behind which a decoder has forgotten where it began
_BEHIND = 48_000  # samples that are compared
_MOST_PLACES = 24  # that are tried near one moment, and as many farther off
_FARTHER = 8  # of which one in so many is tried


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets that follow each other in the finished file but for notices, and what they are decoded to.

    Attributes:
        stream: The coding.
        packets: The packets.
        heard: Of each decoder, its samples; those of the last packet are the last ones.
    """

    stream: Opus
    packets: tuple[bytes, ...]
    heard: tuple[Samples, ...]

    @property
    def step(self) -> int:
        """Samples of a packet, as a rule."""
        return max(self.stream.samples(self.packets[0]), 120)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many packets can come again, the fewest first."""
        return tuple(max(packets_of(samples, self.step), 2) for samples in _PREROLLS)

    @classmethod
    def of(cls, stream: Opus, packets: Iterable[bytes]) -> Self | None:
        """Decode packets; `None` when that cannot be done."""
        listed = tuple(packets)
        heard = tuple(decoded(name, stream.head, listed) for name in _DECODERS)
        return cls(stream, listed, heard) if all(one.size for one in heard) else None

    def settles(self, at: int, count: int) -> bool:
        """Whether so many packets before one of them bring every decoder to where it is there."""
        stop = at + packets_of(_BEHIND, self.step)
        behind = self.packets[at:stop]
        if at < count or not behind:
            return False
        again = self.packets[at - count : at]
        trial = (*self.stream.resetting(again[0]), *again, *behind)
        length = sum(map(self.stream.samples, behind))
        after = sum(map(self.stream.samples, self.packets[stop:]))
        for name, known in zip(_DECODERS, self.heard, strict=True):
            tried = decoded(name, self.stream.head, trial)[:, -length:]
            right = known[:, known.shape[1] - after - length : known.shape[1] - after]
            if tried.shape != right.shape or float(np.abs(tried - right).max(initial=0)) > NEAR:
                return False
        return True


def nearest(stream: Opus, read: Reading, numbers: Sequence[int]) -> int | None:
    """Of the packets with some numbers, nearest ones first, the one before which the fewest come again."""
    tried = [*numbers[:_MOST_PLACES], *numbers[_MOST_PLACES::_FARTHER][:_MOST_PLACES]]
    if not tried:
        return None
    step = _step(stream, read, tried[0])
    first = max(min(tried) - packets_of(_KNOWN, step), 0)
    last = max(tried) + packets_of(_BEHIND, step)
    stretch = Stretch.of(stream, read(first, last))
    if stretch is None:
        return None
    found = (n for count in stretch.counts for n in tried if stretch.settles(n - first, count))
    return next(found, None)


def again(stream: Opus, read: Reading, number: int, behind: int) -> tuple[bytes, ...] | None:
    """The packets that must come again when those from one number up to another have a notice in their place."""
    step = _step(stream, read, number)
    before = read(max(number - packets_of(_KNOWN, step), 0), number)
    after = read(behind, behind + packets_of(_BEHIND, step))
    stretch = Stretch.of(stream, (*before, *after))
    if stretch is None:
        return None
    count = next((c for c in stretch.counts if stretch.settles(len(before), c)), None)
    return tuple(before[-count:]) if count else None


def packets_of(samples: int, step: int) -> int:
    """How many packets it takes."""
    return -(-samples // step)


def _step(stream: Opus, read: Reading, number: int) -> int:
    packet = next(iter(read(number, number + 1)), b"")
    return max(stream.samples(packet), 120)


def decoded(name: str, head: bytes, packets: Iterable[bytes]) -> Samples:
    """What a decoder makes of packets, from the first one on; nothing when it cannot."""
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, av.AudioCodecContext)
    context.extradata = head[:10] + bytes(2) + head[12:]  # nothing is taken off at the start
    context.options = {"request_sample_fmt": "flt"}
    found = [np.zeros((head[9], 0), np.float32)]
    try:
        for packet in packets:
            frames = context.decode(packet_of(packet))
            found += [samples_of(frame).astype(np.float32, copy=False) for frame in frames]
    except (FFmpegError, ValueError):
        return found[0]
    return np.concatenate(found, axis=1)
