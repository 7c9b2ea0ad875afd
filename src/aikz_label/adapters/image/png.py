"""PNG: chunks, and image data edited in place."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import apng, png_ending, png_header, png_text
from aikz_label.adapters.image.container import (
    Chunk,
    Container,
    Tags,
    Text,
    check_pixels,
    decoding,
    metadata,
    orientation_of,
    refuse_variant,
)
from aikz_label.adapters.image.frames import Animated, Frame, Grown
from aikz_label.adapters.image.png_header import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    SIGNATURE,
    Header,
)
from aikz_label.errors import Refused
from aikz_label.limits import Limits
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture
    from aikz_label.adapters.image.samples import Colours

Transfer: TypeAlias = Literal["sdr", "pq", "hlg"]

_HDR: dict[int, Transfer] = {16: "pq", 18: "hlg"}  # transfer functions, ITU-T H.273
_RAW_EXIF = "Raw profile type exif"  # how ImageMagick kept EXIF before there was a chunk for it


@dataclass(frozen=True, slots=True)
class Png(Animated):
    """A PNG file as its list of chunks."""

    data: bytes
    size: tuple[int, int]
    chunks: tuple[Chunk, ...]
    end: int

    pillow = "PNG"

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Walk the chunks; when thorough, also check the sums of the critical ones."""
        chunks: list[Chunk] = []
        at = len(SIGNATURE)
        while at + 12 <= len(data):
            length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
            stop = at + 12 + length
            if stop > len(data):
                break
            # a marker with a wrong sum would still be read by the engine, but no viewer opens the file
            if kind == b"caBX" or (thorough and kind[:1].isupper()):
                check = zlib.crc32(data[at + 4 : stop - 4])
                if check != int.from_bytes(data[stop - 4 : stop]):
                    raise MediaProblem("damaged", detail_word="check-sum")
            chunks.append(Chunk(kind, data, at + 8, stop - 4))
            if len(chunks) > limits.max_parts:
                raise MediaProblem(
                    "over-limit", what_word="parts", found=len(chunks), limit=limits.max_parts
                )
            at = stop
            if kind == b"IEND":
                break
        if not chunks or chunks[0].name != b"IHDR" or len(chunks[0].data) != 13:
            raise MediaProblem("damaged", detail_word="no-header")
        header = chunks[0].data
        size = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
        check_pixels(size, limits)
        if chunks[-1].name != b"IEND":
            chunks += png_ending.missing(data, at, chunks)
            at = len(data)
        if all(chunk.name != b"IDAT" for chunk in chunks):
            raise MediaProblem("damaged", detail_word="no-end")
        return cls(data, size, tuple(chunks), at)

    @property
    def has_marker(self) -> bool:
        """Whether there is a `caBX` chunk."""
        return any(chunk.name == b"caBX" for chunk in self.chunks)

    def stores(self) -> Iterator[bytes]:
        """The `caBX` chunks."""
        yield from (chunk.data for chunk in self.chunks if chunk.name == b"caBX")

    @property
    def xmp(self) -> bytes | None:
        """The text of the XMP chunk, inflated up to a limit if it is compressed."""
        return next((png_text.packet(c) for c in self.chunks if png_text.is_xmp(c)), None)

    def packets(self) -> Iterator[bytes]:
        """See `Container.packets`."""
        for chunk in self.chunks:
            found = png_text.packet(chunk) if png_text.is_xmp(chunk) else None
            if found is not None:
                yield found

    @property
    def exif(self) -> bytes | None:
        """The data of the `eXIf` chunk."""
        return metadata(self._first(b"eXIf"))

    def texts(self) -> Iterator[Text]:
        """Every `tEXt`, `zTXt` and `iTXt` chunk but the XMP packet."""
        return png_text.texts(self.chunks)

    def _first(self, name: bytes) -> Chunk | None:
        return next((chunk for chunk in self.chunks if chunk.name == name), None)

    @property
    def header(self) -> Header:
        """What `IHDR` says."""
        return Header.read(self.chunks[0].data)

    @property
    def transfer(self) -> Transfer:
        """The curve that `cICP` names, as far as it matters here."""
        codes = self._first(b"cICP")
        return _HDR.get(codes.data[1], "sdr") if codes and len(codes.data) == 4 else "sdr"

    # --- pixels -----------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what would lose something."""
        kinds = {chunk.name for chunk in self.chunks}
        header = self.header
        if b"dSIG" in kinds:
            raise refuse_variant("PNG", "it is signed (dSIG), and the signature would break")
        if header.colour_type == PALETTE and self.transfer != "sdr":
            raise refuse_variant("PNG", "it is HDR (PQ or HLG) with a palette")
        if (header.colour_type, header.depth) == (GREY, 1) and b"tRNS" in kinds:
            raise refuse_variant("PNG", "one of its two grey levels is transparent")
        first = apng.shots(self.chunks)[0] if self.moving and not self.unshown else None
        if first is not None and first.control.box != (0, 0, *self.size):
            raise Refused(
                "The first frame of this animation is called a part of the canvas, but it is the whole picture.",
                code="unsupported-variant",
                hint="Save it anew: viewers show such a file as a still picture.",
            )

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`; more than 8 bits, HDR, and grey of 2 or 4 bits come as numbers."""
        from aikz_label.adapters.image import png_rows  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415
        from aikz_label.adapters.image.samples import SamplePicture  # noqa: PLC0415

        header = self.header
        if header.depth == 16:
            with decoding():
                samples = png_rows.sixteen_bit(self.image_data, header)
            return SamplePicture(samples, self.colours, self._orientation())
        # no super(): the class was made twice, for its slots
        picture = Container.decode(replace(self, data=self._readable), index)
        assert isinstance(picture, PillowPicture)
        if header.colour_type == PALETTE:
            background = self._first(b"bKGD")
            picture.image.info["background"] = background.data[0] if background else None
        elif self.transfer != "sdr" or (header.colour_type == GREY and header.depth in {2, 4}):
            values = png_rows.values_of(picture.image, header)
            return SamplePicture(values, self.colours, picture.orientation)
        return picture

    @property
    def image_data(self) -> bytes:
        """What is compressed in the `IDAT` chunks."""
        return b"".join(chunk.data for chunk in self.chunks if chunk.name == b"IDAT")

    def _orientation(self) -> int:
        """As for the other pictures, without decoding one again."""
        from PIL import Image  # noqa: PLC0415

        if self.exif is None and all(t.keyword != _RAW_EXIF for t in self.texts()):
            return 1
        with decoding():
            return orientation_of(Image.open(BytesIO(self._readable), formats=["PNG"]))

    @property
    def _readable(self) -> bytes:
        """The file for Pillow, which takes no wrong sum; others pass over chunks that the picture can do without."""
        others = (chunk for chunk in self.chunks if chunk.name[:1].islower())
        if all(_pack(chunk) == png_header.chunk(chunk.name, chunk.data) for chunk in others):
            return self.data
        return SIGNATURE + b"".join(png_header.chunk(one.name, one.data) for one in self.chunks)

    @property
    def colours(self) -> Colours:
        """What the numbers of this file mean."""
        from aikz_label.adapters.image.samples import Colours  # noqa: PLC0415

        header, codes, key = self.header, self._first(b"cICP"), self._first(b"tRNS")
        grey = header.colour_type in {GREY, GREY_ALPHA}
        opaque = 2**header.depth - 1
        black, white = 0, opaque
        if codes and codes.data[3:4] == b"\0" and header.depth >= 8:  # narrow range, as in video
            black, white = (level << (header.depth - 8) for level in (16, 235))
        pairs = key.data if key and header.colour_type in {GREY, RGB} else b""
        return Colours(
            "grey" if grey else "rgb",
            black,
            white,
            alpha={GREY_ALPHA: 1, RGB_ALPHA: 3}.get(header.colour_type, -1),
            opaque=opaque,
            key=tuple(int.from_bytes(pairs[i : i + 2]) & opaque for i in range(0, len(pairs), 2)),
            transfer=self.transfer,
        )

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The painted rows in the source's image data, a new palette if it needed one, every other chunk of the source."""
        from aikz_label.adapters.image import png_rows  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        (picture,) = pictures
        header, fresh = replace(self.header, size=picture.stored), {}
        if header.colour_type == PALETTE:
            assert isinstance(picture, PillowPicture)
            fresh = png_rows.palette_chunks(picture.image)
            entries = len(fresh[b"PLTE"]) // 3
            if entries > 2**header.depth:
                header = replace(header, depth=8)
        if header != self.header or (picture.painted or ())[2:] == picture.stored:
            fresh[b"IDAT"] = png_rows.encoded(header, picture)
        else:
            fresh[b"IDAT"] = png_rows.edited(self.image_data, header, picture)
        return self._assemble(fresh | {b"IHDR": header.packed}, tags)

    # --- animation --------------------------------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """Whether it is an APNG, be it of a single frame."""
        return apng.moves(self.chunks)

    @property
    def unshown(self) -> int:
        """See `Animated.unshown`: image data before the first frame control belong to no frame."""
        first = next(c.name for c in self.chunks if c.name in {b"IDAT", b"fcTL"})
        return int(self.moving and first == b"IDAT")

    def frames(self) -> tuple[Frame, ...]:
        """See `Animated.frames`."""
        return tuple(shot.frame(self.chunks) for shot in apng.shots(self.chunks))

    def with_strip(self, band: Image, top: int, tags: Tags) -> Grown:
        """See `Animated.with_strip`: rows are appended, and none decoded."""
        from aikz_label.adapters.image import png_frames, png_rows  # noqa: PLC0415

        whole, box = (0, 0, *self.size), apng.shots(self.chunks)[0].control.box
        png, empty = (self, ()) if box == whole else png_frames.opened(self)
        found, size = apng.shots(png.chunks), (band.width, top + band.height)
        below, fresh = png_rows.band(band, png.header, png.colours, png.palette)
        first, still = found[0], png.image_data if png.unshown else b""
        change = apng.Band(
            header=replace(png.header, size=size).packed,
            size=size,
            still=still and png_frames.striped(png, still, whole, below, top),
            first=png_frames.striped(png, first.data(png.chunks), box, below, top, empty),
            lead=first.control.disposal != 0,
        )
        fresh = {one.name: one.data for one in png.chunks if one.name == b"PLTE"} | fresh
        data = self._assemble(fresh, tags, apng.with_band(png.chunks, found, change))
        if not change.lead:
            return Grown(data, lead=False)
        time = sum(control.seconds for control in apng.lead_and_rest(first.control))
        return Grown(data, lead=True, longer=time - first.control.seconds)

    def opening(self) -> Image:
        """See `Animated.opening`."""
        from aikz_label.adapters.image import png_frames  # noqa: PLC0415

        return png_frames.opening(self)

    def same_colours(self, other: Self) -> bool:
        """See `Animated.same_colours`."""
        from aikz_label.adapters.image import png_frames  # noqa: PLC0415

        return png_frames.same_colours(self, other)

    def excerpt(self, numbers: Collection[int]) -> bytes:
        """See `Animated.excerpt`."""
        kept = apng.excerpt(self.chunks, apng.shots(self.chunks), numbers)
        return SIGNATURE + b"".join(_pack(chunk) for chunk in kept if chunk.name != b"caBX")

    @property
    def palette(self) -> tuple[bytes, bytes]:
        """The data of `PLTE` and `tRNS`."""
        found = (self._first(name) for name in (b"PLTE", b"tRNS"))
        colours, opacity = (chunk.data if chunk else b"" for chunk in found)
        return colours, opacity

    def with_tags(self, tags: Tags) -> bytes:
        """The same image data with other metadata."""
        return self._assemble({}, tags)

    def parts(self) -> Iterator[bytes]:
        """Every chunk but the marker's, then any bytes after the end."""
        yield from (_pack(chunk) for chunk in self.chunks if chunk.name != b"caBX")
        yield self.data[self.end :]

    def _assemble(
        self, fresh: dict[bytes, bytes], tags: Tags, chunks: Iterable[Chunk] = ()
    ) -> bytes:
        """The file with other chunks; those with the names in `fresh` get that data."""
        out = [SIGNATURE]
        if tags.exif is not None:
            fresh = fresh | {b"eXIf": tags.exif}
        old_palette = next((c.data for c in self.chunks if c.name == b"PLTE"), b"")
        palette_grew = len(fresh.get(b"PLTE", old_palette)) != len(old_palette)
        done, told = set(), False
        for chunk in chunks or self.chunks:
            if chunk.name == b"caBX" or png_text.is_replaced(chunk, tags):
                continue
            if chunk.name == b"hIST" and palette_grew:
                continue  # it must have one entry per colour, and counts pixels that changed
            if chunk.name == b"iDOT":
                continue  # Apple's: where the second half of the image data begins
            if chunk.name in {b"IDAT", b"fcTL"} and not told:
                out += map(_pack, png_text.chunks_for(tags))
                told = True
            if chunk.name in fresh:
                if chunk.name in done:
                    continue
                chunk = Chunk.of(chunk.name, fresh[chunk.name])  # noqa: PLW2901  # same place, new data
            done.add(chunk.name)
            out.append(_pack(chunk))
        return b"".join(out) + self.data[self.end :]


def _pack(chunk: Chunk) -> bytes:
    """The chunk with its length and check sum; one of the file as it stands there, be the sum right or wrong."""
    length = chunk.stop - chunk.start
    stored = chunk.whole[max(0, chunk.start - 8) : chunk.stop + 4]
    if len(stored) == length + 12 and stored[:8] == length.to_bytes(4) + chunk.name:
        return stored
    return png_header.chunk(chunk.name, chunk.data)
