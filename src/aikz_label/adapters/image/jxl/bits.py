"""Bits of a JPEG XL codestream, least significant first, and the ways in which it writes numbers (ISO/IEC 18181-1, 9.2)."""

from __future__ import annotations

from aikz_label.adapters import MediaProblem

# What the two selector bits of a number choose from: so many bits, and what is added to them.
Choice = tuple[int, int]
Choices = tuple[Choice, Choice, Choice, Choice]
ENUM: Choices = ((0, 0), (0, 1), (4, 2), (6, 18))
NAME: Choices = ((0, 0), (4, 0), (5, 16), (10, 48))


def cut() -> MediaProblem:
    """The codestream breaks off."""
    return MediaProblem("damaged", detail_word="cut")


class Reader:
    """A place in a codestream.

    Attributes:
        at: The next bit.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._size = 8 * len(data)
        self.at = at

    def take(self, count: int) -> int:
        """The next bits as a number."""
        if self.at + count > self._size:
            raise cut()
        value = self.peek(count)
        self.at += count
        return value

    def peek(self, count: int) -> int:
        """The next bits as a number, zeros after the end."""
        start = self.at >> 3
        piece = self._data[start : (self.at + count + 7) >> 3]
        return int.from_bytes(piece, "little") >> (self.at & 7) & (1 << count) - 1

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.take(1))

    def number(self, choices: Choices) -> int:
        """A number whose size two bits choose."""
        bits, offset = choices[self.take(2)]
        return offset + self.take(bits)

    def long(self) -> int:
        """A number of up to 64 bits."""
        match self.take(2):
            case 0:
                return 0
            case 1:
                return 1 + self.take(4)
            case 2:
                return 17 + self.take(8)
        value, shift = self.take(12), 12
        while self.take(1):
            if shift == 60:
                return value | self.take(4) << shift
            value |= self.take(8) << shift
            shift += 8
        return value

    def half(self) -> float:
        """A floating-point number of 16 bits."""
        bits = self.take(16)
        exponent, fraction = bits >> 10 & 31, bits & 1023
        if exponent == 31:
            raise cut()
        value = (
            fraction / 1024 * 2.0**-14
            if not exponent
            else (1 + fraction / 1024) * 2.0 ** (exponent - 15)
        )
        return -value if bits >> 15 else value

    def name(self) -> None:
        """A text, skipped."""
        length = self.number(NAME)
        self.at += 8 * length
        if self.at > self._size:
            raise cut()

    def extensions(self) -> None:
        """What later versions may add, skipped."""
        present, total = self.long(), 0
        while present:
            total += self.long()
            present &= present - 1
        self.at += total
        if self.at > self._size:
            raise cut()

    def align(self) -> None:
        """To the next whole byte."""
        self.at = -(-self.at // 8) * 8


class Writer:
    """A codestream in the making."""

    def __init__(self) -> None:
        self._value = 0
        self.size = 0
        self._done = bytearray()

    def put(self, value: int, count: int) -> Writer:
        """A number in so many bits."""
        self._value |= value << self.size
        self.size += count
        if self.size > 4096:  # shifting ever longer numbers would take ever longer
            whole = self.size // 8
            self._done += (self._value & (1 << 8 * whole) - 1).to_bytes(whole, "little")
            self._value >>= 8 * whole
            self.size -= 8 * whole
        return self

    def number(self, value: int, choices: Choices) -> Writer:
        """A number by the first choice that holds it."""
        for selector, (bits, offset) in enumerate(choices):
            if 0 <= value - offset < 1 << bits:
                return self.put(selector, 2).put(value - offset, bits)
        raise ValueError(f"{value} cannot be written")

    def copy(self, data: bytes, start: int, stop: int) -> Writer:
        """Bits of another codestream."""
        while start < stop:
            count = min(stop - start, 4096)
            self.put(Reader(data, start).peek(count), count)
            start += count
        return self

    def align(self) -> Writer:
        """Zeros to the next whole byte."""
        return self.put(0, -self.size % 8)

    def bytes(self) -> bytes:
        """All of it, with zeros up to a whole byte."""
        return bytes(self._done) + self._value.to_bytes(-(-self.size // 8), "little")
