"""A file in place of its bytes, for those who look at a few of its parts."""

from __future__ import annotations

import io
from typing import BinaryIO, overload

from aikz_label.adapters import MediaProblem

_BLOCK = 16 * 1024


class Window:
    """A file that is sliced like bytes, but read only where it is looked at, in blocks.

    Whoever walks it relies on its length, so a file that became shorter meanwhile raises `MediaProblem`.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._size = source.seek(0, io.SEEK_END)
        self._start, self._block = 0, b""

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> bytes: ...
    def __getitem__(self, key: int | slice) -> int | bytes:
        if isinstance(key, int):
            at = key - self._start
            return self._block[at] if 0 <= at < len(self._block) else self[key : key + 1][0]
        start, stop, _ = key.indices(self._size)
        at = start - self._start
        if at < 0 or stop - self._start > len(self._block):
            self._source.seek(start)
            self._block = self._source.read(max(stop - start, _BLOCK))
            self._start, at = start, 0
            if len(self._block) < stop - start:
                raise MediaProblem("damaged", detail_word="cut")
        return self._block[at : at + stop - start]
