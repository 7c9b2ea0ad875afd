"""Animations: what a frame is, in every format the same, and how a strip comes under all of them.

A strip needs only one frame of its own: whatever is drawn below the picture stays there while later frames, which are not
touched, come and go above it. Best is to make the first frame higher. Where that would change its colours, or where it is
wiped away after its time, a copy of the first picture with the strip goes before it and takes a little of its time.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Chunk, Container, Tags
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection
    from fractions import Fraction

    from PIL.Image import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.limits import Limits

SHORTEST = 11  # ms: every browser shows a frame of up to 10 ms for 100 ms


class Disposal(IntEnum):
    """What becomes of a frame's place when its time is over."""

    KEEP = 0
    CLEAR = 1
    RESTORE = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """All that decides how a frame looks, and what it leaves behind.

    Attributes:
        box: Left, top, width, height on the canvas.
        time: How long it is shown, in seconds.
        disposal: What becomes of its place then.
        blends: It is drawn over what is there, instead of replacing it.
        coded: Its pixels, as the file stores them.
    """

    box: Box
    time: Fraction
    disposal: Disposal
    blends: bool
    coded: tuple[Chunk, ...]

    @property
    def bottom(self) -> int:
        """Below its last row."""
        return self.box[1] + self.box[3]

    def same_pixels(self, other: Frame) -> bool:
        """Whether both are coded with the same bytes, for the same place."""
        return (
            self.box == other.box
            and len(self.coded) == len(other.coded)
            and all(a.data == b.data for a, b in zip(self.coded, other.coded, strict=True))
        )

    def same(self, other: Frame) -> bool:
        """Whether nothing at all differs."""
        mine, its = ((one.time, one.disposal, one.blends) for one in (self, other))
        return mine == its and self.same_pixels(other)


@dataclass(frozen=True, slots=True)
class Grown:
    """An animation with a strip.

    Attributes:
        data: The file.
        lead: The strip came with a frame of its own, before the first.
        recoded: The first frame is as it was only as far as a lossy codec can say; none is coded twice but a copy that a
            strip came with before.
        longer: By how much that made the animation longer, in seconds; 0 where its time could be taken from the first.
        opened: What the first frame left to viewers is transparent now.
    """

    data: bytes
    lead: bool
    recoded: bool = False
    longer: Fraction | int = 0
    opened: bool = False


class Animated(Container):
    """A container whose pictures may move.

    Attributes:
        least_blended: PSNR in dB of later pictures, which a decoder may round otherwise where it knows less of the canvas.
    """

    least_blended: float = math.inf

    @property
    @abstractmethod
    def moving(self) -> bool:
        """Whether this file is an animation."""

    @abstractmethod
    def frames(self) -> tuple[Frame, ...]:
        """Every frame that is shown as part of the animation.

        Raises:
            MediaProblem: The file does not keep the rules of its format.
        """

    @abstractmethod
    def with_strip(self, band: Image, top: int, tags: Tags) -> Grown:
        """The animation on a higher canvas with a band below it, without a marker; every later frame as it was.

        Args:
            band: White coverage of the band, mode L, as wide as the canvas, or wider: what is beside that becomes black.
            top: Where the band begins; what was below is an earlier band.
            tags: The metadata to write.

        Raises:
            Refused: The format cannot hold it without loss.
        """

    @abstractmethod
    def opening(self) -> Image:
        """What browsers show first: the first frame on a canvas that is empty, which means transparent.

        Raises:
            MediaProblem: It cannot be decoded.
        """

    @abstractmethod
    def excerpt(self, numbers: Collection[int]) -> bytes:
        """A file with some of the frames only, as they are; the first must be among them."""

    @abstractmethod
    def same_colours(self, other: Self) -> bool:
        """Whether what frames share, such as a palette, means the same for the bytes of later frames in another file."""

    @property
    def unshown(self) -> int:
        """Pictures before the first frame that only viewers see which know no animations."""
        return 0


def check_frames(container: Animated, frames: tuple[Frame, ...]) -> None:
    """Stop at frames that leave the canvas: decoders disagree about them, and may take any amount of memory.

    Raises:
        MediaProblem: There are none, or one leaves it.
    """
    width, height = container.size
    if not frames or any(
        left + wide > width or top + high > height or not wide or not high
        for left, top, wide, high in (frame.box for frame in frames)
    ):
        raise MediaProblem("damaged", detail_word="frames")


def sample(frames: tuple[Frame, ...]) -> list[int]:
    """The numbers of at most twenty frames: the first, the last, some between, and the first of every kind."""
    count = len(frames)
    kinds: dict[tuple[Disposal, bool, bool], int] = {}
    for number, frame in enumerate(frames):
        kinds.setdefault((frame.disposal, frame.blends, frame.box == frames[0].box), number)
    chosen = {0, 1, count // 3, 2 * count // 3, count - 2, count - 1, *kinds.values()}
    return sorted(number for number in chosen if 0 <= number < count)


def check_cost(container: Animated, frames: tuple[Frame, ...], limits: Limits) -> None:
    """Stop an animation that takes for ever to decode.

    Raises:
        MediaProblem: All frames together have more pixels than the limit.
    """
    check_shown(container.size[0] * container.size[1] * len(frames), limits)


def check_shown(pixels: int, limits: Limits) -> None:
    """Stop at more pixels of all frames together than the limit.

    Raises:
        MediaProblem: There are.
    """
    if pixels > limits.max_shown:
        raise MediaProblem("over-limit", what_word="pixels", found=pixels, limit=limits.max_shown)


def shared_time(time: int, unit: int) -> tuple[int, int]:
    """How long a frame that goes before the first is shown, and what is left for the first.

    Neither is so short that browsers would slow it down, unless the first was before.

    Args:
        time: Of the first frame so far, in units.
        unit: Milliseconds in a unit.
    """
    least = -(-SHORTEST // unit)
    return least, max(time - least, min(time, least))
