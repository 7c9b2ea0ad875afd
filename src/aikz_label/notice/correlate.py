"""Where a small picture looks like a part of a large one: normalised cross-correlation over the whole of it, by FFT."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from aikz_label.notice.transform import fast_length
from aikz_label.values import dataclass

Array = NDArray[np.float32]
_LEAST_SPREAD = 20.0  # standard deviation below which a place is too flat to hold black and white


@dataclass(frozen=True, slots=True)
class Peak:
    """A likeness and the top left corner of the place, px."""

    score: float
    x: int
    y: int


class Field:
    """A grey picture, prepared once to be compared with many templates."""

    def __init__(self, pixels: Array) -> None:
        self.shape = pixels.shape
        self._padded = (fast_length(pixels.shape[0]), fast_length(pixels.shape[1]))
        self._spectrum = np.fft.rfft2(pixels - pixels.mean(), self._padded)
        self._sums = _integral(pixels)
        self._squares = _integral(pixels * pixels)

    def likeness(self, template: Array) -> Array | None:
        """Zero-mean normalised cross-correlation at every place where the template fits; `None` where it fits nowhere."""
        height, width = template.shape
        rows, columns = self.shape[0] - height + 1, self.shape[1] - width + 1
        if rows < 1 or columns < 1:
            return None
        pattern = template - template.mean()
        spectrum = np.conj(np.fft.rfft2(pattern, self._padded))
        product = np.fft.irfft2(self._spectrum * spectrum, self._padded)[:rows, :columns]
        area = height * width
        sums, squares = (_window(table, height, width) for table in (self._sums, self._squares))
        spread = np.maximum(squares - sums * sums / area, 0.0)
        norm = np.sqrt(spread * float((pattern * pattern).sum()))
        flat = spread < area * _LEAST_SPREAD**2
        norm[flat] = np.inf
        return np.asarray(product / norm, np.float32)


def peaks(likeness: Array, least: float, apart: tuple[int, int], most: int) -> Iterator[Peak]:
    """The best places from `least` up, at least so many columns or rows apart; spends the array."""
    for _ in range(most):
        at = int(likeness.argmax())
        y, x = divmod(at, likeness.shape[1])
        score = float(likeness[y, x])
        if score < least:
            return
        yield Peak(score, x, y)
        left, top = max(0, x - apart[0]), max(0, y - apart[1])
        likeness[top : y + apart[1] + 1, left : x + apart[0] + 1] = -1.0


def _integral(pixels: Array) -> NDArray[np.float64]:
    table = np.zeros((pixels.shape[0] + 1, pixels.shape[1] + 1), np.float64)
    np.cumsum(np.cumsum(pixels, axis=0, dtype=np.float64), axis=1, out=table[1:, 1:])
    return table


def _window(table: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Sums over every window of that size."""
    return (
        table[height:, width:]
        - table[:-height, width:]
        - table[height:, :-width]
        + table[:-height, :-width]
    )
