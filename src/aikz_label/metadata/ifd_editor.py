"""Changes to TIFF directories that move nothing else.

What is not longer than before and used only once is overwritten in place, the rest is appended: image data, camera data and
private tags stay byte by byte where they were, so that no offset anywhere has to be understood.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from itertools import chain
from typing import TypeAlias

from aikz_label.metadata import ifd

Value: TypeAlias = "tuple[int, int, bytes] | None"
"""Type, count and bytes of a tag's new value; `None` removes the tag."""


class Editor:
    """Changes to a file, made in a copy of its bytes.

    Args:
        tiff: The file as it was read.
    """

    def __init__(self, tiff: ifd.Tiff) -> None:
        self._tiff = tiff
        self._data = bytearray(tiff.data)
        # the last number of a chain is sometimes missing: it must not become what is appended there
        end = max(page.next_at for page in tiff.pages) + tiff.word
        self._data += bytes(max(0, end - len(self._data)))
        ranges = sorted(tiff.ranges())
        self._starts = [start for start, _ in ranges]
        self._stops = sorted(stop for _, stop in ranges)

    @property
    def data(self) -> bytes:
        """The file with all changes so far."""
        return bytes(self._data)

    @property
    def buffer(self) -> bytearray:
        """The same, not copied: for who writes it and changes nothing any more."""
        return self._data

    def append(self, data: bytes) -> int:
        """Put bytes at the end, where every reader accepts them; returns where they begin.

        Raises:
            Malformed: The file would outgrow its offsets.
        """
        self._data += bytes(-len(self._data) % (8 if self._tiff.big else 2))
        at = len(self._data)
        self._data += data
        if not self._tiff.big and len(self._data) >= 1 << 32:
            raise ifd.Malformed("too-long")
        return at

    def store(self, start: int, length: int, data: bytes) -> int:
        """Replace bytes that something points to, in place if they fit and nothing else uses them; returns where."""
        if length >= len(data) and self._is_used_once(start, start + length):
            self._data[start : start + length] = data + bytes(length - len(data))
            return start
        self.erase(start, start + length)
        return self.append(data)

    def erase(self, start: int, stop: int) -> None:
        """Put zeros where something was that is not used any more; what was appended behind the file is not its own."""
        if stop <= len(self._tiff.data) and self._is_used_once(start, stop):
            self._data[start:stop] = bytes(stop - start)

    def change(self, directory: ifd.Directory, changes: Mapping[int, Value]) -> None:
        """Give tags of a directory new values, or take them out.

        Where tags come or go the directory is written anew at the end. Change children before their parents, and later
        pages before earlier ones.
        """
        entries = {entry.tag: entry for entry in reversed(directory.entries)}
        moved = any((value is None) == (tag in entries) for tag, value in changes.items())
        fresh = {}
        for tag, value in changes.items():
            old = entries.get(tag)
            if value is None:
                if old is not None and old.length > self._tiff.word:
                    self.erase(old.at, old.at + old.length)
                continue
            kind, count, data = value
            if len(data) <= self._tiff.word:
                field = data + bytes(self._tiff.word - len(data))
            else:
                at = self._place(old, data)
                field = at.to_bytes(self._tiff.word, self._tiff.order)
            fresh[tag] = struct.pack(
                f"{self._tiff.mark}HH{'Q' if self._tiff.big else 'I'}", tag, kind, count
            )
            fresh[tag] += field
        if moved:
            self._move(directory, changes, fresh)
        else:
            for index, row in enumerate(directory.entries):
                if row.tag in fresh:
                    self._put(self._row_at(directory, index), fresh[row.tag])

    def unlink(self, directory: ifd.Directory) -> None:
        """Take a page out of its chain."""
        word = self._tiff.word
        self._put(
            directory.pointer_at, bytes(self._data[directory.next_at : directory.next_at + word])
        )

    def _place(self, old: ifd.Entry | None, data: bytes) -> int:
        if old is None or old.length <= self._tiff.word:
            return self.append(data)
        return self.store(old.at, old.length, data)

    def _move(
        self, directory: ifd.Directory, changes: Mapping[int, Value], fresh: Mapping[int, bytes]
    ) -> None:
        """Write a directory anew, with what its old place holds by now, and lead to it."""
        head, step = (8, 20) if self._tiff.big else (2, 12)
        rows = []
        for index, entry in enumerate(directory.entries):
            if entry.tag not in changes:
                start = self._row_at(directory, index)
                rows.append(bytes(self._data[start : start + step]))
        rows = sorted(
            chain(rows, fresh.values()), key=lambda row: int.from_bytes(row[:2], self._tiff.order)
        )
        following = bytes(self._data[directory.next_at : directory.next_at + self._tiff.word])
        table = len(rows).to_bytes(head, self._tiff.order) + b"".join(rows)
        at = self.append(table + following.ljust(self._tiff.word, b"\0"))
        self._put(directory.pointer_at, at.to_bytes(directory.pointer_width, self._tiff.order))

    def _row_at(self, directory: ifd.Directory, index: int) -> int:
        head, step = (8, 20) if self._tiff.big else (2, 12)
        return directory.at + head + step * index

    def _put(self, at: int, data: bytes) -> None:
        self._data[at : at + len(data)] = data

    def _is_used_once(self, start: int, stop: int) -> bool:
        return bisect_left(self._starts, stop) - bisect_right(self._stops, start) == 1
