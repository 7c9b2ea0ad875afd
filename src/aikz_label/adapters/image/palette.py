"""Palettes: opaque black and white for the badge, also where all 256 colours are taken."""

from __future__ import annotations

import math

from PIL import Image

from aikz_label.errors import Refused

_ALIKE = 300  # squared distance in RGB: 10 levels in every channel, contrast stays above 18:1


def paint(image: Image.Image, mask: Image.Image, corner: tuple[int, int]) -> bool:
    """Make sure that the palette holds opaque black and white, then draw with those two.

    Returns:
        Whether pixels got another index to make room.
    """
    before = image.getpalette("RGB")
    used = image.histogram()[:256]
    black = _slot(image, (0, 0, 0), taken=-1)
    white = _slot(image, (255, 255, 255), taken=black)
    moved = image.getpalette("RGB") != before and image.histogram()[:256] != used
    indices = mask.point([white if level >= 128 else black for level in range(256)])
    if image.mode == "PA":
        indices = Image.merge("PA", (indices, Image.new("L", mask.size, 255)))
    image.paste(indices, corner)
    return moved


def _slot(image: Image.Image, colour: tuple[int, int, int], taken: int) -> int:
    """The index of an opaque colour, made where there is none.

    A free slot is used if there is one, else a colour that nobody tells from it. Else the entry whose loss changes the
    picture least (pixels times squared distance to the nearest other entry) gives way, and its pixels go to that
    neighbour. The background colour is never touched.
    """
    palette = image.getpalette("RGB") or []
    entries = [tuple(palette[i : i + 3]) for i in range(0, len(palette), 3)]
    alpha = opacities(image, len(entries))
    for index, entry in enumerate(entries):
        if entry == colour and alpha[index] == 255 and index != taken:
            return index
    used = image.histogram()[:256]
    if len(entries) < 256:
        index = len(entries)
        entries.append(colour)
        alpha.append(255)
    else:
        kept = {taken, image.info.get("background")}
        free = [i for i in range(256) if not used[i] and i not in kept]
        close = -1 if free else _close(entries, alpha, colour, taken)
        if close >= 0:
            return close
        index = free[0] if free else _merge_cheapest(image, entries, alpha, used, kept)
        entries[index], alpha[index] = colour, 255
    image.putpalette([level for entry in entries for level in entry])
    if any(value < 255 for value in alpha):
        image.info["transparency"] = bytes(alpha)
    return index


def with_black_and_white(colours: bytes, opacity: bytes, most: int) -> tuple[int, int, bytes]:
    """Numbers of black and of white in a palette whose entries must stay, and the palette with what was added.

    Raises:
        Refused: It has neither them nor room for them.
    """
    entries = [tuple(colours[i : i + 3]) for i in range(0, len(colours), 3)]
    alpha = [*opacity[: len(entries)], *(255,) * (len(entries) - len(opacity))]
    found: list[int] = []
    for colour in ((0, 0, 0), (255, 255, 255)):
        number = _close(entries, alpha, colour, taken=-1)
        if number < 0:
            if len(entries) == most:
                raise Refused(
                    "The palette of this animation has neither black and white nor room for them.",
                    code="unsupported-variant",
                    hint="Convert it to an animation in full colour.",
                )
            number = len(entries)
            entries.append(colour)
            alpha.append(255)
        found.append(number)
    return found[0], found[1], bytes(level for entry in entries for level in entry)


def _close(
    entries: list[tuple[int, ...]], alpha: list[int], colour: tuple[int, int, int], taken: int
) -> int:
    """The opaque entry nearest to a colour, if it is as good as the same; else -1."""
    distances = [
        (sum((a - b) ** 2 for a, b in zip(entry, colour, strict=True)), index)
        for index, entry in enumerate(entries)
        if alpha[index] == 255 and index != taken
    ]
    distance, index = min(distances, default=(math.inf, -1))
    return index if distance <= _ALIKE else -1


def opacities(image: Image.Image, count: int) -> list[int]:
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
    kept: set[object],
) -> int:
    """Free the palette entry that matters least; returns its index."""
    best = (math.inf, 0, 0)
    for index, entry in enumerate(entries):
        if index in kept or alpha[index] < 255:
            continue
        for other, neighbour in enumerate(entries):
            if other != index and other not in kept and alpha[other] == 255:
                distance = sum((a - b) ** 2 for a, b in zip(entry, neighbour, strict=True))
                best = min(best, (used[index] * distance, index, other))
    _, index, neighbour_index = best
    table = [neighbour_index if level == index else level for level in range(256)]
    palette, info = image.getpalette("RGB"), image.info
    if image.mode == "PA":
        moved = Image.merge("PA", (image.getchannel("P").point(table), image.getchannel("A")))
    else:
        moved = image.point(table)
    image.paste(moved, (0, 0))
    if palette is not None:
        image.putpalette(palette)
    image.info = info
    return index
