"""What every picture container offers, and the decoding they share."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.carriers.native import NativeCarrier
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.limits import MIB, Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture
    from aikz_label.engine import Parent
    from aikz_label.formats import Format
    from aikz_label.signing import SigningKey

ORIENTATION = 274  # EXIF tag


@dataclass(frozen=True, slots=True)
class Tags:
    """Metadata to write; what is `None` or missing stays as the file has it.

    Attributes:
        xmp: The XMP packet.
        exif: The EXIF block in the form in which `Container.exif` gives it; `None` for a file that has none.
        texts: Texts by keyword, in place of earlier ones; for formats that keep such texts beside XMP and EXIF.
        comment: The same in one line; for formats whose own directories are EXIF's.
    """

    xmp: bytes | None = None
    exif: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    comment: str = ""


class Container(ABC):
    """A picture file taken apart without decoding it.

    A file holds one picture that needs a notice, or several: the pages of a TIFF, the sizes of an icon. They are decoded,
    painted, encoded, compared and measured one after another, so that only one at a time takes memory. Thumbnails, masks
    and the later frames of an animation are not counted: they are the container's own business.

    Attributes:
        data: The whole file.
        size: Stored width and height, px, of the first picture.
        pillow: Name of the only decoder that may touch it; what does not decode with Pillow overrides `decode`.
        embeds: The file has a place for a marker; else there is a sidecar.
        no_notice: Why files of this format carry none; empty for those that do.
    """

    pillow: ClassVar[str] = ""
    embeds: ClassVar[bool] = True
    no_notice: ClassVar[str] = ""
    data: bytes
    size: tuple[int, int]

    @property
    def count(self) -> int:
        """How many pictures need a notice."""
        return 1

    @property
    def grid(self) -> tuple[int, int]:
        """Size of the blocks the codec codes, px; the plate is aligned to it."""
        return 1, 1

    def grid_of(self, index: int) -> tuple[int, int]:  # noqa: ARG002  # for those with several
        """The grid of one of the pictures."""
        return self.grid

    @property
    def least_psnr(self) -> float:
        """Quality outside the notice below which marking is refused, dB."""
        return math.inf

    @classmethod
    @abstractmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Take a file apart.

        Raises:
            MediaProblem: It is not what its first bytes promise.
        """

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Sizes of all pictures, where a refusal is to name those that are too small; else empty."""
        return ()

    @property
    def sides(self) -> set[int]:
        """Shorter sides of the pictures that need a notice, px, where the container tells of all of them; else empty."""
        return {min(self.size)} if self.count == 1 else set()

    @property
    @abstractmethod
    def has_marker(self) -> bool:
        """Whether bytes of a C2PA marker are in the file."""

    @abstractmethod
    def stores(self) -> Iterator[bytes]:
        """Every C2PA store in the file, joined if the format cuts it into pieces."""

    @property
    @abstractmethod
    def xmp(self) -> bytes | None:
        """The XMP packet, if there is one."""

    @property
    @abstractmethod
    def exif(self) -> bytes | None:
        """The EXIF block, if there is one of a usual size."""

    @property
    def statements(self) -> bytes | None:
        """An EXIF block with what may be a statement about AI; where EXIF is no block, one made of its fields."""
        return self.exif

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a caller should know of this file when it is marked, one English sentence each."""
        return ()

    def is_preview(self, index: int) -> bool:  # noqa: ARG002  # for those with several
        """Whether a picture repeats another one in fewer pixels: it gets a notice only if one fits."""
        return False

    def packets(self) -> Iterator[bytes]:
        """Every XMP packet, the one of `xmp` first; few files have more than one."""
        if self.xmp is not None:
            yield self.xmp

    @property
    def iptc(self) -> bytes | None:
        """The IPTC-IIM record, if there is one."""
        return None

    def texts(self) -> Iterator[Text]:
        """The texts the format keeps beside XMP and EXIF, each read when its value is asked for."""
        return iter(())

    @abstractmethod
    def check_variant(self) -> None:
        """Refuse the variants that would lose something.

        Raises:
            Refused: This one would.
        """

    @abstractmethod
    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The file with new pixels and new metadata, without a marker, and otherwise as it was.

        Args:
            pictures: What `decode` gave for 0 to `count - 1`, painted. They come from a generator that decodes and paints
                as it goes: go through it once, to its end, and keep no more of them than needed.
            tags: The metadata to write.
        """

    @abstractmethod
    def parts(self) -> Iterator[bytes]:
        """Every part of the file but the marker, in order."""

    @abstractmethod
    def with_tags(self, tags: Tags) -> bytes:
        """The file with the same pixels and other metadata, without a marker."""

    def laid_out_like(self, signed: Self) -> bytes | None:  # noqa: ARG002  # for those that tell places of themselves
        """The file with the places that it tells of itself as they are once it is laid out like the signed one.

        Args:
            signed: The same file with a marker.

        Returns:
            The file to sign instead, as long as this one; `None` when it tells none.
        """
        return None

    @classmethod
    def write_marker(
        cls,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """See `Adapter.write_marker`; the engine does it where it does it well.

        Raises:
            NoCarrier: There is no place for a marker.
        """
        if not cls.embeds:
            raise NoCarrier
        NativeCarrier().write_marker(source, destination, row, manifest, key, parent)

    def unprotected(self) -> tuple[str, bool]:
        """Digest of what the marker's binding leaves out, or empty, and whether padding in it holds anything."""
        return "", False

    @property
    def losses(self) -> tuple[str, ...]:
        """What `encode` could not keep, once it has run, one English sentence each: the caller is told."""
        return ()

    def prepare(self, image: Image) -> None:  # noqa: B027  # most have nothing to choose
        """Choose how to decode, between opening and loading."""

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # for those with several
        """A picture as the file stores it, nothing reduced, with the orientation that it is shown in.

        Args:
            index: Which of the `count` pictures.

        Raises:
            MediaProblem: It cannot be decoded.
        """
        from PIL import Image  # noqa: PLC0415  # not needed to verify an attested notice

        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        with decoding():
            image = Image.open(BytesIO(self.data), formats=[self.pillow])
            self.prepare(image)
            image.load()
        return PillowPicture(image, orientation_of(image))


@contextmanager
def decoding() -> Iterator[None]:
    """While a decoder works: whatever it raises is a problem with the content."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata; pixels either load or raise
            yield
    except MemoryError:
        raise MediaProblem("damaged", detail_word="decoder") from None
    except MediaProblem:
        raise
    except Exception as error:  # decoders raise whatever they like on hostile bytes
        raise MediaProblem("damaged", detail_word="decoder") from error


@dataclass(frozen=True, slots=True)
class Chunk:
    """A named part of a file; its bytes are copied only when they are asked for."""

    name: bytes
    whole: bytes
    start: int
    stop: int

    @classmethod
    def of(cls, name: bytes, data: bytes) -> Self:
        """A chunk that is not part of a file yet."""
        return cls(name, data, 0, len(data))

    @property
    def data(self) -> bytes:
        """What is in it."""
        return self.whole[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Text:
    """A text with a keyword, still as it is stored.

    Attributes:
        keyword: What it is filed under; `Comment` where the format knows no others.
        chunk: Where it is stored.
        read: How.
        carrier: What reports call its kind.
    """

    keyword: str
    chunk: Chunk
    read: Callable[[Chunk], str]
    carrier: str = "png-text"

    @property
    def value(self) -> str:
        """The text; empty when it cannot be read, cut when it is far too long."""
        return self.read(self.chunk)


def metadata(chunk: Chunk | None) -> bytes | None:
    """What a chunk of metadata holds, unless it is far larger than any metadata."""
    return chunk.data if chunk and chunk.stop - chunk.start <= MIB else None


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


def orientation_of(image: Image) -> int:
    """How EXIF says that a picture is turned to be seen, 1 to 8."""
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
