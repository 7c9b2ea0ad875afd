"""Pictures that Pillow cannot hold: rows × columns × channels of numbers, with what they mean beside them.

16-bit and floating-point colours, CMYK of 16 bits, HDR. Ink and plate are the file's own white and black; in HDR the ink is
diffuse white (203 nit in PQ, 75 % in HLG: ITU-R BT.2408), because peak white would dazzle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.picture import Picture
from aikz_label.values import dataclass

_STRIP = 256  # rows
_DIFFUSE_WHITE = 203.0  # nit
_HLG_PEAK = 1000.0  # nit, of the display that 75 % gives 203 nit on
# Constants of SMPTE ST 2084 and of ARIB STD-B67.
_M1, _M2, _C1, _C2, _C3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
INK = {"sdr": 1.0, "pq": 0.58069, "hlg": 0.75}  # share of the range that diffuse white takes
_XYZ_TO_RGB = np.array(  # from D50, by Bradford's adaptation, to linear sRGB
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)
_D50 = np.array([0.9642, 1.0, 0.8249], np.float32)

Model: TypeAlias = Literal["grey", "rgb", "cmyk", "lab", "ycbcr"]
Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Colours:
    """What the numbers of a picture mean.

    Attributes:
        model: `grey`, `rgb`, `cmyk`, `lab` or `ycbcr`: 1, 3, 4, 3 and 3 channels, the first ones.
        black: The number that means no light: in CMYK full ink, in `lab` and `ycbcr` that of the first channel.
        white: The number that means full light; below `black` where a file counts so.
        neutral: Of the second and third channel of `lab` and `ycbcr`, the number that means no colour.
        alpha: Index of the channel of opacity, -1 without one. Further channels are never touched.
        opaque: The number that means opaque.
        premultiplied: Colours are multiplied by opacity.
        key: The numbers of the one colour that is transparent, if any.
        transfer: `sdr`, `pq` or `hlg`.
    """

    model: Model
    black: float
    white: float
    neutral: float = 0.0
    alpha: int = -1
    opaque: float = 0.0
    premultiplied: bool = False
    key: tuple[float, ...] = ()
    transfer: Literal["sdr", "pq", "hlg"] = "sdr"

    @property
    def channels(self) -> int:
        """How many channels are colours."""
        return {"grey": 1, "cmyk": 4}.get(self.model, 3)


class SamplePicture(Picture):
    """A picture as numbers.

    Attributes:
        samples: Rows × columns × channels of unsigned or signed integers or floats, writable.
        colours: What they mean.
    """

    __slots__ = ("colours", "samples")

    def __init__(self, samples: Array, colours: Colours, orientation: int = 1) -> None:
        super().__init__((samples.shape[1], samples.shape[0]), orientation)
        self.samples = samples
        self.colours = colours

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        x, y, width, height = box
        patch = self.coverage(mask)
        area = self.samples[y : y + height, x : x + width]
        area[..., : self.colours.channels] = patch[..., : self.colours.channels]
        if self.colours.alpha >= 0:
            area[..., self.colours.alpha] = self.colours.opaque
        self.painted = canvas.around(box, self.painted)

    def coverage(self, mask: Image.Image) -> Array:
        """A mask as the colour channels of this picture."""
        colours = self.colours
        ink = colours.black + INK[colours.transfer] * (colours.white - colours.black)
        steps = np.linspace(colours.black, ink, 256)
        if self.samples.dtype.kind in "iu":
            steps = np.rint(steps)
        levels = self._off_key(steps.astype(self.samples.dtype))
        covered = levels[np.asarray(mask)]
        if colours.model in {"grey", "rgb"}:
            return np.repeat(covered[..., None], colours.channels, axis=2)
        patch = np.empty((*covered.shape, colours.channels), self.samples.dtype)
        patch[...] = colours.white if colours.model == "cmyk" else colours.neutral
        patch[..., 3 if colours.model == "cmyk" else 0] = covered
        return patch

    def _off_key(self, levels: Array) -> Array:
        """Avoid the one grey level that the file declares transparent."""
        key = self.colours.key
        if not key or len(set(key)) > 1:
            return levels
        middle = (self.colours.black + self.colours.white) / 2
        return np.where(levels == key[0], key[0] + (1 if key[0] < middle else -1), levels).astype(
            levels.dtype
        )

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        left, top, right, bottom = self._stored_edges(edges)
        strips = [
            _eight_bit(self.samples[start : min(bottom, start + _STRIP), left:right], self.colours)
            for start in range(top, bottom, _STRIP)
        ]
        whole = np.concatenate(strips)
        image = Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole)
        return canvas.displayed(image, self.orientation)

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        left, top, right, bottom = edges
        rows, columns, channels = self.samples.shape
        piece = np.zeros((bottom - top, right - left, channels), self.samples.dtype)
        here = self.samples[max(0, top) : min(rows, bottom), max(0, left) : min(columns, right)]
        y, x = max(0, -top), max(0, -left)
        piece[y : y + here.shape[0], x : x + here.shape[1]] = here
        return SamplePicture(piece, self.colours, self.orientation)

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`; a sample that is no number equals another such."""
        if not isinstance(other, SamplePicture) or (
            (other.samples.shape, other.samples.dtype.newbyteorder("="))
            != (self.samples.shape, self.samples.dtype.newbyteorder("="))
        ):
            return 0.0
        return self.likeness(other, self.left_out(box))

    def likeness(self, other: SamplePicture, boxes: Iterable[Box]) -> float:
        """PSNR in dB outside boxes that lie apart; the shapes must be alike."""
        boxes = tuple(boxes)
        total = self.squares(other, *boxes)
        if total == 0.0:
            return math.inf
        hidden = sum(width * height for _, _, width, height in boxes)
        count = self.samples.size - hidden * self.samples.shape[2]
        peak = abs(self.colours.white - self.colours.black)
        return 10 * math.log10(peak * peak * max(count, 1) / total) if math.isfinite(total) else 0.0

    def squares(self, other: SamplePicture, *boxes: Box) -> float:
        """Sum of all squared differences outside boxes; the shapes must be alike."""
        total = 0.0
        for top in range(0, self.samples.shape[0], _STRIP):
            first, second = (one.samples[top : top + _STRIP] for one in (self, other))
            if np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
                continue
            with np.errstate(all="ignore"):
                squares = np.square(first.astype(np.float64) - second.astype(np.float64))
            same = (first == second) | ((first != first) & (second != second))  # noqa: PLR0124  # NaN
            squares[same] = 0.0
            for x, y, width, height in boxes:
                squares[max(0, y - top) : max(0, y + height - top), x : x + width] = 0.0
            total += float(squares.sum())
        return total


def levels_of(samples: Array) -> tuple[float, float]:
    """Black and white of numbers that do not say: 0 to 1 or the least to the most for floats, else by the integer's size.

    Painting with them changes neither, so they are found again in the finished file.
    """
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    if kind == "u" and size <= 2:
        return 0.0, float(256**size - 1)
    finite = samples[np.isfinite(samples)] if kind == "f" else samples
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if kind == "f":
        return (0.0, 1.0) if low >= 0 and high <= 1 else (min(low, 0.0), max(high, 1.0))
    most = next(m for m in (255.0, 65535.0, 2.0**32 - 1) if high <= m)
    return min(low, 0.0), min(most, float(np.iinfo(samples.dtype).max))


def of_numeric(image: Image.Image) -> SamplePicture:
    """A Pillow image of one channel with more than 8 bits."""
    samples = np.asarray(image)[..., None]
    key = image.info.get("transparency")
    black, white = levels_of(samples)
    colours = Colours("grey", black, white, key=(float(key),) if isinstance(key, int) else ())
    return SamplePicture(samples, colours)


def eight_bit(part: Image.Image, whole: Image.Image) -> Image.Image:
    """A part of a Pillow image of more than 8 bits, or in LAB, as people see it."""
    if part.mode == "LAB":
        channels = np.stack([np.asarray(one) for one in part.split()], axis=2)
        seen = _eight_bit(channels, Colours("lab", 0.0, 255.0, neutral=128.0))
    else:
        seen = _eight_bit(np.asarray(part)[..., None], of_numeric(whole).colours)
    return Image.fromarray(seen[..., 0] if seen.shape[2] == 1 else seen)


def _eight_bit(samples: Array, colours: Colours) -> NDArray[np.uint8]:
    """Grey or RGB in sRGB, with opacity where there can be any."""
    span = colours.white - colours.black
    part: Floats = samples[..., : colours.channels].astype(np.float32)
    opacity = _opacity(samples, colours)
    if colours.premultiplied and opacity is not None:
        part = colours.black + (part - colours.black) / np.maximum(opacity, 1e-6)[..., None]
    if colours.model in {"lab", "ycbcr"}:
        part[..., 0] = (part[..., 0] - colours.black) / span
        unit = 1.0 if colours.model == "lab" and samples.dtype.kind == "f" else 255 / abs(span)
        part[..., 1:] = (part[..., 1:] - colours.neutral) * unit
    else:
        part = (part - colours.black) / span
    seen = np.clip(np.nan_to_num(_displayed(part, colours), nan=0.0), 0.0, 1.0)
    if opacity is not None:
        seen = np.concatenate([seen, opacity[..., None]], axis=2)
    return np.rint(seen * 255).astype(np.uint8)


def _opacity(samples: Array, colours: Colours) -> Floats | None:
    if colours.alpha >= 0:
        share = samples[..., colours.alpha].astype(np.float32) / colours.opaque
        return np.asarray(np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0))
    if colours.key:
        shown = (samples[..., : colours.channels] != np.array(colours.key)).any(axis=2)
        return np.asarray(shown, np.float32)
    return None


def _displayed(part: Floats, colours: Colours) -> Floats:
    """Shares of the range, as sRGB shows them."""
    match colours.model:
        case "cmyk":
            return np.clip(part[..., :3], 0, 1) * np.clip(part[..., 3:], 0, 1)
        case "ycbcr":
            return _from_ycbcr(part)
        case "lab":
            return _encoded(_from_lab(part))
    match colours.transfer:
        case "pq":
            power = np.clip(part, 0, 1) ** (1 / _M2)
            share = np.maximum(power - _C1, 0) / (_C2 - _C3 * power)
            return _encoded(share ** (1 / _M1) * 10000 / _DIFFUSE_WHITE)
        case "hlg":
            signal = np.clip(part, 0, 1)
            scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - _C) / _A) + _B) / 12)
            return _encoded(scene**1.2 * _HLG_PEAK / _DIFFUSE_WHITE)
    return part


def _from_ycbcr(part: Floats) -> Floats:
    """ITU-R BT.601, as JPEG and TIFF use it; the colours count in 255ths."""
    luma, blue, red = part[..., 0], part[..., 1] / 255, part[..., 2] / 255
    return np.stack(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=2
    )


def _from_lab(part: Floats) -> Floats:
    """CIE L*a*b* of D50 to linear sRGB."""
    middle = (part[..., 0] * 100 + 16) / 116
    cube = np.stack([middle + part[..., 1] / 500, middle, middle - part[..., 2] / 200], axis=2)
    xyz = np.where(cube > 6 / 29, cube**3, (cube - 4 / 29) * 3 * (6 / 29) ** 2) * _D50
    return np.asarray(xyz @ _XYZ_TO_RGB.T, np.float32)


def _encoded(linear: Floats) -> Floats:
    """The transfer curve of sRGB."""
    value = np.clip(np.nan_to_num(linear), 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
