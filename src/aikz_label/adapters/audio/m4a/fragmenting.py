"""Fragments of notices before others; all places and moments that these tell of are put right, and keep their length."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import BinaryIO, TypeAlias

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.packed.file import HEAD, Stretch, Table
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.image.bmff import Box, pack
from aikz_label.adapters.video import offsets
from aikz_label.adapters.video.boxes import Tree
from aikz_label.carriers.patched import Patch
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass

# A box, and the names of those around it.
Known: TypeAlias = "tuple[tuple[bytes, ...], Box]"
_FROM_MOOF, _FLAGS = 0x20000, 0x20  # of `tfhd`
_OFFSET, _EACH_DURATION, _EACH_SIZE = 0x1, 0x100, 0x200  # of `trun`
_NEEDS_NO_OTHER = 0x02000000
_LONGEST = 2.0  # seconds of a fragment of a notice
# Where the duration is in some boxes, by their version; each as wide as a number of that version.
_DURATIONS = {b"mvhd": (16, 24), b"mdhd": (16, 24), b"tkhd": (20, 28), b"mehd": (4, 4)}


@dataclass(frozen=True, slots=True)
class Cut:
    """Something that comes in the place of bytes of the file: nothing in the place of older notices."""

    start: int
    stop: int
    data: bytes


class Fragmenting:
    """One file.

    Args:
        source: The file.
        moofs: Where its fragments start.
        table: Its packets.
        stretches: The notices, in order.
        units: Units of the track in a second, and samples.
    """

    def __init__(
        self,
        source: BinaryIO,
        moofs: Sequence[int],
        table: Table,
        stretches: Sequence[Stretch],
        units: tuple[int, int],
    ) -> None:
        self._source, self._table, self._stretches = source, table, stretches
        self._media, self._rate = units
        self._tree = Tree.read(source, NO_LIMITS)
        self._moofs = moofs
        self._numbers = np.searchsorted(table.place, moofs).tolist()  # of the first packet of each
        self._starts = [self._start(one.first) for one in stretches]
        self._fresh = [0, *accumulate(map(self._grown, stretches))]  # fragments more behind each

    def pieces(self, shift: Shift) -> Iterator[Piece]:
        """The file."""
        known = list(self._tree.all())
        told = self._told(known)
        cuts = [
            cut
            for stretch, start in zip(self._stretches, self._starts, strict=True)
            for cut in self._cuts(stretch, start, told[start])
        ]
        places = _Places(cuts)
        changes = [
            Cut(p.start, p.start + len(p.data), p.data)
            for p in self._patches(
                [one for one in known if not self._is_gone(one[1].start)], places, shift
            )
        ]
        at = 0
        for cut in sorted([*cuts, *changes], key=lambda one: (one.start, one.stop)):
            if cut.start < at:  # within what is left out
                continue
            yield Span(at, cut.start)
            yield cut.data
            at = cut.stop
        yield Span(at, len(self._tree.data))

    # --- notices ----------------------------------------------------------------------------------------------------

    def _cuts(self, stretch: Stretch, start: int, told: Mapping[bytes, Box]) -> Iterator[Cut]:
        """The fragments of a notice, and those of an older one that go."""
        yield Cut(start, start, b"".join(self._fragments(stretch, start, told)))
        if stretch.behind > stretch.first:
            stop = self._start(stretch.behind)
            for box in self._tree.top:
                if start <= box.start < stop and box.kind in {b"moof", b"mdat"}:
                    yield Cut(box.start, box.stop, b"")

    def _told(self, known: Sequence[Known]) -> dict[int, dict[bytes, Box]]:
        """The boxes of each fragment before which a notice goes."""
        found: dict[int, dict[bytes, Box]] = {start: {} for start in self._starts}
        for path, box in known:
            if path[:1] == (b"moof",):
                moof = self._moofs[max(bisect_right(self._moofs, box.start) - 1, 0)]
                if moof in found:
                    found[moof][box.kind] = box
        return found

    def _grown(self, stretch: Stretch) -> int:
        """How many fragments there are more because of a notice."""
        found = sum(1 for _ in self._groups(stretch))
        if stretch.behind == stretch.first:
            return found
        start, stop = (self._start(packet) for packet in (stretch.first, stretch.behind))
        return found - bisect_left(self._moofs, stop) + bisect_left(self._moofs, start)

    def _start(self, packet: int) -> int:
        """Where the fragment starts that begins with a packet."""
        return self._moofs[max(bisect_right(self._numbers, packet) - 1, 0)]

    def _fragments(
        self, stretch: Stretch, start: int, told: Mapping[bytes, Box]
    ) -> Iterator[bytes]:
        if not {b"mfhd", b"tfhd"} <= set(told):
            raise MediaProblem("damaged", detail_word="cut")
        number = self._number(told[b"mfhd"]) + self._fresh[bisect_left(self._starts, start)]
        track, flags = self._header(told[b"tfhd"])
        time = self._time(told[b"tfdt"]) if b"tfdt" in told else -1
        at = stretch.before
        for packets in self._groups(stretch):
            lengths = [self._length(packet) for packet in packets]
            bounds = np.array([self._ticks(n) for n in np.cumsum([at, *lengths]).tolist()])
            rows = np.stack((np.diff(bounds), [len(packet) for packet in packets]), 1)
            begin = time + int(bounds[0]) if time >= 0 else -1
            moof = _moof(number, (track, flags), begin, rows.astype(">u4").tobytes())
            yield moof + pack(b"mdat", *packets)
            at, number = at + sum(lengths), number + 1

    def _groups(self, stretch: Stretch) -> Iterator[list[bytes]]:
        """The packets of a notice, those of a fragment at a time."""
        group: list[bytes] = []
        held = 0
        for packet in stretch.notice:
            if held >= _LONGEST * self._rate:
                yield group
                group, held = [], 0
            group.append(packet)
            held += self._length(packet)
        if group:
            yield group

    def _length(self, packet: bytes) -> int:
        return self._table.coding.length(packet[:HEAD], len(packet))

    # --- moments ----------------------------------------------------------------------------------------------------

    def _patches(self, known: Sequence[Known], places: _Places, shift: Shift) -> Iterator[Patch]:
        """Everything that is told of places and moments."""
        try:
            yield from offsets.moved(self._tree, places, b"tfhd")
        except OverflowError as error:
            raise MediaProblem("damaged", detail_word="too-long") from error
        film = self._film(known)
        for path, box in known:
            if box.kind == b"mfhd":
                more = self._fresh[bisect_right(self._starts, box.start)]
                yield Patch(box.body + 4, _wide(max(self._number(box) + more, 0), 4))
            elif box.kind == b"tfdt":
                yield self._stored(box, 4, self._time(box) + self._ticks(self._late(box.start)))
            elif box.kind == b"tfra":
                yield self._entries(box, places)
            elif box.kind == b"sidx" and not path:
                yield self._index(box, places)
            elif box.kind in _DURATIONS:
                units = self._media if box.kind == b"mdhd" else film
                yield from self._longer(box, round(shift.total * units / self._rate))
            elif box.kind == b"elst":
                yield from self._edited(box, round(shift.total * film / self._rate))

    def _late(self, start: int) -> int:
        """By how many samples a fragment of the source begins later."""
        number = bisect_right(self._starts, start)
        return self._stretches[number - 1].after if number else 0

    def _is_gone(self, start: int) -> bool:
        """Whether something of the source is of a fragment of an older notice, which goes."""
        number = bisect_right(self._starts, start) - 1
        return number >= 0 and start < self._start(self._stretches[number].behind)

    def _entries(self, box: Box, places: _Places) -> Patch:
        """A table of places to begin at."""
        data = bytearray(self._tree.data[box.body : box.stop])
        width = 8 if data[:1] == b"\1" else 4
        sizes, count = int.from_bytes(data[8:12]), int.from_bytes(data[12:16])
        step = 2 * width + sum((sizes >> by & 3) + 1 for by in (0, 2, 4))
        begins: dict[
            int, int
        ] = {}  # of notices that take the place of others, all of which they begin for
        for at in range(16, min(16 + count * step, len(data) - step + 1), step):
            time, place = (int.from_bytes(data[i : i + width]) for i in (at, at + width))
            if self._is_gone(place):
                number = bisect_right(self._starts, place) - 1
                later = begins.setdefault(
                    number, time + self._ticks(self._stretches[number].before)
                )
                place = places.before(self._starts[number])
            else:
                later = time + self._ticks(self._late(place))
                place = places(place)
            data[at : at + 2 * width] = _wide(later, width) + _wide(place, width)
        return Patch(box.body, bytes(data))

    def _index(self, box: Box, places: _Places) -> Patch:
        """An index of stretches of the file: how long each is, in bytes and in time."""
        data = bytearray(self._tree.data[box.body : box.stop])
        width = 8 if data[:1] == b"\1" else 4
        units = int.from_bytes(data[8:12])
        first = box.stop + int.from_bytes(data[12 + width : 12 + 2 * width])
        at, count = 12 + 2 * width + 4, int.from_bytes(data[14 + 2 * width : 16 + 2 * width])
        begin = int.from_bytes(data[12 : 12 + width])
        begin += self._within(0, first, units)
        moved = places.before(first) - places.before(box.stop)
        data[12 : 12 + 2 * width] = _wide(begin, width) + _wide(moved, width)
        for row in range(at, min(at + 12 * count, len(data) - 11), 12):
            head = int.from_bytes(data[row : row + 4])
            stop = first + (head & 0x7FFFFFFF)
            size = places.before(stop) - places.before(first)
            lasts = int.from_bytes(data[row + 4 : row + 8]) + self._within(first, stop, units)
            if size >= 1 << 31:
                raise MediaProblem("damaged", detail_word="too-long")
            data[row : row + 8] = _wide(head & 1 << 31 | size, 4) + _wide(lasts, 4)
            first = stop
        return Patch(box.body, bytes(data))

    def _within(self, start: int, stop: int, units: int) -> int:
        """How long the notices last that stand in a stretch of the file."""
        within = self._stretches[bisect_left(self._starts, start) : bisect_left(self._starts, stop)]
        found = sum(one.after - one.before for one in within)
        return round(found * units / self._rate)

    def _longer(self, box: Box, more: int) -> Iterator[Patch]:
        """A duration, if one is told."""
        wide = self._tree.data[box.body : box.body + 1] == b"\1"
        at, width = _DURATIONS[box.kind][wide], 8 if wide else 4
        found = int.from_bytes(self._tree.data[box.body + at : box.body + at + width])
        if found and found != (1 << 8 * width) - 1 and box.body + at + width <= box.stop:
            yield Patch(box.body + at, _wide(found + more, width))

    def _edited(self, box: Box, more: int) -> Iterator[Patch]:
        """The duration of the last edit, if it tells one."""
        width = 8 if self._tree.data[box.body : box.body + 1] == b"\1" else 4
        count = int.from_bytes(self._tree.data[box.body + 4 : box.body + 8])
        at = box.body + 8 + (count - 1) * (2 * width + 4)
        if count and at + 2 * width + 4 <= box.stop:
            found = int.from_bytes(self._tree.data[at : at + width])
            if found:
                yield Patch(at, _wide(found + more, width))

    # --- what is read -----------------------------------------------------------------------------------------------

    def _number(self, box: Box) -> int:
        return int.from_bytes(self._tree.data[box.body + 4 : box.body + 8])

    def _header(self, box: Box) -> tuple[int, int]:
        """Number of the track, and whether what its runs tell counts from their fragment."""
        data = self._tree.data[box.body : box.body + 8]
        return int.from_bytes(data[4:8]), int.from_bytes(data[1:4]) & _FROM_MOOF

    def _time(self, box: Box) -> int:
        width = 8 if self._tree.data[box.body : box.body + 1] == b"\1" else 4
        return int.from_bytes(self._tree.data[box.body + 4 : box.body + 4 + width])

    def _stored(self, box: Box, at: int, value: int) -> Patch:
        width = 8 if self._tree.data[box.body : box.body + 1] == b"\1" else 4
        return Patch(box.body + at, _wide(value, width))

    def _film(self, known: Sequence[Known]) -> int:
        """Units of the film in a second."""
        box = next((box for _, box in known if box.kind == b"mvhd"), None)
        if box is None:
            raise MediaProblem("damaged", detail_word="no-header")
        at = box.body + (20 if self._tree.data[box.body : box.body + 1] == b"\1" else 12)
        return int.from_bytes(self._tree.data[at : at + 4]) or 1

    def _ticks(self, samples: int) -> int:
        return samples * self._media // self._rate


class _Places:
    """Where bytes of the file come to lie.

    Args:
        cuts: What comes in or goes.
    """

    def __init__(self, cuts: Sequence[Cut]) -> None:
        ordered = sorted(cuts, key=lambda one: (one.start, one.stop))
        self._starts = [one.start for one in ordered]
        grown = [len(one.data) - (one.stop - one.start) for one in ordered]
        self._grown = np.concatenate(([0], np.cumsum(np.array(grown, np.int64)))).tolist()
        self._put = {one.start: len(one.data) for one in ordered if one.data}

    def __call__(self, old: int) -> int:
        """The new place of a byte; it is behind what comes in before it."""
        return self.before(old) + self._put.get(old, 0)

    def before(self, old: int) -> int:
        """The new place of a byte, or of what comes in before it."""
        return old + int(self._grown[bisect_left(self._starts, old)])


def _moof(number: int, header: tuple[int, int], time: int, rows: bytes) -> bytes:
    """A fragment with one run, before its data."""
    track, flags = header
    inner = [
        pack(b"tfhd", (flags | _FLAGS).to_bytes(4), track.to_bytes(4), _NEEDS_NO_OTHER.to_bytes(4))
    ]
    if time >= 0:
        inner.append(pack(b"tfdt", b"\1\0\0\0", _wide(time, 8)))
    told = (_OFFSET | _EACH_DURATION | _EACH_SIZE).to_bytes(4) + (len(rows) // 8).to_bytes(4)
    before = pack(b"mfhd", bytes(4), _wide(number, 4))
    run = 8 + len(told) + 4 + len(rows)
    whole = 8 + len(before) + 8 + sum(map(len, inner)) + run
    inner.append(pack(b"trun", told, (whole + 8).to_bytes(4), rows))
    return pack(b"moof", before, pack(b"traf", *inner))


def _wide(value: int, width: int) -> bytes:
    """A number in so many bytes.

    Raises:
        MediaProblem: It does not fit.
    """
    if not 0 <= value < 1 << 8 * width:
        raise MediaProblem("damaged", detail_word="too-long")
    return value.to_bytes(width)
