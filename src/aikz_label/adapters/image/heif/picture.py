"""A picture of a HEIF file: painted in the numbers of its codec, and put together only where somebody looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.bmff import Fields
from aikz_label.adapters.image.heif import growth, layers
from aikz_label.adapters.image.heif.coders import CODERS, one_configuration
from aikz_label.adapters.image.heif.planes import Coding, Planes, Transfer, decibels
from aikz_label.adapters.image.heif.tree import (
    DERIVED,
    Spot,
    Tree,
    View,
    extent_of,
    is_alpha,
    scaled,
)
from aikz_label.adapters.image.picture import Picture
from aikz_label.adapters.image.samples import Colours, SamplePicture
from aikz_label.errors import Refused
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.heif.items import Item, Property

Light = NDArray[np.float32]
_TURNED = {  # rows × columns × channels from stored to shown: transposed, flipped left to right, upside down
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


class HeifPicture(Picture):
    """One of the pictures that a file shows.

    Attributes:
        number: Its item.
        drawn: The coded items that were drawn on, as planes.
        unlabelled: Thumbnails that cannot be drawn on.
        marks: Where coded items were drawn on, for all pictures of the file: some share them.
        layers: New items and the overlay that each lies on.
    """

    __slots__ = (
        "_most", "_planes", "_tree", "_view", "drawn", "layers", "marks", "number", "unlabelled",
    )  # fmt: skip

    def __init__(
        self, tree: Tree, number: int, most_pixels: int, marks: dict[int, list[Box]]
    ) -> None:
        view = View.of(tree.item(number))
        super().__init__(view.crop[2:], view.orientation)
        self.number = number
        self.marks = marks
        self.drawn: dict[int, Planes] = {}
        self.unlabelled: set[int] = set()
        self.layers: dict[int, int] = {}
        self._view, self._tree, self._most = view, tree, most_pixels
        self._planes: dict[int, Planes] = {}

    # --- painting ---------------------------------------------------------------------------------------------------

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`; thumbnails get the same, as small as they are."""
        left, top = self._view.crop[:2]
        inner = (left + box[0], top + box[1], box[2], box[3])
        self.painted = canvas.around(box, self.painted)
        if self._tree.covers(self.number, inner):
            for spot in self._tree.spots(self.number, inner, mask):
                self._draw(spot, self.number)
        else:
            self._lay(mask, inner)
        shown = canvas.shown_box(box, self.size, self.orientation)
        upright = canvas.displayed(mask, self.orientation)
        for thumbnail in self._tree.meta.sources(self.number, b"thmb"):
            try:
                self._paint_thumbnail(thumbnail, upright, shown)
            except (MediaProblem, Refused):
                self.unlabelled.add(thumbnail)

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        """See `Picture`; only what is coded by itself can grow."""
        found = growth.grown(self._tree, self.number, edges, self._leaf)
        other = HeifPicture(
            Tree(found.meta, self._tree.limits), self.number, self._most, self.marks
        )
        other._planes |= found.planes
        other.drawn |= found.planes
        other.unlabelled |= found.thumbnails
        return other

    def _lay(self, mask: Image.Image, inner: Box) -> None:
        """Put the notice upmost on an overlay, as an item of its own, coded like the first picture there."""
        overlay = self._tree.item(self.number)
        model = self._model()
        meta, number = layers.layered(self._tree.meta, overlay, self._tree.item(model), inner)
        planes = layers.plate(mask, self._coding(model, model))
        self._tree = Tree(meta, self._tree.limits)
        self._planes[number] = self.drawn[number] = planes
        self.layers[number] = self.number
        self.marks.setdefault(number, []).append((0, 0, *inner[2:]))

    def _model(self) -> int:
        """The first coded item of colours.

        Raises:
            MediaProblem: The picture is put together from nothing.
        """
        for number in self._tree.leaves(self.number):
            if not is_alpha(self._tree.item(number)):
                return number
        raise MediaProblem("damaged", detail_word="decoder")

    def _paint_thumbnail(self, number: int, mask: Image.Image, shown: Box) -> None:
        view = View.of(self._tree.item(number))
        there = scaled(shown, self.size, view.size)
        small = canvas.stored_mask(mask.resize(there[2:]), view.orientation)
        for spot in list(self._tree.spots(number, view.inward(there), small)):
            self._draw(spot, number)

    def _draw(self, spot: Spot, shown: int) -> None:
        planes = self._leaf(spot.number)
        if spot.mask is None:
            changed = planes.fill(spot.box)
        else:
            planes.paint(spot.mask, spot.box, self._coding(spot.number, shown))
            changed = True
        if changed:
            self.drawn[spot.number] = planes
            self.marks.setdefault(spot.number, []).append(spot.box)

    def edited(self) -> dict[int, Item]:
        """The items that were drawn on, coded anew; opacity without loss."""
        found = {}
        for number, planes in self.drawn.items():
            item = self._tree.item(number)
            lossless = is_alpha(item) or number in self.layers
            found[number] = CODERS[item.kind].encode(item, planes, lossless=lossless)
        for number in self.layers.values():
            found[number] = self._tree.item(number)
        for item in self._tree.items.values():
            if item.kind == b"grid":
                tiles = [self._tree.item(piece.number) for piece in self._tree.pieces(item)]
                found.update(one_configuration(tiles, found))
        return found

    # --- decoding ---------------------------------------------------------------------------------------------------

    def _leaf(self, number: int) -> Planes:
        """A coded item, decoded once."""
        if number not in self._planes:
            item = self._tree.item(number)
            coder = CODERS.get(item.kind)
            if coder is None:
                raise MediaProblem("damaged", detail_word="decoder")
            planes = coder.decode(item, self._most)
            if planes.size != extent_of(item):
                raise MediaProblem("damaged", detail_word="decoder")
            self._planes[number] = planes
        return self._planes[number]

    def _coding(self, number: int, shown: int) -> Coding:
        """How a coded item is to be read: what the boxes say of colours, first of all those of what is shown."""
        coding = self._leaf(number).coding
        for item in (self._tree.item(number), self._tree.item(shown)):
            coding = with_nclx(item.properties, coding)
        return coding

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        left, top, right, bottom = self._stored_edges(edges)
        across, down = self._view.crop[:2]
        box = (across + left, down + top, right - left, bottom - top)
        item = self._tree.item(self.number)
        light = self._light(self.number, box)
        alphas = self._tree.alphas(self.number)
        spots = self._tree.spots(self.number, box, Image.new("1", box[2:]))
        leaf = next((spot.number for spot in spots if spot.mask), None)
        if leaf is None:  # nothing but the canvas of an overlay
            leaf = self._model()
        opacity = self._opacity(item, alphas[0], box) if alphas else None
        transfer = self._coding(leaf, self.number).light
        premultiplied = bool(self._tree.meta.targets(self.number, b"prem"))
        return as_seen(light, opacity, transfer, self.orientation, premultiplied=premultiplied)

    def _opacity(self, item: Item, alpha: int, box: Box) -> Light:
        """How opaque the picture is within a box, whatever size its opacity has."""
        there = scaled(box, extent_of(item), extent_of(self._tree.item(alpha)))
        values = self._light(alpha, there, opacity=True)[..., 0]
        if there[2:] != box[2:]:
            values = np.asarray(Image.fromarray(values).resize(box[2:], Image.Resampling.NEAREST))
        return np.clip(values, 0.0, 1.0)[..., None]

    def _light(self, number: int, box: Box, depth: int = 0, *, opacity: bool = False) -> Light:
        """Colours within a box of an item's decoded picture, put together if it is derived."""
        item = self._tree.item(number)
        if item.kind not in DERIVED:
            coding = self._coding(number, self.number)
            return self._leaf(number).light(box, replace(coding, full=True) if opacity else coding)
        if depth > 8:
            raise MediaProblem("damaged", detail_word="decoder")
        whole = np.zeros((box[3], box[2], 3), np.float32)
        whole[...] = ground = _ground(item)
        grey = ground.min() == ground.max()
        for piece, shown in self._tree.under(item, box):
            child = self._tree.item(piece.number)
            view = View.of(child)
            inner = view.inward(shown)
            light = self._light(piece.number, inner, depth + 1, opacity=opacity)
            part = _upright(light, view.orientation)
            grey = grey and part.shape[2] == 1
            x, y = shown[0] + piece.x - box[0], shown[1] + piece.y - box[1]
            area = whole[y : y + shown[3], x : x + shown[2]]
            alphas = self._tree.alphas(piece.number) if item.kind == b"iovl" else ()
            share = (
                _upright(self._opacity(child, alphas[0], inner), view.orientation) if alphas else 1
            )
            area[...] = area + (part - area) * share
        return whole[..., :1] if grey else whole

    # --- comparing --------------------------------------------------------------------------------------------------

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`; coded items that were not coded again are the same bytes and need no decoding."""
        if not isinstance(other, HeifPicture) or not self._like(other):
            return 0.0
        boxes = {number: set(found) for number, found in self.marks.items()}
        if box is not None:
            left, top = self._view.crop[:2]
            inner = (left + box[0], top + box[1], box[2], box[3])
            for spot in self._tree.spots(self.number, inner, Image.new("1", box[2:])):
                boxes.setdefault(spot.number, set()).add(spot.box)
        total, count = 0.0, 0
        for number in self._tree.leaves(self.number):
            first, second = self._tree.item(number), other._tree.item(number)  # noqa: SLF001
            if first.data == second.data and number not in self.drawn:
                continue
            errors = self._leaf(number).errors(other._leaf(number), boxes.get(number, ()))  # noqa: SLF001
            if errors is None:
                return 0.0
            total, count = total + errors[0], count + errors[1]
        return decibels(total, count)

    def _like(self, other: HeifPicture) -> bool:
        """Both are put together in the same way from the same items."""
        numbers = self._tree.leaves(self.number)
        if self._view != other._view or numbers != other._tree.leaves(other.number):
            return False
        derived = [self._tree.item(number) for number in self._tree.derivations(self.number)]
        return all(
            (there := other._tree.items.get(item.number)) is not None
            and (there.kind, there.data) == (item.kind, item.data)
            for item in derived
        )


def as_seen(
    light: Light,
    opacity: Light | None,
    transfer: Transfer,
    orientation: int,
    *,
    premultiplied: bool,
) -> Image.Image:
    """Decoded colours as `Picture.crop` gives them.

    Args:
        light: Rows × columns × channels, shares of the range.
        opacity: The same with one channel.
        transfer: The kind of brightness.
        orientation: How it is turned to be seen.
        premultiplied: Colours are multiplied by opacity.
    """
    colours = Colours("grey" if light.shape[2] == 1 else "rgb", 0.0, 1.0, transfer=transfer)
    if opacity is not None:
        light = np.concatenate([light, opacity], axis=2)
        colours = replace(
            colours, alpha=light.shape[2] - 1, opaque=1.0, premultiplied=premultiplied
        )
    return SamplePicture(light, colours, orientation).seen()


def with_nclx(properties: Iterable[Property], coding: Coding) -> Coding:
    """A coding with what `colr` says of colours; ICC profiles say nothing of numbers."""
    for found in properties:
        if found.kind == b"colr" and found.body[:4] == b"nclx" and len(found.body) >= 11:
            fields = Fields(found.body[4:])
            primaries, transfer, matrix = fields.number(2), fields.number(2), fields.number(2)
            full = bool(fields.number(1) & 0x80)
            return replace(coding, primaries=primaries, transfer=transfer, matrix=matrix, full=full)
    return coding


def _ground(item: Item) -> Light:
    """The colour of an overlay's canvas; black elsewhere."""
    if item.kind != b"iovl":
        return np.zeros(3, np.float32)
    fields = Fields(item.data)
    fields.take(2)
    return np.array([fields.number(2) / 65535 for _ in range(3)], np.float32)


def _upright(light: Light, orientation: int) -> Light:
    """Samples as stored, turned as they are shown or used."""
    transposed, mirrored, flipped = _TURNED.get(orientation, (False, False, False))
    if transposed:
        light = light.swapaxes(0, 1)
    if mirrored:
        light = light[:, ::-1]
    return light[::-1] if flipped else light
