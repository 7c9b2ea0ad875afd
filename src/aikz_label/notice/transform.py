"""Lengths for which Fourier transforms are fast."""

from __future__ import annotations


def fast_length(length: int) -> int:
    """The next length that has no prime factor above 5."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1
