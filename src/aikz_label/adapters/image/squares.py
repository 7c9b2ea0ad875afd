"""How far two planes are apart: the sum of squared differences, without parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STRIP = 64  # rows, which stay in the processor's cache


def squares(
    first: NDArray[Any], second: NDArray[Any], hidden: Iterable[tuple[slice, slice]] = ()
) -> int:
    """The sum, of integers of up to 16 bits.

    Args:
        first: Rows × columns.
        second: The same, of the same type.
        hidden: Rows and columns that do not count.
    """
    total, hidden = 0, list(hidden)
    small = first.dtype == np.uint8
    for top in range(0, first.shape[0], _STRIP):
        one, two = first[top : top + _STRIP], second[top : top + _STRIP]
        if np.array_equal(one, two):
            continue
        delta = np.maximum(one, two) - np.minimum(one, two)
        for rows, columns in hidden:
            delta[max(0, rows.start - top) : max(0, rows.stop - top), columns] = 0
        squared = np.square(delta, dtype=np.uint16 if small else np.int64)
        total += int(squared.sum(dtype=np.int64))
    return total
