"""The compression of TIFF's strips and tiles, undone and done again, one block at a time.

Deflate and LZMA are Python's own, WebP is Pillow's; LZW, PackBits, Zstandard and the CCITT ways go through the libtiff in
Pillow, wrapped as a tiny file of one strip. Those that pack bytes know nothing of samples, so the tiny file always holds
8-bit grey.
"""

from __future__ import annotations

import ctypes
import lzma
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import decoding
from aikz_label.adapters.image.tiff.page import (
    FAX,
    STRIP_LENGTHS,
    STRIPS,
    T4_OPTIONS,
    T6_OPTIONS,
    Coding,
    Page,
)
from aikz_label.errors import Refused
from aikz_label.metadata import ifd

_NAMES = {  # Pillow's
    Coding.LZW: "tiff_lzw",
    Coding.PACKBITS: "packbits",
    Coding.ZSTD: "zstd",
    Coding.CCITT_RLE: "tiff_ccitt",
    Coding.CCITT_3: "group3",
    Coding.CCITT_4: "group4",
}
_MODES = {3: "RGB", 4: "RGBA"}
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_LZMA_MEMORY = 256 << 20
_LEVEL = 6  # of deflate, as libtiff's


def unpack(
    data: bytes | memoryview, page: Page, width: int, rows: int, row_bytes: int
) -> bytes | memoryview:
    """The bytes of a block, of rows that each end at a byte.

    Args:
        data: As it is stored.
        page: What it belongs to.
        width: Of the block, px.
        rows: Its height.
        row_bytes: Bytes of one row.

    Raises:
        MediaProblem: It cannot be decoded, or is too short.
    """
    if page.reversed and page.coding not in FAX:
        data = bytes(data).translate(_REVERSED)
    length = rows * row_bytes
    out: bytes | memoryview
    with decoding():
        match page.coding:
            case Coding.NONE:
                out = data[:length]
            case Coding.DEFLATE | Coding.OLD_DEFLATE:
                out = zlib.decompressobj().decompress(data, length)
            case Coding.LZMA:
                out = lzma.LZMADecompressor(memlimit=_LZMA_MEMORY).decompress(data, length)
            case Coding.CCITT_RLE | Coding.CCITT_3 | Coding.CCITT_4:
                out = _fax(data, page, width, rows)
            case Coding.WEBP:
                out = _webp(data, page, width, rows)
            case _:
                out = _bytes(data, page.coding, rows, row_bytes)
    if len(out) < length:
        raise MediaProblem("damaged", detail_word="cut")
    return out


def pack(data: bytes, page: Page, width: int, rows: int, row_bytes: int) -> bytes:
    """The reverse of `unpack`.

    Raises:
        Refused: The libtiff here cannot write this kind.
    """
    match page.coding:
        case Coding.NONE:
            out = data
        case Coding.DEFLATE | Coding.OLD_DEFLATE:
            out = zlib.compress(data, _LEVEL)
        case Coding.LZMA:
            # as libtiff writes it, which reads no check sum
            out = lzma.compress(data, check=lzma.CHECK_NONE)
        case Coding.WEBP:
            out = _as_webp(data, page, width, rows)
        case Coding.CCITT_RLE | Coding.CCITT_3 | Coding.CCITT_4:
            image = Image.frombytes("1", (width, rows), data)
            out = _stripped(image, page, {T4_OPTIONS: page.options})
        case _:
            image = Image.frombytes("L", (row_bytes, rows), data)
            out = _stripped(image, page, {})
    return out.translate(_REVERSED) if page.reversed else out


def _bytes(data: bytes | memoryview, coding: int, rows: int, row_bytes: int) -> bytes:
    """Byte-wise compression, in pixels of 4 bytes where the rows allow it: Pillow counts pixels to find bombs."""
    samples = 4 if row_bytes % 4 == 0 else 1
    # separated inks are 4 channels that nobody converts
    tags = {258: [8] * samples, 259: [coding], 262: [5 if samples == 4 else 1], 277: [samples]}
    return _open(data, row_bytes // samples, rows, tags).tobytes()


def _webp(data: bytes | memoryview, page: Page, width: int, rows: int) -> bytes:
    """Every block is a WebP file, coded with or without a loss."""
    with Image.open(BytesIO(data), formats=["WEBP"]) as image:
        if image.size != (width, rows):
            raise MediaProblem("damaged", detail_word="no-size")
        return image.convert(_MODES[page.samples]).tobytes()


def _as_webp(data: bytes, page: Page, width: int, rows: int) -> bytes:
    """One without a loss, whatever the old one was, so that nothing changes beside the badge."""
    buffer = BytesIO()
    image = Image.frombytes(_MODES[page.samples], (width, rows), data)
    try:
        image.save(buffer, "WEBP", lossless=True, exact=True)
    except (OSError, ValueError) as error:
        raise _cannot_write() from error
    return buffer.getvalue()


def _fax(data: bytes | memoryview, page: Page, width: int, rows: int) -> bytes:
    """CCITT; 0 is white in the code, and Pillow turns that around where the tiny file says so."""
    options = T4_OPTIONS if page.coding == Coding.CCITT_3 else T6_OPTIONS
    tags = {258: [1], 259: [page.coding], 262: [1], 266: [2 if page.reversed else 1], 277: [1]}
    return _open(data, width, rows, tags | {options: [page.options]}).tobytes()


def _open(
    data: bytes | memoryview, width: int, rows: int, tags: Mapping[int, list[int]]
) -> Image.Image:
    """A tiny file of one strip, decoded."""
    place = {256: [width], 257: [rows], 278: [rows], STRIPS: [0], STRIP_LENGTHS: [len(data)]}
    table, values = b"", b""
    listed = sorted((place | dict(tags)).items())
    body = 8 + 2 + 12 * len(listed) + 4
    inks = sum(len(numbers) * 2 for _, numbers in listed if len(numbers) > 1)
    for tag, numbers in listed:
        if len(numbers) > 1:
            field = (body + len(values)).to_bytes(4, "little")
            values += struct.pack(f"<{len(numbers)}H", *numbers)
            table += struct.pack("<HHI", tag, ifd.SHORT, len(numbers)) + field
        else:
            number = body + inks if tag == STRIPS else numbers[0]
            table += struct.pack("<HHII", tag, ifd.LONG, 1, number)
    head = b"II*\0\x08\0\0\0" + len(listed).to_bytes(2, "little")
    whole = b"".join((head, table, bytes(4), values, data))
    image = Image.open(BytesIO(whole), formats=["TIFF"])
    with _silence():
        image.load()
    return image


@contextmanager
def _silence() -> Iterator[None]:
    """While libtiff works: what it finds wrong is raised, and does not belong into the terminal of whoever called."""
    setters = _handlers()
    before = [setter(None) for setter in setters]
    try:
        yield
    finally:
        for setter, handler in zip(setters, before, strict=True):
            setter(handler)


@cache
def _handlers() -> list[Any]:
    """The functions of Pillow's libtiff that say who prints; none where they cannot be reached."""
    from PIL import _imaging  # noqa: PLC0415

    try:
        library = ctypes.CDLL(_imaging.__file__)
        found = [library.TIFFSetErrorHandler, library.TIFFSetWarningHandler]
    except (OSError, AttributeError):
        return []
    for setter in found:
        setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return found


def _stripped(image: Image.Image, page: Page, options: Mapping[int, int]) -> bytes:
    """An image as one compressed strip."""
    buffer = BytesIO()
    tags: dict[int, Any] = {278: image.height} | {tag: n for tag, n in options.items() if n}
    try:
        image.save(buffer, "TIFF", compression=_NAMES[Coding(page.coding)], tiffinfo=tags)
    except (OSError, KeyError, ValueError) as error:
        raise _cannot_write() from error
    made = ifd.Tiff.read(buffer.getvalue())
    (place,), (length,) = (made.numbers(made.pages[0].get(t)) for t in (STRIPS, STRIP_LENGTHS))
    return made.data[place : place + length]


def _cannot_write() -> Refused:
    return Refused(
        "The libtiff here cannot write this kind of compression.",
        code="unsupported-variant",
        hint="Save the file with another compression.",
    )
