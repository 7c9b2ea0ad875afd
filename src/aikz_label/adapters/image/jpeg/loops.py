"""Entropy-coded data, read coefficient by coefficient: the part of `coefficients` that takes the time."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aikz_label.values import dataclass

MAX_MCU = 10  # blocks, T.81 B.2.3
_AFTER = MAX_MCU * 64 * 4  # bytes that reading one unit can ask for after the end
_ALL = 64

Table = Sequence[int]
"""For every 16 bits that can follow: length of the code times 256, plus the symbol."""
Mcus = list[list[tuple[int, int]]]
"""For every unit of a scan its blocks: number of the component within the scan, and where its coefficients begin."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan header says.

    Attributes:
        members: Of each component its index and the numbers of its two tables.
        first: The first of the coefficients it is about.
        last: The last of them.
        high: How many bits were left out so far; 0 in the first scan about them.
        low: How many still are.
    """

    members: tuple[tuple[int, int, int], ...]
    first: int
    last: int
    high: int
    low: int


def words_of(part: bytes) -> tuple[array[int], int]:
    """The four bytes from every byte on, with zeros after the end, and the number of bits."""
    plain = part.replace(b"\xff\x00", b"\xff")
    found = array("I")
    found.frombytes(words(plain).tobytes())
    return found, 8 * len(plain)


def words(plain: bytes) -> NDArray[np.uint32]:
    """The same of data without stuffing."""
    padded = np.frombuffer(plain + bytes(_AFTER + 4), np.uint8).astype(np.uint32)
    found = padded[:-3] << 24 | padded[1:-2] << 16 | padded[2:-1] << 8 | padded[3:]
    return found.astype(np.uint32, copy=False)


# The loops below run once per coefficient, so each is one function without calls. Everywhere `words[at >> 3]` holds the
# next bits, shifted by `at & 7`.


def sequential(
    words: array[int],
    end: int,
    mcus: Mcus,
    tables: list[tuple[Table, Table]],
    data: list[array[int]],
) -> None:
    """All coefficients, block after block."""
    at, last = 0, [0] * len(data)
    for mcu in mcus:
        if at >= end:
            return
        for slot, base in mcu:
            dc, ac = tables[slot]
            found = dc[words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
            at += found >> 8
            size = found & 15
            if size:
                value = words[at >> 3] >> (32 - (at & 7) - size) & ((1 << size) - 1)
                at += size
                last[slot] += value if value >> (size - 1) else value - (1 << size) + 1
            data[slot][base] = last[slot]
            k = 1
            while k < 64:
                found = ac[words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
                at += found >> 8
                size = found & 15
                k += found >> 4 & 15
                if size:
                    value = words[at >> 3] >> (32 - (at & 7) - size) & ((1 << size) - 1)
                    at += size
                    value = value if value >> (size - 1) else value - (1 << size) + 1
                    data[slot][base + (min(63, k))] = value
                elif found & 255 != 0xF0:
                    break
                k += 1


def first(
    words: array[int], end: int, mcus: Mcus, scan: Scan, tables: list[Table], data: list[array[int]]
) -> None:
    """Upper bits of the mean of every block."""
    at, last = 0, [0] * len(data)
    for mcu in mcus:
        if at >= end:
            return
        for slot, base in mcu:
            found = tables[slot][words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
            at += found >> 8
            size = found & 15
            if size:
                value = words[at >> 3] >> (32 - (at & 7) - size) & ((1 << size) - 1)
                at += size
                last[slot] += value if value >> (size - 1) else value - (1 << size) + 1
            data[slot][base] = last[slot] << scan.low


def refine_first(
    words: array[int], end: int, mcus: Mcus, scan: Scan, data: list[array[int]]
) -> None:
    """One more bit of the mean of every block."""
    at = 0
    for mcu in mcus:
        if at >= end:
            return
        for slot, base in mcu:
            if words[at >> 3] >> (31 - (at & 7)) & 1:
                data[slot][base] |= 1 << scan.low
            at += 1


def others(
    words: array[int], end: int, bases: list[int], scan: Scan, table: Table, data: array[int]
) -> None:
    """Upper bits of the other coefficients of one component."""
    at = run = 0
    for base in bases:
        if run:
            run -= 1
            continue
        if at >= end:
            return
        k = scan.first
        while k <= scan.last:
            found = table[words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
            at += found >> 8
            size, zeros = found & 15, found >> 4 & 15
            if size:
                k += zeros
                value = words[at >> 3] >> (32 - (at & 7) - size) & ((1 << size) - 1)
                at += size
                value = value if value >> (size - 1) else value - (1 << size) + 1
                data[base + (min(63, k))] = value << scan.low
            elif zeros == 15:
                k += 15
            else:
                run = (1 << zeros) - 1
                if zeros:
                    run += words[at >> 3] >> (32 - (at & 7) - zeros) & ((1 << zeros) - 1)
                    at += zeros
                break
            k += 1


def refine_others(
    words: array[int], end: int, bases: list[int], scan: Scan, table: Table, data: array[int]
) -> None:
    """One more bit of the other coefficients: of those that are not zero yet, and those that become so."""
    at = run = 0
    bit = 1 << scan.low
    for base in bases:
        if at >= end and not run:
            return
        index, last = base + scan.first, base + scan.last
        while index <= last and not run:
            found = table[words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
            at += found >> 8
            value, zeros = found & 15, found >> 4 & 15
            if value:
                value = bit if words[at >> 3] >> (31 - (at & 7)) & 1 else -bit
                at += 1
            elif zeros < 15:
                run = 1 << zeros
                if zeros:
                    run += words[at >> 3] >> (32 - (at & 7) - zeros) & ((1 << zeros) - 1)
                    at += zeros
                break
            at, index = _corrected(words, at, data, (index, last), zeros, bit)
            if value and index <= last:
                data[index] = value
            index += 1
        if run:
            at, _ = _corrected(words, at, data, (index, last), _ALL, bit)
            run -= 1


def _corrected(
    words: array[int], at: int, data: array[int], span: tuple[int, int], zeros: int, bit: int
) -> tuple[int, int]:
    """Give one more bit to every coefficient that is not zero, until so many zeros are passed and one is met."""
    index, last = span
    while index <= last:
        old = data[index]
        if old:
            if words[at >> 3] >> (31 - (at & 7)) & 1 and not abs(old) & bit:
                data[index] = old + (bit if old > 0 else -bit)
            at += 1
        elif zeros:
            zeros -= 1
        else:
            break
        index += 1
    return at, index
