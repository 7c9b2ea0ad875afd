"""Boxes of ISO-BMFF: those of a file where they stand, and those of a `moov` as a tree that can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.pieces import Span
from aikz_label.limits import Limits
from aikz_label.values import dataclass, field

MOST = 1 << 26  # bytes of a box that is read whole
_PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"ilst", b"tref"}
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A box of a file.

    Attributes:
        name: Its four letters.
        start: Where it starts.
        body: Where its content starts.
        stop: Where it ends.
    """

    name: bytes
    start: int
    body: int
    stop: int

    @property
    def whole(self) -> Span:
        """All of it."""
        return Span(self.start, self.stop)


def walk(source: BinaryIO, size: int, limits: Limits) -> Iterator[Placed]:
    """The boxes of a file.

    Raises:
        MediaProblem: One goes beyond the end, or there are too many.
    """
    at = count = 0
    while at < size:
        head = pieces.read(source, at, 16)
        length, start = int.from_bytes(head[:4]), at + 8
        if length == 1:
            length, start = int.from_bytes(head[8:16]), at + 16
        stop = size if length == 0 else at + length
        count += 1
        if count > limits.max_parts:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=limits.max_parts)
        if len(head) < 8 or stop < start or stop > size:
            raise MediaProblem("damaged", detail_word="cut")
        yield Placed(head[4:8], at, start, stop)
        at = stop


@dataclass(slots=True)
class Box:
    """A box of a tree: content, or other boxes behind some bytes.

    Attributes:
        name: Its four letters.
        content: Its content; what stands before its boxes where it holds some.
        children: Those boxes; `None` where it holds none.
        trailing: Bytes behind them that are no box.
    """

    name: bytes
    content: bytes
    children: list[Box] | None = None
    trailing: bytes = field(default=b"", repr=False)

    @classmethod
    def parse(cls, data: bytes, depth: int = 0) -> Self:
        """Read one box, which takes all the bytes.

        Raises:
            MediaProblem: Something in it goes beyond its end.
        """
        start = 16 if data[:4] == b"\0\0\0\1" else 8
        name = data[4:8]
        before = _before_boxes(name, data[start:])
        if before is None:
            return cls(name, data[start:])
        if depth == _MAX_DEPTH:
            raise MediaProblem("damaged", detail_word="loop")
        children: list[Box] = []
        at = start + before
        while at + 8 <= len(data):
            length = int.from_bytes(data[at : at + 4])
            if length == 1:
                length = int.from_bytes(data[at + 8 : at + 16])
            if length == 0 and name == b"udta":  # QuickTime ends a list of user data so
                break
            stop = len(data) if length == 0 else at + length
            if stop < at + 8 or stop > len(data):
                raise MediaProblem("damaged", detail_word="cut")
            children.append(cls.parse(data[at:stop], depth + 1))
            at = stop
        return cls(name, data[start : start + before], children, data[at:])

    def stored(self) -> bytes:
        """As it is stored."""
        inside = b"".join(child.stored() for child in self.children or ())
        body = self.content + inside + self.trailing
        if len(body) + 8 >= 1 << 32:
            raise MediaProblem("damaged", detail_word="too-long")
        return (len(body) + 8).to_bytes(4) + self.name + body

    def all(self, *path: bytes) -> Iterator[Box]:
        """The boxes at the end of a path of names."""
        if not path:
            yield self
            return
        for child in self.children or ():
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def first(self, *path: bytes) -> Box | None:
        """The first of them."""
        return next(self.all(*path), None)

    def need(self, *path: bytes) -> Box:
        """The first of them.

        Raises:
            MediaProblem: There is none.
        """
        found = self.first(*path)
        if found is None:
            raise MediaProblem("damaged", detail_word="cut")
        return found


def _before_boxes(name: bytes, content: bytes) -> int | None:
    """How many bytes stand before the boxes in a box; `None` for one that holds no boxes."""
    if name in _PARENTS:
        return 0
    if name == b"meta":  # with a version in ISO files, without one in QuickTime
        return 0 if content[4:8] in {b"hdlr", b"ilst"} else 4
    return None
