"""An M4A file whose sound was coded anew: its own `moov`, with another description and table of the sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters.audio.m4a import tables
from aikz_label.adapters.audio.m4a import times as m4a_times
from aikz_label.adapters.audio.m4a.boxes import Box, Placed
from aikz_label.adapters.audio.m4a.times import Edit
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import ilst
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.m4a.container import M4a
    from aikz_label.label import Label

_ONCE = b"\0\1\0\0"  # at the speed of the film
_WIDE = 1 << 32


@dataclass(slots=True)
class Data:
    """The box of everything that tracks point to, being filled."""

    content: list[Piece]
    size: int = 0

    def add(self, span: Span) -> int:
        """Take bytes in, and tell where they are in it."""
        at, self.size = self.size, self.size + len(span)
        self.content.append(span)
        return at

    def stored(self) -> Iterator[Piece]:
        """The box."""
        if self.head == 8:
            yield (self.size + 8).to_bytes(4) + b"mdat"
        else:
            yield b"\0\0\0\1mdat" + (self.size + 16).to_bytes(8)
        yield from self.content

    @property
    def head(self) -> int:
        """Bytes before what is in it."""
        return 8 if self.size + 8 < _WIDE else 16


def dressed(source: M4a, fresh: M4a, total: int, shift: Shift, label: Label) -> Iterator[Piece]:
    """The pieces of the finished file; of the source's packets of sound it has none.

    Args:
        source: The file.
        fresh: Its sound and notices, in a file that has nothing else.
        total: How many samples are played.
        shift: Where moments of the source are now.
        label: What the mirrors say.
    """
    moov = Box.parse(source.moov)
    trak = source.track(moov)
    ilst.write(moov, label)
    ilst.move(moov, shift)
    table = _describe(moov, trak, fresh, total, shift)
    packets = int(table.durations.sum())
    ilst.tell_silence(moov, fresh.skipped(fresh.track()), packets, total)
    data = Data([])
    body = next(box for box in fresh.boxes if box.name == b"mdat")
    moved = {id(trak): table.places[_firsts(table)] - body.body}
    data.add(Span(body.body, body.stop, fresh.source))
    for other in moov.all(b"trak"):
        if other is not trak:
            moved[id(other)] = _carried(other, data)
    at = _before_data(source, len(moov.stored())) + data.head
    for each in moov.all(b"trak"):
        tables.set_chunk_offsets(each.need(b"mdia", b"minf", b"stbl"), moved[id(each)] + at)
    return _written(source, moov, data)


def _describe(moov: Box, trak: Box, fresh: M4a, total: int, shift: Shift) -> tables.Table:
    """Description, tables and times of the sound are those of the fresh one; chapters move."""
    theirs = fresh.track()
    stbl = theirs.need(b"mdia", b"minf", b"stbl")
    minf = trak.need(b"mdia", b"minf")
    assert minf.children is not None
    minf.children = [stbl if child.name == b"stbl" else child for child in minf.children]
    media = trak.need(b"mdia", b"mdhd")
    m4a_times.set_timescale(media, fresh.rate)
    table = tables.read(stbl)
    m4a_times.set_duration(media, int(table.durations.sum()))
    m4a_times.make_exact(moov, total, fresh.rate)
    film = m4a_times.timescale(moov.need(b"mvhd"))
    played = round(total * film / fresh.rate)
    m4a_times.set_edits(trak, [Edit(played, fresh.skipped(theirs), _ONCE)])
    m4a_times.set_duration(trak.need(b"tkhd"), played)
    for other in moov.all(b"trak"):
        if other is not trak:
            m4a_times.delay(other, shift, film)
    longest = max(m4a_times.duration(each) for each in moov.all(b"trak", b"tkhd"))
    m4a_times.set_duration(moov.need(b"mvhd"), longest)
    return table


def _firsts(table: tables.Table) -> tables.Numbers:
    """The first packet of each chunk."""
    return np.flatnonzero(np.diff(table.chunks, prepend=-1))


def _carried(trak: Box, data: Data) -> tables.Numbers:
    """The chunks of another track."""
    stbl = trak.need(b"mdia", b"minf", b"stbl")
    table, found = tables.read(stbl), []
    offsets = tables.chunk_offsets(stbl)
    sizes = np.bincount(table.chunks, table.sizes, len(offsets)).astype(np.int64)
    for start, size in zip(offsets.tolist(), sizes.tolist(), strict=True):
        found.append(data.add(Span(start, start + size)))
    return np.array(found, np.int64)


def _before_data(source: M4a, moov: int) -> int:
    """Bytes before the box of everything that tracks point to."""
    at = 0
    for box in source.boxes:
        if box.name == b"mdat":
            break
        at += moov if box.name == b"moov" else 0 if source.is_marker(box) else _size(box)
    return at


def _written(source: M4a, moov: Box, data: Data) -> Iterator[Piece]:
    first = True
    for box in source.boxes:
        if box.name == b"mdat":
            if first:
                yield from data.stored()
            first = False
        elif box.name == b"moov":
            yield moov.stored()
        elif not source.is_marker(box):
            yield box.whole


def _size(box: Placed) -> int:
    return box.stop - box.start
