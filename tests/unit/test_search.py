"""A badge that nobody recorded: found wherever it went, and nothing else taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from aikz_label import Label, mark, verify
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.notice import badge
from aikz_label.notice.search import search
from aikz_label.profile import load_profile
from aikz_label.report import How, NoticeState, Verdict
from support import encoded, picture

KZ = load_profile("kz")
SIZE = (1280, 720)
ALL = ("kk", "ru", "en")


def labelled(origin=Origin.CREATED, languages=ALL, size=SIZE):
    image = picture("RGB", size)
    placed = badge.plan(*size, origin, languages, KZ.image)
    assert placed is not None
    image.paste(Image.merge("RGB", (placed.badge.mask,) * 3), (placed.x, placed.y))
    return image


def resaved(image, quality):
    return Image.open(io.BytesIO(encoded(image, "JPEG", quality=quality)))


def scaled(image, factor):
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


@pytest.mark.parametrize("languages", [ALL, ("kk", "ru"), ("kk",), ("ru",), ("en",)])
@pytest.mark.parametrize("origin", Origin)
def test_every_wording_is_found_and_told(origin, languages):
    found = search(labelled(origin, languages), KZ)
    assert found is not None
    assert found.measurement.state is NoticeState.PERCEIVABLE
    assert found.origin is origin
    assert dict(found.measurement.figures)["cap_px"] == pytest.approx(19.3, abs=0.6)


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5, 2.0])
def test_scaled_and_compressed(factor):
    found = search(resaved(scaled(labelled(), factor), 50), KZ)
    assert found is not None
    assert found.measurement.state is NoticeState.PERCEIVABLE
    assert found.origin is Origin.CREATED
    figures = dict(found.measurement.figures)
    assert figures["short_side_px"] == round(720 * factor)
    assert figures["cap_px"] == pytest.approx(19.3 * factor, rel=0.04)


def test_cropped_at_the_other_sides():
    found = search(labelled().crop((500, 0, 1280, 500)), KZ)
    assert found is not None
    assert found.measurement.state is NoticeState.PERCEIVABLE


@pytest.mark.parametrize("factor", [0.6, 1.0])
def test_in_a_screenshot_it_is_found_and_small(factor):
    screen = Image.new("RGB", (1920, 1080), "#f0f0f0")
    screen.paste(scaled(labelled(), factor), (37, 211))
    found = search(screen, KZ)
    assert found is not None
    assert found.there
    assert [one.code for one in found.measurement.problems] == ["notice.too-small"]


def test_small_compressed_letters_are_found_and_too_small():
    found = search(resaved(scaled(labelled(languages=("ru",)), 0.37), 20), KZ)
    assert found is not None
    assert [one.code for one in found.measurement.problems] == ["notice.too-small"]
    assert dict(found.measurement.figures)["text_match"] < KZ.image.min_text_match
    assert found.origin is Origin.CREATED


def test_what_is_made_out_and_hard_to_read_is_found_unclear():
    pixels = np.asarray(labelled(), float)
    noise = np.random.default_rng(1).normal(0, 120, (*pixels.shape[:2], 1))
    found = search(Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)), KZ)
    assert found is not None
    assert found.measurement.state is NoticeState.NOT_PERCEIVABLE
    assert [one.code for one in found.measurement.problems] == ["notice.unclear"]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P"])
def test_in_every_mode(mode):
    found = search(labelled(size=(640, 480)).convert(mode), KZ)
    assert found is not None
    assert found.origin is Origin.CREATED


def test_codes_do_not_tell_the_origin():
    found = search(labelled(size=(128, 128)), KZ)
    assert found is not None
    assert found.there
    assert found.origin is None


def text_page(size):
    page = Image.new("RGB", SIZE, "black")
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size)
    for row in range(0, SIZE[1], round(size * 1.3)):
        pen.text((8, row), f"{row} AI GENERATED TEXT AND OTHER WORDS " * 3, "white", font)
    return page


@pytest.mark.parametrize(
    "image",
    [
        picture("RGB", SIZE),
        Image.new("L", SIZE, 128),
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (*SIZE[::-1], 3), np.uint8)),
        text_page(12),
        text_page(24),
        text_page(60),
        Image.new("L", (1, 1)),
        Image.new("L", (3000, 1)),
        Image.new("L", (20, 20)),
    ],
    ids=["photo", "flat", "noise", "text12", "text24", "text60", "dot", "line", "tiny"],
)
def test_nothing_else_is_taken_for_one(image):
    assert search(image, KZ) is None


def test_a_badge_with_other_words_is_not_ours():
    image = picture("RGB", SIZE)
    other = badge.draw(("ДА НЕТ ДОМ", "ПРИВЕТ ВАМ", "HELLO WORLD"), 27, 54)
    image.paste(other.mask, (900, 14))
    found = search(image, KZ)
    assert found is None or not found.there


def test_too_many_likely_places_are_given_up():
    other = badge.draw(("ДА НЕТ ДОМ", "ПРИВЕТ ВАМ", "HELLO WORLD"), 27, 54).mask
    image = Image.new("L", SIZE, 128)
    for x in range(10, 1000, 400):
        for y in range(10, 600, 150):
            image.paste(other, (x, y))
    found = search(image, KZ)
    assert found is not None
    assert found.measurement.state is NoticeState.UNKNOWN
    assert not found.there


# --- through verify -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stripped(config):
    """Marked, then saved again without metadata."""
    marked = mark(
        encoded(picture("RGB", (640, 480)), "PNG"), None, Label(origin="altered"), config=config
    )
    with Image.open(io.BytesIO(marked.data)) as image:
        return encoded(Image.fromarray(np.asarray(image)), "JPEG", quality=80)


def codes(messages):
    return {one.code for one in messages}


def test_a_stripped_file_is_incomplete_when_searched(stripped, config):
    report = verify(stripped, config=config, measure=True)
    assert (report.verdict, report.reason.code) == (Verdict.INCOMPLETE, "marker.drawn")
    assert report.marker_state == "absent"
    assert (report.notice_state, report.notice_how) == (NoticeState.PERCEIVABLE, How.MEASURED)
    assert report.declared is None
    declared = next(f for f in report.findings if f.clause == "kz.1.4.declared")
    assert declared.message.code == "declared.drawn"
    assert "altered" in declared.message.text("en")
    assert "limits.not-searched" not in codes(report.limits)


def test_nothing_is_searched_unasked(stripped, config):
    report = verify(stripped, config=config)
    assert report.verdict is Verdict.UNMARKED
    assert "limits.not-searched" in codes(report.limits)


def test_a_search_that_finds_nothing_says_so(config):
    report = verify(encoded(picture(), "PNG"), config=config, measure=True)
    assert report.verdict is Verdict.UNMARKED
    assert report.notice_state is NoticeState.UNKNOWN
    assert "limits.searched" in codes(report.limits)
    assert not {"limits.not-searched", "limits.structure"} & codes(report.limits)


def test_a_picture_that_does_not_decode_leaves_the_search_unknown(config):
    data = bytearray(encoded(picture(), "PNG"))
    data[len(data) // 2] ^= 255
    report = verify(bytes(data), config=config, measure=True)
    assert report.notice_state is NoticeState.UNKNOWN
    assert report.verdict in {Verdict.UNMARKED, Verdict.UNREADABLE}


def test_limits_hold_for_the_search_too(stripped, config):
    report = verify(stripped, config=config, measure=True, caps=Limits(max_pixels=1000))
    assert report.verdict is Verdict.UNREADABLE
