"""The units of AV1 (open bitstream units) in a frame as containers store it."""

from __future__ import annotations

from collections.abc import Iterator

_SEQUENCE = 1
_MOST = 1000


def has_sequence(data: bytes) -> bool:
    """Whether a frame brings the header of its sequence, so that decoding can begin with nothing else."""
    return any(kind == _SEQUENCE for kind in _kinds(data))


def _kinds(data: bytes) -> Iterator[int]:
    """The type of each unit; stops where a length cannot be right."""
    at = 0
    for _ in range(_MOST):
        if at >= len(data):
            return
        head = data[at]
        yield head >> 3 & 15
        at += 1 + (head >> 2 & 1)
        if not head & 2:  # without a length it goes to the end
            return
        size = shift = 0
        for byte in data[at : at + 8]:
            size |= (byte & 127) << shift
            shift += 7
            at += 1
            if not byte & 128:
                break
        at += size
