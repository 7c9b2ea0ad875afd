"""Boxes of displayed and stored pictures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aikz_label.adapters.image import canvas

ORIENTATIONS = st.integers(1, 8)
SIZES = st.tuples(st.integers(40, 200), st.integers(40, 200))


@given(SIZES, ORIENTATIONS, st.data())
def test_a_box_goes_to_the_stored_picture_and_back(displayed, orientation, data):
    w, h = data.draw(st.integers(1, 39)), data.draw(st.integers(1, 39))
    x = data.draw(st.integers(0, displayed[0] - w))
    y = data.draw(st.integers(0, displayed[1] - h))
    stored = canvas.stored_box((x, y, w, h), displayed, orientation)
    assert canvas.shown_box(stored, displayed, orientation) == (x, y, w, h)


@given(SIZES, ORIENTATIONS, st.integers(0, 20), st.integers(0, 20))
def test_boxes_agree_with_pixels(displayed, orientation, x, y):
    """A rectangle drawn where `stored_box` says is seen where it was meant."""
    size = displayed if orientation < 5 else displayed[::-1]
    left, top, w, h = canvas.stored_box((x, y, 13, 7), displayed, orientation)
    stored = Image.new("L", size)
    stored.paste(255, (left, top, left + w, top + h))
    assert canvas.displayed(stored, orientation).getbbox() == (x, y, x + 13, y + 7)


@given(SIZES, st.sampled_from([(1, 1), (8, 8), (16, 16)]), st.data())
def test_the_rim_of_a_plate_is_even(size, grid, data):
    """To a pixel; at an edge that is not on the grid, to less than a block."""
    on_grid = all(side % block == 0 for side, block in zip(size, grid, strict=True))
    uneven = 1 if on_grid else grid[0] - 1
    w, h = data.draw(st.integers(1, 39)), data.draw(st.integers(1, 39))
    box = (data.draw(st.integers(0, size[0] - w)), data.draw(st.integers(0, size[1] - h)), w, h)
    x, y, *_ = moved = canvas.centred(box, grid, size)
    assert abs(x - box[0]) < grid[0]
    assert abs(y - box[1]) < grid[1]
    _, (left, top, width, height) = canvas.on_grid(Image.new("L", (w, h)), moved, grid, size)
    assert abs((x - left) - (left + width - x - w)) <= max(1, uneven)
    assert abs((y - top) - (top + height - y - h)) <= max(1, uneven)
