"""JPEG files that Pillow cannot write, put together from the ones it can: the pieces are Pillow's, the layout is ours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import zip_longest

from PIL import Image

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"  # and the transform


def jpeg(image: Image.Image, **options: object) -> bytes:
    """As Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **({"quality": 90} | options))  # type: ignore[arg-type]
    return buffer.getvalue()


def segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2) + body


def segments(data: bytes) -> tuple[list[bytes], bytes]:
    """The segments of a header, and everything from the first scan on."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append(data[at:stop])
        at = stop
    return found, data[at:]


def with_segments(data: bytes, *new: bytes, at: int = 0) -> bytes:
    """The file with more segments before the one with that number."""
    header, rest = segments(data)
    return b"".join([SOI, *header[:at], *new, *header[at:], rest])


def sampled(
    planes: Sequence[Image.Image],
    factors: Sequence[tuple[int, int]],
    *,
    adobe: int | None = None,
    names: bytes = bytes((1, 2, 3, 4)),
    **options: object,
) -> bytes:
    """A picture of full-size grey planes, each reduced to its sampling and coded in scans of its own.

    Args:
        planes: The channels.
        factors: How often each is sampled, across and down.
        adobe: Transform in an Adobe segment; a JFIF segment instead when `None`.
        names: What the components are called.
        options: How Pillow codes each plane.
    """
    width, height = planes[0].size
    widest, highest = max(h for h, _ in factors), max(v for _, v in factors)
    coded, header = [], b""
    for plane, (h, v) in zip(planes, factors, strict=True):
        size = -(-width * h // widest), -(-height * v // highest)
        coded.append(jpeg(plane.resize(size, Image.Resampling.BOX), **options))
    first, _ = segments(coded[0])
    frame = next(s for s in first if s[1] in {0xC0, 0xC1, 0xC2})
    layers = b"".join(
        bytes((name, h << 4 | v, 0)) for name, (h, v) in zip(names, factors, strict=False)
    )
    sizes = height.to_bytes(2) + width.to_bytes(2)
    header = segment(frame[1], b"\x08" + sizes + bytes((len(planes),)) + layers)
    tables = [s for s in first if s[1] == 0xDB]
    marks = [s for s in first if s[1] == 0xE0] if adobe is None else [ADOBE + bytes((adobe,))]
    passes = [_scans(data, name) for data, name in zip(coded, names, strict=False)]
    body = [scan for group in zip_longest(*passes, fillvalue=b"") for scan in group]
    return b"".join([SOI, *marks, *tables, header, *body, EOI])


def _scans(data: bytes, name: int) -> list[bytes]:
    """Every scan of a grey file with the tables before it, for a component of that name."""
    at, found, piece = 2, [], b""
    while data[at + 1] != 0xD9:
        stop = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        code, whole = data[at + 1], data[at:stop]
        if code in {0xC4, 0xDD}:
            piece += whole
        at = stop
        if code == 0xDA:
            while not (data[at] == 0xFF and data[at + 1] not in {0, *range(0xD0, 0xD8)}):
                at += 1
            found.append(piece + whole[:5] + bytes((name,)) + whole[6:] + data[stop:at])
            piece = b""
    return found


def with_pictures(first: bytes, *others: bytes, order: str = "big", at: int = 1) -> bytes:
    """A file with an index of further pictures behind it (CIPA DC-007).

    Args:
        first: The first picture.
        others: The further ones.
        order: Byte order of the index.
        at: Before which segment of the first picture the index stands.
    """

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)  # type: ignore[arg-type]

    count = 1 + len(others)
    head = (b"MM\0*" if order == "big" else b"II*\0") + number(8, 4) + number(3, 2)
    table = 8 + 2 + 3 * 12 + 4

    def index(length: int, base: int) -> bytes:
        tags = number(0xB000, 2) + number(7, 2) + number(4, 4) + b"0100"
        tags += number(0xB001, 2) + number(4, 2) + number(1, 4) + number(count, 4)
        tags += number(0xB002, 2) + number(7, 2) + number(16 * count, 4) + number(table, 4)
        entries = number(0x030000, 4) + number(length, 4) + number(0, 4) + number(0, 4)
        place = length - base
        for other in others:
            entries += number(0, 4) + number(len(other), 4) + number(place, 4) + number(0, 4)
            place += len(other)
        return segment(0xE2, b"MPF\0" + head + tags + number(0, 4) + entries)

    header, _ = segments(first)
    base = 2 + sum(map(len, header[:at])) + 8
    length = len(first) + len(index(0, 0))
    return with_segments(first, index(length, base), at=at) + b"".join(others)
