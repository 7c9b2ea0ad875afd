"""The one section of a small frame of JPEG XL: levels, looked up in a palette of samples, as runs of what was there before.

A pixel is copied from the left or from the row above as often as that is long enough (ISO/IEC 18181-1, annexes C and H).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from aikz_label.adapters.image.jxl.bits import Choices, Writer
from aikz_label.adapters.image.jxl.entropy import codes
from aikz_label.values import dataclass

LEVELS = 256
_PIXELS, _PALETTE, _DISTANCES = range(3)  # contexts, in the order of the tree's leaves
_COPY, _LEAST, _NAMED = (
    224,
    3,
    120,
)  # the first symbol of a copy, its least length, distances with names
_LENGTH_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTH_CODES = {0: (0, 2), 4: (1, 2), 3: (2, 2), 2: (3, 3), 1: (7, 4), 5: (15, 4)}
_SHORT: Choices = ((0, 0), (0, 1), (4, 2), (8, 18))
_BEGIN: Choices = ((3, 0), (6, 8), (10, 72), (13, 1096))
_CHANNELS: Choices = ((0, 1), (0, 3), (0, 4), (13, 1))
_COLOURS: Choices = ((8, 0), (10, 256), (12, 1280), (16, 5376))


def section(levels: np.ndarray, samples: list[list[int]], shifts: list[int]) -> bytes:
    """A tree that parts palette and pixels, the codes of both, and both.

    Args:
        levels: Rows × columns, 0 to 255.
        samples: What each level is in each channel, the colours first.
        shifts: How often the channels beside the colours are halved; those that are have one sample for all levels.
    """
    colours = len(samples) - len(shifts)
    large = colours + next((i for i, shift in enumerate(shifts) if shift), len(shifts))
    tokens = [_Token(_PALETTE, _folded(value)) for channel in samples[:large] for value in channel]
    tokens += _tokens(levels)
    for shift, values in zip(shifts[large - colours :], samples[large:], strict=True):
        count = -(-levels.shape[1] >> shift) * -(-levels.shape[0] >> shift)
        tokens += _tokens(np.full((1, count), values[-1]))
    out = Writer().put(1, 1)  # usual quantisers of frames at an eighth, which there are none of
    _write_tree(out)
    _write_pixels(out, tokens, large)
    return out.align().bytes()


@dataclass(frozen=True, slots=True)
class _Token:
    """A number, or a copy of so many earlier ones from a distance before."""

    context: int
    value: int
    length: int = 0
    distance: int = 0


def _folded(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _tokens(levels: np.ndarray) -> Iterator[_Token]:
    """The pixels, as copies from the left or from the row above where that is long enough."""
    flat, width = levels.ravel().astype(np.int32), levels.shape[1]
    left, above = _runs(flat, 1), _runs(flat, width)
    at = 0
    while at < flat.size:
        length, distance = max((int(left[at]), 1), (int(above[at]), width))
        if length >= _LEAST + 2:
            yield _Token(_PIXELS, 0, length, distance)
            at += length
        else:
            yield _Token(_PIXELS, _folded(int(flat[at])))
            at += 1


def _runs(flat: np.ndarray, distance: int) -> np.ndarray:
    """For every pixel, how many from it on are equal to those so far before."""
    same = np.zeros(flat.size + 1, bool)
    same[distance:-1] = flat[distance:] == flat[:-distance]
    breaks = np.flatnonzero(~same)
    following = breaks[np.searchsorted(breaks, np.arange(flat.size))]
    return np.asarray(following - np.arange(flat.size))


def _write_tree(out: Writer) -> None:
    """One question, whether it is the palette, and two leaves without prediction, in a code of one bit."""
    out.put(1, 1)  # there is a tree
    out.put(0, 1)  # no copies
    out.put(1, 1).put(0, 2)  # one code for all contexts
    out.put(1, 1)  # a prefix code
    out.put(15, 4)  # numbers are their own symbols
    out.put(1, 1).put(0, 4)  # of two symbols
    out.put(1, 2).put(1, 2).put(0, 1).put(1, 1)  # named one by one: 0 and 1
    out.put(1, 1).put(0, 1)  # ask for the channel: is it above 0?
    out.put(0, 5).put(0, 5)  # two leaves: predictor, offset and multiplier are nothing


def _hybrid(value: int, exponent: int, high: int) -> tuple[int, int, int]:
    """Token, and how many bits of what follow it."""
    if value < 1 << exponent:
        return value, 0, 0
    size = value.bit_length() - 1
    rest = value - (1 << size)
    count = size - high
    token = (1 << exponent) + (size - exponent << high) + (rest >> count)
    return token, rest & (1 << count) - 1, count


def _write_pixels(out: Writer, tokens: Sequence[_Token], channels: int) -> None:
    """The codes of palette, pixels and distances, the palette's place, then everything."""
    parts: list[list[tuple[int, int, int, int]]] = []  # context, token, bits and their count
    for token in tokens:
        if not token.length:
            parts.append([(token.context, *_hybrid(token.value, 4, 2))])
            continue
        length = _hybrid(token.length - _LEAST, 0, 0)
        distance = _hybrid(token.distance - 1 + _NAMED, 4, 2)
        parts.append([(token.context, _COPY + length[0], *length[1:]), (_DISTANCES, *distance)])
    counts: list[dict[int, int]] = [{}, {}, {}]
    for part in parts:
        for context, symbol, _, _ in part:
            counts[context][symbol] = counts[context].get(symbol, 0) + 1
    out.put(1, 1).put(0, 2).put(0, 2).put(0, 4).put(0, 0)  # copies, from symbol 224 and length 3 on
    out.put(1, 1).put(2, 2).put(0, 2).put(1, 2).put(2, 2)  # three contexts, each with its code
    out.put(1, 1)
    for _ in range(3):
        out.put(4, 4).put(2, 3).put(0, 2)
    sizes = [max(found, default=0) + 1 for found in counts]
    for size in sizes:
        _write_short(out, size - 1)
    written = [
        _write_prefix_code(out, found, size) for found, size in zip(counts, sizes, strict=True)
    ]
    out.put(1, 1).put(1, 1).number(
        1, _SHORT
    )  # the tree from above, usual weights, one transformation:
    out.put(1, 2).number(0, _BEGIN).number(channels, _CHANNELS)  # a palette of all channels
    out.number(LEVELS, _COLOURS).put(0, 2).put(0, 4)
    for part in parts:
        for context, symbol, bits, count in part:
            out.put(*written[context][symbol]).put(bits, count)


def _write_short(out: Writer, value: int) -> None:
    """A number that says first how many bits it has."""
    if not value:
        out.put(0, 1)
        return
    size = value.bit_length() - 1
    out.put(1, 1).put(size, 4).put(value - (1 << size), size)


def _write_prefix_code(
    out: Writer, counts: dict[int, int], size: int
) -> dict[int, tuple[int, int]]:
    """A code for symbols that occur so often; returns what each is written as."""
    if size == 1:
        return {0: (0, 0)}
    if len(counts) == 1:
        (symbol,) = counts
        out.put(1, 2).put(0, 2).put(symbol, (size - 1).bit_length())
        return {symbol: (0, 0)}
    lengths = _lengths(counts)
    listed = [lengths.get(symbol, 0) for symbol in range(size)]
    while not listed[-1]:
        listed.pop()
    used = sorted(set(listed))
    inner = _flat(used)
    out.put(0, 2)
    space = 32
    for symbol in _LENGTH_ORDER:
        length = inner.get(symbol, 0)
        out.put(*_LENGTH_CODES[length])
        space -= 32 >> length if length else 0
        if not space:
            break
    coded = codes(inner) if len(used) > 1 else {used[0]: (0, 0)}
    for length in listed:
        out.put(*coded[length])
    return codes(lengths)


def _lengths(counts: dict[int, int]) -> dict[int, int]:
    """Lengths of a Huffman code; all alike where that would give some that are too long."""
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (count, symbol, (symbol,)) for symbol, count in counts.items()
    ]
    heapq.heapify(heap)
    lengths = dict.fromkeys(counts, 0)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in first[2] + second[2]:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), first[2] + second[2]))
    return lengths if max(lengths.values()) <= 15 else _flat(sorted(counts))


def _flat(symbols: Sequence[int]) -> dict[int, int]:
    """Lengths of a code that differ by one at most."""
    if len(symbols) == 1:
        return {symbols[0]: 1}
    size = (len(symbols) - 1).bit_length()
    short = (1 << size) - len(symbols)
    return {symbol: size - (index < short) for index, symbol in enumerate(symbols)}
