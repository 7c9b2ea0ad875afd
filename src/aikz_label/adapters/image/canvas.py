"""Geometry: boxes and masks between the displayed picture and the stored one, and plates on a grid of blocks.

Boxes are numbers alone, and containers count with them before anything is decoded, so Pillow comes only with a mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, width, height in px."""

# How the displayed picture is turned to be stored, for each EXIF orientation (tag 274, CIPA DC-008), in Pillow's words.
_STORED_FROM_DISPLAYED = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_90",
    7: "TRANSVERSE",
    8: "ROTATE_270",
}
_DISPLAYED_FROM_STORED = _STORED_FROM_DISPLAYED | {6: "ROTATE_270", 8: "ROTATE_90"}


def on_empty(image: Image.Image, corner: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """A picture on a canvas that is transparent elsewhere; the picture itself where it is all of that."""
    from PIL import Image  # noqa: PLC0415  # see above

    if (corner, image.size) == ((0, 0), size):
        return image
    canvas = Image.new("RGBA", size)
    canvas.paste(image.convert("RGBA"), corner)
    return canvas


def displayed_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Size of the picture as people see it."""
    return size if orientation < 5 else (size[1], size[0])


def stored_box(box: Box, displayed: tuple[int, int], orientation: int) -> Box:
    """Where a box of the displayed picture lies in the stored one."""
    x, y, w, h = box
    right, below = displayed[0] - x - w, displayed[1] - y - h
    return {
        2: (right, y, w, h),
        3: (right, below, w, h),
        4: (x, below, w, h),
        5: (y, x, h, w),
        6: (y, right, h, w),
        7: (below, right, h, w),
        8: (below, x, h, w),
    }.get(orientation, box)


def at_one_corner(stored: tuple[int, int], other: tuple[int, int], orientation: int) -> bool:
    """Whether what is shown at the upper left of a picture has the same place in a stored picture of another size."""
    first, second = (
        stored_box((0, 0, 1, 1), displayed_size(size, orientation), orientation)
        for size in (stored, other)
    )
    return first == second


def shown_box(box: Box, displayed: tuple[int, int], orientation: int) -> Box:
    """Where a box of the stored picture is seen: the reverse of `stored_box`."""
    x, y, w, h = box
    match orientation:
        case 6:
            return displayed[0] - y - h, x, h, w
        case 8:
            return y, displayed[1] - x - w, h, w
        case _:  # the others undo themselves, in the size of the stored picture
            stored = displayed if orientation < 5 else (displayed[1], displayed[0])
            return stored_box(box, stored, orientation)


def stored_mask(mask: Image.Image, orientation: int) -> Image.Image:
    """The mask as it must be stored to be seen upright."""
    return _turned(mask, _STORED_FROM_DISPLAYED.get(orientation))


def displayed(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as people see it."""
    return _turned(image, _DISPLAYED_FROM_STORED.get(orientation))


def _turned(image: Image.Image, turn: str | None) -> Image.Image:
    if turn is None:
        return image
    from PIL import Image  # noqa: PLC0415

    return image.transpose(Image.Transpose[turn])


def on_grid(
    mask: Image.Image, box: Box, grid: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, Box]:
    """Grow a plate outwards to a grid of blocks, the rim black, without leaving the picture."""
    from PIL import Image  # noqa: PLC0415

    x, y, _, _ = box
    left, top, width, height = whole = grown(box, grid, size)
    plate = Image.new("L", (width, height), 0)
    plate.paste(mask, (x - left, y - top))
    return plate, whole


def centred(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Box:
    """The box moved by less than half a block, so that the rim of its plate is even."""
    left, top, width, height = grown(box, grid, size)
    return left + (width - box[2]) // 2, top + (height - box[3]) // 2, box[2], box[3]


def grown(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Box:
    """A box grown outwards to a grid of blocks, without leaving the picture."""
    x, y, w, h = box
    left, top = x - x % grid[0], y - y % grid[1]
    right = min(size[0], -(-(x + w) // grid[0]) * grid[0])
    bottom = min(size[1], -(-(y + h) // grid[1]) * grid[1])
    return left, top, right - left, bottom - top


def covering(
    plate: Image.Image, box: Box, other: Box, grid: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, Box]:
    """Grow a plate so that it also covers another box, the new part black."""
    from PIL import Image  # noqa: PLC0415

    left, top, width, height = both = around(box, other)
    grown = Image.new("L", (width, height), 0)
    grown.paste(plate, (box[0] - left, box[1] - top))
    return on_grid(grown, both, grid, size)


def around(box: Box, other: Box | None) -> Box:
    """The smallest box that holds both."""
    if other is None:
        return box
    left, top = min(box[0], other[0]), min(box[1], other[1])
    right = max(box[0] + box[2], other[0] + other[2])
    bottom = max(box[1] + box[3], other[1] + other[3])
    return left, top, right - left, bottom - top
