"""What the metadata of a film say of AI: our own mirrors, and what generators and other tools write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from aikz_label.adapters.image.bmff import Box
from aikz_label.adapters.video import riff
from aikz_label.adapters.video.boxes import Tree
from aikz_label.carriers import ebml
from aikz_label.limits import MIB, Limits
from aikz_label.metadata import declarations, mirror, xmp
from aikz_label.report import Mirror

_MOST = 1000  # fields that are looked at
_KNOWN = {name.lower(): name for name in declarations.KEYWORDS}
# Fields for people's words by the names that formats and tools have for them.
_SAME = {
    "\xa9cmt": "Comment",
    "\xa9too": "Software",
    "\xa9swr": "Software",
    "desc": "Description",
    "\xa9des": "Description",
    "com.apple.quicktime.comment": "Comment",
    "com.apple.quicktime.software": "Software",
    "com.apple.quicktime.description": "Description",
    "encoder": "Software",
    "icmt": "Comment",
    "isft": "Software",
}
_INSIDE = {"prompt", "workflow"}  # that ComfyUI's video nodes put into a comment


def in_boxes(tree: Tree, limits: Limits) -> Iterator[Mirror]:
    """The statements of a file of boxes."""
    for packet in packets(tree):
        if packet.stop - packet.body <= limits.max_xmp:
            skip = 16 if packet.kind == b"uuid" else 0
            yield from xmp.read(tree.data[packet.body + skip : packet.stop])
    yield from _in_fields("mp4", islice(_items(tree), _MOST))


def packets(tree: Tree) -> Iterator[Box]:
    """The boxes that hold XMP: one of the top level, and QuickTime's among the user data."""
    yield from (box for box in tree.top if tree.is_xmp(box))
    movie = tree.find(b"moov")
    for user in (
        tree.children(movie) if movie else ()
    ):  # there should be one alone, and some files have two
        if user.kind == b"udta":
            yield from (box for box in tree.children(user) if box.kind == b"XMP_")


def _items(tree: Tree) -> Iterator[tuple[str, str]]:
    """Name and text of every item in the lists of metadata, and of QuickTime's user data."""
    for path in ((b"moov", b"udta", b"meta"), (b"moov", b"meta"), (b"meta",)):
        meta = tree.find(*path)
        listed = tree.find(*path, b"ilst") if meta else None
        if listed is None:
            continue
        keys = tree.find(*path, b"keys")
        names = tuple(_keys(tree, keys)) if keys else ()
        for item in tree.children(listed):
            if item.stop - item.start <= MIB:
                yield from _item(tree, item, names)
    user = tree.find(b"moov", b"udta")
    for box in tree.children(user) if user else ():
        if box.kind[:1] == b"\xa9" and 4 < box.stop - box.body <= MIB:
            text = tree.data[box.body + 4 : box.stop]  # length and language come first
            yield box.kind.decode("latin-1"), text.decode("utf-8", "replace")


def _keys(tree: Tree, keys: Box) -> Iterator[str]:
    data, at = tree.content(keys), 8
    for _ in range(_MOST):
        size = int.from_bytes(data[at : at + 4])
        if size < 8 or at + size > len(data):
            return
        yield data[at + 8 : at + size].decode("utf-8", "replace")
        at += size


def _item(tree: Tree, item: Box, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    parts = {box.kind: tree.data[box.body : box.stop] for box in tree.children(item)}
    if b"data" not in parts:
        return
    number = int.from_bytes(item.kind)
    if item.kind == b"----":
        name = parts.get(b"name", b"")[4:].decode("utf-8", "replace")
    elif 0 < number <= len(names):
        name = names[number - 1]
    else:
        name = item.kind.decode("latin-1")
    if int.from_bytes(parts[b"data"][:4]) in {0, 1}:  # text, or not said
        yield name, parts[b"data"][8:].decode("utf-8", "replace")


def in_matroska(source: BinaryIO, document: ebml.Document) -> Iterator[Mirror]:
    """The statements of a Matroska file.

    Raises:
        Broken: Its tags cannot be read.
    """

    def fields() -> Iterator[tuple[str, str]]:
        for simple in islice(ebml.simple_tags(source, document, 10 * _MOST), _MOST):
            value = simple.value
            if value is not None and value.name == ebml.TAG_STRING and value.size <= MIB:
                yield simple.name, ebml.content(source, value).decode("utf-8", "replace")

    yield from _in_fields("matroska", fields())


def in_avi(film: riff.Film, limits: Limits) -> Iterator[Mirror]:
    """The statements of an AVI file."""
    for chunk in film.chunks:
        if chunk.kind == b"_PMX" and chunk.stop - chunk.body <= limits.max_xmp:
            yield from xmp.read(film.content(chunk))
    own = (chunk for chunk in film.chunks if chunk.kind == b"AIGC")
    listed = (*islice(own, _MOST), *islice(film.listed(b"INFO"), _MOST))
    for chunk in listed:
        if chunk.kind == b"ICMT" and (line := mirror.parsed(_text(film, chunk))):
            listed_line = ((name, value) for name, value in line.items())
            yield from _in_fields("riff", listed_line)
    yield from _in_fields(
        "riff", ((chunk.kind.decode("latin-1"), _text(film, chunk)) for chunk in listed)
    )


def _text(film: riff.Film, chunk: riff.Chunk) -> str:
    return film.content(chunk).rstrip(b"\0").decode("utf-8", "replace")


def _in_fields(carrier: str, fields: Iterable[tuple[str, str]]) -> Iterator[Mirror]:
    named = ((carrier, _name(name), text) for name, text in _unfolded(fields))
    yield from declarations.in_texts(one for one in named if one[1] in declarations.KEYWORDS)


def _name(name: str) -> str:
    """The keyword that a field is known by, whatever its format calls it."""
    lower = name.lower()
    return _SAME.get(lower) or _KNOWN.get(lower, name)


def _unfolded(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The fields, and those inside a comment that is an object of several."""
    for name, text in fields:
        yield name, text
        if _name(name) == "Comment" and text.startswith("{") and len(text) <= MIB:
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                continue
            for key in _INSIDE & found.keys() if isinstance(found, dict) else ():
                value = found[key]
                yield key, value if isinstance(value, str) else json.dumps(value)
