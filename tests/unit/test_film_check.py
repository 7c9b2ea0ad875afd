"""The check of an animation with its strip: what is compared for every frame, and what a sample must show."""

from __future__ import annotations

import pytest

import apng_files
import gif_files
import png_files
from aikz_label import Limits, Refused
from aikz_label.adapters import Order
from aikz_label.adapters.image.animation import Film
from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.frames import Disposal, sample
from aikz_label.adapters.image.gif import Gif
from aikz_label.adapters.image.png import Png
from aikz_label.limits import DEFAULT
from aikz_label.profile import load_profile
from test_animation import shot
from test_gif import SIZE, frame

FRAMES = 40
SMALL = {"size": (30, 20), "corner": (5, 5)}


def film(data: bytes, label, kind: type[Gif | Png] = Gif) -> tuple[Film, bytes]:
    """What checks, and what is to be checked."""
    order = Order(label, ("en",), load_profile("kz"), "auto", "", DEFAULT)
    made = Film(kind.parse(data, Limits(), thorough=True), order)
    return made, made.encode(Tags())


def checked(made: Film, data: bytes, kind: type[Gif | Png] = Gif):
    return made.check(kind.parse(data, Limits(), thorough=True))


MOVES = [frame(0), *(frame(number, time=number, **SMALL) for number in range(1, FRAMES))]


def test_every_frame_counts_although_some_are_shown(label, monkeypatch):
    made, data = film(gif_files.gif(MOVES, SIZE), label)
    seen = []
    from aikz_label.adapters.image import animation

    shown = animation.shown
    monkeypatch.setattr(
        animation, "shown", lambda one, count: seen.append(count) or shown(one, count)
    )
    assert dict(checked(made, data).figures)["frames"] == FRAMES
    assert 0 < max(seen) <= 20


@pytest.mark.parametrize(
    "changed",
    [
        frame(18, time=17, **SMALL),
        frame(17, time=18, **SMALL),
        frame(17, time=17, disposal=2, **SMALL),
        frame(17, time=17, transparent=3, **SMALL),
        frame(17, time=17, size=(30, 20), corner=(5, 6)),
        frame(17, time=17, palette=gif_files.RAMP, **SMALL),
    ],
    ids=["pixels", "time", "disposal", "blending", "place", "palette"],
)
def test_a_later_frame_that_changed_is_noticed(changed, label):
    """Be it one that is not in the sample."""
    assert 17 not in sample(Gif.parse(gif_files.gif(MOVES, SIZE), Limits(), thorough=True).frames())
    made, data = film(gif_files.gif(MOVES, SIZE), label)
    assert data.count(MOVES[17].packed()) == 1
    with pytest.raises(Refused) as refusal:
        checked(made, data.replace(MOVES[17].packed(), changed.packed()))
    assert refusal.value.code == "content-changed"


def test_a_first_picture_that_changed_is_noticed(label):
    made, data = film(gif_files.gif(MOVES, SIZE), label)
    other, _ = film(gif_files.gif([frame(1), *MOVES[1:]], SIZE), label)
    with pytest.raises(Refused) as refusal:
        checked(other, data)
    assert refusal.value.code == "content-changed"
    assert checked(made, data).problems == ()


def test_a_colour_of_the_screen_that_changed_is_noticed(label):
    """The frames are byte for byte the same then, and look different."""
    made, data = film(gif_files.gif(MOVES, SIZE), label)
    last = gif_files.RAMP[-3 * 100 :]
    assert data.count(last, 0, 800) == 1
    with pytest.raises(Refused) as refusal:
        checked(made, data.replace(last, last[::-1], 1))
    assert refusal.value.code == "content-changed"


@pytest.mark.parametrize(("number", "whole"), [(6, True), (7, False), (8, False)])
def test_numbers_that_had_no_colour_get_none(number, whole, label):
    """Black and white for the strip are added to the palette, where a frame outside the sample may point to already."""
    shots = [shot(png_files.PALETTE, 8, step) for step in range(FRAMES)]
    for one in shots:
        one.values[...] %= 7
    shots[17].values[:9] = number
    colours = png_files.chunk(b"PLTE", bytes((90, 30, 40)) * 7)
    source = apng_files.apng(shots, png_files.PALETTE, 8, before=[colours])
    made, data = film(source, label, Png)
    if whole:
        assert checked(made, data, Png).problems == ()
        return
    with pytest.raises(Refused) as refusal:
        checked(made, data, Png)
    assert refusal.value.code == "content-changed"


def test_the_sample_has_the_ends_and_every_kind():
    kinds = [
        frame(0, **SMALL, disposal=disposal, transparent=1) for disposal in (1, 1, 1, 1, 2, 1, 3)
    ]
    moves = [frame(0), *(frame(1) for _ in range(30)), *kinds, *(frame(2) for _ in range(30))]
    frames = Gif.parse(gif_files.gif(moves, SIZE), Limits(), thorough=True).frames()
    found = sample(frames)
    assert {0, 1, len(frames) - 1, len(frames) - 2} <= set(found)
    assert {frames[number].disposal for number in found} == set(Disposal)
    assert found == sorted(set(found))
    assert len(found) <= 20
    assert sample(frames[:1]) == [0]


@pytest.mark.parametrize("numbers", [[0], [0, 2], [0, 1, 2]])
def test_an_excerpt_is_a_film_with_those_frames(numbers):
    shots = [shot(png_files.RGB, 8, shift, disposal=shift % 3) for shift in (0, 5, 7)]
    for unshown in (None, shots[2].values):
        source = Png.parse(
            apng_files.apng(shots, png_files.RGB, 8, unshown=unshown), Limits(), thorough=True
        )
        found = Png.parse(source.excerpt(numbers), Limits(), thorough=True)
        assert found.unshown == source.unshown
        assert all(
            one.same(source.frames()[number])
            for one, number in zip(found.frames(), numbers, strict=True)
        )


def test_a_frame_in_very_many_pieces_is_read_in_time():
    source = apng_files.apng([shot(png_files.RGB, 8), shot(png_files.RGB, 8)], png_files.RGB, 8)
    start = apng_files.numbers(source)[-1] + 1
    numbers = range(start, start + 95_000)
    pieces = (png_files.chunk(b"fdAT", number.to_bytes(4)) for number in numbers)
    crumbs = source[:-12] + b"".join(pieces) + png_files.chunk(b"IEND")
    frames = Png.parse(crumbs, Limits(), thorough=True).frames()
    assert len(frames[1].coded) > 95_000
