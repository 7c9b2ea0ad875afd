"""Sound that takes no packets of a notice: coded anew when people allow it, and not a sample longer or shorter."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest

import sound_fidelity
import sound_files
from aikz_label import MarkResult, Refused, mark, profile, verify
from aikz_label.adapters import Order
from aikz_label.adapters.audio import comparing, decoding, recoding
from aikz_label.adapters.audio.container import SoundFile
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.older import older
from aikz_label.adapters.audio.pieces import Span
from aikz_label.adapters.audio.recoders import Coding, Muxed, Sndfile
from aikz_label.carriers.sidecar import path_for
from aikz_label.cli import main
from aikz_label.config import Config
from aikz_label.limits import DEFAULT
from aikz_label.manifest import marker
from aikz_label.report import Notice
from sound_anew_files import KINDS
from sound_files import LABEL
from sounds import spoken

LEAST_DB = 10.0


SAME_CODEC = ("codec_name", "sample_rate", "channels", "channel_layout")


@cache
def source(name: str) -> bytes:
    return KINDS[name][0]()


@pytest.fixture(scope="module")
def marked(config: Config) -> Callable[[str], MarkResult]:
    return cache(
        lambda name: mark(
            source(name), None, LABEL, config=config, languages=("en",), allow_reencode=True
        )
    )


def notice_of(result: MarkResult) -> Notice:
    found = result.report.evidence.marker.notice
    assert found is not None
    return found


@pytest.mark.parametrize("name", KINDS)
def test_it_is_refused_until_people_allow_it(name: str, config: Config) -> None:
    with pytest.raises(Refused) as refusal:
        mark(source(name), None, LABEL, config=config)
    assert refusal.value.code == "needs-reencode"
    assert "--allow-reencode" in refusal.value.hint


@pytest.mark.parametrize("name", KINDS)
def test_another_decoder_hears_the_programme_to_the_sample(name, marked) -> None:
    result = marked(name)
    before, after = (sound_fidelity.stream(one) for one in (source(name), result.data))
    for key in SAME_CODEC:
        if (name, key) != ("layer-1", "codec_name"):  # which no encoder makes
            assert before.get(key) == after.get(key)
    channels = int(before["channels"])
    programme = sound_fidelity.decoded(source(name), channels)
    kept = sound_fidelity.outside(result.data, notice_of(result).placements, channels)
    if name == "m4a-he":  # its edit list leaves out what fills up the last packet
        programme = programme[: 2 * 44_100]
    assert len(kept) == len(programme)
    for channel in range(
        channels
    ):  # each against its own: another order of channels is another sound
        noise = programme[:, channel] - kept[:, channel]
        signal = np.square(programme[:, channel]).sum()
        assert 10 * np.log10(signal / (np.square(noise).sum() + 1e-9)) > LEAST_DB - 1


@pytest.mark.parametrize("name", KINDS)
def test_marker_report_and_warning_say_so(name, marked, config) -> None:
    result = marked(name)
    _, before, after = KINDS[name]
    recoding = notice_of(result).recoding
    assert recoding is not None
    assert (recoding.before, recoding.after) == (before, after)
    assert recoding.snr_db >= LEAST_DB
    made = marker.definition(result.report.declared, notice_of(result), "audio", with_parent=False)[
        "assertions"
    ]
    facts = next(one["data"] for one in made if one["label"] == marker.ASSERTION)
    schema = resources.files("aikz_label.data").joinpath("schemas/synthetic-1.json").read_text()
    jsonschema.validate(facts, json.loads(schema))
    assert any("coded again" in warning for warning in result.warnings)
    report = verify(result.data, sidecar=result.sidecar, trust=config.trust)
    assert str(report.verdict) == "labelled"
    (limit,) = (one for one in report.limits if one.code == "limits.recoded")
    assert before in limit.text("kk")


@pytest.mark.parametrize("name", KINDS)
def test_tags_stay(name, marked) -> None:
    assert not list(sound_fidelity.tag_losses(source(name), marked(name).data))


def test_opus_is_coded_anew_where_no_place_is_found() -> None:
    source = sound_files.opus(sound_files.programme(48_000, 3.0, 2), bits=32_000)
    order = Order(LABEL, ("en",), profile.load_profile("kz"), "auto", "", DEFAULT)
    out, said = io.BytesIO(), []
    made = recoding.rendered(sound_files.parsed(source), out, order, said)
    assert made is not None
    assert made.notice.recoding.before == "Opus"
    kept = sound_fidelity.outside(out.getvalue(), made.notice.placements, 2)
    assert len(kept) == 3 * 48_000


def test_marking_it_again_replaces_the_notice(marked, config: Config) -> None:
    first = marked("vorbis-speech")
    again = mark(
        first.data,
        None,
        LABEL,
        config=config,
        languages=("en",),
        allow_reencode=True,
        on_existing="update",
    )
    (before,), (after,) = notice_of(first).placements, notice_of(again).placements
    assert (before["first"], before["samples"]) == (after["first"], after["samples"])
    assert len(sound_fidelity.decoded(first.data, 1)) == len(sound_fidelity.decoded(again.data, 1))
    assert str(again.report.verdict) == "labelled"


LEFT_OUT = "The APE or Lyrics3 tag behind the sound was left out."


@pytest.mark.parametrize("old", [b"", b"TAG" + bytes(125)], ids=["", "ID3v1"])
@pytest.mark.parametrize("tag", [b"APETAGEX" + bytes(24), b"LYRICSBEGINLYRICSEND", b""])
def test_a_tag_behind_layer_ii_is_not_left_out_without_a_word(tag: bytes, old: bytes) -> None:
    sound = sound_files.parsed(source("layer-2") + tag + old)
    said: list[str] = []
    written = list(sound.dressed(sound, 0, (), LABEL, said))
    assert said == ([LEFT_OUT] if tag else [])
    assert isinstance(written[-1], Span)
    assert (len(written[-1]) == 128) == bool(old)


def test_several_pieces_of_compressed_sound_are_not_coded_anew(config: Config) -> None:
    data = source("aifc-ima4")
    (piece,) = (chunk for chunk in sound_files.parsed(data).chunks if chunk.name == b"SSND")
    longer = len(data) - 8 + piece.end - piece.start
    twice = data[:4] + longer.to_bytes(4) + data[8:] + data[piece.start : piece.end]
    with pytest.raises(Refused, match="several pieces") as refusal:
        mark(twice, None, LABEL, config=config, languages=("en",), allow_reencode=True)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize("how", ["update", "replace"])
@pytest.mark.parametrize("believed", [True, False])
def test_marked_again_among_packets_the_record_stays(
    how: str, believed: bool, tmp_path: Path, marked, config: Config
) -> None:
    first = marked("adts-main")
    path = tmp_path / "one.aac"
    path.write_bytes(first.data)
    path_for(path).write_bytes(first.sidecar)
    own = config if believed else replace(config, trust=())  # nobody copies a stranger's words
    again = mark(path, None, LABEL, config=own, languages=("ru",), on_existing=how)
    assert notice_of(again).languages == ("ru",)
    assert notice_of(again).recoding == (notice_of(first).recoding if believed else None)
    report = verify(again.data, sidecar=again.sidecar, trust=config.trust)
    assert [one.code for one in report.limits].count("limits.recoded") == believed
    assert not any("coded again" in warning for warning in again.warnings)


@pytest.mark.parametrize(("container", "codec"), [("ogg", "flac"), ("ipod", "alac")])
def test_what_loses_nothing_is_not_coded_by_something_that_does(container: str, codec: str) -> None:
    form = "s16p" if codec == "alac" else "s16"
    sound = sound_files.parsed(
        sound_files.encoded((container, codec, form), sound_files.STEREO, 44_100)
    )
    with decoding.opened(sound.source, sound.demuxer) as heard:
        coding = Coding(heard.codec, heard.rate, heard.layout, 700_000)
    assert coding.codec == codec
    assert sound.recoder(coding) is None


def test_a_notice_behind_the_start_gets_no_second_one() -> None:
    rate, made = 16_000, spoken(16_000, languages=("en",), short=True)
    song = sound_files.programme(rate, 2.0)
    stream = io.BytesIO()
    Sndfile(rate, 1, ("OGG", "VORBIS"), 0.8).write([song, made.samples, song], stream)
    place = made.placement(2.0) | {"first": 2 * rate, "samples": made.samples.shape[1]}
    profiled = profile.load_profile("kz")
    order = Order(LABEL, ("en",), profiled, "auto", "", DEFAULT, previous=(place,))
    parsed = sound_files.parsed(stream.getvalue())
    assert [one.at for one in older(parsed, order, anywhere=True)] == [2 * rate]
    with pytest.raises(Refused) as refusal:
        recoding.rendered(parsed, io.BytesIO(), order, [])
    assert refusal.value.code == "notice-stays"


def test_many_files_take_the_option(tmp_path, config: Config) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/song.ogg").write_bytes(source("vorbis-speech"))
    command = ["mark", str(tmp_path / "in"), "--out-dir", str(tmp_path / "out"), "--lang", "en"]
    command += ["--config", str(config.path), "--origin", "created", "--system", "Үлгі/1"]
    assert main([*command, "--imitates", "none", "--no-progress"]) != 0
    assert main([*command, "--imitates", "none", "--no-progress", "--allow-reencode"]) == 0
    assert (tmp_path / "out/song.labelled.ogg").exists()


def test_bits_go_up_until_there_are_no_more() -> None:
    coder = Coder("", "mp2", 44_100, "stereo", "s16", 320_000)
    most = Muxed("mp2", coder, rates=(320_000, 384_000)).richer()
    assert most.coder.bits == 384_000
    assert most.richer() == most
    assert Sndfile(8000, 1, ("WAV", "GSM610")).richer().quality is None
    assert Sndfile(8000, 1, ("OGG", "VORBIS"), 0.95).richer().quality == 1.0


def test_what_is_unlike_is_not_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recoding, "LEAST_SNR", 200.0)
    order = Order(LABEL, ("en",), profile.load_profile("kz"), "auto", "", DEFAULT)
    out = io.BytesIO()
    with pytest.raises(Refused) as refusal:
        recoding.rendered(sound_files.parsed(source("wav-gsm")), out, order, [])
    assert refusal.value.code == "content-changed"
    assert not out.getvalue()


def test_a_shift_by_one_sample_is_heard() -> None:
    data = sound_files.wav("s16", "pcm_s16le", sound_files.STEREO, 44_100)
    later = sound_files.wav("s16", "pcm_s16le", np.roll(sound_files.STEREO, 1, axis=1), 44_100)
    one, other = sound_files.parsed(data), sound_files.parsed(later)
    everything = ((0, -1),)
    assert comparing.likeness(one, everything, one, everything) == 99.0
    assert comparing.likeness(one, everything, other, everything) < 22
    with pytest.raises(Refused):
        comparing.likeness(one, ((0, 1000),), other, everything)


def test_a_wrecked_moment_is_not_made_good_by_the_rest() -> None:
    whole = sound_files.programme(44_100, 30.0)
    hole = whole.copy()
    hole[:, 400_000:450_000] = 0
    one, other = (
        sound_files.parsed(sound_files.wav("s16", "pcm_s16le", samples, 44_100))
        for samples in (whole, hole)
    )
    everything = ((0, -1),)
    assert 10 * np.log10((whole**2).sum() / ((whole - hole) ** 2).sum()) > 12
    assert comparing.likeness(one, everything, other, everything) < 2


@pytest.mark.parametrize("loud", [np.inf, np.nan])
def test_what_is_beyond_all_numbers_is_no_likeness(loud: float, monkeypatch) -> None:
    one = np.ones((1, 8), np.float32)
    monkeypatch.setattr(comparing, "_pairs", lambda *_: [(one, loud * one)])
    sound = sound_files.parsed(source("wav-gsm"))
    assert comparing.likeness(sound, (), sound, ()) == -99.0


def test_another_rate_or_another_channel_is_no_likeness() -> None:
    def wav(samples: np.ndarray, rate: int) -> SoundFile:
        return sound_files.parsed(sound_files.wav("s16", "pcm_s16le", samples, rate))

    one = wav(sound_files.STEREO, 44_100)
    for other in (wav(sound_files.STEREO, 48_000), wav(sound_files.STEREO[:1], 44_100)):
        with pytest.raises(Refused) as refusal:
            comparing.likeness(one, ((0, -1),), other, ((0, -1),))
        assert refusal.value.code == "content-changed"


@pytest.mark.parametrize(("name", "channels"), [("wav-ima", 2), ("wav-ms", 1), ("wav-gsm", 1)])
def test_a_length_that_leaves_out_most_of_the_sound_is_not_believed(
    name: str, channels: int
) -> None:
    data = source(name)
    at = data.index(b"fact") + 8
    told = int.from_bytes(data[at : at + 4], "little")
    decoded = len(sound_fidelity.decoded(data, channels))
    shorter = data[:at] + (told // 2).to_bytes(4, "little") + data[at + 4 :]
    rate = sound_files.parsed(data).rate
    assert sound_files.parsed(data).played(decoded, rate) == told
    assert sound_files.parsed(shorter).played(decoded, rate) == decoded


def test_wav_tells_how_many_bytes_a_second_takes(marked) -> None:
    for name in ("wav-ms", "wav-ima"):
        data = marked(name).data
        each_second = data[data.index(b"fmt ") + 16 :][:4]
        assert each_second == source(name)[28:32]
    silent = source("wav-ms")[:28] + bytes(4) + source("wav-ms")[32:]
    order = Order(LABEL, ("en",), profile.load_profile("kz"), "auto", "", DEFAULT)
    out = io.BytesIO()
    assert recoding.rendered(sound_files.parsed(silent), out, order, []) is not None
    told = int.from_bytes(out.getvalue()[28:32], "little")
    assert told == pytest.approx(11_025 * 1024 / 2036, rel=0.01)


def test_more_channels_than_planes_are_handed_over() -> None:
    samples = np.zeros((8, 4096), np.float32)
    coder = Coder("AAC", "aac", 48_000, "7.1", "fltp", 256_000)
    assert len(list(coder.packets(samples))) > 3
    written = io.BytesIO()
    Muxed("mp4", coder).write([samples], written)
    with av.open(io.BytesIO(written.getvalue())) as container:
        assert container.streams.audio[0].channels == 8
