"""Drawing with the codes that a file has.

Whoever makes Huffman tables for one picture leaves out every symbol that it does not need, and a notice needs others. Where
a table has room, codes are added behind the old ones, which stay what they are. Where it has none, the coefficients become
the nearest that can be told: for every block the way through its coefficients that costs the least squared error, over all
runs of zeros and sizes that have codes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.image.jpeg import coefficients, entropy
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.scan import Scan
from aikz_label.adapters.image.jpeg.segments import DHT, Segment, made
from aikz_label.adapters.image.jpeg.units import Huffman
from aikz_label.values import dataclass, replace

Blocks = NDArray[np.int16]
Costs = NDArray[np.float64]
Numbers = NDArray[np.int64]

_DC_SYMBOLS = np.arange(12)  # sizes of differences in pictures of 8 bits (T.81 table F.1)
_LONGEST, _MOST = 16, 255  # bits of a code; codes of one length
_SYMBOLS = 256  # that a table lists at most
_RUNS, _SIZES = 16, 10  # zeros before a coefficient; its bits
_ALL_ZEROS, _END = 0xF0, 0x00  # sixteen zeros; none but zeros
_REACH = 1 << _SIZES
_AT_ONCE = 1024  # blocks: eight megabytes
# Squared error of a pixel in the worst block, a sixth of the way from black to white, and on average over the blocks of a
# component that move, each counted once however often it stands there.
_MOST_ERROR, _MEAN_ERROR = 1600.0, 200.0


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a notice needs and its file has no codes for.

    Attributes:
        scan: The scan.
        symbols: By the number of a table those that it lacks, the most frequent first.
        tokens: All that the notice needs.
    """

    scan: Scan
    symbols: dict[int, list[int]]
    tokens: Numbers

    def filled(
        self, blocks: list[Blocks], steps: dict[int, Costs], *, exactly: bool
    ) -> tuple[Scan, list[Blocks]]:
        """The scan with more codes in its tables, as far as there is room, and blocks whose coefficients all have one.

        Args:
            blocks: The blocks of each component, by unit.
            steps: Of quantisation, by the number of their table.
            exactly: Leave the blocks as they are.

        Raises:
            Unreadable: A block would be too unlike.
        """
        huffman = self.scan.huffman
        fresh = {one: extended(huffman[one], missing) for one, missing in self.symbols.items()}
        scan = replace(self.scan, huffman=huffman | fresh)
        return scan, blocks if exactly else self._nearest(scan, blocks, steps)

    def _nearest(self, scan: Scan, blocks: list[Blocks], steps: dict[int, Costs]) -> list[Blocks]:
        found, first = [], 0
        for one, own, (_, number) in zip(scan.components, blocks, scan.tables, strict=True):
            share, table = own.shape[1], scan.huffman[number]
            mine = self.tokens[self.tokens[:, 1] == number]
            lacking = np.isin(mine[:, 2], missing(table, mine[:, 2]))
            unit, slot = np.divmod(mine[lacking, 0] // entropy.PLACES, len(scan.coding.slots))
            here = (slot >= first) & (slot < first + share)
            which = np.unique(unit[here] * share + slot[here] - first)
            flat = own.reshape(-1, 64).copy()
            if len(which):
                flat[which] = nearest(flat[which], steps[one.table], table)
            found.append(flat.reshape(own.shape))
            first += share
        return found


def lacks(scan: Scan, tokens: Numbers, means: Iterable[tuple[int, int]]) -> Lacks | None:
    """What is lacking, if anything.

    Args:
        scan: The scan.
        tokens: What is told of the notice.
        means: What is told of blocks after it: the number of a block in its unit, and by how much its mean differs.
    """
    dc = {number for number, _ in scan.tables}
    needed = {number: set(tokens[tokens[:, 1] == number, 2].tolist()) for number in dc}
    for slot, step in means:
        needed[scan.tables[scan.coding.slots[slot]][0]].add(abs(step).bit_length())
    found = {}
    for number, symbols in needed.items():
        if missing(scan.huffman[number], np.array(sorted(symbols))):
            found[number] = missing(scan.huffman[number], _DC_SYMBOLS)
    for number in {number for _, number in scan.tables}:
        if lacking := missing(scan.huffman[number], tokens[tokens[:, 1] == number, 2]):
            found[number] = lacking
    return Lacks(scan, found, tokens) if found else None


def missing(table: Huffman, symbols: Numbers) -> list[int]:
    """Those of them without a code, the most frequent first."""
    _, sizes = entropy.codes_of(*table)
    counts = np.bincount(symbols, minlength=256)
    without = np.flatnonzero((counts > 0) & (sizes == 0))
    found: list[int] = without[np.argsort(-counts[without], kind="stable")].tolist()
    return found


def defining(segment: Segment, old: dict[int, Huffman], new: dict[int, Huffman]) -> Segment:
    """A segment before the scan, with the new tables where it defines an old one that became another.

    Raises:
        Unreadable: It has no room for them.
    """
    if segment.code != DHT:
        return segment
    numbers = [number for number, _, _ in coefficients.definitions(segment.payload)]
    if all(old[number] == new[number] for number in numbers):
        return segment
    try:
        return made(DHT, b"".join(bytes((one,)) + b"".join(new[one]) for one in numbers))
    except ValueError as error:
        raise Unreadable("its tables have no room") from error


def extended(table: Huffman, symbols: list[int]) -> Huffman:
    """The table with codes for as many of these as there is room for; all old ones stay, and that of ones alone is free."""
    counts, listed = table
    if len(listed) != sum(counts):  # cut off
        return table
    longest = max((size for size, count in enumerate(counts, 1) if count), default=1)
    used = sum(count << _LONGEST - size for size, count in enumerate(counts, 1))
    for size in range(longest, _LONGEST + 1):
        free = ((1 << _LONGEST) - used >> _LONGEST - size) - 1
        room = min(free, _MOST - counts[size - 1], _SYMBOLS - len(listed))
        if room >= len(symbols) or size == _LONGEST:
            added = symbols[: max(room, 0)]
            grown = counts[size - 1] + len(added)
            return counts[: size - 1] + bytes((grown,)) + counts[size:], listed + bytes(added)
    raise AssertionError("the longest codes come last")


def nearest(blocks: Blocks, steps: Costs, table: Huffman) -> Blocks:
    """The blocks with the nearest coefficients after the mean that the table has codes for.

    Args:
        blocks: 64 coefficients each; not none.
        steps: Of quantisation.
        table: The codes.

    Raises:
        Unreadable: They would be too unlike.
    """
    _, sizes = entropy.codes_of(*table)
    told = _codable(sizes)
    distinct, which = np.unique(blocks, axis=0, return_inverse=True)
    some = (distinct[start : start + _AT_ONCE] for start in range(0, len(distinct), _AT_ONCE))
    pieces, errors = zip(*(_nearest(one, steps, told, sizes) for one in some), strict=True)
    error = np.concatenate(errors) / 64
    if error.max() > _MOST_ERROR or error.mean() > _MEAN_ERROR:
        raise Unreadable("its tables lack too many codes")
    found: Blocks = np.concatenate(pieces)[which.ravel()]
    return found


def _codable(sizes: Numbers) -> Numbers:
    """After every run of zeros, for every value the nearest with a code that is not zero; 0 where there is none."""
    values = np.arange(-_REACH + 1, _REACH)
    magnitudes = np.abs(values)
    found = np.zeros((_RUNS, len(values)), np.int64)
    for run in range(_RUNS):
        known = np.flatnonzero(sizes[16 * run + 1 : 16 * run + 1 + _SIZES]) + 1
        if not len(known):
            continue
        # a magnitude as near as the codes of each size come
        each = np.clip(magnitudes, 1 << known[:, None] - 1, (1 << known[:, None]) - 1)
        best = np.argmin(np.abs(each - magnitudes), axis=0)
        found[run] = each[best, np.arange(len(values))] * np.where(values < 0, -1, 1)
    return found


def _nearest(blocks: Blocks, steps: Costs, told: Numbers, sizes: Numbers) -> tuple[Blocks, Costs]:
    """The same for a few, and by how much each is wrong, squared."""
    values = blocks[:, 1:].T.astype(np.int64)
    weights = steps[1:, None] ** 2
    skipped = np.concatenate([np.zeros((1, len(blocks))), np.cumsum(values**2 * weights, axis=0)])
    told_here = told[:, values + _REACH - 1]  # by run, place and block
    wrong = np.where(told_here != 0, (told_here - values) ** 2 * weights, np.inf)
    # Of the way to a place what it costs less than leaving out all up to there, and the run of its last step.
    cost = np.full((64, len(blocks)), np.inf)
    run = np.zeros((64, len(blocks)), np.int64)
    cost[0] = 0
    for place in range(1, 64):
        reach = min(_RUNS, place)
        ways = cost[place - reach : place][::-1] + wrong[:reach, place - 1]
        run[place] = np.argmin(ways, axis=0)
        cost[place] = ways.min(axis=0) - (skipped[place] - skipped[place - 1])
        if place >= _RUNS and sizes[_ALL_ZEROS]:
            better = cost[place - _RUNS] < cost[place]
            run[place][better] = _RUNS - 1
            told_here[_RUNS - 1, place - 1, better] = 0
            cost[place][better] = cost[place - _RUNS][better]
    if not sizes[_END]:
        cost[:63] = np.inf
    place = np.argmin(cost, axis=0)
    error = cost.min(axis=0) + skipped[-1]
    if not np.isfinite(error).all():
        return blocks, error
    found = np.zeros_like(blocks)
    found[:, 0] = blocks[:, 0]
    each = np.arange(len(blocks))
    while place.any():
        each = each[place > 0]
        place = place[place > 0]
        last = run[place, each]
        found[each, place] = told_here[last, place - 1, each]
        place = place - last - 1
    return found, error
