"""JPEG XL: the notice is a layer, the picture below stays bit by bit; containers, metadata, animations, damage.

The files are written by cjxl and decoded by djxl, an older version of the library than the one the package decodes with.
"""

from __future__ import annotations

import io
import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from aikz_label import Label, Limits, Refused, Verdict, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.jxl import header as headers
from aikz_label.adapters.image.jxl.container import Jxl
from aikz_label.adapters.image.jxl.frames import read_frames
from aikz_label.adapters.image.jxl.header import Depth, Header, frames_start
from aikz_label.adapters.image.jxl.layer import palette
from aikz_label.errors import MissingDependency
from support import encoded, picture, require_codecs, require_tool

ENTRIES = (b"Exif", b"xml ")


def cjxl(folder, source, *options, suffix="png"):
    path, target = folder / f"in.{suffix}", folder / "in.jxl"
    path.write_bytes(source)
    command = [require_tool("cjxl"), *options, str(path), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target.read_bytes()


def djxl(folder, data, suffix="png", *options):
    path, target = folder / "out.jxl", folder / f"out.{suffix}"
    path.write_bytes(data)
    command = [require_tool("djxl"), *options, str(path), str(target)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return target.read_bytes()


def samples(folder, data, suffix="ppm"):
    """Rows × columns × channels, at full depth, from the simplest formats."""
    raw = djxl(folder, data, suffix)
    if suffix == "pfm":
        kind, size, _, rest = raw.split(b"\n", 3)
        width, height = map(int, size.split())
        values = np.frombuffer(rest, "<f4").reshape(height, width, 3 if kind == b"PF" else 1)
        return values[::-1]
    if suffix == "pam":
        head, _, rest = raw.partition(b"ENDHDR\n")
        fields = dict(line.split(b" ", 1) for line in head.splitlines()[1:])
        shape = tuple(int(fields[name]) for name in (b"HEIGHT", b"WIDTH", b"DEPTH"))
        kind = ">u2" if int(fields[b"MAXVAL"]) > 255 else np.uint8
        return np.frombuffer(rest, kind).reshape(shape)
    kind, size, most, rest = raw.split(b"\n", 3)
    width, height = map(int, size.split())
    values = np.frombuffer(rest, ">u2" if int(most) > 255 else np.uint8)
    return values.reshape(height, width, -1)


def without_badge(values, result):
    """The samples with the badge and its rim set to nothing."""
    values, place = values.copy(), result.report.marker.notice.placements[0]
    height, width = values.shape[:2]
    left, top = int(place["x"] * width) - 17, int(place["y"] * height) - 17
    right = int((place["x"] + place["width"]) * width) + 18
    bottom = int((place["y"] + place["height"]) * height) + 18
    values[max(0, top) : bottom, max(0, left) : right] = 0
    return values


def parse(data):
    return Jxl.parse(data, Limits(), thorough=True)


def deep(size=(320, 240), channels=3):
    """A 16-bit PNG: a ramp that uses every bit."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    values = np.stack([(rows * 257 + columns * 61 * (c + 1)) % 65536 for c in range(channels)], 2)
    return f"P6\n{size[0]} {size[1]}\n65535\n".encode() + values.astype(">u2").tobytes()


def floats(size=(320, 240)):
    rows, columns = np.mgrid[: size[1], : size[0]]
    values = np.stack([rows / size[1], columns / size[0], (rows + columns) / sum(size)], 2)
    return f"PF\n{size[0]} {size[1]}\n-1.0\n".encode() + values.astype("<f4").tobytes()


PNG = encoded(picture("RGB", (640, 480)), "PNG")
LOSSLESS, LOSSY = ("-d", "0"), ("-d", "1")
WAYS = {
    "lossless": (PNG, "png", LOSSLESS, "ppm"),
    "lossy": (PNG, "png", LOSSY, "ppm"),
    "grey": (encoded(picture("L", (640, 480)), "PNG"), "png", LOSSLESS, "pgm"),
    "lossy grey": (encoded(picture("L", (640, 480)), "PNG"), "png", LOSSY, "pgm"),
    "opacity": (encoded(picture("RGBA", (640, 480)), "PNG"), "png", LOSSLESS, "pam"),
    "lossy opacity": (encoded(picture("RGBA", (640, 480)), "PNG"), "png", LOSSY, "pam"),
    "16 bits": (deep(), "ppm", LOSSLESS, "ppm"),
    "16 bits lossy": (deep(), "ppm", LOSSY, "ppm"),
    "floats": (floats(), "pfm", LOSSLESS, "pfm"),
    "progressive": (PNG, "png", (*LOSSY, "-p"), "ppm"),
    "centre first": (PNG, "png", (*LOSSY, "--group_order=1"), "ppm"),
    "lossy by rows": (PNG, "png", (*LOSSY, "-m", "1"), "ppm"),
    "half size": (PNG, "png", ("-d", "24"), "ppm"),
    "fast": (PNG, "png", (*LOSSY, "-e", "1"), "ppm"),
    "container": (PNG, "png", (*LOSSY, "--container=1"), "ppm"),
    "small": (encoded(picture("RGB", (64, 64)), "PNG"), "png", LOSSLESS, "ppm"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_picture_below_the_layer_stays_bit_by_bit(way, tmp_path, label, config):
    source, suffix, options, out = WAYS[way]
    file = cjxl(tmp_path, source, *options, suffix=suffix)
    result = mark(file, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    before, after = samples(tmp_path, file, out), samples(tmp_path, result.data, out)
    assert before.dtype == after.dtype
    assert np.array_equal(without_badge(before, result), without_badge(after, result))
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    was, now = parse(file).header, parse(result.data).header
    assert (was.depth, was.xyb, was.channels) == (now.depth, now.xyb, now.channels)
    assert len(result.data) - len(file) < 30_000


@pytest.mark.parametrize(("sensitivity", "most"), [(3200, 3), (100_000, 12)])
def test_noise_that_a_decoder_makes_up_is_another_one(sensitivity, most, tmp_path, label, config):
    """It is not in the file: its seed counts the frames that were shown before. From afar the picture is the same."""
    file = cjxl(tmp_path, PNG, *LOSSY, f"--photon_noise=ISO{sensitivity}")
    result = mark(file, None, label, config=config)
    before, after = (samples(tmp_path, data).astype(float) for data in (file, result.data))
    delta = without_badge(before, result) - without_badge(after, result)
    assert 0 < np.abs(delta).mean() < most
    assert abs(delta.mean()) < 0.05


def test_another_picture_below_noise_is_noticed(tmp_path):
    """Evening out noise hides no change of what is below it."""
    options = (*LOSSY, "--photon_noise=ISO3200")
    file = parse(cjxl(tmp_path, PNG, *options))
    with Image.open(io.BytesIO(PNG)) as image:
        image.paste("red", (300, 200, 340, 240))
        other = parse(cjxl(tmp_path, encoded(image, "PNG"), *options))
    same, changed = file.decode(), other.decode()
    assert same.difference(file.decode(), None) == math.inf
    assert same.difference(changed, None) < file.least_psnr
    assert same.difference(changed, (296, 196, 48, 48)) > file.least_psnr


def test_hdr_ink_is_diffuse_white(tmp_path, label, config):
    for space, most in (("RGB_D65_202_Rel_PeQ", 0.62), ("RGB_D65_202_Rel_HLG", 0.8)):
        for options in (LOSSLESS, LOSSY):
            file = cjxl(tmp_path, deep(), *options, "-x", f"color_space={space}", suffix="ppm")
            assert parse(file).header.transfer in {"pq", "hlg"}
            result = mark(file, None, label, config=config)
            assert result.report.verdict is Verdict.LABELLED
            place = result.report.marker.notice.placements[0]
            luma = samples(tmp_path, result.data)[..., 0]
            left, top = int(place["x"] * 320), int(place["y"] * 240)
            right, bottom = left + int(place["width"] * 320), top + int(place["height"] * 240)
            assert 0.5 < luma[top:bottom, left:right].max() / 65535 < most, (space, options)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_badge_stands_upright_in_the_displayed_corner(orientation, tmp_path, label, config):
    tags = Image.Exif()
    tags[274] = orientation
    source = encoded(picture("RGB", (480, 300)), "JPEG", exif=tags.tobytes())
    file = cjxl(tmp_path, source, "-d", "1", "-j", "0", suffix="jpg")
    assert parse(file).header.orientation == orientation
    result = mark(file, None, label, config=config)
    place = result.report.marker.notice.placements[0]
    shown = Image.open(io.BytesIO(djxl(tmp_path, result.data))).convert("L")
    assert place["x"] + place["width"] > 0.9
    box = [int(place[k] * s) for k, s in zip(("x", "y", "width", "height"), shown.size * 2, strict=True)]  # fmt: skip
    badge = shown.crop((box[0], box[1], box[0] + box[2], box[1] + box[3]))
    assert badge.getextrema()[0] <= 2
    assert badge.getextrema()[1] >= 250


def test_a_bare_codestream_gets_a_container_and_that_is_said(tmp_path, label, config):
    file = cjxl(tmp_path, PNG, *LOSSY, "--container=0")
    assert file[:2] == headers.SIGNATURE
    result = mark(file, None, label, config=config)
    assert any("container" in warning for warning in result.warnings)
    assert result.data[4:8] == b"JXL "


def test_metadata_stay_and_compressed_ones_are_read(tmp_path, label, config):
    tags = Image.Exif()
    tags[271] = "Camera"
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="here"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    plain = cjxl(tmp_path, PNG, *LOSSY)
    stream = plain if plain[:2] == headers.SIGNATURE else parse(plain)._codestream()
    codec = require_codecs()
    exif = bytes(4) + tags.tobytes().removeprefix(b"Exif\0\0")
    for squeezed in (False, True):
        boxes = [(b"Exif", exif), (b"xml ", xmp)]
        if squeezed:
            boxes = [(b"brob", kind + codec.brotli_encode(data)) for kind, data in boxes]
        first = bmff.pack(b"JXL ", b"\r\n\x87\n") + bmff.pack(b"ftyp", b"jxl \0\0\0\0jxl ")
        file = first + b"".join(bmff.pack(*box) for box in boxes) + bmff.pack(b"jxlc", stream)
        assert parse(file).exif == exif[4:]
        assert parse(file).xmp == xmp
        result = mark(file, None, label, config=config)
        found = parse(result.data)
        assert b'dc:source="here"' in found.xmp
        assert found.exif.startswith(b"MM")
        assert b"Camera" in found.exif
        kinds = [box.kind for box in found.boxes]
        assert kinds.count(b"xml ") == 1


def test_what_restores_a_jpeg_is_left_out_and_that_is_said(tmp_path, label, config):
    file = cjxl(tmp_path, encoded(picture(), "JPEG"), suffix="jpg")
    assert b"jbrd" in [box.kind for box in parse(file).boxes]
    result = mark(file, None, label, config=config)
    assert b"jbrd" not in [box.kind for box in parse(result.data).boxes]
    assert any("JPEG" in warning for warning in result.warnings)
    kept = mark(file, None, label, config=config, notice="none", notice_reason="shown beside it")
    assert b"jbrd" in [box.kind for box in parse(kept.data).boxes]


def test_parts_of_a_codestream_are_put_together(tmp_path, label, config):
    file = cjxl(tmp_path, PNG, *LOSSLESS, "--container=0")
    first = bmff.pack(b"JXL ", b"\r\n\x87\n") + bmff.pack(b"ftyp", b"jxl \0\0\0\0jxl ")
    cut = len(file) // 3
    pieces = [file[:cut], file[cut : 2 * cut], file[2 * cut :]]
    parts = [
        bmff.pack(b"jxlp", (index | (index == 2) << 31).to_bytes(4), piece)
        for index, piece in enumerate(pieces)
    ]
    result = mark(first + b"".join(parts), None, label, config=config)
    before, after = samples(tmp_path, file), samples(tmp_path, result.data)
    assert np.array_equal(without_badge(before, result), without_badge(after, result))


def animation(folder, *options, count=5):
    frames = [picture("RGB", (160, 120)).rotate(10 * index) for index in range(count)]
    source = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=70)
    return cjxl(folder, source, *options, suffix="apng")


@pytest.mark.parametrize("options", [LOSSLESS, LOSSY])
def test_every_frame_of_an_animation_gets_the_badge(options, tmp_path, label, config):
    codec = require_codecs()
    file = animation(tmp_path, *options)
    result = mark(file, None, label, config=config)
    before = codec.jpegxl_decode(parse(file)._codestream())
    after = codec.jpegxl_decode(parse(result.data)._codestream())
    assert before.shape == after.shape
    assert len(after) == 5
    for was, now in zip(before, after, strict=True):
        delta = without_badge(was, result).astype(int) - without_badge(now, result)
        assert abs(delta).max() <= 1
        difference = (was != now).any(axis=2)
        assert difference.any()
    durations = [[f.duration for f in frames_of(data) if f.shown] for data in (file, result.data)]
    assert durations[0] == durations[1]


def frames_of(data):
    found = parse(data)
    stream = found._codestream()
    return read_frames(stream, frames_start(stream, found.header), found.header, Limits())


def test_a_large_badge_takes_several_layers(tmp_path, label, config):
    flat = encoded(Image.new("RGB", (5200, 5000), (90, 140, 200)), "PNG")
    file = cjxl(tmp_path, flat, "-d", "0", "-e", "1")
    result = mark(file, None, label, config=config)
    assert len(frames_of(result.data)) > 2
    before, after = samples(tmp_path, file), samples(tmp_path, result.data)
    assert np.array_equal(without_badge(before, result), without_badge(after, result))


def test_marking_again_covers_the_old_badge(tmp_path, label, config):
    file = cjxl(tmp_path, PNG, *LOSSY)
    once = mark(file, None, label, config=config)
    for how in ("update", "replace"):
        again = mark(once.data, None, label, config=config, on_existing=how)
        assert again.report.verdict is Verdict.LABELLED
        assert len(frames_of(again.data)) == 3


def test_samples_of_every_kind():
    header = Header((8, 8), depth=Depth(32, 8), xyb=False)
    white = palette(header)[0]
    assert np.array([white[0], white[255], white[51]], np.uint32).view(np.float32).tolist() == (
        pytest.approx([0.0, 1.0, 0.2])
    )
    half = palette(Header((8, 8), depth=Depth(16, 5), xyb=False, grey=True))
    assert len(half) == 1
    assert np.array(half[0], np.uint16).view(np.float16)[[0, 255]].tolist() == [0.0, 1.0]
    ink = headers.Channel(headers.Extra.BLACK, Depth(), 0)
    cmyk = palette(Header((8, 8), channels=(ink,), xyb=False))
    assert [channel[255] for channel in cmyk] == [255] * 4
    assert [channel[0] for channel in cmyk] == [255, 255, 255, 0]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_a_cut_file_is_unreadable(share, tmp_path, label, config):
    small = encoded(picture("RGB", (160, 120)), "PNG")
    for options in ("--container=0", "--container=1"):
        file = cjxl(tmp_path, small, *LOSSY, options)
        piece = file[: int(len(file) * share)]
        assert verify(piece, config=config).verdict is Verdict.UNREADABLE
        with pytest.raises(Refused):
            mark(piece, None, label, config=config)


def test_hostile_headers_never_raise(tmp_path):
    file = cjxl(tmp_path, encoded(picture("RGB", (96, 96)), "PNG"), *LOSSY, "--container=0")
    profile = cjxl(tmp_path, encoded(picture(size=(96, 96)), "JPEG", icc_profile=_profile()), suffix="jpg")  # fmt: skip
    for data in (file, parse(profile)._codestream()):
        for position in range(2, min(len(data), 250), 2):
            for bit in (1, 32):
                hostile = bytearray(data)
                hostile[position] ^= bit
                try:
                    found = Jxl.parse(bytes(hostile), Limits(max_parts=50), thorough=True)
                except MediaProblem:
                    continue
                assert found.size[0] > 0


def _profile():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_bombs_are_stopped():
    large = headers.SIGNATURE + _bits((0, 1), (3, 2), (99_999, 30), (1, 3)) + bytes(40)
    with pytest.raises(MediaProblem, match="over-limit"):
        Jxl.parse(large, Limits(), thorough=False)
    codec = require_codecs()
    bomb = b"xml " + codec.brotli_encode(bytes(50_000_000))
    small = headers.SIGNATURE + b"\x01\x02\x03\x04" + bytes(60)
    first = bmff.pack(b"JXL ", b"\r\n\x87\n") + bmff.pack(b"jxlc", small)
    assert Jxl.parse(first + bmff.pack(b"brob", bomb), Limits(), thorough=False).xmp is None


def _bits(*fields):
    value = size = 0
    for number, count in fields:
        value |= number << size
        size += count
    return value.to_bytes(-(-size // 8), "little")


def test_without_the_library_it_is_recognised(tmp_path, monkeypatch, label, config):
    file = cjxl(tmp_path, PNG, *LOSSY)
    labelled = mark(file, None, label, config=config).data
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(MissingDependency) as error:
        mark(file, None, label, config=config)
    assert "aikz-label[jxl]" in error.value.hint
    assert verify(file, config=config).verdict is Verdict.UNMARKED
    assert verify(labelled, config=config).verdict is Verdict.LABELLED
    measured = verify(labelled, config=config, measure=True)
    assert (measured.verdict, measured.reason.code) == (Verdict.INCOMPLETE, "notice.unknown")


def test_the_label_may_be_another(tmp_path, config):
    file = cjxl(tmp_path, PNG, *LOSSY)
    result = mark(file, None, Label(origin="altered", system="Edit/1"), config=config)
    assert result.report.declared.origin == "altered"


# --- strips ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "mode", "size"),
    [
        (["-q", "80"], "RGB", (16, 16)),
        (["-d", "0"], "RGBA", (24, 20)),
        (["-q", "90", "-p", "--container=1"], "L", (1000, 17)),
    ],
)
def test_a_strip_makes_the_picture_higher_and_changes_no_sample(
    options, mode, size, tmp_path, label, config
):
    image = picture(mode, size)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(size))
    source = cjxl(tmp_path, encoded(image, "png"), *options)
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert result.report.marker.notice.kind == "strip"
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    suffix = {"RGB": "ppm", "RGBA": "pam", "L": "pgm"}[mode]
    before, after = (samples(tmp_path, data, suffix) for data in (source, result.data))
    assert after.shape[0] > before.shape[0]
    assert (after[: before.shape[0]] == before).all()
    again = mark(result.data, None, label, config=config, on_existing="update")
    assert samples(tmp_path, again.data, suffix).shape == after.shape


@pytest.mark.parametrize("orientation", [2, 6])
def test_a_strip_is_below_as_people_see_it(orientation, tmp_path, label, config):
    tags = Image.Exif()
    tags[274] = orientation
    source = cjxl(
        tmp_path,
        encoded(picture("RGB", (20, 17)), "jpeg", exif=tags.tobytes()),
        "-j",
        "1",
        suffix="jpg",
    )
    assert Jxl.parse(source, Limits(), thorough=True).header.orientation == orientation
    result = mark(source, None, label, config=config, when_too_small="strip")
    before, after = (samples(tmp_path, data) for data in (source, result.data))  # turned by djxl
    assert (after[: before.shape[0]] == before).all()
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_a_strip_wider_than_the_picture_is_black_beside_it(tmp_path, label, config):
    image = picture("RGB", (8, 9))
    image.putalpha(Image.linear_gradient("L").resize((8, 9)))
    source = cjxl(tmp_path, encoded(image, "png"), "-d", "0")
    result = mark(source, None, label, config=config, when_too_small="strip")
    before, after = (samples(tmp_path, data, "pam") for data in (source, result.data))
    assert (after[:9, :8] == before).all()
    assert (after[:9, 8:] == (0, 0, 0, 255)).all()
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_what_is_made_of_several_frames_gets_no_strip(tmp_path, label, config):
    source = cjxl(tmp_path, encoded(picture("RGB", (20, 20)), "png"), "-q", "30", "-e", "9")
    assert len(frames_of(source)) > 1
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config, when_too_small="strip")
    assert refusal.value.code == "not-perceptible"


def odd_grey_profile():
    """A colour profile of grey with a curve that is nobody's (ICC.1, version 2)."""
    entries = {
        b"desc": b"desc" + bytes(4) + (4).to_bytes(4) + b"odd\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + b"".join(n.to_bytes(4) for n in (0xF6D6, 0x10000, 0xD32D)),
        b"kTRC": b"curv" + bytes(4) + (3).to_bytes(4) + b"".join(n.to_bytes(2) for n in (0, 9999, 65535)),
    }  # fmt: skip
    at, table, data = 128 + 4 + 12 * len(entries), b"", b""
    for name, unpadded in entries.items():
        body = unpadded + bytes(-len(unpadded) % 4)
        table += name + (at + len(data)).to_bytes(4) + len(body).to_bytes(4)
        data += body
    head = bytearray(128)
    head[:4] = (at + len(data)).to_bytes(4)
    head[8:12], head[12:24], head[36:40] = bytes((2, 0x40, 0, 0)), b"mntrGRAYXYZ ", b"acsp"
    head[68:80] = b"".join(n.to_bytes(4) for n in (0xF6D6, 0x10000, 0xD32D))
    return bytes(head) + len(entries).to_bytes(4) + table + data


def test_a_profile_over_which_no_layer_can_lie_is_refused_by_name(tmp_path, label, config):
    """Lossy colours are laid over each other in the space of their profile, which decoders must know for it."""
    image = encoded(picture("L", (300, 200)), "png", icc_profile=odd_grey_profile())
    source = cjxl(tmp_path, image, "-q", "80")
    header = Jxl.parse(source, Limits(), thorough=True).header
    assert header.xyb
    assert header.profile
    with pytest.raises(Refused, match="profile of this kind") as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    exact = cjxl(tmp_path, image, "-d", "0")
    assert mark(exact, None, label, config=config).report.verdict is Verdict.LABELLED
