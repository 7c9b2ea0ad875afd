"""Numbers that a JPEG XL codestream holds entropy-coded, read (ISO/IEC 18181-1, annex C).

Only what stands before the pictures is ever read so: a colour profile, and the order of a frame's sections. Nothing is
made of it; but where it ends, the pictures begin.
"""

from __future__ import annotations

from collections.abc import Callable

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jxl.bits import Choices, Reader
from aikz_label.values import dataclass

_WINDOW = 1 << 20
_TABLE = 12  # log2 of the sum of all frequencies
_SIGNATURE = 0x13 << 16
_LONGEST_PREFIX = 15
_MIN_SYMBOL: Choices = ((0, 224), (0, 512), (0, 4096), (15, 8))
_MIN_LENGTH: Choices = ((0, 3), (0, 4), (2, 5), (8, 9))
_LENGTH_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_LENGTHS = {(0, 2): 0, (1, 2): 4, (2, 2): 3, (3, 3): 2, (7, 4): 1, (15, 4): 5}
# Code of the logarithms of frequencies: (bits, size) to logarithm plus one.
_LOGS = {
    (0, 3): 10, (4, 3): 6, (2, 3): 7, (6, 3): 9, (5, 3): 8,
    (3, 4): 3, (7, 4): 5, (9, 4): 4, (11, 4): 1, (15, 4): 2,
    (17, 5): 0, (33, 6): 11, (1, 7): 12, (65, 7): 13,
}  # fmt: skip


def damaged() -> MediaProblem:
    """The code is none."""
    return MediaProblem("damaged", detail_word="decoder")


@dataclass(frozen=True, slots=True)
class _Hybrid:
    """How a token and bits after it make a number."""

    exponent: int
    high: int
    low: int

    @classmethod
    def read(cls, bits: Reader, alphabet: int) -> _Hybrid:
        exponent = bits.take(alphabet.bit_length())
        if exponent == alphabet:
            return cls(exponent, 0, 0)
        high = bits.take(exponent.bit_length())
        if high > exponent:
            raise damaged()
        low = bits.take((exponent - high).bit_length())
        if high + low > exponent:
            raise damaged()
        return cls(exponent, high, low)

    def value(self, token: int, bits: Reader) -> int:
        split = 1 << self.exponent
        if token < split:
            return token
        inner = self.high + self.low
        count = self.exponent - inner + (token - split >> inner)
        if count > 31:
            raise damaged()
        low = token & (1 << self.low) - 1
        token >>= self.low
        head = 1 << self.high | token & (1 << self.high) - 1
        return (head << count | bits.take(count)) << self.low | low


Symbols = Callable[[Reader], int]


class Stream:
    """An entropy-coded stream: its tables are read at once, its numbers one by one."""

    def __init__(self, bits: Reader, contexts: int, *, depth: int = 0) -> None:
        if depth > 2:
            raise damaged()
        self._bits = bits
        self._lz77 = bits.flag()
        if self._lz77:
            self._least_symbol, self._least_length = (
                bits.number(_MIN_SYMBOL),
                bits.number(_MIN_LENGTH),
            )
            self._length = _Hybrid.read(bits, 8)
            contexts += 1
        self._map = _context_map(bits, contexts, depth) if contexts > 1 else [0]
        count = max(self._map) + 1
        prefix = bits.flag()
        alphabet = _LONGEST_PREFIX if prefix else 5 + bits.take(2)
        self._hybrids = [_Hybrid.read(bits, alphabet) for _ in range(count)]
        self._ans = not prefix
        self._state = 0
        if prefix:
            sizes = [_short(bits, 4) + 1 for _ in range(count)]
            self._symbols: list[Symbols] = [_prefix_code(bits, size) for size in sizes]
        else:
            self._symbols = [self._frequencies(bits, alphabet) for _ in range(count)]
            self._state = bits.take(32)
        self._window: list[int] = []
        self._copying, self._from = 0, 0

    def read(self, context: int) -> int:
        """The next number. Distances of copies count from their own context, in streams without rows."""
        if self._copying:
            self._copying -= 1
            value = self._window[self._from]
            self._from += 1
            self._window.append(value)
            return value
        cluster = self._map[context]
        token = self._symbols[cluster](self._bits)
        if self._lz77 and token >= self._least_symbol:
            length = self._length.value(token - self._least_symbol, self._bits) + self._least_length
            last = self._map[-1]
            distance = self._hybrids[last].value(self._symbols[last](self._bits), self._bits) + 1
            distance = min(distance, len(self._window), _WINDOW)
            if not distance:
                raise damaged()
            self._copying, self._from = length, len(self._window) - distance
            return self.read(context)
        value = self._hybrids[cluster].value(token, self._bits)
        if self._lz77:
            self._window.append(value)
        return value

    def close(self) -> None:
        """The end of the stream, which must be a whole one."""
        if self._ans and self._state != _SIGNATURE:
            raise damaged()

    def _frequencies(self, bits: Reader, alphabet: int) -> Symbols:
        """Symbols by an alias table over their frequencies."""
        counts = _histogram(bits)
        if len(counts) > 1 << alphabet:
            raise damaged()
        table = _alias_table(counts, alphabet)
        entry = _TABLE - alphabet
        inside = (1 << entry) - 1

        def symbol(source: Reader) -> int:
            low = self._state & (1 << _TABLE) - 1
            slot, position = low >> entry, low & inside
            cutoff, other, offset = table[slot]
            found, start = (other, offset + position) if position >= cutoff else (slot, position)
            frequency = counts[found] if found < len(counts) else 0
            self._state = frequency * (self._state >> _TABLE) + start
            if self._state < 1 << 16:
                self._state = self._state << 16 | source.take(16)
            return found

        return symbol


def _short(bits: Reader, size: int) -> int:
    """A number that says first how many bits it has."""
    if not bits.take(1):
        return 0
    count = bits.take(size)
    return bits.take(count) + (1 << count)


def _context_map(bits: Reader, contexts: int, depth: int) -> list[int]:
    if bits.flag():
        size = bits.take(2)
        found = [bits.take(size) for _ in range(contexts)]
    else:
        front = bits.flag()
        stream = Stream(bits, 1, depth=depth + 1)
        found = [stream.read(0) for _ in range(contexts)]
        stream.close()
        if max(found) > 255:
            raise damaged()
        if front:
            order = list(range(256))
            for index, place in enumerate(found):
                found[index] = value = order.pop(place)
                order.insert(0, value)
    if set(found) != set(range(max(found) + 1)):
        raise damaged()
    return found


def _histogram(bits: Reader) -> list[int]:
    """The frequencies of symbols; they add up to one table."""
    whole = 1 << _TABLE
    if bits.take(1):
        symbols = [_short(bits, 3) for _ in range(bits.take(1) + 1)]
        counts = [0] * (max(symbols) + 1)
        first = whole if len(symbols) == 1 else bits.take(_TABLE)
        counts[symbols[-1]] = whole - first
        counts[symbols[0]] = first
        if len(set(symbols)) < len(symbols):
            raise damaged()
        return counts
    if bits.take(1):
        size = _short(bits, 3) + 1
        return [whole // size + (index < whole % size) for index in range(size)]
    log = 0
    while log < 3 and bits.take(1):
        log += 1
    shift = (bits.take(log) | 1 << log) - 1
    if shift > _TABLE + 1:
        raise damaged()
    return _uneven(bits, shift, _short(bits, 3) + 3)


def _uneven(bits: Reader, shift: int, length: int) -> list[int]:
    logs, same = [0] * length, [0] * length
    largest, omitted, at = -1, -1, 0
    while at < length:
        logs[at] = _coded(bits, _LOGS, 7) - 1
        if logs[at] == _TABLE:
            same[at] = _short(bits, 3) + 5
            at += same[at] - 1
            continue
        if logs[at] > largest:
            largest, omitted = logs[at], at
        at += 1
    if omitted < 0 or (omitted + 1 < length and logs[omitted + 1] == _TABLE):
        raise damaged()
    counts, previous, repeat = [0] * length, 0, 0
    for index in range(length):
        if same[index]:
            repeat, previous = same[index] - 1, counts[index - 1] if index else 0
        if repeat > 0:
            counts[index] = previous
            repeat -= 1
        elif index != omitted and logs[index] >= 0:
            log = logs[index]
            precise = 0 if not shift or not log else max(0, min(log, shift - (_TABLE - log >> 1)))
            counts[index] = (1 << log) + (bits.take(precise) << log - precise)
    counts[omitted] = (1 << _TABLE) - sum(counts)
    if counts[omitted] <= 0:
        raise damaged()
    return counts


def _alias_table(counts: list[int], alphabet: int) -> list[tuple[int, int, int]]:
    """For each slot of equal size where it is cut, which symbol lies behind the cut, and from where that one counts."""
    size, entry = 1 << alphabet, 1 << _TABLE - alphabet
    whole = next((s for s, count in enumerate(counts) if count == 1 << _TABLE), None)
    if whole is not None:
        return [(0, whole, entry * slot) for slot in range(size)]
    cutoffs = counts + [0] * (size - len(counts))
    others, offsets = list(range(size)), [0] * size
    over = [s for s in range(size) if cutoffs[s] > entry]
    under = [s for s in range(size) if cutoffs[s] < entry]
    while over:
        high = over.pop()
        if not under:
            raise damaged()
        low = under.pop()
        cutoffs[high] -= entry - cutoffs[low]
        others[low], offsets[low] = high, cutoffs[high]
        if cutoffs[high] < entry:
            under.append(high)
        elif cutoffs[high] > entry:
            over.append(high)
    return [
        (0, slot, 0)
        if cutoffs[slot] == entry
        else (cutoffs[slot], others[slot], offsets[slot] - cutoffs[slot])
        for slot in range(size)
    ]


def _coded(bits: Reader, code: dict[tuple[int, int], int], longest: int) -> int:
    """The symbol of a fixed prefix code."""
    for size in range(1, longest + 1):
        found = code.get((bits.peek(size), size))
        if found is not None:
            bits.take(size)
            return found
    raise damaged()


def _prefix_code(bits: Reader, size: int) -> Symbols:
    """A prefix code over so many symbols."""
    if size == 1:
        return lambda _: 0
    skipped = bits.take(2)
    simple = skipped == 1
    lengths = _simple_lengths(bits, size) if simple else _complex_lengths(bits, size, skipped)
    if len(lengths) == 1:
        only = next(iter(lengths))
        return lambda _: only
    code = codes(lengths)
    table = {(value, length): symbol for symbol, (value, length) in code.items()}
    longest = max(lengths.values())
    return lambda source: _coded(source, table, longest)


def codes(lengths: dict[int, int]) -> dict[int, tuple[int, int]]:
    """The code of each symbol, ready to be written, and its length: canonical, read from its last bit on."""
    found, code, before = {}, 0, 0
    for symbol in sorted(lengths, key=lambda s: (lengths[s], s)):
        length = lengths[symbol]
        code <<= length - before
        found[symbol] = int(f"{code:0{length}b}"[::-1], 2), length
        code, before = code + 1, length
    return found


def _simple_lengths(bits: Reader, size: int) -> dict[int, int]:
    """Up to four symbols, named one by one."""
    width = (size - 1).bit_length()
    symbols = [bits.take(width) for _ in range(bits.take(2) + 1)]
    if max(symbols) >= size or len(set(symbols)) < len(symbols):
        raise damaged()
    shapes = {1: (0,), 2: (1, 1), 3: (1, 2, 2), 4: (2, 2, 2, 2)}
    shape = shapes[len(symbols)]
    if len(symbols) == 4 and bits.take(1):
        shape = (1, 2, 3, 3)
    return dict(zip(symbols, shape, strict=True))


def _complex_lengths(bits: Reader, size: int, skipped: int) -> dict[int, int]:
    """The length of each symbol's code, themselves in a prefix code."""
    inner = _inner_lengths(bits, skipped)
    only = next(iter(inner)) if len(inner) == 1 else -1
    table = {} if only >= 0 else {(v, n): s for s, (v, n) in codes(inner).items()}
    lengths: dict[int, int] = {}
    symbol, space, run = 0, 1 << _LONGEST_PREFIX, _Run()
    while symbol < size and space > 0:
        code = only if only >= 0 else _coded(bits, table, 5)
        length, count = run.after(code, bits)
        if symbol + count > size:
            raise damaged()
        if length:
            lengths.update(dict.fromkeys(range(symbol, symbol + count), length))
            space -= count << _LONGEST_PREFIX - length
        symbol += count
    if space:
        raise damaged()
    return lengths


def _inner_lengths(bits: Reader, skipped: int) -> dict[int, int]:
    """The lengths of the code that the lengths are coded with."""
    inner, space = {}, 32
    for symbol in _LENGTH_ORDER[skipped:]:
        length = _coded(bits, _LENGTHS, 4)
        if length:
            inner[symbol] = length
            space -= 32 >> length
        if space <= 0:
            break
    if not inner or (len(inner) != 1 and space):
        raise damaged()
    return inner


class _Run:
    """Lengths one by one, or repeated: the last one, or none; a second repetition multiplies the first."""

    def __init__(self) -> None:
        self._last, self._repeated, self._count = 8, -1, 0

    def after(self, code: int, bits: Reader) -> tuple[int, int]:
        """A length, and for how many symbols it holds."""
        if code < 16:
            self._count = 0
            self._last = code or self._last
            return code, 1
        extra, length = code - 14, self._last if code == 16 else 0
        if self._repeated != length:
            self._count, self._repeated = 0, length
        before = self._count
        self._count = (self._count - 2 << extra if self._count else 0) + bits.take(extra) + 3
        return length, self._count - before
