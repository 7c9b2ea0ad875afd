"""Matroska and WebM (RFC 9559): frames lie in blocks, blocks in clusters, and an index tells where some of them are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.video import film, index, mkvtracks
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Film, Recoded, Slots
from aikz_label.adapters.video.mkvtracks import ENTRY, PRIVATE, Entry
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import (
    CLUSTER,
    CRC,
    CUES,
    INFO,
    SEEK_HEAD,
    TRACKS,
    Broken,
    Document,
    Element,
)
from aikz_label.limits import Limits
from aikz_label.values import dataclass

_SCALE, _TIME = 0x2AD7B1, 0xE7
_SIMPLE, _GROUP, _BLOCK, _DURATION, _REFERENCE = 0xA3, 0xA0, 0xA1, 0x9B, 0xFB
_ADDITIONS = 0x75A1
_KEY, _HIDDEN, _LACED = 0x80, 0x08, 0x06  # flags of a block
_ADDED = b"\x75\xa1 additions"  # stands for what is not kept
_MOST_BLOCKS = 5_000_000
_PLAIN = ("V_MPEG4/ISO/AVC", "V_MPEGH/ISO/HEVC", "V_AV1")
_IN_BAND = ("V_VP8", "V_VP9", "V_MJPEG", "V_MPEG1", "V_MPEG2", "V_PRORES")


@dataclass(frozen=True, slots=True)
class Block:
    """A frame's block.

    Attributes:
        outer: The element in the cluster: the block itself, or its group.
        head: What stands before the frame in the block: track, time, flags.
        cluster: Number of its cluster.
        group: It is in a group.
        kept: Of a group, what stays: its duration and such.
    """

    outer: Element
    head: bytes
    cluster: int
    group: bool
    kept: bytes


class Matroska(Film):
    """One file."""

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        document = Document.read(source, limits.max_parts)
        self._segment, self._tops = document.segment, document.parts
        self.time_base = Fraction(self._number_in(source, INFO, _SCALE) or 1_000_000, 10**9)
        self._entry = self._find_entry(source)
        self.track, self.tag = self._entry.number, self._entry.tag
        self.setup, self.lengths = self._entry.setup, self._entry.lengths
        self.mixes = self._entry.packing is None
        self._blocks: list[Block] = []
        self._times: dict[int, int] = {}  # of clusters
        self._clusters = [top for top in self._tops if top.name == CLUSTER]
        self.slots = self._read_slots(source)

    def load(self, data: bytes) -> bytes:
        """See `Film.load`: Matroska leaves the head of a frame of ProRes out, and packs frames where a track says so."""
        if self._entry.packing is not None:
            data = self._entry.packing.unpacked(data)
        if self._entry.codec == "V_PRORES":
            return (len(data) + 8).to_bytes(4, "big") + b"icpf" + data
        return data

    def store(self, data: bytes) -> bytes:
        """See `Film.store`."""
        return data[8:] if self._entry.codec == "V_PRORES" else data

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits) -> Film:
        """See `Film.parse`."""
        with _whole():
            return cls(source, limits)

    def _number_in(self, source: BinaryIO, top: int, kind: int) -> int:
        for parent in self._tops:
            if parent.name == top:
                for child in ebml.children(source, parent, _MOST_BLOCKS):
                    if child.name == kind:
                        return ebml.number(source, child)
        return 0

    def _find_entry(self, source: BinaryIO) -> Entry:
        return mkvtracks.picture(source, self._tops)

    def _read_slots(self, source: BinaryIO) -> Slots:
        rows: list[tuple[int, int, int, bool]] = []
        for place, cluster in enumerate(self._clusters):
            time = 0
            for child in ebml.children(source, cluster, _MOST_BLOCKS):
                if child.name == _TIME:
                    time = self._times[place] = ebml.number(source, child)
                elif child.name in {_SIMPLE, _GROUP}:
                    rows += self._read_block(source, child, place, time)
                if len(rows) > _MOST_BLOCKS:
                    raise MediaProblem(
                        "over-limit", what_word="parts", found=len(rows), limit=_MOST_BLOCKS
                    )
        if not rows:
            raise film.no_picture()
        start, size, shown, key = (np.array(column) for column in zip(*rows, strict=True))
        return Slots(
            start.astype(np.int64),
            size.astype(np.int64),
            shown.astype(np.int64),
            key.astype(np.bool_),
        )

    def _read_block(
        self, source: BinaryIO, outer: Element, place: int, time: int
    ) -> list[tuple[int, int, int, bool]]:
        """Offset, size, time and whether it is a key, of a block of the picture's track; none of others."""
        block, kept, key = outer, b"", False
        if outer.name == _GROUP:
            block, kept, key = _group(source, outer)
        source.seek(block.body)
        head = source.read(min(11, block.stop - block.body))
        number, count = track_of(head)
        if number != self._entry.number:
            return []
        if len(head) < count + 3:
            raise film.damaged()
        head = head[: count + 3]
        if head[-1] & _LACED:
            raise film.variant("several frames share a block")
        if outer.name == _SIMPLE:
            key = bool(head[-1] & _KEY)
        elif _ADDED in kept:
            raise film.variant("its frames carry additions, such as transparency")
        self._blocks.append(Block(outer, head, place, outer.name == _GROUP, kept))
        start = block.body + len(head)
        shown = time + int.from_bytes(head[-3:-1], "big", signed=True)
        return [(start, block.stop - start, shown, key)]

    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        """See `Film.write`."""
        with _whole():
            self._write(source, destination, spool, recoded, setup)

    def _write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        edits = [edit for run in recoded for edit in self._frame_edits(run)]
        edits += self._setup_edits(setup)
        if self._entry.packing is not None and recoded:  # all frames are new, and are not packed
            told = self._entry.packing.element
            edits.append(Edit(told.start, told.stop))
        where = index.Places(self._segment, self._clusters, self._new_keys(recoded))
        tables = [top for top in self._tops if top.name in {CUES, SEEK_HEAD}]
        # the tables have the same length whatever numbers stand in them
        first = [_replaced(top, index.rebuilt(source, top, where, None)) for top in tables]
        splice = self._spliced(source, [*edits, *first])
        last = [_replaced(top, index.rebuilt(source, top, where, splice)) for top in tables]
        self._spliced(source, [*edits, *last]).write(source, spool, destination)

    def _new_keys(self, recoded: Sequence[Recoded]) -> dict[int, tuple[int, int]]:
        """Where keyframes that were coded again come to lie: by their time, element and cluster."""
        found = {}
        for run in recoded:
            for slot in np.flatnonzero(run.key & (run.size > 0)).tolist():
                block = self._blocks[run.first + slot]
                found[int(run.shown[slot])] = (block.outer.start, block.cluster)
        return found

    def _frame_edits(self, run: Recoded) -> Iterator[Edit]:
        """New elements in the places of old ones; a frame of no length is one that was never shown, and goes."""
        last = 0
        for i in range(len(run)):
            block = self._blocks[run.first + i]
            size, shown = int(run.size[i]), int(run.shown[i])
            if not size:
                yield Edit(block.outer.start, block.outer.stop)
                continue
            time = shown - self._times.get(block.cluster, 0)
            if not -(2**15) <= time < 2**15:
                raise film.variant("its clusters are too long for other frames")
            flags = block.head[-1] & ~(_KEY | _HIDDEN)
            key, after = bool(run.key[i]), b""
            head = block.head[:-3] + time.to_bytes(2, "big", signed=True)
            head += bytes([flags | (_KEY if key and not block.group else 0)])
            kind = _BLOCK if block.group else _SIMPLE
            data = ebml.packed_name(kind) + packed_length(len(head) + size) + head
            if block.group:
                after = block.kept
                after += b"" if key else ebml.pack(_REFERENCE, _signed(last - shown or -1))
                data = (
                    ebml.packed_name(_GROUP) + packed_length(len(data) + size + len(after)) + data
                )
            yield Edit(block.outer.start, block.outer.stop, data, int(run.start[i]), size, after)
            last = shown

    def _setup_edits(self, setup: Setup) -> Iterator[Edit]:
        if self._entry.codec in _IN_BAND or not setup.raw:
            return
        data = setup.box[8:] if self._entry.codec in _PLAIN else setup.raw
        if self._entry.codec.startswith("V_MS/"):
            raise film.variant("its frames are coded as in AVI")
        old = self._entry.private
        if old is None:
            raise film.variant("it says nowhere how its frames are decoded")
        yield _replaced(old, ebml.pack(PRIVATE, data))

    def _spliced(self, source: BinaryIO, edits: list[Edit]) -> Splice:
        """The edits, and those of the lengths of all elements that they make longer or shorter."""
        starts = np.array([edit.start for edit in edits], np.int64)
        growth = np.array([edit.growth for edit in edits], np.int64)
        order = np.argsort(starts, kind="stable")
        starts, total = starts[order], np.concatenate([[0], np.cumsum(growth[order])])
        parents: list[Element] = list(self._clusters)
        for top in self._tops:
            if top.name == TRACKS:
                parents += [c for c in ebml.children(source, top, 10_000) if c.name == ENTRY]
                parents.append(top)
        made: list[Edit] = []
        for parent in sorted(parents, key=lambda found: found.stop - found.body):
            low = int(np.searchsorted(starts, parent.body, side="left"))
            high = int(np.searchsorted(starts, parent.stop, side="left"))
            if high == low:
                continue
            grown = int(total[high] - total[low])
            if parent.name == TRACKS:
                grown += sum(
                    edit.growth for edit in made if parent.body <= edit.start < parent.stop
                )
            made += _lengthened(source, parent, grown)
        grown = int(total[-1]) + sum(edit.growth for edit in made)
        made += _lengthened(source, self._segment, grown)
        return Splice([*edits, *made])


def _group(source: BinaryIO, outer: Element) -> tuple[Element, bytes, bool]:
    """The block of a group, what else of the group stays, and whether it needs no other block."""
    block, kept, key = None, b"", True
    for child in ebml.children(source, outer, 1000):
        if child.name == _BLOCK:
            block = child
        elif child.name == _REFERENCE:
            key = False
        elif child.name == _ADDITIONS:
            kept += _ADDED
        elif child.name != CRC:
            source.seek(child.start)
            kept += source.read(min(child.stop - child.start, 1000))
    if block is None:
        raise film.damaged()
    return block, kept, key


def _lengthened(source: BinaryIO, parent: Element, grown: int) -> Iterator[Edit]:
    """The length of an element of which something changed, and its check sum, which becomes empty space."""
    if parent.sized:
        width = parent.body - parent.start - len(ebml.packed_name(parent.name))
        size = packed_length(parent.stop - parent.body + grown, width)
        yield Edit(parent.body - width, parent.body, size)
    if parent.stop - parent.body >= 6:
        source.seek(parent.body)
        if source.read(2) == b"\xbf\x84":
            yield Edit(parent.body, parent.body + 6, b"\xec\x84" + bytes(4))


def _replaced(old: Element, data: bytes) -> Edit:
    return Edit(old.start, old.stop, data)


@contextmanager
def _whole() -> Iterator[None]:
    """A structure that does not hold is a problem with the content."""
    try:
        yield
    except Broken as broken:
        if broken.found:
            raise MediaProblem(
                "over-limit", what_word="parts", found=broken.found, limit=broken.found - 1
            ) from None
        raise film.damaged() from None


def track_of(head: bytes) -> tuple[int, int]:
    """The number of a track at the start of a block, and how many bytes it takes."""
    width = 9 - head[0].bit_length() if head else 9
    if not 1 <= width <= min(8, len(head)):
        raise film.damaged()
    return int.from_bytes(head[:width]) - (1 << 7 * width), width


def packed_length(size: int, width: int = 1) -> bytes:
    """A length in so many bytes, or in as many as it needs."""
    while size >= (1 << 7 * width) - 1:
        width += 1
    return ebml.packed_size(size, width)


def _signed(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 8) // 8, signed=True)
