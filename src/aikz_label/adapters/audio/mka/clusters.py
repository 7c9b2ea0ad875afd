"""Clusters of a Matroska file around notices that go into them, and the clusters of those."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from aikz_label.adapters.audio import pieces as stored
from aikz_label.adapters.audio.mka import elements
from aikz_label.adapters.audio.mka.blocks import BLOCK, GROUP, SIMPLE, TIME, Cluster, Walked
from aikz_label.adapters.audio.packed.file import HEAD, Numbers, Stretch
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CLUSTER, Element
from aikz_label.values import dataclass

_NANO = 10**9
_LONGEST = 5.0  # seconds of a cluster of a notice
_FARTHEST = 30_000  # units of the file from its start, which a block tells in two bytes
NEW = -1
_START = -1  # before all blocks
_KEY = b"\x80"


@dataclass(slots=True)
class Placed:
    """A part of the finished file.

    Attributes:
        old: Where the part of the source is that it was; -1 for a notice.
        time: Of a cluster, the moment in the source of what is first in it; of a notice, when it is played.
        written: What it is.
        size: Bytes of that.
    """

    old: int
    time: int
    written: list[Piece]
    size: int = 0


class Clusters:
    """Those of one file.

    Args:
        source: The file.
        number: Of the track of its sound.
        walked: The packets of that.
        stretches: The notices, in order.
        scale: Nanoseconds of a unit of the file.
    """

    def __init__(
        self,
        source: BinaryIO,
        number: int,
        walked: Walked,
        stretches: Sequence[Stretch],
        scale: int,
    ) -> None:
        self._source, self._number, self._scale = source, number, scale
        self._walked, self._stretches = walked, stretches
        # the block with which each notice begins, and the one behind it
        firsts = walked.blocks.first
        self._at = [_block(firsts, one.first) if one.first else _START for one in stretches]
        self._behind = [_block(firsts, one.behind) for one in stretches]

    def written(self, cluster: Cluster) -> Iterator[Placed]:
        """What becomes of a cluster, behind a notice before all of them if it is the first."""
        if self._at[:1] == [_START] and cluster == self._walked.blocks.clusters[0]:
            yield from self._notice(self._stretches[0], 0)
        yield from self._cluster(cluster)

    def later(self, time: int) -> int:
        """When what is at a moment of the source is played."""
        number = bisect_right([self._time(block) for block in self._behind], time) - 1
        return time + (self.ticks(self._stretches[number].after) if number >= 0 else 0)

    def _time(self, block: int) -> int:
        times = self._walked.blocks.time
        return int(times[block]) if block < len(times) else 1 << 62

    def ticks(self, samples: int) -> int:
        """Samples in units of the file."""
        return round(samples * _NANO / (self._walked.table.coding.rate * self._scale))

    def _cluster(self, cluster: Cluster) -> Iterator[Placed]:
        """A cluster, or what becomes of it where notices go into it: those, and pieces of it around them."""
        element, blocks = cluster.element, self._walked.blocks
        low, high = np.searchsorted(blocks.start, (element.body, element.stop)).tolist()
        at, late, more = element.body, self._late(low), self._more(low)
        first = cluster.time
        for number, block in enumerate(self._at):
            if not low <= block < high:
                continue
            start = int(blocks.start[block])
            yield from self._piece(cluster, at, start, (first, late, more))
            yield from self._notice(self._stretches[number], block)
            at, first = start, int(blocks.time[block])
            late, more = self._stretches[number].after, self._stretches[number].more
        yield from self._piece(cluster, at, element.stop, (first, late, more))

    def _late(self, block: int) -> int:
        """By how many samples everything around a block is later."""
        number = bisect_right(self._at, block - 1) - 1
        return self._stretches[number].after if number >= 0 else 0

    def _more(self, block: int) -> int:
        number = bisect_right(self._at, block - 1) - 1
        return self._stretches[number].more if number >= 0 else 0

    def _piece(
        self, cluster: Cluster, start: int, stop: int, told: tuple[int, int, int]
    ) -> Iterator[Placed]:
        """A cluster of what is in another one between two places."""
        first, late, more = told
        kept = list(self._kept(cluster, start, stop, more))
        if not kept:
            return
        written = self._clustered(cluster.time + self.ticks(late), kept, summed=cluster.summed)
        yield Placed(cluster.element.start, first, written)

    def _kept(self, cluster: Cluster, start: int, stop: int, more: int) -> Iterator[Piece]:
        """What stays there: all but what is written anew, and older notices."""
        at = start
        for begin, end, instead in sorted(self._instead(cluster, start, stop, more)):
            if begin > at:
                yield Span(at, begin)
            yield from instead
            at = end
        if stop > at:
            yield Span(at, stop)

    def _instead(
        self, cluster: Cluster, start: int, stop: int, more: int
    ) -> Iterator[tuple[int, int, tuple[Piece, ...]]]:
        """Stretches of a cluster, and what comes in their place."""
        yield from ((one.start, one.stop, ()) for one in cluster.gone if start <= one.start < stop)
        blocks = self._walked.blocks
        low, high = np.searchsorted(blocks.start, (start, stop)).tolist()
        gone: set[int] = set()
        for first, behind in zip(self._at, self._behind, strict=True):
            gone |= set(range(max(first, low), min(behind, high)))
        for block in range(low, high) if more else sorted(gone):
            fresh = () if block in gone else self._renumbered(block, more)
            yield int(blocks.start[block]), int(blocks.stop[block]), fresh

    def _renumbered(self, block: int, more: int) -> tuple[Piece, ...]:
        """A block whose packet tells a higher number."""
        blocks, number = self._walked.blocks, int(self._walked.blocks.first[block])
        outer = ebml.head(self._source, int(blocks.start[block]), int(blocks.stop[block]))
        start = int(blocks.place[number])
        stop = start + int(blocks.size[number])
        fresh = self._walked.table.coding.renumbered(self._source, start, stop, more)
        inner = outer
        if outer.name == GROUP:
            inner = next(
                child
                for child in ebml.children(self._source, outer, 1000)
                if child.name == BLOCK and child.stop == stop
            )
        written = _headed(inner, (Span(inner.body, start), *fresh))
        if inner != outer:
            around = Span(outer.body, inner.start), Span(stop, outer.stop)
            written = _headed(outer, (around[0], *written, around[1]))
        return written

    def _notice(self, stretch: Stretch, block: int) -> Iterator[Placed]:
        """The clusters of a notice."""
        coding = self._walked.table.coding
        begin = self._time(block)
        waiting: list[tuple[int, bytes]] = []
        at = stretch.before
        first = begin + self.ticks(at)
        longest = min(self.ticks(round(_LONGEST * coding.rate)), _FARTHEST)
        for packet in stretch.notice:
            time = begin + self.ticks(at)
            if waiting and time - first > longest:
                yield self._noticed(first, waiting)
                waiting, first = [], time
            waiting.append((time - first, packet))
            at += coding.length(packet[:HEAD], len(packet))
        if waiting:
            yield self._noticed(first, waiting)

    def _noticed(self, first: int, packets: Sequence[tuple[int, bytes]]) -> Placed:
        track = elements.length(self._number)
        blocks = b""
        for time, packet in packets:
            block = track + time.to_bytes(2) + _KEY + packet
            blocks += ebml.packed_name(SIMPLE) + elements.length(len(block)) + block
        return Placed(NEW, first, self._clustered(first, [blocks], summed=False))

    def _clustered(self, time: int, kept: Sequence[Piece], *, summed: bool) -> list[Piece]:
        told = ebml.pack(TIME, elements.number(max(time, 0)), width=1)
        check = 6 if summed else 0
        size = elements.length(check + len(told) + stored.size(kept))
        head = ebml.packed_name(CLUSTER) + size
        return [head, bytes(check), told, *kept] if summed else [head, told, *kept]


def _headed(element: Element, inside: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """An element with something else in it."""
    name = ebml.packed_name(element.name)
    width = element.body - element.start - len(name)
    return (name + elements.length(stored.size(inside), width), *inside)


def _block(firsts: Numbers, packet: int) -> int:
    """The block that begins with a packet."""
    return int(np.searchsorted(firsts, packet))
