"""The image data of PNG: decoded at full depth, and edited row by row.

Only the rows that were painted are filtered anew, and the one below them, whose filter looks up at them. All others stay
as they are, filters included: that is exact at every depth, keeps an interlaced file interlaced, and is faster than an
encoder that tries five filters on every row.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import palette
from aikz_label.adapters.image.picture import Picture, PillowPicture
from aikz_label.adapters.image.png_header import (
    CHANNELS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    SIGNATURE,
    Header,
    Pass,
    chunk,
)
from aikz_label.adapters.image.samples import Colours, SamplePicture
from aikz_label.values import replace

LEVEL = 4  # of deflate: 3 to 6 give nearly one size, and 6 costs three times as much as 3
Bytes = NDArray[np.uint8]


def inflate(data: bytes, header: Header) -> bytearray:
    """The filtered rows; as many bytes as the header promises, whatever the stream would give.

    Raises:
        MediaProblem: There are fewer.
    """
    try:
        rows = zlib.decompressobj().decompress(data, header.length)
    except zlib.error as error:
        raise MediaProblem("damaged", detail_word="decoder") from error
    if len(rows) < header.length:
        raise MediaProblem("damaged", detail_word="cut")
    return bytearray(rows)


def edited(data: bytes, header: Header, picture: Picture) -> bytes:
    """The compressed rows of a picture, of which all but the painted ones are those of the source."""
    assert picture.painted is not None
    _, top, _, height = picture.painted
    rows = inflate(data, header)
    for one in header.passes():
        first, last = one.row(top), one.row(top + height)
        if first < last:
            _replace(rows, header, one, picture, range(first, min(last + 1, one.rows)))
    return zlib.compress(rows, LEVEL)


def encoded(header: Header, picture: Picture) -> bytes:
    """The compressed rows of a picture whose every row is new."""
    rows = bytearray(header.length)
    for one in header.passes():
        _replace(rows, header, one, picture, range(one.rows))
    return zlib.compress(rows, LEVEL)


def extended(data: bytes, header: Header, below: NDArray[Any], top: int) -> bytes:
    """The compressed rows of a picture down to a row, with others below them.

    Args:
        data: The image data.
        header: What it has now.
        below: Rows × columns × channels of what the file stores.
        top: How many rows stay.
    """
    rows = inflate(data, header)
    old = {(one.x, one.y): one for one in header.passes()}
    grown = replace(header, size=(header.size[0], top + below.shape[0]))
    pieces: list[bytes | bytearray] = []
    for one in grown.passes():
        kept = one.row(top)  # rows of a pass that had none are all new
        if kept:
            start = old[one.x, one.y].offset
            pieces.append(rows[start : start + kept * one.stride])
        first = one.y + kept * one.down - top
        lines = _lines(below[first :: one.down, one.x :: one.across], header)
        pieces.append(np.pad(lines, ((0, 0), (1, 0))).tobytes())  # filter type 0
    return zlib.compress(b"".join(pieces), LEVEL)


def packed(values: NDArray[Any], header: Header) -> bytes:
    """The compressed rows of what a file stores: rows × columns × channels."""
    pieces = (
        np.pad(_lines(values[one.y :: one.down, one.x :: one.across], header), ((0, 0), (1, 0)))
        for one in header.passes()
    )
    return zlib.compress(b"".join(piece.tobytes() for piece in pieces), LEVEL)


def band(
    mask: Image.Image, header: Header, colours: Colours, fixed: tuple[bytes, bytes]
) -> tuple[NDArray[Any], dict[bytes, bytes]]:
    """A mask as a file stores it, and the chunks of its palette where that had to grow.

    Args:
        mask: White coverage.
        header: How the file stores pixels.
        colours: What its numbers mean, without a palette.
        fixed: Colours and opacities of a palette whose entries must stay.
    """
    if header.colour_type == PALETTE:
        black, white, grown = palette.with_black_and_white(*fixed, most=2**header.depth)
        numbers = np.where(np.asarray(mask) >= 128, white, black).astype(np.uint8)
        return numbers[..., None], {b"PLTE": grown} if grown != fixed[0] else {}
    channels = CHANNELS[header.colour_type]
    dtype = np.uint16 if header.depth == 16 else np.uint8
    plain = SamplePicture(np.zeros((mask.height, mask.width, channels), dtype), colours)
    plain.paint(mask, (0, 0, *mask.size))
    return plain.samples, {}


def _replace(rows: bytearray, header: Header, one: Pass, picture: Picture, changed: range) -> None:
    """Filter some rows of a pass and put them in."""
    above = max(0, changed.start - 1)
    top, bottom = one.y + above * one.down, one.y + (changed.stop - 1) * one.down + 1
    pixels = values(picture, top, bottom)[:: one.down, one.x :: one.across]
    lines = _lines(pixels, header)
    previous = lines[:-1] if changed.start else np.pad(lines, ((1, 0), (0, 0)))[:-1]
    fresh = _filtered(lines[changed.start - above :], previous, header)
    start, stop = (one.offset + one.stride * row for row in (changed.start, changed.stop))
    rows[start:stop] = fresh.tobytes()


def values(picture: Picture, top: int, bottom: int) -> NDArray[Any]:
    """Rows × columns × channels of what the file stores."""
    if isinstance(picture, PillowPicture):
        part = np.asarray(picture.image.crop((0, top, picture.stored[0], bottom)))
        return part[..., None] if part.ndim == 2 else part
    assert isinstance(picture, SamplePicture)
    return picture.samples[top:bottom]


def _lines(pixels: NDArray[Any], header: Header) -> Bytes:
    """Pixels as the bytes of rows, without filter bytes."""
    count = pixels.shape[0]
    if header.depth == 16:
        return np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(count, -1)
    if header.depth == 8:
        return np.ascontiguousarray(pixels, np.uint8).reshape(count, -1)
    per_byte = 8 // header.depth
    values = pixels.astype(np.uint8)[..., 0]
    values = np.pad(values, ((0, 0), (0, -values.shape[1] % per_byte)))
    packed = np.zeros((count, values.shape[1] // per_byte), np.uint8)
    for position in range(per_byte):
        packed |= values[:, position::per_byte] << (8 - header.depth * (position + 1))
    return packed


def _filtered(lines: Bytes, above: Bytes, header: Header) -> Bytes:
    """Rows with their filter bytes; of the five filters the one with the least sum, as libpng chooses (PNG, 12.7)."""
    fresh = np.zeros((lines.shape[0], lines.shape[1] + 1), np.uint8)
    if header.colour_type == PALETTE or header.depth < 8:  # indices gain nothing by it
        fresh[:, 1:] = lines
        return fresh
    step = header.pixel_bits // 8
    left, corner = (np.pad(one, ((0, 0), (step, 0)))[:, :-step] for one in (lines, above))
    best = np.full(lines.shape[0], np.iinfo(np.int64).max)
    for number, guess in enumerate(_guesses(left, above, corner)):
        rest = lines - guess
        cost = np.minimum(rest, 0 - rest).sum(axis=1, dtype=np.int64)
        better = cost < best
        fresh[better, 0], fresh[better, 1:] = number, rest[better]
        best = np.minimum(best, cost)
    return fresh


def _guesses(left: Bytes, above: Bytes, corner: Bytes) -> Iterator[Bytes]:
    """What each filter expects: nothing, the left, the one above, their mean, and Paeth's choice."""
    yield np.zeros_like(left)
    yield left
    yield above
    yield ((left.astype(np.uint16) + above) >> 1).astype(np.uint8)
    a, b, c = (one.astype(np.int16) for one in (left, above, corner))
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_b <= to_c, above, corner)
    yield np.where((to_a <= to_b) & (to_a <= to_c), left, nearest)


def sixteen_bit(data: bytes, header: Header) -> NDArray[np.uint16]:
    """All samples of a picture with 16 bits per channel.

    Pillow reduces such colours to their high bytes, but its filters do not care what the bytes mean: grey is read as pairs
    of 8-bit samples, colours twice, once as if the low bytes were the high ones.
    """
    width, height = header.size
    if header.colour_type in {GREY, GREY_ALPHA}:
        kind, mode = {GREY: (GREY_ALPHA, "LA"), GREY_ALPHA: (RGB_ALPHA, "RGBA")}[header.colour_type]
        alike = Header(header.size, 8, kind, header.interlaced)
        pairs = np.asarray(_pillow(alike, data, mode))
        return pairs.view(">u2").reshape(height, width, -1).astype(np.uint16)
    mode = {RGB: "RGB", RGB_ALPHA: "RGBA"}[header.colour_type]
    samples = np.asarray(_pillow(header, data, f"{mode};16B")).astype(np.uint16)
    samples <<= 8
    samples |= np.asarray(_pillow(header, data, f"{mode};16L"))
    return samples


def _pillow(header: Header, data: bytes, raw_mode: str) -> Image.Image:
    """Image data under a header of our choice, unpacked as we say."""
    chunks = ((b"IHDR", header.packed), (b"IDAT", data), (b"IEND", b""))
    file = SIGNATURE + b"".join(chunk(name, body) for name, body in chunks)
    image = Image.open(BytesIO(file), formats=["PNG"])
    image.tile = [tile._replace(args=raw_mode) for tile in image.tile]
    image.load()
    return image


def values_of(image: Image.Image, header: Header) -> NDArray[np.uint8]:
    """An 8-bit picture as numbers; grey of fewer bits as those that the file stores."""
    values = np.array(image)
    if header.depth < 8:
        values //= 255 // (2**header.depth - 1)
    return values[..., None] if values.ndim == 2 else values


def palette_chunks(image: Image.Image) -> dict[bytes, bytes]:
    """`PLTE`, and `tRNS` when a colour is not opaque."""
    colours = bytes(image.getpalette("RGB") or ())
    opacity = bytes(palette.opacities(image, len(colours) // 3)).rstrip(b"\xff")
    return {b"PLTE": colours} | ({b"tRNS": opacity} if opacity else {})
