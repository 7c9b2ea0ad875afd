"""A notice as a layer of a JPEG XL image: frames of its own, laid over the picture, which stays as it is, bit by bit.

A layer replaces the colours and the opacity below it and leaves every other channel alone (ISO/IEC 18181-1, annex F).
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from aikz_label.adapters.image.jxl.bits import Writer
from aikz_label.adapters.image.jxl.coding import LEVELS, section
from aikz_label.adapters.image.jxl.frames import DURATION, PLACE, SECTION, SLOT
from aikz_label.adapters.image.jxl.header import Depth, Extra, Header
from aikz_label.adapters.image.samples import INK
from aikz_label.values import dataclass

LARGEST = 1024  # px: what fits into one section
_DIFFUSE_WHITE = 203.0  # nit
_BIAS = 0.0037930732552754493  # of the eyes' response that XYB stands for
_UNIT = 255.0  # nit of 1 in XYB
_STEPS = 512  # of luma in XYB


@dataclass(frozen=True, slots=True)
class Time:
    """What a layer says of time, and of what follows it.

    Attributes:
        duration: Ticks that it shows with all that lies below it.
        timecode: Its time, where frames have such.
        last: No other frame follows.
        slot: Where it is kept for later frames; 0 with a duration keeps it nowhere.
    """

    duration: int = 0
    timecode: int = 0
    last: bool = True
    slot: int = 0


def layers(
    header: Header, mask: Image.Image, corner: tuple[int, int], source: int, time: Time
) -> bytes:
    """The frames that lay a mask over what is kept in a slot; more than one only if it is very large.

    Args:
        header: The image.
        mask: White coverage.
        corner: Where it lies in the stored picture.
        source: The slot.
        time: Of the last of the frames.
    """
    pieces = [
        (left, top)
        for top in range(0, mask.height, LARGEST)
        for left in range(0, mask.width, LARGEST)
    ]
    done, samples = [], palette(header)
    for index, (left, top) in enumerate(pieces):
        edges = (left, top, min(left + LARGEST, mask.width), min(top + LARGEST, mask.height))
        part = mask.crop(edges)
        final = index == len(pieces) - 1
        box = (corner[0] + left, corner[1] + top, *part.size)
        head = _frame_header(header, box, source, time if final else Time(last=False, slot=source))
        data = section(np.asarray(part), samples, [c.shift for c in header.channels])
        sizes = Writer().number(len(data), SECTION).align().bytes()
        done += [head.put(0, 1).align().bytes(), sizes, data]
    return b"".join(done)


def _frame_header(
    header: Header, box: tuple[int, int, int, int], source: int, time: Time
) -> Writer:
    out = Writer().put(0, 1).put(0, 2).put(1, 1).put(0, 2)  # regular, modular, no flags
    if not header.xyb:
        out.put(0, 1)
    out.put(0, 2 + 2 * len(header.channels))  # not upsampled
    out.put(3, 2).put(0, 2).put(1, 1)  # the largest groups, one pass, a part of the picture
    x, y, width, height = box
    for value in (2 * x, 2 * y, width, height):
        out.number(value, PLACE)
    partial = box != (0, 0, *header.size)
    for mode in (0, *(0 if _is_replaced(c.kind) else 1 for c in header.channels)):
        out.put(mode, 2)  # replaced, or added to
        if mode or partial:
            out.number(source, SLOT)
    if header.animated:
        out.number(time.duration, DURATION)
    if header.timecodes:
        out.put(time.timecode, 32)
    out.put(time.last, 1)
    if not time.last:
        out.number(time.slot, SLOT)
        if not partial and (not time.duration or time.slot):
            out.put(0, 1)
    return out.put(0, 2).put(0, 1).put(0, 1).put(0, 2).put(0, 2).put(0, 2)  # no name, no filters


def _is_replaced(kind: int) -> bool:
    return kind in {Extra.ALPHA, Extra.BLACK, Extra.SPOT}


# --- samples --------------------------------------------------------------------------------------------------------


def palette(header: Header) -> list[list[int]]:
    """For every channel, the colours first, the samples that stand for the 256 levels of a mask."""
    shares = [level / (LEVELS - 1) for level in range(LEVELS)]
    black = any(channel.kind == Extra.BLACK for channel in header.channels)
    if header.xyb:
        luma = [2 * round(_luma(header, share) * _STEPS / 2) for share in shares]
        colours = [luma, [0] * LEVELS, [-value // 2 for value in luma]]
    elif black:  # ink is counted backwards: all colours white, the black channel does it all
        colours = [[_sample(header.depth, 1.0)] * LEVELS] * 3
    else:
        ink = _ink(header)
        grey = [_sample(header.depth, share * ink) for share in shares]
        colours = [grey] * (1 if header.grey else 3)
    for channel in header.channels:
        if channel.kind == Extra.ALPHA:
            colours.append([_sample(channel.depth, 1.0)] * LEVELS)
        elif channel.kind == Extra.BLACK:
            colours.append([_sample(channel.depth, share) for share in shares])
        else:
            colours.append([0] * LEVELS)
    return colours


def _ink(header: Header) -> float:
    """Share of the range that diffuse white takes."""
    if header.transfer in {"pq", "hlg"}:
        return INK[header.transfer]
    if header.transfer == "linear" and header.peak > _UNIT:
        return _DIFFUSE_WHITE / header.peak
    return 1.0


def _luma(header: Header, share: float) -> float:
    """What a share of the range of sRGB is in XYB, where light is absolute."""
    linear = share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
    white = {"sdr": header.peak, "hlg": header.peak * _DIFFUSE_WHITE / 1000}.get(
        header.transfer, min(header.peak, _DIFFUSE_WHITE)
    )
    return float(math.cbrt(linear * white / _UNIT + _BIAS) - math.cbrt(_BIAS))


def _sample(depth: Depth, share: float) -> int:
    """A share of the range as a number, or as the bits of one."""
    if not depth.exponent:
        return round(share * ((1 << depth.bits) - 1))
    fraction = depth.bits - depth.exponent - 1
    if share <= 0:
        return 0
    power, bias = math.floor(math.log2(share)), (1 << depth.exponent - 1) - 1
    if power + bias < 1:
        return round(share * 2.0 ** (bias - 1 + fraction))
    return (power + bias << fraction) + round((share / 2.0**power - 1) * (1 << fraction))
