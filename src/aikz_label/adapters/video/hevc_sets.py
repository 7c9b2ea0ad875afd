"""Parameter sets of HEVC: those of new frames beside those of the frames that are copied.

The encoder numbers all its sets 0 and knows no option for another number, so they get their numbers here. The codes of
the numbers used here are eight bits longer than that of 0: whatever follows in a unit keeps its place within bytes, and
nothing of it has to be understood (ITU-T H.265, 7.3.1 to 7.3.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aikz_label.adapters.video.coding import Setup
from aikz_label.values import dataclass

_VIDEO, _SEQUENCE, _PICTURE = 32, 33, 34  # types of units
_FIRST_IRAP, _LAST_IRAP = 16, 23  # pictures at which decoding can start: one flag more
_NUMBER = 15  # of the new video and sequence parameter sets
_NUMBERS = range(15, 31)  # that have nine bits
_BITS = 9
_HEAD = 22  # bytes of `hvcC` before its arrays
_PROFILE = 88  # bits of a profile, before the level
_MUST_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


def renumbered(unit: bytes, number: int) -> bytes:
    """A unit of our encoder under other numbers.

    Args:
        unit: Parameter set or picture; others stay as they are.
        number: Of the picture parameter set.

    Raises:
        ValueError: It has another number than 0, or is cut.
    """
    kind = unit[0] >> 1 & 63
    raw = bytearray(unit.replace(b"\0\0\3", b"\0\0"))
    if len(raw) < 4 or _SEQUENCE < kind < _PICTURE or kind > _PICTURE:
        return unit
    if kind == _VIDEO:
        raw[2] = _NUMBER << 4 | raw[2] & 15
    elif kind == _SEQUENCE:
        raw[2] = _NUMBER << 4 | raw[2] & 15
        if raw[2] >> 1 & 7:
            raise ValueError("several layers")
        _insert(raw, 24 + _PROFILE + 8, _NUMBER)
    elif kind == _PICTURE:
        _insert(raw, 16, number)
        _insert(raw, 16 + _BITS, _NUMBER)
    else:
        _insert(raw, 18 if _FIRST_IRAP <= kind <= _LAST_IRAP else 17, number)
    made = _MUST_ESCAPE.sub(b"\0\0\3", bytes(raw))
    return made + b"\3" if made.endswith(b"\0") else made


def _insert(raw: bytearray, bit: int, number: int) -> None:
    """Replace the code of 0, one bit, by that of a number, nine bits."""
    at, before = divmod(bit, 8)
    after = 7 - before
    if at >= len(raw) or not raw[at] >> after & 1:
        raise ValueError("not number 0")
    kept = raw[at]
    both = kept >> 8 - before << 16 - before | number + 1 << after | kept & (1 << after) - 1
    raw[at : at + 1] = both.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Sets:
    """`hvcC`, in which containers store parameter sets.

    Attributes:
        head: What stands before them.
        arrays: Type with its flags, and the units of that type.
    """

    head: bytes
    arrays: tuple[tuple[int, tuple[bytes, ...]], ...]

    @classmethod
    def parse(cls, data: bytes) -> Sets:
        """Take it apart.

        Raises:
            ValueError: It is cut.
        """
        if len(data) <= _HEAD:
            raise ValueError("cut")
        arrays, at = [], _HEAD + 1
        for _ in range(data[_HEAD]):
            kind, count = data[at : at + 1], int.from_bytes(data[at + 1 : at + 3], "big")
            at += 3
            if at > len(data):
                raise ValueError("cut")
            found = []
            for _ in range(count):
                size = int.from_bytes(data[at : at + 2], "big")
                found.append(data[at + 2 : at + 2 + size])
                at += 2 + size
                if at > len(data) or not size:
                    raise ValueError("cut")
            arrays.append((kind[0], tuple(found)))
        return cls(data[:_HEAD], tuple(arrays))

    def pack(self) -> bytes:
        """`hvcC`."""
        parts = [self.head, bytes([len(self.arrays)])]
        for kind, found in self.arrays:
            parts.append(bytes([kind]) + len(found).to_bytes(2, "big"))
            parts += [len(unit).to_bytes(2, "big") + unit for unit in found]
        return b"".join(parts)

    @property
    def units(self) -> Iterator[bytes]:
        """All of them."""
        for _, found in self.arrays:
            yield from found

    def free_number(self, others: Iterable[bytes] = ()) -> int:
        """A number for new picture parameter sets; 0 when there is none.

        Args:
            others: Units elsewhere, whose numbers are taken too.
        """
        taken = {_number_of(unit) for unit in (*self.units, *others)}
        if {(_VIDEO, _NUMBER), (_SEQUENCE, _NUMBER)} & taken:
            return 0
        return next((n for n in _NUMBERS if (_PICTURE, n) not in taken), 0)


def together(old: bytes, new: Setup, number: int) -> Setup:
    """The parameter sets of the source, and those of the new frames beside them."""
    one, two = Sets.parse(old), Sets.parse(new.box[8:])
    added = {kind & 63: tuple(renumbered(u, number) for u in found) for kind, found in two.arrays}
    arrays = [(kind, found + added.pop(kind & 63, ())) for kind, found in one.arrays]
    sets = (_VIDEO, _SEQUENCE, _PICTURE)
    arrays += [(kind, found) for kind, found in added.items() if kind in sets]
    data = Sets(one.head, tuple(arrays)).pack()
    box = (len(data) + 8).to_bytes(4, "big") + b"hvcC" + data
    return Setup(box, data)


def _number_of(unit: bytes) -> tuple[int, int]:
    """Type and number of a parameter set; other units have none."""
    raw = unit[:200].replace(b"\0\0\3", b"\0\0")
    kind = raw[0] >> 1 & 63
    if len(raw) < 4 or kind not in {_VIDEO, _SEQUENCE, _PICTURE}:
        return kind, -1
    if kind == _VIDEO:
        return kind, raw[2] >> 4
    bits = int.from_bytes(raw, "big")
    return kind, _golomb(bits, len(raw) * 8, 16 if kind == _PICTURE else _after_profile(raw))


def _after_profile(raw: bytes) -> int:
    """Where the number of a sequence parameter set stands: behind the profiles of all layers, bits."""
    layers, at = raw[2] >> 1 & 7, 24 + _PROFILE + 8
    if not layers:
        return at
    flags = int.from_bytes(raw[at // 8 : at // 8 + 2].ljust(2, b"\0"), "big")
    at += 16
    for layer in range(layers):
        at += _PROFILE * (flags >> 15 - 2 * layer & 1) + 8 * (flags >> 14 - 2 * layer & 1)
    return at


def _golomb(bits: int, size: int, at: int) -> int:
    """The number whose Exp-Golomb code stands at a place; -1 where there is none."""
    zeros = 0
    while at + zeros < size and not bits >> size - 1 - at - zeros & 1:
        zeros += 1
    stop = at + 2 * zeros + 1
    return (bits >> size - stop & (1 << zeros + 1) - 1) - 1 if stop <= size else -1
