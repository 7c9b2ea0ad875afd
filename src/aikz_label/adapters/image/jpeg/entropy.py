"""JPEG coefficients, written as entropy-coded data: Huffman tables that fit the picture, and all blocks at once.

A picture stays sequential or progressive. Progressive ones get two bands per component after the means, without successive
approximation: that is a matter of transmission and loses nothing. The coefficients of a scan become *tokens*, a symbol and
the bits that follow it, as rows of one array: nothing here loops over blocks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.image.jpeg.coefficients import Component, Frame, Unreadable
from aikz_label.adapters.image.jpeg.loops import MAX_MCU

Numbers = NDArray[np.int64]
"""Of tokens, the columns are: order, table, symbol, the bits that follow it and how many they are."""

_BANDS = ((1, 5), (6, 63))
_LONGEST_RUN = 0x7FFF
PLACES = 128  # in the order of one block: the coefficients, then its end
_AT_ONCE = 1 << 16  # tokens
_NEVER = 1 << 40
_MOST_BITS = 15  # after a symbol, as far as four bits can say


def write(frame: Frame) -> bytes:
    """The scans of a picture with their tables, from the first table to the end marker."""
    every = (*range(len(frame.components)),)
    together = sum(one.h * one.v for one in frame.components) <= MAX_MCU
    groups = [every] if together else [(one,) for one in every]
    pieces = [b"\xff\xdd\x00\x04" + frame.interval.to_bytes(2)] if frame.interval else []
    pieces += [_scan(frame, group, 0, 0 if frame.progressive else 63) for group in groups]
    if frame.progressive:
        pieces += [_scan(frame, (one,), *band) for band in _BANDS for one in every]
    return b"".join([*pieces, b"\xff\xd9"])


def _scan(frame: Frame, group: tuple[int, ...], first: int, last: int) -> bytes:
    """One scan with the tables it uses."""
    chosen = [frame.components[index] for index in group]
    unit = sum(one.h * one.v for one in chosen) if len(group) > 1 else 1
    step = unit * frame.interval or _NEVER
    parts, before = [], 0
    for index, component in zip(group, chosen, strict=True):
        order, blocks = _ordered(component, unit, before)
        before += component.h * component.v
        starts = np.diff(order // step, prepend=-1) != 0
        slot = min(index, 1)
        if first == 0:
            values = blocks[:, 0].astype(np.int64)
            steps = np.where(starts, values, np.diff(values, prepend=0))
            parts.append(means(order, steps, slot))
        if last > 0:
            band = blocks[:, max(1, first) : last + 1]
            parts += others(order, band, starts, 16 + slot, max(1, first), merge=first > 0)
    tokens = in_order(parts)
    tables, coded, lengths = _coded(tokens)
    members = b"".join(bytes((frame.components[i].number, 0x11 * min(i, 1))) for i in group)
    header = bytes((len(group),)) + members + bytes((first, last, 0))
    cuts = np.flatnonzero(np.diff(tokens[:, 0] // PLACES // step)) + 1
    data = _joined(coded, lengths, cuts)
    return tables + b"\xff\xda" + (len(header) + 2).to_bytes(2) + header + data


def in_order(parts: list[Numbers]) -> Numbers:
    """All tokens as they follow one another.

    Raises:
        Unreadable: One is too large.
    """
    tokens = np.concatenate(parts)
    if tokens[:, 4].max(initial=0) > _MOST_BITS:
        raise Unreadable("a coefficient is too large")
    return tokens[np.argsort(tokens[:, 0], kind="stable")]


def _ordered(one: Component, unit: int, before: int) -> tuple[Numbers, NDArray[np.int16]]:
    """The blocks of a component in the order of the scan, and the place of each among all its blocks."""
    if unit == 1:
        blocks = one.blocks[: one.size[1], : one.size[0]].reshape(-1, 64)
        return np.arange(len(blocks)), blocks
    h, v = one.h, one.v
    blocks = one.blocks.reshape(one.rows // v, v, one.columns // h, h, 64).transpose(0, 2, 1, 3, 4)
    units = np.arange(one.rows // v * (one.columns // h))[:, None]
    return (units * unit + before + np.arange(h * v)).ravel(), blocks.reshape(-1, 64)


def _tokens(*columns: Numbers | int) -> Numbers:
    return np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.int64)


def _sizes(values: Numbers) -> Numbers:
    """How many bits a number has without its sign."""
    return np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)


def _after(values: Numbers, sizes: Numbers) -> Numbers:
    """The bits that tell which of the numbers with that many bits it is."""
    return np.where(values < 0, values + (1 << sizes) - 1, values)


def means(order: Numbers, steps: Numbers, table: int) -> Numbers:
    """Of every block by how much its mean differs from that before it."""
    sizes = _sizes(steps)
    return _tokens(order * PLACES, table, sizes, _after(steps, sizes), sizes)


def others(
    order: Numbers,
    band: NDArray[np.int16],
    starts: NDArray[np.bool_],
    table: int,
    low: int = 1,
    *,
    merge: bool = False,
) -> list[Numbers]:
    """The other coefficients: those that are not zero, each with the zeros before it, and where blocks end early."""
    block, place = np.nonzero(band)
    follows = np.diff(block, prepend=-1) == 0
    zeros = place - np.where(follows, np.roll(place, 1), -1) - 1
    values = band[block, place].astype(np.int64)
    sizes = _sizes(values)
    which = np.repeat(np.arange(len(block)), 1 + zeros // 16)
    final = np.diff(which, append=-1) != 0  # before it come tokens of 16 zeros each
    found = _tokens(
        order[block[which]] * PLACES + low + place[which],
        table,
        np.where(final, zeros[which] % 16 << 4 | sizes[which], 0xF0),
        np.where(final, _after(values, sizes)[which], 0),
        np.where(final, sizes[which], 0),
    )
    early = band[:, -1] == 0
    if not merge:
        return [found, _tokens(order[early] * PLACES + PLACES - 1, table, 0, 0, 0)]
    return [found, _runs(order, early, starts | band.any(axis=1), table)]


def _runs(
    order: Numbers, early: NDArray[np.bool_], opens: NDArray[np.bool_], table: int
) -> Numbers:
    """How many blocks end, told at the first of them; `opens` marks those with coefficients."""
    heads = np.flatnonzero(opens)
    counts = early[heads] + np.diff(heads, append=len(order)) - 1
    heads, counts = heads[counts > 0], counts[counts > 0]
    pieces = 1 + (counts - 1) // _LONGEST_RUN
    which = np.repeat(np.arange(len(heads)), pieces)
    final = np.diff(which, append=-1) != 0
    rest = counts - (pieces - 1) * _LONGEST_RUN
    runs = np.where(final, rest[which], _LONGEST_RUN)
    length = _sizes(runs) - 1
    key = order[heads[which]] * PLACES + PLACES - 1
    return _tokens(key, table, length << 4, runs - (1 << length), length)


def _coded(tokens: Numbers) -> tuple[bytes, Numbers, Numbers]:
    """The table segments, then for every token code and bits together, and how many they are."""
    segments, tables = [], {}
    for table in map(int, np.unique(tokens[:, 1])):
        symbols = tokens[tokens[:, 1] == table, 2]
        tables[table] = counts, listed = _huffman(np.bincount(symbols, minlength=256))
        body = bytes((table,)) + counts + listed
        segments.append(b"\xff\xc4" + (len(body) + 2).to_bytes(2) + body)
    return b"".join(segments), *coded_with(tokens, tables)


def coded_with(
    tokens: Numbers, tables: Mapping[int, tuple[bytes, bytes]]
) -> tuple[Numbers, Numbers]:
    """For every token code and bits together, and how many they are.

    Raises:
        Unreadable: A table has no code for one of them.
    """
    coded, lengths = tokens[:, 3].copy(), tokens[:, 4].copy()
    for table in map(int, np.unique(tokens[:, 1])):
        mine = tokens[:, 1] == table
        symbols = tokens[mine, 2]
        codes, sizes = codes_of(*tables[table])
        if not sizes[symbols].all():
            raise Unreadable("its tables lack a code")
        coded[mine] |= codes[symbols] << tokens[mine, 4]
        lengths[mine] += sizes[symbols]
    return coded, lengths


@lru_cache(maxsize=16)
def codes_of(counts: bytes, listed: bytes) -> tuple[Numbers, Numbers]:
    """The code of every symbol and its length, which is 0 where there is none (T.81 C.2)."""
    codes, sizes = np.zeros(256, np.int64), np.zeros(256, np.int64)
    code, given = 0, iter(listed)
    for size, number in enumerate(counts, 1):
        for _, symbol in zip(range(number), given, strict=False):
            codes[symbol], sizes[symbol] = code, size
            code += 1
        code <<= 1
    codes.flags.writeable = sizes.flags.writeable = False  # whoever asks next gets the same ones
    return codes, sizes


def _huffman(frequencies: NDArray[np.intp]) -> tuple[bytes, bytes]:
    """How many codes of each length there are, and the symbols in the order of their codes (T.81 K.2)."""
    ids = count()
    used = [int(symbol) for symbol in np.flatnonzero(frequencies)]
    heap = [(int(frequencies[symbol]), next(ids), [symbol]) for symbol in used]
    heap.append((1, -1, [256]))  # keeps the code of ones alone free
    heapq.heapify(heap)
    sizes = dict.fromkeys([*used, 256], 0)
    while len(heap) > 1:
        (first, _, some), (second, _, more) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (*some, *more):
            sizes[symbol] += 1
        heapq.heappush(heap, (first + second, next(ids), some + more))
    counts = [0] * (max(sizes.values()) + 17)
    for size in sizes.values():
        counts[size] += 1
    for size in range(len(counts) - 1, 16, -1):
        while counts[size]:
            shorter = next(s for s in range(size - 2, 0, -1) if counts[s])
            counts[size] -= 2
            counts[size - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    counts[max(size for size, number in enumerate(counts) if number)] -= 1
    return bytes(counts[1:17]), bytes(sorted(used, key=lambda one: (sizes[int(one)], one)))


def _joined(coded: Numbers, lengths: Numbers, cuts: Numbers) -> bytes:
    """The entropy-coded data, with a restart marker at every cut."""
    edges = [0, *map(int, cuts), len(coded)]
    pieces: list[bytes] = []
    for number, (start, stop) in enumerate(pairwise(edges)):
        if number:
            pieces.append(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        bits = np.concatenate([*bits_of(coded[start:stop], lengths[start:stop])])
        filled = np.concatenate([bits, np.ones(-len(bits) % 8, np.uint8)])
        pieces.append(np.packbits(filled).tobytes().replace(b"\xff", b"\xff\x00"))
    return b"".join(pieces)


def bits_of(coded: Numbers, lengths: Numbers) -> Iterator[NDArray[np.uint8]]:
    """The bits one by one, of many tokens at a time."""
    for start in range(0, max(1, len(coded)), _AT_ONCE):
        some, sizes = coded[start : start + _AT_ONCE], lengths[start : start + _AT_ONCE]
        ends = np.cumsum(sizes)
        which = np.repeat(np.arange(len(some)), sizes)
        shift = ends[which] - 1 - np.arange(len(which))
        yield (some[which] >> shift & 1).astype(np.uint8)
