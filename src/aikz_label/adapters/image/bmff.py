"""ISO-BMFF: boxes, and the items of a HEIF picture (ISO/IEC 14496-12 and 23008-12), read and written.

Every number in such a file may be a lie, so all go through `Fields`, which stops at the end of its box, and every offset
is checked against the file before anything is read from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from aikz_label.adapters import MediaProblem
from aikz_label.limits import Limits

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_TYPE = b"application/rdf+xml"
_MAX_NUMBER = (
    0xFFFF  # of an item; larger ones need other versions of five boxes, and nobody has that many
)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies: header from `start`, payload from `body` to `stop`."""

    kind: bytes
    start: int
    body: int
    stop: int


@dataclass(frozen=True, slots=True)
class Property:
    """An item property as the whole box, and whether readers must understand it."""

    box: bytes
    essential: bool

    @property
    def kind(self) -> bytes:
        """Its four characters."""
        return self.box[4:8]

    @property
    def body(self) -> bytes:
        """Its payload."""
        return self.box[8:]


@dataclass(frozen=True, slots=True)
class Item:
    """An item: its `infe` box, where its data lies, its properties; the data is copied only when asked for.

    Attributes:
        number: Its identifier in the file.
        kind: Four characters, such as `av01`, `Exif` or `mime`.
        content_type: Media type of a `mime` item.
        entry: The whole `infe` box.
        extents: Start and stop of each piece in `whole`.
        whole: The bytes that `extents` count in.
        properties: In the order of their association, which is the order of the transformations.
    """

    number: int
    kind: bytes
    content_type: bytes
    entry: bytes
    extents: tuple[tuple[int, int], ...]
    whole: bytes
    properties: tuple[Property, ...] = ()

    @property
    def data(self) -> bytes:
        """The item's bytes, put together."""
        return b"".join(self.whole[start:stop] for start, stop in self.extents)

    def holding(self, data: bytes) -> Item:
        """The same item with other bytes."""
        return replace(self, whole=data, extents=((0, len(data)),))

    def numbered(self, number: int) -> Item:
        """The same item under another identifier."""
        entry = self.entry[:12] + number.to_bytes(2, "big") + self.entry[14:]
        return replace(self, number=number, entry=entry)

    def first(self, kind: bytes) -> bytes:
        """Payload of the first property of a kind, empty without one."""
        return next((found.body for found in self.properties if found.kind == kind), b"")


@dataclass(frozen=True, slots=True)
class Reference:
    """One item speaks of others: `auxl`, `cdsc`, `thmb`, `dimg`, ..."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """The box `meta` taken apart.

    Attributes:
        children: Every box in it.
        handler: The whole `hdlr` box.
        primary: Number of the item that is the picture; 0 when none is named.
        items: In the order of the file.
        references: In the order of the file.
        protected: An item is encrypted, or lies in another file.
    """

    children: tuple[Box, ...] = ()
    handler: bytes = b""
    primary: int = 0
    items: tuple[Item, ...] = ()
    references: tuple[Reference, ...] = ()
    protected: bool = False


class Fields:
    """Big-endian fields one after another; past the end the file is damaged."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise cut()
        self._at += count
        return found

    def number(self, size: int) -> int:
        """The next unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def version(self) -> tuple[int, int]:
        """Version and flags of a full box."""
        return self.number(1), self.number(3)

    def text(self) -> bytes:
        """The next text, which a zero byte or the end of the box closes."""
        stop = self._data.find(b"\0", self._at)
        found = self._data[self._at : stop if stop >= 0 else len(self._data)]
        self._at += len(found) + (stop >= 0)
        return found

    @property
    def rest(self) -> bytes:
        """All that was not taken yet."""
        return self._data[self._at :]


def cut() -> MediaProblem:
    """The structure breaks off."""
    return MediaProblem("damaged", detail_word="cut")


def too_many(found: int, limits: Limits) -> MediaProblem:
    """More parts than the limit."""
    return MediaProblem("over-limit", what_word="parts", found=found, limit=limits.max_parts)


def walk(data: bytes, start: int, stop: int, limits: Limits) -> tuple[Box, ...]:
    """The boxes between two offsets, which they must fill exactly.

    Raises:
        MediaProblem: They do not, or there are too many.
    """
    found: list[Box] = []
    while start < stop:
        head = Fields(data[start : min(stop, start + 16)])
        size, kind, body = head.number(4), head.take(4), start + 8
        if size == 1:
            size, body = head.number(8), start + 16
        elif size == 0:  # to the end
            size = stop - start
        if size < body - start or start + size > stop:
            raise cut()
        found.append(Box(kind, start, body, start + size))
        if len(found) > limits.max_parts:
            raise too_many(len(found), limits)
        start += size
    return tuple(found)


def pack(kind: bytes, *payload: bytes) -> bytes:
    """A box."""
    size = 8 + sum(map(len, payload))
    return size.to_bytes(4, "big") + kind + b"".join(payload)


def is_marker(data: bytes, box: Box) -> bool:
    """Whether a top-level box holds a C2PA marker."""
    return box.kind == b"uuid" and data[box.body : min(box.stop, box.body + 16)] == C2PA


# --- reading --------------------------------------------------------------------------------------------------------


def read_meta(data: bytes, box: Box, limits: Limits) -> Meta:
    """Take `meta` apart.

    Raises:
        MediaProblem: It is damaged, points outside the file, or is over a limit.
    """
    children = walk(data, box.body + 4, box.stop, limits)
    by_kind = {child.kind: child for child in reversed(children)}  # the first of each counts

    def payload(kind: bytes) -> Fields | None:
        child = by_kind.get(kind)
        return Fields(data[child.body : child.stop]) if child else None

    handler = by_kind.get(b"hdlr")
    idat = by_kind.get(b"idat")
    places, elsewhere = _locations(payload(b"iloc"), idat, len(data), limits)
    properties = _properties(data, by_kind.get(b"iprp"), limits)
    items, locked = [], False
    for entry in _entries(data, by_kind.get(b"iinf"), limits):
        item, protected = entry
        locked = locked or protected
        items.append(
            replace(
                item,
                whole=data,
                extents=places.get(item.number, ()),
                properties=properties.get(item.number, ()),
            )
        )
    return Meta(
        children,
        data[handler.start : handler.stop] if handler else b"",
        _primary(payload(b"pitm")),
        tuple(items),
        tuple(_references(data, by_kind.get(b"iref"), limits)),
        locked or elsewhere,
    )


def _primary(fields: Fields | None) -> int:
    if fields is None:
        return 0
    version, _ = fields.version()
    return fields.number(4 if version else 2)


def _entries(data: bytes, box: Box | None, limits: Limits) -> Iterator[tuple[Item, bool]]:
    """The items of `iinf`, and whether each is protected; entries without a type are not for HEIF."""
    if box is None:
        return
    start = box.body + (8 if data[box.body : box.body + 1] != b"\0" else 6)
    for child in walk(data, start, box.stop, limits):
        fields = Fields(data[child.body : child.stop])
        version, _ = fields.version()
        if child.kind != b"infe" or version < 2:
            continue
        number, protection, kind = fields.number(4 if version > 2 else 2), fields.number(2), b""
        kind = fields.take(4)
        fields.text()
        content_type = fields.text() if kind == b"mime" else b""
        if kind == b"mime" and fields.text():  # compressed
            content_type = b""
        entry = data[child.start : child.stop]
        if child.body - child.start != 8:
            entry = pack(b"infe", data[child.body : child.stop])
        yield Item(number, kind, content_type, entry, (), b""), protection != 0


Places = dict[int, tuple[tuple[int, int], ...]]


def _locations(
    fields: Fields | None, idat: Box | None, size: int, limits: Limits
) -> tuple[Places, bool]:
    """Where the data of each item lies in this file, and whether some lies elsewhere."""
    found: Places = {}
    if fields is None:
        return found, False
    version, _ = fields.version()
    sizes = fields.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in {1, 2} else 0
    count, extents, elsewhere = fields.number(4 if version > 1 else 2), 0, False
    if count > limits.max_parts:
        raise too_many(count, limits)
    for _ in range(count):
        number = fields.number(4 if version > 1 else 2)
        method = fields.number(2) & 15 if version in {1, 2} else 0
        outside = fields.number(2) != 0
        base, pieces, total = fields.number(base_size), [], 0
        for _ in range(fields.number(2)):
            extents += 1
            if extents > limits.max_parts:
                raise too_many(extents, limits)
            fields.number(index_size)
            offset, length = base + fields.number(offset_size), fields.number(length_size)
            low, high = (idat.body, idat.stop) if method == 1 and idat else (0, size)
            start = low + offset
            stop = start + length if length else high
            total += stop - start
            if not outside and method < 2 and (start > high or stop > high or total > size):
                raise cut()
            pieces.append((start, stop))
        if outside or method > 1 or (method == 1 and idat is None):
            elsewhere, pieces = True, []
        found[number] = tuple(pieces)
    return found, elsewhere


def _references(data: bytes, box: Box | None, limits: Limits) -> Iterator[Reference]:
    if box is None:
        return
    wide = 4 if data[box.body : box.body + 1] != b"\0" else 2
    for child in walk(data, box.body + 4, box.stop, limits):
        fields = Fields(data[child.body : child.stop])
        source = fields.number(wide)
        targets = tuple(fields.number(wide) for _ in range(fields.number(2)))
        yield Reference(child.kind, source, targets)


def _properties(data: bytes, box: Box | None, limits: Limits) -> dict[int, tuple[Property, ...]]:
    """The properties of each item, in the order of their association."""
    found: dict[int, tuple[Property, ...]] = {}
    if box is None:
        return found
    children = walk(data, box.body, box.stop, limits)
    listed = [
        c
        for child in children
        if child.kind == b"ipco"
        for c in walk(data, child.body, child.stop, limits)
    ]
    boxes = [pack(c.kind, data[c.body : c.stop]) for c in listed]
    links = 0
    for child in children:
        if child.kind != b"ipma":
            continue
        fields = Fields(data[child.body : child.stop])
        version, flags = fields.version()
        wide = 2 if flags & 1 else 1
        for _ in range(fields.number(4)):
            number, linked = fields.number(4 if version else 2), []
            for _ in range(fields.number(1)):
                links += 1
                if links > limits.max_parts:
                    raise too_many(links, limits)
                word = fields.number(wide)
                index, essential = word & (1 << 8 * wide - 1) - 1, word >> 8 * wide - 1
                if index > len(boxes):
                    raise cut()
                if index:
                    linked.append(Property(boxes[index - 1], bool(essential)))
            found[number] = found.get(number, ()) + tuple(linked)
    return found


# --- writing --------------------------------------------------------------------------------------------------------


def metadata_entry(number: int, content_type: bytes) -> bytes:
    """The `infe` box of a new `mime` item."""
    head = b"\2\0\0\0" + number.to_bytes(2, "big") + b"\0\0mime\0"
    return pack(b"infe", head, content_type, b"\0")


def assemble(
    brands: bytes, handler: bytes, primary: int, items: list[Item], references: list[Reference]
) -> bytes:
    """A file with these items, each in one piece: `ftyp`, `meta`, `mdat`.

    Args:
        brands: The whole `ftyp` box.
        handler: The whole `hdlr` box.
        primary: Number of the picture.
        items: All items, numbers at most 65 535.
        references: All references, to and from these items.
    """
    contents = [item.data for item in items]
    entries = pack(b"iinf", bytes(4), len(items).to_bytes(2, "big"), *(i.entry for i in items))
    spoken = [
        pack(r.kind, *(n.to_bytes(2, "big") for n in (r.source, len(r.targets), *r.targets)))
        for r in references
    ]
    links = pack(b"iref", bytes(4), *spoken) if spoken else b""
    before = (handler, pack(b"pitm", bytes(4), primary.to_bytes(2, "big")))
    after = (entries, links, _pack_properties(items))
    table = 16 + 14 * len(items)  # of `iloc`, whose size is known before its offsets are
    at = len(brands) + 12 + sum(map(len, before + after)) + table + 8
    rows = []
    for item, content in zip(items, contents, strict=True):
        row = (item.number, 2), (0, 2), (1, 2), (at, 4), (len(content), 4)
        rows.append(b"".join(value.to_bytes(size, "big") for value, size in row))
        at += len(content)
    places = pack(b"iloc", bytes(4), b"\x44\0", len(items).to_bytes(2, "big"), *rows)
    meta = pack(b"meta", bytes(4), *before, places, *after)
    return brands + meta + pack(b"mdat", *contents)


def _pack_properties(items: list[Item]) -> bytes:
    """`iprp`: each different property once, then which item has which."""
    listed: dict[bytes, int] = {}
    for item in items:
        for found in item.properties:
            listed.setdefault(found.box, len(listed) + 1)
    wide = 2 if len(listed) > 127 else 1
    rows = []
    for item in items:
        if item.properties:
            words = [listed[p.box] | p.essential << 8 * wide - 1 for p in item.properties]
            row = item.number.to_bytes(2, "big") + len(words).to_bytes(1, "big")
            rows.append(row + b"".join(word.to_bytes(wide, "big") for word in words))
    head = (wide - 1).to_bytes(4, "big") + len(rows).to_bytes(4, "big")
    return pack(b"iprp", pack(b"ipco", *listed), pack(b"ipma", head, *rows))


def writable(items: list[Item]) -> bool:
    """Whether `assemble` can number these items."""
    return len(items) <= _MAX_NUMBER and all(0 < item.number <= _MAX_NUMBER for item in items)
