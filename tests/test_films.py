"""Films through `mark`: what is coded anew and what stays, in every codec, depth, sampling and container."""

from __future__ import annotations

import io
import math
import tempfile
import tracemalloc
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import video_files
from aikz_label import Label, Limits, Refused, identity, mark, verify
from aikz_label.adapters.video import comparing, riff, splice
from aikz_label.config import Config, load_config
from aikz_label.label import Responsible, Role, System
from aikz_label.report import Verdict

LABEL = Label(origin="created", system=System("Films", "1"))
QUIET = {"x265-params": "log-level=error"}
HDR = (
    "log-level=error:hdr10=1:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)
# container, encoder, and what is unusual about it
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "baseline": ("mp4", "libx264", {"options": {"profile": "baseline"}}),
    "4:2:2": ("mp4", "libx264", {"pix_fmt": "yuv422p"}),
    "4:4:4": ("mkv", "libx264", {"pix_fmt": "yuv444p"}),
    "10 bit": ("mp4", "libx264", {"pix_fmt": "yuv422p10le"}),
    "grey": ("mp4", "libx264", {"pix_fmt": "gray"}),
    "full range": ("mp4", "libx264", {"pix_fmt": "yuvj420p"}),
    "odd size": ("mov", "libx264", {"size": (242, 134)}),
    "interlaced": ("mp4", "libx264", {"options": {"flags": "+ildct+ilme"}}),
    "open groups": ("mp4", "libx264", {"options": {"x264-params": "open-gop=1:keyint=8"}}),
    "uneven times": ("mp4", "libx264", {"times": {n: n * n for n in range(12)}}),
    "one frame": ("mp4", "libx264", {"frames": 1}),
    "tables first": ("mp4", "libx264", {"muxer": {"movflags": "faststart"}, "audio": "aac"}),
    "turned": ("mp4", "libx264", {"turn": 90}),
    "wide pixels": ("mp4", "libx264", {"sample_aspect_ratio": Fraction(4, 3)}),
    "fragments": (
        "mp4",
        "libx264",
        {"muxer": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}, "audio": "aac"},
    ),
    "fragments with an index": (
        "mp4",
        "libx264",
        {"muxer": {"movflags": "frag_keyframe+delay_moov+dash"}, "audio": "aac"},
    ),
    "HEVC": ("mp4", "libx265", {"options": QUIET}),
    "HDR10": (
        "mp4",
        "libx265",
        {
            "pix_fmt": "yuv420p10le",
            "color_trc": 16,
            "color_primaries": 9,
            "colorspace": 9,
            "options": {"x265-params": HDR},
        },
    ),
    "HLG": (
        "mkv",
        "libx265",
        {"pix_fmt": "yuv420p10le", "color_trc": 18, "color_primaries": 9, "options": QUIET},
    ),
    "12 bit": ("mkv", "libx265", {"pix_fmt": "yuv420p12le", "options": QUIET}),
    "AV1": ("mp4", "libsvtav1", {"options": {"preset": "12"}}),
    "AV1 in WebM": ("webm", "libsvtav1", {"options": {"preset": "12"}}),
    "VP9": ("webm", "libvpx-vp9", {"audio": "libopus", "options": {"cpu-used": "8"}}),
    "MPEG-4": ("3gp", "mpeg4", {}),
    "H.263": ("3gp", "h263", {"size": (352, 288)}),
    "MPEG-2": ("mkv", "mpeg2video", {"audio": "aac"}),
    "Motion JPEG": ("mov", "mjpeg", {"pix_fmt": "yuvj422p"}),
    "ProRes": ("mov", "prores_ks", {"pix_fmt": "yuv422p10le"}),
    "ProRes without heads": ("mkv", "prores_ks", {"pix_fmt": "yuv422p10le"}),
    "lossless": ("mkv", "ffv1", {}),
    "H.264 in AVI": ("avi", "libx264", {}),
    "B frames in AVI": ("avi", "mpeg4", {"options": {"bf": "2"}, "audio": "libmp3lame"}),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("films")
    party = Responsible(name="Films", role=Role.HOLDER, registration="HRB 1", country="DE")
    identity.create(folder, party)
    return load_config(folder / "aikz-label.toml")


@cache
def _sample(name: str) -> bytes:
    kind, codec, unusual = KINDS[name]
    options = {"size": (240, 136), "frames": 12, **unusual}
    return video_files.film({"mkv": "matroska"}.get(kind, kind), codec, **options)


def _look(data: bytes) -> dict[str, Any]:
    """What must stay: everything but the pixels under the badge."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        first = next(container.decode(stream))
        found = {
            "size": (stream.width, stream.height),
            "codec": stream.codec_context.name,
            "format": first.format.name,
            "colours": (
                int(first.color_trc),
                int(first.color_primaries),
                int(first.colorspace),
                int(first.color_range),
            ),
            "shape": stream.sample_aspect_ratio or Fraction(1),
            "interlaced": first.interlaced_frame,
            "turned": first.rotation,
            "light": sorted(
                (side.type.name, bytes(side))
                for side in first.side_data
                if side.type.name in {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
            ),
            "rate": stream.average_rate,
        }
    with av.open(io.BytesIO(data)) as container:
        times = {stream.index: [] for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                moving = packet.stream.type == "video"
                times[packet.stream_index].append(
                    packet.pts if moving else (packet.pts, bytes(packet))
                )
    return found | {"times": {index: sorted(map(str, these)) for index, these in times.items()}}


def _frames(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as container:
        return [f.to_ndarray(format="gray16le") for f in container.decode(video=0)]


@pytest.mark.parametrize("name", KINDS)
def test_everything_else_stays(own: Config, name: str) -> None:
    source = _sample(name)
    result = mark(source, None, LABEL, config=own)
    assert result.data is not None
    assert result.report.verdict is Verdict.LABELLED
    before, after = _look(source), _look(result.data)
    assert after == before
    place = result.report.marker.notice.placements[0]
    assert place["start"] == 0.0
    one, two = _frames(source), _frames(result.data)
    assert len(one) == len(two)
    for first, second in zip(one, two, strict=True):
        assert _psnr(first, second, place, turned=name == "turned") > 30


def _psnr(one: np.ndarray, two: np.ndarray, place: Any, *, turned: bool) -> float:
    """Outside the box of the badge, and a little more."""
    if turned:
        one, two = np.rot90(one), np.rot90(two)
    squares = (one.astype(np.float64) - two) ** 2
    height, width = squares.shape
    top, left = int(place["y"] * height) - 4, int(place["x"] * width) - 4
    bottom = int((place["y"] + place["height"]) * height) + 5
    right = int((place["x"] + place["width"]) * width) + 5
    squares[max(0, top) : bottom, max(0, left) : right] = 0
    mean = squares.mean()
    return 10 * math.log10(65535**2 / mean) if mean else math.inf


def test_badge_is_inside_the_safe_area(own: Config) -> None:
    for size, top in (((320, 180), 0.05), ((180, 320), 0.14)):
        source = video_files.film(size=size, frames=3)
        report = mark(source, None, LABEL, config=own).report
        place = report.marker.notice.placements[0]
        assert place["y"] >= top - 0.01
        assert place["x"] + place["width"] <= 0.951


REFUSED = {
    "no picture": (lambda: video_files.sound("avi"), "no-video"),
    "too small": (lambda: video_files.film(size=(16, 16), frames=2), "not-perceptible"),
    "transparent": (
        lambda: video_files.film(
            "mov", "prores_ks", pix_fmt="yuva444p10le", frames=2, options={"profile": "4"}
        ),
        "unsupported-variant",
    ),
    "no encoder": (
        lambda: video_files.film("avi", "huffyuv", pix_fmt="yuv422p", frames=2),
        "unsupported-variant",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_a_reason(own: Config, name: str) -> None:
    make, code = REFUSED[name]
    with pytest.raises(Refused) as refusal:
        mark(make(), None, LABEL, config=own)
    assert refusal.value.code == code
    assert refusal.value.hint


@pytest.mark.parametrize("tag", [b"avc1", b"mp4v"])
def test_a_codec_that_nobody_knows_is_refused(own: Config, tag: bytes) -> None:
    source = video_files.film(frames=2).replace(b"avc1", tag[::-1])
    with pytest.raises(Refused):
        mark(source, None, LABEL, config=own)
    assert verify(source, config=own, measure=True).verdict is Verdict.UNMARKED


def test_too_many_pixels_are_over_the_limit(own: Config) -> None:
    with pytest.raises(Refused) as refusal:
        mark(video_files.film(frames=2), None, LABEL, config=own, caps=Limits(max_pixels=10_000))
    assert refusal.value.code == "over-limit"


def test_broken_frames_are_refused(own: Config) -> None:
    """A frame that gives no picture would be a frame without a notice."""
    source = bytearray(video_files.film(frames=10))
    at = source.index(b"mdat") + 3000
    source[at : at + 400] = bytes(400)
    with pytest.raises(Refused):
        mark(bytes(source), None, LABEL, config=own)


def test_a_frame_of_sound_that_reaches_far_beyond_the_file_is_damage(own: Config) -> None:
    fragments = {"movflags": "frag_keyframe+empty_moov"}
    source = bytearray(video_files.film(frames=4, audio="aac", muxer=fragments))
    run = source.rindex(b"trun") - 4
    assert int.from_bytes(source[run + 10 : run + 12]) & 0x200  # it tells the size of each frame
    stop = run + int.from_bytes(source[run : run + 4])
    source[stop - 4 : stop] = b"\xff\xff\xff\x7f"
    with pytest.raises(Refused) as caught:
        mark(bytes(source), None, LABEL, config=own)
    assert caught.value.code == "damaged"


def test_another_stream_that_changed_is_named(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter(range(2))
    monkeypatch.setattr(comparing, "_streams", lambda *_: next(seen))
    with pytest.raises(Refused, match="another stream") as caught:
        mark(video_files.film(frames=2), None, LABEL, config=own)
    assert caught.value.code == "content-changed"


@pytest.mark.parametrize("length", [0, 4, 22])
def test_an_index_of_avi_without_its_head_stays_as_it_is(own: Config, length: int) -> None:
    plain = video_files.film("avi", "mjpeg", pix_fmt="yuvj420p", frames=4)
    chunk = b"ix00" + length.to_bytes(4, "little") + b"\2\0\0\1".ljust(length, b"\0")[:length]
    at = plain.index(b"idx1")
    size = int.from_bytes(plain[4:8], "little") + len(chunk)
    source = plain[:4] + size.to_bytes(4, "little") + plain[8:at] + chunk + plain[at:]
    result = mark(source, None, LABEL, config=own)
    assert result.data is not None
    assert chunk + b"idx1" in result.data


def test_a_long_avi_goes_on_in_a_second_part(own: Config) -> None:
    """Behind one gigabyte; what no index tells of is no keyframe before and after."""
    plain = video_files.film("avi", "mjpeg", pix_fmt="yuvj420p", frames=8, size=(240, 136))
    found = riff.Film.read(io.BytesIO(plain), Limits())
    movi = next(chunk for chunk in found.chunks if chunk.form == b"movi")
    index = next(chunk for chunk in found.chunks if chunk.kind == b"idx1")
    half = list(riff.walk(io.BytesIO(plain), movi.body, movi.stop, 100))[4].start
    first = riff.packed(b"LIST", b"movi" + plain[movi.body : half])
    told = riff.packed(b"idx1", plain[index.body : index.body + 4 * 16])
    rest = riff.packed(b"LIST", b"movi" + plain[half : movi.stop])
    long = riff.packed(b"RIFF", b"AVI " + plain[12 : movi.start] + first + told)
    long += riff.packed(b"RIFF", b"AVIX" + rest)
    result = mark(long, None, LABEL, config=own)
    assert result.data is not None
    assert len(_frames(result.data)) == len(_frames(long)) == 8
    assert result.sidecar is not None
    report = verify(result.data, sidecar=result.sidecar, config=own, measure=True)
    assert report.verdict is Verdict.LABELLED


def test_zeros_that_close_a_list_of_quicktime_stay(own: Config) -> None:
    source = bytearray(video_files.film("mov", frames=4))
    movie = source.rindex(b"moov") - 4  # behind the frames: no offset changes
    entry = source.index(b"avc1", movie) - 4
    stop = entry + int.from_bytes(source[entry : entry + 4])
    source[stop:stop] = bytes(4)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = source.index(kind, movie) - 4
        source[at : at + 4] = (int.from_bytes(source[at : at + 4]) + 4).to_bytes(4)
    result = mark(bytes(source), None, LABEL, config=own)
    assert result.data is not None
    at = result.data.rindex(b"avc1") - 4
    stop = at + int.from_bytes(result.data[at : at + 4])
    assert result.data[stop - 4 : stop] == bytes(4)
    assert result.report.verdict is Verdict.LABELLED


@pytest.fixture(scope="module")
def segments() -> bytes:
    fragments = {"movflags": "frag_keyframe+delay_moov+dash"}
    return video_files.film(frames=4, muxer=fragments)


@pytest.mark.parametrize("content", [b"", b"\1", bytes(20), b"\1" + bytes(19) + b"\xff" * 12])
def test_an_index_of_segments_that_tells_nothing_is_damage(
    own: Config, segments: bytes, content: bytes
) -> None:
    at = segments.index(b"sidx") - 4
    stop = at + int.from_bytes(segments[at : at + 4])
    box = (8 + len(content)).to_bytes(4) + b"sidx" + content
    with pytest.raises(Refused) as caught:
        mark(segments[:at] + box + segments[stop:], None, LABEL, config=own)
    assert caught.value.code == "damaged"


def test_more_frames_than_bytes_take_no_memory(own: Config, segments: bytes) -> None:
    source = bytearray(segments)
    run = source.index(b"trun") + 4
    source[run : run + 8] = b"\0\0\0\1\xff\xff\xff\xff"  # nothing is told of each of them
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as caught:
            mark(bytes(source), None, LABEL, config=own)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.code == "damaged"


CLOSED = {"x265-params": "log-level=error:open-gop=0"}
WITHIN = "H.264 with other parameter sets in its frames"
LONG: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mp4": ("mp4", "libx264", {"audio": "aac"}),
    WITHIN: ("mp4", "libx264", {"options": {"x264-params": "sps-id=1:repeat-headers=1"}}),
    "mkv": ("matroska", "libx264", {}),
    "webm": ("webm", "libvpx-vp9", {"options": {"cpu-used": "8"}}),
    "HEVC": ("mp4", "libx265", {"options": CLOSED, "audio": "aac"}),
    "HEVC of 10 bits in mkv": (
        "matroska",
        "libx265",
        {"options": CLOSED, "pix_fmt": "yuv420p10le"},
    ),
    "HEVC in fragments": (
        "mp4",
        "libx265",
        {"options": CLOSED, "muxer": {"movflags": "frag_keyframe+empty_moov+default_base_moof"}},
    ),
    "AV1": ("mp4", "libsvtav1", {"options": {"preset": "12"}, "audio": "aac"}),
    "AV1 in mkv": ("matroska", "libsvtav1", {"options": {"preset": "12"}}),
}


@cache
def _long_film(name: str) -> bytes:
    kind, codec, unusual = LONG[name]
    made = video_files.film(kind, codec, size=(160, 90), frames=124, rate=2, **unusual)
    return _described_as(made, _long_film("mp4")) if name == WITHIN else made


def _described_as(film: bytes, other: bytes) -> bytes:
    """A film whose container holds the parameter sets of another one only."""
    found = []
    for data in (film, other):
        start = data.rindex(b"avcC") + 4
        found.append((start, start - 8 + int.from_bytes(data[start - 8 : start - 4])))
    (start, stop), (first, last) = found
    return film[:start] + other[first:last].ljust(stop - start, b"\0") + film[stop:]


@pytest.mark.parametrize("name", LONG)
def test_smart_mode_copies_the_rest(own: Config, name: str) -> None:
    source = _long_film(name)
    result = mark(source, None, LABEL, config=own, video_mode="smart")
    assert result.data is not None
    assert result.report.verdict is Verdict.LABELLED
    spans = [(p["start"], p["end"]) for p in result.report.marker.notice.placements]
    assert spans[0][0] == 0.0
    assert spans[0][1] >= 5.0
    assert spans[-1][1] - spans[-1][0] >= 5.0
    before, after = _packets(source), _packets(result.data)
    assert [time for time, _ in before] == [time for time, _ in after]
    first = before[0][0]
    copied = [not any(s <= time - first < end for s, end in spans) for time, _ in before]
    assert sum(copied) > 60
    for kept, (_, one), (_, two) in zip(copied, before, after, strict=True):
        assert one == two or not kept  # small frames of AV1 are the same in any film
    one, two = _frames(source), _frames(result.data)
    same = [np.array_equal(a, b) for a, b in zip(one, two, strict=True)]
    covered = [any(start <= n / 2 < end for start, end in spans) for n in range(len(one))]
    assert same == [not there for there in covered]


def _packets(data: bytes) -> list[tuple[float, bytes]]:
    with av.open(io.BytesIO(data)) as container:
        found = [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(video=0) if p.size]
    return sorted(found, key=lambda pair: pair[0])


def test_short_films_are_coded_whole(own: Config) -> None:
    result = mark(video_files.film(frames=5), None, LABEL, config=own, video_mode="smart")
    assert any("Smart mode was not used" in warning for warning in result.warnings)
    (place,) = result.report.marker.notice.placements
    assert (place["start"], place["end"]) == (0.0, 0.5)


def test_progress_is_told(own: Config) -> None:
    told: list[tuple[int, int]] = []
    mark(
        video_files.film(frames=30),
        None,
        LABEL,
        config=own,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1][1] == 30
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_second_badge_covers_the_first(own: Config, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    mark(video_files.film(frames=4), path, LABEL, config=own)
    altered = Label(origin="altered", system=System("Films", "1"))
    result = mark(path, None, altered, config=own, on_existing="update")
    assert result.data is not None
    assert verify(result.data, config=own, measure=True).verdict is Verdict.LABELLED


def test_copying_a_large_film_takes_no_memory(tmp_path: Path) -> None:
    """Also into a file that is kept in memory while it is small."""
    whole = tmp_path / "film"
    with whole.open("wb") as file:
        file.truncate(64_000_000)
    tracemalloc.start()
    try:
        with whole.open("rb") as source, tempfile.SpooledTemporaryFile(max_size=1000) as spool:
            splice.copy(source, 0, -1, spool)
            assert spool.tell() == 64_000_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
