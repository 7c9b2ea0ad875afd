"""Layout ladder and drawing. The numbers of the ladder are those of the reference, drawn with the profile's reserve."""

from __future__ import annotations

import pytest
from PIL import Image

from aikz_label.errors import Refused
from aikz_label.label import Origin
from aikz_label.notice import badge, wording
from aikz_label.profile import load_profile

KZ = load_profile("kz").image
ALL = ("kk", "ru", "en")
SIZES = {
    (1920, 1080): "short3",
    (1080, 1920): "short3",
    (1024, 1024): "short3",
    (4000, 500): "short3",
    (256, 256): "short3",
    (128, 128): "code1",
    (96, 96): "code1",
    (64, 64): "codeN",
    (48, 48): "ai",
    (32, 32): "ai",
    (1000, 40): "short1",
    (40, 1000): "codeN",
    (24, 24): None,
    (1, 1): None,
    (100000, 3): None,
}


@pytest.mark.parametrize(("size", "layout"), SIZES.items())
def test_the_ladder(size, layout):
    placed = badge.plan(*size, Origin.CREATED, ALL, KZ)
    if layout is None:
        assert placed is None
        return
    assert placed is not None
    assert placed.layout == layout
    width, height = placed.size
    assert placed.x + width <= size[0]
    assert placed.y + height <= size[1]
    short = min(size)
    assert placed.badge.cap >= max(KZ.min_cap_px, KZ.min_text_share * short)
    assert placed.badge.icon_cap >= KZ.min_icon_share * short
    assert placed.y >= 2


def test_top_right_within_the_margin():
    placed = badge.plan(1920, 1080, Origin.CREATED, ALL, KZ)
    assert placed is not None
    margin = 1920 - placed.x - placed.size[0]
    assert margin == placed.y == round(0.02 * 1080)


def test_long_pictures_get_larger_letters():
    wide, square = (badge.plan(*s, Origin.CREATED, ALL, KZ) for s in ((4000, 500), (500, 500)))
    assert wide is not None
    assert square is not None
    assert wide.badge.cap > 1.5 * square.badge.cap


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("languages", [ALL, ("ru", "kk"), ("kk",), ("en",)])
def test_every_layout_draws_every_language(origin, languages):
    for layout in wording.ladder(origin, languages):
        drawn = badge.draw(layout.lines, 14, 24 if layout.icon else 0)
        assert drawn.mask.getextrema() == (0, 255)
        assert len(drawn.text_boxes) == len(layout.lines)
        for left, top, right, bottom in drawn.text_boxes:
            assert 0 <= left < right <= drawn.mask.width
            assert 0 <= top < bottom <= drawn.mask.height
            assert drawn.mask.crop((left, top, right, bottom)).getextrema()[1] == 255


def test_the_same_arguments_give_the_same_pixels():
    first = badge.draw(("ЖИ ЖАСАҒАН",), 20, 40).mask.tobytes()
    badge.draw.cache_clear()
    assert badge.draw(("ЖИ ЖАСАҒАН",), 20, 40).mask.tobytes() == first


@pytest.mark.parametrize("letter", "ӘәҒғҚқҢңӨөҰұҮүҺһІіЁё₸«»№")
def test_the_font_has_every_letter(letter):
    badge.draw((letter,), 20, 0)


@pytest.mark.parametrize("text", ["中", "→", "A\u0306", "😀"])
def test_a_missing_letter_is_an_error(text):
    with pytest.raises(Refused) as refusal:
        badge.draw((text,), 20, 0)
    assert refusal.value.code == "missing-glyph"


def test_decomposed_letters_are_composed():
    composed, decomposed = (badge.draw((text,), 20, 0).mask for text in ("й", "и\u0306"))
    assert composed.tobytes() == decomposed.tobytes()


def test_created_and_altered_differ():
    created, altered = (badge.plan(800, 600, origin, ALL, KZ) for origin in Origin)
    assert created is not None
    assert altered is not None
    assert created.badge.lines == ("ЖИ ЖАСАҒАН", "СОЗДАНО ИИ", "AI GENERATED")
    assert altered.badge.lines == ("ЖИ ӨЗГЕРТКЕН", "ИЗМЕНЕНО ИИ", "AI MODIFIED")


def test_plate_and_keyline():
    placed = badge.plan(800, 600, Origin.CREATED, ALL, KZ)
    assert placed is not None
    mask = placed.badge.mask
    edge = Image.new("L", mask.size, 0)
    assert mask.crop((0, 0, mask.width, 1)).getextrema() == (255, 255)
    assert mask.getpixel((4, 4)) == edge.getpixel((0, 0)) == 0
