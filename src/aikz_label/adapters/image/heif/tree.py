"""How the pictures of a HEIF file are put together: which coded items lie under a part of a picture, and where.

A picture is coded, or derived from others: a grid of tiles, an overlay on a canvas, another one turned. Each item says
besides how it is cropped, turned and mirrored before it is shown or put to use (ISO/IEC 23008-12, 6.5 and 6.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.bmff import Fields
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.heif.items import Item, Meta, Property
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from PIL.Image import Image

DERIVED = {b"grid", b"iovl", b"iden", b"tmap"}
ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_DEEPEST = 6  # derivations of derivations
# How each EXIF orientation moves a point of the stored picture: rows of a matrix.
_MOVES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, -1, 1, 0),
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}
_NAMES: dict[tuple[float, ...], int] = {moves: orientation for orientation, moves in _MOVES.items()}
_QUARTERS = (1, 8, 3, 6)  # anti-clockwise
_MIRRORS = (4, 2)  # over a horizontal and a vertical axis


def both(first: int, second: int) -> int:
    """The orientation of a picture that is turned in one way and then in another."""
    a, b, c, d = _MOVES[second]
    e, f, g, h = _MOVES[first]
    return _NAMES[a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]


def orientation_by(moves: tuple[float, float, float, float]) -> int:
    """The orientation that moves points like this matrix; 0 when none does."""
    return _NAMES.get(moves, 0)


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of an item: first cropped, then turned.

    Attributes:
        crop: The part of the decoded picture.
        orientation: How that is turned, as EXIF numbers it.
    """

    crop: Box
    orientation: int = 1

    @classmethod
    def of(cls, item: Item) -> Self:
        """Follow the transformations in their order.

        Raises:
            MediaProblem: The item has no size.
        """
        view = cls((0, 0, *extent_of(item)))
        for found in item.properties:
            view = view.then(found)
        return view

    def then(self, found: Property) -> Self:
        """The view after one more property."""
        match found.kind:
            case b"irot" if found.body:
                turn = _QUARTERS[found.body[0] & 3]
            case b"imir" if found.body:
                turn = _MIRRORS[found.body[0] & 1]
            case b"clap":
                box = _clean_aperture(found.body, self.size)
                x, y, width, height = canvas.stored_box(box, self.size, self.orientation)
                left, top = self.crop[:2]
                return type(self)((left + x, top + y, width, height), self.orientation)
            case _:
                return self
        return type(self)(self.crop, both(self.orientation, turn))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as it is shown or used."""
        return canvas.displayed_size(self.crop[2:], self.orientation)

    def inward(self, box: Box) -> Box:
        """Where a box of what is shown lies in the decoded picture."""
        x, y, width, height = canvas.stored_box(box, self.size, self.orientation)
        return self.crop[0] + x, self.crop[1] + y, width, height


def extent_of(item: Item) -> tuple[int, int]:
    """Width and height of `ispe`.

    Raises:
        MediaProblem: There is none.
    """
    body = item.first(b"ispe")
    if len(body) < 12:
        raise MediaProblem("damaged", detail_word="no-size")
    size = int.from_bytes(body[4:8]), int.from_bytes(body[8:12])
    if not all(size):
        raise MediaProblem("damaged", detail_word="no-size")
    return size


def _clean_aperture(body: bytes, size: tuple[int, int]) -> Box:
    """The box of `clap`, rounded to whole pixels; the whole picture where it makes no sense, as viewers do."""
    whole = (0, 0, *size)
    if len(body) < 32:
        return whole
    numbers = [
        int.from_bytes(body[i : i + 4], signed=i >= 16 and not i & 4) for i in range(0, 32, 4)
    ]
    if not all(numbers[1::2]):
        return whole
    width, height, across, down = (numbers[i] / numbers[i + 1] for i in range(0, 8, 2))
    left, top = (size[0] - width) / 2 + across, (size[1] - height) / 2 + down
    box = int(left), int(top), round(width), round(height)
    fits = left >= 0 and top >= 0 and box[0] + box[2] <= size[0] and box[1] + box[3] <= size[1]
    return box if fits and box[2] > 0 and box[3] > 0 else whole


@dataclass(frozen=True, slots=True)
class Piece:
    """An item that another one is put together from, and where its view lies in it."""

    number: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A coded item that lies under a mask.

    Attributes:
        number: The item.
        box: Where, in its decoded picture.
        mask: What to draw there, of the box's size; `None` where the item holds opacity.
    """

    number: int
    box: Box
    mask: Image | None


class Tree:
    """The items of a file by what they are made of."""

    def __init__(self, meta: Meta, limits: Limits) -> None:
        self.items = {item.number: item for item in meta.items}
        self.meta = meta
        self.limits = limits

    def item(self, number: int) -> Item:
        """An item that must be there.

        Raises:
            MediaProblem: It is not.
        """
        found = self.items.get(number)
        if found is None:
            raise MediaProblem("damaged", detail_word="no-header")
        return found

    def alphas(self, number: int) -> tuple[int, ...]:
        """The items that hold the opacity of a picture."""
        return tuple(
            source
            for source in self.meta.sources(number, b"auxl")
            if source in self.items and is_alpha(self.items[source])
        )

    def pieces(self, item: Item) -> tuple[Piece, ...]:
        """What a derived picture is put together from, in the order in which it is drawn.

        Raises:
            MediaProblem: The derivation is damaged, or of more parts than the limit.
        """
        sources = self.meta.targets(item.number, b"dimg")
        if len(sources) > min(self.limits.max_parts, 0xFFFF):
            raise MediaProblem("over-limit", what_word="parts", found=len(sources), limit=0xFFFF)
        fields = Fields(item.data)
        match item.kind:
            case b"grid":
                return self._tiles(fields, sources)
            case b"iovl":
                return _overlaid(fields, sources)
            case _:
                return tuple(Piece(number, 0, 0) for number in sources[:1])

    def _tiles(self, fields: Fields, sources: tuple[int, ...]) -> tuple[Piece, ...]:
        fields.take(2)
        rows, columns = fields.number(1) + 1, fields.number(1) + 1
        if len(sources) < rows * columns:
            raise MediaProblem("damaged", detail_word="cut")
        width, height = View.of(self.item(sources[0])).size
        return tuple(
            Piece(number, width * (index % columns), height * (index // columns))
            for index, number in enumerate(sources[: rows * columns])
        )

    def spots(self, number: int, box: Box, mask: Image | None, depth: int = 0) -> Iterator[Spot]:
        """The coded items under a box of an item's decoded picture, and those that say how opaque it is there.

        Args:
            number: The item.
            box: In its decoded picture.
            mask: Of the box's size; `None` for what holds opacity.
            depth: How many derivations led here.

        Raises:
            MediaProblem: The derivation is damaged or too deep.
        """
        item = self.item(number)
        if depth > _DEEPEST:
            raise MediaProblem("damaged", detail_word="decoder")
        if mask is not None:
            for alpha in self.alphas(number):
                there = scaled(box, extent_of(item), extent_of(self.item(alpha)))
                yield from self.spots(alpha, there, None, depth + 1)
        if item.kind not in DERIVED:
            yield Spot(number, box, mask)
            return
        for piece, (x, y, width, height) in self.under(item, box):
            view = View.of(self.item(piece.number))
            part = None
            if mask is not None:
                left, top = x + piece.x - box[0], y + piece.y - box[1]
                part = mask.crop((left, top, left + width, top + height))
                part = canvas.stored_mask(part, view.orientation)
            yield from self.spots(piece.number, view.inward((x, y, width, height)), part, depth + 1)

    def under(self, item: Item, box: Box) -> Iterator[tuple[Piece, Box]]:
        """The parts of a derived picture that a box touches, and where it does so, counted in what is shown of the part."""
        for piece in self.pieces(item):
            size = View.of(self.item(piece.number)).size
            common = overlap(box, (piece.x, piece.y, *size))
            if common is not None:
                x, y, width, height = common
                yield piece, (x - piece.x, y - piece.y, width, height)

    def covers(self, number: int, box: Box, depth: int = 0) -> bool:
        """Whether coded items lie under every pixel of a box."""
        item = self.item(number)
        if item.kind not in DERIVED or depth > _DEEPEST:
            return item.kind not in DERIVED
        seen = [0] * box[3]  # a bit for each pixel of a row
        for piece, (x, y, width, height) in self.under(item, box):
            view = View.of(self.item(piece.number))
            if self.covers(piece.number, view.inward((x, y, width, height)), depth + 1):
                left, top = x + piece.x - box[0], y + piece.y - box[1]
                row = (1 << width) - 1 << left
                seen[top : top + height] = [old | row for old in seen[top : top + height]]
        return all(row == (1 << box[2]) - 1 for row in seen)

    def leaves(self, number: int) -> tuple[int, ...]:
        """Every coded item that a picture is made of, its opacity included."""
        return tuple(one for one in self._made_of(number) if self.item(one).kind not in DERIVED)

    def derivations(self, number: int) -> tuple[int, ...]:
        """Every item that says how the picture is put together, itself included."""
        return tuple(one for one in self._made_of(number) if self.item(one).kind in DERIVED)

    def _made_of(self, number: int) -> tuple[int, ...]:
        found: dict[int, None] = {}
        self._gather(number, found, 0)
        return tuple(found)

    def _gather(self, number: int, found: dict[int, None], depth: int) -> None:
        item = self.item(number)
        if depth > _DEEPEST:
            raise MediaProblem("damaged", detail_word="decoder")
        for alpha in self.alphas(number):
            self._gather(alpha, found, depth + 1)
        found[number] = None
        if item.kind in DERIVED:
            for part in dict.fromkeys(piece.number for piece in self.pieces(item)):
                if part not in found:
                    self._gather(part, found, depth + 1)

    def pictures(self) -> tuple[int, ...]:
        """The items that are shown by themselves: the primary one first; no tiles, masks, gain maps or thumbnails."""
        aside = self.parts()
        aside.update(r.source for r in self.meta.references if r.kind in {b"thmb", b"auxl"})
        found = [self.meta.primary]
        found += [
            item.number
            for item in self.meta.items
            if item.number not in {*aside, self.meta.primary}
            and not item.hidden
            and item.kind != b"tmap"
            and item.first(b"ispe")
        ]
        return tuple(found)

    def parts(self) -> set[int]:
        """The items that make sense only within another picture: tiles, and the maps of how bright it is."""
        found: set[int] = set()
        for reference in self.meta.references:
            item = self.items.get(reference.source)
            if reference.kind == b"dimg" and item is not None:
                first = {b"grid": 0, b"tmap": 1}.get(item.kind, len(reference.targets))
                found.update(reference.targets[first:])
        return found - {self.meta.primary}


def is_alpha(item: Item) -> bool:
    """Whether an auxiliary picture holds opacity."""
    return item.first(b"auxC")[4:].split(b"\0")[0] in ALPHA


def overlap(first: Box, second: Box) -> Box | None:
    """What two boxes have in common."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right = min(first[0] + first[2], second[0] + second[2])
    bottom = min(first[1] + first[3], second[1] + second[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def scaled(box: Box, size: tuple[int, int], other: tuple[int, int]) -> Box:
    """A box of one picture in another of the same view and another size, grown to whole pixels."""
    if size == other:
        return box
    x, y, width, height = box
    left, top = x * other[0] // size[0], y * other[1] // size[1]
    right = min(other[0], -(-(x + width) * other[0] // size[0]))
    bottom = min(other[1], -(-(y + height) * other[1] // size[1]))
    return left, top, max(right - left, 1), max(bottom - top, 1)


def _overlaid(fields: Fields, sources: tuple[int, ...]) -> tuple[Piece, ...]:
    """The offsets of `iovl`, after the colour of its canvas."""
    _, flags = fields.number(1), fields.number(1)
    wide = 4 if flags & 1 else 2
    fields.take(8 + 2 * wide)
    return tuple(Piece(number, fields.signed(wide), fields.signed(wide)) for number in sources)
