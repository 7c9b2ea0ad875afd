"""AV1: what the sequence header says about colours (AV1 bitstream specification, 5.5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colours:
    """Numbers of ITU-T H.273; 2 is "unspecified"."""

    primaries: int
    transfer: int
    matrix: int


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is cut")
        return self._value >> self._left & (1 << count) - 1


def colours(data: bytes) -> Colours | None:
    """What a picture's own bytes declare, or `None` when that cannot be read.

    Args:
        data: OBUs, from the configuration property or the item.
    """
    try:
        header = _sequence_header(data[:4096])
        return _colours(_Bits(header)) if header else None
    except ValueError:
        return None


def _sequence_header(data: bytes) -> bytes:
    """The payload of the first sequence header OBU."""
    at = 0
    while at < len(data):
        head = data[at]
        at += 2 if head & 4 else 1
        size = len(data) - at
        if head & 2:
            size, at = _leb128(data, at)
        if head >> 3 & 15 == 1:
            return data[at : at + size]
        at += size
    return b""


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        if at >= len(data):
            break
        byte = data[at]
        value |= (byte & 127) << 7 * index
        at += 1
        if not byte & 128:
            return value, at
    raise ValueError("a size does not end")


def _colours(bits: _Bits) -> Colours | None:
    profile = bits.take(3)
    bits.take(1)  # still picture
    short = bool(bits.take(1))
    if short:
        bits.take(5)
    elif bits.take(1):  # timing, which no picture needs
        return None
    else:
        _skip_operating_points(bits)
    for width in (bits.take(4) + 1, bits.take(4) + 1):
        bits.take(width)
    if not short and bits.take(1):  # frame numbers
        bits.take(7)
    bits.take(3)  # tools
    if not short:
        _skip_inter_tools(bits)
    bits.take(3)
    deep = bits.take(1)
    if profile == 2 and deep:
        bits.take(1)
    if profile != 1:
        bits.take(1)  # monochrome
    if not bits.take(1):
        return Colours(2, 2, 2)
    return Colours(bits.take(8), bits.take(8), bits.take(8))


def _skip_operating_points(bits: _Bits) -> None:
    delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delays and bits.take(1):
            bits.take(4)


def _skip_inter_tools(bits: _Bits) -> None:
    bits.take(4)
    order = bits.take(1)
    if order:
        bits.take(2)
    forced = 2 if bits.take(1) else bits.take(1)
    if forced and not bits.take(1):
        bits.take(1)
    if order:
        bits.take(3)
