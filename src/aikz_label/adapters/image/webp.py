"""WebP, still and animated: RIFF chunks, and new image chunks or frames moved into the source's own list."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import webp_chunks, webp_frames
from aikz_label.adapters.image.container import (
    Chunk,
    Tags,
    Text,
    check_pixels,
    metadata,
    refuse_variant,
)
from aikz_label.adapters.image.frames import Animated, Frame, Grown, shared_time
from aikz_label.adapters.image.webp_chunks import ALPHA, ANIMATION, FRAMES, IMAGE, XMP, packed
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture


@dataclass(frozen=True, slots=True)
class WebP(Animated):
    """A WebP file as its list of chunks.

    Attributes:
        data: The whole file.
        size: Of the canvas, px.
        chunks: All chunks in order.
        end: Where the file ends by its own account.
    """

    data: bytes
    size: tuple[int, int]
    chunks: tuple[Chunk, ...]
    end: int

    pillow = "WEBP"
    least_psnr = 40.0
    # libwebp blends with nothing where it does not know that there is nothing: colours seen through lose half a level
    least_blended = 48.0

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the chunks."""
        stop = 8 + int.from_bytes(data[4:8], "little")
        if stop > len(data) + 1:  # some writers leave the last padding byte out
            raise MediaProblem("damaged", detail_word="cut")
        end = min(stop, len(data))
        chunks = webp_chunks.walk(data, 12, end, limits)
        size = webp_chunks.size_of(chunks)
        check_pixels(size, limits)
        return cls(data, size, chunks, end)

    @property
    def grid(self) -> tuple[int, int]:
        """Blocks of brightness and the colours that they share; a lossless picture has none."""
        return (1, 1) if any(c.name == b"VP8L" for c in self.chunks) else (16, 16)

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

    def texts(self) -> Iterator[Text]:
        """The chunk that China's practice has for its label in RIFF files."""
        for chunk in self.chunks:
            if chunk.name == b"AIGC":
                yield Text("AIGC", chunk, _text, "riff")

    @property
    def exif(self) -> bytes | None:
        """The data of the EXIF chunk."""
        return metadata(next((c for c in self.chunks if c.name == b"EXIF"), None))

    def check_variant(self) -> None:
        """Refuse what would be lost."""
        if self.data[self.end :].strip(b"\0"):
            raise refuse_variant("WebP", "there are bytes after its end")

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`; a lossy picture is compared as people see it, one without transparency by its planes."""
        from aikz_label.adapters.image import webp_coding  # noqa: PLC0415

        if self.moving or any(c.name == b"VP8L" for c in self.chunks):
            return Animated.decode(self, index)
        return webp_coding.lossy(self)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """Lossless stays lossless; lossy is encoded at the first quality that is good enough."""
        from aikz_label.adapters.image import webp_coding  # noqa: PLC0415
        from aikz_label.adapters.image.picture import only  # noqa: PLC0415

        (picture,) = pictures
        lossless = any(c.name == b"VP8L" for c in self.chunks)
        if lossless:
            return self._still(webp_coding.coded(only([picture]), lossless=True), tags)
        return self._still(webp_coding.recoded(self.data, self.size, picture), tags)

    def with_tags(self, tags: Tags) -> bytes:
        """The same image chunks or frames with other metadata."""
        if self.moving:
            return self._assemble(self.chunks, self.size, tags, alpha=bool(self.flags & ALPHA))
        return self._still([c for c in self.chunks if c.name in IMAGE], tags)

    # --- animation --------------------------------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """Whether it is an animation, be it of a single frame."""
        return bool(self.flags & ANIMATION) or any(c.name in FRAMES for c in self.chunks)

    def frames(self) -> tuple[Frame, ...]:
        """See `Animated.frames`."""
        return tuple(webp_frames.frame(c) for c in self.chunks if c.name == b"ANMF")

    def with_strip(self, band: Image, top: int, tags: Tags) -> Grown:
        """See `Animated.with_strip`; a lossy first frame is not coded again, but gets a copy."""
        from aikz_label.adapters.image import webp_coding  # noqa: PLC0415
        from aikz_label.adapters.image.picture import only  # noqa: PLC0415

        first = next(c for c in self.chunks if c.name == b"ANMF")
        control, pixels = webp_frames.taken_apart(first)
        lossless = any(c.name == b"VP8L" for c in pixels)
        shown = webp_coding.LossyPicture(webp_coding.on_canvas(pixels, control.box, self.size))
        grown = shown.with_band(band, top)[0]
        image = only([grown])
        whole = (0, 0, *image.size)
        if lossless or control.box != (0, 0, *self.size):
            coded = webp_coding.coded(image, lossless=lossless)
        else:  # its planes can be had, as those of a file of its own
            coded = webp_coding.recoded(webp_coding.alone(pixels, self.size), self.size, grown)
        higher = b"".join(map(packed, coded))
        copied = top < self.size[1]  # it came with an earlier strip
        lead = control.clears or not (lossless or copied)
        longer = Fraction(0)
        if lead:
            time, rest = shared_time(control.time, 1)
            longer = Fraction(time + rest - control.time, 1000)
            old = control.replacing(rest).packed() + first.data[webp_frames.LENGTH :]
            new = [control.copied(whole, time).packed() + higher, old]
        else:
            new = [control.over(whole).packed() + higher]
        at = self.chunks.index(first)
        fresh = (Chunk.of(b"ANMF", data) for data in new)
        chunks = (*self.chunks[:at], *fresh, *self.chunks[at + 1 :])
        alpha = bool(self.flags & ALPHA) or image.mode == "RGBA"
        data = self._assemble(chunks, image.size, tags, alpha=alpha)
        return Grown(data, lead, recoded=not lossless, longer=longer)

    def opening(self) -> Image:
        """See `Animated.opening`."""
        from aikz_label.adapters.image import webp_coding  # noqa: PLC0415

        control, pixels = webp_frames.taken_apart(next(c for c in self.chunks if c.name == b"ANMF"))
        return webp_coding.on_canvas(pixels, control.box, self.size)

    def same_colours(self, other: Self) -> bool:
        """See `Animated.same_colours`."""
        mine, its = ([c.data for c in one.chunks if c.name == b"ICCP"] for one in (self, other))
        return mine == its

    def excerpt(self, numbers: Collection[int]) -> bytes:
        """See `Animated.excerpt`."""
        frames = (c for c in self.chunks if c.name == b"ANMF")
        left_out = {c.start for number, c in enumerate(frames) if number not in numbers}
        return webp_chunks.riff(c for c in self.chunks if c.start not in left_out)

    def parts(self) -> Iterator[bytes]:
        """Every chunk but the marker."""
        yield from (packed(c) for c in self.chunks if c.name != b"C2PA")

    def _still(self, image: list[Chunk], tags: Tags) -> bytes:
        """The file with other image chunks."""
        others = [c for c in self.chunks if c.name not in IMAGE]
        profile = [c for c in others if c.name == b"ICCP"]
        rest = [c for c in others if c.name != b"ICCP"]
        size, alpha = webp_chunks.size_of(image), webp_chunks.has_alpha(image)
        return self._assemble((*profile, *image, *rest), size, tags, alpha=alpha)

    def _assemble(
        self, chunks: tuple[Chunk, ...], size: tuple[int, int], tags: Tags, *, alpha: bool
    ) -> bytes:
        """VP8X where it is needed, then the chunks, without a marker and with other metadata."""
        dropped = {b"C2PA", b"VP8X", *([b"XMP "] if tags.xmp is not None else [])}
        body = [c for c in chunks if c.name not in dropped]
        if tags.exif is not None:
            at = next(i for i, c in enumerate(body) if c.name == b"EXIF")
            body[at] = Chunk.of(b"EXIF", tags.exif)
        if tags.xmp is not None:
            body.append(Chunk.of(b"XMP ", tags.xmp))
        if len(body) > 1:
            flags = self.flags & ~(XMP | ALPHA) | (ALPHA if alpha else 0)
            flags |= XMP if tags.xmp is not None or self.xmp is not None else 0
            body.insert(0, webp_chunks.extended(flags, size))
        return webp_chunks.riff(body)


def _text(chunk: Chunk) -> str:
    return (metadata(chunk) or b"").decode(errors="replace").strip("\0 \t\r\n")
