"""HEIC: HEVC pictures, decoded and encoded by pillow-heif, which is optional."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Fields, Item
from aikz_label.adapters.image.heif import Heif
from aikz_label.errors import MissingDependency

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture

_HEVC_SUBSAMPLING = ("", "420", "422", "444")
_MAX_CROP = 64  # px: the largest block of HEVC


class Heic(Heif):
    """A HEIC file."""

    __slots__ = ()
    title = "HEIC"
    coded = b"hvc1"
    configuration, least_configuration = b"hvcC", 23
    moving = (b"hevc", b"hevx", b"msf1")
    pillow = "HEIF"

    @classmethod
    def shown(cls, item: Item, size: tuple[int, int]) -> tuple[int, int]:
        """HEVC codes even sizes, so a few rows and columns at the end may be cut off; no other crop is handled."""
        crop = Fields(item.first(b"clap"))
        if not crop.rest:
            return size
        fractions = [(crop.number(4), crop.number(4)) for _ in range(4)]
        if not all(below for _, below in fractions):
            return size
        width, height = (above // below for above, below in fractions[:2])
        shifts = [_signed(above) / below for above, below in fractions[2:]]
        starts = [(size[i] - (width, height)[i]) / 2 + shifts[i] for i in (0, 1)]
        fits = all(0 <= size[i] - (width, height)[i] < _MAX_CROP for i in (0, 1))
        return (width, height) if fits and width and height and not any(map(int, starts)) else size

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # one picture
        """See `Container.decode`; the decoder turns the picture, so it is turned back."""
        from aikz_label.adapters.image.canvas import stored_mask  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        library = _pillow_heif()
        try:
            picture = library.open_heif(self.data).to_pillow()
        except Exception as error:  # decoders raise whatever they like on hostile bytes
            raise MediaProblem("damaged", detail_word="decoder") from error
        picture.info.clear()
        return PillowPicture(stored_mask(picture, self.orientation), self.orientation)

    def _coded(self, image: Image, quality: int) -> bytes:
        sampling = self.primary.first(self.configuration)[16] & 3
        options = {"chroma": _HEVC_SUBSAMPLING[sampling]} if sampling else {}
        if not sampling and image.mode == "RGBA":
            image = image.convert("LA")
        buffer = BytesIO()
        coded = _pillow_heif().from_bytes(image.mode, image.size, image.tobytes())
        coded.save(buffer, quality=quality, tile_size=0, **options)
        return buffer.getvalue()


def _pillow_heif() -> Any:
    try:
        import pillow_heif  # noqa: PLC0415  # optional
    except ModuleNotFoundError as error:
        raise MissingDependency("HEIC/HEIF", "heif") from error
    return pillow_heif


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value
