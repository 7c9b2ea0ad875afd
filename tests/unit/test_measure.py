"""The anti-patterns of Art. 21(2), one code each, and what survives a messenger."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState
from support import picture

KZ = load_profile("kz").image
SIZE = (1280, 720)


def place():
    placed = badge.plan(*SIZE, Origin.CREATED, ("kk", "ru", "en"), KZ)
    assert placed is not None
    return placed


def region(placed, size=SIZE, dx=0, dy=0):
    width, height = placed.size
    return Region(
        (placed.x - dx) / size[0], (placed.y - dy) / size[1], width / size[0], height / size[1]
    )


@pytest.fixture(scope="module")
def clean():
    return picture("RGB", SIZE)


@pytest.fixture(scope="module")
def labelled(clean):
    placed = place()
    image = clean.copy()
    image.paste(Image.merge("RGB", (placed.badge.mask,) * 3), (placed.x, placed.y))
    return image


def codes(image, where=None):
    placed = place()
    found = measure(image, placed.badge, where or region(placed), KZ)
    assert (found.state is NoticeState.PERCEIVABLE) == (not found.problems)
    return [problem.code for problem in found.problems]


def test_a_true_badge_passes(labelled):
    found = measure(labelled, place().badge, region(place()), KZ)
    figures = dict(found.figures)
    assert found.problems == ()
    assert figures["match"] > 0.99
    assert figures["contrast"] == pytest.approx(21, abs=0.1)
    assert figures["cap_px"] == pytest.approx(place().badge.cap)


def test_missing(clean):
    assert codes(clean) == ["notice.missing"]


@pytest.mark.parametrize("factor", [0.31, 0.5])
def test_too_faint(clean, factor):
    placed = place()
    grey = placed.badge.mask.point(lambda v: int(v * factor))
    clean = clean.copy()
    clean.paste(Image.merge("RGB", (grey,) * 3), (placed.x, placed.y))
    assert codes(clean) == ["notice.too-faint"]


def test_a_white_icon_cannot_carry_grey_text(clean):
    placed = place()
    mask = placed.badge.mask.copy()
    for box in placed.badge.text_boxes:
        text = mask.crop(box).point(lambda v: int(v * 0.31))
        mask.paste(text, box)
    clean = clean.copy()
    clean.paste(Image.merge("RGB", (mask,) * 3), (placed.x, placed.y))
    assert codes(clean) == ["notice.too-faint"]


@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_transparent(clean, labelled, alpha):
    assert codes(Image.blend(clean, labelled, alpha)) == ["notice.transparent"]


def test_transparent_by_its_alpha_channel(labelled):
    placed = place()
    image = labelled.convert("RGBA")
    alpha = Image.new("L", placed.size, 90)
    part = image.crop((placed.x, placed.y, placed.x + placed.size[0], placed.y + placed.size[1]))
    part.putalpha(alpha)
    image.paste(part, (placed.x, placed.y))
    assert codes(image) == ["notice.transparent"]


@pytest.mark.parametrize("colour", ["black", "white", "red", "#808080"])
def test_covered(labelled, colour):
    placed = place()
    image = labelled.copy()
    middle = placed.x + placed.size[0] * 2 // 3
    image.paste(colour, (middle, placed.y, placed.x + placed.size[0], placed.y + placed.size[1]))
    assert codes(image) == ["notice.covered"]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_off(labelled, share):
    placed = place()
    right = placed.x + int(placed.size[0] * share)
    image = labelled.crop((0, 0, right, SIZE[1]))
    assert codes(image, region(placed, image.size)) == ["notice.cut-off"]


def test_too_small(labelled):
    small = labelled.resize((460, 259), Image.Resampling.LANCZOS)
    assert codes(small) == ["notice.too-small"]


def test_shrunk_inside_the_picture_is_too_small(clean):
    placed = place()
    mask = placed.badge.mask.resize((placed.size[0] // 2, placed.size[1] // 2))
    image = clean.copy()
    image.paste(Image.merge("RGB", (mask,) * 3), (placed.x, placed.y))
    where = Region(
        placed.x / SIZE[0], placed.y / SIZE[1], mask.width / SIZE[0], mask.height / SIZE[1]
    )
    assert codes(image, where) == ["notice.too-small"]


@pytest.mark.parametrize("quality", [95, 75, 50, 30])
@pytest.mark.parametrize("scale", [1.0, 0.75, 0.6])
def test_a_messenger_leaves_it_readable(labelled, quality, scale):
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    buffer = io.BytesIO()
    labelled.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=quality)
    assert codes(Image.open(buffer)) == []


def test_a_small_shift_and_zoom_are_found(labelled):
    moved = Image.new("RGB", SIZE)
    moved.paste(labelled, (-6, 4))
    assert codes(moved) == []
    zoomed = labelled.resize((int(SIZE[0] * 1.03), int(SIZE[1] * 1.03))).crop(
        (30, 0, 30 + SIZE[0], SIZE[1])
    )
    assert codes(zoomed) == []


def test_blur_until_it_is_unreadable(labelled):
    assert codes(labelled.filter(ImageFilter.GaussianBlur(1.2))) == []
    assert codes(labelled.filter(ImageFilter.GaussianBlur(4))) != []


def test_no_unlabelled_place_looks_like_a_badge(clean):
    placed = place()
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (*SIZE[::-1], 3), np.uint8))
    for image in (
        clean,
        noise,
        clean.convert("L").convert("RGB").transpose(Image.Transpose.ROTATE_180),
    ):
        for x in (0.0, 0.3, 0.6):
            for y in (0.0, 0.4, 0.7):
                where = Region(x, y, placed.size[0] / SIZE[0], placed.size[1] / SIZE[1])
                found = dict(measure(image, placed.badge, where, KZ).figures)
                assert found["match"] < 0.5


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "YCbCr", "P", "1"])
def test_every_mode_is_measured(labelled, mode):
    assert codes(labelled.convert(mode)) == []
