"""TIFF directories: read with every offset checked.

A TIFF file is a chain of directories, one a page; a directory is a table of tags, whose values are numbers or the places
of more bytes. Nothing here decodes a pixel. Adobe, TIFF 6.0; BigTIFF as libtiff writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from aikz_label.values import dataclass

Order: TypeAlias = Literal["little", "big"]

BYTE, ASCII, SHORT, LONG, UNDEFINED, LONG8 = 1, 2, 3, 4, 7, 16
_LENGTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LENGTHS |= {16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_INTEGERS |= {16: "Q", 17: "q", 18: "Q"}

SUBDIRECTORIES, EXIF, GPS, INTEROPERABILITY = 330, 0x8769, 0x8825, 0xA005
XMP, C2PA = 700, 0xCD41
# Where image data is, each with the tag that says how many bytes are there.
DATA = {273: 279, 324: 325, 513: 514}  # strips, tiles, a JPEG stream
# The C2PA engine reads no more pages than this; scanners and microscopes write below a tenth of it.
MAX_DIRECTORIES = 2000
MAX_ENTRIES = 4096  # in one directory; the largest of the reference corpora has 120
_MAX_ALL_ENTRIES = 100_000
_MAX_TEXT = 64 * 1024


class Malformed(ValueError):
    """The directories make no sense; the word says why, as `unreadable.damaged` takes it."""


class TooMany(ValueError):
    """More directories or entries than are read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag.

    Attributes:
        tag: Its number.
        kind: Type of its values.
        count: How many there are.
        at: Where they begin in the file.
        length: How many bytes they take.
    """

    tag: int
    kind: int
    count: int
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One table of tags.

    Attributes:
        at: Where it begins.
        entries: Its tags, in their order.
        next: Where the next directory of the chain begins, 0 at its end.
        next_at: Where that number stands.
        pointer_at: Where the number stands that leads here.
        pointer_width: How many bytes it has.
    """

    at: int
    entries: tuple[Entry, ...]
    next: int
    next_at: int
    pointer_at: int
    pointer_width: int

    def get(self, tag: int) -> Entry | None:
        """The first entry of a tag."""
        return next((entry for entry in self.entries if entry.tag == tag), None)


@dataclass(frozen=True, slots=True)
class Tiff:
    """A file's chain of directories.

    Attributes:
        data: The whole file.
        order: Byte order of numbers.
        big: BigTIFF, with offsets of 64 bits.
        pages: The chain, without what the pages point to.
    """

    data: bytes
    order: Order
    big: bool
    pages: tuple[Directory, ...]

    @classmethod
    def read(cls, data: bytes) -> Tiff:
        """Follow the chain.

        Raises:
            Malformed: It leads out of the file or back to itself.
            TooMany: It is longer than is read.
        """
        orders: dict[bytes, Order] = {b"II": "little", b"MM": "big"}
        order = orders.get(bytes(data[:2]))
        version = int.from_bytes(data[2:4], order or "big")
        if order is None or version not in {42, 43}:
            raise Malformed("no-header")
        big = version == 43
        if big and int.from_bytes(data[4:6], order) != 8:
            raise Malformed("no-header")
        empty = cls(data, order, big, ())
        pages = tuple(empty.follow(8 if big else 4))
        if not pages:
            raise Malformed("no-header")
        return cls(data, order, big, pages)

    def follow(self, pointer_at: int) -> Iterator[Directory]:
        """The chain that begins where a number says."""
        seen: set[int] = set()
        entries = 0
        at = self._number(pointer_at, self.word)
        while at:
            if at in seen:
                raise Malformed("loop")
            seen.add(at)
            if len(seen) > MAX_DIRECTORIES:
                raise TooMany
            found = self._directory(at, pointer_at, self.word)
            entries += len(found.entries)
            if entries > _MAX_ALL_ENTRIES:
                raise TooMany
            yield found
            pointer_at, at = found.next_at, found.next

    def children(self, parent: Directory) -> Iterator[Directory]:
        """The directories that one points to: pictures beside it, then those of camera and place."""
        listed = parent.get(SUBDIRECTORIES)
        if listed is not None:
            width = _LENGTHS.get(listed.kind, 0)
            if width not in {4, 8}:
                raise Malformed("cut")
            if listed.count > MAX_DIRECTORIES:
                raise TooMany
            self.value(listed)  # that it is there
            for index in range(listed.count):
                yield from self._one(listed.at + index * width, width)
        for tag in (EXIF, GPS, INTEROPERABILITY):
            entry = parent.get(tag)
            if entry is not None and entry.count == 1 and entry.length in {4, 8}:
                yield from self._one(entry.at, entry.length)

    def tree(self, *, of: Iterable[Directory] | None = None) -> Iterator[Directory]:
        """Every directory, parents first.

        Raises:
            Malformed: Two ways lead to the same one.
            TooMany: There are more than are read.
        """
        seen: set[int] = set()
        waiting = list(reversed(tuple(self.pages if of is None else of)))
        while waiting:
            found = waiting.pop()
            if found.at in seen:
                raise Malformed("loop")
            seen.add(found.at)
            if len(seen) > MAX_DIRECTORIES:
                raise TooMany
            yield found
            waiting.extend(reversed(tuple(self.children(found))))

    @property
    def word(self) -> int:
        """Bytes of an offset."""
        return 8 if self.big else 4

    def value(self, entry: Entry) -> bytes:
        """The bytes of a tag's values.

        Raises:
            Malformed: They are not in the file.
        """
        if entry.at + entry.length > len(self.data):
            raise Malformed("cut")
        return self.data[entry.at : entry.at + entry.length]

    def numbers(self, entry: Entry | None) -> tuple[int, ...]:
        """Values that are whole numbers; empty for other types, and where there is no tag."""
        code = _INTEGERS.get(entry.kind) if entry is not None else None
        if entry is None or code is None:
            return ()
        return struct.unpack(f"{self.mark}{entry.count}{code}", self.value(entry))

    def pack(self, kind: int, numbers: Iterable[int]) -> bytes:
        """Whole numbers as the values of a tag."""
        listed = tuple(numbers)
        return struct.pack(f"{self.mark}{len(listed)}{_INTEGERS[kind]}", *listed)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Every part of the file that something points to, from its first byte to behind its last."""
        yield 0, 16 if self.big else 8
        for found in self.tree():
            yield found.at, found.next_at + self.word
            for entry in found.entries:
                if entry.length > self.word:
                    yield entry.at, entry.at + entry.length
            data = set()  # the same directory may say in two ways where its picture is
            for places, lengths in DATA.items():
                pair = (self.numbers(found.get(tag)) for tag in (places, lengths))
                data |= {(at, at + length) for at, length in zip(*pair, strict=False) if length}
            yield from data

    def extract(
        self,
        parent: Directory,
        tags: Iterable[int],
        child: Directory | None,
        child_tags: Iterable[int],
    ) -> bytes:
        """A small file with some tags of a directory, and of the camera data that it points to."""
        rows = [row for tag in tags if (row := self._inlined(parent, tag))]
        inner = [row for tag in child_tags if child and (row := self._inlined(child, tag))]
        head = (b"II*\0" if self.order == "little" else b"MM\0*") + (8).to_bytes(4, self.order)
        if not inner:
            return head + self._table(rows, 8)
        start = len(head) + len(self._table([*rows, (EXIF, LONG, 1, bytes(4))], 8))
        rows.append((EXIF, LONG, 1, start.to_bytes(4, self.order)))
        return head + self._table(rows, 8) + self._table(inner, start)

    def _inlined(self, directory: Directory, tag: int) -> tuple[int, int, int, bytes] | None:
        """A tag with its text, unless it is far larger than any."""
        entry = directory.get(tag)
        if entry is None or entry.length > _MAX_TEXT or entry.at + entry.length > len(self.data):
            return None
        return entry.tag, entry.kind, entry.count, self.value(entry)

    def _table(self, rows: list[tuple[int, int, int, bytes]], at: int) -> bytes:
        """A classic directory that stands at a place, with its values behind it."""
        table, values = len(rows).to_bytes(2, self.order), b""
        behind = at + 2 + 12 * len(rows) + 4
        for tag, kind, count, data in rows:
            table += struct.pack(f"{self.mark}HHI", tag, kind, count)
            if len(data) <= 4:
                table += data.ljust(4, b"\0")
            else:
                table += (behind + len(values)).to_bytes(4, self.order)
                values += data
        return table + bytes(4) + values

    @property
    def mark(self) -> str:
        """The byte order in the words of `struct`."""
        return "<" if self.order == "little" else ">"

    def _number(self, at: int, width: int) -> int:
        part = self.data[at : at + width]
        if len(part) < width:
            raise Malformed("cut")
        return int.from_bytes(part, self.order)

    def _one(self, pointer_at: int, width: int) -> Iterator[Directory]:
        at = self._number(pointer_at, width)
        if at:
            yield self._directory(at, pointer_at, width)

    def _directory(self, at: int, pointer_at: int, pointer_width: int) -> Directory:
        head, step = (8, 20) if self.big else (2, 12)
        count = self._number(at, head)
        if count > MAX_ENTRIES:
            raise TooMany
        next_at = at + head + step * count
        table = self.data[at + head : next_at]
        if len(table) < step * count:
            raise Malformed("cut")
        form = f"{self.mark}HH{'QQ' if self.big else 'II'}"
        entries = []
        for index, (tag, kind, number, place) in enumerate(struct.iter_unpack(form, table)):
            length = number * _LENGTHS.get(kind, 1)
            inside = at + head + step * index + step - self.word
            entries.append(
                Entry(tag, kind, number, inside if length <= self.word else place, length)
            )
        following = self._number(next_at, self.word) if next_at + self.word <= len(self.data) else 0
        return Directory(at, tuple(entries), following, next_at, pointer_at, pointer_width)
