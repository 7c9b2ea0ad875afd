"""A strip is found without its record, and nothing else is taken for one."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

import gif_files
from aikz_label import Verdict, mark, verify
from aikz_label.label import Origin
from aikz_label.notice import strip
from aikz_label.notice.strip_search import locate
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState
from support import encoded, picture

PROFILE = load_profile("kz")


def striped(size, origin=Origin.CREATED, languages=("kk", "ru", "en")):
    band = strip.plan(*size, origin, languages, PROFILE.image)
    image = Image.new("RGB", (size[0], size[1] + band.height))
    image.paste(picture("RGB", size), (0, 0))
    image.paste(band.mask().convert("RGB"), (0, size[1]))
    return image


@pytest.mark.parametrize("quality", [100, 50])
@pytest.mark.parametrize(
    ("size", "origin"),
    [
        ((480, 360), Origin.CREATED),
        ((480, 360), Origin.ALTERED),
        ((300, 300), Origin.ALTERED),
        ((128, 128), None),
        ((64, 64), None),
        ((16, 16), None),
        ((40, 700), None),
        ((900, 4), Origin.CREATED),
    ],
)
def test_strips_of_every_layout_are_found(size, origin, quality):
    image = striped(size, origin or Origin.CREATED)
    seen = Image.open(io.BytesIO(encoded(image, "jpeg", quality=quality)))
    found = locate(seen, PROFILE)
    assert found is not None
    assert found.origin is origin
    assert found.measurement.state is NoticeState.PERCEIVABLE


def test_bands_that_say_nothing_of_ours_are_none():
    image = striped((480, 360))
    other = image.copy()
    other.paste("black", (20, 368, 460, image.height - 8))
    assert locate(other, PROFILE) is None
    assert locate(image.rotate(180), PROFILE) is None
    assert locate(image.crop((0, 0, 480, 380)), PROFILE) is None
    assert locate(picture(), PROFILE) is None
    assert locate(Image.new("RGB", (300, 200)), PROFILE) is None
    assert locate(Image.new("RGBA", (300, 200)), PROFILE) is None


@pytest.mark.parametrize("covered", [False, True])
def test_the_strip_of_an_animation_must_be_in_every_frame(covered, config, label):
    data = mark(gif_files.moving(), None, label, config=config).data
    plain = gif_files.without(data, b"C2PA_GIF", b"XMP Data")
    if covered:
        import numpy as np

        cover = gif_files.Image(np.full((40, 240), 99, np.uint8), corner=(0, 182)).packed()
        plain = plain[:-1] + cover + b";"
    report = verify(plain, config=config, measure=True)
    state = NoticeState.NOT_PERCEIVABLE if covered else NoticeState.PERCEIVABLE
    assert (report.verdict, report.notice_state) == (Verdict.INCOMPLETE, state)
    assert dict(report.figures)["frames"] == 3 + covered


@pytest.mark.parametrize(
    ("kind", "mode"), [("BMP", "RGB"), ("BMP", "L"), ("JPEG2000", "RGB"), ("ICO", "RGBA")]
)
def test_a_strip_whose_sidecar_is_missing_is_replaced_not_doubled(
    kind, mode, label, config, tmp_path
):
    """Whoever marks that file again has no record of the strip, and the format has no other place for one."""
    size = (48, 48) if kind == "ICO" else (120, 60)
    more = {"sizes": [size]} if kind == "ICO" else {"irreversible": False} if "20" in kind else {}
    path, first, second = (tmp_path / f"{n}.{kind.lower()[:3]}" for n in ("a", "b", "c"))
    path.write_bytes(encoded(picture(mode, size), kind, **more))
    mark(path, first, label, config=config, when_too_small="strip")
    sidecar = first.with_name(f"{first.name}.c2pa")
    sidecar.unlink()
    again = replace(label, origin=Origin.ALTERED)
    result = mark(first, second, again, config=config, on_existing="update", when_too_small="strip")
    assert result.report.verdict is Verdict.LABELLED
    with Image.open(first) as before, Image.open(second) as after:
        assert before.size == after.size
        upper = (0, 0, *size)
        assert (
            before.convert("RGB").crop(upper).tobytes()
            == after.convert("RGB").crop(upper).tobytes()
        )


def test_a_strip_of_an_animation_whose_marker_is_gone_is_replaced_not_doubled(label, config):
    first = mark(gif_files.moving(), None, label, config=config)
    bare = gif_files.without(first.data, b"C2PA_GIF", b"XMP Data")
    assert verify(bare, config=config).verdict is Verdict.UNMARKED
    second = mark(bare, None, label, config=config)
    with Image.open(io.BytesIO(first.data)) as before, Image.open(io.BytesIO(second.data)) as after:
        assert before.size == after.size
    assert verify(second.data, config=config, measure=True).verdict is Verdict.LABELLED
