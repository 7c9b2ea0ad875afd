"""Animated WebP: the frames in `ANMF` chunks (RFC 9649, 2.7.1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import webp_chunks
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.container import Chunk
from aikz_label.adapters.image.frames import Disposal, Frame
from aikz_label.limits import DEFAULT
from aikz_label.values import dataclass, replace

_CLEARS, _REPLACES = 0x01, 0x02
LENGTH = 16  # of what stands before the pixels


@dataclass(frozen=True, slots=True)
class Control:
    """What stands before a frame's pixels.

    Attributes:
        box: Left, top, width, height on the canvas; left and top are even.
        time: In milliseconds.
        flags: Whether it clears its place afterwards, and replaces what is there instead of being drawn over it.
    """

    box: Box
    time: int
    flags: int

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From the first bytes of a chunk.

        Raises:
            MediaProblem: There are not so many.
        """
        if len(data) < LENGTH:
            raise MediaProblem("damaged", detail_word="frames")
        left, top, width, height, time = (
            int.from_bytes(data[i : i + 3], "little") for i in (0, 3, 6, 9, 12)
        )
        return cls((2 * left, 2 * top, 1 + width, 1 + height), time, data[15])

    @property
    def clears(self) -> bool:
        """Whether its place is cleared when its time is over."""
        return bool(self.flags & _CLEARS)

    def packed(self) -> bytes:
        """As it stands in a chunk."""
        left, top, width, height = self.box
        numbers = (left // 2, top // 2, width - 1, height - 1, self.time)
        return b"".join(n.to_bytes(3, "little") for n in numbers) + bytes((self.flags,))

    def over(self, box: Box) -> Control:
        """The same for another place."""
        return replace(self, box=box)

    def copied(self, box: Box, time: int) -> Control:
        """For a copy that goes before this frame, and stays."""
        return replace(self, box=box, time=time, flags=_REPLACES)

    def replacing(self, time: int) -> Control:
        """For this frame after its copy, which it replaces as it replaced the empty canvas."""
        return replace(self, time=time, flags=self.flags | _REPLACES)


def frame(chunk: Chunk) -> Frame:
    """An `ANMF` chunk as every format describes it."""
    control = _control(chunk)
    how = Disposal.CLEAR if control.clears else Disposal.KEEP
    coded = Chunk(b"", chunk.whole, chunk.start + LENGTH, chunk.stop)
    time = Fraction(control.time, 1000)
    return Frame(control.box, time, how, not control.flags & _REPLACES, (coded,))


def taken_apart(chunk: Chunk) -> tuple[Control, list[Chunk]]:
    """What an `ANMF` chunk says of its frame, and the image chunks in it.

    Raises:
        MediaProblem: It is damaged, or there are far too many.
    """
    inside = webp_chunks.walk(chunk.whole, chunk.start + LENGTH, chunk.stop, DEFAULT)
    return _control(chunk), [c for c in inside if c.name in webp_chunks.IMAGE]


def _control(chunk: Chunk) -> Control:
    return Control.read(chunk.whole[chunk.start : min(chunk.stop, chunk.start + LENGTH)])
