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

    def after(self, run: Run, last: list[int]) -> list[tuple[int, int]]:
        """For each component the number of its first block after a run, and by how much the mean there differs.

        Args:
            run: The units.
            last: Their last means.
        """
        if run.stop == len(self._means):
            return []
        slots = [int(np.argmax(self._slots == index)) for index in range(len(last))]
        means = [int(self._means[run.stop, slot]) for slot in slots]
        return [(slot, mean - one) for slot, mean, one in zip(slots, means, last, strict=True)]

    def edits(self, run: Run, bits: Bits, last: list[int], tables: list[Huffman]) -> Iterator[Edit]:
        """What a run changes: its own units, and the means in the one after them.

        Args:
            run: The units.
            bits: Of them.
            last: Their last means.
            tables: Of each component that of its means.
        """
        yield Edit(int(self._starts[run.first, 0]), int(self._starts[run.stop, 0]), bits)
        for (slot, step), table in zip(self.after(run, last), tables, strict=False):
            start = int(self._starts[run.stop, slot])
            yield Edit(start, start + int(self._lengths[run.stop, slot]), _told(step, table))

    def edited(self, edits: list[Edit]) -> bytes:
        """The data with other bits, as they stand in a file.

        Nobody can tell padding from the bits of a block without reading all before it: so what was not read stays as it is.

        Raises:
            Unreadable: Bits are missing for that.
        """
        interval, begin = self._interval, edits[0].start // 8 * 8
        pieces, at = [], begin
        for edit in edits:
            pieces += [interval.between(at, edit.start), edit.bits]
            at = edit.stop
        if self.whole:
            pieces.append(interval.between(at, int(self._starts[-1, 0])))
            rest = b""
        else:
            pieces.append(interval.between(at, -(-at // 8) * 8))
            rest = interval.plain[-(-at // 8) :]
        bits = np.concatenate(pieces)
        room = -len(bits) % 8
        if room and rest:
            raise Unreadable("its bits do not end where the rest begins")
        packed = np.packbits(np.concatenate([bits, np.ones(room, np.uint8)])).tobytes()
        return (interval.plain[: begin // 8] + packed + rest).replace(b"\xff", b"\xff\x00")

    def missing(self, edits: list[Edit]) -> int:
        """How many more bits these need, so that what nobody has read stays on its bytes."""
        grown = sum(len(edit.bits) - (edit.stop - edit.start) for edit in edits)
        return 0 if self.whole else -grown % 8


def _told(step: int, table: Huffman) -> Bits:
    """The difference of two means."""
    codes, sizes = entropy.codes_of(*table)
    size = abs(step).bit_length()
    if size > 15 or not sizes[size]:
        raise Unreadable("its tables lack a code")
    value = step if step >= 0 else step + (1 << size) - 1
    bits = f"{codes[size]:0{sizes[size]}b}" + (f"{value:0{size}b}" if size else "")
    return np.array([*map(int, bits)], np.uint8)
