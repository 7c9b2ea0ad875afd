"""What every picture container offers, and the decoding they share."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.errors import Refused
from aikz_label.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

ORIENTATION = 274  # EXIF tag


class Container(ABC):
    """A picture file taken apart without decoding it.

    Attributes:
        data: The whole file.
        size: Stored width and height, px.
        pillow: Name of the only decoder that may touch it.
        grid: Size of the blocks the codec codes, px; the plate is aligned to it.
        least_psnr: Quality outside the notice below which marking is refused, dB.
    """

    pillow: ClassVar[str]
    grid: ClassVar[tuple[int, int]] = (1, 1)
    least_psnr: ClassVar[float]
    data: bytes
    size: tuple[int, int]

    @classmethod
    @abstractmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Take a file apart.

        Raises:
            MediaProblem: It is not what its first bytes promise.
        """

    @property
    @abstractmethod
    def has_marker(self) -> bool:
        """Whether bytes of a C2PA marker are in the file."""

    @property
    @abstractmethod
    def xmp(self) -> bytes | None:
        """The XMP packet, if there is one."""

    @abstractmethod
    def check_variant(self) -> None:
        """Refuse the variants that would lose something.

        Raises:
            Refused: This one would.
        """

    @abstractmethod
    def encode(self, image: Image, xmp: bytes | None) -> bytes:
        """The file with new pixels and a new XMP packet, without a marker, and otherwise as it was.

        Args:
            image: What `decode` gave, with changed pixels.
            xmp: The packet to write; `None` leaves the file's own as it is.
        """

    @abstractmethod
    def parts(self) -> Iterator[bytes]:
        """Every part of the file but the marker, in order."""

    @abstractmethod
    def with_xmp(self, xmp: bytes | None) -> bytes:
        """The file with the same pixels and, if given, another XMP packet, without a marker."""

    def prepare(self, image: Image) -> None:  # noqa: B027  # most have nothing to choose
        """Choose how to decode, between opening and loading."""

    def decode(self) -> tuple[Image, int]:
        """The picture in the mode the file stores, and its EXIF orientation (1 to 8).

        Raises:
            MediaProblem: It cannot be decoded.
        """
        from PIL import Image  # noqa: PLC0415  # not needed to verify an attested notice

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about metadata; pixels either load or raise
                image = Image.open(BytesIO(self.data), formats=[self.pillow])
                self.prepare(image)
                image.load()
        except MemoryError:
            raise MediaProblem("damaged", detail_word="decoder") from None
        except Exception as error:  # decoders raise whatever they like on hostile bytes
            raise MediaProblem("damaged", detail_word="decoder") from error
        return image, _orientation(image)


def check_pixels(size: tuple[int, int], limits: Limits) -> None:
    """Stop a decompression bomb before a pixel is decoded.

    Raises:
        MediaProblem: No pixels, or more than the limit.
    """
    if not size[0] or not size[1]:
        raise MediaProblem("damaged", detail_word="no-size")
    if size[0] * size[1] > limits.max_pixels:
        raise MediaProblem(
            "over-limit", what_word="pixels", found=size[0] * size[1], limit=limits.max_pixels
        )


def refuse_variant(format_title: str, detail: str) -> Refused:
    """The refusal for a kind of file that would lose something."""
    return Refused(
        f"This kind of {format_title} cannot be marked without loss yet: {detail}.",
        code="unsupported-variant",
        hint="Convert it to an ordinary still picture with 8 bits per channel.",
    )


def _orientation(image: Image) -> int:
    # Pillow falls back to XMP's tiff:Orientation, which no browser follows
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # EXIF that cannot be read rotates nothing, as in every viewer
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
