"""JPEG in TIFF: every strip or tile is a JPEG stream of its own, most without tables, which the page holds once.

libtiff keeps the tables of one block while it reads the next, so a block must never bring others than the page has: what is
encoded here has the same ones, or the page is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import Tags, decoding, refuse_variant
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.adapters.image.tiff.page import Page, Photometric
from aikz_label.limits import NO_LIMITS

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
# Adobe's marker with transform 0: three components that are colours as they are, not brightness and differences
_PLAIN = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
_QUANTISATION, _HUFFMAN = 0xDB, 0xC4
_SPARE = 1024  # rows that a stream may have below its block


def decoded(data: bytes, page: Page, rows: int) -> NDArray[Any]:
    """The samples of a block; brightness and differences stay what they are."""
    file = Jpeg.parse(_whole(data, page), NO_LIMITS, thorough=False)
    # one that is far larger than its page is a bomb
    if file.size[0] != page.block[0] or file.size[1] > max(page.block[1], page.size[1]) + _SPARE:
        raise MediaProblem("damaged", detail_word="no-size")
    picture = file.decode()
    assert isinstance(picture, PillowPicture)
    samples = np.asarray(picture.image)
    samples = samples[..., None] if samples.ndim == 2 else samples
    if samples.shape[1:] != (page.block[0], page.channels) or samples.shape[0] < rows:
        raise MediaProblem("damaged", detail_word="no-size")
    return samples[:rows]


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
    shared = {code: set(_tables(page.tables, code)) for code in (_QUANTISATION, _HUFFMAN)}
    kept = []
    for segment in fresh.header:
        own = shared.get(segment.code)
        if own is None:
            if (
                not 0xE0 <= segment.code <= 0xEF
            ):  # what Pillow says of the file does not belong here
                kept.append(segment.data)
        elif not own:
            kept.append(segment.data)
        elif not own >= set(_tables(segment.data, segment.code)):
            raise refuse_variant("TIFF", "its JPEG tables are its own")
    return _SOI + b"".join(kept) + fresh.data[fresh.scan :]


def edited(block: NDArray[Any], source: bytes) -> bytes:
    """A block that is a JPEG file, with other samples: what did not change stays as it is."""
    file = Jpeg.parse(source, NO_LIMITS, thorough=True)
    file.check_variant()
    picture = file.decode()
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


def _tables(data: bytes, code: int) -> Iterator[bytes]:
    """Every single table of a kind: a segment may hold several."""
    at = 0
    mark = bytes((0xFF, code))
    while (at := data.find(mark, at)) >= 0:
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        start = at + 4
        while start < stop:
            if code == _QUANTISATION:
                length = 1 + (128 if data[start] >> 4 else 64)
            else:
                length = 17 + sum(data[start + 1 : start + 17])
            yield data[start : start + length]
            start += length
        at = stop
