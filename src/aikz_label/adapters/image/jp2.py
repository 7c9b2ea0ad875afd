"""JPEG 2000: JP2 files as boxes (ITU-T T.800, annex I), and codestreams alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import jp2_palette
from aikz_label.adapters.image.bare import Unmarked
from aikz_label.adapters.image.container import (
    Chunk,
    Tags,
    check_pixels,
    decoding,
    metadata,
    refuse_variant,
)
from aikz_label.adapters.image.j2k import START, Codestream
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture
    from aikz_label.adapters.image.samples import Colours

_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_TITLE = "JPEG 2000"
# Boxes of JPX (T.801) that make more than one picture, or the picture of more than one codestream.
_COMPOSED = {b"comp", b"ftbl", b"mdat"}
_OF_LAYER = {b"jpch", b"jplh"}
_GREY, _CMYK, _BILEVEL, _LAB = 17, 12, {0, 15}, 14
_YCC = {1, 3, 4, 18}


@dataclass(frozen=True, slots=True)
class Jp2(Unmarked):
    """A JPEG 2000 file."""

    data: bytes
    size: tuple[int, int]
    boxes: tuple[Chunk, ...]
    header: tuple[Chunk, ...]
    stream: Codestream

    least_psnr = 44.0

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Walk the boxes and the codestream's headers."""
        boxes: tuple[Chunk, ...] = ()
        header: tuple[Chunk, ...] = ()
        start, stop = 0, len(data)
        if data[:4] != START:
            boxes = tuple(_walk(data, 0, len(data), limits))
            streams = [box for box in boxes if box.name == b"jp2c"]
            heads = [box for box in boxes if box.name == b"jp2h"]
            if not streams or not heads:
                raise MediaProblem("damaged", detail_word="no-header")
            header = tuple(_walk(data, heads[0].start, heads[0].stop, limits))
            start, stop = streams[0].start, streams[0].stop
        if not isinstance(data, bytes):  # a window: only the header is looked at
            stop = min(stop, start + _HEAD)
        stream = Codestream.parse(data[start:stop], limits, thorough=thorough)
        check_pixels(stream.size, limits)
        return cls(data, stream.size, boxes, header, stream)

    @property
    def grid(self) -> tuple[int, int]:
        """Pixels that share a colour."""
        return self.stream.steps

    @property
    def xmp(self) -> bytes | None:
        """The packet in its `uuid` box."""
        found = metadata(self._uuid(_XMP))
        return found[16:] if found else None

    @property
    def exif(self) -> bytes | None:
        """The block in the `uuid` box that Adobe's plug-in began."""
        found = metadata(self._uuid(_EXIF))
        return found[16:] if found else None

    def _uuid(self, name: bytes) -> Chunk | None:
        return next((b for b in self.boxes if b.name == b"uuid" and b.data[:16] == name), None)

    # --- pixels -----------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what would lose something."""
        names = [box.name for box in self.boxes]
        layered = any(box.name in _OF_LAYER and box.stop > box.start for box in self.boxes)
        if names.count(b"jp2c") > 1 or _COMPOSED & set(names) or layered:
            raise refuse_variant(_TITLE, "it is composed of several pictures or pieces (JPX)")
        self.stream.check_variant()
        if self._palette:
            jp2_palette.check(self._palette, self._mapping, self.stream)
        else:
            self._colours()

    @property
    def _palette(self) -> bytes:
        return next((box.data for box in self.header if box.name == b"pclr"), b"")

    @property
    def _mapping(self) -> bytes:
        return next((box.data for box in self.header if box.name == b"cmap"), b"")

    def _colours(self) -> Colours:
        """What the numbers mean, by the first colour specification that says so."""
        from aikz_label.adapters.image.samples import Colours  # noqa: PLC0415

        count, white = len(self.stream.components), 2 ** self.stream.components[0].depth - 1
        model: Literal["grey", "rgb", "cmyk", "ycbcr"] = "grey" if count < 3 else "rgb"
        for box in self.header:
            if box.name == b"colr":
                method, space = box.data[:1], int.from_bytes(box.data[3:7])
                if method == b"\1" and space in (_YCC if count >= 3 else ()):
                    model = "ycbcr"
                elif (method == b"\1" and space == _CMYK) or box.data[19:23] == b"CMYK":
                    model = "cmyk"
                elif (method == b"\1" and space in {0, _LAB}) or box.data[19:23] == b"Lab ":
                    raise refuse_variant(_TITLE, "its colours are counted in a rare way")
                break
        if self.stream.steps != (1, 1):  # only differences of colour are stored smaller
            model = "ycbcr"
        if model == "cmyk":
            if count < 4:
                raise refuse_variant(_TITLE, "it has fewer channels than colours")
            return Colours("cmyk", white, 0)
        neutral = (white + 1) / 2 if model == "ycbcr" else 0.0
        alpha = count - 1 if count in {2, 4} else -1
        return Colours(model, 0, white, neutral=neutral, alpha=alpha, opaque=white)

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # there is one
        """See `Container.decode`: every sample as a number."""
        from aikz_label.adapters.image import j2k_pixels  # noqa: PLC0415
        from aikz_label.adapters.image.samples import SamplePicture  # noqa: PLC0415

        with decoding():
            samples = j2k_pixels.decode(self.stream)
            if (samples.shape[1], samples.shape[0]) != self.size:
                raise MediaProblem("damaged", detail_word="decoder")
            if self._palette:
                return jp2_palette.picture(self._palette, samples)
            return SamplePicture(samples.copy(), self._colours())

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The tiles under the notice coded anew, all other bytes of the codestream and all boxes as they were."""
        from aikz_label.adapters.image import j2k_pixels  # noqa: PLC0415
        from aikz_label.adapters.image.samples import SamplePicture  # noqa: PLC0415

        (picture,) = pictures
        assert picture.painted is not None
        palette = None
        if isinstance(picture, SamplePicture):
            samples = picture.samples
        else:
            samples, palette = jp2_palette.stored(self._palette, picture, self.stream)
        stream, size = self.stream, picture.stored
        if size == self.size and stream.separable:
            tiles = tuple(stream.tiles_in(picture.painted))
        else:
            stream, tiles = stream.as_one_tile(*size), (0,)
        exact = palette is not None
        fresh = {t: j2k_pixels.encode_tile(stream, t, samples, exact=exact) for t in tiles}
        return self._assemble(stream.with_tiles(fresh), tags.xmp, palette, size)

    def with_tags(self, tags: Tags) -> bytes:
        """The same codestream with other metadata."""
        return self._assemble(self.stream.data, tags.xmp)

    def _assemble(
        self,
        stream: bytes,
        xmp: bytes | None,
        palette: bytes | None = None,
        size: tuple[int, int] | None = None,
    ) -> bytes:
        if not self.boxes:
            return stream
        out, old = [], self._uuid(_XMP)
        for box in self.boxes:
            if box is old and xmp is not None:
                continue
            if box.name == b"jp2c":
                # before the picture, because its box may reach to the end of the file
                out.append(_box(b"uuid", _XMP + xmp) if xmp is not None else b"")
                out.append(_box(b"jp2c", stream))
            elif box.name == b"jp2h" and (palette is not None or size):
                out.append(_box(b"jp2h", b"".join(self._inner(palette, size))))
            else:
                out.append(_whole(self.data, box))
        return b"".join(out)

    def _inner(self, palette: bytes | None, size: tuple[int, int] | None) -> Iterator[bytes]:
        """The boxes of the header, with another palette and another size."""
        for box in self.header:
            if box.name == b"pclr" and palette is not None:
                yield _box(b"pclr", palette)
            elif box.name == b"ihdr" and size:
                width, height = size
                yield _box(b"ihdr", height.to_bytes(4) + width.to_bytes(4) + box.data[8:])
            else:
                yield _whole(self.data, box)


_HEAD = 1024 * 1024


def _walk(data: bytes, at: int, end: int, limits: Limits) -> Iterator[Chunk]:
    """The boxes between two places; each chunk is what is in a box, its own header left out."""
    count = 0
    while at + 8 <= end:
        size, name, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        elif size == 0:  # to the end
            size = end - at
        if size < head or at + size > end:
            raise MediaProblem("damaged", detail_word="cut")
        yield Chunk(name, data, at + head, at + size)
        at += size
        count += 1
        if count > limits.max_parts:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=limits.max_parts)


def _whole(data: bytes, box: Chunk) -> bytes:
    """A box with its header."""
    wide = data[box.start - 16 : box.start]
    head = 16 if wide[:4] == b"\0\0\0\1" and wide[4:8] == box.name else 8
    return data[box.start - head : box.stop]


def _box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + name + body
