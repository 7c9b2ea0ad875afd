"""The pixels of WebP, coded and decoded by Pillow; what needs it is apart from the container."""

from __future__ import annotations

import math
from io import BytesIO

from PIL import Image

from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.container import Chunk, Container, decoding
from aikz_label.adapters.image.modes import difference_as_shown
from aikz_label.adapters.image.picture import Picture, PillowPicture
from aikz_label.adapters.image.webp_chunks import ALPHA, IMAGE, extended, has_alpha, riff, walk
from aikz_label.errors import Refused

# Lossy files are decoded and encoded anew. The quality is the first that keeps 44 dB (notices: q90 gives 44 to 48).
_QUALITIES = (90, 95, 100)
_WANTED_PSNR = 44.0
_LARGEST = 16383  # px, of either side of what is coded


class LossyPicture(PillowPicture):
    """A picture of which the codec keeps what is seen, not the colours under full transparency."""

    __slots__ = ()

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`."""
        if not isinstance(other, PillowPicture) or other.stored != self.stored:
            return 0.0
        image = other.image.convert(self.image.mode)
        return difference_as_shown(self.image, image, *self.left_out(box))

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        return LossyPicture(self.image.crop(edges), self.orientation)


def lossy(container: Container) -> Picture:
    """The picture of a still lossy file.

    Raises:
        MediaProblem: It cannot be decoded.
    """
    from aikz_label.adapters.image import planar  # noqa: PLC0415  # its decoder costs 50 ms

    picture = planar.of(container, "webp")
    if picture is not None and picture.mode == "RGB":
        return picture
    decoded = Container.decode(container)
    assert isinstance(decoded, PillowPicture)
    return LossyPicture(decoded.image, decoded.orientation)


def recoded(data: bytes, size: tuple[int, int], picture: Picture) -> list[Chunk]:
    """Image chunks of a lossy file of that size with a notice drawn into it, at the first quality that is good enough."""
    from aikz_label.adapters.image import webp_planes  # noqa: PLC0415  # its decoder costs 50 ms

    assert isinstance(picture, PillowPicture)
    best, most = b"", -math.inf
    for found in webp_planes.recoded(data, size, picture, _QUALITIES):
        likeness = _difference(picture, found)
        if likeness > most:
            best, most = found, likeness
        if most >= _WANTED_PSNR:
            break
    return _chunks(best) if best else coded(picture.image, lossless=False)


def _difference(picture: PillowPicture, data: bytes) -> float:
    """How far what was coded is from the picture, PSNR in dB."""
    from aikz_label.adapters.image import planar  # noqa: PLC0415  # see above

    if isinstance(picture, planar.PlanarPicture):
        frame = planar.decoded("webp", data, picture.stored)
        return picture.apart(frame, None) if frame is not None else 0.0
    with Image.open(BytesIO(data), formats=["WEBP"]) as again:
        return picture.difference(LossyPicture(again), None)


def coded(image: Image.Image, *, lossless: bool) -> list[Chunk]:
    """Image chunks; lossy ones have the first quality that is good enough.

    Raises:
        Refused: It is too large for the format.
    """
    if max(image.size) > _LARGEST:
        raise Refused(
            f"With its notice the picture is larger than WebP can be: {image.width} × {image.height} pixels.",
            code="unsupported-variant",
            hint="Use a smaller picture.",
        )
    for quality in (100,) if lossless else _QUALITIES:
        buffer = BytesIO()
        image.save(
            buffer,
            "WEBP",
            lossless=lossless,
            quality=80 if lossless else quality,
            method=4,
            exact=True,
        )
        if lossless or quality == _QUALITIES[-1]:
            break
        with Image.open(buffer, formats=["WEBP"]) as again:
            if difference_as_shown(again.convert(image.mode), image) >= _WANTED_PSNR:
                break
    return _chunks(buffer.getvalue())


def _chunks(data: bytes) -> list[Chunk]:
    return [chunk for chunk in walk(data, 12, len(data)) if chunk.name in IMAGE]


def alone(pixels: list[Chunk], size: tuple[int, int]) -> bytes:
    """A frame as a file of its own."""
    return riff([extended(ALPHA if has_alpha(pixels) else 0, size), *pixels])


def on_canvas(pixels: list[Chunk], box: Box, size: tuple[int, int]) -> Image.Image:
    """A frame as it is shown first, on an empty canvas.

    Raises:
        MediaProblem: It cannot be decoded.
    """
    with decoding():
        image = Image.open(BytesIO(alone(pixels, box[2:])), formats=["WEBP"])
        image.load()
    return canvas.on_empty(image, box[:2], size)
