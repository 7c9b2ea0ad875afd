"""Every way of holding pixels: the badge is black and white in it, and nothing else changes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.adapters.image.samples import Colours, SamplePicture, levels_of
from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState
from support import picture

PROFILE = load_profile("kz")
SIZE = (480, 320)
MODES = [
    *(
        "1",
        "L",
        "LA",
        "La",
        "P",
        "PA",
        "RGB",
        "RGBA",
        "RGBa",
        "RGBX",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
    ),
    *("I;16", "I;16L", "I;16B", "I;16N", "I", "F"),
]


def photo(mode: str) -> Image.Image:
    """The photograph in any mode, also those Pillow converts to only by a detour."""
    if mode in {
        "1",
        "L",
        "LA",
        "P",
        "RGB",
        "RGBA",
        "RGBX",
        "CMYK",
        "YCbCr",
        "LAB",
        "HSV",
        "I",
        "F",
    }:
        return picture(mode)
    if mode in {"La", "RGBa"}:
        return picture(mode.upper()).convert(mode)
    if mode == "PA":
        return Image.merge(
            "PA", (picture("P").getchannel(0), Image.linear_gradient("L").resize(SIZE))
        )
    deep = np.asarray(picture("L")).astype(np.uint16) * 257 ^ 0x55
    order = ">u2" if mode == "I;16B" else "<u2"
    return Image.frombytes(mode, SIZE, deep.astype(order).tobytes())


def copied(one: PillowPicture | SamplePicture) -> PillowPicture | SamplePicture:
    if isinstance(one, PillowPicture):
        return PillowPicture(one.image.copy(), one.orientation)
    return SamplePicture(one.samples.copy(), one.colours, one.orientation)


def painted(one: PillowPicture | SamplePicture):
    """The badge drawn in, its plate, and what measuring it gives."""
    width, height = one.size
    placed = badge.plan(width, height, Origin.CREATED, PROFILE.languages, PROFILE.image)
    assert placed is not None
    shown = (placed.x, placed.y, *placed.size)
    box = canvas.stored_box(shown, one.size, one.orientation)
    one.paint(canvas.stored_mask(placed.badge.mask, one.orientation), box)
    region = Region(
        placed.x / width, placed.y / height, placed.size[0] / width, placed.size[1] / height
    )
    return box, measure(one, placed.badge, region, PROFILE.image)


def assert_labelled(one: PillowPicture | SamplePicture, *, contrast: float = 20.0) -> None:
    before = copied(one)
    box, measured = painted(one)
    assert measured.state is NoticeState.PERCEIVABLE, measured
    assert dict(measured.figures)["contrast"] > contrast
    assert before.difference(one, box) == math.inf
    assert before.difference(one, None) < 40
    assert before.difference(before, None) == math.inf


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow(mode):
    one = PillowPicture(photo(mode))
    if mode in {"P", "PA"}:  # a full palette gives up an entry, so outside is not exact
        _, measured = painted(one)
        assert measured.state is NoticeState.PERCEIVABLE
        return
    assert_labelled(one)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_both_kinds_turn_alike(orientation):
    rgb = picture("RGB")
    stored = SamplePicture(np.array(rgb), Colours("rgb", 0, 255), orientation)
    other = PillowPicture(rgb, orientation)
    assert stored.size == other.size
    assert stored.seen().tobytes() == other.seen().tobytes()
    edges = (10, 20, 90, 70)
    assert stored.crop(edges).tobytes() == other.crop(edges).tobytes()
    assert other.crop(edges).tobytes() == other.seen().crop(edges).tobytes()
    assert_labelled(stored)
    assert_labelled(other)


def deep(channels: int, dtype: str = "uint16", top: float = 65535.0) -> np.ndarray:
    grey = np.asarray(picture("L"), np.float64)[..., None] / 255
    shares = np.concatenate([grey ** (1 + 0.2 * c) for c in range(channels)], axis=2)
    return (shares * top).astype(dtype)


COLOURS = {
    "grey": (Colours("grey", 0, 65535), deep(1)),
    "grey, white is 0": (Colours("grey", 65535, 0), deep(1)),
    "rgb": (Colours("rgb", 0, 65535), deep(3)),
    "10 bits": (Colours("rgb", 0, 1023), deep(3, top=1023)),
    "rgba": (Colours("rgb", 0, 65535, alpha=3, opaque=65535), deep(4)),
    "premultiplied": (
        Colours("rgb", 0, 65535, alpha=3, opaque=65535, premultiplied=True),
        deep(4),
    ),
    "key is black": (Colours("rgb", 0, 65535, key=(0, 0, 0)), deep(3)),
    "key is white": (Colours("grey", 0, 65535, key=(65535,)), deep(1)),
    "cmyk": (Colours("cmyk", 65535, 0), deep(4)),
    "lab": (Colours("lab", 0, 65535, neutral=32896), deep(3) // 4 + 24000),
    "ycbcr": (Colours("ycbcr", 0, 65535, neutral=32768), deep(3) // 4 + 24000),
    "float": (Colours("rgb", 0.0, 1.0), deep(3, "float32", 1.0)),
    "double": (Colours("rgb", -4.0, 9.5), deep(3, "float64", 9.5)),
    "32 bits": (Colours("rgb", 0, 2**32 - 1), deep(3, "uint32", 2**32 - 1)),
    "a fifth channel": (Colours("cmyk", 65535, 0), deep(5)),
    "pq": (Colours("rgb", 0, 1023, transfer="pq"), deep(3, top=1023)),
    "hlg": (Colours("rgb", 0, 1023, transfer="hlg"), deep(3, top=1023)),
}


@pytest.mark.parametrize("name", COLOURS)
def test_every_kind_of_samples(name):
    colours, samples = COLOURS[name]
    one = SamplePicture(samples.copy(), colours)
    assert_labelled(one)
    if samples.shape[2] > colours.channels and colours.alpha < 0:
        assert (one.samples[..., -1] == samples[..., -1]).all(), "what is no colour is left alone"


@pytest.mark.parametrize(("transfer", "ink"), [("pq", 0.58069), ("hlg", 0.75)])
def test_hdr_ink_is_diffuse_white(transfer, ink):
    """ITU-R BT.2408: 203 nit, which is 58 % of PQ and 75 % of HLG."""
    one = SamplePicture(deep(3), Colours("rgb", 0, 65535, transfer=transfer))
    box, _ = painted(one)
    x, y, width, height = box
    area = one.samples[y : y + height, x : x + width]
    assert area.max() == round(ink * 65535)
    assert area.min() == 0
    if transfer == "pq":
        y = (203 / 10000) ** (1305 / 8192)
        assert ((107 / 128 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (
            2523 / 32
        ) == pytest.approx(ink, abs=1e-5)


def test_a_number_that_is_none_equals_itself():
    samples = deep(1, "float32", 1.0)
    samples[-40:, :40] = np.nan
    samples[-1, -1] = np.inf
    assert_labelled(SamplePicture(samples, Colours("grey", 0.0, 1.0)))
    other = SamplePicture(np.nan_to_num(samples), Colours("grey", 0.0, 1.0))
    assert SamplePicture(samples, Colours("grey", 0.0, 1.0)).difference(other, None) == 0.0


def test_what_cannot_be_compared_is_different():
    one = SamplePicture(deep(3), Colours("rgb", 0, 65535))
    assert one.difference(SamplePicture(deep(1), Colours("grey", 0, 65535)), None) == 0.0
    assert one.difference(PillowPicture(picture("RGB")), None) == 0.0
    assert PillowPicture(picture("RGB")).difference(one, None) == 0.0


@given(
    st.sampled_from(["uint8", "uint16", "int32", "uint32", "float32", "float64"]),
    st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4),
)
def test_levels_are_found_again_after_painting(dtype, values):
    """`verify` must measure by the black and white that `mark` painted with."""
    with np.errstate(all="ignore"):
        info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
        values = np.clip(values, info.min, info.max) if info else np.array(values)
    samples = np.resize(values.astype(dtype), (2, 4, 1))
    black, white = levels = levels_of(samples)
    assert black < white
    samples[0] = np.array([black, white, black, white], dtype)[:, None]
    assert levels_of(samples) == pytest.approx(levels)
