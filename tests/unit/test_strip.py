"""The strip: its layout on pictures of every shape, and what is recognised as one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import strip
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState
from support import picture

PROFILE = load_profile("kz").image
LANGUAGES = ("kk", "ru", "en")


def plan(width: int, height: int, languages: tuple[str, ...] = LANGUAGES) -> strip.Strip | None:
    return strip.plan(width, height, Origin.CREATED, languages, PROFILE)


def striped(width: int, height: int) -> tuple[Image.Image, strip.Strip]:
    band = plan(width, height)
    assert band is not None
    image = Image.new("RGB", (width, height + band.height))
    image.paste(picture("RGB", (width, height)), (0, 0))
    image.paste(band.mask().convert("RGB"), (0, height))
    return image, band


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((1920, 1080), "short1"),
        ((480, 360), "short1"),
        ((400, 400), "short3"),
        ((200, 200), "short3"),
        ((128, 128), "code1"),
        ((64, 64), "codeN"),
        ((16, 16), "ai"),
        ((1000, 40), "short1"),
        ((40, 1000), "codeN"),
        ((1000, 1), "short1"),
        ((20_000, 50), "short1"),
        ((50, 20_000), "codeN"),
    ],
)
def test_every_shape_gets_the_richest_strip_that_passes(size, layout):
    image, band = striped(*size)
    assert band.layout == layout
    assert band.mask().size == (size[0], band.height)
    middle = band.middle.mask
    region = Region(
        band.left / image.width,
        size[1] / image.height,
        middle.width / image.width,
        middle.height / image.height,
    )
    measured = measure(image, band.middle, region, PROFILE)
    assert measured.state is NoticeState.PERCEIVABLE, measured
    assert strip.lies_below(image, size[1], band.middle.em)
    assert not strip.lies_below(image, size[1] - 8, band.middle.em)


@pytest.mark.parametrize("width", [1, 8, 15])
def test_there_is_no_room_for_letters(width):
    assert plan(width, 400) is None


def test_one_language_needs_less_room():
    assert plan(128, 128, ("kk",)).layout == "short3"


def test_the_band_holds_nothing_beside_its_middle():
    _, band = striped(900, 300)
    rows = np.asarray(band.mask())
    outside = np.delete(rows, range(band.left, band.left + band.middle.mask.width), axis=1)
    assert (outside == outside[:, :1]).all()
    assert set(np.unique(outside)) == {0, 255}


@pytest.mark.parametrize("hidden", [(0, 0, 900, 2), (0, -2, 900, 0), (0, 0, 9, 0), (-9, 0, 0, 0)])
def test_a_band_that_was_painted_over_is_none(hidden):
    image, band = striped(900, 300)
    left, top, right, bottom = hidden
    left, right = left % 900, right or 900
    top = 300 + top if top >= 0 else image.height + top
    bottom = 300 + bottom if bottom else image.height
    image.paste("gray", (left, top, right, bottom))
    assert not strip.lies_below(image, 300, band.middle.em)


def test_a_shape_that_no_strip_has_is_not_drawn():
    layout = next(step for step in strip._steps(Origin.CREATED, LANGUAGES))
    assert strip.draw_in_shape(layout, 16, 31, 0.5) is None
    assert strip.draw_in_shape(layout, 16, 31, 50.0) is None
    assert strip.draw_in_shape(layout, 16, 31, 435 / 54) is not None
