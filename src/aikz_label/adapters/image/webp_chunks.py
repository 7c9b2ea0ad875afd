"""The RIFF chunks that WebP is made of (RFC 9649)."""

from __future__ import annotations

from collections.abc import Iterable

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Chunk
from aikz_label.limits import NO_LIMITS, Limits

ANIMATION, XMP, ALPHA = 0x02, 0x04, 0x10  # bits of VP8X
IMAGE = (b"VP8 ", b"VP8L", b"ALPH")
FRAMES = (b"ANIM", b"ANMF")


def walk(data: bytes, at: int, stop: int, limits: Limits = NO_LIMITS) -> tuple[Chunk, ...]:
    """The chunks between two places; some writers leave the last padding byte out.

    Raises:
        MediaProblem: One reaches beyond the end, or there are too many.
    """
    chunks: list[Chunk] = []
    while at + 8 <= stop:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > stop:
            raise MediaProblem("damaged", detail_word="cut")
        chunks.append(Chunk(data[at : at + 4], data, at + 8, at + 8 + length))
        if len(chunks) > limits.max_parts:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(chunks), limit=limits.max_parts
            )
        at += 8 + length + length % 2
    return tuple(chunks)


def packed(chunk: Chunk) -> bytes:
    """The chunk with its length, padded to an even size."""
    data = chunk.data
    return chunk.name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def riff(chunks: Iterable[Chunk]) -> bytes:
    """A whole file."""
    body = b"WEBP" + b"".join(packed(chunk) for chunk in chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def extended(flags: int, size: tuple[int, int]) -> Chunk:
    """A VP8X chunk."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    return Chunk.of(b"VP8X", bytes((flags, 0, 0, 0)) + sides)


def has_alpha(image: Iterable[Chunk]) -> bool:
    """Whether a picture can be transparent."""
    return any(
        c.name == b"ALPH" or (c.name == b"VP8L" and len(c.data) > 4 and c.data[4] >> 4 & 1)
        for c in image
    )


def size_of(chunks: Iterable[Chunk]) -> tuple[int, int]:
    """Width and height from VP8X, VP8L or VP8.

    Raises:
        MediaProblem: None of them is there.
    """
    for chunk in chunks:
        data = chunk.whole[chunk.start : min(chunk.stop, chunk.start + 10)]
        if chunk.name == b"VP8X" and len(data) >= 10:
            return (
                1 + int.from_bytes(data[4:7], "little"),
                1 + int.from_bytes(data[7:10], "little"),
            )
        if chunk.name == b"VP8L" and len(data) >= 5:
            bits = int.from_bytes(data[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if chunk.name == b"VP8 " and len(data) >= 10:
            return (
                int.from_bytes(data[6:8], "little") & 0x3FFF,
                int.from_bytes(data[8:10], "little") & 0x3FFF,
            )
    raise MediaProblem("damaged", detail_word="no-header")
