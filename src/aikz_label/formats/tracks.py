"""Whether an ISO-BMFF file without a telling brand is a film, or sound alone: its tracks say so."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

_MOST_BOXES = 1000  # at each level
_MOST_BYTES = 1 << 24  # of a table of contents that is looked through


def only_sound(stream: BinaryIO) -> bool:
    """Whether there is a track of sound, and none of pictures."""
    size = stream.seek(0, io.SEEK_END)
    kinds = set()
    for start, stop in boxes(stream, 0, size, b"moov"):
        if stop - start > _MOST_BYTES:
            return False
        for trak in boxes(stream, start, stop, b"trak"):
            for mdia in boxes(stream, *trak, b"mdia"):
                for at, _ in boxes(stream, *mdia, b"hdlr"):
                    stream.seek(at + 8)
                    kinds.add(stream.read(4))
    return b"soun" in kinds and b"vide" not in kinds


def boxes(stream: BinaryIO, start: int, stop: int, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Start and stop of the content of each box of a name."""
    for _ in range(_MOST_BOXES):
        stream.seek(start)
        head = stream.read(16)
        length, inner = int.from_bytes(head[:4]), start + 8
        if length == 1:
            length, inner = int.from_bytes(head[8:]), start + 16
        end = stop if length == 0 else start + length
        if len(head) < 8 or end < inner or end > stop:
            return
        if head[4:8] == wanted:
            yield inner, end
        start = end
