"""A Matroska file with clusters of notices between its own, which move: every place and moment it tells is put right."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, TypeAlias

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces as stored
from aikz_label.adapters.audio.mka import elements, moments
from aikz_label.adapters.audio.mka.blocks import (
    BLOCK,
    GROUP,
    SIMPLE,
    TIME,
    Cluster,
    Walked,
)
from aikz_label.adapters.audio.mka.moments import Statistics
from aikz_label.adapters.audio.mka.track import ENTRY, PRIVATE, Track
from aikz_label.adapters.audio.packed.file import HEAD, Numbers, Stretch
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import (
    CHAPTERS,
    CLUSTER,
    CRC,
    CUES,
    INFO,
    SEEK_HEAD,
    TAGS,
    TRACKS,
    Document,
    Element,
)
from aikz_label.limits import MIB
from aikz_label.values import dataclass

_SCALE = 0x2AD7B1
_NANO, _USUAL_SCALE = 10**9, 1_000_000
_LONGEST = 5.0  # seconds of a cluster of a notice
_FARTHEST = 30_000  # units of the file from its start, which a block tells in two bytes
_NEW = -1
_START = -1  # before all blocks
_KEY = b"\x80"
Places: TypeAlias = "dict[int, list[tuple[int, int]]]"
_MOST_READ = 64 * MIB  # bytes of a part that is read whole


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


class Writing:
    """One file.

    Args:
        source: The file.
        document: Its parts.
        track: Its sound.
        walked: The packets of that.
        stretches: The notices, in order.
    """

    def __init__(
        self,
        source: BinaryIO,
        document: Document,
        track: Track,
        walked: Walked,
        stretches: Sequence[Stretch],
    ) -> None:
        self._source, self._document, self._track = source, document, track
        self._walked, self._stretches = walked, stretches
        self._scale = _scale(source, document)
        # the block with which each notice begins, and the one behind it
        firsts = walked.blocks.first
        self._at = [_block(firsts, one.first) if one.first else _START for one in stretches]
        self._behind = [_block(firsts, one.behind) for one in stretches]
        # clusters of which nothing stays, once all parts are known: those of older notices
        self._gone = {one.element.start for one in walked.blocks.clusters}

    def pieces(self, private: bytes, shift: Shift) -> Iterator[Piece]:
        """The file.

        Args:
            private: What decoders of the sound are set up with.
            shift: Where moments are.
        """
        segment = self._document.segment
        parts = list(self._parts(private, shift))
        tables = {one.start: one for one in self._document.parts if one.name in {SEEK_HEAD, CUES}}
        fresh = [(part.time, 0) for part in parts if part.old == _NEW]
        self._gone -= {part.old for part in parts}
        for part in parts:
            if part.old in tables:  # of the same length whatever places stand in it
                part.written = [self._tabled(tables[part.old], lambda *_: 0, fresh)]
            part.size = stored.size(part.written)
        places = _places(parts)
        for part in parts:
            if part.old in tables:
                part.written = [self._table(tables[part.old], places)]
        size = sum(part.size for part in parts)
        yield Span(0, segment.start)
        head = stored.read(self._source, segment.start, segment.body - segment.start)
        if segment.sized:
            name = ebml.packed_name(ebml.SEGMENT)
            head = name + elements.length(size, len(head) - len(name))
        yield head
        for part in parts:
            yield from self._summed(part.written)
        yield Span(segment.stop, self._document.size)

    def _parts(self, private: bytes, shift: Shift) -> Iterator[Placed]:
        clusters = {one.element.start: one for one in self._walked.blocks.clusters}
        for part in self._document.parts:
            if part.start in clusters:
                if self._at[:1] == [_START] and part == self._walked.blocks.clusters[0].element:
                    yield from self._notice(self._stretches[0], 0)
                yield from self._cluster(clusters[part.start])
            elif part.name == CRC:  # of the whole, in which a marker is about to be written too
                continue
            elif part.name in {INFO, CHAPTERS, TAGS, TRACKS}:
                yield Placed(part.start, 0, [self._changed(part, private, shift)])
            else:
                yield Placed(part.start, 0, [Span(part.start, part.stop)])

    def _changed(self, part: Element, private: bytes, shift: Shift) -> bytes:
        """A part that tells of moments, or how the sound is coded."""
        data = self._read(part)
        if part.name == INFO:
            return moments.info(data, self._ticks(shift.total))
        if part.name == CHAPTERS:
            return moments.chapters(data, shift)
        if part.name == TAGS:
            return moments.tags(data, self._statistics(shift))
        return self._described(data, private)

    def _read(self, part: Element) -> bytes:
        if part.stop - part.start > _MOST_READ:
            found = part.stop - part.start
            raise MediaProblem("over-limit", what_word="bytes", found=found, limit=_MOST_READ)
        return stored.read(self._source, part.start, part.stop - part.start)

    def _described(self, data: bytes, private: bytes) -> bytes:
        """The tracks, with what the decoder of the sound is set up with."""
        old = self._track.private

        def change(name: int, found: bytes) -> bytes:
            return private if name == PRIVATE and found == old else found

        return data if private == old else elements.rebuilt(data, {TRACKS, ENTRY}, change)

    def _statistics(self, shift: Shift) -> Statistics:
        blocks, starts = self._walked.blocks, self._walked.table.starts
        gone = sum(int(blocks.size[one.first : one.behind].sum()) for one in self._stretches)
        return Statistics(
            self._track.uid,
            sum(len(one.notice) - (one.behind - one.first) for one in self._stretches),
            sum(len(packet) for one in self._stretches for packet in one.notice) - gone,
            shift.total / shift.rate,
            (int(blocks.size.sum()), int(starts[-1]) / shift.rate),
        )

    # --- places -----------------------------------------------------------------------------------------------------

    def _table(self, old: Element, places: Places) -> bytes:
        """An index, with places of worth."""
        body = self._document.segment.body

        def place(where: int, time: int = -1) -> int:
            known = places.get(body + where)
            if not known:
                return where
            return known[max(bisect_right([first for first, _ in known], time) - 1, 0)][1]

        return self._tabled(old, place, places.get(_NEW, []))

    def _tabled(
        self, old: Element, place: Callable[..., int], fresh: Sequence[tuple[int, int]]
    ) -> bytes:
        data = self._read(old)
        if old.name == SEEK_HEAD:
            return moments.seek_head(data, place)
        number, body = self._track.number, self._document.segment.body

        def kept(where: int, time: int) -> int | None:
            return None if body + where in self._gone else place(where, time)

        return moments.cues(data, self._later, kept, [(time, number, at) for time, at in fresh])

    def _later(self, time: int) -> int:
        """When what is at a moment of the source is played."""
        number = bisect_right([self._time(block) for block in self._behind], time) - 1
        return time + (self._ticks(self._stretches[number].after) if number >= 0 else 0)

    def _time(self, block: int) -> int:
        times = self._walked.blocks.time
        return int(times[block]) if block < len(times) else 1 << 62

    def _ticks(self, samples: int) -> int:
        return round(samples * _NANO / (self._walked.table.coding.rate * self._scale))

    # --- clusters ---------------------------------------------------------------------------------------------------

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
        written = self._clustered(cluster.time + self._ticks(late), kept, summed=cluster.summed)
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
        first = begin + self._ticks(at)
        longest = min(self._ticks(round(_LONGEST * coding.rate)), _FARTHEST)
        for packet in stretch.notice:
            time = begin + self._ticks(at)
            if waiting and time - first > longest:
                yield self._noticed(first, waiting)
                waiting, first = [], time
            waiting.append((time - first, packet))
            at += coding.length(packet[:HEAD], len(packet))
        if waiting:
            yield self._noticed(first, waiting)

    def _noticed(self, first: int, packets: Sequence[tuple[int, bytes]]) -> Placed:
        track = elements.length(self._track.number)
        blocks = b""
        for time, packet in packets:
            block = track + time.to_bytes(2) + _KEY + packet
            blocks += ebml.packed_name(SIMPLE) + elements.length(len(block)) + block
        return Placed(_NEW, first, self._clustered(first, [blocks], summed=False))

    def _clustered(self, time: int, kept: Sequence[Piece], *, summed: bool) -> list[Piece]:
        told = ebml.pack(TIME, elements.number(max(time, 0)), width=1)
        check = 6 if summed else 0
        size = elements.length(check + len(told) + stored.size(kept))
        head = ebml.packed_name(CLUSTER) + size
        return [head, bytes(check), told, *kept] if summed else [head, told, *kept]

    def _summed(self, written: list[Piece]) -> Iterator[Piece]:
        """A part, with the check sum of a cluster that has one."""
        if len(written) > 1 and written[1] == bytes(6):
            found = 0
            for block in stored.blocks(written[2:], self._source):
                found = zlib.crc32(block, found)
            written[1] = ebml.pack(CRC, found.to_bytes(4, "little"), width=1)
        yield from written


def _headed(element: Element, inside: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """An element with something else in it."""
    name = ebml.packed_name(element.name)
    width = element.body - element.start - len(name)
    return (name + elements.length(stored.size(inside), width), *inside)


def _places(parts: Iterable[Placed]) -> Places:
    """Of each part of the source, the moments from which pieces of it begin, and where those are."""
    found: Places = {}
    at = 0
    for part in parts:
        found.setdefault(part.old, []).append((part.time, at))
        at += part.size
    return found


def _block(firsts: Numbers, packet: int) -> int:
    """The block that begins with a packet."""
    return int(np.searchsorted(firsts, packet))


def _scale(source: BinaryIO, document: Document) -> int:
    """Nanoseconds of a unit of the file."""
    for info in document.all(INFO):
        for child in ebml.children(source, info, 10_000):
            if child.name == _SCALE:
                return ebml.number(source, child) or _USUAL_SCALE
    return _USUAL_SCALE
