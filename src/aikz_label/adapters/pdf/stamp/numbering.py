"""Page numbers in a record: all pages that are stamped alike, in one text."""

from __future__ import annotations

from collections.abc import Iterable


def written_pages(numbers: Iterable[int]) -> str:
    """Page numbers in order, as people write them: `1-3,7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def read_pages(words: object, most: int) -> tuple[int, ...] | None:
    """What `written_pages` wrote, from 0; `None` for anything else."""
    if not isinstance(words, str) or not words or len(words) > 7 * most + 10:
        return None
    numbers: list[int] = []
    for run in words.split(","):
        first, dash, last = run.partition("-")
        last = last if dash else first
        if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
            return None
        if (
            len(last) > 7
            or not (numbers[-1] + 1 if numbers else 0) < int(first) <= int(last) <= most
        ):
            return None
        numbers += range(int(first) - 1, int(last))
    return tuple(numbers)
