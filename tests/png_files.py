"""PNG files of every kind, written here from numbers, and read by a decoder that is not Pillow."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from support import picture, require_tool

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
KINDS = [
    *((GREY, depth) for depth in (1, 2, 4, 8, 16)),
    *((PALETTE, depth) for depth in (1, 2, 4, 8)),
    *((kind, depth) for kind in (RGB, GREY_ALPHA, RGB_ALPHA) for depth in (8, 16)),
]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, data: bytes = b"") -> bytes:
    """One chunk."""
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of every chunk; bytes after the last one come under an empty name."""
    at = 8
    while at < len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        yield name, data[at + 8 : at + 8 + length]
        at += 12 + length
        if name == b"IEND" and at < len(data):
            yield b"", data[at:]
            return


def without(data: bytes, *names: bytes) -> bytes:
    """The file without some of its chunks."""
    kept = [chunk(*one) if one[0] else one[1] for one in chunks(data) if one[0] not in names]
    return SIGNATURE + b"".join(kept)


def photo(kind: int, depth: int, size: tuple[int, int] = (200, 151)) -> np.ndarray:
    """The photograph as the numbers that a file of this kind stores: rows × columns × channels."""
    grey = np.asarray(picture("L", size), np.float64)[..., None] / 255
    shares = [grey ** (1 + 0.3 * channel) for channel in range(CHANNELS[kind])]
    values = np.concatenate(shares, axis=2) * (2**depth - 1)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, values.shape)  # the low bits matter too
    return np.clip(np.rint(values + noise * 300 * (depth == 16)), 0, 2**depth - 1).astype(int)


def png(
    values: np.ndarray,
    kind: int,
    depth: int,
    *,
    interlaced: bool = False,
    before: Iterable[bytes] = (),
    after: Iterable[bytes] = (),
) -> bytes:
    """A file in which every filter occurs.

    Args:
        values: Rows × columns × channels.
        kind: Colour type.
        depth: Bits per sample.
        interlaced: In seven passes.
        before: Whole chunks before the image data.
        after: Whole chunks after it.
    """
    height, width = values.shape[:2]
    header = width.to_bytes(4) + height.to_bytes(4) + bytes((depth, kind, 0, 0, interlaced))
    rows = b"".join(_rows(part, depth) for part in _passes(values, interlaced=interlaced))
    data = zlib.compress(rows)
    half = len(data) // 2
    listed = [
        chunk(b"IHDR", header),
        *before,
        chunk(b"IDAT", data[:half]),
        chunk(b"IDAT", data[half:]),
        *after,
        chunk(b"IEND"),
    ]
    return SIGNATURE + b"".join(listed)


def _passes(values: np.ndarray, *, interlaced: bool) -> Iterator[np.ndarray]:
    if not interlaced:
        yield values
        return
    starts = [(0, 0), (0, 4), (4, 0), (0, 2), (2, 0), (0, 1), (1, 0)]
    steps = [(8, 8), (8, 8), (8, 4), (4, 4), (4, 2), (2, 2), (2, 1)]
    for (y, x), (down, across) in zip(starts, steps, strict=True):
        part = values[y::down, x::across]
        if part.size:
            yield part


def _rows(values: np.ndarray, depth: int) -> bytes:
    """Row after row, byte by byte, as the specification tells it."""
    step = max(1, depth * values.shape[2] // 8)
    above, out = b"", bytearray()
    for number, row in enumerate(values):
        bits = "".join(f"{value:0{depth}b}" for value in row.reshape(-1))
        bits += "0" * (-len(bits) % 8)
        line = int(bits, 2).to_bytes(len(bits) // 8)
        above = above or bytes(len(line))
        kind = number % 5
        out.append(kind)
        for i, byte in enumerate(line):
            a = line[i - step] if i >= step else 0
            b, c = above[i], above[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((byte - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        above = line
    return bytes(out)


def deep_values(data: bytes, kind: int, size: tuple[int, int]) -> np.ndarray | None:
    """All 16 bits of every sample, as FFmpeg reads them; `None` for a file without an end, which it does not."""
    layout = {GREY: "gray16be", GREY_ALPHA: "ya16be", RGB: "rgb48be", RGB_ALPHA: "rgba64be"}[kind]
    done = subprocess.run(
        [
            *f"{require_tool('ffmpeg')} -v error -f png_pipe -i -".split(),
            "-f",
            "rawvideo",
            "-pix_fmt",
            layout,
            "-",
        ],
        input=data,
        capture_output=True,
        check=b"IEND" in data,
    )
    if done.returncode:
        return None
    return np.frombuffer(done.stdout, ">u2").reshape(size[1], size[0], -1).astype(int)


def still_of(data: bytes) -> bytes:
    """The picture of an animated file that viewers see which know no animations."""
    return without(data, b"acTL", b"fcTL", b"fdAT", b"caBX")
