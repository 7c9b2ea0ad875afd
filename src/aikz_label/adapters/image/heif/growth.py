"""Another size for a coded picture, so that a strip fits below it: its planes become larger, and its opacity with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters.image.bmff import pack
from aikz_label.adapters.image.heif import uncompressed
from aikz_label.adapters.image.heif.coders import CODERS
from aikz_label.adapters.image.heif.items import Property
from aikz_label.adapters.image.heif.planes import Array, Planes
from aikz_label.adapters.image.heif.tree import Tree, View, is_alpha
from aikz_label.adapters.image.refusals import cannot_grow
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.heif.items import Item, Meta

_EVEN, _LEAST = (
    {b"hvc1", b"hev1"},
    16,
)  # an encoder that takes even sides only, and none shorter, px


@dataclass(frozen=True, slots=True)
class Grown:
    """Items of another size.

    Attributes:
        meta: All items; thumbnails no longer belong to the picture.
        planes: Of those that have another size.
        thumbnails: What showed the picture as it was.
    """

    meta: Meta
    planes: dict[int, Planes]
    thumbnails: frozenset[int]


def grown(tree: Tree, number: int, edges: Box, planes_of: Callable[[int], Planes]) -> Grown:
    """A picture cut out of a larger plane.

    Args:
        tree: The items.
        number: The picture.
        edges: Left, top, right and bottom in what is shown of it before it is turned; they may lie outside.
        planes_of: Decodes an item.

    Raises:
        Refused: The picture is put together from others, or others are laid over it.
    """
    meta, alphas = tree.meta, tree.alphas(number)
    chosen = [tree.item(one) for one in (number, *alphas)]
    beside = set(meta.sources(number, b"auxl")) - set(alphas)
    if beside or meta.sources(number, b"dimg") or not all(map(_alone, chosen)):
        raise cannot_grow("it is put together from others, or others are laid over it")
    views = {View.of(one) for one in chosen}
    if len(views) > 1:
        raise cannot_grow("its opacity is cut or turned otherwise than itself")
    x, y = views.pop().crop[:2]
    inner = (edges[0] + x, edges[1] + y, edges[2] + x, edges[3] + y)
    stored = _stored(inner, chosen)
    size = stored[2] - stored[0], stored[3] - stored[1]
    shown = edges[2] - edges[0], edges[3] - edges[1]
    new = {one.number: _sized(one, size, shown) for one in chosen}
    thumbnails = frozenset(meta.sources(number, b"thmb"))
    fresh = replace(
        meta,
        items=tuple(new.get(item.number, item) for item in meta.items),
        references=tuple(
            r for r in meta.references if r.kind != b"thmb" or r.source not in thumbnails
        ),
    )
    planes = {one.number: _cut(planes_of(one.number), stored, one) for one in chosen}
    return Grown(fresh, planes, thumbnails)


def _stored(edges: Box, items: list[Item]) -> Box:
    """The edges of what is coded, which may have to be larger to the right and below than what is shown."""
    left, top, right, bottom = edges
    if not {item.kind for item in items} & _EVEN:
        return edges
    wide, high = (max(_LEAST, side + side % 2) for side in (right - left, bottom - top))
    return left, top, left + wide, top + high


def _sized(item: Item, size: tuple[int, int], shown: tuple[int, int]) -> Item:
    """The item with another size, of which the upper left part is shown, before it is turned."""
    extent = pack(b"ispe", bytes(4), *(side.to_bytes(4) for side in size))
    found = item.without(b"clap").described(extent, essential=False)
    if item.kind == b"unci":
        found = uncompressed.in_one_tile(found)
    if size == shown:
        return found
    numbers = (shown[0], 1, shown[1], 1, shown[0] - size[0], 2, shown[1] - size[1], 2)
    clean = Property(pack(b"clap", *(n.to_bytes(4, signed=n < 0) for n in numbers)), essential=True)
    kept = found.properties
    at = next((i for i, p in enumerate(kept) if p.kind in {b"irot", b"imir"}), len(kept))
    return replace(found, properties=(*kept[:at], clean, *kept[at:]))


def _alone(item: Item) -> bool:
    """Whether an item is coded by itself, in a way that takes any size."""
    return item.kind in CODERS and item.kind != b"jpeg"


def _cut(planes: Planes, edges: Box, item: Item) -> Planes:
    across, down = planes.coding.shifts or (0, 0)
    if edges[0] % (1 << across) or edges[1] % (
        1 << down
    ):  # samples of colour would have to be moved by a half
        raise cannot_grow(
            "its colours are stored at half its size, and would have to move by half a sample"
        )
    luma, *chroma = planes.planes
    small = (edges[0] >> across, edges[1] >> down, -(-edges[2] >> across), -(-edges[3] >> down))
    neutral = planes.coding.most if is_alpha(item) else planes.coding.black
    found = [_plane(luma, edges, neutral)]
    found += [_plane(one, small, planes.coding.most // 2 + 1) for one in chroma]
    return Planes(tuple(found), planes.coding)


def _plane(plane: Array, edges: Box, ground: int) -> Array:
    """A piece of a plane, the ground where there is nothing of it."""
    left, top, right, bottom = edges
    out = np.full((bottom - top, right - left), ground, plane.dtype)
    x, y = max(0, left), max(0, top)
    # what is stored but not shown is no harm: a strip lies over it
    part = plane[y : max(y, bottom), x : max(x, right)]
    out[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
    return out
