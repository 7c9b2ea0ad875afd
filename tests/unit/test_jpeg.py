"""JPEG: every kind of coding kept, further pictures found again, and what stands beside the picture left alone."""

from __future__ import annotations

import io
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

import fidelity
import jpeg_files
from aikz_label import Refused, mark, verify
from aikz_label.adapters.image.jpeg import Jpeg, coefficients, entropy
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.limits import NO_LIMITS
from aikz_label.report import Verdict
from support import picture, require_tool

SIZE = (217, 331)  # no multiple of anything
SAMPLINGS = {
    "4:4:0": [(1, 2), (1, 1), (1, 1)],
    "4:1:1": [(4, 1), (1, 1), (1, 1)],
    "4:1:0": [(4, 2), (1, 1), (1, 1)],
    "4:4:4 in doubles": [(1, 2), (1, 2), (1, 2)],
    "4:2:2 in doubles": [(2, 2), (1, 2), (1, 2)],
    "each its own": [(2, 2), (2, 1), (1, 1)],
}


def planes(mode: str = "YCbCr") -> list[Image.Image]:
    """The channels of the photograph as a file of that kind stores them."""
    image = picture(size=SIZE)
    if mode == "CMYK":
        return [ImageChops.invert(one) for one in image.convert("CMYK").split()]
    if mode == "YCCK":
        return [*image.convert("YCbCr").split(), Image.new("L", SIZE, 200)]
    return list(image.convert(mode).split())


def marked(data: bytes, config: Any, label: Any) -> bytes:
    """The labelled file, found to be without a loss."""
    result = mark(data, None, label, config=config)
    assert result.data is not None
    notice = result.report.marker.notice
    assert notice is not None
    assert fidelity.losses(data, result.data, notice.placements[0]) == []
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    return result.data


def layers(data: bytes) -> list[tuple[int, int, int, int]]:
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        return list(image.layer)  # type: ignore[attr-defined]


def parts(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Frame header, tables and scans."""
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    frame = next(s.data for s in file.header if s.code in {0xC0, 0xC1, 0xC2})
    tables = [s.data for s in file.header if s.code in {0xC4, 0xDD}]
    return frame, tables, data[file.scan : file.end]


def rewritten(data: bytes) -> bytes:
    """The file with its coefficients read and written."""
    scans = entropy.write(coefficients.read(*parts(data)))
    header, _ = jpeg_files.segments(data)
    kept = [s for s in header if s[1] not in {0xC4, 0xDD}]
    return b"".join([jpeg_files.SOI, *kept, scans])


@pytest.mark.parametrize(("mode", "interval"), [("L", 0), ("RGB", 0), ("RGB", 5), ("CMYK", 0)])
@pytest.mark.parametrize("progressive", [False, True])
def test_coefficients_survive_reading_and_writing(
    mode: str, progressive: bool, interval: int
) -> None:
    options = {"progressive": progressive, "restart_marker_blocks": interval, "quality": 97}
    data = jpeg_files.jpeg(picture(mode, SIZE), **options)
    again = rewritten(data)
    first, second = fidelity.decode(data), fidelity.decode(again)
    assert first is not None
    assert second is not None
    assert np.array_equal(np.asarray(first), np.asarray(second))
    assert len(again) < 1.05 * len(data)
    assert again.count(b"\xff\xd3") == data.count(b"\xff\xd3") or progressive


def test_writing_is_settled_after_once() -> None:
    data = rewritten(jpeg_files.jpeg(picture(size=SIZE), progressive=True))
    assert rewritten(data) == data


def test_a_run_of_empty_blocks_longer_than_a_code_is_split() -> None:
    flat = Image.new("L", (2048, 1040), 100)  # 33 280 blocks without a coefficient but the first
    data = jpeg_files.jpeg(flat, progressive=True)
    again = fidelity.decode(rewritten(data))
    assert again is not None
    assert again.getextrema() == (100, 100)


def test_rare_symbols_get_codes_of_at_most_16_bits() -> None:
    """Frequencies that double from symbol to symbol would give codes far too long."""
    frequencies = np.zeros(256, np.intp)
    frequencies[:40] = 2 ** np.arange(40)
    counts, symbols = entropy._huffman(frequencies)
    assert sorted(symbols) == list(range(40))
    assert sum(counts) == 40
    used = sum(count << (16 - size) for size, count in enumerate(counts, 1))
    assert used < 1 << 16, "the code of ones alone stays free"


@pytest.mark.parametrize(
    "cut",
    [
        lambda frame, tables, scans: (frame[:4] + b"\x0c" + frame[5:], tables, scans),
        lambda frame, tables, scans: (frame[:9], tables, scans),
        lambda frame, tables, scans: (frame, [], scans),
        lambda frame, tables, scans: (frame, tables, scans[:-2]),
        lambda frame, tables, scans: (frame[:11] + b"\x55" + frame[12:], tables, scans),
        lambda frame, tables, scans: (frame, tables, scans[:4] + b"\x07" + scans[5:]),
    ],
    ids=["12 bits", "cut", "no tables", "no end", "sampling", "components"],
)
def test_what_is_not_handled_is_said_to_be_unreadable(cut: Any) -> None:
    good = parts(jpeg_files.jpeg(picture(size=SIZE)))
    coefficients.read(*good)
    with pytest.raises(Unreadable):
        coefficients.read(*cut(*good))


@pytest.mark.parametrize(
    ("name", "progressive"), [(name, number % 2 > 0) for number, name in enumerate(SAMPLINGS)]
)
def test_every_sampling_is_kept(name: str, progressive: bool, config, label) -> None:
    data = jpeg_files.sampled(planes(), SAMPLINGS[name], progressive=progressive)
    out = marked(data, config, label)
    if "doubles" not in name:
        assert layers(out) == layers(data)
    before, after = fidelity.decode(data), fidelity.decode(out)
    assert before is not None
    assert after is not None
    assert before.info.get("progressive") == after.info.get("progressive")
    below = (0, 200, *SIZE)  # far from the badge not one pixel changed
    assert not ImageChops.difference(before.crop(below), after.crop(below)).getbbox()


def test_blurred_lightness_is_stored_in_full_so_that_letters_can_be_read(config, label) -> None:
    data = jpeg_files.sampled(planes(), [(1, 1), (2, 2), (2, 2)])
    assert [layer[1:3] for layer in layers(marked(data, config, label))] == [(1, 1)] * 3


@pytest.mark.parametrize(
    ("mode", "factors", "adobe", "names"),
    [
        ("RGB", [(1, 1)] * 3, 0, b"RGB"),
        ("RGB", [(2, 2), (1, 1), (1, 1)], 0, b"\1\2\3"),
        ("CMYK", [(1, 1)] * 4, 0, b"\1\2\3\4"),
        ("CMYK", [(2, 2), (1, 1), (1, 1), (2, 2)], 0, b"CMYK"),
        ("YCCK", [(1, 1)] * 4, 2, b"\1\2\3\4"),
        ("YCCK", [(2, 2), (1, 1), (1, 1), (2, 2)], 2, b"\1\2\3\4"),
    ],
)
def test_every_kind_of_colours_is_kept(
    mode: str, factors: list[tuple[int, int]], adobe: int, names: bytes, config, label
) -> None:
    data = jpeg_files.sampled(planes(mode), factors, adobe=adobe, names=names)
    out = marked(data, config, label)
    with Image.open(io.BytesIO(out)) as image:
        assert image.info["adobe_transform"] == adobe
    assert [layer[1:3] for layer in layers(out)] == factors


@pytest.mark.parametrize("how", [[], ["-progressive"]])
def test_arithmetic_coding_becomes_huffmans_and_that_is_said(how: list[str], config, label) -> None:
    ppm = io.BytesIO()
    picture(size=SIZE).save(ppm, "PPM")
    command = [require_tool("cjpeg"), "-arithmetic", *how]
    data = subprocess.run(command, input=ppm.getvalue(), capture_output=True, check=True).stdout
    result = mark(data, None, label, config=config)
    assert result.data is not None
    assert result.report.marker.notice is not None
    assert fidelity.losses(data, result.data, result.report.marker.notice.placements[0]) == []
    assert any("arithmetically" in warning for warning in result.warnings)
    codes = {s.code for s in Jpeg.parse(result.data, NO_LIMITS, thorough=True).header}
    assert codes & {0xC0, 0xC2, 0xC9, 0xCA} == {0xC2 if how else 0xC0}


@pytest.mark.parametrize("factors", [[(4, 1), (1, 1), (1, 1)], [(2, 2), (1, 1), (1, 1)]])
def test_tables_that_motion_jpeg_leaves_out_are_those_of_the_standard(
    factors: list[tuple[int, int]], config, label
) -> None:
    whole = jpeg_files.jpeg(picture(size=SIZE), subsampling=2, optimize=False)
    if factors[0] != (2, 2):
        whole = jpeg_files.sampled(planes(), factors, optimize=False)
    header, rest = jpeg_files.segments(whole)
    data = b"".join([jpeg_files.SOI, *(s for s in header if s[1] != 0xC4), rest])
    assert layers(marked(data, config, label)) == layers(data)


def test_empty_table_reads_as_zeros_as_in_every_decoder(config, label) -> None:
    data = jpeg_files.jpeg(picture(size=SIZE), subsampling=2)
    empty = jpeg_files.segment(0xC4, bytes(17))  # the means of the lightness
    at = len(jpeg_files.segments(data)[0])
    marked(jpeg_files.with_segments(data, empty, at=at), config, label)


def test_tiny_colourful_picture_keeps_what_is_around_the_badge(config, label) -> None:
    """Colours stored smaller bleed over the edge of the plate, and in 64 × 64 pixels that is much of the picture."""
    image = Image.merge(
        "RGB", [Image.linear_gradient("L").resize((64, 64)).rotate(a) for a in (0, 90, 180)]
    )
    marked(jpeg_files.jpeg(image, quality=50, subsampling=2), config, label)


def test_colours_that_a_decoder_cut_off_stay_as_they_are_stored(config, label) -> None:
    """Coded anew everywhere, strong colours at half the size come back at 46 dB: the blocks of the badge alone are."""
    some = np.random.default_rng(5)
    dots = (some.integers(0, 2, (38, 64, 3)) * 115 + 70).astype(np.uint8)
    dots[::9, ::9] = (255, 0, 0)
    image = Image.fromarray(dots).resize((512, 304), Image.Resampling.BICUBIC)
    source = jpeg_files.jpeg(image, quality=95, subsampling=2, progressive=True)
    was, now = (
        np.asarray(Image.open(io.BytesIO(data))) for data in (source, marked(source, config, label))
    )
    assert (was[:, :320] == now[:, :320]).all()


NARROW = [(1, 1), (13, 31), (15, 15), (20, 60)]
TURNED = [((13, 31), 3), ((20, 60), 6), ((20, 60), 8)]


@pytest.mark.parametrize(("size", "turn"), [*((size, 1) for size in NARROW), *TURNED])
def test_small_picture_keeps_what_is_above_a_strip(size, turn, config, label) -> None:
    """In coarse tables and colours of half the size: each of its blocks under the strip's edge would be blurred."""
    exif = Image.Exif()
    exif[274] = turn
    image = picture(size=size)
    data = jpeg_files.jpeg(image, quality=20, subsampling=2, exif=exif.tobytes())
    result = mark(data, None, label, config=config, when_too_small="strip")
    (placement,) = result.report.marker.notice.placements
    assert placement["design"] == "strip/1"
    assert fidelity.losses(data, result.data, placement) == []


def test_turned_picture_that_a_strip_would_blur_is_refused(config, label) -> None:
    exif = Image.Exif()
    exif[274] = 3
    image = picture(size=(15, 15))
    data = jpeg_files.jpeg(image, quality=20, subsampling=2, exif=exif.tobytes())
    with pytest.raises(Refused, match="blur") as refusal:
        mark(data, None, label, config=config, when_too_small="strip")
    assert refusal.value.code == "content-changed"


def test_blocks_above_a_strip_are_the_same_numbers(config, label) -> None:
    data = jpeg_files.jpeg(picture(size=(31, 32)), quality=60, subsampling=2, progressive=True)
    result = mark(data, None, label, config=config, when_too_small="strip")
    was, now = (coefficients.read(*parts(one)) for one in (data, result.data))
    assert (was.size, now.size[0]) == ((31, 32), 31)
    assert layers(result.data) == layers(data)
    for old, new in zip(was.components, now.components, strict=True):
        assert np.array_equal(new.blocks[: old.rows], old.blocks)


def test_tables_that_are_too_coarse_become_fine(config, label) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (35, 30), np.uint8)
    data = jpeg_files.jpeg(Image.fromarray(noise), quality=10)
    result = mark(data, None, label, config=config, when_too_small="strip")
    with Image.open(io.BytesIO(result.data)) as image:
        assert set(image.quantization[0]) == {1}
    (placement,) = result.report.marker.notice.placements
    assert fidelity.losses(data, result.data, placement) == []


@pytest.mark.parametrize("size", [(1, 1), (217, 331)])
def test_steps_of_zero_become_one(size, config, label) -> None:
    """The picture is grey whatever its coefficients say, and so would a notice be."""
    data = jpeg_files.jpeg(Image.new("L", size, 128))
    at = data.index(b"\xff\xdb\0\x43\0") + 5
    result = mark(
        data[:at] + bytes(64) + data[at + 64 :], None, label, config=config, when_too_small="strip"
    )
    assert result.report.verdict is Verdict.LABELLED
    with Image.open(io.BytesIO(result.data)) as image:
        assert set(image.quantization[0]) == {1}


def test_restart_intervals_are_kept(config, label) -> None:
    for factors in (SAMPLINGS["4:4:0"], [(2, 2), (1, 1), (1, 1)]):
        data = jpeg_files.sampled(planes(), factors, restart_marker_blocks=5)
        out = marked(data, config, label)
        assert Jpeg.parse(out, NO_LIMITS, thorough=False).header[-1].code  # it parses
        assert b"\xff\xdd\x00\x04\x00\x05" in out


@pytest.mark.parametrize(
    ("code", "precision", "words"),
    [
        (0xC3, 8, "without loss"),
        (0xCB, 8, "without loss"),
        (0xC1, 12, "12 bits"),
    ],
)
def test_other_kinds_of_coding_are_refused_by_name(
    code: int, precision: int, words: str, config, label
) -> None:
    data = bytearray(jpeg_files.jpeg(picture()))
    frame = data.index(b"\xff\xc0\x00\x11")
    data[frame + 1], data[frame + 4] = code, precision
    with pytest.raises(Refused, match=words) as refusal:
        mark(bytes(data), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert verify(bytes(data), config=config).verdict is Verdict.UNMARKED


# --- what stands beside the picture ------------------------------------------------------------------------------------

GAIN = jpeg_files.jpeg(picture("L", (120, 80)))


@pytest.mark.parametrize(("order", "at"), [("big", 0), ("big", 1), ("little", 2)])
def test_further_pictures_are_found_where_the_index_says(
    order: str, at: int, config, label
) -> None:
    """The marker comes before or behind the index, and both move what follows."""
    data = jpeg_files.with_pictures(
        jpeg_files.jpeg(picture()), GAIN, GAIN[::-1], order=order, at=at
    )
    out = marked(data, config, label)
    image = fidelity.decode(out)
    assert image is not None
    assert fidelity._further(image, out) == ([GAIN, GAIN[::-1]], b"\xff\xd9")
    assert out.endswith(GAIN + GAIN[::-1])
    again = mark(out, None, label, config=config, on_existing="update").data
    assert again is not None
    assert fidelity.losses(out, again, {"x": 0, "y": 0, "width": 1, "height": 0.3}) == []
    bare = mark(data, None, label, config=config, notice="none", notice_reason="test").data
    assert bare is not None
    image = fidelity.decode(bare)
    assert image is not None
    assert fidelity._further(image, bare)[0] == [GAIN, GAIN[::-1]]


def test_an_index_that_was_wrong_before_does_no_harm(config, label) -> None:
    data = jpeg_files.with_pictures(jpeg_files.jpeg(picture()), GAIN)
    at = data.index(b"MPF\0") + 4 + 50 + 24  # the offset of the second picture
    for offset in (0x7FFFFFFF, 0xFFFFFFFF, 3):
        wrong = data[:at] + offset.to_bytes(4) + data[at + 4 :]
        result = mark(wrong, None, label, config=config)
        assert result.data is not None
        assert result.data.endswith(GAIN)


def test_odd_but_legal_layouts_stay_whole(config, label) -> None:
    """Bytes between segments, comments between scans, parts of XMP and boxes of others in APP11."""
    plain = jpeg_files.jpeg(picture(), progressive=True)
    header, rest = jpeg_files.segments(plain)
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + bytes(8) + b"<x/>"
    box = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumd" + b"json" + bytes(12)
    segment = jpeg_files.segment
    extra = [segment(0xE1, extended), segment(0xEB, box), segment(0xEB, b"HDR_RI ver=11")]
    second = rest.index(b"\xff\xc4", 20)  # the tables of the second pass
    rest = rest[:second] + segment(0xFE, b"between") + rest[second:]
    data = b"".join([b"\xff\xd8", header[0], *extra, b"stray", *header[1:], rest, b"behind"])
    out = mark(data, None, label, config=config).data
    assert out is not None
    for kept in (*extra, segment(0xFE, b"between")):
        assert out.count(kept) == 1
    assert out.endswith(b"\xff\xd9behind")
    assert b"stray" not in out


def test_second_xmp_packet_stays(config, label) -> None:
    name = b"http://ns.adobe.com/xap/1.0/\0"
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta>'
    both = [jpeg_files.segment(0xE1, name + packet + tail) for tail in (b"", b" ")]
    data = jpeg_files.with_segments(jpeg_files.jpeg(picture()), *both, at=1)
    result = mark(data, None, label, config=config)
    assert result.data is not None
    assert both[0] not in result.data
    assert both[1] in result.data


@pytest.mark.parametrize("count", [0, 2, 1 << 31])
def test_an_exif_tag_that_leads_to_no_camera(count, config, label) -> None:
    """Its values may be anywhere, or nowhere; the mirror gets a directory of its own."""
    exif = Image.Exif()
    exif[0x010E] = "x" * 20
    exif[0x8769] = {0x9003: "2026:11:26 10:00:00"}
    data = jpeg_files.jpeg(picture(size=(480, 360)), exif=exif)
    broken = bytearray(data)
    at = data.index(b"\x87\x69\x00\x04\x00\x00\x00\x01")
    broken[at + 4 : at + 8] = count.to_bytes(4)
    result = mark(bytes(broken), None, label, config=config)
    assert "exif" in {one.carrier for one in result.report.evidence.mirrors}
