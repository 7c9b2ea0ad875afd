"""Lossy WebP: what people see is kept, and colours under full transparency are nobody's."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from aikz_label import mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import webp_frames
from aikz_label.adapters.image.container import Chunk
from aikz_label.adapters.image.modes import difference_as_shown, difference_outside
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.errors import Refused
from fidelity import losses
from support import encoded, picture


def _noise(size=(200, 160)):
    """Colours that halving twice would blur: every second column red or blue."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (size[1] // 2, size[0] // 2, 3), np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_planes_are_coded_as_they_are(mode, quality, label, config):
    image = _noise((400, 320)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    source = encoded(image, "WEBP", quality=quality)
    result = mark(source, None, label, config=config)
    placement = result.report.marker.notice.placements[0]
    assert not losses(source, result.data, placement)
    assert verify(result.data, config=config, measure=True).verdict == "labelled"
    before, after = (Image.open(io.BytesIO(data)) for data in (source, result.data))
    below = (0, 160, 400, 320)
    through_rgb = Image.open(io.BytesIO(encoded(before, "WEBP", quality=100, exact=True)))
    kept = difference_as_shown(before.crop(below), after.crop(below))
    assert kept > 1 + difference_as_shown(before.crop(below), through_rgb.crop(below))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (31, 13), (20, 50)])
def test_planes_above_a_strip_are_coded_as_they_are(size, mode, label, config):
    image = _noise((40, 100)).crop((0, 0, *size)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    source = encoded(image, "WEBP", quality=80)
    result = mark(source, None, label, config=config, when_too_small="strip")
    (placement,) = result.report.marker.notice.placements
    assert placement["design"] == "strip/1"
    assert not losses(source, result.data, placement)


def test_the_copy_of_a_lossy_first_frame_is_coded_from_its_planes(label, config):
    shots = [_noise((160, 120)).rotate(angle) for angle in (0, 180)]
    source = encoded(
        shots[0], "WEBP", save_all=True, append_images=shots[1:], duration=100, quality=70
    )
    result = mark(source, None, label, config=config)
    assert not losses(source, result.data, result.report.marker.notice.placements[0])


def test_what_is_black_beside_a_narrow_picture_does_not_count():
    """Else a picture could be ruined as long as enough black lies beside it."""
    dark = PillowPicture(Image.new("RGB", (4, 4), "#404040"))
    before, box = dark.with_band(Image.new("L", (100, 20)), 4)
    other, _ = PillowPicture(Image.new("RGB", (4, 4), "#505050")).with_band(
        Image.new("L", (100, 20)), 4
    )
    assert before.difference(other, box) == pytest.approx(dark.difference(other_of(other), None))


def other_of(larger):
    """The part that the narrow picture has in it."""
    return PillowPicture(larger.image.crop((0, 0, 4, 4)))


def test_bytes_after_the_end_are_not_dropped(label, config):
    source = encoded(picture(), "WEBP")
    with pytest.raises(Refused, match="after its end"):
        mark(source + b"a second picture", None, label, config=config)
    assert mark(source + b"\0\0", None, label, config=config).report.verdict == "labelled"


def test_colours_that_nobody_sees_do_not_count():
    seen = picture("RGB").convert("RGBA")
    seen.putalpha(Image.new("L", seen.size, 0))
    other = Image.new("RGBA", seen.size, (255, 0, 255, 0))
    assert difference_outside(seen, other) < 20
    assert difference_as_shown(seen, other) == np.inf


def test_opacity_counts():
    one, other = (Image.new("RGBA", (40, 40), (9, 9, 9, alpha)) for alpha in (255, 254))
    assert difference_as_shown(one, other) == 0
    assert difference_as_shown(one, other, (0, 0, 40, 40)) == np.inf


def test_a_frame_of_very_many_chunks_is_not_taken_apart():
    """Each would cost far more memory than its eight bytes."""
    control = webp_frames.Control((0, 0, 2, 2), 100, 0).packed()
    few, many = (Chunk.of(b"ANMF", control + b"JUNK\0\0\0\0" * n) for n in (9, 100_001))
    assert webp_frames.taken_apart(few)[1] == []
    with pytest.raises(MediaProblem, match="over-limit"):
        webp_frames.taken_apart(many)
