"""Animated WebP files, put together here from pictures that Pillow codes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from support import picture


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame.

    Attributes:
        image: Its pixels.
        options: How they are coded.
        corner: Where it lies on the canvas; even numbers.
        time: In milliseconds.
        clears: Its place is cleared afterwards.
        replaces: It replaces what is there.
    """

    image: Image.Image
    options: tuple[tuple[str, Any], ...] = (("lossless", True),)
    corner: tuple[int, int] = (0, 0)
    time: int = 100
    clears: bool = False
    replaces: bool = False

    def packed(self) -> bytes:
        """Its chunk."""
        buffer = io.BytesIO()
        self.image.save(buffer, "WEBP", exact=True, **dict(self.options))
        kept = (b"VP8 ", b"VP8L", b"ALPH")
        coded = b"".join(chunk(n, d) for n, d in chunks(buffer.getvalue()) if n in kept)
        place = (self.corner[0] // 2, self.corner[1] // 2, *(side - 1 for side in self.image.size))
        numbers = b"".join(n.to_bytes(3, "little") for n in (*place, self.time))
        return chunk(b"ANMF", numbers + bytes((self.clears | self.replaces << 1,)) + coded)


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk."""
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of every chunk."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def webp(
    shots: Sequence[Shot],
    size: tuple[int, int] | None = None,
    *,
    plays: int = 0,
    after: bytes = b"",
    flags: int = 0x12,
) -> bytes:
    """A whole file; the canvas is as large as the first frame unless it is said."""
    width, height = size or shots[0].image.size
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = chunk(b"VP8X", bytes((flags, 0, 0, 0)) + sides)
    body += chunk(b"ANIM", b"\xff\xff\xff\xff" + plays.to_bytes(2, "little"))
    return file(body + b"".join(shot.packed() for shot in shots) + after)


def moving() -> bytes:
    """A short film in colour, lossy."""
    image = picture("RGB", (240, 180))
    shots = [image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image]
    return webp([Shot(one, (("quality", 80),)) for one in shots])


def file(body: bytes) -> bytes:
    """Chunks as a file."""
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def without(data: bytes, *names: bytes) -> bytes:
    """The file without some of its chunks, and VP8X without the bit for XMP."""
    kept = [(n, d) for n, d in chunks(data) if n not in names]
    kept = [(n, bytes((d[0] & ~4,)) + d[1:] if n == b"VP8X" else d) for n, d in kept]
    return file(b"".join(chunk(n, d) for n, d in kept))
