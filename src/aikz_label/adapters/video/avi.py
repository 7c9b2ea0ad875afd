"""AVI with its extension for large files (OpenDML 1.02): frames are chunks, and up to three indices tell where they are."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import BinaryIO, ClassVar

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.video import film, riff
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Film, Numbers, Recoded, Slots
from aikz_label.adapters.video.riff import Chunk
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.limits import MIB, Limits
from aikz_label.values import replace

_MOST_CHUNKS = 5_000_000
_DEEPEST = 4
_KEY = 0x10  # flag of an entry of `idx1`
_DELTA = 1 << 31  # of a size in `ix##`: no keyframe
_INDEX = 24  # bytes of an index of OpenDML before its entries


class Avi(Film):
    """One file."""

    reorders: ClassVar[bool] = False
    suffixes: ClassVar[frozenset[bytes]] = frozenset({b"dc", b"db"})  # of names of its chunks

    def __init__(self, source: BinaryIO) -> None:
        self._end = source.seek(0, io.SEEK_END)
        self._lists: list[Chunk] = []
        self._tables: list[Chunk] = []
        self._head: Chunk | None = None
        frames: list[Chunk] = []
        streams = 0
        self._name = b""
        for count, chunk in enumerate(_all(source, self._end)):
            if count > _MOST_CHUNKS:
                raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MOST_CHUNKS)
            if chunk.form:
                self._lists.append(chunk)
            elif chunk.kind == b"strh":
                self._take_head(source, chunk, streams)
                streams += 1
            elif chunk.kind[:2] == self._name and chunk.kind[2:] in self.suffixes:
                frames.append(chunk)
            elif chunk.kind in {b"idx1", b"indx"} or chunk.kind[:2] == b"ix":
                self._tables.append(chunk)
        if self._head is None or not frames:
            raise film.no_picture()
        self._frames: list[Chunk] = [chunk for chunk in frames if chunk.stop > chunk.body]
        shown = [i for i, chunk in enumerate(frames) if chunk.stop > chunk.body]
        self.slots = self._slots(source, np.array(shown, np.int64))

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits) -> Film:  # noqa: ARG003  # frames are no parts
        """See `Film.parse`."""
        return cls(source)

    def _take_head(self, source: BinaryIO, chunk: Chunk, number: int) -> None:
        data = _content(source, chunk)
        if data[:4] != b"vids":
            return
        if self._head is not None:
            raise film.variant("it has several pictures, each of which would need a notice")
        if len(data) < 40:
            raise film.damaged()
        scale, rate = struct.unpack_from("<2I", data, 20)
        if not scale or not rate:
            raise film.damaged()
        self._head, self._name = chunk, b"%02d" % number
        self.time_base = Fraction(scale, rate)
        self.tag = data[4:8].decode("latin-1")

    def _slots(self, source: BinaryIO, shown: Numbers) -> Slots:
        start = np.array([chunk.body for chunk in self._frames], np.int64)
        size = np.array([chunk.stop - chunk.body for chunk in self._frames], np.int64)
        told = self._keys(source)
        key = np.array([told.get(chunk.start, False) for chunk in self._frames], np.bool_)
        self._told = np.array([chunk.start in told for chunk in self._frames], np.bool_)
        if not key.any():
            key[0] = True
        return Slots(start, size, shown, key)

    def merged(self, recoded: Sequence[Recoded]) -> Slots:
        """See `Film.merged`: of a frame in no index, nobody says that it is a keyframe."""
        new = super().merged(recoded)
        return replace(new, key=np.where(self._told, new.key, self.slots.key))

    def _keys(self, source: BinaryIO) -> dict[int, bool]:
        """Where chunks start that an index tells of, and whether it calls them keyframes."""
        found: dict[int, bool] = {}
        for table in self._tables:
            data = _content(source, table)
            if table.kind == b"idx1":
                base = self._base(data)
                for name, flags, offset, _ in struct.iter_unpack(
                    "<4s3I", data[: len(data) // 16 * 16]
                ):
                    if name[:2] == self._name:
                        found[base + offset] = bool(flags & _KEY) or found.get(base + offset, False)
            elif table.kind[2:] == self._name:
                base = struct.unpack_from("<Q", data, 12)[0] if len(data) >= _INDEX else 0
                for place, size in _entries(data):
                    start = base + place - 8
                    found[start] = not size & _DELTA or found.get(start, False)
        return found

    def _base(self, data: bytes) -> int:
        """What the offsets in `idx1` count from: the list of frames, or the file."""
        movi = next((c for c in self._lists if c.form == b"movi"), None)
        if movi is None or len(data) < 16:
            return 0
        first = struct.unpack_from("<I", data, 8)[0]
        kind = movi.body - 4  # what offsets count from is the name of the list
        return 0 if first >= kind else kind

    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,  # noqa: ARG002  # here every keyframe brings what decoders need
    ) -> None:
        """See `Film.write`."""
        edits: list[Edit] = []
        changed: dict[int, tuple[int, bool]] = {}
        for run in recoded:
            for i in range(len(run)):
                chunk, size = self._frames[run.first + i], int(run.size[i])
                changed[chunk.start] = (size, bool(run.key[i]))
                end = min(self._end, chunk.stop + (chunk.stop & 1))
                head = size.to_bytes(4, "little")
                tail = b"\0" * (size & 1)
                edits.append(Edit(chunk.start + 4, end, head, int(run.start[i]), size, tail))
        edits += self._buffer_edit(source, recoded)
        splice = Splice([*edits, *self._list_edits(edits)])
        tables = [
            edit
            for table in self._tables
            for edit in self._table_edit(source, table, splice, changed)
        ]
        Splice([*edits, *tables, *self._list_edits(edits)]).write(source, spool, destination)

    def _buffer_edit(self, source: BinaryIO, recoded: Sequence[Recoded]) -> Iterator[Edit]:
        """The length of the longest chunk, for which readers make room."""
        assert self._head is not None
        at = self._head.body + 36
        source.seek(at)
        old = int.from_bytes(source.read(4), "little")
        new = max((int(run.size.max()) for run in recoded), default=0)
        if old and new > old:
            yield Edit(at, at + 4, new.to_bytes(4, "little"))

    def _list_edits(self, edits: Sequence[Edit]) -> Iterator[Edit]:
        starts = np.array([edit.start for edit in edits], np.int64)
        growth = np.array([edit.growth for edit in edits], np.int64)
        for found in self._lists:
            body = found.start + 8
            grown = int(growth[(starts >= body) & (starts < found.stop)].sum())
            size = found.stop - body + grown
            if size >= 2**32:
                raise film.variant("it would become longer than AVI can be")
            if grown:
                yield Edit(found.start + 4, found.start + 8, size.to_bytes(4, "little"))

    def _table_edit(
        self, source: BinaryIO, table: Chunk, splice: Splice, changed: dict[int, tuple[int, bool]]
    ) -> Iterator[Edit]:
        """An index with new offsets, sizes and flags, in place."""
        data = bytearray(_content(source, table))
        if table.kind == b"idx1":
            self._old_index(data, splice, changed)
        elif table.kind == b"indx" and len(data) >= _INDEX and data[3] == 0:
            _super_index(data, splice)
        elif len(data) >= _INDEX:
            _new_index(data, splice, changed)
        yield Edit(table.body, table.body + len(data), bytes(data))

    def _old_index(
        self, data: bytearray, splice: Splice, changed: dict[int, tuple[int, bool]]
    ) -> None:
        base = self._base(bytes(data))
        new_base = splice.moved_one(base)
        for at in range(0, len(data) // 16 * 16, 16):
            flags, offset, size = struct.unpack_from("<3I", data, at + 4)
            old = base + offset
            if old in changed:
                size, key = changed[old]
                flags = flags & ~_KEY | (_KEY if key else 0)
            moved = splice.moved_one(old) - new_base
            struct.pack_into("<3I", data, at + 4, flags, moved & 0xFFFFFFFF, size)


def _super_index(data: bytearray, splice: Splice) -> None:
    count = min(int.from_bytes(data[4:8], "little"), (len(data) - _INDEX) // 16)
    for at in range(_INDEX, _INDEX + 16 * count, 16):
        old = int.from_bytes(data[at : at + 8], "little")
        if old < 2**62:
            data[at : at + 8] = splice.moved_one(old).to_bytes(8, "little")


def _new_index(data: bytearray, splice: Splice, changed: dict[int, tuple[int, bool]]) -> None:
    base = int.from_bytes(data[12:20], "little")
    if base >= 2**62 or data[2] or int.from_bytes(data[:2], "little") != 2:
        raise film.variant("its index tells fields, not frames")
    entries = list(_entries(bytes(data)))
    new_base = splice.moved_one(base)
    data[12:20] = new_base.to_bytes(8, "little")
    for place, (offset, size) in enumerate(entries):
        start, told = base + offset - 8, size
        if start in changed:
            length, key = changed[start]
            told = length | (0 if key else _DELTA)
        moved = splice.moved_one(start) + 8 - new_base
        if not 0 <= moved < 2**32:
            raise film.variant("it would become longer than its index can tell")
        struct.pack_into("<2I", data, _INDEX + 8 * place, moved, told)


def _entries(data: bytes) -> Iterator[tuple[int, int]]:
    """Offset and size of every frame in an index of OpenDML."""
    count = min(int.from_bytes(data[4:8], "little"), max(0, len(data) - _INDEX) // 8)
    yield from struct.iter_unpack("<2I", data[_INDEX : _INDEX + 8 * count])


def _all(source: BinaryIO, size: int) -> Iterator[Chunk]:
    """All chunks and lists, lists before what is in them.

    Raises:
        MediaProblem: One reaches beyond the list it lies in.
    """
    for chunk in riff.outermost(source, size, _MOST_CHUNKS):
        yield chunk
        yield from _inside(source, chunk, _DEEPEST)


def _inside(source: BinaryIO, parent: Chunk, depth: int) -> Iterator[Chunk]:
    for chunk in riff.walk(source, parent.body, parent.stop, _MOST_CHUNKS):
        yield chunk
        if chunk.form and depth > 1:
            yield from _inside(source, chunk, depth - 1)


def _content(source: BinaryIO, chunk: Chunk) -> bytes:
    if chunk.stop - chunk.body > 64 * MIB:
        raise film.damaged()
    source.seek(chunk.body)
    return source.read(chunk.stop - chunk.body)
