"""Pillow's modes: what black and white are in each, how to show it in 8 bits, and how far two pictures differ."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops

from aikz_label.adapters.image import palette
from aikz_label.adapters.image.canvas import Box
from aikz_label.errors import Refused

NUMERIC = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")  # one channel of more than 8 bits
_STRIP = 128  # rows
_FEW_LEVELS = 4  # which are counted one by one faster than all at once


def paint(image: Image.Image, mask: Image.Image, box: Box) -> bool:
    """Draw the mask into a picture of any mode, opaque, in place.

    The mask is white coverage: 0 is the plate, 255 the ink.

    Returns:
        Whether pixels outside the box changed too, which a full palette can make necessary.

    Raises:
        Refused: The mode is not one of Pillow's.
    """
    mode, corner = image.mode, box[:2]
    if mode in {"P", "PA"}:
        return palette.paint(image, mask, corner)
    if mode in NUMERIC:
        image.paste(_numeric_patch(image, mask), corner)
    elif mode == "1":
        image.paste(mask.point(lambda v: 255 * (v >= 128)).convert("1"), corner)
    else:
        image.paste(_patch(image, mask), corner)
    return False


def _patch(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The mask in a mode of 8-bit channels."""
    full, none, neutral = (Image.new("L", mask.size, level) for level in (255, 0, 128))
    key = image.info.get("transparency")
    match image.mode:
        case "L":
            return _off_key(mask, key)
        case "RGB":
            grey = key[0] if isinstance(key, tuple) and len(set(key)) == 1 else None
            channels = [_off_key(mask, grey)] * 3
        case "LA" | "La":
            channels = [mask, full]
        case "RGBA" | "RGBa" | "RGBX":
            channels = [mask, mask, mask, full]
        case "YCbCr" | "LAB":
            channels = [mask, neutral, neutral]
        case "HSV":
            channels = [none, none, mask]
        case "CMYK":
            channels = [none, none, none, ImageChops.invert(mask)]
        case _:
            raise Refused(f"Pictures of mode {image.mode} are not handled.", code="pixel-mode")
    return Image.merge(image.mode, channels)


def _off_key(mask: Image.Image, key: object) -> Image.Image:
    """Avoid the one grey level that the file declares transparent."""
    if not isinstance(key, int):
        return mask
    instead = key - 1 if key > 127 else key + 1
    return mask.point([instead if level == key else level for level in range(256)])


def _numeric_patch(image: Image.Image, mask: Image.Image) -> Image.Image:
    from aikz_label.adapters.image import samples  # noqa: PLC0415  # for these rare files only

    whole = samples.of_numeric(image)
    patch = whole.coverage(mask)[..., 0]
    return Image.frombytes(image.mode, mask.size, patch.tobytes())


def eight_bit(part: Image.Image, whole: Image.Image) -> Image.Image:
    """A part of a picture in a mode that Pillow converts to RGB and RGBA as people see it."""
    match part.mode:
        case "La":
            return part.convert("LA")
        case "RGBa":
            return part.convert("RGBA")
        case "RGBX":
            return part.convert("RGB")
        case "LAB" | "I;16" | "I;16L" | "I;16B" | "I;16N" | "I" | "F":
            from aikz_label.adapters.image import samples  # noqa: PLC0415  # for these rare files only

            return samples.eight_bit(part, whole)
        case _:
            return part


def difference_outside(first: Image.Image, second: Image.Image, *boxes: Box) -> float:
    """PSNR in dB of two pictures outside boxes that lie apart, infinite when equal.

    Both have the same size and mode; palettes are compared by colour.

    Raises:
        ValueError: Sizes or modes differ.
    """
    if first.size != second.size or first.mode != second.mode:
        raise ValueError("the pictures differ in size or mode")
    if first.mode in NUMERIC:
        from aikz_label.adapters.image import samples  # noqa: PLC0415  # for these rare files only

        return samples.of_numeric(first).likeness(samples.of_numeric(second), boxes)
    if first.mode in {"P", "PA"}:
        first, second = first.convert("RGBA"), second.convert("RGBA")
    if first.mode == "1":
        first, second = first.convert("L"), second.convert("L")
    squares = 0
    for top in range(0, first.height, _STRIP):  # strips stay in the processor's cache
        area = (0, top, first.width, min(first.height, top + _STRIP))
        delta = ImageChops.difference(first.crop(area), second.crop(area))
        for x, y, w, h in boxes:
            delta.paste((0,) * len(delta.getbands()), (x, y - top, x + w, y - top + h))
        squares += _squares(delta)
    bands = len(first.getbands())
    values = (first.width * first.height - sum(w * h for _, _, w, h in boxes)) * bands
    if not squares:
        return math.inf
    return 10 * math.log10(255 * 255 * max(values, 1) / squares)


def _squares(delta: Image.Image) -> int:
    """The sum of squares: quickly where there are few levels, as after coding anew."""
    levels = np.asarray(delta)
    most = int(levels.max(initial=0))
    if most <= _FEW_LEVELS:
        return sum((2 * n - 1) * int(np.count_nonzero(levels >= n)) for n in range(1, most + 1))
    return sum(count * (index % 256) ** 2 for index, count in enumerate(delta.histogram()) if count)


def difference_as_shown(first: Image.Image, second: Image.Image, *boxes: Box) -> float:
    """As `difference_outside`, of what people see: on white and on black, the worse of both.

    A lossy codec may do as it likes with colours under full transparency. Opacity itself must be the same: else 0.

    Raises:
        ValueError: Sizes or modes differ.
    """
    if first.mode not in {"LA", "RGBA"} or first.mode != second.mode:
        return difference_outside(first, second, *boxes)
    opacity = ImageChops.difference(first.getchannel("A"), second.getchannel("A"))
    for x, y, w, h in boxes:
        opacity.paste(0, (x, y, x + w, y + h))
    if opacity.getbbox() is not None:
        return 0.0
    return min(
        difference_outside(_on(first, ground), _on(second, ground), *boxes) for ground in (0, 255)
    )


def _on(image: Image.Image, ground: int) -> Image.Image:
    plate = Image.new("RGBA", image.size, (ground, ground, ground, 255))
    return Image.alpha_composite(plate, image.convert("RGBA")).convert("RGB")
