"""The small parts of GIF blocks: timing, place, palette, sub-blocks."""

from __future__ import annotations

from typing import ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.values import dataclass, replace

_HAS_PALETTE, _SIZE = 0x80, 0x07  # of a screen or a frame
_TRANSPARENT = 0x01  # of a control
_FULL = 255
_FIRST_STEP, _STEP = 256, 64 * 1024  # most chains are short
_MOST_SUB_BLOCKS = 4_000_000  # twice what the largest file needs, whose sub-blocks are full


@dataclass(frozen=True, slots=True)
class Control:
    """A graphic control extension.

    Attributes:
        flags: Disposal, user input, transparency.
        time: How long the frame is shown, in hundredths of a second.
        index: The transparent colour, if the flags say that there is one.
    """

    flags: int = 0
    time: int = 0
    index: int = 0

    @classmethod
    def read(cls, block: bytes) -> Self:
        """From a whole block; one that is too short says nothing."""
        if len(block) < 8 or block[2] < 4:
            return cls()
        return cls(block[3], int.from_bytes(block[4:6], "little"), block[6])

    @property
    def disposal(self) -> int:
        """What becomes of the frame: 0 and 1 keep it, 2 clears its place, 3 restores what was there."""
        return self.flags >> 2 & 7

    @property
    def transparent(self) -> int | None:
        """The transparent colour."""
        return self.index if self.flags & _TRANSPARENT else None

    def but(self, disposal: int, time: int) -> Control:
        """The same with another end."""
        return replace(self, flags=self.flags & ~0x1C | disposal << 2, time=time)

    def seen_through(self, index: int | None) -> Control:
        """The same with a transparent colour, if one is given."""
        if index is None:
            return self
        return replace(self, flags=self.flags | _TRANSPARENT, index=index)

    def packed(self) -> bytes:
        """The whole block."""
        time = self.time.to_bytes(2, "little")
        return b"!\xf9\x04" + bytes((self.flags,)) + time + bytes((self.index, 0))


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What stands before a frame's pixels.

    Attributes:
        box: Left, top, width, height on the screen, px.
        flags: Local palette and its size, interlacing.
    """

    box: tuple[int, int, int, int]
    flags: int

    LENGTH: ClassVar[int] = 10
    INTERLACED: ClassVar[int] = 0x40

    @classmethod
    def read(cls, data: bytes) -> Self:
        """From the bytes of a block."""
        left, top, width, height = (int.from_bytes(data[i : i + 2], "little") for i in (1, 3, 5, 7))
        return cls((left, top, width, height), data[9])

    @property
    def palette(self) -> int:
        """Bytes of the local palette."""
        return palette_length(self.flags)

    def packed(self) -> bytes:
        """As it stands in a file."""
        place = b"".join(number.to_bytes(2, "little") for number in self.box)
        return b"," + place + bytes((self.flags,))


def palette_length(flags: int) -> int:
    """Bytes of a palette, by the flags of a screen or a frame: both count its colours in the same way."""
    return 3 * (2 << (flags & _SIZE)) if flags & _HAS_PALETTE else 0


def palette_flags(palette: bytes) -> int:
    """The flags for a palette of 2, 4, 8 … 256 colours; empty for none."""
    return _HAS_PALETTE | (len(palette) // 3).bit_length() - 2 if palette else 0


def past_sub_blocks(data: bytes, at: int) -> int:
    """Where a chain of sub-blocks ends.

    Raises:
        MediaProblem: The file ends before it, or it is cut far too small.
    """
    count, step = 0, _FIRST_STEP
    while at < len(data):
        part, inner = data[at : at + step], 0
        while inner < len(part):
            length = part[inner]
            inner += 1 + length
            count += 1
            if not length:
                return at + inner
            if (
                length == _FULL
            ):  # mostly, the next ones are full as well: pass over all of them at once
                lengths = part[inner :: 1 + _FULL]
                full = len(lengths) - len(lengths.lstrip(b"\xff"))
                inner += full * (1 + _FULL)
                count += full
        at += inner
        step = _STEP
        if count > _MOST_SUB_BLOCKS:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MOST_SUB_BLOCKS)
    raise MediaProblem("damaged", detail_word="cut")


def past_zeros(data: bytes, at: int) -> int:
    """Where zeros end that nothing but the end of the file follows: some writers close their last block twice."""
    if at < len(data) and data[at]:
        return at
    end = at
    while part := data[end : end + _STEP]:
        rest = part.lstrip(b"\0")
        end += len(part) - len(rest)
        if rest:
            return end if rest[0] == ord(";") else at
    return end


def sub_blocks(data: bytes) -> bytes:
    """What a chain of sub-blocks holds, as far as it goes."""
    found, at = [], 0
    while at < len(data) and data[at]:
        found.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return b"".join(found)
