"""TIFF files of every kind, written by tifffile or byte by byte here."""

from __future__ import annotations

import io
import struct

import numpy as np
import tifffile

from aikz_label.metadata import ifd
from aikz_label.metadata.ifd_editor import Editor
from support import picture

SIZE = (240, 163)


def photo(channels: int, dtype: str, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The photograph as rows × columns × channels over the whole range of a type."""
    grey = np.asarray(picture("L", size), np.float64)[..., None] / 255
    shares = np.concatenate([grey ** (1 + 0.2 * c) for c in range(channels)], axis=2)
    if np.dtype(dtype).kind == "f":
        return shares.astype(dtype)
    return (shares * (float(np.iinfo(dtype).max) * 0.999)).astype(dtype)


def tiff(samples: np.ndarray, **options) -> bytes:
    """A file of one page, by tifffile."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(
        buffer, bigtiff=options.pop("bigtiff", False), byteorder=options.pop("byteorder", "<")
    ) as writer:
        if options.get("planarconfig") == "separate":
            samples = np.moveaxis(samples, 2, 0)
        if samples.ndim == 3 and samples.shape[2] == 1:
            samples = samples[..., 0]
        writer.write(samples, metadata=None, **options)
    return buffer.getvalue()


def raw_page(data: bytes, tags: dict[int, list[int]]) -> bytes:
    """A file of one strip with any tags, little-endian."""
    tags = {**tags, 273: [8], 279: [len(data)]}
    body = data + bytes(len(data) % 2)
    table, values, at = b"", b"", 8 + len(body)
    behind = at + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        kind, code = (3, "H") if max(numbers) < 65536 and tag != 273 else (4, "I")
        raw = struct.pack(f"<{len(numbers)}{code}", *numbers)
        if len(raw) > 4:
            raw, values = struct.pack("<I", behind + len(values)), values + raw
        table += struct.pack("<HHI", tag, kind, len(numbers)) + raw.ljust(4, b"\0")
    head = b"II*\0" + at.to_bytes(4, "little")
    return head + body + len(tags).to_bytes(2, "little") + table + bytes(4) + values


def packed(values: np.ndarray, bits: int, photometric: int) -> bytes:
    """An uncompressed grey file of any depth."""
    height, width = values.shape
    rows = []
    for row in values:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8))
    tags = {256: [width], 257: [height], 258: [bits], 259: [1], 262: [photometric], 277: [1]}
    return raw_page(b"".join(rows), {**tags, 278: [height]})


def book(**options) -> bytes:
    """Pages of different kinds and sizes."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **options) as writer:
        writer.write(photo(3, "uint8"), photometric="rgb", compression="lzw", metadata=None)
        writer.write(photo(1, "uint16", (400, 90))[..., 0], photometric="minisblack", metadata=None)
        writer.write(
            photo(3, "float32", (150, 300)), photometric="rgb", tile=(64, 64), metadata=None
        )
    return buffer.getvalue()


def raw_photo() -> bytes:
    """What a camera writes: a mosaic, with the tags that make it a DNG."""
    tags = {256: [240], 257: [160], 258: [16], 259: [1], 262: [32803], 277: [1], 278: [160]}
    tags |= {50706: [1, 4, 0, 0], 33421: [2, 2]}
    return raw_page(photo(1, "uint16", (240, 160)).tobytes(), tags)


def without(data: bytes, *tags: int) -> bytes:
    """The file without some tags of its pages."""
    read = ifd.Tiff.read(data)
    editor = Editor(read)
    for page in reversed(read.pages):
        editor.change(page, dict.fromkeys(tags))
    return editor.data
