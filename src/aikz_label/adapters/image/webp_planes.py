"""Lossy WebP coded anew without a detour through RGB.

VP8 holds brightness in full and colour differences at half the size (4:2:0, ITU-R BT.601, 16 to 235). Pillow decodes to
RGB and halves the colours a second time, which costs 1 to 10 dB. Here the planes of the file are decoded, get the badge,
and are coded.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from aikz_label.adapters.image.canvas import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    Plane = NDArray[np.uint8]

_PLANAR = ("yuv420p", "yuva420p")


def recoded(data: bytes, image: Image, painted: Box, qualities: tuple[int, ...]) -> Iterator[bytes]:
    """The file's picture with a neutral part drawn anew, coded at one quality after the other.

    Nothing comes when the file's own planes cannot be had.

    Args:
        data: The file: one lossy picture.
        image: The picture with the part drawn in; only that part is taken from it.
        painted: Where it is, on even coordinates: opaque, and all of it black, white or grey.
        qualities: From 0 to 100.
    """
    frame = _decoded(data)
    if frame is None or (frame.width, frame.height) != image.size:
        return
    _draw(frame, image, painted)
    for quality in qualities:
        yield _coded(frame, quality)


def _decoded(data: bytes) -> av.VideoFrame | None:
    try:
        with av.open(BytesIO(data), "r", format="webp_pipe") as container:
            frame = next(container.decode(video=0), None)
    except av.FFmpegError:
        return None
    if frame is None or frame.format.name not in _PLANAR:
        return None
    frame.make_writable()
    return frame


def _draw(frame: av.VideoFrame, image: Image, box: Box) -> None:
    x, y, width, height = box
    grey = np.asarray(image.crop((x, y, x + width, y + height)).convert("L"), np.float64)
    _plane(frame, 0)[y : y + height, x : x + width] = np.rint(16 + grey * (219 / 255))
    rows, columns = slice(y // 2, -(-(y + height) // 2)), slice(x // 2, -(-(x + width) // 2))
    for differences in (1, 2):
        _plane(frame, differences)[rows, columns] = 128
    if len(frame.planes) == 4:
        _plane(frame, 3)[y : y + height, x : x + width] = 255


def _plane(frame: av.VideoFrame, index: int) -> Plane:
    """A view of the frame's own memory."""
    plane = frame.planes[index]
    memory: Any = plane  # offers the buffer protocol, which its type does not say
    samples: Plane = np.frombuffer(memory, np.uint8)
    return samples.reshape(plane.height, plane.line_size)[:, : plane.width]


def _coded(frame: av.VideoFrame, quality: int) -> bytes:
    codec = av.CodecContext.create("libwebp", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, frame.format.name
    codec.time_base = Fraction(1)
    codec.options = {"quality": str(quality), "compression_level": "4"}
    frame.pts, frame.time_base = 0, Fraction(1)
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])
