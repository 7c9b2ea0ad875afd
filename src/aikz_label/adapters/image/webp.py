"""WebP: RIFF chunks, and new image chunks moved into the source's own list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import (
    Chunk,
    Container,
    Tags,
    check_pixels,
    metadata,
    refuse_variant,
)
from aikz_label.limits import NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture

_ANIMATION, _XMP_FLAG, _ALPHA = 0x02, 0x04, 0x10  # bits of VP8X
_IMAGE = (b"VP8 ", b"VP8L", b"ALPH")
# Lossy files are decoded and encoded anew. The quality is the first that keeps 44 dB (notices: q90 gives 44 to 48).
_QUALITIES = (90, 95, 100)
_WANTED_PSNR = 44.0


@dataclass(frozen=True, slots=True)
class WebP(Container):
    """A WebP file as its list of chunks."""

    data: bytes
    size: tuple[int, int]
    chunks: tuple[Chunk, ...]

    pillow = "WEBP"
    grid = (16, 16)
    least_psnr = 40.0

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the chunks."""
        chunks: list[Chunk] = []
        at, stop = 12, 8 + int.from_bytes(data[4:8], "little")
        if stop > len(data) + 1:  # some writers leave the last padding byte out
            raise MediaProblem("damaged", detail_word="cut")
        while at + 8 <= min(stop, len(data)):
            length = int.from_bytes(data[at + 4 : at + 8], "little")
            if at + 8 + length > len(data):
                raise MediaProblem("damaged", detail_word="cut")
            chunks.append(Chunk(data[at : at + 4], data, at + 8, at + 8 + length))
            if len(chunks) > limits.max_parts:
                raise MediaProblem(
                    "over-limit", what_word="parts", found=len(chunks), limit=limits.max_parts
                )
            at += 8 + length + length % 2
        size = _size(chunks)
        check_pixels(size, limits)
        return cls(data, size, tuple(chunks))

    @property
    def flags(self) -> int:
        """The feature bits of VP8X, 0 in a simple file."""
        extended = next((c.data for c in self.chunks if c.name == b"VP8X"), b"")
        return extended[0] if extended else 0

    @property
    def has_marker(self) -> bool:
        """Whether there is a `C2PA` chunk."""
        return any(c.name == b"C2PA" for c in self.chunks)

    def stores(self) -> Iterator[bytes]:
        """The `C2PA` chunks."""
        yield from (c.data for c in self.chunks if c.name == b"C2PA")

    @property
    def xmp(self) -> bytes | None:
        """The data of the XMP chunk."""
        return next((c.data for c in self.chunks if c.name == b"XMP "), None)

    @property
    def exif(self) -> bytes | None:
        """The data of the EXIF chunk."""
        return metadata(next((c for c in self.chunks if c.name == b"EXIF"), None))

    def check_variant(self) -> None:
        """Refuse animations."""
        if self.flags & _ANIMATION or any(c.name == b"ANIM" for c in self.chunks):
            raise refuse_variant("WebP", "it is an animation")

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """Lossless stays lossless; lossy is encoded at the first quality that is good enough."""
        from PIL import Image  # noqa: PLC0415

        from aikz_label.adapters.image.modes import difference_outside  # noqa: PLC0415
        from aikz_label.adapters.image.picture import only  # noqa: PLC0415

        image = only(pictures)
        lossless = any(c.name == b"VP8L" for c in self.chunks)
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
                if difference_outside(again.convert(image.mode), image, None) >= _WANTED_PSNR:
                    break
        fresh = WebP.parse(buffer.getvalue(), NO_LIMITS, thorough=False)
        return self._assemble([c for c in fresh.chunks if c.name in _IMAGE], tags)

    def with_tags(self, tags: Tags) -> bytes:
        """The same image chunks with other metadata."""
        return self._assemble([c for c in self.chunks if c.name in _IMAGE], tags)

    def parts(self) -> Iterator[bytes]:
        """Every chunk but the marker."""
        yield from (_pack(c) for c in self.chunks if c.name != b"C2PA")

    def _assemble(self, image: list[Chunk], tags: Tags) -> bytes:
        """VP8X, colour profile, image, then the rest, as the format orders them."""
        dropped = {*_IMAGE, b"C2PA", b"VP8X", *([b"XMP "] if tags.xmp is not None else [])}
        others = [c for c in self.chunks if c.name not in dropped]
        before = [c for c in others if c.name == b"ICCP"]
        after = [c for c in others if c.name != b"ICCP"]
        if tags.exif is not None:
            at = next(i for i, c in enumerate(after) if c.name == b"EXIF")
            after[at] = Chunk.of(b"EXIF", tags.exif)
        if tags.xmp is not None:
            after.append(Chunk.of(b"XMP ", tags.xmp))
        body = [*before, *image, *after]
        if len(body) > 1:
            body.insert(0, self._extended(image, tags.xmp))
        packed = b"WEBP" + b"".join(_pack(c) for c in body)
        return b"RIFF" + len(packed).to_bytes(4, "little") + packed

    def _extended(self, image: list[Chunk], xmp: bytes | None) -> Chunk:
        flags = self.flags & ~(_XMP_FLAG | _ALPHA)
        flags |= _XMP_FLAG if xmp is not None or self.xmp is not None else 0
        flags |= _ALPHA if _has_alpha(image) else 0
        width, height = _size(image) if image else self.size
        data = bytes((flags, 0, 0, 0))
        data += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        return Chunk.of(b"VP8X", data)


def _pack(chunk: Chunk) -> bytes:
    """The chunk with its length, padded to an even size."""
    data = chunk.data
    return chunk.name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _has_alpha(image: list[Chunk]) -> bool:
    return any(
        c.name == b"ALPH" or (c.name == b"VP8L" and len(c.data) > 4 and c.data[4] >> 4 & 1)
        for c in image
    )


def _size(chunks: list[Chunk]) -> tuple[int, int]:
    """Width and height from VP8X, VP8L or VP8."""
    for chunk in chunks:
        data = chunk.whole[chunk.start : min(chunk.stop, chunk.start + 10)]
        if chunk.name == b"VP8X" and len(data) >= 10:
            return (
                1 + int.from_bytes(data[4:7], "little"),
                1 + int.from_bytes(data[7:10], "little"),
            )
        if chunk.name == b"VP8L" and len(data) >= 5:
            bits = int.from_bytes(data[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if chunk.name == b"VP8 " and len(data) >= 10:
            return (
                int.from_bytes(data[6:8], "little") & 0x3FFF,
                int.from_bytes(data[8:10], "little") & 0x3FFF,
            )
    raise MediaProblem("damaged", detail_word="no-header")
