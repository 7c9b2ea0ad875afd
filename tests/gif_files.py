"""GIF files of every kind, written here block by block. The pixels are coded without compression, which is legal LZW."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01%s\x00"
RAMP = bytes(level for index in range(256) for level in (index, 255 - index, index // 2))


@dataclass(frozen=True, slots=True)
class Image:
    """One frame.

    Attributes:
        pixels: Rows of colour numbers.
        corner: Where it lies on the screen.
        time: In hundredths of a second; `None` leaves the graphic control extension out.
        disposal: 0 to 7.
        transparent: The transparent colour.
        palette: A local palette; empty for none.
        interlaced: In four passes.
        before: Blocks between the control and the image.
    """

    pixels: np.ndarray
    corner: tuple[int, int] = (0, 0)
    time: int | None = 10
    disposal: int = 1
    transparent: int | None = None
    palette: bytes = b""
    interlaced: bool = False
    before: bytes = b""

    def packed(self) -> bytes:
        """Its blocks."""
        return self.control() + self.before + self.descriptor() + coded(self._rows())

    def control(self) -> bytes:
        """The graphic control extension."""
        if self.time is None:
            return b""
        flags = self.disposal << 2 | (self.transparent is not None)
        time = self.time.to_bytes(2, "little")
        return b"!\xf9\x04" + bytes((flags,)) + time + bytes((self.transparent or 0, 0))

    def descriptor(self) -> bytes:
        """The image descriptor and the local palette."""
        height, width = self.pixels.shape
        place = b"".join(n.to_bytes(2, "little") for n in (*self.corner, width, height))
        return (
            b"," + place + bytes((flags_of(self.palette) | 0x40 * self.interlaced,)) + self.palette
        )

    def _rows(self) -> np.ndarray:
        if not self.interlaced:
            return self.pixels
        starts = ((0, 8), (4, 8), (2, 4), (1, 2))
        return np.concatenate([self.pixels[start::step] for start, step in starts])


def gif(
    images: Sequence[Image],
    size: tuple[int, int] | None = None,
    palette: bytes = RAMP,
    extensions: bytes = LOOP % b"\0\0",
    version: bytes = b"GIF89a",
    end: bytes = b";",
) -> bytes:
    """A whole file; the screen is as large as the first frame unless it is said."""
    width, height = size or images[0].pixels.shape[::-1]
    screen = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    head = version + screen + bytes((flags_of(palette), 0, 0)) + palette + extensions
    return head + b"".join(image.packed() for image in images) + end


def moving() -> bytes:
    """A short film in grey."""
    rows = np.add.outer(np.arange(180), np.arange(240)).astype(np.uint8)
    ramp = bytes(level for index in range(256) for level in (index,) * 3)
    return gif([Image(rows + 40 * shift) for shift in range(3)], palette=ramp)


def flags_of(palette: bytes) -> int:
    """What a screen or an image says of its palette."""
    return 0x80 | (len(palette) // 3).bit_length() - 2 if palette else 0


def coded(pixels: np.ndarray, depth: int = 8) -> bytes:
    """Every pixel as a code of its own; a clear code comes before the codes would get longer."""
    codes: list[int] = []
    for number, pixel in enumerate(pixels.ravel().tolist()):
        if number % (2**depth - 2) == 0:
            codes.append(2**depth)
        codes.append(pixel)
    codes.append(2**depth + 1)
    bits = np.unpackbits(
        np.array(codes, "<u2").view(np.uint8).reshape(-1, 2), axis=1, bitorder="little"
    )[:, : depth + 1]
    data = np.packbits(bits.ravel(), bitorder="little").tobytes()
    return bytes((depth,)) + sub_blocks(data)


def sub_blocks(data: bytes, size: int = 255) -> bytes:
    """Cut into pieces with their lengths, and ended."""
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def blocks(data: bytes) -> list[bytes]:
    """Every block after the global palette; what follows the end as the last."""
    at = 13 + (3 * (2 << (data[10] & 7)) if data[10] & 0x80 else 0)
    found = []
    while data[at] != ord(";"):
        start, kind = at, data[at]
        at += (
            2
            if kind == ord("!")
            else 11 + (3 * (2 << (data[at + 9] & 7)) if data[at + 9] & 0x80 else 0)
        )
        while data[at]:
            at += 1 + data[at]
        at += 1
        found.append(data[start:at])
    return [*found, data[at:]]


def without(data: bytes, *names: bytes) -> bytes:
    """The file without application extensions of those names."""
    start = data.index(blocks(data)[0])
    kept = (b for b in blocks(data) if not (b[:2] == b"!\xff" and b[3:].startswith(names)))
    return data[:start] + b"".join(kept)
