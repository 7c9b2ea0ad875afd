"""A page of a TIFF file as a picture that decodes only the blocks that are looked at."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters.image import canvas, palette
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.container import refuse_variant
from aikz_label.adapters.image.picture import Picture
from aikz_label.adapters.image.samples import Colours, Model, SamplePicture, levels_of
from aikz_label.adapters.image.tiff.blocks import Blocks
from aikz_label.adapters.image.tiff.page import Coding, Page, Photometric

_MODELS: dict[Photometric, Model] = {
    Photometric.WHITE_IS_ZERO: "grey",
    Photometric.BLACK_IS_ZERO: "grey",
    Photometric.RGB: "rgb",
    Photometric.SEPARATED: "cmyk",
    Photometric.YCBCR: "ycbcr",
    Photometric.CIELAB: "lab",
    Photometric.ICCLAB: "lab",
}
_WIDEST = 8  # bits of an index


class TiffPicture(Picture):
    """One page.

    Attributes:
        blocks: Its strips or tiles.
        colour_map: Of a palette, with what painting changed.
    """

    __slots__ = ("__dict__", "blocks", "colour_map")  # the dictionary is for what is computed once

    def __init__(self, blocks: Blocks) -> None:
        super().__init__(blocks.page.size, blocks.page.orientation)
        self.blocks = blocks
        self.colour_map = np.array(blocks.page.colour_map).reshape(3, -1)

    @property
    def page(self) -> Page:
        """What the file says of it."""
        return self.blocks.page

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        if self.page.photometric == Photometric.PALETTE:
            self._paint_indices(mask, box)
        else:
            part = self.part(box)
            part.paint(mask, (0, 0, box[2], box[3]))
            self.blocks.put(box[0], box[1], part.samples)
        self.painted = canvas.around(box, self.painted)

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        left, top, right, bottom = self._stored_edges(edges)
        part = self.part((left, top, right - left, bottom - top))
        part.orientation = self.orientation
        return part.seen()

    def _cut(self, edges: tuple[int, int, int, int]) -> TiffPicture:
        left, top, right, bottom = edges
        if self.page.subsampling != (1, 1) and self.page.coding != Coding.JPEG:
            raise refuse_variant("TIFF", "a strip does not fit to its shared colours")
        other = TiffPicture(self.blocks.cut(left, top, right - left, bottom - top))
        other.colour_map = self.colour_map.copy()
        return other

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`; blocks that are stored alike are not decoded."""
        if not isinstance(other, TiffPicture) or not _same_layout(self.page, other.page):
            return 0.0
        same_map = np.array_equal(self.colour_map, other.colour_map)
        squares, places = 0.0, self.page.across * self.page.down
        for place in range(places):
            alike = self.page.block == other.page.block and all(
                self.blocks.stored(index) == other.blocks.stored(index)
                for index in range(place, len(self.blocks), places)
            )
            if not (same_map and alike):
                area = self.blocks.box(place)
                hidden = _within(box, area)
                squares += self.part(area).squares(other.part(area), *([hidden] if hidden else []))
        if squares == 0.0:
            return math.inf
        if not math.isfinite(squares):
            return 0.0
        channels = 3 if self.page.photometric == Photometric.PALETTE else self.page.samples
        width, height = self.stored
        count = (width * height - (box[2] * box[3] if box else 0)) * channels
        peak = abs(self.colours.white - self.colours.black)
        return 10 * math.log10(peak * peak * max(count, 1) / squares)

    def read_through(self) -> None:
        """Decode every block, so that none is delivered that cannot be.

        Raises:
            MediaProblem: One cannot.
        """
        self.blocks.read_through()

    @cached_property
    def colours(self) -> Colours:
        """What the samples mean; those of a palette as colours."""
        page = self.page
        if page.photometric == Photometric.PALETTE:
            return Colours("rgb", 0, 255)
        alpha, premultiplied = page.alpha
        black, white, opaque = self._levels()
        neutral = (white + 1) / 2
        if page.photometric in {Photometric.WHITE_IS_ZERO, Photometric.SEPARATED}:
            black, white = white, black
        model = _MODELS[Photometric(page.photometric)]
        if model == "lab" and page.kind[0] == "f":
            black, white, neutral = 0.0, 100.0, 0.0
        return Colours(model, black, white, neutral, alpha, opaque, premultiplied)

    def _levels(self) -> tuple[float, float, float]:
        """Black, white and opaque."""
        page = self.page
        if page.kind[0] == "u" and page.depth <= 24:
            most = float(2**page.depth - 1)
            return 0.0, most, most
        found = [levels_of(block[..., : page.colours]) for block in self.blocks]
        black, white = min(low for low, _ in found), max(high for _, high in found)
        opaque = (
            1.0 if page.kind[0] == "f" else float(np.iinfo(f"{page.kind[0]}{page.depth // 8}").max)
        )
        return black, white, opaque

    def part(self, box: Box) -> SamplePicture:
        """The samples of a box, those of a palette as colours."""
        samples = self.blocks.region(*box)
        if self.page.photometric == Photometric.PALETTE:
            samples = self._shown_colours()[samples[..., 0]]
        return SamplePicture(samples, self.colours)

    # --- palettes ---------------------------------------------------------------------------------------------------

    def _shown_colours(self) -> NDArray[np.uint8]:
        """The palette in 8 bits; some writers count so in the file, too (as libtiff finds out)."""
        scale = 1 if self.colour_map.max() < 256 else 257
        return (self.colour_map.T // scale).astype(np.uint8)

    def _paint_indices(self, mask: Image.Image, box: Box) -> None:
        entries = [tuple(map(int, entry)) for entry in self._shown_colours()]
        used = np.zeros(len(entries), np.int64)
        for block in self.blocks:
            used += np.bincount(block[..., 0].reshape(-1), minlength=len(entries))
        choice = palette.choose(entries, [255] * len(entries), used.tolist(), set(), len(entries))
        if choice.moved and self.page.depth < _WIDEST:
            self._widen_indices()
            self._paint_indices(mask, box)
            return
        scale = 1 if self.colour_map.max() < 256 else 257
        for index in (choice.black, choice.white):
            if entries[index] != choice.entries[index]:
                self.colour_map[:, index] = np.array(choice.entries[index]) * scale
        if choice.moved:
            table = np.arange(len(entries)).astype(np.uint8)
            for index, neighbour in choice.moved.items():
                table[index] = neighbour
            self.blocks.remap(table)
        samples = self.blocks.region(*box)
        samples[..., 0] = np.where(np.asarray(mask) >= 128, choice.white, choice.black)
        alpha, _ = self.page.alpha
        if alpha >= 0:
            samples[..., alpha] = 2**self.page.depth - 1
        self.blocks.put(box[0], box[1], samples)

    def _widen_indices(self) -> None:
        """Make room in a palette of few bits: indices of 8."""
        self.blocks = self.blocks.deeper(_WIDEST)
        wider = np.zeros((3, 2**_WIDEST), self.colour_map.dtype)
        wider[:, : self.colour_map.shape[1]] = self.colour_map
        self.colour_map = wider


def _same_layout(first: Page, second: Page) -> bool:
    """Whether the samples of two pages can be compared."""
    return (
        (first.size, first.bits, first.kind, first.samples, first.photometric, first.coding)
        == (
            second.size,
            second.bits,
            second.kind,
            second.samples,
            second.photometric,
            second.coding,
        )
        and (first.planar, first.predictor, first.reversed, first.tiled, first.tables)
        == (
            second.planar,
            second.predictor,
            second.reversed,
            second.tiled,
            second.tables,
        )
        and (first.extra, first.subsampling) == (second.extra, second.subsampling)
    )


def _within(box: Box | None, area: Box) -> Box | None:
    """The part of a box that lies in an area, counted from there."""
    if box is None:
        return None
    left, top = max(box[0], area[0]), max(box[1], area[1])
    right = min(box[0] + box[2], area[0] + area[2])
    bottom = min(box[1] + box[3], area[1] + area[3])
    if left >= right or top >= bottom:
        return None
    return left - area[0], top - area[1], right - left, bottom - top
