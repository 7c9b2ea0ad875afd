"""Where a moment of the programme is once notices stand before it."""

from __future__ import annotations

from collections.abc import Sequence

from aikz_label.adapters.audio.container import Insert

_NEVER = 1 << 62  # what is later is no moment of any sound, and stays


class Shift:
    """Moves moments of a source to where they are in the finished file.

    What starts at the moment at which a notice goes in starts after it; what ends there ends before it. A moment within
    an older notice is moved to the end of the one that replaces it.

    Args:
        inserts: The notices.
        rate: Samples per second.
    """

    def __init__(self, inserts: Sequence[Insert], rate: int) -> None:
        self._inserts = tuple(inserts)
        self.rate = rate

    @property
    def total(self) -> int:
        """How many samples there are more."""
        return sum(insert.length - insert.instead for insert in self._inserts)

    def samples(self, at: int, *, end: bool = False) -> int:
        """A moment in samples."""
        return at + self._longer(at, end=end) if at < _NEVER else at

    def units(self, at: int, per_second: float, *, end: bool = False) -> int:
        """A moment in other units, such as milliseconds."""
        if at >= _NEVER:
            return at
        longer = self._longer(round(at * self.rate / per_second), end=end)
        return max(at + round(longer * per_second / self.rate), 0)

    def _longer(self, at: int, *, end: bool) -> int:
        found = 0
        for insert in self._inserts:
            if insert.at < at or (insert.at == at and not end):
                found += insert.length - min(insert.instead, at - insert.at)
        return found


def ranges(inserts: Sequence[Insert]) -> tuple[tuple[int, int], ...]:
    """Where each notice starts and stops in the finished file, in samples."""
    found, longer = [], 0
    for insert in inserts:
        start = insert.at + longer
        found.append((start, start + insert.length))
        longer += insert.length - insert.instead
    return tuple(found)


def kept(inserts: Sequence[Insert]) -> tuple[tuple[int, int], ...]:
    """The stretches of the source that stay, one before each notice and one after the last, whose end is -1."""
    found, at = [], 0
    for insert in inserts:
        found.append((at, insert.at))
        at = insert.at + insert.instead
    return (*found, (at, -1))


def outside(inserts: Sequence[Insert]) -> tuple[tuple[int, int], ...]:
    """The stretches of the finished file that are programme, as `kept` tells those of the source."""
    found, at = [], 0
    for start, stop in ranges(inserts):
        found.append((at, start))
        at = stop
    return (*found, (at, -1))
