"""Chunks of RIFF and IFF files: a name, a length, and so many bytes, made even."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.limits import Limits
from aikz_label.values import dataclass

Order: TypeAlias = "Literal['little', 'big']"
MOST = 1 << 24  # bytes of a chunk that is read whole: metadata, pictures among them


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk stands.

    Attributes:
        name: Its four letters.
        start: Where its name is.
        data: Where its content starts.
        stop: Where that ends, before a byte of padding.
        end: Where the next one can start.
    """

    name: bytes
    start: int
    data: int
    stop: int
    end: int

    def padded(self) -> Iterator[Piece]:
        """All of it, with the padding that some writers leave out behind the last one."""
        yield Span(self.start, self.end)
        yield bytes((self.stop - self.data & 1) - (self.end - self.stop))

    @property
    def content(self) -> Span:
        """What is in it."""
        return Span(self.data, self.stop)

    @property
    def large(self) -> bool:
        """It is far larger than anything of its kind: it is read in part, and so it can only be copied."""
        return self.stop - self.data > MOST

    def read(self, source: BinaryIO) -> bytes:
        """What is in it, of a large one the beginning."""
        return pieces.read(source, self.data, min(self.stop - self.data, MOST))


def walk(
    source: BinaryIO, start: int, stop: int, order: Order, limits: Limits, sizes: dict[bytes, int]
) -> Iterator[Chunk]:
    """The chunks in a part of a file.

    Args:
        source: The file.
        start: Where the first one is.
        stop: Where the part ends.
        order: Which byte of a length comes first.
        limits: How many there may be.
        sizes: Lengths that are told elsewhere, of chunks whose own says -1.

    Raises:
        MediaProblem: One goes beyond the end, or there are too many.
    """
    at = start
    count = 0
    while at + 8 <= stop:
        head = pieces.read(source, at, 8)
        length = int.from_bytes(head[4:], order)
        if length == 0xFFFFFFFF:
            length = sizes.get(head[:4], length)
        end = at + 8 + length
        count += 1
        if count > limits.max_parts:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=limits.max_parts)
        if end > stop:
            raise MediaProblem("damaged", detail_word="cut")
        yield Chunk(head[:4], at, at + 8, end, min(end + (length & 1), stop))
        at = end + (length & 1)


def packed(name: bytes, content: bytes, order: Order) -> bytes:
    """A chunk with a content."""
    return b"".join((name, len(content).to_bytes(4, order), content, bytes(len(content) & 1)))


def framed(
    name: bytes, content: list[Piece], order: Order, told: int | None = None
) -> Iterator[Piece]:
    """A chunk of pieces; `told` is the length to write where it does not fit into four bytes."""
    size = pieces.size(content)
    yield name + (size if told is None else told).to_bytes(4, order)
    yield from content
    yield bytes(size & 1)
