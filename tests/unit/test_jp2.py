"""JPEG 2000: tiles under the notice coded anew, by a second decoder too; everything else byte for byte."""

from __future__ import annotations

import io
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from aikz_label import Refused, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import j2k, j2k_pixels
from aikz_label.adapters.image.jp2 import Jp2
from aikz_label.limits import DEFAULT
from aikz_label.report import Verdict
from support import encoded, picture, require_tool

SIZE = (300, 200)


def parsed(data: bytes) -> Jp2:
    return Jp2.parse(data, DEFAULT, thorough=True)


def codestream(depth: int, channels: int, *, mixed: bool = False) -> bytes:
    """A lossless codestream of any depth."""
    samples = values(depth, channels)
    image = Image.fromarray(np.zeros(samples.shape[:2], np.uint8))
    first = j2k.Codestream.parse(
        encoded(image, "JPEG2000", no_jp2=True, mct=0), DEFAULT, thorough=True
    )
    one = bytes([depth - 1, 1, 1])
    size = (38 + 3 * channels).to_bytes(2)
    head = first.data[:4] + size + first.data[6:40] + channels.to_bytes(2) + one * channels
    style = next(data for marker, *data in first.segments if marker == 0xFF52)
    cod = bytearray(first.data[style[0] : style[1]])
    cod[8] = mixed
    rest = first.data[45 : style[0]] + bytes(cod) + first.data[style[1] :]
    empty = j2k.Codestream.parse(head + rest, DEFAULT, thorough=True)
    return empty.with_tiles({0: j2k_pixels.encode_tile(empty, 0, samples, exact=True)})


def values(depth: int, channels: int) -> np.ndarray:
    dice = np.random.default_rng(depth)
    rgba = np.asarray(picture("RGBA", SIZE)).astype(np.uint16)[..., :channels]
    fine = dice.integers(0, 1 << max(0, depth - 8), rgba.shape, np.uint16)
    return (rgba << max(0, depth - 8) >> max(0, 8 - depth)) | fine


KINDS = {
    **{f"{depth}bit-{n}": codestream(depth, n) for depth in (4, 8, 12, 16) for n in (1, 3, 4)},
    "8bit-2": codestream(8, 2),
    "16bit-2": codestream(16, 2),
    "12bit-mixed": codestream(12, 3, mixed=True),
    "rgb": encoded(picture("RGB", SIZE), "JPEG2000", no_jp2=True, mct=1),
    "tiles": encoded(picture("RGB", SIZE), "JPEG2000", tile_size=(128, 128)),
    "odd-tiles": encoded(picture("RGB", SIZE), "JPEG2000", tile_size=(90, 70), no_jp2=True),
    "offset": encoded(
        picture("L", SIZE), "JPEG2000", offset=(13, 7), tile_offset=(3, 2), tile_size=(99, 101)
    ),
    "layers": encoded(picture("RGB", SIZE), "JPEG2000", quality_layers=[40, 10, 0], plt=True),
    "precincts": encoded(
        picture("RGB", SIZE),
        "JPEG2000",
        precinct_size=(64, 64),
        codeblock_size=(32, 16),
        progression="PCRL",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_lossless_stays_lossless(name, label, config):
    result = mark(KINDS[name], None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    before, after = (parsed(data).decode() for data in (KINDS[name], result.data))
    assert before.samples.dtype == after.samples.dtype
    (place,) = result.report.marker.notice.placements
    box = (
        round(place["x"] * SIZE[0]),
        round(place["y"] * SIZE[1]),
        round(place["width"] * SIZE[0]),
        round(place["height"] * SIZE[1]),
    )
    assert before.difference(after, box) == float("inf")
    components = parsed(result.data).stream.components
    assert components == parsed(KINDS[name]).stream.components
    measured = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
    assert measured.verdict is Verdict.LABELLED


@pytest.mark.parametrize("name", [n for n in KINDS if not n.endswith(("-2", "-4"))])
def test_openjpeg_reads_the_same(name, label, config, tmp_path: Path):
    """The reference decoder, as its own program: every sample of the finished file."""
    program = require_tool("opj_decompress")
    result = mark(KINDS[name], None, label, config=config)
    ours = parsed(result.data).decode().samples
    source, out = (
        tmp_path / ("a.jp2" if result.data[:4] == b"\0\0\0\x0c" else "a.j2k"),
        tmp_path / ("a.pgm" if ours.shape[2] == 1 else "a.ppm"),
    )
    source.write_bytes(result.data)
    subprocess.run([program, "-i", source, "-o", out], check=True, capture_output=True)
    deep = parsed(result.data).stream.components[0].depth > 8
    size = ours.size * (2 if deep else 1)
    theirs = np.frombuffer(out.read_bytes()[-size:], ">u2" if deep else "u1")
    assert (theirs.reshape(ours.shape) == ours).all()


def test_tiles_elsewhere_are_the_same_bytes(label, config):
    result = mark(KINDS["tiles"], None, label, config=config)
    before, after = parsed(KINDS["tiles"]).stream, parsed(result.data).stream
    touched = {0, 1, 2}  # of the first row, as far as the notice reaches
    kept = {
        part.tile: before.data[part.start : part.stop]
        for part in before.parts
        if part.tile not in touched
    }
    assert kept
    assert kept == {
        part.tile: after.data[part.start : part.stop]
        for part in after.parts
        if part.tile not in touched
    }


def test_lossy_stays_lossy_and_close(label, config):
    source = encoded(
        picture("RGB", (900, 600)),
        "JPEG2000",
        irreversible=True,
        quality_mode="dB",
        quality_layers=[38],
        mct=1,
    )
    result = mark(source, None, label, config=config)
    assert len(result.data) < 3 * len(source)
    style = next(d for m, *d in parsed(result.data).stream.segments if m == 0xFF52)
    assert style
    before, after = (
        np.asarray(Image.open(io.BytesIO(d))).astype(int) for d in (source, result.data)
    )
    below = np.abs(before[200:] - after[200:])
    assert 10 * np.log10(255**2 / (below**2).mean()) > 44


def test_mirror_and_other_boxes(label, config):
    """Boxes stay where they were; a packet of XMP is replaced, not doubled."""
    source = encoded(picture("RGB", SIZE), "JPEG2000")
    at = source.index(b"jp2c") - 4
    extra = b"\0\0\0\x10xml <x>a</x>"[:16]
    source = source[:at] + extra + source[at:]
    once = mark(source, None, label, config=config, notice="none", notice_reason="test").data
    twice = mark(once, None, label, config=config, notice="none", notice_reason="test").data
    assert once.count(b"uuid") == twice.count(b"uuid") == 1
    assert extra in once
    assert b"trainedAlgorithmicMedia" in once
    assert parsed(twice).stream.data == parsed(source).stream.data


@pytest.mark.parametrize("columns", [3, 4])
def test_palettes(columns, label, config):
    colours = [(i, 255 - i, 128, 255)[:columns] for i in range(200)]
    source = with_palette(colours)
    result = mark(source, None, label, config=config)
    before, after = parsed(source).decode(), parsed(result.data).decode()
    (place,) = result.report.marker.notice.placements
    top = round((place["y"] + place["height"]) * SIZE[1])
    first, second = (np.asarray(p.image.convert("RGBA"))[top:] for p in (before, after))
    assert (first == second).all()
    # Pillow takes a colour that is there twice for one, and every index behind it for another
    with pytest.raises(Refused) as refusal:
        mark(with_palette([*colours, colours[0]]), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def with_palette(colours: list[tuple[int, ...]]) -> bytes:
    columns = len(colours[0])
    grey = np.asarray(picture("L", SIZE)) // 2
    whole = encoded(Image.fromarray(grey), "JPEG2000")
    table = len(colours).to_bytes(2) + bytes([columns]) + b"\7" * columns
    table += b"".join(bytes(colour) for colour in colours)
    mapping = b"".join(b"\0\0\1" + bytes([column]) for column in range(columns))
    inside = (
        box(b"colr", b"\1\0\0" + (16).to_bytes(4)) + box(b"pclr", table) + box(b"cmap", mapping)
    )
    ihdr = whole.index(b"ihdr") - 4
    head = whole[ihdr : ihdr + 22] + inside
    start = whole.index(b"jp2h") - 4
    end = start + int.from_bytes(whole[start : start + 4])
    return whole[:start] + box(b"jp2h", head) + whole[end:]


def box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + name + body


def test_a_strip_below(label, config, monkeypatch):
    monkeypatch.setattr("aikz_label.notice.badge.plan", lambda *_: None)
    for name in ("rgb", "tiles", "12bit-3"):
        result = mark(KINDS[name], None, label, config=config, when_too_small="strip")
        after = parsed(result.data)
        assert after.size[1] > SIZE[1]
        before = parsed(KINDS[name]).decode().samples
        assert (after.decode().samples[: SIZE[1]] == before).all()


@pytest.mark.parametrize("size", [(17, 16), (300, 5), (40, 33)])
def test_few_rows_are_halved_less_often(size, label, config):
    """The file halves a larger picture five times, and a tile or a strip of few rows cannot be."""
    source = encoded(picture("RGB", size), "JPEG2000", num_resolutions=min(size).bit_length())
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert result.report.verdict is Verdict.LABELLED


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: replace_at(s, 6, b"\x40\0"), "high throughput"),
        (lambda s: replace_at(s, 43, b"\2"), "half the colours"),
        (lambda s: replace_at(s, 42, b"\x87"), "signed"),
        (lambda s: replace_at(s, 42, b"\4"), "other depths"),
    ],
)
def test_rare_kinds_are_refused(change, what, label, config):
    with pytest.raises(Refused) as refusal:
        mark(change(KINDS["8bit-3"]), None, label, config=config)
    assert refusal.value.code == "unsupported-variant", what


def replace_at(data: bytes, at: int, by: bytes) -> bytes:
    return data[:at] + by + data[at + len(by) :]


@pytest.mark.parametrize("share", [0.0001, 0.005, 0.02, 0.1, 0.9])
@pytest.mark.parametrize("name", ["rgb", "tiles"])
def test_cut_files(name, share):
    data = KINDS[name][: int(len(KINDS[name]) * share)]
    with pytest.raises(MediaProblem):
        parsed(data)


def test_bounds_of_tiles():
    stream = parsed(KINDS["offset"]).stream
    seen = np.zeros(SIZE[::-1], int)
    left, top, *_ = stream.area
    for tile in range(stream.across * stream.down):
        x0, y0, x1, y1 = stream.bounds(tile)
        seen[y0 - top : y1 - top, x0 - left : x1 - left] += 1
    assert (seen == 1).all()
    assert set(stream.tiles_in((0, 0, *SIZE))) == set(range(stream.across * stream.down))
    one = replace(stream, tile=(0, 0, 2**31, 2**31))
    assert list(one.tiles_in((5, 5, 10, 10))) == [0]


def shared(depth: int, steps: str, *options: str) -> bytes:
    """Brightness, and colours that pixels share, coded by OpenJPEG from plain planes."""
    across, down = map(int, steps.split("x"))
    width, height = SIZE
    dice = np.random.default_rng(across + 2 * down)
    kind = np.dtype(">u2" if depth > 8 else np.uint8)
    luma = np.asarray(picture("L", SIZE), int) << (depth - 8)
    sides = (-(-height // down), -(-width // across))
    colours = [dice.integers(90, 160, sides) << (depth - 8) for _ in range(2)]
    with tempfile.TemporaryDirectory() as name:
        raw, out = Path(name, "in.raw"), Path(name, "out.j2k")
        raw.write_bytes(b"".join(plane.astype(kind).tobytes() for plane in (luma, *colours)))
        shape = f"{width},{height},3,{depth},u@1x1:{steps}:{steps}"
        done = [require_tool("opj_compress"), "-i", raw, "-o", out, "-F", shape, *options]
        subprocess.run(done, check=True, capture_output=True)
        return out.read_bytes()


SHARED = {
    "420": (8, "2x2"),
    "422": (8, "2x1"),
    "420 tiles": (8, "2x2", "-t", "128,128"),
    "420 odd tiles": (8, "2x2", "-t", "100,76"),
    "420 lossy": (8, "2x2", "-I", "-r", "4"),
    "420 deep": (10, "2x2"),
    "420 precincts": (8, "2x2", "-c", "[64,64]", "-p", "RLCP"),
}


@pytest.mark.parametrize("name", SHARED)
def test_colours_that_pixels_share(name, label, config, tmp_path):
    depth, steps, *options = SHARED[name]
    source = shared(depth, steps, *options)
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    place = result.report.marker.notice.placements[0]
    before, after = (planes(data, tmp_path) for data in (source, result.data))
    assert [one.shape for one in before] == [one.shape for one in after]
    for was, now in zip(before, after, strict=True):
        height, width = was.shape
        outside = np.ones(was.shape, bool)
        top, bottom = place["y"] * height, (place["y"] + place["height"]) * height
        left, right = place["x"] * width, (place["x"] + place["width"]) * width
        outside[int(top) : int(bottom) + 2, int(left) : int(right) + 2] = False
        assert (was != now)[~outside].any()
        error = np.mean((was[outside] - now[outside]) ** 2)
        assert error == 0 or ("lossy" in name and error < 2)


@pytest.mark.parametrize("options", [("-t", "99,77"), ("-t", "98,76"), ("-d", "1,1")])
def test_groups_and_tiles_that_decoders_disagree_about_are_refused(options, label, config):
    with pytest.raises(Refused) as refusal:
        mark(shared(8, "2x2", *options), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize(
    ("options", "sound"),
    [
        (("-t", "99,77"), False),
        (("-t", "98,76"), False),
        (("-t", "99,77", "-n", "2"), True),
        (("-t", "100,50"), True),
        (("-d", "1,1"), True),
    ],
)
def test_deep_tiles_that_ffmpeg_misreads_are_refused(options, sound, label, config, tmp_path):
    """A single sample at an odd place: of deep colours nobody else decodes all bits, and OpenJPEG knows what it coded."""
    dice = np.random.default_rng(1)
    deep = [
        np.asarray(picture("L", SIZE), int) << 4 | dice.integers(0, 16, SIZE[::-1]) for _ in "rgb"
    ]
    raw, out = tmp_path / "in.raw", tmp_path / "out.j2k"
    raw.write_bytes(b"".join(plane.astype(">u2").tobytes() for plane in deep))
    shape = ("-F", f"{SIZE[0]},{SIZE[1]},3,12,u", "-mct", "0")
    tool = require_tool("opj_compress")
    subprocess.run([tool, "-i", raw, "-o", out, *shape, *options], check=True, capture_output=True)
    source = out.read_bytes()
    if not sound:
        with pytest.raises(Refused) as refusal:
            mark(source, None, label, config=config)
        assert refusal.value.code == "unsupported-variant"
        return
    assert np.array_equal(j2k_pixels.decode(parsed(source).stream), np.stack(deep, axis=2))
    assert mark(source, None, label, config=config).report.verdict is Verdict.LABELLED


def planes(data: bytes, folder: Path) -> list[np.ndarray]:
    """Red, green and blue as OpenJPEG makes them of such a file."""
    source, out = folder / "in.j2k", folder / "out.pgx"
    source.write_bytes(data)
    done = [require_tool("opj_decompress"), "-i", source, "-o", out]
    subprocess.run(done, check=True, capture_output=True)
    found = []
    for number in range(3):
        head, body = (folder / f"out_{number}.pgx").read_bytes().split(b"\n", 1)
        depth, width, height = map(int, head.split()[-3:])
        kind = np.dtype(">u2" if depth > 8 else np.uint8)
        found.append(np.frombuffer(body, kind).reshape(height, width).astype(int))
    return found


def test_high_throughput_is_refused_by_its_name(label, config):
    """The decoder here reads it and no coder writes it, so that a tile in it would be of another kind."""
    source = imagecodecs.htj2k_encode(np.asarray(picture("RGB", SIZE)))
    with Image.open(io.BytesIO(source)) as image:
        assert image.size == SIZE
    with pytest.raises(Refused, match="HTJ2K") as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert "opj_compress" in refusal.value.hint
