"""HEIF items written in one plain layout: `ftyp`, `meta`, what else there was, `mdat`, each item in one piece.

The C2PA engine moves what follows the marker and does not find its way through the odder layouts, so every file is put
into this one before it is signed. Numbers of items stay, because groups and other boxes name them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aikz_label.adapters.image.bmff import pack
from aikz_label.adapters.image.heif.items import Item, Meta

if TYPE_CHECKING:
    from aikz_label.adapters.image.heif.movie import Movie

_NARROW = 0xFFFF  # numbers above need other versions of five boxes


def metadata_item(number: int, content_type: bytes, data: bytes) -> Item:
    """A new `mime` item."""
    tail = b"\0" + content_type + b"\0"
    return Item(number, b"mime", content_type=content_type, tail=tail).holding(data)


def assemble(
    brands: bytes, meta: Meta, others: Iterable[bytes] = (), movie: Movie | None = None
) -> bytes:
    """A file with these items and tracks.

    Args:
        brands: The whole `ftyp` box.
        meta: Items, references and boxes; without a handler there are none.
        others: Top-level boxes that hold no offsets, whole.
        movie: The tracks.
    """
    wide = 4 if any(item.number > _NARROW for item in meta.items) else 2
    contents = [item.data for item in meta.items]
    before = (meta.handler, pack(b"pitm", _version(wide, 1), meta.primary.to_bytes(wide)))
    after = (
        _entries(meta.items, wide),
        _references(meta, wide),
        _properties(meta.items, wide),
        *meta.others,
    )
    rest = b"".join(others)
    table = len(_places(meta.items, contents, 0, wide))  # whose size does not depend on its offsets
    items = 12 + sum(map(len, before + after)) + table if meta.handler else 0
    tracks = len(movie.written(0)) if movie else 0
    at = len(brands) + items + tracks + len(rest) + 8
    places = _places(meta.items, contents, at, wide)
    boxes = pack(b"meta", bytes(4), *before, places, *after) if meta.handler else b""
    samples = list(movie.contents) if movie else []
    if movie:
        boxes += movie.written(at + sum(map(len, contents)))
    return brands + boxes + rest + pack(b"mdat", *contents, *samples)


def _version(wide: int, version: int) -> bytes:
    """Version and flags of a box that has a version for numbers of four bytes."""
    return (version if wide > 2 else 0).to_bytes(1) + bytes(3)


def _entries(items: Sequence[Item], wide: int) -> bytes:
    rows = [
        pack(
            b"infe",
            (3 if wide > 2 else 2).to_bytes(1) + item.hidden.to_bytes(3),
            item.number.to_bytes(wide) + bytes(2) + item.kind + item.tail,
        )
        for item in items
    ]
    return pack(b"iinf", _version(wide, 1), len(items).to_bytes(wide), *rows)


def _references(meta: Meta, wide: int) -> bytes:
    rows = [
        pack(
            r.kind,
            r.source.to_bytes(wide),
            len(r.targets).to_bytes(2),
            *(target.to_bytes(wide) for target in r.targets),
        )
        for r in meta.references
    ]
    return pack(b"iref", _version(wide, 1), *rows) if rows else b""


def _places(items: Sequence[Item], contents: Sequence[bytes], at: int, wide: int) -> bytes:
    rows = []
    for item, content in zip(items, contents, strict=True):
        method = bytes(2) if wide > 2 else b""  # only this version of the box names one
        # a length of 0 would mean "to the end"
        place = b"\0\1" + at.to_bytes(4) + len(content).to_bytes(4) if content else bytes(2)
        rows.append(item.number.to_bytes(wide) + method + bytes(2) + place)
        at += len(content)
    return pack(b"iloc", _version(wide, 2), b"\x44\0", len(items).to_bytes(wide), *rows)


def _properties(items: Sequence[Item], wide: int) -> bytes:
    """`iprp`: each different property once, then which item has which."""
    listed: dict[bytes, int] = {}
    for item in items:
        for found in item.properties:
            listed.setdefault(found.box, len(listed) + 1)
    size = 2 if len(listed) > 127 else 1
    rows = []
    for item in sorted(items, key=lambda one: one.number):  # the order that the standard asks for
        if item.properties:
            words = [listed[p.box] | p.essential << 8 * size - 1 for p in item.properties]
            row = item.number.to_bytes(wide) + len(words).to_bytes(1)
            rows.append(row + b"".join(word.to_bytes(size) for word in words))
    head = (1 if wide > 2 else 0).to_bytes(1) + (size - 1).to_bytes(3) + len(rows).to_bytes(4)
    return pack(b"iprp", pack(b"ipco", *listed), pack(b"ipma", head, *rows))
