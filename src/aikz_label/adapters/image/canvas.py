"""Pixels: put a mask into any 8-bit mode, turn it as the file stores it, and compare two pictures.

The mask is white coverage: 0 is the plate, 255 the ink. Every mode says in its own way what black and white are.
"""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from aikz_label.errors import Refused

_STRIP = 128  # rows
Box = tuple[int, int, int, int]
"""Left, top, width, height in px."""

_TURN = Image.Transpose
# How the displayed picture is turned to be stored, for each EXIF orientation (tag 274, CIPA DC-008).
STORED_FROM_DISPLAYED = {
    2: _TURN.FLIP_LEFT_RIGHT,
    3: _TURN.ROTATE_180,
    4: _TURN.FLIP_TOP_BOTTOM,
    5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_90,
    7: _TURN.TRANSVERSE,
    8: _TURN.ROTATE_270,
}
DISPLAYED_FROM_STORED = STORED_FROM_DISPLAYED | {6: _TURN.ROTATE_270, 8: _TURN.ROTATE_90}


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
    turn = STORED_FROM_DISPLAYED.get(orientation)
    return mask if turn is None else mask.transpose(turn)


def displayed(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as people see it."""
    turn = DISPLAYED_FROM_STORED.get(orientation)
    return image if turn is None else image.transpose(turn)


def on_grid(
    mask: Image.Image, box: Box, grid: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, Box]:
    """Grow a plate outwards to a grid of blocks, the rim black, without leaving the picture."""
    x, y, _, _ = box
    left, top, width, height = grown = _grown(box, grid, size)
    plate = Image.new("L", (width, height), 0)
    plate.paste(mask, (x - left, y - top))
    return plate, grown


def centred(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Box:
    """The box moved by less than half a block, so that the rim of its plate is even."""
    left, top, width, height = _grown(box, grid, size)
    return left + (width - box[2]) // 2, top + (height - box[3]) // 2, box[2], box[3]


def _grown(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> Box:
    x, y, w, h = box
    left, top = x - x % grid[0], y - y % grid[1]
    right = min(size[0], -(-(x + w) // grid[0]) * grid[0])
    bottom = min(size[1], -(-(y + h) // grid[1]) * grid[1])
    return left, top, right - left, bottom - top


def covering(
    plate: Image.Image, box: Box, other: Box, grid: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, Box]:
    """Grow a plate so that it also covers another box, the new part black."""
    left, top = min(box[0], other[0]), min(box[1], other[1])
    right = max(box[0] + box[2], other[0] + other[2])
    bottom = max(box[1] + box[3], other[1] + other[3])
    grown = Image.new("L", (right - left, bottom - top), 0)
    grown.paste(plate, (box[0] - left, box[1] - top))
    return on_grid(grown, (left, top, *grown.size), grid, size)


def paint(image: Image.Image, mask: Image.Image, box: Box) -> None:
    """Draw the mask into a picture of any 8-bit mode, opaque, in place.

    Raises:
        Refused: The mode is not handled.
    """
    corner = box[:2]
    opaque = Image.new("L", mask.size, 255)
    match image.mode:
        case "L":
            image.paste(_off_key(mask, image.info.get("transparency")), corner)
        case "RGB":
            key = image.info.get("transparency")
            grey = key[0] if isinstance(key, tuple) and len(set(key)) == 1 else None
            image.paste(Image.merge("RGB", (_off_key(mask, grey),) * 3), corner)
        case "LA":
            image.paste(Image.merge("LA", (mask, opaque)), corner)
        case "RGBA":
            image.paste(Image.merge("RGBA", (mask, mask, mask, opaque)), corner)
        case "YCbCr":
            neutral = Image.new("L", mask.size, 128)
            image.paste(Image.merge("YCbCr", (mask, neutral, neutral)), corner)
        case "CMYK":
            none = Image.new("L", mask.size, 0)
            image.paste(Image.merge("CMYK", (none, none, none, ImageChops.invert(mask))), corner)
        case "1":
            image.paste(mask.point(lambda v: 255 * (v >= 128)).convert("1"), corner)
        case "P":
            _paint_palette(image, mask, corner)
        case _:
            raise Refused(f"Pictures of mode {image.mode} are not handled yet.", code="pixel-mode")


def _off_key(mask: Image.Image, key: object) -> Image.Image:
    """Avoid the one grey level that the file declares transparent."""
    if not isinstance(key, int):
        return mask
    instead = key - 1 if key > 127 else key + 1
    return mask.point([instead if level == key else level for level in range(256)])


def _paint_palette(image: Image.Image, mask: Image.Image, corner: tuple[int, int]) -> None:
    """Make sure that the palette holds opaque black and white, then draw with those two."""
    black = _palette_slot(image, (0, 0, 0), taken=-1)
    white = _palette_slot(image, (255, 255, 255), taken=black)
    image.paste(mask.point([white if level >= 128 else black for level in range(256)]), corner)


def _palette_slot(image: Image.Image, colour: tuple[int, int, int], taken: int) -> int:
    """The index of an opaque colour, made where there is none.

    A free slot is used if there is one. Else the entry whose loss changes the picture least (pixels times squared distance
    to the nearest other entry) gives way, and its pixels go to that neighbour.
    """
    palette = image.getpalette("RGB") or []
    entries = [tuple(palette[i : i + 3]) for i in range(0, len(palette), 3)]
    alpha = _alpha(image, len(entries))
    for index, entry in enumerate(entries):
        if entry == colour and alpha[index] == 255 and index != taken:
            return index
    used = image.histogram()[:256]
    if len(entries) < 256:
        index = len(entries)
        entries.append(colour)
        alpha.append(255)
    else:
        free = [i for i in range(256) if not used[i] and i != taken]
        index = free[0] if free else _merge_cheapest(image, entries, alpha, used, taken)
        entries[index], alpha[index] = colour, 255
    image.putpalette([level for entry in entries for level in entry])
    if any(value < 255 for value in alpha):
        image.info["transparency"] = bytes(alpha)
    return index


def _alpha(image: Image.Image, count: int) -> list[int]:
    """Opacity of every palette entry; Pillow gives it as bytes or as one transparent index."""
    given = image.info.get("transparency")
    alpha = [255] * count
    if isinstance(given, bytes):
        alpha[: len(given)] = given[:count]
    elif isinstance(given, int) and given < count:
        alpha[given] = 0
    return alpha


def _merge_cheapest(
    image: Image.Image,
    entries: list[tuple[int, ...]],
    alpha: list[int],
    used: list[int],
    taken: int,
) -> int:
    """Free the palette entry that matters least; returns its index."""
    best = (math.inf, 0, 0)
    for index, entry in enumerate(entries):
        if index == taken or alpha[index] < 255:
            continue
        for other, neighbour in enumerate(entries):
            if other not in {index, taken} and alpha[other] == 255:
                distance = sum((a - b) ** 2 for a, b in zip(entry, neighbour, strict=True))
                best = min(best, (used[index] * distance, index, other))
    _, index, neighbour_index = best
    table = [neighbour_index if level == index else level for level in range(256)]
    palette, info = image.getpalette("RGB"), image.info
    moved = image.point(table)
    image.paste(moved, (0, 0))
    if palette is not None:
        image.putpalette(palette)
    image.info = info
    return index


def difference_outside(
    first: Image.Image, second: Image.Image, box: Box | None
) -> tuple[float, int]:
    """PSNR in dB (infinite when equal) and largest difference of two pictures outside a box.

    Both have the same size and mode; palettes are compared by colour.

    Raises:
        ValueError: Sizes or modes differ.
    """
    if first.size != second.size or first.mode != second.mode:
        raise ValueError("the pictures differ in size or mode")
    if first.mode == "P":
        first, second = first.convert("RGBA"), second.convert("RGBA")
    if first.mode == "1":
        first, second = first.convert("L"), second.convert("L")
    histogram = [0] * 256
    for top in range(0, first.height, _STRIP):  # strips stay in the processor's cache
        area = (0, top, first.width, min(first.height, top + _STRIP))
        delta = ImageChops.difference(first.crop(area), second.crop(area))
        if box is not None:
            x, y, w, h = box
            delta.paste((0,) * len(delta.getbands()), (x, y - top, x + w, y - top + h))
        counts = delta.histogram()
        for index in range(0, len(counts), 256):
            histogram = [old + new for old, new in zip(histogram, counts[index:], strict=False)]
    bands = len(first.getbands())
    samples = first.width * first.height * bands - (box[2] * box[3] * bands if box else 0)
    squares = sum(count * level * level for level, count in enumerate(histogram))
    if not squares:
        return math.inf, 0
    worst = max(level for level, count in enumerate(histogram) if count)
    return 10 * math.log10(255 * 255 * max(samples, 1) / squares), worst
