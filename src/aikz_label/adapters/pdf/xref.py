"""Where the objects of a PDF are: its cross-reference sections, newest first, or a scan where they do not hold.

Sections are looked up as they stand in the file and never expanded, so a file of a hundred thousand objects costs no more
than its tables.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf.filters import decoded
from aikz_label.adapters.pdf.objects import Dict, Extent, Ref, Value
from aikz_label.adapters.pdf.reader import Reader
from aikz_label.adapters.pdf.syntax import Malformed, Parser
from aikz_label.values import dataclass, field

MAX_SECTIONS = 4096  # one for each update
MAX_OBJECTS = 8_388_607  # the standard's own
_MAX_TABLE = 64 << 20  # three million objects
_ENTRY = re.compile(rb"\s*(\d{1,20})\s+(\d{1,10})\s+([nf])")
_SUBSECTION = re.compile(
    rb"[\x00\t\n\x0c\r ]*(\d{1,10})[ \t]+(\d{1,10})[ \t]*(\r\n|\n|\r|(?= *\d))"
)


class Entry(NamedTuple):
    """Where one object is.

    Attributes:
        kind: 0 for a free one, 1 for one at an offset, 2 for one in an object stream.
        where: Offset, or number of the stream.
        which: Generation, or index in the stream.
    """

    kind: int
    where: int
    which: int


@dataclass(slots=True)
class Section:
    """One cross-reference section.

    Attributes:
        at: Where it starts in the file, counted from the header.
        trailer: Its trailer.
        stream: It is a stream.
        hybrid: The stream that a table has besides.
        runs: First number, how many, and their entries as they stand in the file.
        widths: Of the fields of an entry in a stream.
        listed: Entries that are not in runs.
        streams: Of a scan: object streams, which are still to be looked into.
        headless: Of a scan: there is no trailer, so that the file most likely ends too early.
    """

    at: int
    trailer: Dict
    stream: bool
    hybrid: Section | None = None
    runs: list[tuple[int, int, bytes]] = field(default_factory=list)
    widths: tuple[int, int, int] = (1, 0, 0)
    listed: dict[int, Entry] = field(default_factory=dict)
    streams: list[int] = field(default_factory=list)
    headless: bool = False

    def entry(self, num: int) -> Entry | None:
        """What it says of an object; `None` for nothing."""
        found = self.listed.get(num)
        if found is not None:
            return found
        for first, count, data in self.runs:
            if first <= num < first + count:
                return self._entry(data, num - first)
        return None

    def numbers(self) -> list[int]:
        """Every object it says something of, those of its stream too."""
        found = set(self.listed)
        for first, count, _ in self.runs:
            found.update(range(first, first + count))
        if self.hybrid is not None:
            found.update(self.hybrid.numbers())
        return sorted(found)

    @property
    def highest(self) -> int:
        """The highest number it speaks of."""
        runs = [first + count - 1 for first, count, _ in self.runs]
        own = max([*runs, *self.listed], default=0)
        return max(own, self.hybrid.highest) if self.hybrid else own

    def _entry(self, data: bytes, index: int) -> Entry | None:
        if not self.stream:
            line = data[20 * index : 20 * index + 20]
            kind = 1 if line[17:18] == b"n" else 0
            return Entry(kind, int(line[:10]), int(line[11:16]))
        one, two, three = self.widths
        at = index * sum(self.widths)
        kind = int.from_bytes(data[at : at + one], "big") if one else 1
        where = int.from_bytes(data[at + one : at + one + two], "big")
        which = int.from_bytes(data[at + one + two : at + one + two + three], "big")
        return Entry(kind, where, which) if kind in {0, 1, 2} else None


class Broken(ValueError):
    """The sections do not hold; the objects must be searched for."""


def sections(reader: Reader, start: int) -> list[Section]:
    """The chain of sections from `start` on, newest first.

    Raises:
        Broken: It does not hold together.
    """
    found: list[Section] = []
    seen: set[int] = set()
    total = 0
    at: Value = start
    while isinstance(at, int) and not isinstance(at, bool):
        if at in seen or len(found) >= MAX_SECTIONS:
            raise Broken
        seen.add(at)
        section, size = _section(reader, at)
        total += size
        if total > _MAX_TABLE:
            raise MediaProblem("over-limit", what_word="bytes", found=total, limit=_MAX_TABLE)
        found.append(section)
        beside = section.trailer.get("XRefStm")
        if not section.stream and isinstance(beside, int):
            try:
                section.hybrid, _ = _section(reader, beside)
            except Broken:  # what only newer programs would look at
                section.hybrid = None
        at = section.trailer.get("Prev")
    if not found or not isinstance(found[0].trailer.get("Root"), Ref):
        raise Broken
    return found


def _section(reader: Reader, at: int) -> tuple[Section, int]:
    if not 0 <= at < reader.size:
        raise Broken
    head = reader.piece(at, 64).lstrip(b"\x00\t\n\x0c\r ")
    try:
        if head.startswith(b"xref"):
            return _table(reader, at)
        return _stream(reader, at)
    except (Malformed, ValueError, OverflowError) as error:
        raise Broken from error


def _table(reader: Reader, at: int) -> tuple[Section, int]:
    """A table; its entries are of twenty bytes each, or else they are read one by one."""
    start = reader.find(b"xref", at, 64) + 4
    section = Section(at, {}, stream=False)
    pos, size = start, 0
    while True:
        head = reader.piece(pos, 96)
        found = _SUBSECTION.match(head)
        if found is None:
            break
        first, count = int(found[1]), int(found[2])
        if first + count > MAX_OBJECTS + 1 or 20 * count > _MAX_TABLE:
            raise Broken
        pos += found.end()
        data = reader.piece(pos, 20 * count)
        size += len(data)
        if _regular(data, count):
            section.runs.append((first, count, data))
            pos += 20 * count
        else:
            pos += _irregular(section, reader.piece(pos, 24 * count + 64), first, count)
    parser = Parser(reader.piece(pos, 1 << 16))
    word = parser.data.find(b"trailer")
    if not 0 <= word <= 64:
        raise Broken
    parser.at = word + 7
    trailer = parser.value()
    if not isinstance(trailer, dict):
        raise Broken
    section.trailer = trailer
    _shift(section)
    return section, size


def _regular(data: bytes, count: int) -> bool:
    """Whether these are entries of the form the standard asks for."""
    if len(data) != 20 * count:
        return False
    for at in range(0, len(data), 20):
        line = data[at : at + 20]
        if not (line[:10].isdigit() and line[11:16].isdigit() and line[17] in b"nf"):
            return False
        if line[18] not in b" \r\n" or line[19] not in b" \r\n":
            return False
    return True


def _irregular(section: Section, data: bytes, first: int, count: int) -> int:
    pos = 0
    for num in range(first, first + count):
        found = _ENTRY.match(data, pos)
        if found is None:
            break
        pos = found.end()
        kind = 1 if found[3] == b"n" else 0
        section.listed[num] = Entry(kind, int(found[1]), int(found[2]))
    return pos


def _shift(section: Section) -> None:
    """Some writers number the first table from 1, though its first entry is the free one of object 0."""
    if section.runs and not section.trailer.get("Prev"):
        first, count, data = section.runs[0]
        if first == 1 and data[:10] == b"0000000000" and data[11:18] == b"65535 f":
            section.runs[0] = (0, count, data)


def _stream(reader: Reader, at: int) -> tuple[Section, int]:
    _, value = reader.object_at(at)
    if not isinstance(value, Extent) or value.dict.get("Type") != "XRef":
        raise Broken
    length = value.length
    trailer = value.dict
    data = decoded(reader.raw(value.start, length), reader.filters(trailer), _MAX_TABLE)
    widths = trailer.get("W")
    if not isinstance(widths, list) or len(widths) < 3:
        raise Broken
    one, two, three = (w if isinstance(w, int) and 0 <= w <= 8 else -1 for w in widths[:3])
    if min(one, two, three) < 0 or one + two + three == 0:
        raise Broken
    size = trailer.get("Size")
    index = trailer.get("Index") or [0, size]
    section = Section(at, trailer, stream=True, widths=(one, two, three))
    if not isinstance(index, list):
        raise Broken
    pos, width = 0, one + two + three
    for first, count in zip(index[::2], index[1::2], strict=False):
        if not isinstance(first, int) or not isinstance(count, int) or first < 0 or count < 0:
            raise Broken
        there = min(count, (len(data) - pos) // width)
        section.runs.append((first, there, data[pos : pos + there * width]))
        pos += there * width
    return section, len(data)
