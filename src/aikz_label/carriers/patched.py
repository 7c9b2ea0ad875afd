"""Copying a file with some of its bytes replaced, some left out and others put in; memory does not grow with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from aikz_label.values import dataclass

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Patch:
    """Other bytes for a stretch of the file, as long as it."""

    start: int
    data: bytes


class Sink(Protocol):
    """Where a copy goes: a file, or something that only counts or hashes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""


class Digest:
    """A place to write to that gives the SHA-256 of what came since it was last asked."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Hash the next bytes."""
        self._digest.update(data)

    def take(self) -> str:
        """The digest, in hexadecimal; then start again."""
        found = self._digest.hexdigest()
        self._digest = hashlib.sha256()
        return found


class Short(ValueError):
    """The file ends before it should."""


class Copy:
    """A copy in progress."""

    def __init__(self, source: BinaryIO, sink: Sink, patches: Iterable[Patch] = ()) -> None:
        self._source, self._sink = source, sink
        self._patches = sorted(patches, key=lambda patch: patch.start, reverse=True)
        self._at = 0

    def to(self, stop: int) -> None:
        """Copy up to an offset of the source, patched.

        Raises:
            Short: The source ends before.
        """
        while self._patches and self._patches[-1].start < stop:
            patch = self._patches.pop()
            if patch.start >= self._at:  # else it lies in what was left out
                self._plain(patch.start)
                self._sink.write(patch.data)
                self._at = patch.start + len(patch.data)
        self._plain(stop)

    def skip(self, at: int) -> None:
        """Leave out what lies before an offset."""
        self._at = max(at, self._at)

    def between(self, start: int, stop: int) -> None:
        """Copy one stretch, which lies behind all that went before."""
        self.skip(start)
        self.to(stop)

    def _plain(self, stop: int) -> None:
        left = stop - self._at
        if left <= 0:
            return
        self._source.seek(self._at)
        while left:
            block = self._source.read(min(_CHUNK, left))
            if not block:
                raise Short
            self._sink.write(block)
            left -= len(block)
        self._at = stop
