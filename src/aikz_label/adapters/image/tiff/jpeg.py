"""JPEG in TIFF: every strip or tile is a JPEG stream of its own, most without tables, which the page holds once.

libtiff keeps the tables of one block while it reads the next, so a block must never bring others than the page has: what is
encoded here has the same ones. Huffman tables may fit the old picture only; then it brings some under other numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Container, Tags, decoding, refuse_variant
from aikz_label.adapters.image.jpeg import ARITHMETIC, Jpeg
from aikz_label.adapters.image.jpeg.segments import (
    DHT,
    DQT,
    Segment,
    made,
    walk_header,
)
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.adapters.image.tiff.page import Page, Photometric
from aikz_label.limits import NO_LIMITS

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_BASELINE, _EXTENDED = 0xC0, 0xC1  # sequential, with Huffman's codes
_SCAN = b"\xff\xda\0\0"  # where a header ends
# Adobe's marker with transform 0: three components that are colours as they are, not brightness and differences
_PLAIN = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
_SPARE = 1024  # rows that a stream may have below its block


def decoded(data: bytes, page: Page, rows: int) -> NDArray[Any]:
    """The samples of a block; brightness and differences stay what they are."""
    file = Jpeg.parse(_whole(data, page), NO_LIMITS, thorough=False)
    # one that is far larger than its page is a bomb
    if file.size[0] != page.block[0] or file.size[1] > max(page.block[1], page.size[1]) + _SPARE:
        raise MediaProblem("damaged", detail_word="no-size")
    picture = Container.decode(
        file
    )  # as an image at once: a large JPEG would be decoded to planes before
    assert isinstance(picture, PillowPicture)
    samples = np.asarray(picture.image)
    samples = samples[..., None] if samples.ndim == 2 else samples
    if samples.shape[1:] != (page.block[0], page.channels) or samples.shape[0] < rows:
        raise MediaProblem("damaged", detail_word="no-size")
    return samples[:rows]


def is_arithmetic(stream: bytes) -> bool:
    """Whether a block has a kind of codes that is read here and not written."""
    try:
        header, _ = walk_header(stream, NO_LIMITS)
    except MediaProblem:
        return False
    return any(segment.code in ARITHMETIC for segment in header)


def encoded(block: NDArray[Any], source: bytes, page: Page) -> bytes:
    """A block with other samples, coded as the source is and with the tables of the page.

    Raises:
        Refused: They cannot be used again.
    """
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(block.shape[2], "")
    if page.photometric == Photometric.YCBCR and block.shape[2] == 3:
        mode = "YCbCr"
    if not mode:
        raise refuse_variant("TIFF", "it is JPEG with further channels")
    image = Image.frombytes(mode, block.shape[1::-1], np.ascontiguousarray(block).tobytes())
    buffer = BytesIO()
    image.save(buffer, "JPEG", **_settings(_whole(source, page), mode))
    fresh = Jpeg.parse(buffer.getvalue(), NO_LIMITS, thorough=False)
    kept = [s for s in fresh.header if not 0xE0 <= s.code <= 0xEF]  # what Pillow says of the file
    page_header = _header(page.tables)
    steps, codes = (_tables(page_header, code) for code in (DQT, DHT))
    if steps and not steps >= _tables(kept, DQT):
        raise refuse_variant("TIFF", "its JPEG tables are its own")
    kept = [s for s in kept if s.code != DQT or not steps]
    scans = fresh.data[fresh.scan :]
    if codes >= _tables(kept, DHT):
        kept = [s for s in kept if s.code != DHT]
    elif codes:
        kept, scans = _renumbered(kept, scans, {one[0] & 15 for one in codes})
    return _SOI + b"".join(s.data for s in kept) + scans


def _renumbered(
    header: list[Segment], scans: bytes, taken: set[int]
) -> tuple[list[Segment], bytes]:
    """The same stream with Huffman tables under numbers that the page does not use.

    There are four; the baseline of JPEG has the first two alone, so that a frame may become an extended one.
    """
    own = sorted({one[0] & 15 for one in _tables(header, DHT)})
    free = [number for number in range(4) if number not in taken]
    if len(free) < len(own):
        raise refuse_variant("TIFF", "its JPEG tables are its own")
    number = dict(zip(own, free, strict=False))
    fresh = []
    for segment in header:
        if segment.code == DHT:
            tables = list(_listed(segment, DHT))
            moved = (bytes((one[0] & 0xF0 | number[one[0] & 15],)) + one[1:] for one in tables)
            fresh.append(made(DHT, b"".join(moved)))
        elif segment.code == _BASELINE and max(number.values()) > 1:
            fresh.append(made(_EXTENDED, segment.payload))
        else:
            fresh.append(segment)
    head = bytearray(scans[: 5 + 2 * scans[4]])  # marker, length, and two bytes for each component
    for at in range(6, len(head), 2):
        head[at] = number[head[at] >> 4] << 4 | number[head[at] & 15]
    return fresh, bytes(head) + scans[len(head) :]


def edited(block: NDArray[Any], source: bytes) -> bytes:
    """A block that is a JPEG file, with other samples: what did not change stays as it is."""
    file = Jpeg.parse(source, NO_LIMITS, thorough=True)
    file.check_variant()
    picture = Container.decode(file)
    assert isinstance(picture, PillowPicture)
    before = np.asarray(picture.image).reshape(*picture.stored[::-1], -1)
    image = Image.frombytes(picture.image.mode, block.shape[1::-1], block.tobytes())
    fresh = PillowPicture(image)
    if before.shape == block.shape:
        rows, columns = np.nonzero((before != block).any(axis=2))
        if not rows.size:
            return source
        left, top = int(columns.min()), int(rows.min())
        size = int(columns.max()) - left + 1, int(rows.max()) - top + 1
        fresh.painted = left, top, *size
    return file.encode([fresh], Tags())


def _settings(stream: bytes, mode: str) -> dict[str, Any]:
    """How a block was encoded, in the encoder's words; never optimised, because the page has the tables."""
    with decoding(), Image.open(BytesIO(stream), formats=["JPEG"]) as source:
        assert isinstance(source, JpegImagePlugin.JpegImageFile)
        layers, tables = source.layer, source.quantization
    by_component = [tables[layer[3]] for layer in layers]
    if all(table == by_component[0] for table in by_component):
        by_component = by_component[:1]
    elif len(by_component) == 3 and by_component[1] == by_component[2]:
        by_component = by_component[:2]
    sampling = {tuple(layer[1:3]) for layer in layers[1:]} or {(1, 1)}
    known = {(1, 1): 0, (2, 1): 1, (2, 2): 2}.get((layers[0][1], layers[0][2]))
    if known is None or sampling != {(1, 1)} or (known and mode != "YCbCr"):
        raise refuse_variant("TIFF", "its colours are sampled in an unusual way")
    settings: dict[str, Any] = {"qtables": by_component, "subsampling": known, "optimize": False}
    return settings | ({"keep_rgb": True} if mode == "RGB" else {})


def _whole(data: bytes, page: Page) -> bytes:
    """A stream that a JPEG decoder takes: with the tables of the page, and told when its colours are plain."""
    plain = page.photometric == Photometric.RGB and not page.planar
    tables = page.tables.removeprefix(_SOI).removesuffix(_EOI)
    return _SOI + (_PLAIN if plain else b"") + tables + data.removeprefix(_SOI)


def _header(tables: bytes) -> tuple[Segment, ...]:
    """The segments of a page's tables."""
    alone = tables.removeprefix(_SOI).removesuffix(_EOI)
    return walk_header(_SOI + alone + _SCAN, NO_LIMITS)[0]


def _tables(segments: Sequence[Segment], code: int) -> set[bytes]:
    """Every single table of a kind."""
    return {one for segment in segments for one in _listed(segment, code)}


def _listed(segment: Segment, code: int) -> Iterator[bytes]:
    """The tables in a segment, which may hold several of its kind."""
    rest = segment.payload if segment.code == code else b""
    while len(rest) > 16:
        steps = 128 if rest[0] >> 4 else 64
        length = 1 + steps if code == DQT else 17 + sum(rest[1:17])
        yield rest[:length]
        rest = rest[length:]
