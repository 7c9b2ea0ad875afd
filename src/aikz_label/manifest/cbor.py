"""A reader of CBOR (RFC 8949), as much as a signature needs. Pure and bounded: it never asks for more than is there."""

from __future__ import annotations

from typing import Any

_MAX_DEPTH, _MAX_ITEMS = 16, 20_000
_BREAK = b"\xff"
_SIMPLE = {20: False, 21: True}


def decode(data: bytes) -> Any:
    """The one item that fills the data, without its tags; numbers with a point and other simple values become `None`.

    Raises:
        ValueError: There is none, or there is more.
    """
    reader = _Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise ValueError("bytes after the end")
    return value


class _Reader:
    """Walks the data; `at` is where it stands, `count` how many items it has read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.count = 0

    def item(self, depth: int) -> Any:
        self.count += 1
        if depth > _MAX_DEPTH or self.count > _MAX_ITEMS:
            raise ValueError("too deep or too much")
        head = self.take(1)[0]
        kind, value = head >> 5, head & 31
        if value == 31 and 2 <= kind <= 5:
            return _whole(kind, self.until_break(depth))
        if value > 27:
            raise ValueError("head")
        if value > 23:
            value = int.from_bytes(self.take(1 << (value - 24)))
        if kind in {2, 3}:
            return _whole(kind, [self.text(kind, value)])
        if kind in {4, 5}:
            return _whole(kind, self.several(value * (kind - 3), depth))
        if kind == 6:
            return self.item(depth + 1)
        return (value, -1 - value)[kind] if kind < 2 else _SIMPLE.get(value)

    def text(self, kind: int, length: int) -> Any:
        content = self.take(length)
        return content.decode("utf-8") if kind == 3 else content

    def several(self, count: int, depth: int) -> list[Any]:
        if count > len(self.data) - self.at:  # an item takes at least a byte
            raise ValueError("length")
        return [self.item(depth + 1) for _ in range(count)]

    def until_break(self, depth: int) -> list[Any]:
        parts = []
        while self.data[self.at : self.at + 1] != _BREAK:
            parts.append(self.item(depth + 1))
        self.take(1)
        return parts

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise ValueError("length")
        self.at += count
        return self.data[self.at - count : self.at]


def _whole(kind: int, parts: list[Any]) -> Any:
    """Bytes, text, a list or a map from its parts."""
    try:
        if kind == 2:
            return b"".join(parts)
        if kind == 3:
            return "".join(parts)
        return parts if kind == 4 else dict(zip(parts[::2], parts[1::2], strict=True))
    except TypeError as error:  # parts of another kind, or a key that is a list
        raise ValueError("parts") from error
