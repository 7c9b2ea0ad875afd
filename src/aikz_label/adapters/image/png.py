"""PNG: chunks, and new image data moved into the source's own chunk list."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import (
    Chunk,
    Container,
    Text,
    check_pixels,
    metadata,
    refuse_variant,
)
from aikz_label.limits import MIB, NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL import Image

    from aikz_label.adapters.image.picture import Picture

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp\0"
_GREY, _PALETTE = 0, 3  # colour types
_HDR = {16, 18}  # transfer functions PQ and HLG, ITU-T H.273
_MAX_KEYWORD = 80  # with the zero byte that ends it
_LEVEL = 4  # of deflate: 3 to 6 give nearly one size, and 6 costs three times as much as 3


@dataclass(frozen=True, slots=True)
class Png(Container):
    """A PNG file as its list of chunks."""

    data: bytes
    size: tuple[int, int]
    chunks: tuple[Chunk, ...]
    end: int

    pillow = "PNG"
    least_psnr = 50.0  # lossless but for the palette entries that make room for black and white

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Walk the chunks; when thorough, also check the sums of the critical ones."""
        chunks: list[Chunk] = []
        at = len(_SIGNATURE)
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
        if chunks[-1].name != b"IEND" or all(chunk.name != b"IDAT" for chunk in chunks):
            raise MediaProblem("damaged", detail_word="no-end")
        header = chunks[0].data
        size = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
        check_pixels(size, limits)
        return cls(data, size, tuple(chunks), at)

    @property
    def depth(self) -> int:
        """Bits per sample or palette index."""
        return self.chunks[0].data[8]

    @property
    def colour_type(self) -> int:
        """0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha."""
        return self.chunks[0].data[9]

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
        for chunk in self.chunks:
            if _is_xmp(chunk):
                return _international_text(chunk.data[len(_XMP) :])
        return None

    @property
    def exif(self) -> bytes | None:
        """The data of the `eXIf` chunk."""
        return metadata(next((c for c in self.chunks if c.name == b"eXIf"), None))

    def texts(self) -> Iterator[Text]:
        """Every `tEXt`, `zTXt` and `iTXt` chunk but the XMP packet."""
        for chunk in self.chunks:
            read = _TEXTS.get(chunk.name)
            if read is None:
                continue
            start = chunk.whole[chunk.start : min(chunk.stop, chunk.start + _MAX_KEYWORD)]
            if not start.startswith(_XMP):
                yield Text(start.partition(b"\0")[0].decode("latin-1"), chunk, read)

    def check_variant(self) -> None:
        """Refuse what an 8-bit still picture cannot hold."""
        kinds = {chunk.name for chunk in self.chunks}
        if b"acTL" in kinds:
            raise refuse_variant("PNG", "it is an animation (APNG)")
        if self.depth == 16:
            raise refuse_variant("PNG", "it has 16 bits per channel")
        if any(
            chunk.name == b"cICP" and chunk.data[1:2] and chunk.data[1] in _HDR
            for chunk in self.chunks
        ):
            raise refuse_variant("PNG", "it is HDR (PQ or HLG)")
        if self.colour_type == _GREY and self.depth < 8 and b"tRNS" in kinds:
            raise refuse_variant("PNG", "one of its few grey levels is transparent")
        if self.end != len(self.data):
            raise refuse_variant("PNG", "there are bytes after its end")

    def encode(self, pictures: Iterable[Picture], xmp: bytes | None) -> bytes:
        """Image data, header and palette from the new picture, every other chunk from the source."""
        from aikz_label.adapters.image.picture import only  # noqa: PLC0415

        image = only(pictures)
        if self.colour_type == _GREY and self.depth in {2, 4}:
            fresh = {b"IHDR": self._header_not_interlaced(), b"IDAT": self._packed_grey(image)}
        else:
            buffer = BytesIO()
            image.save(buffer, "PNG", compress_level=_LEVEL)
            fresh = _essentials(Png.parse(buffer.getvalue(), NO_LIMITS, thorough=False).chunks)
            if self.colour_type != _PALETTE:
                fresh.pop(b"PLTE", None)
                fresh.pop(b"tRNS", None)
        return self._assemble(fresh, xmp)

    def with_xmp(self, xmp: bytes | None) -> bytes:
        """The same image data under another XMP packet."""
        return self._assemble({}, xmp)

    def parts(self) -> Iterator[bytes]:
        """Every chunk but the marker's, then any bytes after the end."""
        yield from (_pack(chunk) for chunk in self.chunks if chunk.name != b"caBX")
        yield self.data[self.end :]

    def _assemble(self, fresh: dict[bytes, bytes], xmp: bytes | None) -> bytes:
        out = [_SIGNATURE]
        old_palette = next((c.data for c in self.chunks if c.name == b"PLTE"), b"")
        palette_grew = len(fresh.get(b"PLTE", old_palette)) != len(old_palette)
        done = set()
        for chunk in self.chunks:
            if chunk.name == b"caBX" or (xmp is not None and _is_xmp(chunk)):
                continue
            if chunk.name == b"hIST" and palette_grew:
                continue  # it must have one entry per colour, and counts pixels that changed
            if chunk.name == b"IDAT" and b"IDAT" not in done and xmp is not None:
                out.append(_pack(Chunk.of(b"iTXt", _XMP + b"\0\0\0\0" + xmp)))
            if chunk.name in fresh:
                if chunk.name in done:
                    continue
                chunk = Chunk.of(chunk.name, fresh[chunk.name])  # noqa: PLW2901  # same place, new data
            done.add(chunk.name)
            out.append(_pack(chunk))
        return b"".join(out)

    def _header_not_interlaced(self) -> bytes:
        return self.chunks[0].data[:12] + b"\0"

    def _packed_grey(self, image: Image.Image) -> bytes:
        """Image data of 2 or 4 bits per pixel, which Pillow would store as 8."""
        import numpy as np  # noqa: PLC0415  # for these rare files only

        levels = np.asarray(image.convert("L")) >> (8 - self.depth)
        per_byte = 8 // self.depth
        padding = -levels.shape[1] % per_byte
        levels = np.pad(levels, ((0, 0), (0, padding)))
        packed = np.zeros((levels.shape[0], levels.shape[1] // per_byte), np.uint8)
        for position in range(per_byte):
            packed |= levels[:, position::per_byte] << (8 - self.depth * (position + 1))
        rows = np.pad(packed, ((0, 0), (1, 0)))  # filter type 0 before every row
        return zlib.compress(rows.tobytes(), 9)


def _pack(chunk: Chunk) -> bytes:
    """The chunk with its length and check sum."""
    body = chunk.name + chunk.data
    return (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)


def _essentials(chunks: tuple[Chunk, ...]) -> dict[bytes, bytes]:
    """Header, palette, transparency and joined image data."""
    found = {
        chunk.name: chunk.data for chunk in chunks if chunk.name in {b"IHDR", b"PLTE", b"tRNS"}
    }
    found[b"IDAT"] = b"".join(chunk.data for chunk in chunks if chunk.name == b"IDAT")
    return found


def _is_xmp(chunk: Chunk) -> bool:
    return chunk.name == b"iTXt" and chunk.data.startswith(_XMP)


def _international_text(rest: bytes) -> bytes | None:
    """The text of an iTXt chunk after its keyword: two flags, two names, then the text."""
    compressed = rest[:1] == b"\1"
    fields = rest[2:].split(b"\0", 2)
    if len(fields) != 3:
        return None
    if not compressed:
        return fields[2]
    try:
        # one byte over the limit, so that a packet that is too large is seen to be
        return zlib.decompressobj().decompress(fields[2], MIB + 1)
    except zlib.error:
        return None


def _plain(chunk: Chunk) -> str:
    return _decoded((metadata(chunk) or b"").partition(b"\0")[2])


def _compressed(chunk: Chunk) -> str:
    """Keyword, a zero byte, the method (there is one), then the text."""
    rest = (metadata(chunk) or b"").partition(b"\0")[2]
    try:
        return _decoded(zlib.decompressobj().decompress(rest[1:], MIB + 1))
    except zlib.error:
        return ""


def _international(chunk: Chunk) -> str:
    rest = (metadata(chunk) or b"").partition(b"\0")[2]
    return _decoded(_international_text(rest) or b"")


def _decoded(text: bytes) -> str:
    """The standard says Latin-1, most tools write UTF-8, and to ASCII it is all the same."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


_TEXTS = {b"tEXt": _plain, b"zTXt": _compressed, b"iTXt": _international}
