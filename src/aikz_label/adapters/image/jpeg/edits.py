"""An interval of a sequential scan whose blocks are known, and its bits with others in their place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aikz_label.adapters.image.jpeg import entropy
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.scan import Scan
from aikz_label.adapters.image.jpeg.units import Bits, Huffman, Interval
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """Units of the notice that follow one another within an interval.

    Attributes:
        interval: The number of the interval.
        first: Of its units the first one.
        stop: The first one that is not of the notice any more.
        begin: The number of the first one among all units of the notice.
    """

    interval: int
    first: int
    stop: int
    begin: int

    @property
    def last(self) -> int:
        """The number of the last one among all units of the notice."""
        return self.begin + self.stop - self.first - 1


@dataclass(frozen=True, slots=True)
class Edit:
    """Bits to put in place of others."""

    start: int
    stop: int
    bits: Bits


class Known:
    """An interval of which the blocks are known up to where the notice ends.

    Attributes:
        whole: Whether that is all of it.
    """

    def __init__(self, interval: Interval, scan: Scan, units: int, *, whole: bool) -> None:
        coding = scan.coding
        self._interval, self._scan = interval, scan
        self._slots = np.array(coding.slots)
        self.whole = whole
        self._starts = interval.blocks(coding, units)
        steps, self._lengths = interval.means(self._starts[:-1], coding)
        self._means = np.empty_like(steps)
        for index in range(len(scan.components)):
            own = self._slots == index
            self._means[:, own] = steps[:, own].ravel().cumsum().reshape(len(steps), -1)

    def before(self, unit: int) -> list[int]:
        """The means that a unit starts from."""
        every = range(len(self._scan.components))
        if not unit:
            return [0 for _ in every]
        return [int(self._means[unit - 1, self._slots == index][-1]) for index in every]

    def edits(self, run: Run, bits: Bits, last: list[int]) -> Iterator[Edit]:
        """What a run changes: its own units, and the means in the one after them.

        Args:
            run: The units.
            bits: Of them.
            last: Their last means.
        """
        yield Edit(int(self._starts[run.first, 0]), int(self._starts[run.stop, 0]), bits)
        if run.stop == len(self._means):
            return
        for index, (table, _) in enumerate(self._scan.tables):
            slot = int(np.argmax(self._slots == index))
            start = int(self._starts[run.stop, slot])
            told = _told(int(self._means[run.stop, slot]) - last[index], self._scan.huffman[table])
            yield Edit(start, start + int(self._lengths[run.stop, slot]), told)

    def edited(self, edits: list[Edit]) -> bytes:
        """The data with other bits, as they stand in a file."""
        interval, begin = self._interval, edits[0].start // 8 * 8
        pieces, at = [], begin
        for edit in edits:
            pieces += [interval.between(at, edit.start), edit.bits]
            at = edit.stop
        if self.whole:
            at = int(self._starts[-1, 0])
            pieces.append(interval.between(edits[-1].stop, at))
            rest = b""
        else:
            stop = -(-at // 8) * 8
            pieces.append(interval.between(at, stop))
            rest = interval.plain[stop // 8 :]
        data = interval.plain[: begin // 8] + _shifted(np.concatenate(pieces), rest, self._closing)
        return data.replace(b"\xff", b"\xff\x00")

    @property
    def _closing(self) -> tuple[int, int]:
        """The code that closes the last block of nearly every scan, and how many bits it has."""
        codes, sizes = entropy.codes_of(*self._scan.huffman[self._scan.tables[-1][1]])
        return int(codes[0]), int(sizes[0])


def _told(step: int, table: Huffman) -> Bits:
    """The difference of two means."""
    codes, sizes = entropy.codes_of(*table)
    size = abs(step).bit_length()
    if size > 15 or not sizes[size]:
        raise Unreadable("its tables lack a code")
    value = step if step >= 0 else step + (1 << size) - 1
    bits = f"{codes[size]:0{sizes[size]}b}" + (f"{value:0{size}b}" if size else "")
    return np.array([*map(int, bits)], np.uint8)


def _shifted(bits: Bits, rest: bytes, closing: tuple[int, int]) -> bytes:
    """Bits and then bytes, with ones after their end; no last byte of padding alone, which readers complain of."""
    room = -len(bits) % 8
    packed = np.packbits(np.concatenate([bits, np.ones(room, np.uint8)]))
    if not rest or not room:
        return packed.tobytes() + rest
    joined = np.frombuffer(bytes((packed[-1] >> room,)) + rest + b"\xff", np.uint8)
    moved = packed[:-1].tobytes() + (joined[:-1] << room | joined[1:] >> 8 - room).tobytes()
    return moved[:-1] if _padding(rest, closing) >= 8 - room else moved


def _padding(data: bytes, closing: tuple[int, int]) -> int:
    """How many ones at its end are certainly padding: those after the code that closes a block."""
    tail, (code, size) = int.from_bytes(data[-4:]), closing
    ones = next((n for n in range(8) if not tail >> n & 1), 8)
    found = ones < 8 and size and not code & 1 and tail >> ones & ((1 << size) - 1) == code
    return ones if found else 0
