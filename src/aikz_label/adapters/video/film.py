"""A video file taken apart as far as its frames, and put together again with other ones.

Nothing is remuxed: a film knows where each frame of its picture lies, and writes the same file with other bytes there.
Other tracks, edit lists, chapters, attachments and whatever nobody here has heard of stay as they are; only lengths,
offsets and the tables that describe the new frames change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters import MediaProblem
from aikz_label.errors import Refused
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.video.coding import Setup

_ONE_FRAME = 0.04  # seconds, where there is only one
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The frames of the picture, in the order in which they are stored and decoded.

    Attributes:
        start: Offset of each in the file.
        size: Length in bytes.
        shown: When each is shown, in units of the film's time base.
        key: Whether decoding can start there.
        decoded: When each is decoded; `None` where the format does not say.
    """

    start: Numbers
    size: Numbers
    shown: Numbers
    key: NDArray[np.bool_]
    decoded: Numbers | None = None

    def __len__(self) -> int:
        return len(self.start)

    @property
    def there(self) -> Slots:
        """Without those that are empty."""
        full = self.size > 0
        decoded = None if self.decoded is None else self.decoded[full]
        return Slots(self.start[full], self.size[full], self.shown[full], self.key[full], decoded)

    @property
    def rank(self) -> Numbers:
        """The place of each among all, in the order in which they are shown."""
        order = np.argsort(self.shown, kind="stable")
        rank = np.empty(len(self), np.int64)
        rank[order] = np.arange(len(self))
        return rank


@dataclass(frozen=True, slots=True, eq=False)
class Recoded:
    """Frames that take the place of a run of slots, in their order.

    Attributes:
        first: The first slot.
        start: Offset of each in the spool.
        size: Length in bytes; 0 for a frame that was never shown, which goes.
        shown: When each is shown: the same times as before, in the order of the new coding.
        key: Whether decoding can start there.
    """

    first: int
    start: Numbers
    size: Numbers
    shown: Numbers
    key: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def where(self) -> slice:
        """The slots."""
        return slice(self.first, self.first + len(self))


class Film(ABC):
    """One file.

    Attributes:
        slots: Its frames.
        time_base: Unit of their times, seconds.
        track: Number of the picture's track, 0 where the format has no numbers.
        tag: Four letters by which the format knows how the frames are coded; empty where it has none.
        lengths: In how many bytes the length of each unit of H.264 or HEVC is stored; 0 where start codes divide them.
        plain: All frames are shown, one after another from the first on.
        mixes: New frames can stand among old ones.
        setup: What the container stores for the decoder, as `avcC` of H.264; empty for others.
        reorders: The format can store frames in another order than they are shown in.
    """

    slots: Slots
    time_base: Fraction
    track: int = 0
    tag: str = ""
    lengths: int = 0
    plain: bool = True
    mixes: bool = True
    setup: bytes = b""
    reorders: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def parse(cls, source: BinaryIO, limits: Limits) -> Film:
        """Take a file apart.

        Raises:
            MediaProblem: Damaged, or over a limit.
            Refused: It holds what cannot be kept.
        """

    @abstractmethod
    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        """Write the file with other frames.

        Args:
            source: The file.
            destination: Where it goes.
            spool: Holds the new frames.
            recoded: What comes where, in order.
            setup: What a decoder needs before the first frame; empty to keep what is there.
        """

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last one."""
        shown = np.sort(self.slots.shown)
        if not len(shown):
            return 0.0
        last = int(shown[-1] - shown[-2]) if len(shown) > 1 else 0
        lasts = float((int(shown[-1] - shown[0]) + last) * self.time_base)
        return lasts or _ONE_FRAME

    def load(self, data: bytes) -> bytes:
        """A stored frame as decoders take it."""
        return data

    def store(self, data: bytes) -> bytes:
        """A frame as encoders give it in the form in which it is stored."""
        return data

    def merged(self, recoded: Sequence[Recoded]) -> Slots:
        """Sizes, times and keys as they will be; the offsets are the old ones, and what went is still there, empty."""
        size, shown, key = self.slots.size.copy(), self.slots.shown.copy(), self.slots.key.copy()
        for run in recoded:
            size[run.where], shown[run.where], key[run.where] = run.size, run.shown, run.key
        return Slots(self.slots.start, size, shown, key, self.slots.decoded)


def variant(what: str, hint: str = "") -> Refused:
    """The refusal of a file that holds something which cannot be kept or handled."""
    return Refused(
        f"This video cannot be labelled without loss: {what}.",
        code="unsupported-variant",
        hint=hint or "Convert it with a video editor first, and compare the result.",
    )


def no_picture() -> Refused:
    """The refusal of a container without video."""
    return Refused(
        "There is no video stream in this file.",
        code="no-video",
        hint="Sound alone is marked in a format for sound, such as M4A.",
    )


def too_small(size: tuple[int, int]) -> Refused:
    """The refusal where no letters could be read."""
    return Refused(
        f"No legible notice fits into {size[0]} × {size[1]} pixels.",
        code="not-perceptible",
        hint="Use a larger picture, or --notice none with the reason why people are told elsewhere.",
    )


def encrypted() -> Refused:
    """The refusal of a protected file."""
    return Refused(
        "The frames of this video are encrypted.",
        code="encrypted",
        hint="Mark it before it is encrypted.",
    )


def damaged() -> MediaProblem:
    """The structure does not hold."""
    return MediaProblem("damaged", detail_word="cut")
