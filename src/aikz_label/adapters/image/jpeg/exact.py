"""Drawing into a JPEG without decoding it: only the blocks under the notice are coded anew.

All other coefficients go over as they are, whatever the sampling and the colours. That costs about two seconds of CPU per
megabyte, so it is done where a picture is small, or where it cannot be encoded as it was.
"""

from __future__ import annotations

import math
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops

from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.jpeg import coefficients, entropy
from aikz_label.adapters.image.jpeg.coefficients import Component, Frame, Unreadable
from aikz_label.adapters.image.jpeg.segments import DHT, DQT, DRI, SOF, Segment, walk_header
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aikz_label.adapters.image.picture import PillowPicture

# Where the coefficients of a block stand in the order in which they are coded, T.81 figure 5.
_ZIGZAG = np.array(
    sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8, i % 8)[(i // 8 + i % 8) % 2 == 0]))
)
_STEPS = np.arange(8)
# The discrete cosine transform of eight samples, as a matrix.
_DCT = np.cos((2 * _STEPS[None, :] + 1) * _STEPS[:, None] * np.pi / 16) / 2
_DCT[0] /= np.sqrt(2)


def edited(
    header: Sequence[Segment],
    scans: bytes,
    picture: PillowPicture,
    transform: int | None,
    *,
    rim: bool,
    finest: bool,
) -> bytes:
    """The scans with the painted part of a picture, and their tables, from the first table to the end marker.

    The picture may have grown to the right and below, by painted parts alone.

    Args:
        header: All segments before the first scan.
        scans: Everything from there to the end of the picture.
        picture: The painted picture.
        transform: What the Adobe segment says of four colours; `None` without one.
        rim: Leave a rim of the painted part its colours where these are stored smaller: decoders mix them into the pixels
            outside.
        finest: For tables of ones: blocks that the painted part shares with others lose nothing but fractions.

    Raises:
        Unreadable: The picture is not of a kind that this handles.
    """
    assert picture.painted is not None
    tables = [*_standard_tables(), *(s.data for s in header if s.code in {DHT, DRI})]
    frame = coefficients.read(next(s.data for s in header if s.code in SOF), tables, scans)
    if frame.size != picture.stored:
        frame = coefficients.resized(frame, picture.stored)
    steps = quantisation(header)
    for component in frame.components:
        if component.table not in steps:
            raise Unreadable("a quantisation table is missing")
        if finest:
            whole = component.blocks * steps[component.table]
            component.blocks[...] = whole.clip(-1023, 1023).astype(np.int16)
    if finest:
        steps = dict.fromkeys(steps, np.ones(64))
    if rim:
        for box in picture.plates:
            _draw(frame, _beside(picture, box), box, transform, steps, rim=0)
    for box in picture.plates or (picture.painted,):
        _draw(frame, picture, box, transform, steps, rim=1 if rim else None)
    return entropy.write(frame)


def _beside(picture: PillowPicture, box: Box) -> PillowPicture:
    """The picture with its last row or column once more all over a plate below it or to its right."""
    x, y, width, height = box
    edge = (x, y - 1, width, 1) if y else (x - 1, y, 1, height)
    spread = picture.image.copy()
    spread.paste(picture.image.crop(_edges(edge)).resize((width, height)), (x, y))
    return type(picture)(spread)


def _draw(
    frame: Frame,
    picture: PillowPicture,
    box: Box,
    transform: int | None,
    steps: dict[int, NDArray[np.float64]],
    *,
    rim: int | None,
) -> None:
    """Put a painted box into every channel.

    Args:
        frame: Where it is drawn.
        picture: What is drawn.
        box: Which part of it.
        transform: See `edited`.
        steps: The tables of quantisation.
        rim: How many samples of the part are left out where it ends within the picture, in channels that are stored
            smaller, besides those it shares with what is beside it; 0 draws into these channels only. `None` draws all.
    """
    part = picture.patch() if box == picture.painted else picture.image.crop(_edges(box))
    for component, plane in zip(frame.components, planes(part, transform), strict=True):
        widest, highest = (max(getattr(c, name) for c in frame.components) for name in "hv")
        scale = component.h / widest, component.v / highest
        if rim == 0 and scale == (1, 1):
            continue
        across, down = (None if one == 1 else rim for one in scale)
        region = _Region.of(box, picture.stored, scale, (across, down))
        _paint(component, plane, region, steps[component.table])


@cache
def _standard_tables() -> tuple[bytes, ...]:
    """The Huffman tables of T.81, annex K, which frames of Motion JPEG leave out; every encoder writes them by default."""
    buffer = BytesIO()
    Image.new("YCbCr", (8, 8)).save(buffer, "JPEG", optimize=False)
    header, _ = walk_header(buffer.getvalue(), NO_LIMITS)
    return tuple(s.data for s in header if s.code == DHT)


def _edges(box: Box) -> tuple[int, int, int, int]:
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def planes(part: Image.Image, transform: int | None) -> list[Image.Image]:
    """The channels as the file stores them."""
    if part.mode != "CMYK":
        return list(part.split())
    cyan, magenta, yellow, black = part.split()  # which Pillow has turned over
    if transform != 2:
        return [ImageChops.invert(one) for one in (cyan, magenta, yellow, black)]
    colours = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr")
    return [*colours.split(), ImageChops.invert(black)]


def quantisation(header: Sequence[Segment]) -> dict[int, NDArray[np.float64]]:
    """The tables by number, in the order of coefficients.

    Raises:
        Unreadable: A step is zero, with which nothing can be drawn.
    """
    found = {}
    for segment in header:
        payload = segment.payload if segment.code == DQT else b""
        while len(payload) > 64:
            wide, number = payload[0] >> 4, payload[0] & 15
            kind = np.dtype(">u2") if wide else np.dtype(np.uint8)
            size = 64 * kind.itemsize
            if len(payload) <= size:
                break
            found[number] = np.frombuffer(payload[1 : 1 + size], kind).astype(np.float64)
            payload = payload[1 + size :]
    if not all(table.all() for table in found.values()):
        raise Unreadable("a step of quantisation is zero")
    return found


@dataclass(frozen=True, slots=True)
class _Region:
    """The painted part within one channel.

    Attributes:
        edges: Left, top, right and bottom, in samples of the channel.
        box: The same within the painted part, in its own pixels.
        last: Whether it reaches the right edge and the lower edge of the picture.
    """

    edges: tuple[int, int, int, int]
    box: tuple[float, float, float, float]
    last: tuple[bool, bool]

    @classmethod
    def of(
        cls,
        box: Box,
        whole: tuple[int, int],
        scale: tuple[float, float],
        inset: tuple[int | None, int | None],
    ) -> _Region:
        """The part of a channel of that scale, without a rim of so many whole samples where it is inside the picture."""
        (left, top, right, bottom), (width, height) = _edges(box), whole
        last = right == width, bottom == height
        x0, x1 = _samples_of(left, right, scale[0], inset[0], last=last[0])
        y0, y1 = _samples_of(top, bottom, scale[1], inset[1], last=last[1])
        edges = x0, y0, x1, y1
        inner = (
            max(0.0, edges[0] / scale[0] - left),
            max(0.0, edges[1] / scale[1] - top),
            min(float(right - left), edges[2] / scale[0] - left),
            min(float(bottom - top), edges[3] / scale[1] - top),
        )
        return cls(edges, inner, last)


def _samples_of(
    start: int, stop: int, scale: float, inset: int | None, *, last: bool
) -> tuple[int, int]:
    """The first sample of a stretch of pixels, and the one behind its last."""
    first, behind = start * scale, stop * scale
    if inset is None:
        return math.floor(first), math.ceil(behind)
    lower = math.ceil(first) + inset if start else 0
    return lower, math.ceil(behind) if last else math.floor(behind) - inset


def _paint(
    component: Component, plane: Image.Image, region: _Region, steps: NDArray[np.float64]
) -> None:
    """Put the painted part of one channel into the blocks that it touches."""
    x0, y0, x1, y1 = region.edges
    if x0 >= x1 or y0 >= y1:
        return
    size = x1 - x0, y1 - y0
    if (*size, *region.box) != (*plane.size, 0.0, 0.0, *map(float, plane.size)):
        plane = plane.resize(size, Image.Resampling.BOX, box=region.box)
    columns = slice(x0 // 8, min(component.columns, -(-x1 // 8)))
    rows = slice(y0 // 8, min(component.rows, -(-y1 // 8)))
    blocks = component.blocks[rows, columns]
    samples = _samples(blocks, steps)
    x, y = x0 - 8 * columns.start, y0 - 8 * rows.start
    samples[y : y + size[1], x : x + size[0]] = np.asarray(plane, np.float64)
    if region.last[0]:  # nobody sees what fills the last block, but edges in it cost
        samples[:, x + size[0] :] = samples[:, x + size[0] - 1, None]
    if region.last[1]:
        samples[y + size[1] :] = samples[y + size[1] - 1]
    blocks[...] = transformed(samples, steps)


def _samples(blocks: NDArray[np.int16], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the blocks look like, side by side."""
    rows, columns, _ = blocks.shape
    values = np.empty((rows, columns, 64))
    values[..., _ZIGZAG] = blocks * steps
    spread = _DCT.T @ values.reshape(rows, columns, 8, 8) @ _DCT + 128
    return spread.transpose(0, 2, 1, 3).reshape(8 * rows, 8 * columns)


def transformed(samples: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.int16]:
    """The coefficients of whole blocks, by row, column and place in the block."""
    rows, columns = samples.shape[0] // 8, samples.shape[1] // 8
    blocks = samples.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3).reshape(-1, 8, 8) - 128
    flat = (blocks == blocks[:, :1, :1]).all(axis=(1, 2))  # most of a notice, of few levels
    levels, which = np.unique(blocks[flat, 0, 0], return_inverse=True)
    found = np.empty((len(blocks), 64), np.int16)
    found[flat] = _quantised(np.tile(levels[:, None, None], (8, 8)), steps)[which]
    found[~flat] = _quantised(blocks[~flat], steps)
    return found.reshape(rows, columns, 64)


def _quantised(blocks: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.int16]:
    values = (_DCT @ blocks @ _DCT.T).reshape(-1, 64)[:, _ZIGZAG]
    return np.rint(values / steps).clip(-1023, 1023).astype(np.int16)
