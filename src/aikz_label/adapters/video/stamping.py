"""The badge in the planes of a frame, whatever their depth, sampling and range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aikz_label.adapters import Order
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.samples import INK
from aikz_label.adapters.video import cutting, film, films, records
from aikz_label.adapters.video.films import View
from aikz_label.notice import badge
from aikz_label.notice.badge import Badge
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from av.video.format import VideoFormat
    from av.video.frame import VideoFrame

_SAFE = 0.05  # inset of the badge, EBU R 95 and the strict column of the law's table
_TALL = 1.7  # from which height to width a film is shown below a telephone's own controls
_BELOW = 0.14  # which cover so much of its top
# Where colour and opacity are in formats that put all of a pixel beside each other: channels, and which one is opacity.
_PACKED = {
    "rgb24": (3, -1),
    "bgr24": (3, -1),
    "rgba": (4, 3),
    "bgra": (4, 3),
    "argb": (4, 0),
    "abgr": (4, 0),
    "bgr0": (4, 3),
    "rgb0": (4, 3),
    "rgb48le": (3, -1),
    "rgba64le": (4, 3),
    "ya8": (2, 1),
}


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """What is drawn into every frame.

    Attributes:
        badge: The badge, upright.
        box: The plate in the stored frame, px.
        record: What the marker says of it, still without times.
    """

    badge: Badge
    box: canvas.Box
    record: Mapping[str, Any]
    _patches: tuple[tuple[int, tuple[slice, slice], NDArray[Any]], ...]

    def draw(self, frame: VideoFrame) -> None:
        """Draw it into a frame, which must be writable."""
        for index, where, patch in self._patches:
            cutting.plane(frame, index, patch.dtype)[where] = patch


def plan(seen: View, frame: VideoFrame, order: Order) -> Stamp:
    """Choose the badge of a film and prepare it for its frames.

    Raises:
        Refused: None fits, or the frames hold colours in a way that is not handled.
    """
    profile = replace(order.profile.image, margin_share=_SAFE)
    size = seen.size
    placed = badge.plan(*size, order.label.origin, order.languages, profile)
    if placed is None:
        # at the edge it is still better than nowhere
        placed = badge.plan(*size, order.label.origin, order.languages, order.profile.image)
    if placed is None:
        raise film.too_small(size)
    left, top = _safe(size, placed.size)
    mask, box = _stored(seen, placed.badge.mask, (left, top, *placed.size))
    grid = _grid(frame.format)
    plate, plate_box = canvas.on_grid(mask, box, grid, seen.stored)
    for old in records.old_boxes(order, size):
        _, other = _stored(seen, placed.badge.mask, old)
        plate, plate_box = canvas.covering(plate, plate_box, other, grid, seen.stored)
    shown = (left, top, *placed.size)
    record = records.record(placed, shown, size)
    patches = tuple(_patches(frame, np.asarray(plate), plate_box))
    return Stamp(placed.badge, plate_box, record, patches)


def _safe(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Where a box of that size goes: at the top right of the safe area, as far as there is room."""
    inset = min(round(_SAFE * size[0]), (size[0] - box[0]) // 2)
    share = _BELOW if size[1] > _TALL * size[0] else _SAFE
    return size[0] - box[0] - inset, min(round(share * size[1]), (size[1] - box[1]) // 2)


def _stored(seen: View, mask: Image.Image, box: canvas.Box) -> tuple[Image.Image, canvas.Box]:
    """Mask and box as they are stored: turned, and as narrow or wide as the pixels are not."""
    x, y, width, height = canvas.stored_box(box, seen.size, seen.turn)
    turned = canvas.stored_mask(mask, seen.turn)
    if seen.square != seen.stored:
        scale = seen.stored[0] / seen.square[0]
        left, right = round(x * scale), min(seen.stored[0], round((x + width) * scale))
        x, width = left, max(1, right - left)
    if turned.size != (width, height):
        turned = turned.resize((width, height), Image.Resampling.LANCZOS)
    return turned, (x, y, width, height)


def _grid(kind: VideoFormat) -> tuple[int, int]:
    """The blocks that share their colour; twice as high, since fields share it line by line."""
    across, down = 1, 1
    for index, part in enumerate(kind.components):
        if _is_colour(kind, index):
            across, down = -(-kind.width // part.width), -(-kind.height // part.height)
    return across, 2 * down if down > 1 else 1


def _patches(
    frame: VideoFrame, plate: NDArray[np.uint8], box: canvas.Box
) -> Iterator[tuple[int, tuple[slice, slice], NDArray[Any]]]:
    """What goes where, plane by plane."""
    x, y, width, height = box
    name, parts = frame.format.name, frame.format.components
    whole = (slice(y, y + height), slice(x, x + width))
    if name in _PACKED:
        yield 0, *_packed(frame, plate, box)
        return
    if name in {"nv12", "nv21"}:
        yield 0, whole, _ink(frame, plate, 8)
        low = (slice(y // 2, (y + height + 1) // 2), slice(x // 2 * 2, (x + width + 1) // 2 * 2))
        yield 1, low, np.full((low[0].stop - low[0].start, low[1].stop - low[1].start), 128, "u1")
        return
    if not cutting.planar(frame.format):
        raise film.variant(f"its colours are stored as {name}")
    for index, part in enumerate(parts):
        dtype = "<u2" if part.bits > 8 else "u1"
        if part.is_alpha:
            yield part.plane, whole, np.full((height, width), (1 << part.bits) - 1, dtype)
        elif _is_colour(frame.format, index):
            across, down = -(-frame.width // part.width), -(-frame.height // part.height)
            rows = slice(y // down, min(part.height, -(-(y + height) // down)))
            columns = slice(x // across, min(part.width, -(-(x + width) // across)))
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            yield part.plane, (rows, columns), np.full(shape, 1 << part.bits - 1, dtype)
        else:
            yield part.plane, whole, _ink(frame, plate, part.bits)


def _is_colour(kind: VideoFormat, index: int) -> bool:
    """Whether a component tells colour apart from light; libav's binding says so only where it is sampled less."""
    return kind.name.startswith(("yuv", "nv")) and index in {1, 2}


def _ink(frame: VideoFrame, plate: NDArray[np.uint8], bits: int) -> NDArray[Any]:
    """Plate and ink as numbers of luma, or of each colour."""
    top = (1 << bits) - 1
    low, high = (0, top) if films.full_range(frame) else (16 << bits - 8, 235 << bits - 8)
    ink = (high - low) * INK[films.transfer(frame)]
    numbers = low + plate.astype(np.float32) * (ink / 255)
    return np.asarray(numbers.round().astype("<u2" if bits > 8 else "u1"))


def _packed(
    frame: VideoFrame, plate: NDArray[np.uint8], box: canvas.Box
) -> tuple[tuple[slice, slice], NDArray[Any]]:
    x, y, width, height = box
    channels, alpha = _PACKED[frame.format.name]
    bits = frame.format.components[0].bits
    pixels = np.repeat(_ink(frame, plate, bits)[:, :, None], channels, 2)
    if alpha >= 0:
        pixels[:, :, alpha] = (1 << bits) - 1
    where = (slice(y, y + height), slice(x * channels, (x + width) * channels))
    return where, pixels.reshape(height, width * channels)
