"""Pictures too small for any letters: with `when_too_small="strip"` each is marked, and nothing of it is hidden."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

import films
from aikz_label import Refused, Verdict, mark, verify
from aikz_label.label import Origin
from aikz_label.notice import strip
from aikz_label.profile import load_profile
from apng_files import Shot as PngShot
from apng_files import apng
from gif_files import Image as GifShot
from gif_files import gif
from support import encoded, picture
from tiff_files import photo, tiff
from webp_files import Shot as WebpShot
from webp_files import webp

LANGUAGES = ("kk", "ru", "en")
SIZES = [(1, 1), (7, 3), (5, 90), (16, 16), (20, 200), (28, 500), (500, 20)]
KINDS = {
    "png-palette": ("P", "PNG", {}),
    "png-bits": ("1", "PNG", {}),
    "png-deep": ("I;16", "PNG", {}),
    "png-alpha": ("LA", "PNG", {}),
    "gif": ("P", "GIF", {}),
    "webp": ("RGBA", "WEBP", {"lossless": True, "exact": True}),
    "tiff": ("CMYK", "TIFF", {}),
    "tiff-palette": ("P", "TIFF", {"compression": "tiff_lzw"}),
    "bmp": ("RGB", "BMP", {}),
    "bmp-palette": ("P", "BMP", {}),
    "bmp-bits": ("1", "BMP", {}),
    "bmp-alpha": ("RGBA", "BMP", {}),
    "jp2": ("RGB", "JPEG2000", {}),
}


@pytest.mark.parametrize("profile", ["kz", "strict"])
@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 1), (22, 22)])
def test_a_wider_band_is_as_narrow_as_its_letters(size, profile):
    numbers = load_profile(profile).image
    narrow = strip.plan(*size, Origin.CREATED, LANGUAGES, numbers)
    wider = strip.plan(*size, Origin.CREATED, LANGUAGES, numbers, wider=True)
    assert wider is not None
    if narrow is None:
        assert wider.layout == "codeN", "every language has its code"
        less = strip.plan(wider.width - 1, size[1], Origin.CREATED, LANGUAGES, numbers)
        assert less is None or less.layout != "codeN"
    else:
        assert (wider.width, wider.layout) == (size[0], narrow.layout)


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_of_every_format(kind, label, config):
    mode, form, options = KINDS[kind]
    number = list(KINDS).index(kind)
    for size in (SIZES[number % len(SIZES)], SIZES[(number + 3) % len(SIZES)], (2, 9)):
        image = picture(mode, size) if mode != "P" else picture("RGB", size).quantize(100)
        source = encoded(image, form, **options)
        result = mark(source, None, label, config=config, when_too_small="strip")
        assert result.report.verdict is Verdict.LABELLED
        assert result.report.marker.notice.kind == "strip"
        again = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
        assert again.verdict is Verdict.LABELLED
        was, now = (Image.open(io.BytesIO(data)) for data in (source, result.data))
        assert was.mode == now.mode
        above = now.crop((0, 0, *size))
        assert np.array_equal(np.asarray(was.convert("RGBA")), np.asarray(above.convert("RGBA")))


def test_it_stays_small_until_somebody_asks(label, config):
    with pytest.raises(Refused) as refusal:
        mark(encoded(picture("RGB", (9, 9)), "PNG"), None, label, config=config)
    assert refusal.value.code == "not-perceptible"


def test_a_turned_picture_is_turned_with_what_is_beside_it(label, config):
    exif = Image.Exif()
    exif[274] = 6
    source = encoded(picture("RGB", (40, 3)), "PNG", exif=exif)
    result = mark(source, None, label, config=config, when_too_small="strip")
    shown = Image.open(io.BytesIO(result.data)).transpose(Image.Transpose.ROTATE_270)
    was = Image.open(io.BytesIO(source)).transpose(Image.Transpose.ROTATE_270)
    assert was.size == (3, 40)
    assert np.array_equal(np.asarray(shown.crop((0, 0, 3, 40))), np.asarray(was))
    assert not np.asarray(shown.crop((3, 0, shown.width, 40))).any()


def test_marking_again_makes_it_no_larger(label, config):
    source = encoded(picture("RGB", (4, 4)), "PNG")
    first = mark(source, None, label, config=config, when_too_small="strip")
    second = mark(
        first.data, None, label, config=config, when_too_small="strip", on_existing="replace"
    )
    pictures = [np.asarray(Image.open(io.BytesIO(one.data))) for one in (first, second)]
    assert np.array_equal(*pictures)


NUMBERS = np.arange(12, dtype=np.uint8).reshape(3, 4)
FILMS = {
    "gif": gif([GifShot(NUMBERS), GifShot(NUMBERS[::-1], disposal=2)]),
    "apng": apng([PngShot(NUMBERS[..., None]), PngShot(NUMBERS[::-1, :, None])], 0, 8),
    "apng-interlaced": apng(
        [PngShot(NUMBERS[..., None]), PngShot(NUMBERS[::-1, :, None])], 0, 8, interlaced=True
    ),
    "webp": webp([WebpShot(picture("RGBA", (4, 3))), WebpShot(picture("RGBA", (2, 2)))]),
}


@pytest.mark.parametrize("kind", FILMS)
def test_animations(kind, label, config):
    source = FILMS[kind]
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert not films.losses(source, result.data, result.report.marker.notice.placements[0])
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_a_palette_counts_the_colours_of_the_picture_above_the_strip(label, config):
    """A strip is drawn into a new picture, whose blocks are in no file: the colours of the old one are all in use."""
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    colours = np.stack([np.arange(256) * 257, np.arange(256)[::-1] * 257, np.full(256, 9 * 257)])
    source = tiff(values, photometric="palette", colormap=colours.astype(np.uint16))
    result = mark(source, None, label, config=config, when_too_small="strip")
    with tifffile.TiffFile(io.BytesIO(result.data)) as file:
        page = file.pages[0]
        now = page.colormap[:, page.asarray()[:8]]
    delta = np.abs(now.astype(int) - colours.astype(np.uint16)[:, values]).max(axis=0)
    assert (delta > 0).sum() <= 5, "two colours made room, the others stay"
    assert delta.max() <= 5 * 257


def test_numbers_of_32_bits_have_the_white_of_the_picture_above(label, config):
    samples = photo(1, "uint32", (20, 20))
    source = tiff(samples, photometric="minisblack")
    result = mark(source, None, label, config=config, when_too_small="strip")
    with tifffile.TiffFile(io.BytesIO(result.data)) as file:
        below = file.pages[0].asarray()[20:]
    assert result.report.verdict is Verdict.LABELLED
    assert below.max() >= samples.max()


@pytest.mark.parametrize("size", [(32, 32), (48, 48), (64, 32)])
def test_a_badge_never_grows_over_all_of_a_small_picture(size, label, config):
    """A codec of blocks makes the plate larger; what is left must still be a picture."""
    source = encoded(picture("RGB", size), "WEBP", quality=90)
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    lossless = encoded(picture("RGB", size), "WEBP", lossless=True)
    result = mark(lossless, None, label, config=config)
    was, now = (np.asarray(Image.open(io.BytesIO(data))) for data in (lossless, result.data))
    assert (was == now).all(axis=2).mean() > 0.3
