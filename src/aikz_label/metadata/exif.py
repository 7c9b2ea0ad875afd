"""EXIF: the few texts in which tools write statements about AI, read without following anything twice.

A block holds at most two directories here, the first one and the one with the camera's data it points to. Nothing else is
followed, so offsets cannot form a circle; every offset and count is checked against the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Literal

from aikz_label.limits import MIB

_TEXTS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x9286: "UserComment",
}
_CAMERA_DATA = 0x8769  # LONG: offset of the Exif directory
_LONG = 4
_BYTES = {1, 2, 7}  # types of one byte each: BYTE, ASCII, UNDEFINED
_MAX_ENTRIES = 512  # cameras write below 100
_PREFIX = b"Exif\0\0"  # JPEG has it always, WebP sometimes
_ORDER: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}

_UNICODE = b"UNICODE\0"
_CODES = {b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"\0" * 8}


def texts(block: bytes) -> Iterator[tuple[str, str]]:
    """Name and text of the fields that tools use for statements, each at most once per directory."""
    if len(block) > MIB:
        return
    block = block.removeprefix(_PREFIX)
    order = _ORDER.get(block[:4])
    if order is None:
        return
    pointer = yield from _directory(block, int.from_bytes(block[4:8], order), order)
    if pointer:
        yield from _directory(block, pointer, order)


def _directory(
    block: bytes, start: int, order: Literal["little", "big"]
) -> Generator[tuple[str, str], None, int]:
    """The texts of one directory; returns the offset of the Exif directory, 0 without one."""
    count = int.from_bytes(block[start : start + 2], order)
    wanted, pointer = dict(_TEXTS), 0
    first = start + 2
    for at in range(first, min(first + 12 * min(count, _MAX_ENTRIES), len(block) - 11), 12):
        tag = int.from_bytes(block[at : at + 2], order)
        if tag not in wanted and tag != _CAMERA_DATA:
            continue
        kind = int.from_bytes(block[at + 2 : at + 4], order)
        size = int.from_bytes(block[at + 4 : at + 8], order)
        value = int.from_bytes(block[at + 8 : at + 12], order)
        if tag == _CAMERA_DATA:
            pointer = value if kind == _LONG else 0
        elif kind in _BYTES:
            where = at + 8 if size <= 4 else value
            if where + size <= len(block):
                name, raw = wanted.pop(tag), block[where : where + size]
                yield name, comment_text(raw, order) if name == "UserComment" else _plain(raw)
    return pointer


def _plain(raw: bytes) -> str:
    return raw.decode(errors="replace").strip("\0 \t\r\n")


def comment_text(raw: bytes, order: Literal["little", "big"]) -> str:
    """The text after the eight bytes that name its encoding, which some writers leave out."""
    code, rest = raw[:8], raw[8:]
    if code != _UNICODE:
        return _plain(rest if code in _CODES else raw)
    if rest[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    elif rest[:1] == b"\0" or rest[1:2] == b"\0":
        # many write big-endian whatever the block's own order is: statements start with a Latin letter or a bracket
        encoding = "utf-16-be" if rest[:1] == b"\0" else "utf-16-le"
    else:
        encoding = "utf-16-le" if order == "little" else "utf-16-be"
    return rest.decode(encoding, errors="replace").strip("\0 \t\r\n")
