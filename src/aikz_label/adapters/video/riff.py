"""The chunks of an AVI file (RIFF, with the additions of OpenDML), found without reading the film."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.carriers.patched import Patch
from aikz_label.limits import Limits
from aikz_label.values import dataclass

MARKER = b"C2PA"
_LISTS = {b"RIFF", b"LIST"}
_MAX_SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its head from `start`, what it holds from `body` to `stop`, without the byte that makes it even.

    Attributes:
        kind: Its name.
        form: What kind of list it is; empty for other chunks.
        start: Offset of the head.
        body: Offset of the content, after the kind of list.
        stop: Offset after the content.
    """

    kind: bytes
    form: bytes
    start: int
    body: int
    stop: int

    @property
    def after(self) -> int:
        """Where the next one starts."""
        return self.stop + (self.stop & 1)


def cut() -> MediaProblem:
    """The structure breaks off."""
    return MediaProblem("damaged", detail_word="cut")


@dataclass(frozen=True, slots=True)
class Film:
    """An AVI file.

    Attributes:
        source: The file.
        size: Of the file.
        riffs: The RIFF chunks, the first with the headers, the others with more of a long film.
        chunks: What the first of them holds, in order.
    """

    source: BinaryIO
    size: int
    riffs: tuple[Chunk, ...]
    chunks: tuple[Chunk, ...]

    @classmethod
    def read(cls, source: BinaryIO, limits: Limits) -> Film:
        """Walk the outermost chunks, and those in the first of them.

        Raises:
            MediaProblem: They do not fit, or are too many.
        """
        size = source.seek(0, io.SEEK_END)
        riffs = tuple(outermost(source, size, limits.max_parts))
        if not riffs or riffs[0].form != b"AVI ":
            raise MediaProblem("damaged", detail_word="no-header")
        first = riffs[0]
        return cls(
            source, size, riffs, tuple(walk(source, first.body, first.stop, limits.max_parts))
        )

    def content(self, chunk: Chunk) -> bytes:
        """What a small chunk holds."""
        self.source.seek(chunk.body)
        return self.source.read(min(chunk.stop - chunk.body, _MAX_SMALL))

    def listed(self, form: bytes, most: int = 10_000) -> Iterator[Chunk]:
        """What the lists of a kind hold, directly in the first RIFF chunk."""
        for chunk in self.chunks:
            yield from self.inside(chunk, form, most)

    def inside(self, chunk: Chunk, form: bytes, most: int = 10_000) -> Iterator[Chunk]:
        """What a list holds if it is of a kind."""
        if chunk.form == form:
            yield from walk(self.source, chunk.body, chunk.stop, most)

    @property
    def end(self) -> int:
        """Where the last RIFF chunk ends."""
        return min(self.riffs[-1].after, self.size)

    def markers(self) -> tuple[Chunk, ...]:
        """The chunks of C2PA."""
        return tuple(chunk for chunk in self.chunks if chunk.kind == MARKER)


def outermost(source: BinaryIO, size: int, most: int) -> Iterator[Chunk]:
    """The outermost chunks; what is no RIFF ends them, such as zeros up to a full block.

    Raises:
        MediaProblem: One reaches beyond the file.
    """
    at = 0
    while True:
        source.seek(at)
        if source.read(4) != b"RIFF":
            return
        chunk = next(walk(source, at, size, most), None)
        if chunk is None:
            raise cut()
        yield chunk
        at = chunk.after


def packed(kind: bytes, payload: bytes) -> bytes:
    """A chunk, made even."""
    return kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) & 1)


def walk(source: BinaryIO, start: int, stop: int, most: int) -> Iterator[Chunk]:
    """The chunks between two offsets.

    Raises:
        MediaProblem: One reaches further, or they are too many.
    """
    at, count = start, 0
    while stop - at >= 8:
        source.seek(at)
        head = source.read(12)
        kind, body = head[:4], at + 8
        end = body + int.from_bytes(head[4:8], "little")
        form = head[8:12] if kind in _LISTS else b""
        count += 1
        if end > stop or (form and end < body + 4):
            raise cut()
        if count > most:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=most)
        chunk = Chunk(kind, form, at, body + len(form), end)
        yield chunk
        at = chunk.after


def shifted(film: Film, start: int, distance: int, most: int) -> Iterator[Patch]:
    """The indices of OpenDML once everything from an offset on lies further back: they tell places in the file.

    Raises:
        MediaProblem: They cannot be read.
    """
    for stream in film.listed(b"hdrl", most):
        if stream.form != b"strl":
            continue
        for chunk in walk(film.source, stream.body, stream.stop, most):
            if chunk.kind == b"indx":
                yield from _index(film, chunk, start, distance, most)


def _index(film: Film, chunk: Chunk, start: int, distance: int, most: int) -> Iterator[Patch]:
    """One index: of chunks, or of further indices."""
    data = bytearray(film.content(chunk))
    if len(data) < 24:
        return
    used = min(int.from_bytes(data[4:8], "little"), (len(data) - 24) // 16, most)
    if data[3] == 1:  # of chunks, counted from one place
        yield from _moved(chunk.body + 12, data[12:20], start, distance)
        return
    for entry in range(24, 24 + 16 * used, 16):
        inner = int.from_bytes(data[entry : entry + 8], "little")
        yield from _moved(chunk.body + entry, data[entry : entry + 8], start, distance)
        film.source.seek(min(inner, film.size))
        head = film.source.read(28)
        if len(head) == 28 and head[11] == 1:
            yield from _moved(inner + 20, head[20:28], start, distance)


def _moved(at: int, field: bytes | bytearray, start: int, distance: int) -> Iterator[Patch]:
    value = int.from_bytes(field, "little")
    if value >= start:
        yield Patch(at, (value + distance).to_bytes(8, "little"))
