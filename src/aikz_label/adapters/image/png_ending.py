"""PNG that stops before its end: whole, as for every viewer, when all of its rows are there."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import apng, png_header
from aikz_label.adapters.image.container import Chunk
from aikz_label.adapters.image.png_header import Header

_PIECE = 1 << 20  # bytes that are inflated at once
_IEND = png_header.chunk(b"IEND", b"")


def missing(data: bytes, at: int, chunks: list[Chunk]) -> Iterator[Chunk]:
    """What a file that stops within its image data or behind it needs to be whole, as every viewer shows it.

    Raises:
        MediaProblem: Rows are missing, or something else was cut.
    """
    image = [chunk for chunk in chunks if chunk.name == b"IDAT"]
    if data[at + 4 : at + 8] == b"IDAT":
        image.append(Chunk(b"IDAT", data, at + 8, len(data)))
        yield image[-1]
    elif not _IEND.startswith(data[at:]):
        raise MediaProblem("damaged", detail_word="no-end")
    if apng.moves(tuple(chunks)) or not image:
        raise MediaProblem("damaged", detail_word="no-end")
    needed = Header.read(chunks[0].data).length
    if _inflated(image, needed) < needed:
        raise MediaProblem("damaged", detail_word="no-end")
    yield Chunk.of(b"IEND", b"")


def _inflated(image: list[Chunk], enough: int) -> int:
    """How many bytes image data give before they are enough, end, or make no sense; they are not kept."""
    length, inflating = 0, zlib.decompressobj()
    for chunk in image:
        rest = chunk.data
        while rest and length < enough:
            try:
                length += len(inflating.decompress(rest, _PIECE))
            except zlib.error:
                return length
            rest = inflating.unconsumed_tail
    return length
