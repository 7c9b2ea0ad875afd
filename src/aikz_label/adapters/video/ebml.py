"""Matroska's own bytes (RFC 8794): elements, whose identifiers and lengths take as many bytes as they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from aikz_label.adapters.video import film

UNKNOWN = -1  # length of an element that ends where its parent or the next of its kind begins
VOID, CRC32 = 0xEC, 0xBF


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element lies: identifier from `start`, content from `body` to `stop`."""

    kind: int
    start: int
    body: int
    stop: int
    unknown: bool = False


def element(source: BinaryIO, start: int, end: int) -> Element:
    """The element at an offset, which must lie before an end.

    Raises:
        MediaProblem: It reaches beyond, or there is none.
    """
    source.seek(start)
    head = source.read(min(12, end - start))
    first, count = vint(head, 0, marker=True)
    size, more = vint(head, count, marker=False)
    if not count or not more or count > 4:
        raise film.damaged()
    body = start + count + more
    if size == UNKNOWN:
        return Element(first, start, body, end, unknown=True)
    if body + size > end:
        raise film.damaged()
    return Element(first, start, body, body + size)


def children(source: BinaryIO, parent: Element, limit: int) -> Iterator[Element]:
    """The elements within one.

    Raises:
        MediaProblem: They do not fill it, or there are too many.
    """
    at = parent.body
    for _ in range(limit):
        if at >= parent.stop:
            return
        found = element(source, at, parent.stop)
        yield found
        at = found.stop
    raise film.damaged()


def vint(data: bytes, at: int, *, marker: bool) -> tuple[int, int]:
    """A number of variable length, with or without the bit that tells its length, and how many bytes it takes."""
    if at >= len(data) or not data[at]:
        return 0, 0
    count = 9 - data[at].bit_length()
    number = int.from_bytes(data[at : at + count], "big")
    if at + count > len(data):
        return 0, 0
    if marker:
        return number, count
    number -= 1 << 7 * count
    return (UNKNOWN if number == (1 << 7 * count) - 1 else number), count


def pack(kind: int, *content: bytes, width: int = 0) -> bytes:
    """An element.

    Args:
        kind: Its identifier.
        content: What is in it.
        width: Bytes that its length shall take at least.
    """
    size = sum(map(len, content))
    return identifier(kind) + length(size, width) + b"".join(content)


def identifier(kind: int) -> bytes:
    """An identifier as it is stored."""
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big")


def length(size: int, width: int = 0) -> bytes:
    """A length as it is stored, in at least so many bytes; all ones would mean that it is unknown."""
    while size >= (1 << 7 * max(width, 1)) - 1:
        width = max(width, 1) + 1
    width = max(width, 1)
    return (size | 1 << 7 * width).to_bytes(width, "big")


def number(data: bytes) -> int:
    """An unsigned number."""
    return int.from_bytes(data[:8], "big")


def signed(value: int) -> bytes:
    """A signed number in as few bytes as it needs."""
    return value.to_bytes((value.bit_length() + 8) // 8, "big", signed=True)
