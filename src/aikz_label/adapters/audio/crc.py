"""Check sums that nobody has in C for Python: those of MP3 headers and FLAC frames, and what follows from two of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from aikz_label.later import Later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Later("numpy")


_LANES = 1024  # pieces of the data that are summed up side by side


class Crc:
    """A check sum that starts from zero, so that it can be put together from those of parts.

    Args:
        width: Bits.
        polynomial: Without its highest bit; reversed when `reflected`.
        reflected: The lowest bit comes first.
    """

    def __init__(self, width: int, polynomial: int, *, reflected: bool = False) -> None:
        self._width, self._reflected = width, reflected
        self._mask = (1 << width) - 1
        self._table: list[int] = []
        for byte in range(256):
            value = byte if reflected else byte << (width - 8)
            for _ in range(8):
                value = self._step(value, polynomial)
            self._table.append(value)

    def _step(self, value: int, polynomial: int) -> int:
        if self._reflected:
            return value >> 1 ^ polynomial if value & 1 else value >> 1
        high = value >> (self._width - 1) & 1
        return (value << 1 & self._mask) ^ (polynomial if high else 0)

    def of(self, data: bytes, start: int = 0) -> int:
        """The check sum of some bytes, after those whose check sum is given."""
        if len(data) < 16 * _LANES:
            return self._plain(data, start)
        length = len(data) // _LANES
        whole = np.frombuffer(data, np.uint8, length * _LANES).reshape(_LANES, length)
        sums, table = np.zeros(_LANES, np.int64), np.array(self._table, np.int64)
        for column in np.ascontiguousarray(whole.T):
            sums = self._next(sums, column, table)
        found = start
        for one in sums.tolist():
            found = self.joined(found, one, length)
        return self._plain(data[length * _LANES :], found)

    def joined(self, first: int, second: int, length: int) -> int:
        """The check sum of two parts from those of each; `length` is that of the second."""
        return self._after_zeros(first, length) ^ second

    def _plain(self, data: bytes, value: int) -> int:
        table = self._table
        if self._reflected:
            for byte in data:
                value = value >> 8 ^ table[(value ^ byte) & 0xFF]
            return value
        shift, mask = self._width - 8, self._mask
        for byte in data:
            value = (value << 8 & mask) ^ table[(value >> shift ^ byte) & 0xFF]
        return value

    def _next(
        self, sums: NDArray[np.int64], column: NDArray[np.uint8], table: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        if self._reflected:
            turned: NDArray[np.int64] = sums >> 8 ^ table[(sums ^ column) & 0xFF]
            return turned
        shifted = sums << 8 & self._mask
        found: NDArray[np.int64] = shifted ^ table[(sums >> (self._width - 8) ^ column) & 0xFF]
        return found

    def _after_zeros(self, value: int, count: int) -> int:
        """The check sum once so many zero bytes follow."""
        power = 0
        while count:
            if count & 1:
                value = self._applied(self._zeros(power), value)
            count >>= 1
            power += 1
        return value

    @cache  # noqa: B019  # there are three of these, for as long as the program runs
    def _zeros(self, power: int) -> tuple[int, ...]:
        """What becomes of each bit when 2 ** power zero bytes follow."""
        if not power:
            return tuple(self._plain(b"\0", 1 << bit) for bit in range(self._width))
        half = self._zeros(power - 1)
        return tuple(self._applied(half, bit) for bit in half)

    @staticmethod
    def _applied(matrix: tuple[int, ...], value: int) -> int:
        found, bit = 0, 0
        while value:
            if value & 1:
                found ^= matrix[bit]
            value >>= 1
            bit += 1
        return found


MP3 = Crc(16, 0xA001, reflected=True)
FLAC_FRAME = Crc(16, 0x8005)
FLAC_HEAD = Crc(8, 0x07)
