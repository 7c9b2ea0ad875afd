"""Where a film of boxes tells places of itself, and the same places in another layout of the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from aikz_label.adapters.image.bmff import Box, Fields
from aikz_label.adapters.video.boxes import Tree
from aikz_label.carriers.patched import Patch
from aikz_label.values import dataclass

_TABLES = {b"stco": 4, b"co64": 8}


@dataclass(frozen=True, slots=True)
class Places:
    """A row of offsets from the start of the file, in equal steps.

    Attributes:
        at: Where the first one stands.
        width: Bytes of each.
        step: From one to the next.
        count: How many.
        box: The kind of box they stand in.
    """

    at: int
    width: int
    step: int
    count: int
    box: bytes

    def moved(self, data: bytes, new: Callable[[int], int]) -> Patch | None:
        """The row with every offset replaced; `None` when none of them changes.

        Raises:
            OverflowError: One has become too large for its width.
        """
        row = bytearray(data[self.at : self.at + self.step * (self.count - 1) + self.width])
        before = bytes(row)
        for start in range(0, len(row), self.step):
            value = int.from_bytes(row[start : start + self.width])
            row[start : start + self.width] = new(value).to_bytes(self.width)
        return Patch(self.at, bytes(row)) if row != before else None


def places(tree: Tree) -> Iterator[Places]:
    """Every offset from the start of the file that a standard box holds.

    Raises:
        MediaProblem: The boxes do not fit.
    """
    track, known, elsewhere = 0, [], set[int]()
    for path, box in tree.all():
        track = box.start if box.kind == b"trak" else track
        known.append((path, box, track))
        if box.kind == b"dref" and not _is_own(tree, box):
            elsewhere.add(track)  # the data of this track lie in another file
    for path, box, track in known:
        if box.kind in _TABLES and track not in elsewhere:
            yield from _table(tree, box, 8, _TABLES[box.kind])
        elif box.kind == b"tfra":
            yield from _random_access(tree, box)
        elif box.kind == b"tfhd" and _has_base(tree, box):
            yield Places(box.body + 8, 8, 8, 1, box.kind)
        elif box.kind == b"saio" and b"moof" not in path:
            yield from _auxiliary(tree, box)
        elif box.kind == b"iloc":
            yield from _items(tree, box)


def moved(tree: Tree, new: Callable[[int], int], *kinds: bytes) -> Iterator[Patch]:
    """The patches that put all offsets right for another layout, or those in some kinds of boxes.

    Raises:
        OverflowError: One has become too large for its width.
    """
    for row in places(tree):
        if not kinds or row.box in kinds:
            patch = row.moved(tree.data, new)
            if patch is not None:
                yield patch


def _is_own(tree: Tree, box: Box) -> bool:
    """Whether the first data reference says that the data are in this file."""
    return tree.data[box.body + 19 : box.body + 20] in {b"\1", b""}


def _table(tree: Tree, box: Box, head: int, width: int) -> Iterator[Places]:
    count = int.from_bytes(tree.data[box.body + head - 4 : box.body + head])
    count = min(count, (box.stop - box.body - head) // width)
    if count > 0:
        yield Places(box.body + head, width, width, count, box.kind)


def _has_base(tree: Tree, box: Box) -> bool:
    """Whether a header of a track's fragment names the place that all others count from."""
    return box.stop - box.body >= 16 and bool(tree.data[box.body + 3] & 1)


def _random_access(tree: Tree, box: Box) -> Iterator[Places]:
    fields = Fields(tree.data[box.body : min(box.stop, box.body + 16)])
    version, _ = fields.version()
    fields.take(4)
    sizes, count = fields.number(4), fields.number(4)
    width = 8 if version == 1 else 4
    step = 2 * width + sum((sizes >> shift & 3) + 1 for shift in (0, 2, 4))
    count = min(count, (box.stop - box.body - 16) // step)
    if count > 0:
        yield Places(box.body + 16 + width, width, step, count, box.kind)


def _auxiliary(tree: Tree, box: Box) -> Iterator[Places]:
    fields = Fields(tree.data[box.body : min(box.stop, box.body + 16)])
    version, flags = fields.version()
    head = 16 if flags & 1 else 8
    yield from _table(tree, box, head, 8 if version else 4)


def _items(tree: Tree, box: Box) -> Iterator[Places]:
    """Extents of metadata items that are counted from the start of the file."""
    data = tree.content(box)
    fields, at = Fields(data), 0
    version, _ = fields.version()
    first, second = fields.number(1), fields.number(1)
    widths = first >> 4, first & 15, second >> 4, second & 15 if version else 0
    wide = 4 if version == 2 else 2
    for _ in range(min(fields.number(wide), len(data))):
        fields.take(wide)
        method = fields.number(2) & 15 if version else 0
        reference = fields.number(2)
        at = box.body + len(data) - len(fields.rest)
        base = fields.number(widths[2])
        extents = fields.number(2)
        if not method and not reference and widths[2] and base:
            yield Places(at, widths[2], widths[2], 1, box.kind)
        for _ in range(extents):
            fields.take(widths[3])
            at = box.body + len(data) - len(fields.rest)
            offset = fields.number(widths[0])
            fields.take(widths[1])
            if not method and not reference and not base and widths[0] and offset:
                yield Places(at, widths[0], widths[0], 1, box.kind)


class Layout:
    """The same file in other places: which old stretches go where.

    Args:
        kept: Start and stop of every stretch that is kept and where it goes, in order.
    """

    def __init__(self, kept: list[tuple[int, int, int]]) -> None:
        self._starts = [start for start, _, _ in kept]
        self._kept = kept

    def __call__(self, old: int) -> int:
        """The new place of an old one; one that is nowhere stays what it says."""
        index = bisect_right(self._starts, old) - 1
        if index < 0:
            return old
        start, stop, new = self._kept[index]
        last = index == len(self._kept) - 1
        return new + old - start if old < stop or last else old


def without(tree: Tree, left_out: tuple[Box, ...]) -> Layout:
    """The layout that the file would have without some boxes of its top level."""
    kept, at = [], 0
    for box in tree.top:
        if box not in left_out:
            kept.append((box.start, box.stop, at))
            at += box.stop - box.start
    return Layout(kept)
