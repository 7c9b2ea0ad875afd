"""AV1: what the headers of a still picture say (AV1 bitstream specification, 5.5 and 5.9); nothing is decoded."""

from __future__ import annotations

from aikz_label.values import dataclass

_HEAD = 4096  # no headers of a still picture are longer
_SEQUENCE, _FRAMES = 1, (3, 6)  # types of OBUs: a frame's header may come with or without the frame
_LEVEL_AT = 5  # bit of the sequence header of a still picture


def with_level(data: bytes, level: int) -> bytes:
    """The same picture, declared to be of another level: the tiles of a grid must all be of one.

    Args:
        data: OBUs with the header of a reduced still picture; others stay as they are.
        level: `seq_level_idx` of five bits.
    """
    for kind, start, _ in _units(data):
        if kind == _SEQUENCE and data[start] & 0x08:
            word = int.from_bytes(data[start : start + 2])
            shift = 16 - _LEVEL_AT - 5
            word = word & ~(31 << shift) | (level & 31) << shift
            return data[:start] + word.to_bytes(2) + data[start + 2 :]
    return data


def is_lossless(data: bytes) -> bool:
    """Whether a still picture is coded without loss; `False` when its headers cannot be followed.

    Args:
        data: OBUs from the item.
    """
    try:
        sequence = None
        for kind, start, stop in _units(data[:_HEAD]):
            if kind == _SEQUENCE:
                sequence = _sequence(_Bits(data[start:stop]))
            elif kind in _FRAMES and sequence is not None:
                return _is_lossless_frame(_Bits(data[start:stop]), sequence)
    except ValueError:
        pass
    return False


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:_HEAD], "big")
        self._left = 8 * len(data[:_HEAD])

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is cut")
        return self._value >> self._left & (1 << count) - 1


def _units(data: bytes) -> list[tuple[int, int, int]]:
    """Type, start and stop of the payload of each OBU."""
    at, found = 0, []
    while at < len(data):
        head = data[at]
        at += 2 if head & 4 else 1
        size = len(data) - at
        if head & 2:
            size, at = _leb128(data, at)
        found.append((head >> 3 & 15, at, min(at + size, len(data))))
        at += size
    return found


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


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What the frame header depends on."""

    width: int
    height: int
    block: int  # log2 of the size of a superblock
    superres: bool
    mono: bool
    separate_deltas: bool


def _sequence(bits: _Bits) -> _Sequence:
    """The sequence header of a reduced still picture; every encoder of still AVIF writes that one."""
    profile = bits.take(3)
    bits.take(1)
    if not bits.take(1):
        raise ValueError("not the header of a reduced still picture")
    bits.take(5)
    sizes = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(sizes[0]) + 1, bits.take(sizes[1]) + 1
    block = 7 if bits.take(1) else 6
    bits.take(2)  # tools of prediction
    superres = bool(bits.take(1))
    bits.take(2)  # filters
    deep = bits.take(1)
    twelve = bool(bits.take(1)) if profile == 2 and deep else False
    mono = bool(bits.take(1)) if profile != 1 else False
    colours = (2, 2, 2)
    if bits.take(1):
        colours = bits.take(8), bits.take(8), bits.take(8)
    if mono:
        return _Sequence(width, height, block, superres, mono=True, separate_deltas=False)
    if colours != (1, 13, 0):  # sRGB itself needs no more words
        _skip_sampling(bits, profile, twelve=twelve)
    separate = bool(bits.take(1))
    return _Sequence(width, height, block, superres, mono=False, separate_deltas=separate)


def _skip_sampling(bits: _Bits, profile: int, *, twelve: bool) -> None:
    bits.take(1)  # range
    across, down = {0: (1, 1), 1: (0, 0)}.get(profile, (1, 0))
    if profile == 2 and twelve:
        across = bits.take(1)
        down = bits.take(1) if across else 0
    if across and down:
        bits.take(2)  # where chroma lies


def _is_lossless_frame(bits: _Bits, sequence: _Sequence) -> bool:
    """The quantiser of a frame is 0, and nothing makes it differ between the planes."""
    bits.take(1)  # adaptation
    screen = bits.take(1)
    if screen:
        bits.take(1)  # whole vectors
    if sequence.superres and bits.take(1):
        return False
    if bits.take(1):  # another size to render in
        bits.take(32)
    if screen:
        bits.take(1)  # copies within the picture
    _skip_tiles(bits, sequence)
    quantiser, deltas = bits.take(8), bits.take(1)
    if not sequence.mono:
        deltas |= sequence.separate_deltas and bits.take(1)
        deltas |= bits.take(1) or bits.take(1)
    return quantiser == 0 and not deltas


def _skip_tiles(bits: _Bits, sequence: _Sequence) -> None:
    """How the frame is cut into tiles, where they are of one size."""
    block = sequence.block
    columns, rows = (-(-side >> block) for side in (sequence.width, sequence.height))
    if not bits.take(1):
        raise ValueError("tiles of several sizes")
    least = _log2(4096 >> block, columns)
    area = max(least, _log2(4096 * 2304 >> 2 * block, columns * rows))
    across = _grown(bits, least, _log2(1, min(columns, 64)))
    down = _grown(bits, max(area - across, 0), _log2(1, min(rows, 64)))
    if across or down:
        bits.take(across + down + 2)


def _grown(bits: _Bits, value: int, most: int) -> int:
    while value < most and bits.take(1):
        value += 1
    return value


def _log2(unit: int, wanted: int) -> int:
    """How often a unit must be doubled to reach what is wanted."""
    return max(0, (-(-wanted // unit) - 1).bit_length())
