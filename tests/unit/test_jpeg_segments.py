"""Entropy-coded data taken apart at its markers, whatever bytes they are."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jpeg.segments import (
    entropy_coded,
    intervals,
    walk_header,
    walk_scans,
)
from aikz_label.limits import MIB, NO_LIMITS

# the same as patterns that say it in one piece, and take long
MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
DENSE = st.lists(st.sampled_from([0xFF, 0, 0xD0, 0xD7, 0xD8, 0xD9, 1]), max_size=24).map(bytes)


@given(DENSE | st.binary(max_size=40), st.integers(0, 4))
@example(b"\x01\xff\xff\xd9", 0)
@example(b"\x01\xff\xff\xff", 0)
def test_what_comes_before_a_marker(data: bytes, start: int) -> None:
    found = MARKER.search(data, start)
    coded, code, at = entropy_coded(data, start)
    if found is None:
        assert (coded, code, at) == (data[start:], 0, len(data))
    else:
        assert (coded, code, at) == (data[start : found.start()], found[1][0], found.end() - 2)


@given(DENSE | st.binary(max_size=40))
@example(b"\x01\xff\xff\xd0\x02\xff\xd1")
@example(b"\x01\xff\xff")
def test_intervals(data: bytes) -> None:
    assert intervals(data) == RESTART.split(data)


def test_segments_without_end_between_the_scans() -> None:
    empty = b"\xff\xe0\0\2"
    between, end = walk_scans(empty * 50 + b"\xff\xd9", 0)
    assert (len(between), end) == (50, 50 * len(empty) + 2)
    with pytest.raises(MediaProblem, match="over-limit"):
        walk_scans(empty * 100_001 + b"\xff\xd9", 0)


@pytest.mark.parametrize("fill", [0, 1, 2, 4094, 4095, 4096, 4097, 9000])
def test_fill_before_a_marker(fill: int) -> None:
    data = b"\xff\xd8" + b"\xff" * fill + b"\xff\xe0\0\4ab" + b"\xff" * fill + b"\xff\xda\0\2"
    (segment,), scan = walk_header(data, NO_LIMITS)
    assert (segment.payload, segment.start) == (b"ab", 2 + fill)
    assert scan == len(data) - 4


def test_fill_is_passed_over_in_time() -> None:
    start = time.process_time()
    with pytest.raises(MediaProblem, match="damaged"):
        walk_header(b"\xff\xd8" + b"\xff" * (64 * MIB), NO_LIMITS)
    assert time.process_time() - start < 5
