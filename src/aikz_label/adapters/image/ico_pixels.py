"""The pixels of an icon's bitmaps: colours, and a mask of what is transparent; apart from `ico`, because it takes numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from aikz_label.adapters.image import canvas, dib_pixels
from aikz_label.adapters.image.dib import OS2, WINDOWS
from aikz_label.adapters.image.picture import Picture
from aikz_label.values import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.dib import Dib

_OPACITY = 0xFF000000  # of 32 bits; where all of it is empty, the mask decides


class IconPicture(Picture):
    """A bitmap with holes.

    Attributes:
        colours: The bitmap.
        holes: Rows × columns, true where nothing is drawn; not looked at where colours have their own opacity.
    """

    __slots__ = ("colours", "holes")

    def __init__(self, colours: Picture, holes: NDArray[Any]) -> None:
        super().__init__(colours.stored, 1)
        self.colours = colours
        self.holes = holes

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        self.colours.paint(mask, box)
        x, y, width, height = box
        self.holes[y : y + height, x : x + width] = False
        self.painted = canvas.around(box, self.painted)

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        left, top, right, bottom = edges
        holes = np.zeros((bottom - top, right - left), bool)
        here = self.holes[top:bottom, left:right]
        holes[: here.shape[0], : here.shape[1]] = here
        return IconPicture(self.colours._cut(edges), holes)  # noqa: SLF001  # of the same kind

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        seen = self.colours.crop(edges)
        if seen.mode == "RGBA":
            return seen
        left, top, right, bottom = edges
        opaque = np.where(self.holes[top:bottom, left:right], 0, 255).astype(np.uint8)
        seen = seen.convert("RGB")
        seen.putalpha(Image.fromarray(opaque))
        return seen

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`."""
        if not isinstance(other, IconPicture):
            return 0.0
        same = dib_pixels.same_outside(self.holes, other.holes, box)
        return self.colours.difference(other.colours, box) if same else 0.0


def decode(dib: Dib, data: bytes) -> IconPicture:
    """A bitmap with its mask; a mask that is not there has no holes.

    Args:
        dib: The bitmap, of its real height.
        data: The file up to the end of this size.
    """
    dib = _with_opacity(dib, data)
    holes = dib_pixels.unpacked(_mask_rows(dib, data), 1, dib.width) == 1
    return IconPicture(dib_pixels.decode(dib, data), holes)


def _with_opacity(dib: Dib, data: bytes) -> Dib:
    """The bitmap as icons mean it: 32 bits have opacity, if any of it is there."""
    if dib.depth != 32 or dib.masks[3]:
        return dib
    opacity = data[dib.pixels_at + 3 : dib.pixels_at + dib.plain_size : 4]
    return replace(dib, masks=(*dib.masks[:3], _OPACITY)) if any(opacity) else dib


def _mask_rows(dib: Dib, data: bytes) -> NDArray[Any]:
    """Rows of the mask with their padding, top row first."""
    stride = _mask_stride(dib.width)
    start = dib.pixels_at + dib.plain_size
    stored = data[start : start + stride * dib.height]
    rows = np.zeros(stride * dib.height, np.uint8)
    rows[: len(stored)] = np.frombuffer(stored, np.uint8)
    return rows.reshape(dib.height, stride)[::-1]


def encode(dib: Dib, data: bytes, picture: Picture) -> tuple[Dib, bytes]:
    """A painted size as it is stored: header, palette, colours, mask, and what follows them."""
    assert isinstance(picture, IconPicture)
    after, palette, pixels = dib_pixels.encode(_with_opacity(dib, data), data, picture.colours)
    colours_end = dib.palette_at + dib.entries * dib.entry
    grown = len(palette) > dib.entries * dib.entry
    head = bytearray(data[dib.at : dib.palette_at])
    word = 2 if dib.header == OS2 else 4  # of width and height, the planes and the depth follow
    if (after.width, after.height) != (dib.width, dib.height):
        sides = (side.to_bytes(word, "little") for side in (after.width, 2 * after.height))
        head[4 : 4 + 2 * word] = b"".join(sides)
    if after.depth != dib.depth:
        head[6 + 2 * word : 8 + 2 * word] = after.depth.to_bytes(2, "little")
    if grown and dib.header >= WINDOWS:
        head[32:36] = (len(palette) // dib.entry).to_bytes(4, "little")
        head[36:40] = bytes(4)
    if len(pixels) != dib.plain_size and any(head[20:24]):
        head[20:24] = bytes(4)  # the size may be left open
    mask, rest = _mask(dib, data, picture.holes)
    parts = [
        bytes(head),
        palette or data[dib.palette_at : colours_end],
        data[colours_end : dib.pixels_at],
        pixels,
        mask,
        rest,
    ]
    return after, b"".join(parts)


def _mask(dib: Dib, data: bytes, holes: NDArray[Any]) -> tuple[bytes, bytes]:
    """A painted mask as it is stored, and what follows it; one that is not there stays so."""
    rows, fresh = _mask_rows(dib, data), np.packbits(holes, axis=1)
    start = dib.pixels_at + dib.plain_size
    length = min(rows.size, max(0, len(data) - start))
    rest = data[start + length :]
    if holes.shape != (dib.height, dib.width):
        rows = np.zeros((len(holes), _mask_stride(holes.shape[1])), np.uint8)
        length = rows.size if length else 0
    elif spare := fresh.shape[1] * 8 - dib.width:
        fresh[:, -1] |= rows[:, fresh.shape[1] - 1] & ((1 << spare) - 1)
    rows[:, : fresh.shape[1]] = fresh
    return rows[::-1].tobytes()[:length], rest


def _mask_stride(width: int) -> int:
    """Bytes from one row of the mask to the next."""
    return (width + 31) // 32 * 4
