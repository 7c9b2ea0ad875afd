"""Entropy-coded data taken apart at its markers, whatever bytes they are."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from aikz_label.adapters.image.jpeg.segments import entropy_coded, intervals

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
