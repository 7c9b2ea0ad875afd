"""JPEG: segments, and a picture coded as it was before.

From the newly coded picture come the tables and scans; every APPn and COM segment is the source's own, and so is whatever
follows the picture: gain maps, further pictures, films, and what cameras leave there. Places that the file tells of them
are told anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import (
    Chunk,
    Container,
    Tags,
    Text,
    check_pixels,
    refuse_variant,
)
from aikz_label.adapters.image.jpeg.mpf import Index
from aikz_label.adapters.image.jpeg.segments import (
    APP0,
    APP1,
    APP14,
    COM,
    SOF,
    Segment,
    extended_packets,
    made,
    marker_numbers,
    photoshop_block,
    walk_header,
    walk_scans,
    xmp_packet,
    xmp_segment,
)
from aikz_label.limits import NO_LIMITS, Limits
from aikz_label.metadata import iim
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture

# Kinds of coding that are read here but not written, by the code of their frame header.
_ODD_FRAMES = {
    0xC3: "it is coded without loss (SOF3)",
    0xC5: "it is coded in layers (SOF5)",
    0xC6: "it is coded in layers (SOF6)",
    0xC7: "it is coded in layers (SOF7)",
    0xCB: "it is coded without loss (SOF11)",
    0xCD: "it is coded in layers (SOF13)",
    0xCE: "it is coded in layers (SOF14)",
    0xCF: "it is coded in layers (SOF15)",
}
# Sequential and progressive; written with Huffman's codes, which every program reads.
ARITHMETIC = {0xC9, 0xCA}

_LARGE = (
    4_000_000  # pixels, from which on FFmpeg decodes so much faster that it is worth loading it
)


@dataclass(frozen=True, slots=True)
class Jpeg(Container):
    """A JPEG file: header segments, the scans, and whatever follows the end of the image.

    Attributes:
        header: Every segment before the first scan.
        scan: Where that begins.
        between: Metadata between the scans.
        end: Where the picture ends; known when the file was walked through to there, else the end of the file.
    """

    data: bytes
    size: tuple[int, int]
    header: tuple[Segment, ...]
    scan: int
    between: tuple[Segment, ...]
    end: int

    pillow = "JPEG"
    grid = (16, 16)
    least_psnr = 40.0

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Walk the segments up to the first scan, and through the scans when thorough."""
        header, scan = walk_header(data, limits)
        frame = next((s for s in header if s.code in SOF), None)
        if frame is None or len(frame.payload) < 6:
            raise MediaProblem("damaged", detail_word="no-header")
        size = int.from_bytes(frame.payload[3:5]), int.from_bytes(frame.payload[1:3])
        check_pixels(size, limits)
        between, end = walk_scans(data, scan) if thorough else ((), len(data))
        return cls(data, size, header, scan, between, end)

    @property
    def has_marker(self) -> bool:
        """Whether an APP11 segment starts a C2PA box."""
        return any(s.is_c2pa for s in self.header)

    def stores(self) -> Iterator[bytes]:
        """Join the APP11 segments of each box: all repeat its eight bytes of length and type."""
        for number in marker_numbers(self.header):
            pieces = [s.payload for s in self.header if s.belongs({number})]
            yield pieces[0][8:] + b"".join(piece[16:] for piece in pieces[1:])

    @property
    def xmp(self) -> bytes | None:
        """The packet of the first XMP segment."""
        return next((xmp_packet(s) for s in self.header if s.is_xmp), None)

    def packets(self) -> Iterator[bytes]:
        """See `Container.packets`: the main packets, then the extended ones."""
        yield from (xmp_packet(s) for s in self.header if s.is_xmp)
        if any(s.is_extended_xmp for s in self.header):
            yield from extended_packets(self.header)

    @property
    def iptc(self) -> bytes | None:
        """See `Container.iptc`."""
        if not any(s.is_photoshop for s in self.header):
            return None
        return iim.in_photoshop(photoshop_block(self.header))

    def texts(self) -> Iterator[Text]:
        """The comments."""
        for segment in self.header:
            if segment.code == COM:
                yield Text("Comment", Chunk.of(b"COM", segment.payload), _comment, "comment")

    @property
    def exif(self) -> bytes | None:
        """The block of the first EXIF segment."""
        return next((s.payload for s in self.header if s.is_exif), None)

    def check_variant(self) -> None:
        """Refuse kinds of coding that cannot be written here."""
        frame = next(s for s in self.header if s.code in SOF)
        if frame.code in _ODD_FRAMES:
            raise refuse_variant("JPEG", _ODD_FRAMES[frame.code])
        if frame.payload[0] != 8:
            raise refuse_variant("JPEG", f"it has {frame.payload[0]} bits per channel")

    @property
    def losses(self) -> tuple[str, ...]:
        """See `Container.losses`: the coding that only some programs read."""
        if not any(s.code in ARITHMETIC for s in self.header):
            return ()
        return (
            "This JPEG was coded arithmetically, which few programs read; the labelled one has Huffman codes.",
        )

    def prepare(self, image: Image) -> None:
        """Decode to YCbCr where the file stores YCbCr."""
        if image.mode == "RGB" and not _stores_rgb(image, self.header):
            image.draft("YCbCr", image.size)

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`; a large one as its planes."""
        if self.size[0] * self.size[1] >= _LARGE:
            from aikz_label.adapters.image import planar  # noqa: PLC0415  # FFmpeg comes with it

            picture = planar.of(self, "mjpeg")
            if picture is not None and picture.mode != "RGB":
                return picture
        return Container.decode(self, index)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The painted picture, coded as it was, among every other segment of the source."""
        from aikz_label.adapters.image.jpeg.recoding import recoded  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        (picture,) = pictures
        assert isinstance(picture, PillowPicture)
        if picture.stored != self.size and self.index is not None:
            raise refuse_variant(
                "JPEG", "a strip would not fit the gain map or the pictures behind it"
            )
        coded = recoded(self, picture)
        kept = [*self._kept(tags), *(s for s in self.between if not s.is_c2pa)]
        if coded.adobe is not None:
            kept = [*(s for s in kept if s.code != APP14), coded.adobe]
        return self._assembled([*kept, *coded.header], coded.scans)

    def with_tags(self, tags: Tags) -> bytes:
        """The same scans with other metadata."""
        tables = [s for s in self.header if not s.is_metadata]
        return self._assembled([*self._kept(tags), *tables], self.data[self.scan : self.end])

    def parts(self) -> Iterator[bytes]:
        """Segments but the marker's, then everything from the first scan on; places by what is there."""
        numbers, index = marker_numbers(self.header), self.index
        for segment in self.header:
            if index is not None and segment is index.segment:
                yield index.blank()
                yield from self._pointed_at(index)
            elif not segment.belongs(numbers):
                yield segment.data
        yield self.data[self.scan :]

    # --- further pictures behind the first --------------------------------------------------------------------------

    @property
    def index(self) -> Index | None:
        """The places of further pictures."""
        return Index.find(self.header)

    def _pointed_at(self, index: Index) -> Iterator[bytes]:
        """The further pictures, and whether the first one's length is right."""
        _, end = walk_scans(self.data, self.scan)
        for place, length in index.places():
            if place >= end:
                yield self.data[place : place + length]
            elif not place:
                yield bytes((length == end,))

    def laid_out_like(self, signed: Self) -> bytes | None:
        """See `Container.laid_out_like`: the places of further pictures."""
        index, other = self.index, signed.index
        if index is None or other is None:
            return None
        ends = [walk_scans(file.data, file.scan)[1] for file in (self, signed)]
        moved = index.moved(ends[0], other.base, ends[1])
        return _replaced(self.data, index.segment, moved)

    # --- putting it together ----------------------------------------------------------------------------------------

    def _assembled(self, segments: Iterable[Segment], scans: bytes) -> bytes:
        data = b"".join([b"\xff\xd8", *(s.data for s in segments), scans, self.data[self.end :]])
        index = self.index
        if index is None:
            return data
        fresh = Jpeg.parse(data, NO_LIMITS, thorough=True)
        assert fresh.index is not None
        moved = index.moved(self.end, fresh.index.base, fresh.end)
        return _replaced(data, fresh.index.segment, moved)

    def _kept(self, tags: Tags) -> list[Segment]:
        """The source's APPn and COM segments without a marker, the first XMP packet and EXIF block replaced in place."""
        numbers = marker_numbers(self.header)
        kept = [s for s in self.header if s.is_metadata and not s.belongs(numbers)]
        if tags.exif is not None:
            at = next(i for i, s in enumerate(kept) if s.is_exif)
            kept[at] = made(APP1, tags.exif)
        if tags.xmp is not None:
            found = next((i for i, s in enumerate(kept) if s.is_xmp), None)
            # a new one comes after JFIF and EXIF, which must be first
            at = sum(s.code in {APP0, APP1} for s in kept[:2]) if found is None else found
            kept[at : at + (found is not None)] = [xmp_segment(tags.xmp)]
        return kept


def _comment(chunk: Chunk) -> str:
    return chunk.data.decode(errors="replace").strip("\0 \t\r\n")


def _replaced(data: bytes, old: Segment, new: Segment) -> bytes:
    return data[: old.start] + new.data + data[old.start + len(old.data) :]


def _stores_rgb(image: Image, header: tuple[Segment, ...]) -> bool:
    """Whether three components are RGB as stored: Adobe transform 0, or components named so."""
    if "adobe_transform" in image.info:
        return bool(image.info["adobe_transform"] == 0)
    if any(s.code == APP0 and s.payload.startswith(b"JFIF\0") for s in header):
        return False
    return [layer[0] for layer in getattr(image, "layer", ())] == [*b"RGB"]
