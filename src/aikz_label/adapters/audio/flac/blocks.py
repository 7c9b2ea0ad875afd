"""The blocks of metadata before the frames of a FLAC file: what they say of the sound, and of moments in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.values import dataclass, replace

INFO, PADDING, APPLICATION, SEEK, COMMENTS, CUES, PICTURE = range(7)
_PLACEHOLDER = (1 << 64) - 1
_CD_SECTOR = 588  # samples
_MOST_TOTAL = (1 << 36) - 1


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its kind and its content."""

    kind: int
    content: bytes

    def stored(self, *, last: bool) -> bytes:
        """As it stands in a file.

        Raises:
            MediaProblem: A block cannot be as long.
        """
        if len(self.content) >= 1 << 24:
            raise MediaProblem("damaged", detail_word="too-long")
        return (
            bytes((self.kind | (0x80 if last else 0),))
            + len(self.content).to_bytes(3)
            + self.content
        )


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the first block says.

    Attributes:
        blocks: Least and most samples of a block.
        frames: Least and most bytes of a frame; 0 when they are not known.
        rate: Samples per second.
        channels: How many.
        depth: Bits of a sample.
        total: Samples per channel; 0 when it is not known.
        md5: Of the decoded sound; zeros when it is not known.
    """

    blocks: tuple[int, int]
    frames: tuple[int, int]
    rate: int
    channels: int
    depth: int
    total: int
    md5: bytes

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read the block.

        Raises:
            MediaProblem: It is too short, or says what cannot be.
        """
        if len(content) < 34:
            raise MediaProblem("damaged", detail_word="cut")
        numbers = int.from_bytes(content[10:18])
        found = cls(
            (int.from_bytes(content[:2]), int.from_bytes(content[2:4])),
            (int.from_bytes(content[4:7]), int.from_bytes(content[7:10])),
            numbers >> 44,
            (numbers >> 41 & 7) + 1,
            (numbers >> 36 & 31) + 1,
            numbers & _MOST_TOTAL,
            content[18:34],
        )
        if not found.rate or found.depth < 4 or found.blocks[1] < 16:
            raise MediaProblem("damaged", detail_word="no-sound")
        return found

    def stored(self) -> bytes:
        """As the block holds it."""
        numbers = self.rate << 44 | (self.channels - 1) << 41 | (self.depth - 1) << 36 | self.total
        sizes = b"".join(n.to_bytes(2) for n in self.blocks)
        sizes += b"".join(min(n, 0xFFFFFF).to_bytes(3) for n in self.frames)
        return sizes + numbers.to_bytes(8) + self.md5

    def longer(self, shift: Shift, frames: tuple[int, int], md5: bytes) -> Self:
        """The same for a file with notices, whose frames have so many bytes."""
        total = self.total + shift.total if self.total else 0
        least, most = self.frames
        fresh = (min(least, frames[0]) if least else 0, max(most, frames[1]) if most else 0)
        return replace(self, total=total if total <= _MOST_TOTAL else 0, frames=fresh, md5=md5)


def is_cd(content: bytes) -> bool:
    """Whether a cue sheet is that of a compact disc, whose places are those of sectors."""
    return len(content) > 136 and bool(content[136] & 0x80)


def sectors(samples: int) -> int:
    """The next number of samples that makes whole sectors."""
    return -(-samples // _CD_SECTOR) * _CD_SECTOR


def moved_cues(content: bytes, shift: Shift) -> bytes:
    """A cue sheet with its tracks moved; places within a track count from its start."""
    stored = bytearray(content)
    at = 396
    for _ in range(content[395] if len(content) > 395 else 0):
        if at + 36 > len(stored):
            break
        lead_out = stored[at + 8] in {170, 255}
        place = int.from_bytes(stored[at : at + 8])
        stored[at : at + 8] = shift.samples(place, end=lead_out).to_bytes(8)
        at += 36 + 12 * stored[at + 35]
    return bytes(stored)


def moved_points(content: bytes, shift: Shift, place: Callable[[int], int | None]) -> bytes:
    """A table for seeking with its points moved; `place` tells where a frame went, of those that are there."""
    return b"".join(_points(content, shift, place))


def _points(content: bytes, shift: Shift, place: Callable[[int], int | None]) -> Iterator[bytes]:
    gone = 0
    for at in range(0, len(content) - 17, 18):
        point = content[at : at + 18]
        sample = int.from_bytes(point[:8])
        there = None if sample == _PLACEHOLDER else place(int.from_bytes(point[8:16]))
        if there is None:
            gone += 1
        else:
            yield shift.samples(sample).to_bytes(8) + there.to_bytes(8) + point[16:]
    yield gone * (b"\xff" * 8 + bytes(10))
