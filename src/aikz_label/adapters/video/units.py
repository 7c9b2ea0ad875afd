"""NAL units of H.264 and HEVC: between start codes as encoders give them, and after lengths as containers store them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aikz_label.adapters.video import hevc_sets

_START = re.compile(rb"\x00\x00\x01")
# Parameter sets and access unit delimiters: the former stand apart in containers, the latter only repeat the borders.
_APART = {"h264": frozenset({7, 8, 9}), "hevc": frozenset({32, 33, 34, 35})}
IDR = {"h264": frozenset({5}), "hevc": frozenset({19, 20})}


def kind(codec: str, unit: bytes) -> int:
    """Type of a unit."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def split(data: bytes) -> Iterator[bytes]:
    """The units of a byte stream with start codes."""
    starts = [match.end() for match in _START.finditer(data)]
    for index, start in enumerate(starts):
        last = index + 1 == len(starts)
        unit = data[start:] if last else data[start : starts[index + 1] - 3]
        unit = unit.rstrip(b"\0")  # no unit ends in a zero byte
        if unit:
            yield unit


def with_lengths(codec: str, data: bytes, size: int, number: int = 0) -> bytes:
    """The picture's units, each after its length, without parameter sets and delimiters.

    Args:
        codec: `h264` or `hevc`.
        data: A byte stream with start codes.
        size: In how many bytes lengths are stored.
        number: Of HEVC, that of the picture parameter set that the units are to name; 0 for the one they do.
    """
    found = (unit for unit in split(data) if kind(codec, unit) not in _APART[codec])
    if number and codec == "hevc":
        found = (hevc_sets.renumbered(unit, number) for unit in found)
    return b"".join(len(unit).to_bytes(size, "big") + unit for unit in found)


def by_length(data: bytes, size: int) -> Iterator[bytes]:
    """The units of a frame as a container stores it; stops where a length cannot be right."""
    at = 0
    while at + size < len(data):
        length = int.from_bytes(data[at : at + size], "big")
        unit = data[at + size : at + size + length]
        if not unit or len(unit) < length:
            return
        yield unit
        at += size + length
