"""Pictures compared as the planes their codec holds: brightness, and colour differences at the size they are stored in.

FFmpeg decodes JPEG and lossy WebP to these planes in half the time that Pillow takes to make an image of them, and they are
smaller. Only who needs the whole picture as an image makes Pillow decode it, too. FFmpeg's decoders are not those of the
libraries that encode here, so what was written is checked by somebody else. Loading FFmpeg costs as much as decoding a few
megapixels twice.
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from aikz_label.adapters.image import canvas, modes
from aikz_label.adapters.image.container import Container, decoding, orientation_of
from aikz_label.adapters.image.picture import Picture, PillowPicture
from aikz_label.adapters.image.squares import squares
from aikz_label.adapters.packets import packet_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.canvas import Box

    Plane = NDArray[np.uint8]

_ALIGNED = 64  # px, to which FFmpeg rounds sides up
_FULL = ("yuvj420p", "yuvj422p", "yuvj444p", "gray")
_NARROW = ("yuv420p",)  # 16 to 235, ITU-R BT.601
# How the squared error of each plane shows in RGB: the mean over the three rows of the conversion, and how far the narrow
# range is stretched for that. Errors of the planes count as independent.
_SHOWN = (1.0, (0.344136**2 + 1.772**2) / 3, (1.402**2 + 0.714136**2) / 3)
_SHOWN_NARROW = (
    _SHOWN[0] * (255 / 219) ** 2,
    _SHOWN[1] * (255 / 224) ** 2,
    _SHOWN[2] * (255 / 224) ** 2,
)


class PlanarPicture(PillowPicture):
    """A picture as planes, and as an image of Pillow's when somebody asks for it.

    Attributes:
        frame: The planes.
    """

    __slots__ = ("_drawn", "_loaded", "_opened", "frame")

    def __init__(self, opened: Image.Image, frame: av.VideoFrame, orientation: int) -> None:
        """Take a picture that is decoded.

        Args:
            opened: The same file, not decoded yet.
            frame: Its planes.
            orientation: How it is turned to be seen.
        """
        Picture.__init__(self, opened.size, orientation)
        self.frame = frame
        self._opened, self._loaded = opened, False
        self._drawn: list[tuple[Image.Image, Box]] = []

    @property
    def mode(self) -> str:
        """See `PillowPicture.mode`."""
        return self._opened.mode

    @property
    def image(self) -> Image.Image:  # type: ignore[override]
        """The image, with what was painted."""
        if not self._loaded:
            with decoding():
                self._opened.load()
            self._loaded = True
            for mask, box in self._drawn:
                modes.paint(self._opened, mask, box)
        return self._opened

    def patch(self) -> Image.Image:
        """See `PillowPicture.patch`."""
        if self._loaded or len(self._drawn) != 1:
            return PillowPicture.patch(self)
        mask, _ = self._drawn[0]
        part = Image.new(self.mode, mask.size)
        modes.paint(part, mask, (0, 0, *mask.size))
        return part

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        if self._loaded:
            modes.paint(self._opened, mask, box)
        self._drawn.append((mask, box))
        self.painted = canvas.around(box, self.painted)
        levels = np.asarray(mask)
        if self.frame.format.name in _NARROW:
            levels = np.rint(16 + levels * (219 / 255)).astype(np.uint8)
        self.frame.make_writable()  # decoders lend what they still look at
        for index, plane in enumerate(planes(self.frame)):
            left, top, right, bottom = _within(box, plane, self.stored)
            plane[top:bottom, left:right] = 128 if index else levels

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`; a part is made from the planes."""
        left, top, right, bottom = self._stored_edges(edges)
        if self._loaded or 2 * (right - left) * (bottom - top) > self.stored[0] * self.stored[1]:
            return PillowPicture.crop(self, edges)
        parts = [
            _enlarged(plane, (left, top, right - left, bottom - top), self.stored)
            for plane in planes(self.frame)
        ]
        if self.frame.format.name in _NARROW:
            parts = [part.point(table) for part, table in zip(parts, _WIDENED, strict=True)]
        image = parts[0] if len(parts) == 1 else Image.merge("YCbCr", parts).convert("RGB")
        return canvas.displayed(image, self.orientation)

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`: of what the planes show in RGB."""
        if isinstance(other, PlanarPicture) and other.stored == self.stored:
            return self.apart(other.frame, box)
        return PillowPicture.difference(self, other, box)

    def apart(self, frame: av.VideoFrame, box: Box | None) -> float:
        """The same of planes of that size; 0 when they are of another kind."""
        if frame.format.name != self.frame.format.name:
            return 0.0
        weights = _SHOWN_NARROW if frame.format.name in _NARROW else _SHOWN
        error = 0.0
        pairs = zip(planes(self.frame), planes(frame), weights, strict=False)
        for first, second, weight in pairs:
            hidden, count = [], first.size
            if box is not None:
                left, top, right, bottom = _within(box, first, self.stored)
                hidden.append((slice(top, bottom), slice(left, right)))
                count -= (right - left) * (bottom - top)
            error += weight * squares(first, second, hidden) / max(count, 1)
        return 10 * math.log10(255 * 255 / error) if error else math.inf


def of(container: Container, codec: str) -> PlanarPicture | None:
    """The only picture of a file, if FFmpeg knows it as one of the kinds that are compared here.

    Args:
        container: The file; what comes after the picture is not looked at.
        codec: What FFmpeg calls its coding.

    Raises:
        MediaProblem: It is no picture.
    """
    with decoding():
        opened = Image.open(BytesIO(container.data), formats=[container.pillow])
        container.prepare(opened)
    frame = decoded(codec, container.data, opened.size)
    if frame is None or (len(frame.planes) == 1) != (opened.mode == "L"):
        return None
    return PlanarPicture(opened, frame, orientation_of(opened))


def decoded(
    codec: str, data: bytes, size: tuple[int, int], kinds: tuple[str, ...] = (*_FULL, *_NARROW)
) -> av.VideoFrame | None:
    """The planes of a picture of that size; `None` when there is none, or its planes are of another kind."""
    try:
        context = av.CodecContext.create(codec, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        # what is damaged is left to Pillow, which alone says what of it is shown; and no other frame header counts
        most = (size[0] + _ALIGNED) * (size[1] + _ALIGNED)
        context.options = {"err_detect": "explode", "max_pixels": str(most)}
        frame = next(iter([*context.decode(packet_of(data)), *context.decode(None)]), None)
    except (av.FFmpegError, ValueError):
        return None
    if frame is None or (frame.width, frame.height) != size or frame.format.name not in kinds:
        return None
    return frame


def planes(frame: av.VideoFrame) -> list[Plane]:
    """Views of the frame's own memory."""
    found = []
    for plane in frame.planes:
        memory: Any = plane  # offers the buffer protocol, which its type does not say
        samples: Plane = np.frombuffer(memory, np.uint8)
        found.append(samples.reshape(plane.height, plane.line_size)[:, : plane.width])
    return found


def _enlarged(plane: Plane, box: Box, size: tuple[int, int]) -> Image.Image:
    """A part of a plane as large as the picture shows it."""
    x, y, stop, end = _within(box, plane, size)
    part = Image.fromarray(plane[y:end, x:stop])
    across, down = _ratios(plane, size)
    if (across, down) == (1, 1):
        return part
    left, top = box[0] - x * across, box[1] - y * down
    part = part.resize((part.width * across, part.height * down), Image.Resampling.BILINEAR)
    return part.crop((left, top, left + box[2], top + box[3]))


def _ratios(plane: Plane, size: tuple[int, int]) -> tuple[int, int]:
    """By how much a plane is smaller than the picture, across and down."""
    return -(-size[0] // plane.shape[1]), -(-size[1] // plane.shape[0])


def _within(box: Box, plane: Plane, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The edges of a box in a plane, with every sample that it has a share in."""
    across, down = _ratios(plane, size)
    x, y, width, height = box
    return x // across, y // down, -(-(x + width) // across), -(-(y + height) // down)


def _widened(low: int, span: int, middle: int) -> list[int]:
    return [max(0, min(255, round((level - low) * 255 / span + middle))) for level in range(256)]


_WIDENED = (_widened(16, 219, 0), _widened(128, 224, 128), _widened(128, 224, 128))
