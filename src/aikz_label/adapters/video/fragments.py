"""Fragmented MP4: frames lie where the runs of each fragment say (ISO/IEC 14496-12, 8.8)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from aikz_label.adapters.image.bmff import Box, Fields, pack, walk
from aikz_label.adapters.video import film, offsets, tables
from aikz_label.adapters.video.boxes import Tree
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Recoded, Slots
from aikz_label.adapters.video.isobmff import IsoFilm, frame_edits, headers
from aikz_label.adapters.video.isotracks import Track
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.limits import MIB, NO_LIMITS, Limits
from aikz_label.values import dataclass, field

_MOST = 5_000_000  # frames
_MAX_MOOF = 16 * MIB
_BASE, _DURATION, _SIZE, _FLAGS, _FROM_MOOF = 0x1, 0x8, 0x10, 0x20, 0x20000  # of `tfhd`
_OFFSET, _FIRST = 0x1, 0x4  # of `trun`
_EACH_DURATION, _EACH_SIZE, _EACH_FLAGS, _EACH_LATER = 0x100, 0x200, 0x400, 0x800
_NOT_KEY = 0x10000  # flag of a frame
_KEY_FLAGS, _OTHER_FLAGS = 0x02000000, 0x01010000  # needs no other; needs others, and is no key
_STALE = (b"sdtp", b"subs", b"sbgp", b"sgpd")


@dataclass(slots=True)
class Run:
    """A run of frames.

    Attributes:
        box: The `trun`, in the file.
        base: What its offset counts from.
        start: Where its first frame lies.
        first: Its first slot; -1 for other tracks.
        count: How many frames.
        durations: Those that it tells, one for each frame, or none.
    """

    box: Box
    base: int
    start: int
    first: int
    count: int
    durations: list[int] = field(default_factory=list)


class Fragmented(IsoFilm):
    """A file of fragments."""

    def __init__(
        self,
        tops: tuple[Box, ...],
        moov: bytes,
        tracks: tuple[Track, ...],
        picture: Track,
        source: BinaryIO,
        limits: Limits,
    ) -> None:
        self._runs: list[Run] = []
        self._inner: list[Box] = []  # fragments and those of tracks, whose lengths change
        self._gone: list[Box] = []
        self._tree = Tree.read(source, limits)
        self._file = source
        super().__init__(tops, moov, tracks, picture)

    def _read_slots(self) -> Slots:
        moov, rows = self._moov, _Rows(min(_MOST, self._tops[-1].stop))
        if tables.sizes(
            self._picture.body(moov, b"stsz"), self._picture.body(moov, b"stz2"), _MOST
        ).size:
            raise film.variant("some of its frames are outside its fragments")
        default = _defaults(moov, self.track)
        for top in self._tops:
            if top.kind == b"moof":
                self._read_fragment(top, rows, default)
        if not rows.start:
            raise film.no_picture()
        slots = rows.slots()
        if int((slots.start + slots.size).max()) > self._tops[-1].stop:
            raise film.damaged()
        return slots

    def _read_fragment(self, top: Box, rows: _Rows, default: tuple[int, int, int]) -> None:
        if top.stop - top.start > _MAX_MOOF:
            raise film.damaged()
        self._file.seek(top.start)
        data = self._file.read(top.stop - top.start)
        self._inner.append(top)
        at = top.body - top.start
        end = top.start  # where the next run begins that does not say so
        for box in walk(data, at, len(data), _LIMIT):
            if box.kind == b"traf":
                self._inner.append(_shifted(box, top.start))
                end = self._read_track(data, box, top.start, end, rows, default)

    def _read_track(
        self,
        data: bytes,
        traf: Box,
        moof: int,
        end: int,
        rows: _Rows,
        default: tuple[int, int, int],
    ) -> int:
        inner = walk(data, traf.body, traf.stop, _LIMIT)
        head = next((box for box in inner if box.kind == b"tfhd"), None)
        if head is None:
            raise film.damaged()
        fields = Fields(data[head.body : head.stop])
        _, flags = fields.version()
        ours = fields.number(4) == self.track
        explicit = bool(flags & _BASE)
        base = fields.number(8) if explicit else moof if flags & _FROM_MOOF else end
        if not explicit and not flags & _FROM_MOOF and end == moof:
            base = moof
        fields.take(4 if flags & 2 else 0)
        told = tuple(
            fields.number(4) if flags & bit else old
            for bit, old in zip((_DURATION, _SIZE, _FLAGS), default, strict=True)
        )
        time = next((_decode_time(data, box) for box in inner if box.kind == b"tfdt"), rows.time)
        if ours:
            rows.time = time
            self._gone += [_shifted(box, moof) for box in inner if box.kind in _STALE]
            if any(box.kind in {b"senc", b"saiz"} for box in inner):
                raise film.encrypted()
        for box in inner:
            if box.kind == b"trun":
                run = Run(_shifted(box, moof), base, 0, rows.count if ours else -1, 0)
                end = _read_run(data[box.body : box.stop], run, end, rows if ours else None, told)
                self._runs.append(run)
        return end

    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        """See `Film.write`."""
        new = self.merged(recoded)
        fixed = list(frame_edits(self.slots, recoded))
        fixed += [Edit(box.start, box.stop) for box in self._gone]
        fixed += self._described(setup.box)
        # runs have the same length whatever offset stands in them
        splice = self._whole([*fixed, *(self._run_edit(run, new, None) for run in self._runs)])
        last = [*fixed, *(self._run_edit(run, new, splice) for run in self._runs)]
        last += list(self._moved_places(splice, last))
        last += [
            edit for top in self._tops if top.kind == b"sidx" for edit in self._index(top, splice)
        ]
        self._whole(last).write(source, spool, destination)

    def _moved_places(self, splice: Splice, edits: list[Edit]) -> Iterator[Edit]:
        """The places that other boxes tell, as far as they are not replaced anyway."""
        ordered = sorted((edit.start, edit.stop) for edit in edits)
        starts = [start for start, _ in ordered]
        for patch in offsets.moved(self._tree, splice.moved_one, b"tfra", b"tfhd", b"stco"):
            before = bisect_right(starts, patch.start) - 1
            if before < 0 or patch.start >= ordered[before][1]:
                yield Edit(patch.start, patch.start + len(patch.data), patch.data)

    def _described(self, setup: bytes) -> Iterator[Edit]:
        if setup:
            yield self._setup_edit(setup)

    def _whole(self, edits: list[Edit]) -> Splice:
        return self._spliced([*edits, *headers(self._inner, edits)], edits)

    def _run_edit(self, run: Run, new: Slots, splice: Splice | None) -> Edit:
        """A run that tells sizes and flags of each of its frames; of other tracks, only where they begin."""
        base = run.base if splice is None else splice.moved_one(run.base)
        start = run.start if splice is None else splice.moved_one(run.start)
        offset = start - base
        if not -(2**31) <= offset < 2**31:
            raise film.variant("a fragment would become too long")
        self._file.seek(run.box.body)
        body = self._file.read(run.box.stop - run.box.body)
        if run.first < 0:
            return _moved_run(run, body, offset)
        where = slice(run.first, run.first + run.count)
        assert new.decoded is not None
        later = (new.shown - new.decoded)[where]
        flags = np.where(new.key[where], _KEY_FLAGS, _OTHER_FLAGS)
        columns = [new.size[where], flags, later]
        bits = _OFFSET | _EACH_SIZE | _EACH_FLAGS | _EACH_LATER
        if run.durations:
            columns.insert(0, np.array(run.durations))
            bits |= _EACH_DURATION
        rows = (np.stack(columns, 1) & 0xFFFFFFFF).astype(">u4").tobytes()
        head = struct.pack(">BBHIi", 1, bits >> 16, bits & 0xFFFF, run.count, offset)
        return Edit(run.box.start, run.box.stop, pack(b"trun", head, rows))

    def _index(self, top: Box, splice: Splice) -> Iterator[Edit]:
        """An index of segments, whose lengths follow from where their borders come to lie."""
        self._file.seek(top.body)
        data = bytearray(self._file.read(top.stop - top.body))
        at, half = (20, 8) if data[:1] != b"\0" else (16, 4)
        first = int.from_bytes(data[at : at + half], "big")
        if len(data) < at + half + 4 or first >= 2**62:
            raise film.damaged()
        old = top.stop + first
        moved = splice.moved_one(old) - splice.moved_one(top.stop)
        if moved >= 1 << 8 * half:
            raise film.variant("it would become longer than its index can tell")
        data[at : at + half] = moved.to_bytes(half, "big")
        count = int.from_bytes(data[at + half + 2 : at + half + 4], "big")
        for place in range(at + half + 4, min(len(data) - 11, at + half + 4 + 12 * count), 12):
            word = int.from_bytes(data[place : place + 4], "big")
            after = old + (word & 0x7FFFFFFF)
            size = splice.moved_one(after) - splice.moved_one(old)
            data[place : place + 4] = (word & 0x80000000 | size & 0x7FFFFFFF).to_bytes(4, "big")
            old = after
        yield Edit(top.body, top.stop, bytes(data))


_LIMIT = Limits(max_parts=10_000)
_NEVER = 1 << 62  # bytes, and units of time


class _Rows:
    """Frames as they are found, of which there can be no more than bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.start: list[int] = []
        self.size: list[int] = []
        self.decoded: list[int] = []
        self.shown: list[int] = []
        self.key: list[bool] = []
        self.time = 0

    @property
    def count(self) -> int:
        return len(self.start)

    def add(self, start: int, size: int, lasts: int, later: int, flags: int) -> None:
        if self.count >= self._most or not 0 <= start < _NEVER or self.time >= _NEVER:
            raise film.damaged()
        self.start.append(start)
        self.size.append(size)
        self.decoded.append(self.time)
        self.shown.append(self.time + later)
        self.key.append(not flags & _NOT_KEY)
        self.time += lasts

    def slots(self) -> Slots:
        columns = (self.start, self.size, self.shown, self.decoded)
        start, size, shown, decoded = (np.array(column, np.int64) for column in columns)
        return Slots(start, size, shown, np.array(self.key, np.bool_), decoded)


def _read_run(body: bytes, run: Run, end: int, rows: _Rows | None, told: tuple[int, ...]) -> int:
    """Take a run apart; returns where it ends."""
    fields = Fields(body)
    _, flags = fields.version()
    run.count = fields.number(4)
    run.start = run.base + fields.signed(4) if flags & _OFFSET else max(end, run.base)
    first_flags = fields.number(4) if flags & _FIRST else None
    duration, size, default_flags = told
    at = run.start
    for place in range(run.count):
        lasts = fields.number(4) if flags & _EACH_DURATION else duration
        length = fields.number(4) if flags & _EACH_SIZE else size
        mine = fields.number(4) if flags & _EACH_FLAGS else default_flags
        later = fields.signed(4) if flags & _EACH_LATER else 0
        if place == 0 and first_flags is not None:
            mine = first_flags
        if rows is not None:
            rows.add(at, length, lasts, later, mine)
            if flags & _EACH_DURATION:
                run.durations.append(lasts)
        elif not flags & (_EACH_DURATION | _EACH_SIZE | _EACH_FLAGS | _EACH_LATER):
            return at + length * run.count
        at += length
    return at


def _moved_run(run: Run, body: bytes, offset: int) -> Edit:
    """A run of another track that says where it begins."""
    flags = int.from_bytes(body[1:4], "big")
    rest = body[12:] if flags & _OFFSET else body[8:]
    head = body[:1] + (flags | _OFFSET).to_bytes(3, "big") + body[4:8]
    moved = pack(b"trun", head, offset.to_bytes(4, "big", signed=True), rest)
    return Edit(run.box.start, run.box.stop, moved)


def _decode_time(data: bytes, box: Box) -> int:
    fields = Fields(data[box.body : box.stop])
    version, _ = fields.version()
    return fields.number(8 if version else 4)


def _defaults(moov: bytes, track: int) -> tuple[int, int, int]:
    """Duration, size and flags of frames where nothing else is said."""
    head = 16 if moov[:4] == b"\0\0\0\1" else 8
    for box in walk(moov, head, len(moov), NO_LIMITS):
        if box.kind == b"mvex":
            for child in walk(moov, box.body, box.stop, _LIMIT):
                if child.kind == b"trex":
                    fields = Fields(moov[child.body : child.stop])
                    fields.version()
                    if fields.number(4) == track:
                        fields.take(4)
                        return fields.number(4), fields.number(4), fields.number(4)
    return 0, 0, 0


def _shifted(box: Box, by: int) -> Box:
    return Box(box.kind, box.start + by, box.body + by, box.stop + by)
