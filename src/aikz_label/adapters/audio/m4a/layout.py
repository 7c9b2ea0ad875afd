"""Where the boxes of an M4A file stand once there is one more, for notices, and maybe one of older notices less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from aikz_label.adapters.audio.m4a.boxes import Placed
from aikz_label.adapters.audio.m4a.tables import Numbers
from aikz_label.adapters.audio.pieces import Piece

_DATA = b"mdat"


class Layout:
    """The order of the boxes, and where each goes.

    Args:
        boxes: Those that stay, and the `moov`.
        moov: How long that will be.
        notices: How long the box of the notices will be, which stands before all other data; 0 for none.
    """

    def __init__(self, boxes: Sequence[Placed], moov: int, notices: int) -> None:
        self._boxes = boxes
        self._first = next((box for box in boxes if box.name == _DATA), None)
        old, new, at = [], [], 0
        self._notices_at = 0
        for box in boxes:
            if box is self._first and notices:
                self._notices_at = at + 8
                at += notices
            old.append(box.start)
            new.append(at)
            at += moov if box.name == b"moov" else box.stop - box.start
        self._old, self._new = np.array(old, np.int64), np.array(new, np.int64)

    def moved(self, offsets: Numbers) -> Numbers:
        """Where bytes of the source will be; -1 is the first byte of the notices, -2 the next."""
        at = np.maximum(np.searchsorted(self._old, offsets, side="right") - 1, 0)
        stay = offsets - self._old[at] + self._new[at]
        return np.where(offsets < 0, self._notices_at - offsets - 1, stay).astype(np.int64)

    def pieces(self, moov: bytes, notices: bytes) -> Iterator[Piece]:
        """The file."""
        for box in self._boxes:
            if box is self._first:
                yield notices
            yield moov if box.name == b"moov" else box.whole


def unused(
    boxes: Iterable[Placed], before: Iterable[Numbers], after: Iterable[Numbers]
) -> tuple[Placed, ...]:
    """The boxes of data that something pointed into and nothing does any more: those of older notices."""
    old, new = np.concatenate([*before]), np.concatenate([*after])
    return tuple(
        box
        for box in boxes
        if box.name == _DATA and _inside(old, box).any() and not _inside(new, box).any()
    )


def _inside(offsets: Numbers, box: Placed) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (offsets >= box.body) & (offsets < box.stop)
