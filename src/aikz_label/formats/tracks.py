"""Whether a container of films holds a film, or sound alone: its tracks say so."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

_MOST_BOXES = 1000  # at each level
_MOST_HEADS = 10_000  # of all levels together; a film of a hundred tracks has two thousand
_MOST_BYTES = 1 << 24  # of a table of contents that is looked through
_MOST_TRACKS, _MOST_FIELDS = 200, 100  # of Matroska, and of each track that come before its type
_SEGMENT, _TRACKS, _ENTRY, _TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83  # RFC 9559
_PICTURE, _SOUND = 1, 2  # types of tracks there


def only_sound(stream: BinaryIO) -> bool:
    """Whether there is a track of sound, and none of pictures, in an ISO-BMFF file."""
    size = stream.seek(0, io.SEEK_END)
    kinds, left = set(), iter(range(_MOST_HEADS))
    for start, stop in boxes(stream, 0, size, b"moov", left):
        if stop - start > _MOST_BYTES:
            return False
        for trak in boxes(stream, start, stop, b"trak", left):
            for mdia in boxes(stream, *trak, b"mdia", left):
                for at, _ in boxes(stream, *mdia, b"hdlr", left):
                    stream.seek(at + 8)
                    kinds.add(stream.read(4))
    looked = next(left, None) is not None  # what was not looked at may be a picture
    return looked and b"soun" in kinds and b"vide" not in kinds


def boxes(
    stream: BinaryIO,
    start: int,
    stop: int,
    wanted: bytes,
    left: Iterable[int] = range(_MOST_BOXES),
) -> Iterator[tuple[int, int]]:
    """Start and stop of the content of each box of a name; `left` has an item for each head that may be read."""
    for _ in islice(left, _MOST_BOXES):
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


def only_sound_in_matroska(stream: BinaryIO) -> bool:
    """Whether there is a track of sound, and none of pictures, in a Matroska file."""
    size = stream.seek(0, io.SEEK_END)
    segment = next(_elements(stream, 0, size, _SEGMENT), (0, 0))
    tracks = next(_elements(stream, *segment, _TRACKS), (0, 0))
    kinds = []
    for number, entry in enumerate(_elements(stream, *tracks, _ENTRY)):
        start, stop = next(_elements(stream, *entry, _TYPE, most=_MOST_FIELDS), (0, 0))
        if number == _MOST_TRACKS or start == stop:  # what cannot be told may be a picture
            return False
        stream.seek(start)
        kinds.append(int.from_bytes(stream.read(min(stop - start, 8))))
    return _SOUND in kinds and _PICTURE not in kinds


def _elements(
    stream: BinaryIO, start: int, stop: int, wanted: int, most: int = _MOST_BOXES
) -> Iterator[tuple[int, int]]:
    """Start and stop of the content of each element of a name; one without a size ends where what holds it does."""
    for _ in range(most):
        if start >= stop:
            return
        stream.seek(start)
        head = stream.read(min(12, stop - start))
        width = 9 - head[0].bit_length() if head else 9
        length = 9 - head[width].bit_length() if width <= 4 and width < len(head) else 9
        if length > 8 or width + length > len(head):
            return
        inner = start + width + length
        told = int.from_bytes(head[width : width + length]) & (1 << 7 * length) - 1
        end = stop if told == (1 << 7 * length) - 1 else min(inner + told, stop)
        if int.from_bytes(head[:width]) == wanted:
            yield inner, end
        start = end
