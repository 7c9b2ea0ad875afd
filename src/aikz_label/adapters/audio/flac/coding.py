"""Coding a notice as FLAC, of any depth, number of channels and size of block: fixed predictors and Rice codes.

FFmpeg's encoder knows two depths and chooses its own blocks; frames of a notice must be like those of the file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import crc
from aikz_label.later import Later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Later("numpy")

Numbers: TypeAlias = "NDArray[np.int64]"
Bits: TypeAlias = "NDArray[np.uint8]"
_LEFT_AND_SIDE = 8
_ORDERS = 5
_PARTITIONS = 3  # two to the power of it, where the block can be divided so


def frame(samples: Numbers, depth: int, number: int, like: bytes, *, variable: bool) -> bytes:
    """One frame.

    Args:
        samples: One row for each channel.
        depth: Bits of a sample.
        number: Of the frame, or of its first sample where blocks vary.
        like: The head of a frame of the file: its rate and depth are written in the same way.
        variable: Blocks vary.
    """
    channels, length = samples.shape
    same = channels == 2 and bool((samples[0] == samples[1]).all())
    head = bytes((0xFF, 0xF9 if variable else 0xF8, 0x70 | like[2] & 15))
    head += bytes(((_LEFT_AND_SIDE if same else channels - 1) << 4 | like[3] & 14,))
    head += coded_number(number) + (length - 1).to_bytes(2) + _rate_of(like)
    head += bytes((crc.FLAC_HEAD.of(head),))
    if same:
        parts = [_subframe(samples[0], depth), _constant(0, depth + 1)]
    else:
        parts = [_subframe(channel, depth) for channel in samples]
    body: bytes = head + np.packbits(np.concatenate(parts)).tobytes()
    return body + crc.FLAC_FRAME.of(body).to_bytes(2)


def coded_number(number: int) -> bytes:
    """A number as frames have it: UTF-8's way of writing, up to 36 bits.

    Raises:
        MediaProblem: It takes more.
    """
    if number >= 1 << 36:
        raise MediaProblem("damaged", detail_word="too-long")
    if number < 0x80:
        return bytes((number,))
    count = next(n for n in range(1, 7) if number < 1 << 5 * n + 6)
    first = 0xFF00 >> count + 1 & 0xFF | number >> 6 * count
    rest = (0x80 | number >> 6 * i & 0x3F for i in range(count - 1, -1, -1))
    return bytes((first, *rest))


def widths(numbers: Numbers) -> Numbers:
    """How many bytes each number takes, coded so."""
    ends = [0x80, *(1 << 5 * n + 6 for n in range(1, 6))]
    return np.searchsorted(ends, numbers, side="right") + 1


def read_number(head: bytes) -> tuple[int, int]:
    """The number in the head of a frame, and how many bytes it takes; none of an impossible one."""
    if len(head) < 5:
        return 0, 0
    first = head[4]
    count = 0
    while count < 8 and first & 0x80 >> count:
        count += 1
    if count in {1, 8}:
        return 0, 0
    if not count:
        return first, 1
    number = first & 0x7F >> count
    for byte in head[5 : 4 + count]:
        number = number << 6 | byte & 0x3F
    return number, count


def head_length(head: bytes) -> int:
    """Bytes of the head of a frame, with its check sum; 0 when it is none."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return 0
    _, width = read_number(head)
    block = {6: 1, 7: 2}.get(head[2] >> 4, 0)
    rate = {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    return 4 + width + block + rate + 1 if width else 0


def _rate_of(like: bytes) -> bytes:
    """The bytes in which a head tells its rate, if it does so at its end."""
    width = {12: 1, 13: 2, 14: 2}.get(like[2] & 15, 0)
    end = head_length(like) - 1
    return like[end - width : end]


def _subframe(samples: Numbers, depth: int) -> Bits:
    """One channel, by the predictor that leaves the least."""
    if (samples == samples[0]).all():
        return _constant(int(samples[0]), depth)
    left = samples
    best, order = left, 0
    for tried in range(1, min(_ORDERS, len(samples))):
        left = np.diff(left)
        if np.abs(left).sum() < np.abs(best).sum():
            best, order = left, tried
    head = _number(0b001000 | order, 7)
    warm = [_number(int(value), depth) for value in samples[:order]]
    return np.concatenate((head, _number(0, 1), *warm, _residual(best, order)))


def _constant(value: int, depth: int) -> Bits:
    return np.concatenate((_number(0, 8), _number(value, depth)))


def _residual(left: Numbers, order: int) -> Bits:
    """What the predictor left, in Rice codes with a parameter for each part."""
    length = len(left) + order
    power = _PARTITIONS
    while length % (1 << power) or length >> power <= order:
        power -= 1
    folded = np.where(left < 0, -2 * left - 1, 2 * left)
    step = length >> power
    bounds = [max(0, i * step - order) for i in range((1 << power) + 1)]
    parts = [folded[a:b] for a, b in pairwise(bounds)]
    parameters = [_parameter(part) for part in parts]
    width = 5 if max(parameters) > 14 else 4
    coded = [_number(width - 4, 2), _number(power, 4)]
    for part, parameter in zip(parts, parameters, strict=True):
        coded += (_number(parameter, width), _rice(part, parameter))
    return np.concatenate(coded)


def _parameter(part: Numbers) -> int:
    mean = float(part.mean()) if len(part) else 0.0
    return min(max(int(np.log2(mean * 0.6931 + 1e-9)) + 1, 0) if mean else 0, 30)


def _rice(part: Numbers, parameter: int) -> Bits:
    """Zeros for the high part and a one, then the low part."""
    high = part >> parameter
    ends = np.cumsum(high + 1 + parameter)
    coded = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    ones = ends - parameter - 1
    coded[ones] = 1
    for bit in range(parameter):
        coded[ones + 1 + bit] = part >> (parameter - 1 - bit) & 1
    return coded


def _number(value: int, width: int) -> Bits:
    """A number of so many bits, the highest first."""
    shifts = range(width - 1, -1, -1)
    return np.array([value >> shift & 1 for shift in shifts], np.uint8)
