"""The list of items that iTunes made usual: texts of any name, chapters, and how much of the sound is to be played."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import lyrics
from aikz_label.label import Label
from aikz_label.limits import MIB
from aikz_label.metadata import mirror

_FREE, _COMMENT, _LYRICS = b"----", b"\xa9cmt", b"\xa9lyr"
_MOST_KEYS = 10_000
_MEAN = b"com.apple.iTunes"
_GAPLESS = "iTunSMPB"
# Its text: how many samples are silence before and behind those that are played, and how many those are.
_COUNTS = re.compile(
    rb"(.*? [0-9A-F]{8} )([0-9A-F]{8}) ([0-9A-F]{8}) ([0-9A-F]{16})(.*)", re.DOTALL
)
_HANDLER = bytes(4) + bytes(4) + b"mdirappl" + bytes(9)
_TEXT = (1).to_bytes(4)
_CHAPTER_UNIT = 10_000_000  # of a second


def write(moov: Box, label: Label) -> None:
    """Put our statements in place of earlier ones of the same name; a list is made where there is none."""
    meta, ilst = _list(moov)
    assert ilst.children is not None
    keys = _keys(meta)
    names = {name.lower() for name in mirror.PROPERTIES}
    ilst.children = [item for item in ilst.children if _called(item, keys).lower() not in names]
    for name, value in mirror.statements(label):
        ilst.children.append(_keyed(meta, keys, name, value) if keys else _free(name, value))


def move(moov: Box, shift: Shift) -> None:
    """Make the number of samples to be played larger, and move Nero's chapters."""
    if not shift.total:
        return
    for item in _items(moov):
        if item.name == _FREE and _name(item) == _GAPLESS:
            _longer(item, shift)
        elif item.name == _LYRICS:
            item.content = _sung(item, shift)
    for chapters in moov.all(b"udta", b"chpl"):
        chapters.content = _chapters(chapters.content, shift)


def _items(moov: Box) -> Iterator[Box]:
    for ilst in moov.all(b"udta", b"meta", b"ilst"):
        yield from ilst.children or ()


def _list(moov: Box) -> tuple[Box, Box]:
    """The list of items, which is made where there is none, and the box that it is in."""
    udta = moov.first(b"udta")
    assert moov.children is not None
    if udta is None or udta.children is None:
        udta = Box(b"udta", b"", [])
        moov.children.append(udta)
    assert udta.children is not None
    meta = next((box for box in udta.children if box.name == b"meta"), None)
    if meta is None or meta.children is None:
        meta = Box(b"meta", bytes(4), [Box(b"hdlr", _HANDLER)])
        udta.children.append(meta)
    assert meta.children is not None
    ilst = meta.first(b"ilst")
    if ilst is None or ilst.children is None:
        ilst = Box(b"ilst", b"", [])
        meta.children.append(ilst)
    return meta, ilst


def _keys(meta: Box) -> list[str]:
    """The names of the items in a list of QuickTime's newer kind, which have numbers; none in iTunes' kind."""
    found: list[str] = []
    box = meta.first(b"keys")
    content, at = (box.content if box else b""), 8
    while at + 8 <= len(content) and len(found) < _MOST_KEYS:
        length = int.from_bytes(content[at : at + 4])
        if length < 8:
            break
        found.append(content[at + 8 : at + min(length, 1000)].decode("utf-8", "replace"))
        at += length
    return found


def _keyed(meta: Box, keys: list[str], name: str, value: str) -> Box:
    """An item of such a list; its name is added to the others where it is not among them."""
    if name not in keys:
        keys.append(name)
        box, key = meta.need(b"keys"), Box(b"mdta", name.encode()).stored()
        box.content = box.content[:4] + len(keys).to_bytes(4) + box.content[8:] + key
    number = keys.index(name) + 1
    return Box(number.to_bytes(4), Box(b"data", _TEXT + bytes(4) + value.encode()).stored())


def _called(item: Box, keys: list[str]) -> str:
    """The name of an item."""
    number = int.from_bytes(item.name)
    if 0 < number <= len(keys):
        return keys[number - 1]
    if item.name == _FREE:
        return _name(item)
    return "Comment" if item.name == _COMMENT else item.name.decode("latin-1")


def _free(name: str, value: str) -> Box:
    parts = (
        Box(b"mean", bytes(4) + _MEAN),
        Box(b"name", bytes(4) + name.encode()),
        Box(b"data", _TEXT + bytes(4) + value.encode()),
    )
    return Box(_FREE, b"".join(part.stored() for part in parts))


def _parts(item: Box) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stop of each part of an item."""
    at, content = 0, item.content
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4])
        if length < 8 or at + length > len(content):
            return
        yield content[at + 4 : at + 8], at + 8, at + length
        at += length


def _name(item: Box) -> str:
    for name, start, stop in _parts(item):
        if name == b"name":
            return item.content[start + 4 : min(stop, start + 1000)].decode("utf-8", "replace")
    return ""


def _value(item: Box) -> str:
    for name, start, stop in _parts(item):
        if name == b"data":
            return item.content[start + 8 : min(stop, start + 2 * MIB)].decode("utf-8", "replace")
    return ""


def _sung(item: Box, shift: Shift) -> bytes:
    """Lyrics; their lines can have moments."""
    found: list[bytes] = []
    end = 0
    for name, start, end in _parts(item):
        text = item.content[start:end]
        if name == b"data":
            text = text[:8] + lyrics.moved(text[8:], shift)
        found.append(Box(name, text).stored())
    return b"".join(found) + item.content[end:]


def tell_silence(moov: Box, early: int, coded: int, played: int) -> None:
    """Write, where the file tells it, how many samples are silence before and behind those that are played."""
    numbers = f"{early:08X} {max(coded - early - played, 0):08X} {played:016X}".encode()
    for item in _items(moov):
        found = _COUNTS.fullmatch(item.content)
        if item.name == _FREE and _name(item) == _GAPLESS and found is not None:
            item.content = found[1] + numbers + found[5]


def _longer(item: Box, shift: Shift) -> None:
    """One number is how many samples there are."""
    found = _COUNTS.fullmatch(item.content)
    if found is not None:
        count = f"{int(found[4], 16) + shift.total:016X}".encode()
        item.content = item.content[: found.start(4)] + count + found[5]


def _chapters(content: bytes, shift: Shift) -> bytes:
    """A start and a name for each."""
    at = 5 + (4 if content[:1] == b"\x01" else 0)
    stored = bytearray(content)
    for _ in range(content[at - 1] if len(content) >= at else 0):
        if at + 9 > len(stored):
            break
        start = shift.units(int.from_bytes(stored[at : at + 8]), _CHAPTER_UNIT)
        stored[at : at + 8] = start.to_bytes(8)
        at += 9 + stored[at + 8]
    return bytes(stored)
