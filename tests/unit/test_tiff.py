"""TIFF of every kind, written and read back by tifffile: outside the badge every sample is what it was."""

from __future__ import annotations

import io
import math
import struct
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from aikz_label import Label, Refused, Verdict, engine, mark, verify
from aikz_label.adapters.image import ADAPTER
from aikz_label.adapters.image.jpeg import segments
from aikz_label.adapters.image.tiff import Tiff, jpeg, page
from aikz_label.formats import FORMATS
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT, NO_LIMITS
from aikz_label.manifest import marker
from aikz_label.metadata import exif_comment, ifd, mirror
from aikz_label.metadata.ifd_editor import Editor
from aikz_label.profile import load_profile
from aikz_label.report import Notice, NoticeState
from aikz_label.signing import load_signing_key
from support import encoded, picture, require_tool
from tiff_files import SIZE, book, packed, photo, raw_page, raw_photo, tiff


def pages(data: bytes) -> list[np.ndarray]:
    """Every page, as tifffile reads it: rows × columns × channels."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        out = []
        for page in file.pages:
            samples = page.asarray()
            if page.planarconfig == 2 and samples.ndim == 3:
                samples = np.moveaxis(samples, 0, 2)
            out.append(samples if samples.ndim == 3 else samples[..., None])
        return out


def area(place, size: tuple[int, int], grid: int = 1) -> np.ndarray:
    """Where a badge is, in a picture that is stored upright."""
    left, top = place["x"] * size[0], place["y"] * size[1]
    right, bottom = left + place["width"] * size[0], top + place["height"] * size[1]
    mask = np.zeros(size[::-1], bool)
    rows = slice(round(top) // grid * grid, -(-round(bottom) // grid) * grid)
    mask[rows, round(left) // grid * grid : -(-round(right) // grid) * grid] = True
    return mask


def assert_kept(source: bytes, result, config, *, grid: int = 1, least: float = math.inf) -> None:
    """The badge is there in every page, nothing else changed, and two independent programs still read it."""
    assert result.report.verdict is Verdict.LABELLED
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    places = result.report.marker.notice.placements
    was, now = pages(source), pages(result.data)
    assert len(was) == len(now) == len(places)
    for number, (before, after, place) in enumerate(zip(was, now, places, strict=True)):
        assert place.get("picture", 1) == number + 1
        assert before.shape == after.shape
        assert before.dtype == after.dtype
        outside = ~area(place, before.shape[1::-1], grid)
        assert (before != after)[~outside].any()
        if least == math.inf:
            assert np.array_equal(
                before[outside], after[outside], equal_nan=before.dtype.kind == "f"
            )
        else:
            error = np.mean((before[outside].astype(float) - after[outside]) ** 2)
            assert not error or 10 * math.log10(255**2 / error) >= least


TYPES = ["uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_of_samples(dtype, label, config):
    channels = TYPES.index(dtype) % 3
    photometric = ("minisblack", "rgb", "separated")[channels]
    channels = (1, 3, 4)[channels]
    source = tiff(photo(channels, dtype), photometric=photometric)
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)


STRIPS, TILES = {"rowsperstrip": 20}, {"tile": (64, 48)}


@pytest.mark.parametrize(
    ("compression", "predictor", "layout", "planar"),
    [
        (None, None, {}, "contig"),
        (None, None, STRIPS, "separate"),
        (None, None, TILES, "contig"),
        ("lzw", None, {}, "separate"),
        ("lzw", 2, STRIPS, "contig"),
        ("lzw", 2, TILES, "separate"),
        ("deflate", 2, STRIPS, "separate"),
        ("deflate", None, TILES, "contig"),
        ("packbits", None, {}, "contig"),
        ("packbits", None, TILES, "separate"),
        ("lzma", 2, STRIPS, "contig"),
        ("zstd", 2, TILES, "contig"),
    ],
)
def test_every_layout_and_compression(compression, predictor, layout, planar, label, config):
    source = tiff(
        photo(3, "uint16"),
        photometric="rgb",
        planarconfig=planar,
        compression=compression,
        predictor=predictor,
        **layout,
    )
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_large_strip_is_edited_in_pieces(planar, label, config, monkeypatch):
    """Nobody holds all of a picture that is not compressed to draw on a few of its rows."""
    source = tiff(photo(3, "uint16"), photometric="rgb", planarconfig=planar)
    monkeypatch.setattr(page, "_PIECE", 10_000)
    (read,) = Tiff.parse(source, DEFAULT, thorough=True).pages
    assert read.split
    assert len(read.places) > 8
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)
    before, after = (ifd.Tiff.read(data) for data in (source, result.data))
    for tag in (273, 278, 279):
        was, now = (read.numbers(read.pages[0].get(tag)) for read in (before, after))
        assert was == now
    small = tiff(photo(3, "uint16", (60, 20)), photometric="rgb", planarconfig=planar)
    monkeypatch.setattr(page, "_PIECE", 1000)
    grown = mark(small, None, label, config=config, when_too_small="strip")
    assert np.array_equal(pages(grown.data)[0][:20], pages(small)[0])


def test_pages_that_share_their_strip_keep_it(label, config, monkeypatch):
    """What is stored once for two pages cannot be changed in place."""
    source = tiff(photo(1, "uint8"), photometric="minisblack")
    first = ifd.Tiff.read(source).pages[0]
    table = source[first.at : first.at + 2 + 12 * len(first.entries)]
    twice = bytearray(source + bytes(len(source) % 2) + table + bytes(4))
    twice[first.next_at : first.next_at + 4] = (len(source) + len(source) % 2).to_bytes(4, "little")
    monkeypatch.setattr(page, "_PIECE", 10_000)
    assert not any(p.split for p in Tiff.parse(bytes(twice), DEFAULT, thorough=True).pages)
    assert mark(bytes(twice), None, label, config=config).report.verdict is Verdict.LABELLED


def test_libtiff_says_nothing_to_the_terminal(label, config, capfd):
    """What it finds wrong is a refusal, not a line between the lines of whoever called."""
    source = bytearray(tiff(photo(1, "uint8"), photometric="minisblack", compression="lzw"))
    start = ifd.Tiff.read(bytes(source)).numbers(ifd.Tiff.read(bytes(source)).pages[0].get(273))[0]
    source[start + 40 : start + 400] = b"\xff" * 360
    with pytest.raises(Refused) as refusal:
        mark(bytes(source), None, label, config=config)
    assert refusal.value.code == "damaged"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("uint16", {"compression": "deflate", "predictor": 2}),
        ("float32", {"compression": "deflate", "predictor": 3}),
        ("float64", {"compression": "lzw", "predictor": 3, "tile": (64, 64)}),
        ("uint32", {"compression": "zstd", "predictor": 2, "rowsperstrip": 10}),
    ],
)
def test_both_orders_and_both_sizes_of_offsets(byteorder, bigtiff, dtype, options, label, config):
    source = tiff(
        photo(3, dtype), photometric="rgb", byteorder=byteorder, bigtiff=bigtiff, **options
    )
    result = mark(source, None, label, config=config)
    assert result.data[:4] == source[:4]
    assert_kept(source, result, config)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 10, 12, 14])
def test_samples_that_fill_no_byte(bits, label, config):
    """tifffile writes only single bits, so the others are packed here; every second one with white as 0."""
    values = photo(1, "uint16")[..., 0] >> (16 - bits)
    source = packed(values, bits, bits % 2)
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "tiff_lzw", "raw"])
@pytest.mark.parametrize("strip", [1000, 20])
def test_one_bit(compression, strip, label, config):
    source = encoded(picture("1", SIZE), "TIFF", compression=compression, tiffinfo={278: strip})
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.mode == "1"
        assert image.info["compression"] == compression


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "LAB", "I", "F"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow(mode, label, config):
    orientation = 1 + MODES.index(mode) % 8
    source = encoded(
        picture(mode, SIZE), "TIFF", compression="tiff_lzw", tiffinfo={274: orientation}
    )
    result = mark(source, None, label, config=config)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    was, now = (Image.open(io.BytesIO(data)) for data in (source, result.data))
    for image in (was, now):
        image.load()  # and turn it upright
    assert (was.mode, was.size) == (now.mode, now.size)
    before, after = (np.asarray(one.convert("RGB") if mode == "P" else one) for one in (was, now))
    outside = ~area(result.report.marker.notice.placements[0], was.size)
    if mode != "P":  # whose palette is full
        assert (before == after)[outside].all()
    assert (before != after)[~outside].any()


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 32}, {"tile": (64, 64)}])
def test_jpeg_in_strips_and_tiles(subsampling, layout, label, config):
    source = tiff(
        np.asarray(picture("RGB", SIZE)),
        photometric="ycbcr",
        compression="jpeg",
        compressionargs={"level": 90},
        subsampling=subsampling,
        **layout,
    )
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config, grid=16, least=45)


def test_jpeg_with_shared_tables(label, config):
    """libtiff writes them once; a block that brought others would spoil those that come after it."""
    source = encoded(
        picture("RGB", SIZE), "TIFF", compression="jpeg", quality=80, tiffinfo={278: 16}
    )
    assert ifd.Tiff.read(source).pages[0].get(347)
    result = mark(source, None, label, config=config)
    was, now = (np.asarray(Image.open(io.BytesIO(d)), float) for d in (source, result.data))
    outside = ~area(result.report.marker.notice.placements[0], SIZE, 16)
    error = np.mean((was[outside] - now[outside]) ** 2)
    assert 10 * math.log10(255**2 / error) > 45


def own_tables(mode: str) -> tuple[bytes, bytes]:
    """Two strips of the same picture, whose Huffman tables fit exactly it and stand only in the page; and one strip."""
    stream = encoded(picture(mode, SIZE), "JPEG", optimize=True, quality=85, subsampling=0)
    header, scan = segments.walk_header(stream, NO_LIMITS)
    tables = {segments.DQT, segments.DHT}
    shared = b"".join(s.data for s in header if s.code in tables)
    strip = b"".join(s.data for s in header if s.code in segments.SOF) + stream[scan:]
    strip = b"\xff\xd8" + strip + b"\0" * (len(strip) % 2)
    channels = 1 if mode == "L" else 3
    tags = {256: [SIZE[0]], 257: [2 * SIZE[1]], 258: [8] * channels, 259: [7], 277: [channels]}
    tags |= {262: [6 if channels == 3 else 1], 278: [SIZE[1]]}
    read = ifd.Tiff.read(raw_page(strip * 2, tags | ({530: [1, 1]} if channels == 3 else {})))
    editor = Editor(read)
    starts = [8, 8 + len(strip)]
    jpeg_tables = b"\xff\xd8" + shared + b"\xff\xd9"
    wanted = {
        273: (ifd.LONG, 2, read.pack(ifd.LONG, starts)),
        279: (ifd.LONG, 2, read.pack(ifd.LONG, [len(strip)] * 2)),
        347: (ifd.UNDEFINED, len(jpeg_tables), jpeg_tables),
    }
    editor.change(read.pages[0], wanted)
    return editor.data, strip


@pytest.mark.parametrize("mode", ["L", "YCbCr"])
def test_jpeg_with_huffman_tables_of_its_own(mode, label, config):
    """The badge brings its own beside them; the strip without it is read with those of the page, by libtiff too."""
    source, strip = own_tables(mode)
    result = mark(source, None, label, config=config)
    assert result.data.count(strip) == 1
    with Image.open(io.BytesIO(source)) as before, Image.open(io.BytesIO(result.data)) as after:
        was, now = (np.asarray(image, float) for image in (before, after))
    place = result.report.marker.notice.placements[0]
    outside = ~area(place, (SIZE[0], 2 * SIZE[1]), 16)
    other = slice(SIZE[1], None) if place["y"] < 0.5 else slice(0, SIZE[1])
    assert np.array_equal(was[other], now[other])
    error = np.mean((was[outside] - now[outside]) ** 2)
    assert 10 * math.log10(255**2 / error) > 44
    assert np.array_equal(pages(source)[0][other], pages(result.data)[0][other])
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2), (4, 1), (4, 4)])
def test_colours_that_pixels_share(subsampling, label, config, tmp_path):
    """YCbCr without JPEG: units of some brightnesses and one pair of colours."""
    across, down = subsampling
    width, height = 240, 160
    values = np.asarray(picture("YCbCr", (width, height)))
    high, wide = height // down, width // across
    units = np.empty((high, wide, across * down + 2), np.uint8)
    luma = values[..., 0].reshape(high, down, wide, across).swapaxes(1, 2)
    units[..., :-2] = luma.reshape(high, wide, -1)
    units[..., -2:] = values[::down, ::across, 1:]
    source = raw_page(
        units.tobytes(),
        {256: [width], 257: [height], 258: [8, 8, 8], 259: [1], 262: [6], 277: [3], 278: [height]}
        | {530: list(subsampling)},
    )
    before = Tiff.parse(source, DEFAULT, thorough=True).decode()
    assert np.array_equal(before.part((0, 0, width, height)).samples[..., 0], values[..., 0])
    result = mark(source, None, label, config=config)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    after = Tiff.parse(result.data, DEFAULT, thorough=True).decode()
    outside = ~area(result.report.marker.notice.placements[0], (width, height), max(subsampling))
    was, now = (one.part((0, 0, width, height)).samples for one in (before, after))
    assert (was == now)[outside].all()
    path = tmp_path / "out.tif"
    path.write_bytes(result.data)
    done = subprocess.run(  # libtiff agrees that it is a picture
        [require_tool("tiff2rgba"), path, tmp_path / "rgba.tif"], capture_output=True, check=True
    )
    assert b"rror" not in done.stderr


# --- several pages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}])
def test_every_page_has_its_notice(options, label, config):
    source = book(**options)
    result = mark(source, None, label, config=config)
    assert_kept(source, result, config)
    assert len(pages(result.data)) == 3


def test_the_file_tells_the_size_that_all_of_its_pages_share():
    """A record says one figure for all pages: where they differ, nothing here knows which one it speaks of."""

    def figures(*sizes: tuple[int, int]) -> tuple[tuple[str, float], ...]:
        pictures = [picture("RGB", size) for size in sizes]
        data = encoded(pictures[0], "TIFF", save_all=True, append_images=pictures[1:])
        return ADAPTER.examine(io.BytesIO(data), FORMATS["tiff"], DEFAULT, thorough=False).figures

    assert figures((240, 160)) == (("short_side_px", 160.0),)
    assert figures((240, 160), (160, 300)) == (("short_side_px", 160.0),)
    assert figures((240, 160), (240, 180)) == ()


def test_a_page_without_its_notice_is_noticed(label, config):
    """Whoever signs must have labelled every page; measured again, one that is bare counts."""
    result = mark(book(), None, label, config=config)
    notice, numbers = result.report.marker.notice, load_profile("kz")

    def measured(data, record):
        return ADAPTER.measure(
            io.BytesIO(data), FORMATS["tiff"], record, Origin.CREATED, numbers, DEFAULT
        ).state

    assert measured(result.data, notice) is NoticeState.PERCEIVABLE
    assert measured(book(), notice) is NoticeState.NOT_PERCEIVABLE
    fewer = replace(notice, placements=notice.placements[:2])
    assert measured(result.data, fewer) is NoticeState.UNKNOWN


def test_only_touched_blocks_change(label, config):
    """Uncompressed and tiled, a file keeps every byte outside the tiles of the badge, and grows by the marker alone."""
    source = tiff(photo(3, "uint8", (800, 640)), photometric="rgb", tile=(64, 64))
    result = mark(source, None, label, config=config)
    assert len(result.data) < len(source) + 9000
    page = ifd.Tiff.read(source)
    places = page.numbers(page.pages[0].get(324))
    changed = [
        i for i, at in enumerate(places) if source[at : at + 12288] != result.data[at : at + 12288]
    ]
    columns = {index % 13 for index in changed}
    assert len(changed) < len(places) / 3
    assert min(columns) > 5, "the badge is at the top right"
    rest = bytearray(result.data[: len(source)])
    for index in changed:
        at = places[index]
        rest[at : at + 12288] = source[at : at + 12288]
    rest[4:8] = source[4:8]  # where the first directory is
    assert bytes(rest) == source


def test_a_strip_is_added_where_no_badge_fits(label, config):
    for compression in ("tiff_lzw", "raw", "jpeg"):
        source = encoded(picture("RGB", (400, 14)), "TIFF", compression=compression)
        with pytest.raises(Refused):
            mark(source, None, label, config=config)
        result = mark(source, None, label, config=config, when_too_small="strip")
        assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
        (after,) = pages(result.data)
        assert after.shape[0] > 14
        if compression != "jpeg":
            assert (after[:14] == np.asarray(picture("RGB", (400, 14)))).all()
        with Image.open(io.BytesIO(result.data)) as image:
            assert image.size == after.shape[1::-1]


def test_previews_are_labelled_or_said(label, config):
    buffer = io.BytesIO()
    big = photo(3, "uint8", (480, 320))
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(big, photometric="rgb", subifds=2, metadata=None)
        writer.write(big[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
        writer.write(big[::10, ::10], photometric="rgb", subfiletype=1, metadata=None)
    source = buffer.getvalue()
    result = mark(source, None, label, config=config)
    assert [one["picture"] for one in result.report.marker.notice.placements] == [1, 2]
    assert any("1 preview" in warning for warning in result.warnings)
    with tifffile.TiffFile(io.BytesIO(result.data)) as file:
        (page,) = file.pages
        half, tiny = (one.asarray() for one in page.pages)
    assert (half != big[::2, ::2]).any()
    assert (tiny == big[::10, ::10]).all()


def test_masks_get_no_notice(label, config):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(photo(3, "uint8"), photometric="rgb", metadata=None)
        bits = photo(1, "uint8")[..., 0] > 99
        writer.write(bits, photometric="mask", subfiletype=4, metadata=None)
    source = buffer.getvalue()
    result = mark(source, None, label, config=config)
    assert len(result.report.marker.notice.placements) == 1
    assert (pages(result.data)[1] == pages(source)[1]).all()


# --- palettes ---------------------------------------------------------------------------------------------------------


def test_a_full_palette_makes_room(label, config):
    ramp = np.linspace(30, 220, 256).astype(np.uint16) * 257
    colours = np.stack([ramp, ramp[::-1], ramp])
    values = photo(1, "uint8")[..., 0]
    source = tiff(values, photometric="palette", colormap=colours)
    result = mark(source, None, label, config=config)
    with tifffile.TiffFile(io.BytesIO(result.data)) as file:
        page = file.pages[0]
        after, after_map = page.asarray(), page.colormap
    outside = ~area(result.report.marker.notice.placements[0], SIZE)
    was, now = colours[:, values] // 257, after_map[:, after] // 257
    assert np.abs(was.astype(int) - now)[:, outside].max() <= 3
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({259: [6]}, "old-style JPEG"),
        ({259: [4711]}, "4711"),
        ({262: [32803], 277: [1]}, "raw data"),
        ({262: [32845], 259: [34676]}, "LogLuv"),
        ({259: [34661]}, "JBIG"),
        ({259: [50001], 277: [4], 262: [5], 258: [8] * 4}, "WebP of an unusual kind"),
        ({262: [1234]}, "1234"),
        ({258: [8, 8, 4]}, "not alike"),
        ({258: [17, 17, 17]}, "17 bits"),
        ({339: [5, 5, 5], 258: [64, 64, 64]}, "not alike"),
        ({259: [5], 317: [9]}, "predictor"),
        ({277: [2]}, "fewer channels"),
        ({262: [5], 277: [4], 258: [8] * 4, 332: [2]}, "inks"),
    ],
)
def test_what_cannot_be_painted_is_refused(change, why, label, config):
    tags = {256: [240], 257: [160], 258: [8, 8, 8], 259: [1], 262: [2], 277: [3], 278: [160]}
    with pytest.raises(Refused, match=why) as refusal:
        mark(raw_page(bytes(240 * 160 * 3), tags | change), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert "8 bits per channel" not in refusal.value.hint


def test_values_that_are_not_there_are_left_out(label, config):
    """They would point at what is appended behind the file's old end."""
    tags = {256: [240], 257: [160], 258: [8], 259: [1], 262: [1], 277: [1], 278: [160]}
    source = bytearray(raw_page(bytes(240 * 160), tags | {700: [7] * 40}))
    entry = ifd.Tiff.read(bytes(source)).pages[0].get(700)
    at = source.find(b"\xbc\x02\x03\x00")
    source[at + 8 : at + 12] = (len(source) + 10).to_bytes(4, "little")
    assert entry is not None
    result = mark(bytes(source), None, label, config=config, notice="none", notice_reason="shown")
    assert any("left out" in warning for warning in result.warnings)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_cut_files(share, label, config):
    for source in (book(), tiff(photo(3, "uint8"), photometric="rgb", compression="lzw")):
        with pytest.raises(Refused) as refusal:
            mark(source[: int(len(source) * share)], None, label, config=config)
        assert refusal.value.code in {"damaged", "unsupported-variant"}


def test_a_damaged_block_is_refused_even_far_from_the_badge(label, config):
    source = bytearray(
        tiff(photo(3, "uint8"), photometric="rgb", compression="deflate", rowsperstrip=20)
    )
    read = ifd.Tiff.read(bytes(source))
    last = read.numbers(read.pages[0].get(273))[-1]
    source[last + 2 : last + 40] = bytes(38)
    with pytest.raises(Refused) as refusal:
        mark(bytes(source), None, label, config=config)
    assert refusal.value.code == "damaged"


# --- marker -----------------------------------------------------------------------------------------------------------


def test_an_older_marker_is_gone_after_replacing(label, config):
    first = mark(book(), None, label, config=config)
    read = ifd.Tiff.read(first.data)
    (store,) = Tiff.parse(first.data, NO_LIMITS, thorough=True).stores()
    again = mark(first.data, None, label, config=config, on_existing="replace")
    assert store not in again.data, "not even as bytes that nothing points to"
    assert len(ifd.Tiff.read(again.data).pages) == len(read.pages)
    assert verify(again.data, config=config).verdict is Verdict.LABELLED


def test_a_page_that_only_held_a_marker_goes(label, config, identity_folder):
    """The C2PA engine adds one to a file of several pages, and other programs stumble over it."""
    notice = Notice("none", profile="kz/1", reason="test")
    definition = marker.definition(
        replace(label, responsible=config.responsible),
        notice,
        "image",
        with_parent=False,
    )
    out = io.BytesIO()
    key = load_signing_key(config.signer, config.folder)
    engine.sign(io.BytesIO(book()), out, "image/tiff", definition, key)
    foreign = out.getvalue()
    assert len(ifd.Tiff.read(foreign).pages) == 4
    assert verify(foreign, config=config).marker_state == "trusted"
    result = mark(foreign, None, label, config=config, on_existing="replace")
    assert len(ifd.Tiff.read(result.data).pages) == 3
    assert_kept(book(), result, config)


def test_bigtiff_with_inner_directories_gets_a_sidecar(label, config, tmp_path):
    """The engine reads their offsets as 32 bits and loses its way."""
    path = tmp_path / "big.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(photo(3, "uint8"), photometric="rgb", subifds=1, metadata=None)
        writer.write(photo(3, "uint8")[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
    mark(path, tmp_path / "out.tif", label, config=config)
    assert (tmp_path / "out.tif.c2pa").exists()
    assert verify(tmp_path / "out.tif", config=config).verdict is Verdict.LABELLED


def test_dng_keeps_every_byte_of_the_camera(label, config):
    source = raw_photo()
    result = mark(source, None, label, config=config)
    assert result.report.format == "dng"
    assert result.report.verdict is Verdict.INCOMPLETE
    assert result.report.notice_state == "not-applicable"
    assert result.data[8 : len(source)] == source[8:]
    read = verify(result.data, config=config)
    assert read.marker_state == "trusted"
    assert read.declared.origin == label.origin
    assert "raw data" in read.marker.notice.reason


OWN = b"ASCII\0\0\0A comment of mine"


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("bigtiff", [False, True])
def test_the_comment_of_exif_says_what_the_label_says(byteorder, bigtiff, config):
    """In a directory made for it where there is none; an earlier one of ours is replaced, not doubled."""
    source = tiff(photo(3, "uint8"), photometric="rgb", byteorder=byteorder, bigtiff=bigtiff)
    first = mark(source, None, Label(origin="created", system="ҚазГен"), config=config)
    again = Label(origin="altered", system="Other/2")
    second = mark(first.data, None, again, config=config, on_existing="replace")
    for result, label in ((first, Label(origin="created", system="ҚазГен")), (second, again)):
        told = [one for one in result.report.evidence.mirrors if one.carrier == "exif"]
        assert [(one.name, one.value) for one in told] == [("UserComment", mirror.line(label))]
        assert told[0].origin == label.origin


def test_the_comment_is_not_wiped_with_values_that_are_not_there(label, config):
    """A tag that points behind the end of the file would point at what is appended."""
    source = tiff(photo(3, "uint8"), photometric="rgb", description="x" * 40)
    at = ifd.Tiff.read(source).pages[0].get(270)
    entry = source.index(struct.pack("<HHII", 270, 2, at.count, at.at))
    moved = bytearray(source)
    moved[entry : entry + 12] = struct.pack("<HHII", 270, 2, at.count, len(source) - 8)
    result = mark(bytes(moved), None, label, config=config)
    told = [one.value for one in result.report.evidence.mirrors if one.carrier == "exif"]
    assert told == [mirror.line(label)]


@pytest.mark.parametrize("count", [0, 2, 1 << 31])
def test_a_tag_that_leads_to_no_camera_is_replaced(count, label, config):
    """Its values may be anywhere, or nowhere."""
    source = tiff(photo(3, "uint8"), photometric="rgb", description="x" * 40)
    at = ifd.Tiff.read(source).pages[0].get(305)
    entry = source.index(struct.pack("<HHII", 305, 2, at.count, at.at))
    broken = bytearray(source)
    broken[entry : entry + 12] = struct.pack("<HHII", ifd.EXIF, ifd.LONG, count, len(source) - 4)
    result = mark(bytes(broken), None, label, config=config)
    told = [one.value for one in result.report.evidence.mirrors if one.carrier == "exif"]
    assert told == [mirror.line(label)]


def test_a_comment_of_somebody_else_stays_and_is_told(label, config):
    source = tiff(photo(3, "uint8"), photometric="rgb")
    read = ifd.Tiff.read(source)
    editor = Editor(read)
    made = exif_comment.new_camera(read, editor, (ifd.UNDEFINED, len(OWN), OWN))
    editor.change(read.pages[0], {ifd.EXIF: made})
    result = mark(editor.data, None, label, config=config)
    assert any("somebody else" in text for text in result.warnings)
    assert OWN in result.data
    assert {one.carrier for one in result.report.evidence.mirrors} == {"xmp"}


def jpeg_page(sampling: int, photometric: int, *, said: bool, length: bool) -> tuple[bytes, bytes]:
    """Old-style JPEG as nearly everybody wrote it: the strip is a JPEG file, which may be named a second time."""
    stream = encoded(picture("RGB", SIZE), "JPEG", quality=85, subsampling=sampling, optimize=True)
    tags = {256: [SIZE[0]], 257: [SIZE[1]], 258: [8, 8, 8], 259: [6], 262: [photometric], 277: [3]}
    tags |= {513: [8]} if said else {}
    tags |= {514: [len(stream)]} if length else {}
    return raw_page(stream, tags), stream


@pytest.mark.parametrize(
    ("sampling", "photometric", "said", "length"),
    [(2, 6, True, True), (1, 2, True, False), (0, 6, False, False), (2, 2, True, True)],
)
def test_old_style_jpeg(sampling, photometric, said, length, label, config):
    source, stream = jpeg_page(sampling, photometric, said=said, length=length)
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    read = ifd.Tiff.read(result.data)
    start, size = (read.numbers(read.pages[0].get(tag))[0] for tag in (273, 279))
    for tag, number in ((513, start), (514, size)):
        assert read.numbers(read.pages[0].get(tag)) in {(), (number,)}
    file = result.data[start : start + size]
    before, after = (
        np.asarray(Image.open(io.BytesIO(one)).convert("RGB"), float) for one in (stream, file)
    )
    outside = ~area(result.report.marker.notice.placements[0], SIZE, 16)
    error = np.mean((before[outside] - after[outside]) ** 2)
    assert error == 0 or 10 * math.log10(255**2 / error) > 44
    with Image.open(io.BytesIO(result.data)) as image:
        image.load()
    assert stream[200:400] not in result.data, "the picture without a notice is gone"
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_old_style_arithmetic_jpeg_becomes_huffmans_and_that_is_said(label, config):
    ppm = io.BytesIO()
    picture(size=SIZE).save(ppm, "PPM")
    command = [require_tool("cjpeg"), "-arithmetic", "-quality", "90"]
    stream = subprocess.run(command, input=ppm.getvalue(), capture_output=True, check=True).stdout
    sides = {256: [SIZE[0]], 257: [SIZE[1]], 278: [SIZE[1]]}
    source = raw_page(stream, sides | {258: [8, 8, 8], 259: [6], 262: [6], 277: [3]})
    result = mark(source, None, label, config=config)
    assert any("arithmetically" in warning for warning in result.warnings)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 50}, {"tile": (64, 64)}])
def test_webp_in_strips_and_tiles(lossless, channels, layout, label, config):
    """Whatever the loss of the old blocks was, new ones have none: beside the badge every sample stays."""
    samples = photo(channels, "uint8")
    if channels == 4:
        samples[:60, :60, 3] = 0  # colours that nobody sees stay, too
    more = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    how = {"lossless": True} if lossless else {"level": 80}
    source = tiff(
        samples, photometric="rgb", compression="webp", compressionargs=how, **layout, **more
    )
    assert_kept(source, mark(source, None, label, config=config), config)


@pytest.mark.parametrize("coding", [6, 7])
def test_jpeg_far_higher_than_its_page_is_not_decoded(coding, label, config):
    _, stream = jpeg_page(2, 6, said=False, length=False)
    at = stream.index(b"\xff\xc0") + 5
    bomb = stream[:at] + (20_000).to_bytes(2) + stream[at + 2 :]
    sides = {256: [SIZE[0]], 257: [SIZE[1]]}
    source = raw_page(bomb, sides | {258: [8, 8, 8], 259: [coding], 262: [6], 277: [3]})
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "damaged"


def test_old_style_jpeg_that_did_not_change_stays():
    source, stream = jpeg_page(2, 6, said=True, length=True)
    blocks = Tiff.parse(source, DEFAULT, thorough=True).decode(0).blocks
    assert jpeg.edited(next(iter(blocks)), stream) == stream


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("size", [SIZE, (20, 9)])
def test_a_full_palette_of_few_bits_gets_wider_indices(bits, size, label, config):
    values = (np.add.outer(np.arange(size[1]), np.arange(size[0])) % 2**bits).astype(np.uint8)
    colours = np.linspace(12_000, 48_000, 3 * 2**bits).astype(int)
    source = packed(values, bits, 3).replace(b"II*\0", b"II*\0")
    source = with_colours(source, colours.tolist())
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert result.report.verdict is Verdict.LABELLED
    with tifffile.TiffFile(io.BytesIO(result.data)) as file:
        page = file.pages[0]
        assert page.bitspersample == 8
        shown = page.colormap[:, page.asarray()]
    wanted = colours.reshape(3, -1)[:, values]
    height, width = size[1], size[0]
    same = (shown[:, :height, :width] == wanted).all(axis=0)
    place = result.report.marker.notice.placements[0]
    assert same.all() or place["design"] == "badge/1"
    assert same.mean() > 0.7
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.mode == "P"


def with_colours(source: bytes, colours: list[int]) -> bytes:
    """A file of one strip with a palette."""
    read = ifd.Tiff.read(source)
    first = read.pages[0]
    tags = {e.tag: list(read.numbers(e)) for e in first.entries if e.tag not in {273, 279}}
    start, length = (read.numbers(first.get(tag))[0] for tag in (273, 279))
    return raw_page(source[start : start + length], tags | {320: colours})


def test_pages_without_jpeg_keep_to_their_pixels(label, config):
    """Blocks of one page are no reason to make the plate on another one larger."""
    buffer = io.BytesIO()
    plain, coded = picture("RGB", SIZE), photo(3, "uint8")
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(np.asarray(plain), photometric="rgb", metadata=None)
        writer.write(coded, photometric="rgb", compression="jpeg", metadata=None)
    result = mark(buffer.getvalue(), None, label, config=config)
    first = pages(result.data)[0]
    outside = ~area(result.report.marker.notice.placements[0], SIZE)
    assert (first[outside] == np.asarray(plain)[outside]).all()
