"""Pictures that are stored as plain samples in HEIF (ISO/IEC 23001-17), in the layouts that are whole bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Fields, pack
from aikz_label.adapters.image.heif.planes import Array, Coding, Planes
from aikz_label.adapters.image.heif.tree import extent_of
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.image.heif.items import Item

# Kinds of components, in the order in which planes are held here: green, blue and red, or luma and chroma, or grey.
_COLOURS = {(5, 6, 4): 0, (1, 2, 3): 6, (0,): 2, (1,): 2}
_MOST_COMPONENTS = 8
# How the samples of all tiles follow each other: rows and columns of tiles, n components, height and width in a tile.
_ORDERS = {0: "rcnhw", 1: "rchwn", 3: "rchnw", 4: "nrchw"}
_WANTED = "nrhcw"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the samples are.

    Attributes:
        kinds: Of the components, in the order of the file.
        depth: Bits of a sample.
        sample: How numpy reads one.
        order: A value of `_ORDERS`.
        tiles: Across and down.
    """

    kinds: tuple[int, ...]
    depth: int
    sample: str
    order: str
    tiles: tuple[int, int]

    @classmethod
    def of(cls, item: Item) -> Self | None:
        """Of an item; `None` for layouts that are not handled here, and for samples that are compressed after all."""
        if item.first(b"cmpC"):
            return None
        try:
            return cls._read(Fields(item.first(b"uncC")), _listed(item))
        except MediaProblem:
            return None

    @classmethod
    def _read(cls, fields: Fields, listed: tuple[int, ...]) -> Self | None:
        version, _, profile = fields.number(1), fields.take(3), fields.take(4)
        if version == 1:
            return cls((4, 5, 6), 8, "u1", _ORDERS[1], (1, 1)) if profile == b"rgb3" else None
        count = fields.number(4)
        if version or not 0 < count <= _MOST_COMPONENTS:
            return None
        rows = [[fields.number(size) for size in (2, 1, 1, 1)] for _ in range(count)]
        sampling, interleave, block, flags = (fields.number(1) for _ in range(4))
        padded = [fields.number(4) for _ in range(3)]
        tiles = fields.number(4) + 1, fields.number(4) + 1
        depths = {(depth + 1, kind, align) for _, depth, kind, align in rows}
        plain = not (sampling or block or any(padded) or flags & 0x7F) and interleave in _ORDERS
        kinds = tuple(listed[index] for index, *_ in rows if index < len(listed))
        if not plain or len(depths) != 1 or _ordered(kinds) is None or len(kinds) < count:
            return None
        depth, kind, align = depths.pop()
        wide = 1 if depth == 8 and align <= 1 else 2 if 8 < depth <= 16 and align == 2 else 0
        if depth == 16 and not align:
            wide = 2
        if kind or not wide:
            return None
        sample = "u1" if wide == 1 else "<u2" if flags & 0x80 else ">u2"
        return cls(kinds, depth, sample, _ORDERS[interleave], tiles)

    def planes(self, data: bytes, size: tuple[int, int]) -> Planes:
        """The picture.

        Raises:
            MediaProblem: The samples are not as many as the size asks for.
        """
        if len(data) % np.dtype(self.sample).itemsize:
            raise MediaProblem("damaged", detail_word="decoder")
        whole = self._arranged(np.frombuffer(data, self.sample), size)
        native = np.uint8 if self.sample == "u1" else np.uint16
        held = whole.reshape(len(self.kinds), size[1], size[0]).astype(native)
        order = _ordered(self.kinds)
        assert order is not None
        planes = tuple(np.ascontiguousarray(held[self.kinds.index(kind)]) for kind in order)
        matrix = _COLOURS[order]
        shifts = (0, 0) if len(order) > 1 else None
        return Planes(planes, Coding(self.depth, shifts, primaries=1, transfer=13, matrix=matrix))

    def bytes(self, planes: Planes) -> bytes:
        """The same backwards."""
        order = _ordered(self.kinds)
        assert order is not None
        held = np.stack([planes.planes[order.index(kind)] for kind in self.kinds])
        flat = np.empty(held.size, self.sample)
        self._arranged(flat, planes.size)[...] = held.reshape(self._shape(planes.size, _WANTED))
        return flat.tobytes()

    def _shape(self, size: tuple[int, int], order: str) -> tuple[int, ...]:
        across, down = self.tiles
        sides = {
            "r": down,
            "c": across,
            "n": len(self.kinds),
            "h": size[1] // down,
            "w": size[0] // across,
        }
        return tuple(sides[letter] for letter in order)

    def _arranged(self, flat: Array, size: tuple[int, int]) -> Array:
        """The samples as components, rows of tiles, rows, columns of tiles and columns."""
        shape = self._shape(size, self.order)
        if size[0] % self.tiles[0] or size[1] % self.tiles[1] or flat.size != np.prod(shape):
            raise MediaProblem("damaged", detail_word="decoder")
        return flat.reshape(shape).transpose([self.order.index(letter) for letter in _WANTED])


def in_one_tile(item: Item) -> Item:
    """The same layout without tiles, which fits any size."""
    box = item.first(b"uncC")
    if not box or box[0]:  # the layouts with a number for a name have no tiles
        return item
    return item.described(pack(b"uncC", box[:-8], bytes(8)))


def _listed(item: Item) -> tuple[int, ...]:
    """The kinds of components that `cmpd` lists."""
    fields = Fields(item.first(b"cmpd"))
    if not item.first(b"cmpd"):
        return ()
    kinds = []
    for _ in range(min(fields.number(4), _MOST_COMPONENTS)):
        kinds.append(fields.number(2))
        if kinds[-1] >= 0x8000:
            return ()  # of somebody's own, with a name
    return tuple(kinds)


def _ordered(kinds: tuple[int, ...]) -> tuple[int, ...] | None:
    """The components in the order of planes, whatever their order in the file."""
    return next((order for order in _COLOURS if sorted(order) == sorted(kinds)), None)


class Uncompressed:
    """A coder, see `coders.Coder`: nothing is lost."""

    def decode(self, item: Item, most_pixels: int) -> Planes:
        """See `Coder.decode`."""
        size, layout = extent_of(item), Layout.of(item)
        if layout is None or size[0] * size[1] > most_pixels:
            raise MediaProblem("damaged", detail_word="decoder")
        return layout.planes(item.data, size)

    def encode(self, item: Item, planes: Planes, *, lossless: bool) -> Item:  # noqa: ARG002  # always
        """See `Coder.encode`."""
        layout = Layout.of(item)
        assert layout is not None
        return item.holding(layout.bytes(planes))
