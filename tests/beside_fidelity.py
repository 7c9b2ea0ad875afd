"""Are BMP, icons and JPEG 2000 still the same pictures? Answered by Pillow, and where it reads no such bitmap, by numpy."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

LEAST_PSNR = 44.0  # dB, of JPEG 2000, which may be lossy


def decodable(source: bytes) -> bool:
    """Whether every size of the picture is read."""
    return bool(list(_seen(source)))


def losses(source: bytes, output: bytes, placements: Sequence[Mapping[str, Any]]) -> list[str]:
    """What marking changed outside the notices; empty when nothing."""
    before, after = list(_seen(source)), list(_seen(output))
    badges = [place for place in placements if not place["design"].startswith("strip/")]
    if len(badges) < len(placements) and len(before) == len(after):  # below the picture
        pairs = zip(before, after, strict=True)
        after = [now[: was.shape[0], : was.shape[1]] for was, now in pairs]
    if [one.shape for one in before] != [one.shape for one in after]:
        return ["it no longer holds the same sizes"]
    found = []
    for first, second in zip(before, after, strict=True):
        for place in badges:  # of an icon all of them: a size is compared without any of them
            height, width = first.shape[:2]
            left, top = int(place["x"] * width), int(place["y"] * height)
            right = int((place["x"] + place["width"]) * width) + 2
            bottom = int((place["y"] + place["height"]) * height) + 2
            first[top:bottom, left:right] = second[top:bottom, left:right] = 0
        error = float(np.mean((first.astype(float) - second) ** 2))
        lossy = output[4:8] == b"jP  " or output[:4] == b"\xff\x4f\xff\x51"
        if error > (255**2 / 10 ** (LEAST_PSNR / 10) if lossy else 0):
            found.append(f"pixels outside the notice changed, {error:.3g} in the mean square")
    return found


def _seen(data: bytes) -> Iterator[np.ndarray]:
    """Every size, as RGBA."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=["BMP", "CUR", "ICO", "JPEG2000"])
            for size in sorted(image.info.get("sizes", [image.size])):
                if image.format == "ICO":
                    image.size = size
                image.load()
                yield np.array(image.convert("RGBA"))
    except Image.DecompressionBombError:
        return
    except (OSError, ValueError, SyntaxError):
        yield from _bitfields(data)


def _bitfields(data: bytes) -> Iterator[np.ndarray]:
    """A bitmap with masks that Pillow has no name for."""
    if data[:2] != b"BM" or len(data) < 70:
        return
    start, header, width, height, _, depth, kind = struct.unpack("<IIiiHHI", data[10:34])
    row = (width * depth + 31) // 32 * 4
    if kind != 3 or depth not in {16, 32} or header < 40 or len(data) < start + row * abs(height):
        return
    words = np.frombuffer(data, np.uint8, row * abs(height), start).reshape(abs(height), row)
    words = words[:, : width * depth // 8].copy().view(f"<u{depth // 8}").astype(np.int64)
    masks = struct.unpack("<3I", data[54:66])
    levels = [(words & m) // max(m & -m, 1) * 255 // max(m // max(m & -m, 1), 1) for m in masks]
    pixels = np.stack([*levels, np.full(words.shape, 255)], axis=2).astype(np.uint8)
    yield pixels[:: 1 if height < 0 else -1].copy()
