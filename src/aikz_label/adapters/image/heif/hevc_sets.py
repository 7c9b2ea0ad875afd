"""The parameter sets of HEVC, which a HEIF file keeps apart from the pictures, in `hvcC` (ISO/IEC 14496-15, 8.3.3).

The tiles of a grid must share one decoder configuration (ISO/IEC 23000-22, 7.3.11.4). A tile that is coded anew has
parameter sets of its own, so they get numbers that the file's own do not have, and the configuration of all tiles becomes
the one that lists both. The numbers have no fixed size (ITU-T H.265, 7.3), so what follows them is shifted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aikz_label.adapters.image.bmff import Fields, pack
from aikz_label.values import dataclass, replace

VPS, SPS, PPS = 32, 33, 34
_HEADER = 16  # bits of every unit
_SPS_NUMBER = _HEADER + 8 + 96  # after the sequence's own VPS and its profile
_SLICE_NUMBER = _HEADER + 2  # after two flags of a picture that needs no other
_LONGEST_HEADER = 200  # bits of the header of a slice
_LEVEL = 12  # in the head of `hvcC`
_MOST = {VPS: 16, SPS: 16, PPS: 64}


@dataclass(frozen=True, slots=True)
class Configuration:
    """What `hvcC` says: a head of 22 bytes, then units, most of them parameter sets."""

    head: bytes
    sets: tuple[bytes, ...]

    @classmethod
    def read(cls, data: bytes) -> Configuration:
        """Take the payload of `hvcC` apart.

        Raises:
            MediaProblem: It breaks off.
        """
        fields = Fields(data)
        head = fields.take(22)
        found: list[bytes] = []
        for _ in range(fields.number(1)):
            fields.number(1)
            count = fields.number(2)
            found += [fields.take(fields.number(2)) for _ in range(count)]
        return cls(head, tuple(unit for unit in found if len(unit) > 2))

    @property
    def box(self) -> bytes:
        """The whole `hvcC` box."""
        arrays = []
        for kind in dict.fromkeys(map(kind_of, self.sets)):
            units = [unit for unit in self.sets if kind_of(unit) == kind]
            rows = b"".join(len(unit).to_bytes(2) + unit for unit in units)
            arrays.append((0x80 | kind).to_bytes(1) + len(units).to_bytes(2) + rows)
        return pack(b"hvcC", self.head, len(arrays).to_bytes(1), *arrays)

    def with_others(self, fresh: Configuration) -> tuple[Configuration, int] | None:
        """This and other parameter sets under numbers that are free here, and the number of the other picture set.

        Returns:
            `None` when there is no room, or when it is not one set of each kind.
        """
        if [kind_of(unit) for unit in fresh.sets] != [VPS, SPS, PPS]:
            return None
        numbers = []
        for kind in (VPS, SPS, PPS):
            taken = {_number(unit) for unit in self.sets if kind_of(unit) == kind}
            free = next((n for n in range(_MOST[kind]) if n not in taken), None)
            if free is None:
                return None
            numbers.append(free)
        stream, sequence, picture = fresh.sets
        renumbered = (
            _with_number(stream, numbers[0]),
            _with_number(_of_stream(sequence, numbers[0]), numbers[1]),
            _with_number(_of_sequence(picture, numbers[1]), numbers[2]),
        )
        level = max(self.head[_LEVEL], fresh.head[_LEVEL])
        head = self.head[:_LEVEL] + bytes([level]) + self.head[_LEVEL + 1 :]
        return replace(self, head=head, sets=self.sets + renumbered), numbers[2]


def kind_of(unit: bytes) -> int:
    """The type of a unit; none of those that are known when it is empty."""
    return unit[0] >> 1 & 63 if unit else -1


def plain(unit: bytes) -> bytes:
    """A unit without the bytes that keep start codes out of it."""
    return unit.replace(b"\0\0\3", b"\0\0")


def slices(data: bytes, number: int) -> Iterator[bytes]:
    """A picture of one slice that uses another picture parameter set; one proposal for each place its header may end at.

    Only a decoder that reads the whole header knows that place, so whoever asks tries the proposals, best first.
    """
    unit = data[4:]
    if int.from_bytes(data[:4]) != len(unit):
        return
    bits = _Bits.of(plain(unit))
    old = bits.coded(_SLICE_NUMBER)[1]
    for end in range(_SLICE_NUMBER + old, min(_LONGEST_HEADER, bits.size)):
        stop = -(-(end + 1) // 8) * 8  # the header ends with a one and zeros up to a whole byte
        if bits.part(end, stop) == 1 << stop - end - 1:
            kept = _Bits(bits.part(_SLICE_NUMBER + old, end + 1), end + 1 - _SLICE_NUMBER - old)
            head = _Bits(bits.part(0, _SLICE_NUMBER), _SLICE_NUMBER) + _golomb(number) + kept
            rest = _Bits(bits.part(stop, bits.size), bits.size - stop)
            whole = _escaped((head.whole() + rest).bytes())
            yield len(whole).to_bytes(4) + whole


@dataclass(frozen=True, slots=True)
class _Bits:
    """A number of so many bits."""

    value: int
    size: int

    @classmethod
    def of(cls, data: bytes) -> _Bits:
        return cls(int.from_bytes(data), 8 * len(data))

    def __add__(self, other: _Bits) -> _Bits:
        return _Bits(self.value << other.size | other.value, self.size + other.size)

    def part(self, start: int, stop: int) -> int:
        return self.value >> self.size - stop & (1 << stop - start) - 1

    def coded(self, start: int) -> tuple[int, int]:
        """An Exp-Golomb number and how many bits it takes."""
        zeros = 0
        while start + zeros < self.size and not self.part(start + zeros, start + zeros + 1):
            zeros += 1
        size = 2 * zeros + 1
        return self.part(start, min(start + size, self.size)) - 1, size

    def whole(self) -> _Bits:
        """With zeros up to a whole byte."""
        padding = -self.size % 8
        return _Bits(self.value << padding, self.size + padding)

    def bytes(self) -> bytes:
        return self.value.to_bytes(self.size // 8)


def _golomb(number: int) -> _Bits:
    return _Bits(number + 1, 2 * (number + 1).bit_length() - 1)


def _escaped(unit: bytes) -> bytes:
    """A unit with the bytes that keep start codes out of it."""
    return re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", unit)


_PLACES = {SPS: _SPS_NUMBER, PPS: _HEADER}


def _number(unit: bytes) -> int:
    """The number of a parameter set; sequences of several layers have none that can be found."""
    if kind_of(unit) == VPS:
        return unit[2] >> 4
    return _Bits.of(plain(unit)).coded(_PLACES[kind_of(unit)])[0]


def _with_number(unit: bytes, number: int) -> bytes:
    if kind_of(unit) == VPS:
        return _of_stream(unit, number)
    return _replaced(unit, _PLACES[kind_of(unit)], number)


def _of_stream(unit: bytes, number: int) -> bytes:
    """Four bits after the header: the number of a VPS, or the one that a sequence belongs to."""
    return unit[:2] + bytes([number << 4 | unit[2] & 15]) + unit[3:]


def _of_sequence(unit: bytes, number: int) -> bytes:
    """A picture parameter set that belongs to another sequence."""
    own = _Bits.of(plain(unit)).coded(_HEADER)[1]
    return _replaced(unit, _HEADER + own, number)


def _replaced(unit: bytes, place: int, number: int) -> bytes:
    """A parameter set with another Exp-Golomb number in one place; it ends with a one and zeros up to a whole byte."""
    bits = _Bits.of(plain(unit))
    size = bits.coded(place)[1]
    last = bits.size - (bits.value & -bits.value).bit_length() + 1  # after the one
    before, after = _Bits(bits.part(0, place), place), place + size
    tail = _Bits(bits.part(after, last), last - after)
    return _escaped((before + _golomb(number) + tail).whole().bytes())
