"""AVIF: AV1 pictures, decoded and encoded by Pillow."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from aikz_label.adapters.image.heif import Heif

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture

_AV1_MONO, _AV1_HALF_WIDTH, _AV1_HALF_HEIGHT = 0x10, 0x08, 0x04


class Avif(Heif):
    """An AVIF file."""

    __slots__ = ()
    title = "AVIF"
    coded = b"av01"
    configuration, least_configuration = b"av1C", 4
    moving = (b"avis",)
    pillow = "AVIF"

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`; Pillow leaves the picture as it is stored."""
        picture = super().decode(index)
        picture.orientation = self.orientation
        return picture

    def _coded(self, image: Image, quality: int) -> bytes:
        buffer = BytesIO()
        image.save(
            buffer,
            "AVIF",
            quality=quality,
            subsampling=_av1_subsampling(self.primary.first(self.configuration)),
            speed=8,
            icc_profile=b"",
        )
        return buffer.getvalue()

    def _coded_colours(self) -> tuple[int, int, int] | None:
        from aikz_label.adapters.image import av1  # noqa: PLC0415  # most files say it in a property

        header = av1.colours(self.primary.first(b"av1C")[4:]) or av1.colours(self.primary.data)
        return (header.primaries, header.transfer, header.matrix) if header else None


def _av1_subsampling(configuration: bytes) -> str:
    """How `av1C` says that the colours are sampled, in Pillow's words."""
    flags = configuration[2]
    if flags & _AV1_MONO:
        return "4:0:0"
    if flags & _AV1_HALF_WIDTH:
        return "4:2:0" if flags & _AV1_HALF_HEIGHT else "4:2:2"
    return "4:4:4"
