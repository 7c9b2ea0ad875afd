"""Where the blocks of a sequential scan begin, found without decoding them (ITU-T T.81: Huffman, 8 bits).

As in `loops`, the bits are looked at through a window that slides over 32-bit words, but the tables answer with all whole
codes in it at once, and only with what matters here: how many bits they are, and how far they lead in the block. So a block
takes two or three steps.
"""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.image.jpeg import loops
from aikz_label.adapters.image.jpeg.coefficients import Unreadable, lookup
from aikz_label.values import dataclass

Numbers = NDArray[np.int64]
Bits = NDArray[np.uint8]
Huffman = tuple[bytes, bytes]
"""Of a table: how many codes there are of each length, and their symbols."""

_WINDOW = 16  # bits looked at in one step
_MOST_CODES = 8  # in one step, two bits each
_TAKEN, _ADVANCE = 63, 6  # of an entry: the bits taken, and where the coefficients passed begin
_CLOSES = 256  # as coefficients passed: the block ends


@dataclass(frozen=True, slots=True)
class Coding:
    """How the blocks of a unit are coded.

    Attributes:
        slots: Of every block in a unit the number of its component.
        dc: Of every component the table of its means.
        ac: The same of its other coefficients.
    """

    slots: tuple[int, ...]
    dc: tuple[Huffman, ...]
    ac: tuple[Huffman, ...]


class Interval:
    """Entropy-coded data from the beginning of a scan, or from a restart marker on.

    Attributes:
        plain: All of it, without stuffing.
    """

    def __init__(self, part: bytes, looked_at: int = sys.maxsize) -> None:
        """Take the data.

        Args:
            part: As they stand in the file.
            looked_at: How many bytes anybody will look for blocks in.
        """
        self.plain = part.replace(b"\xff\x00", b"\xff")
        seen = self.plain[:looked_at]
        self._count = 8 * len(seen)
        self._words = loops.words(seen)

    def blocks(self, coding: Coding, units: int) -> Numbers:
        """The first bit of every block of so many units, a row for each, and in a last row where the next one begins.

        Raises:
            Unreadable: There are not so many.
        """
        found, at = self._walk(coding, units)
        if at > self._count:
            raise Unreadable("its data end early")
        starts = np.frombuffer(found, np.int64).reshape(-1, len(coding.slots))
        return np.concatenate([starts, np.full((1, len(coding.slots)), at)])

    def _walk(self, coding: Coding, units: int) -> tuple[array[int], int]:
        words = array("I", self._words.tobytes())
        tables = [_entries(coding.dc[slot], coding.ac[slot]) for slot in coding.slots]
        found, at, end = array("q"), 0, self._count
        keep = found.append
        for _ in range(units):
            for heads, many, one in tables:
                keep(at)
                entry = heads[words[at >> 3] >> (16 - (at & 7)) & 0xFFFF]
                at += entry & 63
                passed = entry >> 6
                while passed < 64:
                    window = words[at >> 3] >> (16 - (at & 7)) & 0xFFFF
                    entry = many[window]
                    following = passed + (entry >> 6)
                    if following > 64 and (following & 255) + (following >> 8) > 64:
                        # its last coefficient ended the block, and the codes after that are the next one's
                        entry = one[window]
                        following = passed + (entry >> 6)
                    at += entry & 63
                    passed = following
            if at > end:
                break
        return found, at

    def after(self, at: Numbers) -> Numbers:
        """The 16 bits from each of these places on."""
        found: Numbers = self._words[at >> 3].astype(np.int64) >> _WINDOW - (at & 7) & 0xFFFF
        return found

    def between(self, start: int, stop: int) -> Bits:
        """The bits one by one."""
        whole = np.frombuffer(self.plain, np.uint8, -(-stop // 8) - start // 8, start // 8)
        return np.unpackbits(whole)[start % 8 :][: stop - start]

    def means(self, starts: Numbers, coding: Coding) -> tuple[Numbers, Numbers]:
        """Of blocks, a row for each unit: by how much the mean differs from that before it, and how many bits say so.

        Raises:
            Unreadable: Those are no code.
        """
        tables = np.stack([lookup(*one) for one in coding.dc])
        entries = tables[np.array(coding.slots), self.after(starts)]
        lengths, sizes = (entries >> 8).astype(np.int64), (entries & 15).astype(np.int64)
        if lengths.max(initial=0) > _WINDOW:
            raise Unreadable("its data are damaged")
        values = self.after(starts + lengths) >> _WINDOW - sizes
        low = values < 1 << np.maximum(sizes - 1, 0)
        return np.where(low, values - (1 << sizes) + 1, values) * (sizes > 0), lengths + sizes


@lru_cache(maxsize=8)
def _entries(dc: Huffman, ac: Huffman) -> tuple[array[int], array[int], array[int]]:
    """For every 16 bits that can follow: a mean with all whole codes after it, all whole codes, and one."""
    table = lookup(*ac).astype(np.int64)
    size, zeros = table & 15, table >> 4 & 15
    advance = np.where(size > 0, zeros + 1, np.where(zeros == 15, 16, _CLOSES))
    one = (table >> 8) + size | advance << _ADVANCE
    means = lookup(*dc).astype(np.int64)
    heads = (means >> 8) + (means & 15) | 1 << _ADVANCE
    heads, many = _all_whole(heads, one), _all_whole(one, one)
    return _compact(heads), _compact(many), _compact(one)


def _compact(entries: Numbers) -> array[int]:
    return array("i", entries.astype(np.int32).tobytes())


def _all_whole(first: Numbers, one: Numbers) -> Numbers:
    """Those codes, each with as many of the others as are whole."""
    many, going = first.copy(), np.arange(len(first))
    for _ in range(_MOST_CODES):
        reached = many[going]
        going = going[((reached & _TAKEN) < _WINDOW) & (reached < 48 << _ADVANCE)]
        taken = many[going] & _TAKEN
        following = one[going << taken & 0xFFFF]
        fits = taken + (following & _TAKEN) <= _WINDOW
        going = going[fits]
        many[going] += following[fits]
    return many
