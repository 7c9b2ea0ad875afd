"""AVIF and HEIC that move: the notice is on every picture, and what is not a picture stays as it was."""

from __future__ import annotations

import io
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from aikz_label import Label, Limits, Refused, Verdict, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.heif.container import Avif, Heic
from aikz_label.adapters.image.heif.tracks import read_tracks
from aikz_label.report import NoticeState
from support import encoded, picture, require_codecs, require_tool

SIZE = (320, 240)
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def frames(mode="RGB", count=5, size=SIZE):
    """Pictures that differ everywhere."""
    photo = picture(mode, (size[0] + 8 * count, size[1]))
    return [photo.crop((8 * n, 0, 8 * n + size[0], size[1])) for n in range(count)]


def avis(mode="RGB", count=5, **options):
    first, *others = frames(mode, count)
    buffer = io.BytesIO()
    how = {"duration": [100 + 50 * n for n in range(count)], "quality": 90, "speed": 10, **options}
    first.save(buffer, "AVIF", save_all=True, append_images=others, **how)
    return buffer.getvalue()


def hevc(*, depth=8, bframes=0, brand=b"hevc", matrix=None, sound=False):
    """A sequence without items, which is an MP4 by other brands; with reordering there are composition offsets."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", "mp4") as movie:
        stream = movie.add_stream("libx265", rate=10)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p10le" if depth == 10 else "yuv420p"
        stream.codec_tag = "hvc1"
        stream.options = {"x265-params": f"log-level=none:bframes={bframes}:keyint=4:crf=15"}
        other = movie.add_stream("aac", rate=8000) if sound else None
        for image in frames(count=9):
            movie.mux(stream.encode(av.VideoFrame.from_image(image)))
        movie.mux(stream.encode(None))
        if other is not None:
            beep = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
            beep.sample_rate, beep.time_base = 8000, Fraction(1, 8000)
            movie.mux(other.encode(beep))
            movie.mux(other.encode(None))
    data = buffer.getvalue()
    box = next(b for b in bmff.walk(data, 0, len(data), Limits()) if b.kind == b"ftyp")
    rest = data[box.stop :]
    brands = (brand + bytes(4) + b"msf1hevciso8").ljust(box.stop - 8, b"\0")
    whole = bmff.pack(b"ftyp", brands) + rest
    if matrix is not None:
        at = whole.index(b"tkhd") + 4 + 40
        whole = whole[:at] + b"".join(n.to_bytes(4, signed=True) for n in matrix) + whole[at + 36 :]
    return whole


def parse(data):
    kind = Heic if data[8:12] in {b"hevc", b"msf1"} else Avif
    return kind.parse(data, Limits(), thorough=True)


def shown(data):
    """Every picture as FFmpeg or Pillow shows it, with its time."""
    if data[8:12] == b"avis":
        image = Image.open(io.BytesIO(data))
        found = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            found.append((image.info["timestamp"], image.info["duration"], image.copy()))
        return found
    with av.open(io.BytesIO(data)) as movie:
        return [(f.pts, f.duration, f.to_image()) for f in movie.decode(video=0)]


def psnr_outside(before, after, place):
    """In dB, outside a badge grown by two blocks."""
    area = np.ones((before.height, before.width), bool)
    left, top = (int(place[k] * n) - 32 for k, n in zip("xy", before.size, strict=True))
    right = int((place["x"] + place["width"]) * before.width) + 33
    bottom = int((place["y"] + place["height"]) * before.height) + 33
    area[max(0, top) : bottom, max(0, left) : right] = False
    first, second = (np.asarray(i.convert("RGB"), np.float64)[area] for i in (before, after))
    error = float(np.square(first - second).mean())
    return 10 * np.log10(255**2 / error) if error else np.inf


def check_same(source, result, label_config):
    assert result.report.verdict is Verdict.LABELLED
    before, after = shown(source), shown(result.data)
    assert [one[:2] for one in after] == [one[:2] for one in before]
    place = result.report.marker.notice.placements[-1]
    for (_, _, was), (_, _, now) in zip(before, after, strict=True):
        assert was.mode == now.mode
        assert psnr_outside(was, now, place) >= 40
    measured = verify(result.data, config=label_config, measure=True)
    assert measured.verdict is Verdict.LABELLED


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_every_picture_of_an_avif_sequence_is_marked(mode, label, config):
    source = avis(mode)
    result = mark(source, None, label, config=config)
    check_same(source, result, config)
    before, after = parse(source), parse(result.data)
    assert [t.sync for t in after.tracks][:1] == [t.sync for t in before.tracks][:1]
    assert [p["picture"] for p in result.report.marker.notice.placements] == [1, 2]


def test_how_often_it_is_repeated_stays(label, config):
    source = avis()
    edit = source.index(b"elst")
    result = mark(source, None, label, config=config)
    kept = result.data.index(b"elst")
    assert result.data[kept : kept + 36] == source[edit : edit + 36]


def test_sampling_and_depth_stay(label, config):
    for options in ({"subsampling": "4:4:4"}, {"subsampling": "4:2:2"}):
        source = avis(**options)
        result = mark(source, None, label, config=config)
        before, after = (parse(d).films[0].track.first(b"av1C")[2] for d in (source, result.data))
        assert before & 0x7C == after & 0x7C


@pytest.mark.parametrize("options", [{"bframes": 3}, {"depth": 10, "brand": b"msf1"}])
def test_every_picture_of_a_heic_sequence_is_marked(options, label, config):
    source = hevc(**options)
    result = mark(source, None, label, config=config)
    check_same(source, result, config)
    assert XMP_BOX in result.data
    assert verify(result.data, config=config).mirrors
    again = mark(result.data, None, label, config=config, on_existing="update")
    assert again.report.verdict is Verdict.LABELLED
    assert again.data.count(XMP_BOX) == 1


def test_a_turned_track_has_its_badge_upright(label, config):
    quarter = (0, 1 << 16, 0, -(1 << 16), 0, 0, SIZE[1] << 16, 0, 1 << 30)
    source = hevc(matrix=quarter)
    result = mark(source, None, label, config=config)
    assert parse(result.data).decode().orientation == 6
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_no_strip_comes_below_small_pictures_and_it_is_said_why(label, config):
    first, *others = frames(size=(20, 20))
    source = encoded(first, "AVIF", save_all=True, append_images=others)
    with pytest.raises(Refused, match="it is one of many that follow each other") as refusal:
        mark(source, None, label, config=config, when_too_small="strip")
    assert refusal.value.code == "not-perceptible"


def test_a_slanted_track_is_refused(label, config):
    slanted = (1 << 16, 1 << 15, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    with pytest.raises(Refused, match="turned by quarters"):
        mark(hevc(matrix=slanted), None, label, config=config)


def test_a_track_that_builds_on_a_picture_outside_is_refused(label, config):
    source = bytearray(hevc())
    track = parse(bytes(source)).tracks[0]
    at = track.samples[0][0]
    while source[at + 4] >> 1 & 63 >= 32:  # sets of parameters before the picture
        at += 4 + int.from_bytes(source[at : at + 4])
    source[at + 4] = 1 << 1  # a picture that is made from earlier ones
    with pytest.raises(Refused, match="outside it") as refusal:
        mark(bytes(source), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def test_other_tracks_stay_byte_for_byte(label, config):
    source = hevc(sound=True)
    result = mark(source, None, label, config=config)
    before, after = (
        next(t for t in parse(d).tracks if t.handler == b"soun") for d in (source, result.data)
    )
    assert list(before.data()) == list(after.data())
    assert before.times == after.times


def test_without_a_notice_no_picture_is_coded_again(label, config):
    for source in (avis("RGBA"), hevc()):
        result = mark(source, None, label, config=config, notice="none", notice_reason="beside it")
        before, after = parse(source).tracks, parse(result.data).tracks
        assert [list(t.data()) for t in before] == [list(t.data()) for t in after]


def test_a_sequence_of_ten_bits(label, config):
    codecs = require_codecs()
    samples = np.stack([np.asarray(image).astype(np.uint16) << 2 for image in frames(count=3)])
    source = bytes(codecs.avif_encode(samples, bitspersample=10, level=90, speed=10))
    assert parse(source).films
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    before, after = codecs.avif_decode(source), codecs.avif_decode(result.data)
    assert before.shape == after.shape
    assert before.dtype == after.dtype
    corner = (slice(None), slice(140, None))
    error = np.square(before[corner].astype(float) - after[corner]).mean()
    assert 10 * np.log10(1023**2 / error) >= 40


def test_avifdec_reads_all_of_it(tmp_path, label, config):
    program = require_tool("avifdec")
    target = tmp_path / "a.avif"
    mark(avis("RGBA"), target, label, config=config)
    done = subprocess.run(
        [program, "--info", target], capture_output=True, text=True, timeout=60, check=True
    )
    assert "5 expected frames" in done.stdout
    assert done.stdout.count("Decoded frame") == 5


def test_a_picture_that_lost_its_badge_fails(label, config, monkeypatch):
    """One frame of all is not marked: measuring says so."""
    from aikz_label.adapters.image.heif import moving

    paint = moving.MovingPicture._pictures

    def skipping(self):
        for number, planes in enumerate(paint(self)):
            if number == 3 and self._mask is not None:
                planes.planes[0][:] = 128
            yield planes

    monkeypatch.setattr(moving.MovingPicture, "_pictures", skipping)
    with pytest.raises(Refused):
        mark(avis(), None, label, config=config)


def test_a_hostile_table_never_raises(config):
    source = avis(count=3)
    start, stop = source.index(b"moov"), source.index(b"mdat")
    for at in range(start, stop, 17):
        for value in (0, 0x7F, 0xFF):
            data = source[:at] + bytes([value]) + source[at + 1 :]
            report = verify(data, config=config)
            assert report.verdict in {Verdict.UNMARKED, Verdict.UNREADABLE}


@pytest.mark.parametrize("source", [avis(count=3), hevc()], ids=["avif", "heic"])
def test_a_notice_that_nobody_recorded_is_found(source, label, config):
    stripped = parse(mark(source, None, label, config=config).data).with_tags(Tags())
    report = verify(stripped, config=config, measure=True)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.notice_state in {NoticeState.PERCEIVABLE, NoticeState.NOT_PERCEIVABLE}


def test_a_track_without_pictures(label, config):
    data = bytearray(hevc())
    at = data.index(b"stsz") + 12
    data[at : at + 4] = bytes(4)
    report = verify(bytes(data), config=config, measure=True)
    assert report.verdict in {Verdict.UNMARKED, Verdict.UNREADABLE}
    with pytest.raises(Refused, match="no pictures"):
        mark(bytes(data), None, label, config=config)


def test_more_pictures_than_the_limit():
    few = Limits(max_shown=3 * SIZE[0] * SIZE[1])
    file = Avif.parse(avis(), few, thorough=True)
    with pytest.raises(MediaProblem) as problem:
        file.check_variant()
    assert problem.value.message.code == "unreadable.over-limit"


def test_samples_beyond_the_file_are_damage():
    data = avis()
    at = data.index(b"stco") + 12
    with pytest.raises(MediaProblem):
        parse(data[:at] + b"\xff\xff\xff\0" + data[at + 4 :])


def test_tracks_are_read_as_they_are():
    data = hevc(bframes=3)
    boxes = bmff.walk(data, 0, len(data), Limits())
    (track,) = read_tracks(data, next(b for b in boxes if b.kind == b"moov"), Limits())
    assert len(track.samples) == 9
    starts = [start for start, _ in track.times]
    assert starts != sorted(starts)


def test_a_sequence_is_declared_like_a_picture(config):
    label = Label(origin="altered", system="Other/2", imitates=("event",))
    result = mark(avis(count=2), None, label, config=config)
    assert result.report.declared.origin == "altered"
