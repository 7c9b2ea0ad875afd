"""A Matroska file with clusters of notices between its own, which move: every place and moment it tells is put right."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces as stored
from aikz_label.adapters.audio.mka import elements, moments
from aikz_label.adapters.audio.mka.blocks import Walked
from aikz_label.adapters.audio.mka.clusters import NEW, Clusters, Placed
from aikz_label.adapters.audio.mka.moments import Statistics
from aikz_label.adapters.audio.mka.track import ENTRY, PRIVATE, Track
from aikz_label.adapters.audio.packed.file import Stretch
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import (
    CHAPTERS,
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

_SCALE = 0x2AD7B1
_USUAL_SCALE = 1_000_000
Places: TypeAlias = "dict[int, list[tuple[int, int]]]"
_MOST_READ = 64 * MIB  # bytes of a part that is read whole


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
        scale = _scale(source, document)
        self._clusters = Clusters(source, track.number, walked, stretches, scale)
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
        fresh = [(part.time, 0) for part in parts if part.old == NEW]
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
                yield from self._clusters.written(clusters[part.start])
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
            return moments.info(data, self._clusters.ticks(shift.total))
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

        return self._tabled(old, place, places.get(NEW, []))

    def _tabled(
        self, old: Element, place: Callable[..., int], fresh: Sequence[tuple[int, int]]
    ) -> bytes:
        data = self._read(old)
        if old.name == SEEK_HEAD:
            return moments.seek_head(data, place)
        number, body = self._track.number, self._document.segment.body

        def kept(where: int, time: int) -> int | None:
            return None if body + where in self._gone else place(where, time)

        return moments.cues(
            data, self._clusters.later, kept, [(time, number, at) for time, at in fresh]
        )

    def _summed(self, written: list[Piece]) -> Iterator[Piece]:
        """A part, with the check sum of a cluster that has one."""
        if len(written) > 1 and written[1] == bytes(6):
            found = 0
            for block in stored.blocks(written[2:], self._source):
                found = zlib.crc32(block, found)
            written[1] = ebml.pack(CRC, found.to_bytes(4, "little"), width=1)
        yield from written


def _places(parts: Iterable[Placed]) -> Places:
    """Of each part of the source, the moments from which pieces of it begin, and where those are."""
    found: Places = {}
    at = 0
    for part in parts:
        found.setdefault(part.old, []).append((part.time, at))
        at += part.size
    return found


def _scale(source: BinaryIO, document: Document) -> int:
    """Nanoseconds of a unit of the file."""
    for info in document.all(INFO):
        for child in ebml.children(source, info, 10_000):
            if child.name == _SCALE:
                return ebml.number(source, child) or _USUAL_SCALE
    return _USUAL_SCALE
