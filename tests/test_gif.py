"""GIF: every kind of frame keeps what it shows, above a badge or a strip."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import films
import gif_files
from aikz_label import Label, Limits, Refused, Verdict, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.gif import Gif
from gif_files import LOOP, RAMP, gif
from support import picture

SIZE = (160, 120)


def numbers(shift: int, size: tuple[int, int] = SIZE, colours: int = 200) -> np.ndarray:
    """A picture of colour numbers, another for every shift."""
    width, height = size
    rows = np.add.outer(np.arange(height) * 3, np.arange(width)) // 5 + 17 * shift
    return (rows % colours).astype(np.uint8)


def frame(shift: int, **options) -> gif_files.Image:
    size = options.pop("size", SIZE)
    return gif_files.Image(numbers(shift, size), **options)


def photo(size: tuple[int, int]) -> tuple[np.ndarray, bytes]:
    """A photograph with 256 colours, none of them near black or white."""
    image = picture("RGB", size).point(lambda level: 60 + level // 2).quantize(256)
    colours = bytes(image.getpalette("RGB")).ljust(768, b"\x60")
    return np.asarray(image), colours


MOVES = {
    "plain": [frame(0), frame(1), frame(2)],
    "87a-style": [frame(0, time=None), frame(1, time=None)],
    "interlaced": [frame(0, interlaced=True), frame(1, interlaced=True)],
    "local palettes": [frame(0, palette=RAMP[::-1]), frame(1), frame(2, palette=RAMP)],
    "transparent": [frame(0, transparent=7), frame(1, transparent=9), frame(2, transparent=3)],
    "small later frames": [frame(0), frame(1, size=(40, 30), corner=(120, 90), disposal=2)],
    "restored": [frame(0), frame(1, size=(40, 30), corner=(9, 9), disposal=3), frame(2, time=3)],
    "cleared first": [frame(0, disposal=2, transparent=5), frame(1, size=(20, 20), transparent=1)],
    "restored first": [frame(0, disposal=3, transparent=5), frame(1, size=(20, 20), disposal=2)],
    "all cleared": [frame(i, disposal=2, transparent=5, time=4) for i in range(4)],
    "partial first": [
        frame(0, size=(80, 60), corner=(11, 13), transparent=0),
        frame(1, transparent=0),
    ],
    "no time to give": [frame(0, disposal=2, transparent=5, time=0), frame(1, time=2)],
    "little time to give": [frame(0, disposal=2, transparent=5, time=3), frame(1, time=2)],
    "comment between": [frame(0, before=b"!\xfe\x05hello\0"), frame(1, before=b"!\xfe\x02hi\0")],
}


@pytest.mark.parametrize("name", MOVES)
def test_a_strip_comes_under_every_frame(name, config, label):
    source = gif(MOVES[name], SIZE, extensions=LOOP % b"\x03\0")
    result = mark(source, None, label, config=config)
    record = result.report.marker.notice
    assert (record.kind, result.report.verdict) == ("strip", Verdict.LABELLED)
    assert films.losses(source, result.data, record.placements[0]) == []
    shown = len(films.shots(result.data))
    assert dict(record.figures)["frames"] == shown
    before, after = gif_files.blocks(source), gif_files.blocks(result.data)
    later = [block for block in before if block[:1] == b","][1:]
    assert [block for block in after if block[:1] == b","][shown - len(later) :] == later
    assert LOOP % b"\x03\0" in after
    assert [b for b in before if b[1:2] == b"\xfe"] == [b for b in after if b[1:2] == b"\xfe"]
    warned = any("longer" in warning for warning in result.warnings)
    assert warned is (name in {"no time to give", "little time to give"})


@pytest.mark.parametrize("disposal", [1, 2])
def test_a_loop_count_behind_the_first_control_stays_before_the_first_frame(
    disposal, config, label
):
    """ImageMagick writes it there; Pillow and others look for it no further than to the first frame."""
    moves = [frame(0, disposal=disposal, transparent=5, before=LOOP % b"\x03\0"), frame(1)]
    result = mark(gif(moves, SIZE, extensions=b""), None, label, config=config)
    assert len(films.shots(result.data)) == 1 + disposal
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info["loop"] == 3


def test_full_palettes_without_black_and_white(config, label):
    """The first frame is not recoloured: a copy brings the strip, and the frame itself follows as it was."""
    pixels, colours = photo(SIZE)
    assert len(set(pixels.ravel().tolist())) == 256
    still, other = gif_files.Image(pixels), frame(1)
    source = gif([still, other], palette=colours)
    data = mark(source, None, label, config=config).data
    place = verify(data, config=config).marker.notice.placements[0]
    assert films.losses(source, data, place) == []
    assert len(films.shots(data)) == 3
    assert still.descriptor() in data


@pytest.mark.parametrize("kind", ["badge", "strip"])
def test_a_transparent_colour_of_a_full_palette_is_not_free(kind, config, label):
    """The first frame has no pixel of it, but black or white in its place would be seen through."""
    pixels, colours = photo(SIZE)
    pixels = np.where(pixels == 200, 199, pixels).astype(np.uint8)
    still = gif_files.Image(pixels, transparent=200)
    moving = [frame(1, transparent=200)] if kind == "strip" else []
    source = gif([still, *moving], palette=colours)
    result = mark(source, None, label, config=config)
    record = result.report.marker.notice
    assert (record.kind, result.report.verdict) == (kind, Verdict.LABELLED)
    assert kind == "badge" or films.losses(source, result.data, record.placements[0]) == []


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("version", [b"GIF87a", b"GIF89a"])
def test_a_still_picture_gets_a_badge(version, interlaced, config, label):
    source = gif([frame(0, interlaced=interlaced, time=None)], extensions=b"", version=version)
    result = mark(source, None, label, config=config)
    assert result.report.marker.notice.kind == "badge"
    box = result.report.marker.notice.placements[0]
    with Image.open(io.BytesIO(source)) as was, Image.open(io.BytesIO(result.data)) as now:
        differs = np.asarray(was.convert("RGB")) != np.asarray(now.convert("RGB"))
        rows, columns = np.nonzero(differs.any(axis=2))
        assert now.n_frames == 1
    assert rows.min() >= int(box["y"] * SIZE[1])
    assert columns.min() >= int(box["x"] * SIZE[0])
    assert rows.max() <= (box["y"] + box["height"]) * SIZE[1]


def test_marking_again_does_not_stack_strips(config, label):
    source = gif(MOVES["plain"])
    first = mark(source, None, label, config=config).data
    again = mark(
        first, None, Label(origin="altered"), config=config, on_existing="replace", languages="kk"
    )
    place = again.report.marker.notice.placements[0]
    assert films.losses(source, again.data, place) == []
    assert round(place["y"] * films.shots(again.data)[0].pixels.shape[0]) == SIZE[1]


def test_a_record_that_lies_cuts_nothing_away(config, label):
    """A marker that calls a part of the picture a strip is not believed."""
    source = gif(MOVES["plain"])
    first = mark(source, None, label, config=config).data
    frames = [block for block in gif_files.blocks(first) if block[:1] == b","]
    top = films.shots(first)[0].pixels.shape[0]
    other = gif_files.Image(numbers(3, (SIZE[0], top))).packed()
    forged = first.replace(frames[0], other)
    again = mark(forged, None, label, config=config, on_existing="replace")
    place = again.report.marker.notice.placements[0]
    assert round(place["y"] * films.shots(again.data)[0].pixels.shape[0]) == top


def test_strip_that_is_gone_later_is_noticed(config, label):
    """Somebody appends a frame over the strip and signs it with the old record."""
    from aikz_label import engine
    from aikz_label.manifest import marker
    from aikz_label.report import NoticeState
    from aikz_label.signing import load_signing_key

    marked = mark(gif(MOVES["plain"]), None, label, config=config)
    plain = gif_files.without(marked.data, b"C2PA_GIF")
    height = films.shots(plain)[0].pixels.shape[0]
    cover = frame(1, size=(SIZE[0], height - 4)).packed()
    notice = marked.report.marker.notice
    definition = marker.definition(marked.report.declared, notice, "image", with_parent=False)
    out = io.BytesIO()
    key = load_signing_key(config.signer, config.folder)
    engine.sign(io.BytesIO(plain[:-1] + cover + b";"), out, "image/gif", definition, key)
    report = verify(out.getvalue(), config=config, measure=True)
    assert report.notice_state is NoticeState.NOT_PERCEIVABLE
    assert "notice.some-frames" in {finding.message.code for finding in report.findings}
    assert report.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (gif([frame(0), frame(1, corner=(1, 1))]), "damaged"),
        (gif([frame(0)], palette=RAMP[:96]), "damaged"),
        (gif([], SIZE), "damaged"),
        (gif([frame(0)])[:-200], "damaged"),
        (gif([frame(0, size=(12, 120))]), "not-perceptible"),
        (gif([frame(0, size=(40, 65_490)), frame(1, size=(4, 4))]), "unsupported-variant"),
        (gif([frame(0, size=(12, 120)), frame(1, size=(12, 120))]), "not-perceptible"),
    ],
)
def test_refusals(data, code, config, label):
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == code


@pytest.mark.parametrize("full", [False, True])
def test_what_a_first_frame_leaves_undefined_stays_so(full, config, label):
    """Every viewer shows something else there, so the notice must not decide it."""
    colours = 256 if full else 200
    source = gif([gif_files.Image(numbers(0, (160, 100), colours), time=None)], size=SIZE)
    result = mark(source, None, label, config=config)
    block = next(b for b in gif_files.blocks(result.data) if b[:1] == b",")
    assert block[1:9] == b"\0\0\0\0\xa0\0\x64\0"
    with Image.open(io.BytesIO(source)) as was, Image.open(io.BytesIO(result.data)) as now:
        assert now.info.get("transparency") is None
        delta = np.abs(np.asarray(was.convert("RGB"), int) - np.asarray(now.convert("RGB"), int))
    place = result.report.marker.notice.placements[0]
    outside = np.ones((SIZE[1], SIZE[0]), bool)
    outside[:100, int(place["x"] * SIZE[0]) :] = False
    assert delta[outside].max() <= 3
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("end", [b"", b";", b"\0;", b"\0\0\0", b";\0\r\n"])
def test_ends_that_writers_leave(end, config, label):
    source = gif([frame(0), frame(1)], end=end)
    result = mark(source, None, label, config=config)
    assert films.losses(source, result.data, result.report.marker.notice.placements[0]) == []
    assert result.data.endswith(end.strip(b"\0") or b";")


@pytest.mark.parametrize(
    "end", [b"; and more;", b"!\xf9\xee\x01\x02", b"!\xfe\x09cut", b"\x01junk", b",\0\0"]
)
def test_what_no_viewer_shows_stays_behind_the_end(end, config, label):
    """Bytes behind the trailer, or what is no block: nothing is known of it, so nothing of it is lost."""
    for frames in ([frame(0)], [frame(0), frame(1)]):
        result = mark(gif(frames, end=end), None, label, config=config)
        assert result.report.verdict is Verdict.LABELLED
        assert result.data.endswith(b";" + end.removeprefix(b";"))
        assert len(films.shots(result.data)) == len(frames)
        changed = bytearray(result.data)
        changed[-1] ^= 1
        assert verify(bytes(changed), config=config).verdict is Verdict.INVALID


def test_frames_behind_what_is_no_block_are_refused(config, label):
    """Browsers stop there, Pillow goes on."""
    source = gif([frame(0)], end=b"\x01" + frame(1).packed() + b";")
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize("count", [1, 2])
def test_a_last_frame_whose_pixels_are_all_there_is_whole(count, config, label):
    source = gif([frame(number) for number in range(count)])
    whole = mark(source, None, label, config=config)
    for cut in (1, 2, 3):  # the trailer, the end of the chain, the last byte behind the last pixel
        result = mark(source[:-cut], None, label, config=config)
        assert result.report.verdict is Verdict.LABELLED
        shots = films.shots(result.data)
        assert [shot.pixels.tobytes() for shot in shots] == [
            shot.pixels.tobytes() for shot in films.shots(whole.data)
        ]


@pytest.mark.parametrize("corner", [(0, 0), (30, 20)])
@pytest.mark.parametrize("size", [(80, 60), (9, 100), (25, 20), (1, 1)])
def test_a_frame_alone_on_an_undefined_screen(corner, size, config, label):
    """The notice is drawn in the frame, or below it, and the rest of the screen stays undefined."""
    source = gif([frame(0, size=size, corner=corner)], size=SIZE)
    result = mark(source, None, label, config=config, when_too_small="strip")
    notice = result.report.marker.notice
    assert (notice.kind == "badge") is (size == (80, 60))
    with Image.open(io.BytesIO(source)) as was, Image.open(io.BytesIO(result.data)) as now:
        assert now.n_frames == 1
        assert now.info.get("transparency") is None
        x, y = corner
        before, after = (np.asarray(one.convert("RGB")) for one in (was, now))
        here = (slice(y, y + size[1]), slice(x, x + size[0]))
        same = (before[here] == after[here]).all(axis=2)
        assert same.mean() > 0.3
        assert same.all() or notice.kind == "badge"
        place = notice.placements[0]
        left, top = round(place["x"] * now.width), round(place["y"] * now.height)
        right = left + round(place["width"] * now.width)
        bottom = top + round(place["height"] * now.height)
        assert after[top:bottom, left:right].min() < 30
        assert after[top:bottom, left:right].max() > 200
        if notice.kind == "strip":
            assert top == y + size[1]
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    again = mark(
        result.data, None, label, config=config, when_too_small="strip", on_existing="replace"
    )
    if notice.kind == "strip":
        assert np.array_equal(*(films.shots(one.data)[0].pixels for one in (again, result)))
    assert again.report.marker.notice.kind == notice.kind


@pytest.mark.parametrize("cut", [False, True])
def test_other_statements_in_xmp_stay(cut, config, label):
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>x</dc:format>'
        b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    body = gif_files.sub_blocks(packet)
    trailer = bytes((1, *range(255, -1, -1), 0))
    block = b"!\xff\x0bXMP DataXMP" + (body if cut else packet + trailer)
    data = mark(gif([frame(0)], extensions=block), None, label, config=config).data
    found = [b for b in gif_files.blocks(data) if b[3:].startswith(b"XMP DataXMP")]
    assert len(found) == 1
    assert b"<dc:format>x</dc:format>" in found[0]
    assert b"trainedAlgorithmicMedia" in found[0]
    assert found[0].endswith(trailer)


def test_bombs_are_refused_in_time(config, label):
    tiny = frame(0, size=(1, 1), time=0).packed()
    huge = gif([frame(0, size=(40, 40))], size=(60_000, 60_000))
    many = gif([frame(0)])[:-1] + tiny * 51_000 + b";"
    long = gif([frame(0, size=(900, 700), time=0)])[:-1] + tiny * 20_000 + b";"
    crumbs = gif([frame(0)])[:-1] + b"!\xfe" + b"\1a" * 4_100_000 + b"\0;"
    for data in (huge, many, long, crumbs):
        with pytest.raises(Refused) as refusal:
            mark(data, None, label, config=config)
        assert refusal.value.code == "over-limit"
    for data, verdict in ((huge, Verdict.UNREADABLE), (long, Verdict.UNMARKED)):
        assert verify(data, config=config, measure=True).verdict is verdict
    start = gif([frame(0)])[:-1]
    zeros = Gif.parse(start + bytes(50_000_000) + b"x", Limits(), thorough=True)
    assert zeros.end == len(start)
    with pytest.raises(MediaProblem):  # pixels of a frame that would be far too large to look for
        Gif.parse(start + b",\0\0\0\0\xff\xff\xff\xff\0\x08\xff", Limits(), thorough=True)
