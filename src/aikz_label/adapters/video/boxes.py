"""The boxes of a film (ISO/IEC 14496-12, QuickTime), found without reading the film.

The C2PA engine takes time with the square of their number: 20,000 cost it two seconds, 40,000 seven. So it is never given
a file with more: such a film, as of thousands of fragments, gets its marker in a sidecar.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, cast

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.bmff import Box, Fields
from aikz_label.adapters.image.window import Window
from aikz_label.limits import Limits
from aikz_label.values import dataclass

MOST = 20_000  # that the engine is given
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_HOLDING = {
    *(b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"mvex", b"moof"),
    *(b"traf", b"mfra", b"meta", b"tref", b"sinf", b"schi", b"ilst", b"mfre"),
}
_MAX_DEPTH = 12
_MAX_METADATA = 16 << 20


@dataclass(frozen=True, slots=True)
class Tree:
    """A file of boxes.

    Attributes:
        data: The file, sliced like bytes and read where it is looked at.
        top: The boxes at its top level; they fill it.
        most: Boxes of all levels that are looked at.
    """

    data: bytes
    top: tuple[Box, ...]
    most: int

    @classmethod
    def read(cls, source: BinaryIO, limits: Limits) -> Tree:
        """Walk the top level.

        Raises:
            MediaProblem: The boxes do not fill the file, or are too many.
        """
        data = cast("bytes", Window(source))
        return cls(data, bmff.walk(data, 0, len(data), limits), limits.max_parts)

    def all(self) -> Iterator[tuple[tuple[bytes, ...], Box]]:
        """Every box with the names of those around it.

        Raises:
            MediaProblem: A box reaches out of the one it lies in, or they are too many.
        """
        count = 0
        pending: list[tuple[tuple[bytes, ...], Box]] = [((), box) for box in reversed(self.top)]
        while pending:
            path, box = pending.pop()
            count += 1
            if count + len(pending) > self.most:
                raise MediaProblem(
                    "over-limit", what_word="parts", found=count + len(pending), limit=self.most
                )
            yield path, box
            if box.kind in _HOLDING and len(path) < _MAX_DEPTH:
                inner = self.children(box)
                pending += [((*path, box.kind), child) for child in reversed(inner)]

    def for_engine(self) -> bool:
        """Whether they are so few that the engine may have the file."""
        return next(islice(self.all(), MOST, None), None) is None

    def children(self, box: Box) -> tuple[Box, ...]:
        """The boxes in a box."""
        found, at = [], self._first(box)
        while box.stop - at >= 8:  # QuickTime closes lists with four zero bytes
            head = Fields(self.data[at : min(box.stop, at + 16)])
            size, kind, body = head.number(4), head.take(4), at + 8
            if size == 1:
                size, body = head.number(8), at + 16
            elif size == 0:
                size = box.stop - at if any(kind) else 8
            if size < body - at or at + size > box.stop:
                raise bmff.cut()
            found.append(Box(kind, at, body, at + size))
            if len(found) > self.most:
                raise MediaProblem(
                    "over-limit", what_word="parts", found=len(found), limit=self.most
                )
            at += size
        return tuple(found)

    def _first(self, box: Box) -> int:
        """Where the first box in a box starts; QuickTime's `meta` has no version and flags."""
        if box.kind == b"meta" and self.data[box.body + 4 : box.body + 8] != b"hdlr":
            return box.body + 4
        return box.body

    def find(self, *path: bytes) -> Box | None:
        """The first box at a path."""
        boxes, found = self.top, None
        for kind in path:
            found = next((box for box in boxes if box.kind == kind), None)
            if found is None:
                return None
            boxes = self.children(found) if found.kind in _HOLDING else ()
        return found

    def content(self, box: Box) -> bytes:
        """What is in a box of metadata."""
        if box.stop - box.body > _MAX_METADATA:
            raise MediaProblem(
                "over-limit", what_word="bytes", found=box.stop - box.body, limit=_MAX_METADATA
            )
        return self.data[box.body : box.stop]

    def markers(self) -> tuple[Box, ...]:
        """The boxes of C2PA."""
        return tuple(box for box in self.top if bmff.is_marker(self.data, box))

    def is_xmp(self, box: Box) -> bool:
        """Whether a box at the top level holds an XMP packet."""
        return box.kind == b"uuid" and self.data[box.body : min(box.stop, box.body + 16)] == XMP
