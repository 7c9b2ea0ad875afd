"""A coded picture as its decoder gives it: luma and chroma at their own depth, sampling and range, never turned into RGB.

What is painted and coded again is numbers of the codec, so that nothing but the codec itself changes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.samples import INK
from aikz_label.adapters.image.squares import squares
from aikz_label.values import dataclass, field

Array = NDArray[Any]
Transfer = Literal["sdr", "pq", "hlg"]
_IDENTITY = 0  # of the matrix: the planes are green, blue and red
_YCGCO = 8
_TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
# Shares of red and blue in luma, by ITU-T H.273; everything else is decoded as BT.601, as libraries do.
_LUMA = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593), 7: (0.212, 0.087)}
_OTHER_LUMA = (0.299, 0.114)


@dataclass(frozen=True, slots=True)
class Coding:
    """What the numbers of the planes mean; colours as ITU-T H.273 numbers them, 2 is "unspecified".

    Attributes:
        depth: Bits per sample.
        shifts: How often chroma is halved across and down; `None` when there is only luma.
        full: Black is 0 and white the largest number, else 16 and 235 of 255.
        primaries: Which colours red, green and blue are.
        transfer: How light becomes numbers.
        matrix: How red, green and blue become planes.
    """

    depth: int = 8
    shifts: tuple[int, int] | None = (1, 1)
    full: bool = True
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2

    @property
    def black(self) -> int:
        """No light."""
        return 0 if self.full else 16 << self.depth - 8

    @property
    def white(self) -> int:
        """Full light."""
        return self.most if self.full else 235 << self.depth - 8

    @property
    def most(self) -> int:
        """The largest number."""
        return (1 << self.depth) - 1

    @property
    def light(self) -> Transfer:
        """The kind of brightness."""
        return _TRANSFERS.get(self.transfer, "sdr")

    @property
    def rgb(self) -> bool:
        """The planes are colours, not luma and chroma."""
        return self.matrix == _IDENTITY and self.shifts == (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The planes and their coding.

    Attributes:
        planes: Luma, or luma and two of chroma; writable, of 1 or 2 bytes per sample.
        coding: What the numbers mean.
    """

    planes: tuple[Array, ...]
    coding: Coding = field(default_factory=Coding)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.planes[0].shape[1], self.planes[0].shape[0]

    def _slices(self, box: Box) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Rows and columns of a box in luma and in chroma, which takes in every sample that the box touches."""
        x, y, width, height = box
        across, down = self.coding.shifts or (0, 0)
        luma = slice(y, y + height), slice(x, x + width)
        rows = slice(y >> down, -(-(y + height) >> down))
        return luma, (rows, slice(x >> across, -(-(x + width) >> across)))

    def _parts(self, box: Box) -> list[Array]:
        """Each plane within a box."""
        luma, chroma = self._slices(box)
        return [self.planes[0][luma], *(plane[chroma] for plane in self.planes[1:])]

    def paint(self, mask: Image.Image, box: Box, coding: Coding | None = None) -> None:
        """Draw a mask of the box's size: 0 becomes black, 255 white, diffuse white in HDR; colours become neutral.

        Args:
            mask: White coverage.
            box: Where.
            coding: How to read the numbers, where the container overrules the codec.
        """
        coding = coding or self.coding
        ink = coding.black + INK[coding.light] * (coding.white - coding.black)
        levels = np.rint(np.linspace(coding.black, ink, 256)).astype(self.planes[0].dtype)
        covered = levels[np.asarray(mask)]
        for index, part in enumerate(self._parts(box)):
            part[...] = covered if coding.rgb or not index else coding.most // 2 + 1

    def fill(self, box: Box) -> bool:
        """Make a picture that means opacity opaque within a box; whether that changed anything."""
        part = self.planes[0][box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
        if (part == self.coding.most).all():
            return False
        part[...] = self.coding.most
        return True

    def errors(self, other: Planes, boxes: Iterable[Box]) -> tuple[float, int] | None:
        """Sum of squared differences outside some boxes, in shares of the peak, and how many samples; `None` if unlike."""
        if [p.shape for p in self.planes] != [p.shape for p in other.planes]:
            return None
        if self.coding.depth != other.coding.depth:
            return None
        total, count = 0, 0
        areas = [self._slices(box) for box in boxes]
        for index, (first, second) in enumerate(zip(self.planes, other.planes, strict=True)):
            hidden = [slices[min(index, 1)] for slices in areas]
            total += squares(first, second, hidden)
            count += first.size - sum(first[rows, columns].size for rows, columns in hidden)
        return total / self.coding.most**2, max(count, 1)

    def likeness(self, other: Planes) -> float:
        """PSNR in dB of the worst plane, 0 if they are unlike: the eye mixes colours, so that luma makes up for nothing."""
        if [p.shape for p in self.planes] != [p.shape for p in other.planes]:
            return 0.0
        if self.coding.depth != other.coding.depth:
            return 0.0
        pairs = zip(self.planes, other.planes, strict=True)
        most = self.coding.most**2
        return min(decibels(squares(a, b) / most, a.size) for a, b in pairs)

    def light(self, box: Box, coding: Coding) -> NDArray[np.float32]:
        """Red, green and blue within a box, or grey in one channel, as shares of the range.

        Args:
            box: Which part.
            coding: How to read the numbers; what the container says overrules what the codec says.
        """
        x, y, width, height = box
        span = np.float32(coding.white - coding.black)
        luma, *chroma = (part.astype(np.float32) for part in self._parts(box))
        luma = (luma - coding.black) / span
        if not chroma:
            return luma[..., None]
        if coding.rgb:
            blue, red = ((part - coding.black) / span for part in chroma)
            return np.stack([red, luma, blue], axis=2)
        across, down = coding.shifts or (0, 0)
        rows = (np.arange(y, y + height) >> down) - (y >> down)
        columns = (np.arange(x, x + width) >> across) - (x >> across)
        reach = coding.most if coding.full else 224 << coding.depth - 8
        cb, cr = (
            ((part - (coding.most // 2 + 1)) / np.float32(reach))[np.ix_(rows, columns)]
            for part in chroma
        )
        if coding.matrix == _YCGCO:
            return np.stack([luma - cb + cr, luma + cb, luma - cb - cr], axis=2)
        kr, kb = _LUMA.get(coding.matrix, _OTHER_LUMA)
        red, blue = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
        green = (luma - kr * red - kb * blue) / (1 - kr - kb)
        return np.stack([red, green, blue], axis=2)


def decibels(total: float, count: int) -> float:
    """The PSNR of a sum of squared shares."""
    return math.inf if total == 0 else 10 * math.log10(max(count, 1) / total)
