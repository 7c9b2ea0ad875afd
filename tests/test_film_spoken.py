"""The notice that is spoken over a film: heard, and nothing else of the film changed."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

import support
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.video import hearing
from aikz_label.adapters.video.spoken import proving, speaking, tracks
from aikz_label.adapters.video.spoken.speaking import Said
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.carriers import ebml
from aikz_label.config import Config
from aikz_label.formats import FORMATS, Format, sniff
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT
from aikz_label.notice import sound, wording
from aikz_label.notice.sound import Samples
from aikz_label.profile import load_profile
from aikz_label.report import Measurement, Notice, NoticeState, Report, Verdict

LABEL = Label(origin="created", imitates=("voice",))
LASTS = 8  # seconds: enough for one sentence
# How a film is made, and what its sound is behind the notice: the same to the last bit, soon nearly the same, or, where its
# decoder makes noise up, as loud.
FILMS = {
    "aac.mp4": ("exact", "-c:a", "aac", "-aac_pns", "0"),
    "aac-5.1.mp4": ("exact", "-c:a", "aac", "-ac", "6", "-aac_pns", "0"),
    "aac-fragments.mp4": (
        "noise",
        "-c:a",
        "aac",
        "-movflags",
        "frag_keyframe+empty_moov+default_base_moof",
    ),
    "mp3.mp4": ("exact", "-c:a", "libmp3lame", "-b:a", "128k"),
    "mp3-slow.mp4": ("alike", "-c:a", "libmp3lame", "-ar", "24000", "-ac", "1"),
    "opus.mp4": ("alike", "-c:a", "libopus"),
    "ac3.mp4": ("noise", "-c:a", "ac3"),
    "flac.mp4": ("exact", "-c:a", "flac", "-strict", "-2"),
    "alac.mov": ("exact", "-c:a", "alac"),
    "pcm.mov": ("exact", "-c:a", "pcm_s24le"),
    "pcm-big.mov": ("exact", "-c:a", "pcm_s16be"),
    "eac3.mkv": ("noise", "-c:a", "eac3"),
    "aac.mkv": ("exact", "-c:a", "aac", "-aac_pns", "0"),
    "mp3-variable.mkv": ("exact", "-c:a", "libmp3lame", "-q:a", "5"),
    "pcm.mkv": ("exact", "-c:a", "pcm_s16le"),
    "opus.webm": ("alike", "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "mp3.avi": ("exact", "-c:v", "mpeg4", "-c:a", "libmp3lame", "-b:a", "96k"),
    "pcm.avi": ("exact", "-c:v", "mpeg4", "-c:a", "pcm_s16le"),
    "ac3.avi": ("noise", "-c:v", "mpeg4", "-c:a", "ac3"),
}


def film(path: Path, *how: str, seconds: float = LASTS, sounds: int = 1, rate: int = 5) -> Path:
    """A film of a moving picture and of noise whose loudness swings, made by FFmpeg itself."""
    noise = f"anoisesrc=d={seconds}:c=pink:r=48000:a=0.2,tremolo=f=3:d=0.6,aformat=channel_layouts=stereo"
    given = ["-f", "lavfi", "-i", f"color=c=gray:s=320x180:r={rate}:d={seconds}"]
    for _ in range(sounds):
        given += ["-f", "lavfi", "-i", noise]
    maps = [
        part
        for number in range(sounds + 1)
        for part in ("-map", f"{number}:{'a' if number else 'v'}")
    ]
    run(*given, *maps, "-preset", "ultrafast", "-g", "20", *how, str(path))
    return path


def run(*arguments: str) -> None:
    tool = support.require_tool("ffmpeg")
    done = subprocess.run(
        [tool, "-v", "error", "-y", *arguments], check=False, capture_output=True, text=True
    )
    assert not done.returncode, done.stderr


def heard(data: bytes, index: int = 0) -> tuple[Samples, int]:
    with sound.decode(io.BytesIO(data), index) as found:
        return np.concatenate(list(found.blocks()), axis=1), found.rate


def packets(
    data: bytes,
) -> tuple[dict[int, list[tuple[object, ...]]], dict[int, list[bytes]], object]:
    """Times and bytes of the packets of every stream, and how long the film lasts."""
    times: dict[int, list[tuple[object, ...]]] = {}
    stored: dict[int, list[bytes]] = {}
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            if packet.size:
                told = (packet.pts, packet.dts, packet.duration, packet.is_keyframe)
                times.setdefault(packet.stream_index, []).append(told)
                stored.setdefault(packet.stream_index, []).append(bytes(packet))
        return times, stored, container.duration


def placements(notice: Notice | None) -> list[dict[str, object]]:
    assert notice is not None
    return [dict(p) for p in notice.placements if p["design"] == sound.DESIGN]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def plain(folder: Path, config: Config) -> tuple[bytes, bytes, Report]:
    """A film, the same with its notice spoken in two languages, and its report."""
    source = film(folder / "plain.mp4", "-c:a", "aac", seconds=11)
    result = mark(source, None, LABEL, languages=("kk", "ru"), config=config)
    assert result.data is not None
    assert any("spoken over the first" in warning for warning in result.warnings)
    return source.read_bytes(), result.data, result.report


@pytest.mark.parametrize("name", FILMS)
def test_it_is_heard_and_all_that_follows_is_as_it_was(name: str, folder: Path):
    like, *how = FILMS[name]
    source = film(folder / name, *how).read_bytes()

    made, said = spoken(source, ("kk",))

    (one,) = said.spoken
    end = float(one.placement["end"])
    proving.check(io.BytesIO(source), io.BytesIO(made), row_of(source), one)
    found = listened(made, said, ("kk",))
    assert found.state is NoticeState.PERCEIVABLE, found.problems
    figures = dict(found.figures)
    assert figures["earcon"] > 0.9
    assert figures["background_db"] > 20
    assert -3 < figures["louder_by"] < 10
    was, now = packets(source), packets(made)
    assert was[0] == now[0]  # the times of all packets
    assert was[2] == now[2]
    assert was[1][0] == now[1][0]
    changed = [
        n for n, (one, two) in enumerate(zip(was[1][1], now[1][1], strict=True)) if one != two
    ]
    assert (max(changed) + 1) / len(was[1][1]) < (end + 1.2) / LASTS  # no more than it takes
    before, rate = heard(source)
    after, _ = heard(made)
    assert before.shape == after.shape
    rest = max(one.after, round((end + 0.06) * rate))
    levels = [np.sqrt(np.mean(np.square(part[:, rest:]))) for part in (before, after)]
    assert levels[1] == pytest.approx(levels[0], rel=0.02)
    if like != "noise":
        assert np.abs(after - before)[:, rest:].max() <= (0 if like == "exact" else 0.02)
    if like == "alike":
        settled = rest + rate // 2
        assert np.abs(after - before)[:, settled:].max() < 2**-15
    assert 20 * np.log10(np.abs(after[:, : round(end * rate)]).max()) < 0.0


def test_every_sound_of_a_film_is_spoken_over(folder: Path, config: Config):
    source = film(folder / "two.mkv", "-c:a:0", "aac", "-c:a:1", "flac", sounds=2)

    result = mark(source, None, LABEL, languages="kk", config=config)

    assert [place["sound"] for place in placements(result.report.marker.notice)] == [0, 1]
    assert verify(result.data or b"", measure=True, config=config).verdict is Verdict.LABELLED


def test_smart_mode_speaks_too_and_copies_the_rest(folder: Path, config: Config):
    source = film(folder / "long.mp4", "-c:a", "aac", "-g", "4", seconds=62, rate=2)

    result = mark(source, None, LABEL, languages="kk", config=config, video_mode="smart")

    was, now = packets(source.read_bytes())[1], packets(result.data or b"")[1]
    assert sum(one == two for one, two in zip(was[0], now[0], strict=True)) > 60
    assert was[1][400:] == now[1][400:]
    assert result.report.verdict is Verdict.LABELLED


def test_a_codec_without_an_encoder_is_told_of_and_recorded(folder: Path, config: Config):
    source = film(folder / "vorbis.mkv", "-c:a", "libvorbis")

    result = mark(source, None, LABEL, languages="kk", config=config)

    assert any("not spoken" in warning and "vorbis" in warning for warning in result.warnings)
    assert result.report.marker.notice is not None
    assert result.report.marker.notice.unspoken == "codec"
    assert result.report.verdict is Verdict.LABELLED
    assert "notice.film-unspoken" in codes(result.report)
    assert packets(source.read_bytes())[1][1] == packets(result.data or b"")[1][1]
    with pytest.raises(Refused, match="said aloud") as refused:
        mark(source, None, LABEL, languages="kk", config=config, profile_name="strict")
    assert refused.value.code == "not-perceptible"


def test_it_is_not_spoken_when_that_is_not_wanted(
    plain: tuple[bytes, bytes, Report], config: Config
):
    source = plain[0]

    result = mark(source, None, LABEL, languages="kk", config=config, spoken=False)

    assert result.report.marker.notice is not None
    assert result.report.marker.notice.unspoken == "requested"
    assert not result.report.marker.notice.spoken
    assert "notice.film-unspoken" in codes(result.report)
    strict = verify(result.data or b"", config=config, profile_name="strict")
    assert strict.verdict is Verdict.INCOMPLETE
    assert packets(source)[1][1] == packets(result.data or b"")[1][1]


def test_nothing_is_spoken_where_no_voice_is_declared_or_there_is_no_sound(
    folder: Path, config: Config
):
    source = film(folder / "silent.mp4", "-an", sounds=0, seconds=2)

    silent = mark(source, None, LABEL, languages="kk", config=config).report

    assert silent.marker.notice is not None
    assert silent.marker.notice.unspoken == "no-sound"
    assert "notice.film-unspoken" not in codes(silent)
    with_sound = film(folder / "shorter.mp4", "-c:a", "aac", seconds=2)
    other = mark(with_sound, None, Label(origin="created", imitates=("event",)), config=config)
    assert not placements(other.report.marker.notice)
    assert packets(with_sound.read_bytes())[1][1] == packets(other.data or b"")[1][1]
    short = mark(with_sound, None, LABEL, languages="kk", config=config).report
    assert short.marker.notice is not None
    assert short.marker.notice.unspoken == "too-short"


def test_a_short_film_gets_the_short_sentences(folder: Path, config: Config):
    source = film(folder / "short.mp4", "-c:a", "aac", seconds=4.5)

    report = mark(source, None, LABEL, languages="kk", config=config).report

    (place,) = placements(report.marker.notice)
    assert place["form"] == "short"
    assert report.verdict is Verdict.LABELLED


def test_an_update_keeps_the_notice_that_is_heard_already(
    plain: tuple[bytes, bytes, Report], config: Config
):
    _, marked, report = plain

    again = mark(marked, None, LABEL, languages=("kk", "ru"), config=config, on_existing="update")

    assert packets(marked)[1][1] == packets(again.data or b"")[1][1]
    assert placements(again.report.marker.notice) == placements(report.marker.notice)
    assert again.report.verdict is Verdict.LABELLED


def test_an_update_in_other_words_leaves_nothing_of_the_old_ones(
    plain: tuple[bytes, bytes, Report], config: Config
):
    _, marked, report = plain
    label = Label(origin="altered", imitates=("voice",))

    again = mark(marked, None, label, languages=("kk",), config=config, on_existing="update")

    assert again.data is not None
    (old,) = placements(report.marker.notice)
    (new,) = placements(again.report.marker.notice)
    samples, rate = heard(again.data)
    between = samples[
        :,
        round(float(str(new["end"])) * rate) + rate // 10 : round(float(str(old["end"])) * rate)
        - 10,
    ]
    assert np.abs(between).max() < 0.01
    assert verify(again.data, measure=True, config=config).verdict is Verdict.LABELLED


def test_a_notice_that_was_taken_out_is_missed(
    plain: tuple[bytes, bytes, Report], folder: Path, config: Config
):
    source, marked, report = plain
    notice = report.marker.notice
    assert notice is not None
    path = folder / "marked.mp4"
    path.write_bytes(marked)
    (folder / "source.mp4").write_bytes(source)
    end = float(str(placements(notice)[0]["end"]))
    cases = {
        "muted": f"volume=0:enable='lt(t,{end})'",
        "softer": f"volume=0.05:enable='lt(t,{end})'",
        "masked": "",
    }
    found = {}
    for name, how in cases.items():
        changed = folder / f"{name}.mp4"
        if how:
            run("-i", str(path), "-c:v", "copy", "-c:a", "aac", "-af", how, str(changed))
        else:
            mixed = (
                "anoisesrc=d=20:c=white:r=48000:a=0.2[n];[0:a][n]amix=duration=first:normalize=0[a]"
            )
            run(
                "-i",
                str(path),
                "-filter_complex",
                mixed,
                "-map",
                "0:v",
                "-map",
                "[a]",
                "-c:v",
                "copy",
                "-c:a",
                "aac",
                str(changed),
            )
        found[name] = problems(changed.read_bytes(), notice)
    assert "unheard" in found["muted"]
    assert "too-quiet" in found["softer"]
    assert "masked" in found["masked"]


def test_a_notice_nobody_recorded_is_found_by_listening(
    plain: tuple[bytes, bytes, Report], folder: Path, config: Config
):
    with av.open(io.BytesIO(plain[1])) as container:
        assert container.streams.audio
    (folder / "labelled.mp4").write_bytes(plain[1])
    stripped = folder / "stripped.mp4"
    run(
        "-i",
        str(folder / "labelled.mp4"),
        "-f",
        "lavfi",
        "-i",
        "color=c=gray:s=320x180:r=10:d=11",
        "-map",
        "1:v",
        "-map",
        "0:a",
        "-c:v",
        "libx264",
        "-c:a",
        "copy",
        "-map_metadata",
        "-1",
        str(stripped),
    )

    report = verify(stripped, measure=True, config=config)

    assert report.verdict is Verdict.INCOMPLETE
    assert "declared.spoken" in codes(report)


def test_the_command_line_knows_how_to_be_silent(
    plain: tuple[bytes, bytes, Report],
    folder: Path,
    config: Config,
    capsys: pytest.CaptureFixture[str],
):
    from aikz_label.cli import main

    assert config.path is not None
    source = folder / "cli.mp4"
    source.write_bytes(plain[0])
    target = folder / "cli.labelled.mp4"
    arguments = [
        "mark",
        str(source),
        "-o",
        str(target),
        "--origin",
        "created",
        "--system",
        "V/1",
        "--imitates",
        "voice",
    ]
    assert main([*arguments, "--no-spoken", "--config", str(config.path), "--json"]) == 0
    shown = capsys.readouterr()
    assert "not spoken" in shown.err
    assert "notice.film-unspoken" in json.dumps(json.loads(shown.out))


def row_of(data: bytes) -> Format:
    row = sniff(io.BytesIO(data))
    assert row is not None
    return row


def spoken(
    data: bytes, languages: tuple[str, ...], row: Format | None = None
) -> tuple[bytes, Said]:
    """A film with its notice spoken, without any other."""
    order = Order(LABEL, languages, load_profile("kz"), "auto", "", DEFAULT)
    with contextlib.ExitStack() as stack:
        said, made = speaking.speak(io.BytesIO(data), row or row_of(data), order, stack)
        made.seek(0)
        return made.read(), said


def listened(data: bytes, said: Said, languages: tuple[str, ...]) -> Measurement:
    places = tuple(one.placement for one in said.spoken)
    notice = Notice("badge", languages, wording.version(), "kz/1", places)
    found = hearing.measure(io.BytesIO(data), notice, Origin.CREATED, load_profile("kz"))
    assert found is not None
    return found


def codes(report: Report) -> set[str]:
    return {finding.message.code for finding in report.findings}


def problems(data: bytes, notice: Notice) -> Sequence[str]:
    found = hearing.measure(io.BytesIO(data), notice, Origin.CREATED, load_profile("kz"))
    assert found is not None
    return [problem.code.removeprefix("notice.") for problem in found.problems]


def laced(data: bytes, kind: int, each: int = 3) -> bytes:
    """The same Matroska file with several packets of its second track in each block, and without an index."""
    source = io.BytesIO(data)
    document = ebml.Document.read(source, 1_000_000)
    parts = []
    for part in document.parts:
        if part.name == ebml.CLUSTER:
            inner = list(_laced_cluster(source, part, kind, each))
            parts.append(ebml.pack(ebml.CLUSTER, *inner))
        elif part.name in {ebml.INFO, ebml.TRACKS}:
            parts.append(data[part.start : part.stop])
    start = document.segment.start
    return data[:start] + ebml.pack(ebml.SEGMENT, *parts, width=8)


def _laced_cluster(
    source: io.BytesIO, cluster: ebml.Element, kind: int, each: int
) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for child in ebml.children(source, cluster, 100_000):
        payload = ebml.content(source, child)
        if child.name == 0xA0:  # the last one, of which some is cut off
            yield from (ebml.pack(0xA3, one) for one in waiting)
            waiting = []
        if child.name != 0xA3 or payload[0] != 0x82:
            yield ebml.pack(child.name, payload)
            continue
        waiting.append(payload)
        if len(waiting) == each:
            yield ebml.pack(0xA3, _laced_block(waiting, kind))
            waiting = []
    for payload in waiting:
        yield ebml.pack(0xA3, payload)


def _laced_block(payloads: list[bytes], kind: int) -> bytes:
    frames = [payload[4:] for payload in payloads]
    sizes = [len(frame) for frame in frames]
    told = b""
    if kind == 0x02:
        told = b"".join(b"\xff" * (size // 255) + bytes((size % 255,)) for size in sizes[:-1])
    elif kind == 0x06:
        told = ebml.packed_size(sizes[0], 2)
        for before, size in itertools.pairwise(sizes[:-1]):
            told += ebml.packed_size(size - before + (1 << 13) - 1, 2)
    head = payloads[0][:3] + bytes((payloads[0][3] | kind, len(frames) - 1))
    return head + told + b"".join(frames)


def with_long_block(data: bytes, name: int, track: int) -> bytes:
    """The same Matroska file with one block of a track more than a megabyte long, alone (`0xA3`) or in a group (`0xA0`)."""
    source = io.BytesIO(data)
    document = ebml.Document.read(source, 1_000_000)
    parts, done = [], False
    for part in document.parts:
        inner = []
        for child in ebml.children(source, part, 100_000) if part.name == ebml.CLUSTER else ():
            payload = ebml.content(source, child)
            packed = ebml.pack(child.name, payload)
            if not done and child.name == 0xA3 and payload[0] == 0x80 | track:
                done, long = True, bytes(1_100_000)
                grouped = ebml.pack(0xA0, ebml.pack(0xA1, payload), ebml.pack(0xEC, long))
                packed = grouped if name == 0xA0 else ebml.pack(0xA3, payload + long)
            inner.append(packed)
        if inner:
            parts.append(ebml.pack(ebml.CLUSTER, *inner))
        elif part.name in {ebml.INFO, ebml.TRACKS}:
            parts.append(data[part.start : part.stop])
    start = document.segment.start
    return data[:start] + ebml.pack(ebml.SEGMENT, *parts, width=8)


@pytest.mark.parametrize("name", [0xA3, 0xA0])
def test_long_blocks_are_in_the_way_only_in_the_sound_itself(name: int, folder: Path):
    plain = film(folder / "long.mkv", "-c:a", "pcm_s16le", seconds=1).read_bytes()

    def packets_of(data: bytes) -> int:
        return len(tracks.find(io.BytesIO(data), FORMATS["mkv"], 0, DEFAULT))

    assert packets_of(with_long_block(plain, name, 1)) == packets_of(plain) > 0
    with pytest.raises(Unspoken) as caught:
        packets_of(with_long_block(plain, name, 2))
    assert caught.value.detail == "its packets are too long"


@pytest.mark.parametrize(
    ("codec", "lacing"), [("libmp3lame", 0x02), ("aac", 0x06), ("ac3", 0x04), ("pcm_s16le", 0x02)]
)
def test_several_packets_in_a_block_are_told_apart(codec: str, lacing: int, folder: Path):
    plain = film(folder / f"{codec}.mkv", "-c:a", codec).read_bytes()
    source = laced(plain, lacing)
    assert packets(source)[1][1] == packets(plain)[1][1]

    made, said = spoken(source, ("kk",))

    (one,) = said.spoken
    proving.check(io.BytesIO(source), io.BytesIO(made), row_of(source), one)
    assert listened(made, said, ("kk",)).state is NoticeState.PERCEIVABLE
    was, now = packets(source), packets(made)
    assert was[0] == now[0]
    assert was[1][1] != now[1][1]
    assert was[1][1][-60:] == now[1][1][-60:]


def test_the_profile_strict_is_met_too(plain: tuple[bytes, bytes, Report], config: Config):
    result = mark(plain[0], None, LABEL, languages="kk", config=config, profile_name="strict")

    (place,) = placements(result.report.marker.notice)
    assert place["dit"] == 0.12
    assert result.report.verdict is Verdict.LABELLED
    again = verify(result.data or b"", measure=True, profile_name="strict", config=config)
    assert again.verdict is Verdict.LABELLED


def test_a_notice_that_is_still_there_stays_on_record_when_nothing_new_is_wanted(
    plain: tuple[bytes, bytes, Report], config: Config
):
    _, marked, report = plain

    again = mark(
        marked,
        None,
        LABEL,
        languages=("kk", "ru"),
        config=config,
        on_existing="update",
        spoken=False,
    )

    assert placements(again.report.marker.notice) == placements(report.marker.notice)
    assert again.report.marker.notice is not None
    assert not again.report.marker.notice.unspoken


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi"])
def test_damage_anywhere_gives_a_reason_and_never_an_error(kind: str, folder: Path):
    how = ("-c:v", "mpeg4", "-c:a", "libmp3lame")
    whole = film(folder / f"damaged.{kind}", *how, seconds=5.5).read_bytes()
    random = np.random.default_rng(5)
    places = [whole.find(name) for name in (b"stsz", b"stsc", b"elst", b"\xa3", b"strh", b"idx1")]
    for _ in range(6):
        data = bytearray(whole)
        for at in random.choice([place for place in places if place >= 0], 3):
            data[at + int(random.integers(4, 40))] = int(random.integers(256))
        data[int(random.integers(len(data)))] ^= 0x55
        with contextlib.suppress(MediaProblem, Refused):
            made, said = spoken(bytes(data), ("kk",), FORMATS[kind])
            assert bool(said.spoken) != bool(said.why)
            assert made
