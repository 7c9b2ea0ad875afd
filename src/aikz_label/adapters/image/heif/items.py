"""The items of a HEIF file and what is said of them (ISO/IEC 14496-12, 8.11, and 23008-12): read.

Every offset is checked against the file before anything is read from it, every list against a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, Fields, cut, pack, packed, too_many, walk
from aikz_label.limits import Limits
from aikz_label.values import dataclass, replace

XMP_TYPE = b"application/rdf+xml"
Extents = tuple[tuple[int, int], ...]
_MAX_CHAIN = 4  # items whose data are parts of other items' data


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
    """An item: what `infe` says, where its data lies, its properties; the data is copied only when asked for.

    Attributes:
        number: Its identifier in the file.
        kind: Four characters, such as `av01`, `Exif` or `mime`.
        hidden: It is not meant to be shown by itself.
        content_type: Media type of a `mime` item.
        tail: What `infe` says after the kind: names and media type.
        extents: Start and stop of each piece in `whole`.
        whole: The bytes that `extents` count in.
        properties: In the order of their association, which is the order of the transformations.
    """

    number: int
    kind: bytes
    hidden: bool = False
    content_type: bytes = b""
    tail: bytes = b"\0"
    extents: Extents = ()
    whole: bytes = b""
    properties: tuple[Property, ...] = ()

    @property
    def data(self) -> bytes:
        """The item's bytes, put together."""
        return b"".join(self.whole[start:stop] for start, stop in self.extents)

    def holding(self, data: bytes) -> Item:
        """The same item with other bytes."""
        return replace(self, whole=data, extents=((0, len(data)),))

    def first(self, kind: bytes) -> bytes:
        """Payload of the first property of a kind, empty without one."""
        return next((found.body for found in self.properties if found.kind == kind), b"")

    def described(self, box: bytes, *, essential: bool = True) -> Item:
        """The same item with this property in the place of the first of its kind, or before all others."""
        new, kind = Property(box, essential), box[4:8]
        at = next((i for i, p in enumerate(self.properties) if p.kind == kind), None)
        if at is None:
            return replace(self, properties=(new, *self.properties))
        new = replace(new, essential=self.properties[at].essential)
        return replace(self, properties=(*self.properties[:at], new, *self.properties[at + 1 :]))

    def without(self, *kinds: bytes) -> Item:
        """The same item without the properties of some kinds."""
        kept = tuple(found for found in self.properties if found.kind not in kinds)
        return replace(self, properties=kept)


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
        handler: The whole `hdlr` box.
        primary: Number of the item that is the picture; 0 when none is named.
        items: In the order of the file, by number.
        references: In the order of the file.
        others: Every other box in it, whole, such as `grpl`.
        outside: An item lies in another file, or cannot be read.
        locked: An item is encrypted.
    """

    handler: bytes = b""
    primary: int = 0
    items: tuple[Item, ...] = ()
    references: tuple[Reference, ...] = ()
    others: tuple[bytes, ...] = ()
    outside: bool = False
    locked: bool = False

    def item(self, number: int) -> Item | None:
        """An item by its number."""
        return next((item for item in self.items if item.number == number), None)

    def targets(self, source: int, kind: bytes) -> tuple[int, ...]:
        """What an item speaks of in one way."""
        return tuple(
            target
            for reference in self.references
            if reference.kind == kind and reference.source == source
            for target in reference.targets
        )

    def sources(self, target: int, kind: bytes) -> tuple[int, ...]:
        """The items that speak of this one in one way."""
        return tuple(
            reference.source
            for reference in self.references
            if reference.kind == kind and target in reference.targets
        )


_WRITTEN = {b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat", b"free", b"skip"}


def read_meta(data: bytes, box: Box, limits: Limits) -> Meta:
    """Take `meta` apart.

    Raises:
        MediaProblem: It is damaged, points outside the file, or is over a limit.
    """
    children = walk(data, box.body + 4, box.stop, limits)
    by_kind = {child.kind: child for child in reversed(children)}  # the first of each counts
    references = tuple(_references(data, by_kind.get(b"iref"), limits))
    places, outside = _locations(data, by_kind, references, limits)
    properties = _properties(data, by_kind.get(b"iprp"), limits)
    items, locked = {}, False
    for item, protected in _entries(data, by_kind.get(b"iinf"), limits):
        locked = locked or protected
        number = item.number
        items[number] = replace(
            item, whole=data, extents=places.get(number, ()), properties=properties.get(number, ())
        )
    handler, primary = by_kind.get(b"hdlr"), by_kind.get(b"pitm")
    return Meta(
        packed(data, handler) if handler else b"",
        _primary(Fields(data[primary.body : primary.stop])) if primary else 0,
        tuple(items.values()),
        tuple(r for r in references if r.kind != b"iloc"),  # data that was put together needs none
        tuple(packed(data, child) for child in children if child.kind not in _WRITTEN),
        outside,
        locked,
    )


def _primary(fields: Fields) -> int:
    version, _ = fields.version()
    return fields.number(4 if version else 2)


def _entries(data: bytes, box: Box | None, limits: Limits) -> Iterator[tuple[Item, bool]]:
    """The items of `iinf`, and whether each is protected; entries without a type are not for HEIF."""
    if box is None:
        return
    start = box.body + (8 if data[box.body : box.body + 1] != b"\0" else 6)
    for child in walk(data, start, box.stop, limits):
        fields = Fields(data[child.body : child.stop])
        version, flags = fields.version()
        if child.kind != b"infe" or version < 2:
            continue
        number, protection = fields.number(4 if version > 2 else 2), fields.number(2)
        kind, tail = fields.take(4), fields.rest
        fields.text()
        content_type = fields.text() if kind == b"mime" else b""
        if kind == b"mime" and fields.text():  # compressed
            content_type = b""
        yield Item(number, kind, bool(flags & 1), content_type, tail), protection != 0


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of `iloc`: how its offsets count, and the pieces, of length 0 when they reach to the end."""

    method: int
    outside: bool
    pieces: tuple[tuple[int, int, int], ...]


def _locations(
    data: bytes, by_kind: dict[bytes, Box], references: tuple[Reference, ...], limits: Limits
) -> tuple[dict[int, Extents], bool]:
    """Where the data of each item lies in this file, and whether some lies elsewhere."""
    box, idat = by_kind.get(b"iloc"), by_kind.get(b"idat")
    rows = _rows(Fields(data[box.body : box.stop]), limits) if box else {}
    bases = {r.source: r.targets for r in references if r.kind == b"iloc"}
    found: dict[int, Extents] = {}
    elsewhere = False

    def resolve(number: int, depth: int) -> Extents | None:
        if number in found:
            return found[number]
        row = rows.get(number)
        if row is None or row.outside or depth > _MAX_CHAIN or row.method > 2:
            return None
        if row.method == 2:
            return _within(row, bases.get(number, ()), lambda n: resolve(n, depth + 1))
        if row.method == 1 and idat is None:
            return None
        low, high = (idat.body, idat.stop) if row.method == 1 and idat else (0, len(data))
        return _cut_from(row, ((low, high),))

    for number in rows:
        extents = resolve(number, 0)
        elsewhere = elsewhere or extents is None
        found[number] = extents or ()
        if sum(stop - start for start, stop in found[number]) > len(data):
            raise cut()
    return found, elsewhere


def _within(
    row: _Place, bases: tuple[int, ...], resolve: Callable[[int], Extents | None]
) -> Extents | None:
    """Pieces of other items' data: `index` counts the references from 1."""
    found: list[tuple[int, int]] = []
    for index, offset, length in row.pieces:
        number = bases[max(index, 1) - 1] if max(index, 1) <= len(bases) else -1
        base = resolve(number)
        if base is None:
            return None
        found += _cut_from(_Place(2, outside=False, pieces=((0, offset, length),)), base)
    return tuple(found)


def _cut_from(row: _Place, base: Extents) -> Extents:
    """The pieces of a row in a run of bytes that may itself be in pieces."""
    total = sum(stop - start for start, stop in base)
    found = []
    for _, offset, length in row.pieces:
        left = length or total - offset
        if offset > total or offset + left > total:
            raise cut()
        for start, stop in base:
            if offset >= stop - start:
                offset -= stop - start  # noqa: PLW2901  # walks on
                continue
            taken = min(left, stop - start - offset)
            found.append((start + offset, start + offset + taken))
            left, offset = left - taken, 0  # noqa: PLW2901
            if not left:
                break
    return tuple(found)


def _rows(fields: Fields, limits: Limits) -> dict[int, _Place]:
    version, _ = fields.version()
    sizes = fields.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in {1, 2} else 0
    wide = 4 if version > 1 else 2
    count, extents = fields.number(wide), 0
    if count > limits.max_parts:
        raise too_many(count, limits)
    found = {}
    for _ in range(count):
        number = fields.number(wide)
        method = fields.number(2) & 15 if version in {1, 2} else 0
        outside = fields.number(2) != 0
        base, pieces = fields.number(base_size), []
        for _ in range(fields.number(2)):
            extents += 1
            if extents > limits.max_parts:
                raise too_many(extents, limits)
            index = fields.number(index_size)
            pieces.append((index, base + fields.number(offset_size), fields.number(length_size)))
        found[number] = _Place(method, outside, tuple(pieces))
    return found


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
    seen: set[tuple[int, int]] = set()
    for child in children:
        if child.kind != b"ipma":
            continue
        fields = Fields(data[child.body : child.stop])
        version, flags = fields.version()
        if (version, flags) in seen:  # must not be (ISO/IEC 23008-12, 9.3.1): browsers show nothing
            raise MediaProblem("damaged", detail_word="no-header")
        seen.add((version, flags))
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
