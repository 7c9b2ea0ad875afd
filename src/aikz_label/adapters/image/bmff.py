"""ISO base media files: boxes within boxes (ISO/IEC 14496-12).

Every number in such a file may be a lie, so all go through `Fields`, which stops at the end of its box, and a box never
reaches beyond the one it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.limits import Limits
from aikz_label.values import dataclass

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies: header from `start`, payload from `body` to `stop`."""

    kind: bytes
    start: int
    body: int
    stop: int


class Fields:
    """Big-endian fields one after another; past the end the file is damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise cut()
        self._at += count
        return found

    def number(self, size: int) -> int:
        """The next unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """The next signed number of so many bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def version(self) -> tuple[int, int]:
        """Version and flags of a full box."""
        return self.number(1), self.number(3)

    def text(self) -> bytes:
        """The next text, which a zero byte or the end of the box closes."""
        stop = self._data.find(b"\0", self._at)
        found = self._data[self._at : stop if stop >= 0 else len(self._data)]
        self._at += len(found) + (stop >= 0)
        return found

    @property
    def rest(self) -> bytes:
        """All that was not taken yet."""
        return self._data[self._at :]


def cut() -> MediaProblem:
    """The structure breaks off."""
    return MediaProblem("damaged", detail_word="cut")


def too_many(found: int, limits: Limits) -> MediaProblem:
    """More parts than the limit."""
    return MediaProblem("over-limit", what_word="parts", found=found, limit=limits.max_parts)


def walk(data: bytes, start: int, stop: int, limits: Limits) -> tuple[Box, ...]:
    """The boxes between two offsets, which they must fill exactly.

    Raises:
        MediaProblem: They do not, or there are too many.
    """
    found: list[Box] = []
    while start < stop:
        head = Fields(data[start : min(stop, start + 16)])
        size, kind, body = head.number(4), head.take(4), start + 8
        if size == 1:
            size, body = head.number(8), start + 16
        elif size == 0:  # to the end
            size = stop - start
        if size < body - start or start + size > stop:
            raise cut()
        found.append(Box(kind, start, body, start + size))
        if len(found) > limits.max_parts:
            raise too_many(len(found), limits)
        start += size
    return tuple(found)


def pack(kind: bytes, *payload: bytes) -> bytes:
    """A box."""
    size = 8 + sum(map(len, payload))
    return size.to_bytes(4, "big") + kind + b"".join(payload)


def packed(data: bytes, box: Box) -> bytes:
    """The whole box as it stands in the file, with a short header."""
    if box.body - box.start == 8 and int.from_bytes(data[box.start : box.start + 4]):
        return data[box.start : box.stop]
    return pack(box.kind, data[box.body : box.stop])


def is_marker(data: bytes, box: Box) -> bool:
    """Whether a top-level box holds a C2PA marker."""
    return box.kind == b"uuid" and data[box.body : min(box.stop, box.body + 16)] == C2PA


def stores(data: bytes, boxes: tuple[Box, ...]) -> Iterator[bytes]:
    """Every C2PA store: what follows the purpose and the eight bytes of the Merkle offset (C2PA 2.4, A.5)."""
    for box in boxes:
        if is_marker(data, box):
            body = data[box.body + 16 + 4 : box.stop]
            purpose, _, rest = body.partition(b"\0")
            if purpose in {b"manifest", b"original", b"update"}:
                yield rest[8:]
