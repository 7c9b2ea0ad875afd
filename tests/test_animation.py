"""APNG and animated WebP: every kind keeps what it shows, above a strip. GIF is in `test_gif`."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import apng_files
import films
import png_files
import webp_files
from aikz_label import Label, Limits, Refused, Verdict, mark, verify
from apng_files import apng
from png_files import GREY, GREY_ALPHA, KINDS, PALETTE, RGB, RGB_ALPHA, chunk
from support import picture
from webp_files import webp

SIZE = (80, 60)
BLACK_AND_WHITE = bytes((0, 0, 0, 255, 255, 255))
RAMP = bytes(level for index in range(256) for level in (index, 255 - index, 99))


def still(kind: int, depth: int, shift: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The photograph, moved on by some pixels."""
    return np.roll(png_files.photo(kind, depth, size), shift, axis=1)


def shot(kind: int, depth: int, shift: int = 0, **options) -> apng_files.Shot:
    size = options.pop("size", SIZE)
    return apng_files.Shot(still(kind, depth, shift, size), **options)


def palette(depth: int) -> list[bytes]:
    return [chunk(b"PLTE", (BLACK_AND_WHITE + RAMP)[: 3 * 2**depth])]


def marked(source: bytes, config, label, **options) -> bytes:
    """The labelled file, after a look at everything that must hold for any animation."""
    result = mark(source, None, label, config=config, **options)
    notice = result.report.marker.notice
    assert (notice.kind, result.report.verdict) == ("strip", Verdict.LABELLED)
    assert films.losses(source, result.data, notice.placements[0]) == []
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    return result.data


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "depth"), KINDS)
def test_apng_of_every_kind(kind, depth, interlaced, config, label):
    before = palette(depth) if kind == PALETTE else []
    shots = [shot(kind, depth), shot(kind, depth, 30), shot(kind, depth, 60, size=(64, 40))]
    source = apng(shots, kind, depth, plays=3, interlaced=interlaced, before=before)
    data = marked(source, config, label)
    assert apng_files.pixels(data)[1:] == apng_files.pixels(source)[1:]
    assert apng_files.numbers(data) == list(range(len(apng_files.numbers(data))))
    was, now = dict(png_files.chunks(source)), dict(png_files.chunks(data))
    assert now[b"acTL"] == was[b"acTL"]
    assert now[b"IHDR"][8:] == was[b"IHDR"][8:]
    assert now.get(b"PLTE") == was.get(b"PLTE")
    if depth == 16:  # all bits, also those that Pillow does not show
        first = png_files.deep_values(png_files.still_of(source), kind, SIZE)
        size = int.from_bytes(now[b"IHDR"][:4]), int.from_bytes(now[b"IHDR"][4:8])
        above = png_files.deep_values(png_files.still_of(data), kind, size)[: SIZE[1]]
        assert (above == first).all()


@pytest.mark.parametrize("disposal", [1, 2])
@pytest.mark.parametrize("blend", [0, 1])
@pytest.mark.parametrize("time", [(1, 10), (7, 0), (3, 40_000), (40_000, 40_000), (0, 1), (1, 60)])
def test_apng_whose_first_frame_is_wiped(disposal, blend, time, config, label):
    first = shot(RGB_ALPHA, 8, disposal=disposal, blend=blend, time=time)
    source = apng([first, shot(RGB_ALPHA, 8, 50, size=(60, 40), blend=1)], RGB_ALPHA, 8)
    data = marked(source, config, label)
    assert apng_files.pixels(data)[1:] == apng_files.pixels(source)
    assert apng_files.numbers(data) == list(range(len(apng_files.numbers(data))))


@pytest.mark.parametrize("disposal", [0, 1])
def test_apng_with_a_picture_for_old_viewers(disposal, config, label):
    """That picture gets the strip too."""
    unshown = still(GREY, 8, 99)
    shots = [shot(GREY, 8, disposal=disposal), shot(GREY, 8, 40)]
    source = apng(shots, GREY, 8, unshown=unshown)
    data = marked(source, config, label)
    with Image.open(io.BytesIO(data)) as image:
        assert image.default_image
        first = np.asarray(image)
        assert (first[: SIZE[1]] == unshown[..., 0]).all()
        strip = first[SIZE[1] :]
        image.seek(1)
        assert (np.asarray(image)[SIZE[1] :] == strip).all()


def test_apng_palette_grows_where_there_is_room(config, label):
    colours = bytes((200, 30, 40)) * 12
    values = still(PALETTE, 4) % 12
    source = apng(
        [apng_files.Shot(values), apng_files.Shot(values[::-1])],
        PALETTE,
        4,
        before=[chunk(b"PLTE", colours), chunk(b"tRNS", b"\0\x80")],
    )
    now = dict(png_files.chunks(marked(source, config, label)))
    assert now[b"PLTE"] == colours + BLACK_AND_WHITE
    assert now[b"tRNS"] == b"\0\x80"


def test_apng_palette_without_room_is_refused(config, label):
    before = [chunk(b"PLTE", bytes((90, 120, 99)) * 4)]
    source = apng([shot(PALETTE, 2), shot(PALETTE, 2, 9)], PALETTE, 2, before=before)
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize("key", [0, 255])
def test_apng_with_a_transparent_colour(key, config, label):
    before = [chunk(b"tRNS", key.to_bytes(2))]
    marked(apng([shot(GREY, 8), shot(GREY, 8, 5)], GREY, 8, before=before), config, label)


def test_apng_of_one_frame(config, label):
    marked(apng([shot(RGB, 8)], RGB, 8), config, label)


@pytest.mark.parametrize(
    "source",
    [
        apng([shot(GREY, 8), shot(GREY, 8)], GREY, 8, numbers=[0, 2, 3, 4]),
        apng([shot(GREY, 8), shot(GREY, 8, corner=(1, 0))], GREY, 8),
        apng([shot(GREY, 8), shot(GREY, 8, disposal=3)], GREY, 8),
        apng([shot(GREY, 8)], GREY, 8).replace(b"acTL\0\0\0\1", b"acTL\0\0\0\2"),
        apng([shot(GREY, 8)], GREY, 8).replace(b"fcTL", b"fcTl"),
    ],
    ids=["numbers", "outside", "disposal", "count", "no frame"],
)
def test_apng_that_is_none(source, config, label):
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "damaged"
    assert verify(source, config=config, measure=True).verdict is Verdict.UNMARKED


PART = {"size": (50, 40), "corner": (3, 4)}


def partial(kind: int, depth: int, before: list[bytes], *shots: apng_files.Shot) -> bytes:
    """A film that begins with a part of the canvas, beside a picture for viewers that know no animations."""
    shots = shots or (shot(kind, depth, **PART), shot(kind, depth, 9))
    return apng(shots, kind, depth, before=before, unshown=still(kind, depth))


@pytest.mark.parametrize(("kind", "depth"), [(GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16)])
def test_apng_that_begins_with_a_part_gets_a_colour_that_nothing_has(kind, depth, config, label):
    """Around that part nothing is shown, for which these files have no colour yet."""
    source = partial(kind, depth, [])
    data = mark(source, None, label, config=config).data
    key = dict(png_files.chunks(data))[b"tRNS"]
    assert apng_files.pixels(data)[1:] == apng_files.pixels(source)[1:]
    levels = [int.from_bytes(key[i : i + 2]) for i in range(0, len(key), 2)]
    assert len(levels) == still(kind, depth).shape[2]
    assert not (still(kind, depth) == levels).all(axis=2).any()


def test_apng_that_begins_with_a_part_takes_the_entry_that_is_transparent(config, label):
    colours = bytes((200, 30, 40)) * 7
    source = apng(
        [
            apng_files.Shot(still(PALETTE, 8)[:40, :50] % 7, (3, 4)),
            apng_files.Shot(still(PALETTE, 8) % 7),
        ],
        PALETTE,
        8,
        before=[chunk(b"PLTE", colours), chunk(b"tRNS", b"\xff\0")],
        unshown=still(PALETTE, 8) % 7,
    )
    now = dict(png_files.chunks(mark(source, None, label, config=config).data))
    assert now[b"PLTE"] == colours + BLACK_AND_WHITE
    assert now[b"tRNS"] == b"\xff\0"


@pytest.mark.parametrize(
    "source",
    [
        partial(GREY, 2, []),
        partial(PALETTE, 2, palette(2)),
        apng([shot(RGB, 8), shot(RGB, 8)], RGB, 8).replace(
            shot(RGB, 8).control(0), shot(RGB, 8, **PART).control(0)
        ),
    ],
    ids=["all greys are used", "all entries are used", "the picture itself is a part"],
)
def test_apng_that_begins_with_a_part_and_has_no_room(source, config, label):
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


# --- WebP ------------------------------------------------------------------------------------------------------------

LOSSY = (("quality", 80),)


def frame(
    shift: int, mode: str = "RGB", size: tuple[int, int] = SIZE, **options
) -> webp_files.Shot:
    image = Image.fromarray(np.roll(np.asarray(picture(mode, size)), shift, axis=1))
    return webp_files.Shot(image, **options)


WEBP = {
    "lossless": [frame(0), frame(30), frame(60)],
    "lossy": [frame(0, options=LOSSY), frame(30, options=LOSSY)],
    "mixed": [frame(0), frame(30, options=LOSSY), frame(60)],
    "mixed, lossy first": [frame(0, options=LOSSY), frame(30), frame(60)],
    "transparent": [frame(0, "RGBA"), frame(30, "RGBA"), frame(60, "RGBA", replaces=True)],
    "transparent, lossy": [frame(0, "RGBA", options=LOSSY), frame(30, "RGBA", options=LOSSY)],
    "cleared": [frame(0, "RGBA", clears=True), frame(30, "RGBA", (60, 40), corner=(8, 6))],
    "small first": [frame(0, size=(60, 40), corner=(8, 6)), frame(30), frame(9, clears=True)],
    "small later": [frame(0), frame(9, size=(64, 50), corner=(16, 10), clears=True), frame(1)],
    "short first": [frame(0, options=LOSSY, time=16), frame(30, options=LOSSY, time=16)],
    "one": [frame(0)],
}


@pytest.mark.parametrize("name", WEBP)
def test_webp_of_every_kind(name, config, label):
    source = webp(WEBP[name], SIZE, plays=7)
    data = marked(source, config, label)
    was, now = ([d for n, d in webp_files.chunks(one) if n == b"ANMF"] for one in (source, data))
    assert now[len(now) - len(was) + 1 :] == was[1:]
    lead = len(now) - len(was)
    assert lead == ("lossy" in name or name in {"cleared", "short first"})
    if lead:  # the first frame too is as it was, but for its time and that it replaces its copy
        assert now[1][16:] == was[0][16:]
    anim = [d for n, d in webp_files.chunks(data) if n == b"ANIM"]
    assert anim == [b"\xff\xff\xff\xff\x07\0"]


def test_webp_metadata_stay(config, label):
    exif = Image.Exif()
    exif[271] = "Maker"
    after = webp_files.chunk(b"EXIF", exif.tobytes()[6:]) + webp_files.chunk(b"XYZW", b"own")
    source = webp([frame(0), frame(9)], after=after, flags=0x0A)
    chunks = dict(webp_files.chunks(marked(source, config, label)))
    block = Image.Exif()
    block.load(chunks[b"EXIF"])
    assert block[271] == "Maker"
    assert chunks[b"XYZW"] == b"own"
    assert chunks[b"VP8X"][0] == 0x0E


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (webp([frame(0), frame(9, corner=(2, 0))]), "damaged"),
        (webp([frame(0, size=(12, 90)), frame(9, size=(12, 90))]), "not-perceptible"),
        (webp([], (10, 10)), "damaged"),
    ],
)
def test_webp_refusals(source, code, config, label):
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == code


# --- all -------------------------------------------------------------------------------------------------------------

FILMS = {
    "png": apng([shot(RGB, 8), shot(RGB, 8, 40)], RGB, 8),
    "png, wiped": apng([shot(GREY_ALPHA, 8, disposal=1), shot(GREY_ALPHA, 8, 40)], GREY_ALPHA, 8),
    "webp": webp(WEBP["lossless"]),
    "webp, lossy": webp(WEBP["lossy"]),
}


@pytest.mark.parametrize("name", FILMS)
def test_marking_again_does_not_stack_strips(name, config, label):
    first = marked(FILMS[name], config, label)
    again = mark(
        first, None, Label(origin="altered"), config=config, on_existing="update", languages="kk"
    )
    shown = films.shots(again.data)
    place = again.report.marker.notice.placements[0]
    assert round(place["y"] * shown[0].pixels.shape[0]) == SIZE[1]
    assert len(shown) - len(films.shots(FILMS[name])) <= 2


@pytest.mark.parametrize("name", FILMS)
def test_without_a_notice_every_frame_stays(name, config, label):
    source = FILMS[name]
    options = {"notice": "none", "notice_reason": "the player shows it"}
    data = mark(source, None, label, config=config, **options).data
    for was, now in zip(films.shots(source), films.shots(data), strict=True):
        assert was.time == now.time
        assert (was.pixels == now.pixels).all()


def test_a_turned_animation_is_refused(config, label):
    exif = Image.Exif()
    exif[274] = 6
    source = webp(
        [frame(0), frame(9)], after=webp_files.chunk(b"EXIF", exif.tobytes()[6:]), flags=0x0A
    )
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def test_a_film_past_the_budget_is_unknown_when_measured(config, label, monkeypatch):
    from aikz_label.adapters.image import animation
    from aikz_label.report import NoticeState

    data = marked(FILMS["png"], config, label)
    monkeypatch.setattr(animation, "MEASURED", 5_000)
    report = verify(data, config=config, measure=True)
    assert report.notice_state is NoticeState.UNKNOWN
    assert verify(data, config=config).verdict is Verdict.LABELLED


def test_bombs_are_refused_in_time(config, label):
    control = apng_files.Shot(still(GREY, 8)).control
    many = apng([shot(GREY, 8)], GREY, 8)[:-12]
    many += b"".join(control(number) for number in range(1, 101_000)) + chunk(b"IEND")
    nested = webp_files.chunk(b"ANMF", bytes(16))
    for _ in range(2000):
        nested = webp_files.chunk(b"ANMF", bytes(16) + nested)
    deep = webp_files.file(webp([frame(0)])[12:] + nested)
    with pytest.raises(Refused) as refusal:
        mark(many, None, label, config=config)
    assert refusal.value.code == "over-limit"
    with pytest.raises(Refused) as refusal:
        mark(deep, None, label, config=config)
    assert refusal.value.code == "damaged"
    long = webp([frame(0)] * 3)
    with pytest.raises(Refused) as refusal:
        mark(long, None, label, config=config, caps=Limits(max_shown=10_000))
    assert refusal.value.code == "over-limit"
    assert verify(many, config=config).verdict is Verdict.UNREADABLE
