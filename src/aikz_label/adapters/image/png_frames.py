"""The frames of an APNG that a strip comes under; apart from `png`, because it takes numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from aikz_label.adapters.image import apng, canvas, palette, png_rows
from aikz_label.adapters.image.container import Chunk
from aikz_label.adapters.image.png_header import (
    CHANNELS,
    GREY_ALPHA,
    PALETTE,
    RGB_ALPHA,
    SIGNATURE,
    chunk,
)
from aikz_label.errors import Refused
from aikz_label.limits import NO_LIMITS
from aikz_label.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.png import Png

_FINEST = (
    8  # bits of a channel that a search for a colour looks at, which makes 16.8 million colours
)
_COLOURS = {b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"}
_AT_ONCE = 1_000_000  # pixels


def striped(
    png: Png, data: bytes, box: Box, below: NDArray[Any], top: int, empty: tuple[int, ...] = ()
) -> bytes:
    """Image data of a frame as large as the canvas, with the band below it.

    Args:
        png: The file.
        data: Image data of the frame.
        box: Where the frame lies on the canvas.
        below: The band, rows × columns × channels of what the file stores; it may be wider than the canvas.
        top: Where it begins.
        empty: What the file stores where nothing is shown; needed around a frame that is a part of the canvas.
    """
    header, (width, _), wider = png.header, png.size, below.shape[1]
    whole = box == (0, 0, *png.size)
    if whole and wider == width:  # rows are appended, and none decoded
        return png_rows.extended(data, header, below, top)
    black, _ = png_rows.band(Image.new("L", (1, 1)), header, png.colours, png.palette)
    values = np.empty((top + len(below), wider, below.shape[2]), below.dtype)
    values[:top], values[top:] = black, below
    if not whole:
        values[:top, :width] = empty
    left, first, wide, high = box
    last = min(top, first + high)
    if last > first:
        values[first:last, left : left + wide] = _values(alone(png, data, box), last - first)
    return png_rows.packed(values, replace(header, size=(wider, len(values))))


def alone(png: Png, data: bytes, box: Box) -> Png:
    """A frame as a still picture of its own, with what says how its numbers look and nothing else."""
    header = replace(png.header, size=box[2:])
    colours = ((one.name, one.data) for one in png.chunks if one.name in {b"PLTE", b"tRNS"})
    parts = [(b"IHDR", header.packed), *colours, (b"IDAT", data), (b"IEND", b"")]
    file = SIGNATURE + b"".join(chunk(name, body) for name, body in parts)
    return type(png).parse(file, NO_LIMITS, thorough=False)


def _values(still: Png, rows: int) -> NDArray[Any]:
    """What the file stores for the first rows."""
    return png_rows.values(still.decode(), 0, rows)


def opening(png: Png) -> Image.Image:
    """See `Animated.opening`."""
    first = apng.shots(png.chunks)[0]
    still = alone(png, first.data(png.chunks), first.control.box)
    return canvas.on_empty(still.decode().seen(), first.control.box[:2], png.size)


def same_colours(png: Png, other: Png) -> bool:
    """See `Animated.same_colours`: a palette may have grown, and a transparent colour been added, that no picture has."""
    said, its = (
        [(c.name, c.data) for c in one.chunks if c.name in _COLOURS] for one in (png, other)
    )
    if said != its or png.header != replace(other.header, size=png.size):
        return False
    (colours, opacity), (grown, now) = png.palette, other.palette
    if png.header.colour_type != PALETTE:
        return opacity in {now, b""}
    count = len(colours) // 3
    was, seen = (one.ljust(count, b"\xff")[:count] for one in (opacity, now))
    kept = grown.startswith(colours) and was == seen
    return kept and (grown == colours or _all_below(png, count))


def _all_below(png: Png, count: int) -> bool:
    """Whether no picture has a number from so many on: without an entry most viewers show black there."""
    return all(
        int(_values(alone(png, data, box), box[3]).max()) < count for data, box in _pictures(png)
    )


def opened(png: Png) -> tuple[Png, tuple[int, ...]]:
    """The file with a number that means "nothing is shown here", and that number, channel by channel.

    Raises:
        Refused: Every one means something else.
    """
    header = png.header
    if header.colour_type in {GREY_ALPHA, RGB_ALPHA}:
        return png, (0,) * CHANNELS[header.colour_type]
    if header.colour_type == PALETTE:
        number, colours, opacity = palette.with_hole(*png.palette, most=2**header.depth)
        return _with(png, {b"PLTE": colours, b"tRNS": opacity}), (number,)
    if png.colours.key:
        return png, tuple(map(int, png.colours.key))
    key = _unused(png)
    return _with(png, {b"tRNS": b"".join(level.to_bytes(2) for level in key)}), key


def _with(png: Png, fresh: dict[bytes, bytes]) -> Png:
    """The file with other colours or opacities; these stand before the image data."""
    chunks: list[Chunk] = []
    for one in png.chunks:
        if one.name == b"IDAT" and all(other.name != b"tRNS" for other in chunks):
            chunks.append(Chunk.of(b"tRNS", fresh[b"tRNS"]))
        chunks.append(Chunk.of(one.name, fresh[one.name]) if one.name in fresh else one)
    return replace(png, chunks=tuple(chunks))


def _unused(png: Png) -> tuple[int, ...]:
    """The darkest colour that no picture of the file has, be it shown or not, and which is neither black nor white."""
    header, channels, colours = png.header, CHANNELS[png.header.colour_type], png.colours
    coarse = max(0, header.depth - _FINEST) if channels > 1 else 0
    bits = header.depth - coarse
    used = np.zeros(2 ** (bits * channels), np.bool_)
    used[_numbers(np.full((1, channels), colours.black), bits, coarse)] = True
    used[_numbers(np.full((1, channels), colours.white), bits, coarse)] = True
    for data, box in _pictures(png):
        values = _values(alone(png, data, box), box[3]).reshape(-1, channels)
        for start in range(0, len(values), _AT_ONCE):
            used[_numbers(values[start : start + _AT_ONCE], bits, coarse)] = True
    found = int(used.argmin())
    if used[found]:
        raise Refused(
            "The first frame of this animation is a part of the canvas, and no grey is left that could stand for nothing.",
            code="unsupported-variant",
            hint="Save it with an alpha channel, or so that its first frame covers the whole canvas.",
        )
    levels = [found >> bits * place & 2**bits - 1 for place in range(channels - 1, -1, -1)]
    return tuple(
        level * (257 if coarse else 1) for level in levels
    )  # who drops low bytes finds it too


def _numbers(values: NDArray[Any], bits: int, coarse: int) -> NDArray[np.int64]:
    """One number for each colour, of so many bits of each channel."""
    numbers = np.zeros(len(values), np.int64)
    for channel in values.T:
        numbers = numbers << bits | channel.astype(np.int64) >> coarse
    return numbers


def _pictures(png: Png) -> Iterator[tuple[bytes, Box]]:
    """Image data and place of everything the file shows to anybody."""
    if png.unshown:
        yield png.image_data, (0, 0, *png.size)
    for shot in apng.shots(png.chunks):
        yield shot.data(png.chunks), shot.control.box
