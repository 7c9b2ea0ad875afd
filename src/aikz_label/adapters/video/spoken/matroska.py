"""The sounds of Matroska and WebM: packets lie in blocks, several of them in one where it is laced (RFC 9559, 10.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO

import numpy as np

from aikz_label.adapters.video import film
from aikz_label.adapters.video.film import Recoded
from aikz_label.adapters.video.matroska import Matroska, packed_length, track_of
from aikz_label.adapters.video.mkvtracks import Entry
from aikz_label.adapters.video.splice import Edit
from aikz_label.adapters.video.spoken.tracks import Stored, Unspoken
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import TRACKS, Broken, Element
from aikz_label.limits import Limits
from aikz_label.values import dataclass

_ENTRY, _NUMBER, _TYPE, _CODEC, _PRIVATE, _ENCODINGS = 0xAE, 0xD7, 0x83, 0x86, 0x63A2, 0x6D80
_GROUP, _BLOCK = 0xA0, 0xA1
_SOUND = 2  # type of a track
_LACING, _XIPH, _FIXED, _EBML = 0x06, 0x02, 0x04, 0x06
_MOST_GROUP = 1 << 20
_CRC = b"\xbf\x84"
_VOID = b"\xec\x84" + bytes(4)


def stored(source: BinaryIO, number: int, limits: Limits) -> Stored:
    """The track of a sound, by its place among the sounds.

    Raises:
        Unspoken: It is stored in an unusual way.
        MediaProblem: The film is damaged.
    """
    try:
        return MatroskaSound(source, number, limits)
    except Broken:
        raise film.damaged() from None


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the sound.

    Attributes:
        outer: The element in the cluster: the block itself, or its group.
        before: What stands in the group before the block.
        after: What stands there behind it.
        head: Track, time and flags.
        first: Its first packet.
        count: How many it holds.
    """

    outer: Element
    before: bytes
    after: bytes
    head: bytes
    first: int
    count: int


class MatroskaSound(Matroska):
    """One of the sounds."""

    fixed = pieces = False

    def __init__(self, source: BinaryIO, number: int, limits: Limits) -> None:
        self._wanted, self._file = number, source
        self.described = (0, 0)
        self._laced: list[Block] = []
        self._packets = 0
        super().__init__(source, limits)

    def _find_entry(self, source: BinaryIO) -> Entry:
        sounds = []
        for tracks in self._tops:
            for child in ebml.children(source, tracks, 10_000) if tracks.name == TRACKS else ():
                if child.name == _ENTRY:
                    parts = {part.name: part for part in ebml.children(source, child, 10_000)}
                    coding = ebml.content(source, parts[_CODEC]) if _CODEC in parts else b""
                    kind = ebml.number(source, parts[_TYPE]) if _TYPE in parts else 0
                    if kind == _SOUND and coding.startswith(b"A"):  # libav counts no others
                        sounds.append(parts)
        if self._wanted >= len(sounds) or _NUMBER not in sounds[self._wanted]:
            raise Unspoken("structure", "a track without a number")
        parts = sounds[self._wanted]
        if _ENCODINGS in parts:
            raise Unspoken("structure", "its packets are encrypted, or compressed once more")
        private = parts.get(_PRIVATE)
        if private is not None:
            self.described = (private.start, private.stop)
        codec = ebml.content(source, parts[_CODEC]).decode("ascii", "replace")
        return Entry(ebml.number(source, parts[_NUMBER]), codec, private, 0, "", b"")

    def _read_block(
        self, source: BinaryIO, outer: Element, place: int, time: int
    ) -> list[tuple[int, int, int, bool]]:
        """See `Matroska._read_block`: every packet of a block."""
        del place
        block = _block_of(source, outer)
        source.seek(block.body)
        head = source.read(min(11, block.stop - block.body))
        number, width = track_of(head)
        if number != self._entry.number:
            return []
        if len(head) < width + 3:
            raise film.damaged()
        if outer.stop - outer.start > _MOST_GROUP:
            raise Unspoken("structure", "its packets are too long")
        before, after = _around(source, outer, block)
        head = head[: width + 3]
        source.seek(block.body + len(head))
        at, sizes = laced(source.read(block.stop - block.body - len(head)), head)
        starts = block.body + len(head) + at + np.concatenate([[0], np.cumsum(sizes)])[:-1]
        if int(starts[-1]) + sizes[-1] > block.stop:
            raise film.damaged()
        self._laced.append(Block(outer, before, after, head, self._packets, len(sizes)))
        self._packets += len(sizes)
        shown = time + int.from_bytes(head[-3:-1], "big", signed=True)
        return [(int(start), size, shown, True) for start, size in zip(starts, sizes, strict=True)]

    def _new_keys(self, recoded: Sequence[Recoded]) -> dict[int, tuple[int, int]]:
        """No index tells of these packets anew; it tells where their blocks are."""
        del recoded
        return {}

    def _frame_edits(self, run: Recoded) -> Iterator[Edit]:
        """New blocks in the places of old ones; packets of the last one may be old."""
        for block in self._laced:
            stop = block.first + block.count
            if block.first >= run.first + len(run):
                return
            new = run.size[block.first : min(stop, len(run))].tolist()
            sizes = [*new, *self.slots.size[block.first + len(new) : stop].tolist()]
            head = _lacing(block.head, sizes)
            length = len(head) + sum(sizes)
            data = ebml.packed_name(_BLOCK if block.outer.name == _GROUP else block.outer.name)
            data += packed_length(length) + head
            if block.outer.name == _GROUP:
                whole = len(block.before) + len(data) + sum(sizes) + len(block.after)
                data = ebml.packed_name(_GROUP) + packed_length(whole) + block.before + data
            tail = self._old(block.first + len(new), stop) + block.after
            yield Edit(
                block.outer.start,
                block.outer.stop,
                data,
                int(run.start[block.first]),
                sum(new),
                tail,
            )

    def _old(self, start: int, stop: int) -> bytes:
        places = zip(
            self.slots.start[start:stop].tolist(), self.slots.size[start:stop].tolist(), strict=True
        )
        found = b""
        for at, size in places:
            self._file.seek(at)
            found += self._file.read(size)
        return found


def _block_of(source: BinaryIO, outer: Element) -> Element:
    """The block of a group; a block alone is its own."""
    if outer.name != _GROUP:
        return outer
    block = next((c for c in ebml.children(source, outer, 1000) if c.name == _BLOCK), None)
    if block is None:
        raise film.damaged()
    return block


def _around(source: BinaryIO, outer: Element, block: Element) -> tuple[bytes, bytes]:
    """What stands in a group before its block and behind it; nothing around a block alone."""
    if outer.name != _GROUP:
        return b"", b""
    source.seek(outer.body)
    before = source.read(block.start - outer.body)
    source.seek(block.stop)
    after = source.read(outer.stop - block.stop)
    if before.startswith(_CRC):  # a check sum of what changes becomes empty space
        before = _VOID + before[len(_VOID) :]
    return before, after


def laced(data: bytes, head: bytes) -> tuple[int, list[int]]:
    """Where the packets of a block start, and how long each is."""
    kind = head[-1] & _LACING
    if not kind:
        return 0, [len(data)]
    count, at = data[0] + 1 if data else 0, 1
    sizes: list[int] = []
    if kind == _FIXED:
        each, rest = divmod(len(data) - 1, max(1, count))
        if rest:
            raise film.damaged()
        return 1, [each] * count
    for number in range(count - 1):
        if kind == _XIPH:
            size = 0
            while at < len(data) and data[at] == 255:
                size, at = size + 255, at + 1
            size, at = size + (data[at] if at < len(data) else 0), at + 1
        else:
            width = 9 - data[at].bit_length() if at < len(data) else 9
            if width > 8:
                raise film.damaged()
            told = int.from_bytes(data[at : at + width]) - (1 << 7 * width)
            size = told if not number else sizes[-1] + told - (1 << 7 * width - 1) + 1
            at += width
        sizes.append(size)
    last = len(data) - at - sum(sizes)
    if not count or last < 0 or min(sizes, default=0) < 0:
        raise film.damaged()
    return at, [*sizes, last]


def _lacing(head: bytes, sizes: Sequence[int]) -> bytes:
    """The head of a block with packets of these lengths."""
    kind = head[-1] & _LACING
    if not kind:
        return head
    count = bytes((len(sizes) - 1,))
    if kind == _FIXED and len(list(groupby(sizes))) == 1:
        return head + count
    told = b"".join(b"\xff" * (size // 255) + bytes((size % 255,)) for size in sizes[:-1])
    return head[:-1] + bytes((head[-1] & ~_LACING | _XIPH,)) + count + told
