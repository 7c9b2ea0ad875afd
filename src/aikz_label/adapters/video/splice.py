"""Replacing byte ranges of a file: what is between them is copied, and every old offset has a new one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from aikz_label import files
from aikz_label.limits import MIB
from aikz_label.values import dataclass

_BLOCK = 1 << 20
_IN_MEMORY = 64 * MIB

Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Edit:
    """The bytes from `start` to `stop` become others: `data`, so many bytes of the spool, `tail`."""

    start: int
    stop: int
    data: bytes = b""
    spooled: int = 0
    length: int = 0
    tail: bytes = b""

    @property
    def size(self) -> int:
        """Length of what comes instead."""
        return len(self.data) + self.length + len(self.tail)

    @property
    def growth(self) -> int:
        """By how much the file becomes longer."""
        return self.size - (self.stop - self.start)


class Splice:
    """Edits of one file, which must not overlap.

    Args:
        edits: In any order.

    Raises:
        ValueError: Two of them overlap.
    """

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = sorted(edits, key=lambda edit: (edit.start, edit.stop))
        self._starts = np.array([edit.start for edit in self._edits], np.int64)
        stops = np.array([edit.stop for edit in self._edits], np.int64)
        if np.any(stops < self._starts) or np.any(self._starts[1:] < stops[:-1]):
            raise ValueError("edits overlap")
        grown = np.array([edit.growth for edit in self._edits], np.int64)
        self._growth = np.concatenate([[0], np.cumsum(grown)])

    @property
    def growth(self) -> int:
        """By how much the file becomes longer."""
        return int(self._growth[-1])

    def moved(self, offsets: Offsets) -> Offsets:
        """Where bytes at these offsets come to lie; the start of an edit is the start of what comes instead."""
        before = np.searchsorted(self._starts, offsets, side="left")
        return np.asarray(offsets + self._growth[before], np.int64)

    def moved_one(self, offset: int) -> int:
        """As `moved`, for one offset."""
        return int(self.moved(np.array([offset], np.int64))[0])

    def write(self, source: BinaryIO, spool: BinaryIO, destination: BinaryIO) -> None:
        """Write the whole file with its edits."""
        position = 0
        for edit in self._edits:
            copy(source, position, edit.start - position, destination)
            destination.write(edit.data)
            copy(spool, edit.spooled, edit.length, destination)
            destination.write(edit.tail)
            position = edit.stop
        copy(source, position, -1, destination)


def copy(source: BinaryIO, start: int, count: int, destination: BinaryIO) -> None:
    """Copy so many bytes from an offset on, or all with -1.

    Raises:
        ValueError: There are not so many.
    """
    files.pour(blocks(source, start, count), destination)


def blocks(source: BinaryIO, start: int, count: int) -> Iterator[bytes]:
    """The bytes from an offset on, a block at a time; all that are left with -1."""
    source.seek(start)
    while count:
        block = source.read(_BLOCK if count < 0 else min(count, _BLOCK))
        if not block:
            if count > 0:
                raise ValueError("the file ends too soon")
            return
        if count > 0:
            count -= len(block)
        yield block


@contextmanager
def spool() -> Iterator[BinaryIO]:
    """A place for what waits: in memory while it is small."""
    with cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as found:
        yield found
