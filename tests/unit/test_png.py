"""PNG of every colour type and depth: the badge is in it, every other sample and chunk is what it was."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

import png_files
from aikz_label import Refused, Verdict, mark, verify
from aikz_label.adapters.image.png import Png
from aikz_label.adapters.image.png_rows import sixteen_bit
from aikz_label.limits import NO_LIMITS
from png_files import GREY, GREY_ALPHA, KINDS, PALETTE, RGB, RGB_ALPHA, chunk, chunks, photo, png
from support import encoded, picture

SIZE = (200, 151)


def colours(depth: int) -> bytes:
    """A palette without black and white, as long as the depth allows."""
    ramp = np.linspace(20, 230, 2**depth).astype(np.uint8)
    return chunk(b"PLTE", np.stack([ramp, ramp[::-1], ramp], axis=1).tobytes())


def needed(kind: int, depth: int) -> list[bytes]:
    return [colours(depth)] if kind == PALETTE else []


def stored(data: bytes, kind: int, depth: int) -> np.ndarray:
    """The numbers in the file, or for a palette the colours they mean."""
    if depth == 16:
        return png_files.deep_values(data, kind, SIZE)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        shown = np.asarray(image.convert("RGBA") if kind == PALETTE else image).astype(int)
    return shown if shown.ndim == 3 else shown[..., None]


def badge_area(report) -> np.ndarray:
    (place,) = report.marker.notice.placements
    left, top = place["x"] * SIZE[0], place["y"] * SIZE[1]
    right, bottom = left + place["width"] * SIZE[0], top + place["height"] * SIZE[1]
    area = np.zeros(SIZE[::-1], bool)
    area[round(top) : round(bottom), round(left) : round(right)] = True
    return area


def assert_kept(source: bytes, data: bytes, kind: int, depth: int, report) -> None:
    was, now = stored(source, kind, depth), stored(data, kind, depth)
    outside = ~badge_area(report)
    if kind == PALETTE and depth == 8:  # full: one entry or two make room
        assert np.abs(was - now)[outside].max() <= 3
        return
    assert (was == now)[outside].all()
    assert (was != now)[~outside].any()


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "depth"), KINDS)
def test_every_kind(kind, depth, interlaced, label, config):
    kept = [chunk(b"gAMA", (45455).to_bytes(4)), chunk(b"sBIT", b"\1" * png_files.CHANNELS[kind])]
    kept = kept if kind != PALETTE else [chunk(b"sBIT", b"\1\1\1")]
    source = png(
        photo(kind, depth, SIZE),
        kind,
        depth,
        interlaced=interlaced,
        before=[*kept, *needed(kind, depth)],
        after=[chunk(b"tEXt", b"Comment\0as it was"), chunk(b"prIv", b"of somebody")],
    )
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    assert_kept(source, result.data, kind, depth, result.report)
    header = dict(chunks(result.data))[b"IHDR"]
    assert header[12] == interlaced
    if kind != PALETTE:
        assert header == dict(chunks(source))[b"IHDR"]
    ours = {b"caBX", b"IDAT", b"IHDR", b"PLTE"}
    assert [one for one in chunks(source) if one[0] not in ours] == [
        one for one in chunks(result.data) if one[0] not in ours and one[0] != b"iTXt"
    ]


@pytest.mark.parametrize("level", [0, 2**16 - 1, 777])
@pytest.mark.parametrize(("kind", "depth"), [(GREY, 4), (GREY, 8), (GREY, 16), (RGB, 8), (RGB, 16)])
def test_a_transparent_colour_stays_the_only_one(kind, depth, level, label, config):
    """Also where it is black or white: then plate or ink step aside by one level."""
    key = level & (2**depth - 1)
    channels = png_files.CHANNELS[kind]
    values = photo(kind, depth, SIZE)
    values[100:120, 20:60] = key
    source = png(values, kind, depth, before=[chunk(b"tRNS", key.to_bytes(2) * channels)])
    result = mark(source, None, label, config=config)
    now = dict(chunks(result.data))
    assert now[b"tRNS"] == dict(chunks(source))[b"tRNS"]
    read = Png.parse(result.data, NO_LIMITS, thorough=True).decode().seen()
    opacity = np.asarray(read.convert("RGBA"))[..., 3]
    assert (opacity[100:120, 20:60] == 0).all()
    assert (opacity[badge_area(result.report)] == 255).all()


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("full", [0, 1])
@pytest.mark.parametrize(("kind", "depth"), [(RGB, 8), (RGB, 16), (GREY_ALPHA, 16), (RGB_ALPHA, 8)])
def test_hdr_gets_diffuse_white(kind, depth, full, transfer, label, config):
    codes = chunk(b"cICP", bytes((9, transfer, 0, full)))
    source = png(photo(kind, depth, SIZE), kind, depth, before=[codes])
    result = mark(source, None, label, config=config)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    assert (b"cICP", bytes((9, transfer, 0, full))) in chunks(result.data)
    assert_kept(source, result.data, kind, depth, result.report)
    ink = stored(result.data, kind, depth)[badge_area(result.report)][..., 0].max()
    black, white = (0, 2**depth - 1) if full else (16 << depth - 8, 235 << depth - 8)
    share = {16: 0.58069, 18: 0.75}[transfer]
    assert ink == round(black + share * (white - black))


@pytest.mark.parametrize("junk", [b"\0", b"<?php ?>", b"\0\0\0\5tEXthello", bytes(5000)])
def test_bytes_after_the_end_are_kept_and_bound(junk, label, config):
    source = png(photo(RGB, 8, SIZE), RGB, 8) + junk
    result = mark(source, None, label, config=config)
    assert result.data.endswith(junk)
    changed = result.data[:-1] + bytes([result.data[-1] ^ 1])
    assert verify(changed, config=config).verdict is Verdict.INVALID


def test_a_background_colour_is_not_given_away(label, config):
    """It is an index, so its entry must keep its colour even when the palette is full."""
    values = photo(PALETTE, 8, SIZE)
    values[values == 77] = 78  # free, and so the first to be taken
    source = png(values, PALETTE, 8, before=[colours(8), chunk(b"bKGD", b"\x4d")])
    result = mark(source, None, label, config=config)
    was, now = (dict(chunks(data))[b"PLTE"][77 * 3 : 78 * 3] for data in (source, result.data))
    assert was == now


@pytest.mark.parametrize("opacity", [b"\0", b"\x80"])
def test_a_transparent_entry_that_no_pixel_has_stays(opacity, label, config):
    values = photo(PALETTE, 8, SIZE)
    values[values == 0] = 1
    source = png(values, PALETTE, 8, before=[colours(8), chunk(b"tRNS", opacity)])
    result = mark(source, None, label, config=config)
    assert_kept(source, result.data, PALETTE, 8, result.report)


def test_transparency_of_a_palette_grows_with_it(label, config):
    source = png(
        photo(PALETTE, 2, SIZE), PALETTE, 2, before=[colours(2), chunk(b"tRNS", b"\0\x80")]
    )
    result = mark(source, None, label, config=config)
    was, now = (
        np.asarray(Image.open(io.BytesIO(d)).convert("RGBA")) for d in (source, result.data)
    )
    outside = ~badge_area(result.report)
    assert (was == now)[outside].all()
    assert (now[~outside][:, 3] == 255).all()


@pytest.mark.parametrize(
    ("kind", "depth", "extra", "why"),
    [
        (GREY, 1, [chunk(b"tRNS", b"\0\1")], "two grey levels"),
        (PALETTE, 8, [colours(8), chunk(b"cICP", b"\x09\x10\0\1")], "HDR"),
        (RGB, 8, [chunk(b"dSIG", b"signed")], "signed"),
    ],
)
def test_what_would_lose_something_is_refused(kind, depth, extra, why, label, config):
    with pytest.raises(Refused, match=why) as refusal:
        mark(png(photo(kind, depth, SIZE), kind, depth, before=extra), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def test_the_second_half_is_found_elsewhere(label, config):
    """Apple's `iDOT` says where image data is; after an edit it is somewhere else."""
    source = png(photo(RGB, 8, SIZE), RGB, 8, before=[chunk(b"iDOT", bytes(28))])
    assert b"iDOT" not in dict(chunks(mark(source, None, label, config=config).data))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", [GREY, RGB, GREY_ALPHA, RGB_ALPHA])
def test_all_sixteen_bits_are_read(kind, interlaced):
    values = np.random.default_rng(2).integers(0, 65536, (37, 53, png_files.CHANNELS[kind]))
    parsed = Png.parse(png(values, kind, 16, interlaced=interlaced), NO_LIMITS, thorough=True)
    assert (sixteen_bit(parsed.image_data, parsed.header) == values).all()


def test_image_data_that_never_ends(label, config):
    """A header of a few pixels before a stream of gigabytes: no more than the header promises is inflated."""
    bomb = zlib.compress(bytes(50_000_000), 9)
    good = png(photo(GREY, 16, SIZE), GREY, 16)
    listed = [(n, d) for n, d in chunks(good) if n != b"IDAT"]
    listed.insert(1, (b"IDAT", bomb))
    data = png_files.SIGNATURE + b"".join(chunk(*one) for one in listed)
    assert verify(data).verdict is Verdict.UNMARKED
    result = mark(data, None, label, config=config)
    assert len(result.data) < 100_000


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_image_data_that_ends_early(cut, label, config):
    good = png(photo(RGB, 16, SIZE), RGB, 16)
    listed = [(n, d[:cut] if n == b"IDAT" else d) for n, d in chunks(good)]
    data = png_files.SIGNATURE + b"".join(chunk(*one) for one in listed)
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == "damaged"


@pytest.mark.parametrize("header", [b"\x03\x02\0\0\0", b"\x08\x05\0\0\0", b"\x08\x02\0\0\x02"])
def test_a_header_that_means_nothing(header, label, config):
    good = png(photo(RGB, 8, SIZE), RGB, 8)
    listed = [(n, d[:8] + header if n == b"IHDR" else d) for n, d in chunks(good)]
    data = png_files.SIGNATURE + b"".join(chunk(*one) for one in listed)
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == "damaged"


def cut(source: bytes, *, chunk: bool) -> bytes:
    """A file that breaks off behind its last row: in the middle of a chunk, or before the next."""
    end = source.rindex(b"IEND") - 4
    return source[: end - 6 if chunk else end + 5]


@pytest.mark.parametrize("chunk", [True, False])
def test_a_file_whose_rows_are_all_there_is_whole(chunk, label, config):
    source = encoded(picture(), "PNG")
    result = mark(cut(source, chunk=chunk), None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    with Image.open(io.BytesIO(result.data)) as image:
        left = image.crop((0, 0, 100, image.height))
        assert left.tobytes() == picture().crop((0, 0, 100, 320)).tobytes()
    assert result.data.endswith(b"IEND\xaeB`\x82")


def test_a_file_without_its_last_rows_is_damaged(label, config):
    source = encoded(picture(), "PNG")
    with pytest.raises(Refused) as refusal:
        mark(source[: len(source) * 9 // 10], None, label, config=config)
    assert refusal.value.code == "damaged"


@pytest.mark.parametrize("deep", [False, True])
def test_a_chunk_with_a_wrong_sum_that_is_no_part_of_the_picture_stays(deep, label, config):
    """Viewers pass over it; nobody knows whether it is right, so nothing vouches for it afterwards either."""
    source = png(photo(RGB, 16), RGB, 16) if deep else encoded(picture(), "PNG")
    wrong = chunk(b"tEXt", b"Title\0Steppe")[:-4] + b"\1\2\3\4"
    at = source.index(b"IDAT") - 4
    result = mark(source[:at] + wrong + source[at:], None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert result.data.count(wrong) == 1
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    plain = mark(source, None, label, config=config)
    now, then = (Png.parse(one.data, NO_LIMITS, thorough=True) for one in (result, plain))
    assert now.decode().difference(then.decode(), None) == float("inf")
    critical = source.replace(source[at + 8 : at + 12], b"\0\0\0\0", 1)
    with pytest.raises(Refused):
        mark(critical, None, label, config=config)
