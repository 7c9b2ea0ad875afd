"""Frames of notices among those of the programme: in which order, with which numbers, and where each one went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, BinaryIO, Self

from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.flac import frames as flac_frames
from aikz_label.adapters.audio.flac.blocks import StreamInfo
from aikz_label.adapters.audio.flac.frames import Frames
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.adapters.audio.shifting import kept
from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.flac.container import Flac
else:
    np = Later("numpy")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames of the programme, and those of a notice behind them.

    Attributes:
        first: Number of the first one, among all frames of the source.
        last: Number behind the last one.
        more: By how much the numbers that they tell become higher.
        notice: The frames of the notice.
    """

    first: int
    last: int
    more: int
    notice: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Splice:
    """What the frames of the finished file are.

    Attributes:
        source: The file.
        found: Its frames.
        stretches: In order.
    """

    source: BinaryIO
    found: Frames
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, flac: Flac, found: Frames, inserts: Sequence[Insert]) -> Self:
        """Number all frames, and code the notices."""
        return cls(flac.source, found, tuple(stretches(flac.source, flac.info, found, inserts)))

    @property
    def sizes(self) -> tuple[int, int]:
        """Least and most bytes of a frame of a notice."""
        lengths = [len(frame) for stretch in self.stretches for frame in stretch.notice]
        return min(lengths), max(lengths)

    def frames(self) -> Iterator[tuple[Piece, ...]]:
        """Each frame of the finished file."""
        for stretch in self.stretches:
            for number in range(stretch.first, stretch.last):
                start, stop = int(self.found.starts[number]), self.found.end(number)
                yield flac_frames.renumbered(self.source, start, stop, stretch.more)
            yield from ((frame,) for frame in stretch.notice)

    def places(self) -> Callable[[int], int | None]:
        """Tells where a frame of the source is in the finished file, if it is there; both count from the first frame."""
        old = self.found.starts - self.found.starts[0]
        lengths = np.diff(np.append(self.found.starts, self.found.stop))
        new = np.full(len(old), -1, np.int64)
        at = 0
        for one in self.stretches:
            part = slice(one.first, one.last)
            numbers = self.found.numbers[part]
            more = flac_coding.widths(numbers + one.more) - flac_coding.widths(numbers)
            ends = at + np.cumsum(lengths[part] + more)
            new[part] = np.append(at, ends)[:-1]
            at = int(ends[-1]) if len(ends) else at
            at += sum(map(len, one.notice))

        def place(start: int) -> int | None:
            number = int(np.searchsorted(old, start))
            there = number < len(old) and old[number] == start and new[number] >= 0
            return int(new[number]) if there else None

        return place


def stretches(
    source: BinaryIO, info: StreamInfo, found: Frames, inserts: Sequence[Insert]
) -> Iterator[Stretch]:
    """All frames of the source in their order, with the notices coded between them."""
    like = pieces.read(source, int(found.starts[0]), 16)
    variable = bool(like[1] & 1)
    base, _ = flac_coding.read_number(like)
    numbers = {int(sample): number for number, sample in enumerate(found.firsts)}
    more = 0
    for (start, stop), insert in zip_longest(kept(inserts), inserts):
        first = numbers.get(start, len(found))
        last = numbers.get(stop, len(found)) if stop >= 0 else len(found)
        if insert is None:
            yield Stretch(first, last, more, ())
            return
        count = base + more + (stop if variable else last)
        notice = tuple(coded(insert.coded, info, count, like, variable=variable))
        yield Stretch(first, last, more, notice)
        taken = numbers.get(stop + insert.instead, len(found)) - last
        longer = insert.length - insert.instead
        more += longer if variable else len(notice) - taken


def coded(
    samples: flac_coding.Numbers, info: StreamInfo, number: int, like: bytes, *, variable: bool
) -> Iterator[bytes]:
    """The frames of a notice, from some number on."""
    step = info.blocks[1]
    for at in range(0, samples.shape[1], step):
        of = number + (at if variable else at // step)
        part = samples[:, at : at + step]
        yield flac_coding.frame(part, info.depth, of, like, variable=variable)
