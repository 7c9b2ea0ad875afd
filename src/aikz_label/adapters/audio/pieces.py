"""A file as bytes of another one and new ones between them: nothing is read before it is written.

A sound file can be hours long, so what is not changed is only named, by where it stands in its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.values import dataclass

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to `stop` of a source: the one that is being rewritten, unless it names another."""

    start: int
    stop: int
    source: BinaryIO | None = None

    def __len__(self) -> int:
        return self.stop - self.start


Piece: TypeAlias = "bytes | Span"


def size(pieces: Iterable[Piece]) -> int:
    """How many bytes they are together."""
    return sum(map(len, pieces))


def blocks(pieces: Iterable[Piece], source: BinaryIO) -> Iterator[bytes]:
    """The bytes themselves, a block at a time.

    Raises:
        MediaProblem: The source ends before they do.
    """
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        at, stream = piece.start, piece.source or source
        while at < piece.stop:
            stream.seek(at)
            block = stream.read(min(BLOCK, piece.stop - at))
            if not block:
                raise MediaProblem("damaged", detail_word="cut")
            yield block
            at += len(block)


def read(source: BinaryIO, start: int, length: int) -> bytes:
    """Bytes from one place, fewer where the file ends."""
    source.seek(start)
    return source.read(max(length, 0))
