"""Lossy WebP coded anew without a detour through RGB.

VP8 holds brightness in full and colour differences at half the size (4:2:0, ITU-R BT.601, 16 to 235). Pillow decodes to
RGB and halves the colours a second time, which costs 1 to 10 dB. Here the planes of the file are decoded, get the badge,
and are coded.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from aikz_label.adapters.image import planar
from aikz_label.adapters.image.planar import PlanarPicture

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import PillowPicture


def recoded(data: bytes, picture: PillowPicture, qualities: tuple[int, ...]) -> Iterator[bytes]:
    """The file's picture with a neutral part drawn anew, coded at one quality after the other.

    Nothing comes when the file's own planes cannot be had.

    Args:
        data: The file: one lossy picture.
        picture: It with the part drawn in, on even coordinates: opaque, and all of it black, white or grey. If it is not
            planes itself, only that part is taken from it.
        qualities: From 0 to 100.
    """
    frame = picture.frame if isinstance(picture, PlanarPicture) else _drawn(data, picture)
    if frame is not None:
        for quality in qualities:
            yield _coded(frame, quality)


def _drawn(data: bytes, picture: PillowPicture) -> av.VideoFrame | None:
    """The planes of the file, with what is painted."""
    frame = planar.decoded("webp", data, picture.stored, ("yuv420p", "yuva420p"))
    if frame is not None and picture.painted is not None:
        _draw(frame, picture.patch(), picture.painted)
    return frame


def _draw(frame: av.VideoFrame, patch: Image, box: Box) -> None:
    frame.make_writable()
    x, y, width, height = box
    grey = np.asarray(patch.convert("L"), np.float64)
    every = planar.planes(frame)
    every[0][y : y + height, x : x + width] = np.rint(16 + grey * (219 / 255))
    rows, columns = slice(y // 2, -(-(y + height) // 2)), slice(x // 2, -(-(x + width) // 2))
    for differences in (1, 2):
        every[differences][rows, columns] = 128
    if len(every) == 4:
        every[3][y : y + height, x : x + width] = 255


def _coded(frame: av.VideoFrame, quality: int) -> bytes:
    codec = av.CodecContext.create("libwebp", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, frame.format.name
    codec.time_base = Fraction(1)
    codec.options = {"quality": str(quality), "compression_level": "4"}
    frame.pts, frame.time_base = 0, Fraction(1)
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
