"""Animated PNG files of every kind, from the still ones that `png_files` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import png_files
from png_files import chunk, chunks


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame.

    Attributes:
        values: Rows × columns × channels.
        corner: Where it lies on the canvas.
        time: Numerator and denominator, in seconds.
        disposal: 0, 1 or 2.
        blend: 0 or 1.
    """

    values: np.ndarray
    corner: tuple[int, int] = (0, 0)
    time: tuple[int, int] = (1, 10)
    disposal: int = 0
    blend: int = 0

    def control(self, number: int) -> bytes:
        """Its frame control chunk."""
        height, width = self.values.shape[:2]
        place = b"".join(n.to_bytes(4) for n in (number, width, height, *self.corner))
        time = b"".join(n.to_bytes(2) for n in self.time)
        return chunk(b"fcTL", place + time + bytes((self.disposal, self.blend)))


def apng(
    shots: Sequence[Shot],
    kind: int,
    depth: int,
    *,
    plays: int = 0,
    interlaced: bool = False,
    before: Sequence[bytes] = (),
    unshown: np.ndarray | None = None,
    numbers: Sequence[int] = (),
) -> bytes:
    """A whole file.

    Args:
        shots: The frames.
        kind: Colour type.
        depth: Bits per sample.
        plays: How often it is shown.
        interlaced: In seven passes, all frames.
        before: Chunks before the image data, such as a palette.
        unshown: A picture for viewers that know no animations.
        numbers: To be written instead of 0, 1, 2 …
    """
    still = unshown if unshown is not None else shots[0].values
    listed = dict.fromkeys((b"IHDR", b"IDAT"), b"")
    for name, data in chunks(png_files.png(still, kind, depth, interlaced=interlaced)):
        listed[name] = listed.get(name, b"") + data
    count = iter(numbers or range(10**6))
    out = [
        chunk(b"IHDR", listed[b"IHDR"]),
        *before,
        chunk(b"acTL", len(shots).to_bytes(4) + plays.to_bytes(4)),
    ]
    if unshown is not None:
        out.append(chunk(b"IDAT", listed[b"IDAT"]))
    for shot in shots:
        out.append(shot.control(next(count)))
        file = png_files.png(shot.values, kind, depth, interlaced=interlaced)
        for name, data in chunks(file):
            if name != b"IDAT":
                continue
            if shot is shots[0] and unshown is None:
                out.append(chunk(b"IDAT", data))
            else:
                out.append(chunk(b"fdAT", next(count).to_bytes(4) + data))
    return png_files.SIGNATURE + b"".join(out) + chunk(b"IEND")


def moving() -> bytes:
    """A short film in colour."""
    values = png_files.photo(png_files.RGB, 8, (160, 120))
    return apng([Shot(np.roll(values, 20 * n, axis=1)) for n in range(3)], png_files.RGB, 8)


def pixels(data: bytes) -> list[bytes]:
    """The image data of every frame, joined."""
    found: list[bytes] = []
    for name, body in chunks(data):
        if name == b"fcTL":
            found.append(b"")
        elif name == b"fdAT":
            found[-1] += body[4:]
        elif name == b"IDAT" and found:
            found[-1] += body
    return found


def numbers(data: bytes) -> list[int]:
    """The numbers of control and data chunks, in their order."""
    return [int.from_bytes(d[:4]) for n, d in chunks(data) if n in {b"fcTL", b"fdAT"}]
