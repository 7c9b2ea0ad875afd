"""A file that holds sound packet by packet, whatever container that is: where notices go, and what is read for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.container import Coded, Insert, OnlyOver, SoundFile
from aikz_label.adapters.audio.packed.opus import Opus
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.errors import Refused
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples

Numbers = NDArray[np.int64]
HEAD = 16  # bytes of a packet that tell its length
_REACH = 2.0  # seconds around a moment in which places are tried
_FAR = 60.0  # seconds from it at which a place is none
_LAST = 4  # packets at the end that may be partly silence, which is taken off


@dataclass(frozen=True, slots=True)
class Table:
    """The packets of a file.

    Attributes:
        coding: How they are coded.
        place: Where each is.
        size: Bytes of it.
        starts: Its first sample, as its decoder counts, and behind them how many there are.
        firsts: Before which packets others can go; how many there are at the end.
    """

    coding: Packets
    place: Numbers
    size: Numbers
    starts: Numbers
    firsts: Numbers

    @classmethod
    def of(
        cls, source: BinaryIO, coding: Packets, place: Numbers, size: Numbers, firsts: Numbers
    ) -> Self:
        """Ask each packet how long it is."""
        lengths = [
            coding.length(pieces.read(source, at, min(length, HEAD)), length)
            for at, length in zip(place.tolist(), size.tolist(), strict=True)
        ]
        starts = np.concatenate(([0], np.cumsum(np.array(lengths, np.int64))))
        return cls(coding, place, size, starts, firsts)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A notice, and what it changes behind it.

    Attributes:
        first: Before which packet it goes.
        behind: Which one follows it: those between are an older notice.
        notice: Its packets.
        before: By how many samples all before it is later.
        after: By how many all behind it is.
        more: By how much the numbers become higher that packets behind it tell.
    """

    first: int
    behind: int
    notice: tuple[bytes, ...]
    before: int
    after: int
    more: int


class PacketFile(SoundFile):
    """Such a file.

    Attributes:
        title: Name of the container, for people.
    """

    mirrored: ClassVar[bool] = False
    title: ClassVar[str]

    @property
    @abstractmethod
    def table(self) -> Table:
        """Its packets."""

    @property
    @abstractmethod
    def late(self) -> int:
        """How many samples the container says that players take off at the start."""

    @property
    def coding(self) -> Packets:
        """How its packets are coded."""
        return self.table.coding

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.coding.rate

    @property
    def exact(self) -> bool:
        """See `SoundFile.exact`."""
        return self.coding.exact

    @property
    def skipped(self) -> int:
        """How many samples a decoder takes off at the start: those of Opus are told by what sets it up."""
        coding = self.coding
        return coding.skipped if isinstance(coding, Opus) else self.late

    def check_packets(self) -> None:
        """Refuse packets before which nothing can go.

        Raises:
            OnlyOver: A notice can be spoken over them.
            Refused: They would lose something.
        """
        try:
            self.coding.check()
        except Refused as refusal:
            if refusal.code != "needs-reencode":
                raise
            raise OnlyOver(self.title, "no packets can go before those of its coding") from refusal
        if not (np.diff(self.table.starts) > 0).all():
            raise OnlyOver(self.title, "the length of a packet is not told")

    def check_decoded(self, rate: int) -> None:
        """Spectral band replication need not be announced."""
        if rate != self.rate:
            raise OnlyOver(self.title, "no packets can go before those of HE-AAC")

    # --- where ------------------------------------------------------------------------------------------------------

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:  # noqa: ARG002
        """The start, and near each moment a packet before which others can go."""
        table, found = self.table, [0]
        firsts = table.firsts[
            (table.firsts > table.coding.least) & (table.firsts < len(table.starts) - _LAST)
        ]
        starts = table.starts[firsts] - self.skipped
        for second in seconds[1:]:
            far = np.abs(starts - second * self.rate) / self.rate
            near = np.argsort(far, kind="stable")
            tried = near[far[near] <= _REACH] if far.min(initial=_FAR) <= _REACH else near[:1]
            number = table.coding.nearest(self._read, firsts[tried].tolist())
            if number is None or far.min(initial=_FAR) >= _FAR:
                when = f"{int(second) // 60}:{int(second) % 60:02}"
                raise OnlyOver(self.title, f"near {when} there is no place for one")
            found.append(int(table.starts[number]) - self.skipped)
        return tuple(dict.fromkeys(found))

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only what others can go before can be taken out."""
        bounds = set(self.table.starts[self.table.firsts].tolist())

        def held(start: int, stop: int) -> bool:
            first = start + self.skipped if start else 0
            return {first, first + stop - start} <= bounds

        return all(held(*place) for place in places)

    def numbers(self, insert: Insert) -> tuple[int, int]:
        """Numbers of the packets before which a notice goes, and up to which it takes the place of an older one."""
        return self._numbers(insert.at, insert.instead)

    def _numbers(self, at: int, instead: int) -> tuple[int, int]:
        starts = self.table.starts
        first = int(np.searchsorted(starts, at + self.skipped)) if at else 0
        behind = int(np.searchsorted(starts, int(starts[first]) + instead))
        return first, behind

    # --- what -------------------------------------------------------------------------------------------------------

    def encode(self, samples: Samples) -> Coded:
        """See `SoundFile.encode`."""
        table = self.table
        bits = int(table.size.sum()) * 8 * self.rate // int(table.starts[-1])
        first = next(iter(self._read(0, 1)), b"")
        return table.coding.encode(samples, bits, self.skipped, first)

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """See `SoundFile.joined`."""
        return self.coding.joined(coded, self._read, *self._numbers(at, instead))

    def same_packets(self, painted: Self, inserts: Sequence[Insert]) -> bool:
        """See `SoundFile.same_packets`."""
        if not self.coding.noisy:
            return False
        notices = []
        for insert in inserts:
            first, behind = self.numbers(insert)
            notices.append((first, behind - first, len(insert.coded)))
        return aac.same_packets(self._all(), painted._all(), notices)

    def stretches(self, inserts: Sequence[Insert]) -> Iterator[Stretch]:
        """Each notice, with what it changes behind it."""
        coding, samples, more = self.coding, 0, 0
        for insert in inserts:
            first, behind = self.numbers(insert)
            like = self._read(first, first + 1)[0]
            notice = coding.stored(insert.coded, more, like)
            before, samples = samples, samples + insert.length - insert.instead
            if coding.numbered:
                by_sample = coding.numbers_samples(like)
                more += samples - before if by_sample else len(notice) - (behind - first)
            yield Stretch(first, behind, notice, before, samples, more)

    def _all(self) -> Iterator[bytes]:
        """Every packet."""
        places = zip(self.table.place.tolist(), self.table.size.tolist(), strict=True)
        return (pieces.read(self.source, place, size) for place, size in places)

    def _read(self, first: int, stop: int) -> list[bytes]:
        """The packets from one number up to another."""
        part = slice(max(first, 0), max(stop, 0))
        places = zip(self.table.place[part].tolist(), self.table.size[part].tolist(), strict=True)
        return [pieces.read(self.source, place, size) for place, size in places]
