"""MP3 in packets: frames of a notice, and what the frames behind them need of those that were before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, OnlyOver, refuse_variant
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.mp3 import drained, mpeg
from aikz_label.adapters.audio.mp3.mpeg import Head
from aikz_label.adapters.audio.packed.packets import Packets, Reading
from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
else:
    np = Later("numpy")

_TITLE = "MP3"
_CODER_DELAY = 1105  # samples by which coder and decoder together are late
# No frame needs those before it; and LAME's faster way, which is also nearer to the sound.
_OPTIONS = {"reservoir": "0", "compression_level": "7"}
LEAST, MOST = (
    64,
    128,
)  # kilobits per second at which speech is clear, where the file leaves us a choice
CARRIED = 24  # frames before a place in which all bytes are that a frame can take from others


@dataclass(frozen=True, slots=True)
class Mp3(Packets):
    """MP3.

    Attributes:
        title: Name of the container, for people.
        head: Head of its first frame; `None` when that is none.
    """

    title: str
    head: Head | None
    least: ClassVar[int] = 8

    @property
    def rate(self) -> int:
        """See `Packets.rate`."""
        return self._head.rate

    @property
    def step(self) -> int:
        """Samples of a packet."""
        return self._head.samples

    @property
    def _head(self) -> Head:
        if self.head is None:
            raise MediaProblem("damaged", detail_word="no-sound")
        return self.head

    def check(self) -> None:
        """See `Packets.check`."""
        if not self._head.size:
            raise OnlyOver(self.title, "the frames of its MP3 have a free format")

    def length(self, head: bytes, size: int) -> int:
        """See `Packets.length`."""
        found = mpeg.head(head[:4])
        return found.samples if found is not None and found.size == size else 0

    def encode(self, samples: Samples, bits: int, early: int, first: bytes) -> Coded:  # noqa: ARG002
        """See `Packets.encode`."""
        return coded(self._head, clear(self._head, bits // 1000), samples)

    def joined(self, coded: Coded, read: Reading, number: int, behind: int) -> Coded:
        """See `Packets.joined`: the frames before come again, and bytes that the first of them takes from others."""
        head, following = self._head, read(behind, behind + 1)
        if not following:
            return coded
        if not number:
            if not head.borrowed(following[0]):
                return coded
            emptied = drained.frame(head, clear(head, MOST))
            return Coded((*coded.data, emptied), coded.length + head.samples)
        before = read(max(number - head.remembered - CARRIED, 0), number)
        again = before[-head.remembered :]
        more = (carrier(head, before[: -head.remembered]), *again)
        return Coded((*coded.data, *more), coded.length + len(more) * head.samples)


def coded(head: Head, kbits: int, samples: Samples) -> Coded:
    """Frames that need nothing of those before them, with silence at both ends."""
    each = head.samples
    count = -(-(samples.shape[1] + _CODER_DELAY + each) // each) + 2
    longer = np.pad(samples, ((0, 0), (0, (count + 3) * each - samples.shape[1])))
    coder = Coder(
        _TITLE,
        "libmp3lame",
        head.rate,
        "mono" if head.mono else "stereo",
        "fltp",
        kbits * 1000,
        _OPTIONS | {"joint_stereo": str(int(head.joint))},
    )
    made = list(coder.packets(longer))[:count]
    if any(mpeg.head(frame[:4]) is None for frame in made) or len(made) < count:
        raise refuse_variant(_TITLE, "the encoder makes no frames like those of the file")
    return Coded(tuple(made), count * each)


def clear(head: Head, typical: int) -> int:
    """A rate at which speech is clear, near that of a file."""
    allowed = [kbits for kbits in head.all_kbits() if kbits >= min(LEAST, head.all_kbits()[-1])]
    return next((kbits for kbits in allowed if kbits >= min(typical, MOST)), allowed[-1])


def carrier(head: Head, before: Sequence[bytes]) -> bytes:
    """A silent frame that brings the bytes which a frame takes from those before it."""
    need, stored = head.reach, b""
    for frame in reversed(before):
        if len(stored) >= need:
            break
        own = mpeg.head(frame[:4])
        stored = frame[own.main if own else 4 :] + stored
    for kbits in head.all_kbits():
        larger = head.with_kbits(kbits)
        room = larger.size - larger.main
        if room >= need:
            empty = bytes(larger.side + room - need)
            return larger.stored + empty + stored[-need:].rjust(need, b"\0")
    raise refuse_variant(_TITLE, "no frame is large enough for a repeated notice")
