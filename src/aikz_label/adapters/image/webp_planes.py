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

from aikz_label.adapters.image import canvas, planar
from aikz_label.adapters.image.planar import PlanarPicture

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import PillowPicture

_BEST = 100


def recoded(
    data: bytes, size: tuple[int, int], picture: PillowPicture, qualities: tuple[int, ...]
) -> Iterator[bytes]:
    """The file's picture with neutral parts drawn anew, coded at one quality after the other.

    Nothing comes when the file's own planes cannot be had.

    Args:
        data: The file: one lossy picture.
        size: Its width and height.
        picture: It with parts drawn in: opaque, and all of them black, white or grey. If it is not planes itself, only
            those are taken from it. It may be larger, by such parts alone.
        qualities: From 0 to 100.
    """
    frame = picture.frame if isinstance(picture, PlanarPicture) else _drawn(data, size, picture)
    if frame is not None:
        for quality in qualities:
            yield _coded(frame, quality)


def _drawn(data: bytes, size: tuple[int, int], picture: PillowPicture) -> av.VideoFrame | None:
    """The planes of the file, with what is painted."""
    frame = planar.decoded("webp", data, size, ("yuv420p", "yuva420p"))
    if frame is None or not picture.painted:
        return frame
    if not picture.plates:
        _draw(frame, picture.patch(), picture.painted, plate=False)
        return frame
    if not canvas.at_one_corner(size, picture.stored, picture.orientation):
        return None
    frame = _resized(frame, picture.stored)
    for box in picture.plates:
        x, y, width, height = box
        _draw(frame, picture.image.crop((x, y, x + width, y + height)), box, plate=True)
    return frame


def _resized(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Planes of another size with the same upper left part; what is new means nothing yet."""
    larger = av.VideoFrame(*size, frame.format.name)
    for old, new in zip(planar.planes(frame), planar.planes(larger), strict=True):
        height, width = (min(sides) for sides in zip(old.shape, new.shape, strict=True))
        new[:height, :width] = old[:height, :width]
    return larger


def _draw(frame: av.VideoFrame, patch: Image, box: Box, *, plate: bool) -> None:
    """Draw into the planes; under the edge of a plate the picture's colours go on, which decoders mix."""
    frame.make_writable()
    x, y, width, height = box
    grey = np.asarray(patch.convert("L"), np.float64)
    every = planar.planes(frame)
    every[0][y : y + height, x : x + width] = np.rint(16 + grey * (219 / 255))
    # colour that is shared with what lies above or left of the box stays
    top, left, below, right = (-(-edge // 2) for edge in (y, x, y + height, x + width))
    for colours in every[1:3]:
        colours[top:below, left:right] = 128
        if plate and y and top < below:
            colours[top, left:right] = colours[top - 1, left:right]
        elif plate and not y and left < right:
            colours[top:below, left] = colours[top:below, left - 1]
    if len(every) == 4:
        every[3][y : y + height, x : x + width] = 255


def _coded(frame: av.VideoFrame, quality: int) -> bytes:
    codec = av.CodecContext.create("libwebp", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, frame.format.name
    codec.time_base = Fraction(1)
    # the encoder saves on colours where it finds no photograph worse for it; at its best it is not to
    kind = "text" if quality == _BEST else "none"
    codec.options = {"quality": str(quality), "compression_level": "4", "preset": kind}
    frame.pts, frame.time_base = 0, Fraction(1)
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
