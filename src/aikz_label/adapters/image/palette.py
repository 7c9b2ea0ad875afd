"""Palettes: opaque black and white for the badge, also where all colours are taken."""

from __future__ import annotations

import math

from PIL import Image

from aikz_label.errors import Refused
from aikz_label.values import dataclass

Colour = tuple[int, ...]

_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
# Squared distance up to which a colour passes for black or white: ten levels of each channel, contrast stays above 18:1.
_ALIKE = 300


@dataclass(slots=True)
class Choice:
    """A palette that holds black and white.

    Attributes:
        entries: Its colours, red, green and blue.
        alpha: Their opacity.
        moved: Indices that were given up, each with the one that their pixels go to.
        black: Index of the plate.
        white: Index of the ink.
    """

    entries: list[Colour]
    alpha: list[int]
    moved: dict[int, int]
    black: int = -1
    white: int = -1


def choose(
    entries: list[Colour], alpha: list[int], used: list[int], kept: set[int], limit: int
) -> Choice:
    """Find or make room for the two colours; see `_slot`.

    Args:
        entries: The colours.
        alpha: Their opacity, 255 for opaque.
        used: How many pixels each has.
        kept: Indices that must keep their colour.
        limit: How many entries there may be.
    """
    choice = Choice(list(entries), list(alpha), {})
    used = [*used, *[0] * (limit - len(used))]
    choice.black = _slot(choice, _BLACK, used, kept, limit)
    choice.white = _slot(choice, _WHITE, used, kept | {choice.black}, limit)
    return choice


def _slot(choice: Choice, colour: Colour, used: list[int], kept: set[int], limit: int) -> int:
    """The index of an opaque colour, made where there is none.

    A free slot is used if there is one, then a colour that is nearly the same. Else the entry whose loss changes the
    picture least (pixels times squared distance to the nearest other entry) gives way, and its pixels go to that one.
    Opacities stay, since formats keep them apart from the colours: no slot is free that is transparent.
    """
    entries, alpha = choice.entries, choice.alpha
    opaque = [i for i, level in enumerate(alpha) if level == 255 and i != choice.black]
    for index in opaque:
        if entries[index] == colour:
            return index
    if len(entries) < limit:
        entries.append(colour)
        alpha.append(255)
        return len(entries) - 1
    free = [i for i in opaque if not used[i] and i not in kept]
    if free:
        index = free[0]
    else:
        near = _near(entries, opaque, colour)
        if near >= 0:
            return near
        index, neighbour = _cheapest(choice, used, kept)
        choice.moved = {a: neighbour if b == index else b for a, b in choice.moved.items()}
        choice.moved[index] = neighbour
        used[neighbour], used[index] = used[neighbour] + used[index], 0
    entries[index] = colour
    return index


def _cheapest(choice: Choice, used: list[int], kept: set[int]) -> tuple[int, int]:
    """The entry that matters least, and its nearest neighbour."""
    entries = choice.entries
    opaque = [i for i, level in enumerate(choice.alpha) if level == 255 and i != choice.black]
    best = (math.inf, 0, 0)
    for index in opaque:
        if index in kept:
            continue
        for other in opaque:
            if other != index:
                cost = used[index] * _distance(entries[index], entries[other])
                best = min(best, (cost, index, other))
    return best[1], best[2]


def _near(entries: list[Colour], candidates: list[int], colour: Colour) -> int:
    """The candidate nearest to a colour, if it is as good as the same; else -1."""
    index = min(candidates, key=lambda i: _distance(entries[i], colour), default=-1)
    return index if index >= 0 and _distance(entries[index], colour) <= _ALIKE else -1


def _distance(first: Colour, second: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def paint(image: Image.Image, mask: Image.Image, corner: tuple[int, int]) -> bool:
    """Draw into a Pillow image of mode P or PA, whose palette gets black and white.

    Returns:
        Whether pixels got another index to make room.
    """
    palette = image.getpalette("RGB") or []
    entries: list[Colour] = [tuple(palette[i : i + 3]) for i in range(0, len(palette), 3)]
    background = image.info.get("background")
    kept = {background} if isinstance(background, int) else set()
    alpha = opacities(image, len(entries))
    choice = choose(entries, alpha, image.histogram()[:256], kept, 256)
    if choice.moved:
        _move(image, choice.moved)
    if choice.entries != entries:
        image.putpalette([level for entry in choice.entries for level in entry])
    if choice.alpha != alpha and any(value < 255 for value in choice.alpha):
        image.info["transparency"] = bytes(choice.alpha)
    steps = [choice.white if level >= 128 else choice.black for level in range(256)]
    indices = mask.point(steps)
    if image.mode == "PA":
        indices = Image.merge("PA", (indices, Image.new("L", mask.size, 255)))
    image.paste(indices, corner)
    return bool(choice.moved)


def make_hole(image: Image.Image) -> bool:
    """Give a Pillow image of mode P a transparent colour that none of its pixels has; where all are taken, the cheapest.

    Returns:
        Whether pixels got another index to make room.
    """
    colours = image.getpalette("RGB") or []
    entries: list[Colour] = [tuple(colours[i : i + 3]) for i in range(0, len(colours), 3)]
    used = image.histogram()[:256]
    if 0 in used:
        index = used.index(0)
        image.putpalette(colours + [0] * (3 * (index + 1) - len(colours)))
    else:
        index, neighbour = _cheapest(Choice(entries, [255] * len(entries), {}), used, set())
        _move(image, {index: neighbour})
    image.info["transparency"] = index
    return 0 not in used


def with_black_and_white(colours: bytes, opacity: bytes, most: int) -> tuple[int, int, bytes]:
    """Numbers of black and of white in a palette whose entries must stay, and the palette with what was added.

    Raises:
        Refused: It has neither them nor room for them.
    """
    entries: list[Colour] = [tuple(colours[i : i + 3]) for i in range(0, len(colours), 3)]
    alpha = [*opacity[: len(entries)], *(255,) * (len(entries) - len(opacity))]
    found: list[int] = []
    for colour in (_BLACK, _WHITE):
        opaque = [i for i, level in enumerate(alpha) if level == 255]
        number = _near(entries, opaque, colour)
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


def with_hole(colours: bytes, opacity: bytes, most: int) -> tuple[int, bytes, bytes]:
    """The number of a transparent entry in a palette whose entries must stay, and both with what was added.

    Raises:
        Refused: There is none, nor room for one.
    """
    if 0 in opacity:
        return opacity.index(0), colours, opacity
    number = len(colours) // 3
    if number == most:
        raise Refused(
            "The first frame of this animation is a part of the canvas, and its palette has no room for transparency.",
            code="unsupported-variant",
            hint="Convert it to an animation in full colour with an alpha channel.",
        )
    return number, colours + bytes(3), opacity.ljust(number, b"\xff") + b"\0"


def opacities(image: Image.Image, count: int) -> list[int]:
    """Opacity of every palette entry; Pillow gives it as bytes or as one transparent index."""
    given = image.info.get("transparency")
    alpha = [255] * count
    if isinstance(given, bytes):
        alpha[: len(given)] = given[:count]
    elif isinstance(given, int) and given < count:
        alpha[given] = 0
    return alpha


def _move(image: Image.Image, moved: dict[int, int]) -> None:
    """Give pixels their new indices and leave the palette as it is."""
    table = [moved.get(index, index) for index in range(256)]
    palette, info = image.getpalette("RGB"), image.info
    if image.mode == "PA":
        fresh = Image.merge("PA", (image.getchannel("P").point(table), image.getchannel("A")))
    else:
        fresh = image.point(table)
    image.paste(fresh, (0, 0))
    if palette is not None:
        image.putpalette(palette)
    image.info = info
