"""The notice people hear: composed for any programme, and heard again."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from aikz_label.label import Origin
from aikz_label.notice import sound, wording
from aikz_label.notice.sound import loudness, speech
from aikz_label.notice.sound.resampling import true_peak
from aikz_label.report import Notice, NoticeState
from sounds import KZ, LANGUAGES, blocks, codes, measured, music, record, spoken

CLIPS = files("aikz_label.notice.sound").joinpath("clips")
RATE = 16_000


def test_the_clips_say_the_wording() -> None:
    table = tomllib.loads(CLIPS.joinpath("clips.toml").read_text(encoding="utf-8"))
    assert table.pop("wording") == wording.version()
    table.pop("voice")
    for origin in Origin:
        for language in LANGUAGES:
            for brief in (False, True):
                clip = table.pop(speech.name(language, origin, brief=brief))
                assert clip["text"] == wording.spoken(origin, language, brief=brief)
                assert clip["words_per_minute"] <= 150
                assert clip["share_300_3400_hz"] >= 0.7
    assert not table


def test_the_clips_are_those_of_the_table() -> None:
    table = tomllib.loads(CLIPS.joinpath("clips.toml").read_text(encoding="utf-8"))
    size = 0
    for name, clip in table.items():
        if isinstance(clip, dict):
            data = CLIPS.joinpath(f"{name}.opus").read_bytes()
            assert hashlib.sha256(data).hexdigest() == clip["sha256"]
            assert len(speech.bundled(name)) == pytest.approx(
                clip["seconds"] * speech.RATE, rel=0.01
            )
            size += len(data)
    assert size < 128 * 1024


@pytest.mark.parametrize("lufs", [-60.0, -23.0, -14.0, -8.0])
def test_it_is_as_loud_as_the_programme_and_never_clipped(lufs: float) -> None:
    made = spoken(44_100, "stereo", lufs)
    heard = loudness.measure(made.samples, 44_100, "stereo")
    assert heard == pytest.approx(max(lufs, -26.4), abs=2.5 if lufs > -10 else 0.3)
    assert made.lufs == pytest.approx(heard, abs=0.01)
    assert max(true_peak(channel, 44_100) for channel in made.samples) <= -1.0


@pytest.mark.parametrize(
    ("rate", "layout", "silent"),
    [
        (8000, "mono", ()),
        (11_025, "stereo", ()),
        (44_100, "2.1", (2,)),
        (48_000, "5.1", (3, 4, 5)),
        (48_000, "7.1", (3, 4, 5, 6, 7)),
        (96_000, "4 channels", ()),
        (384_000, "stereo", ()),
    ],
)
def test_it_fits_any_rate_and_layout(rate: int, layout: str, silent: tuple[int, ...]) -> None:
    made = spoken(rate, layout, -20.0, languages=("kk",))
    assert made.lufs == pytest.approx(-20.0, abs=0.5)
    assert not made.samples[:, : int(0.14 * rate)].any()
    loud = made.samples.any(axis=1)
    assert [i for i in range(len(loud)) if not loud[i]] == list(silent)
    assert made.seconds == pytest.approx(0.15 + 0.99 + 0.35 + 3.46 + 0.3, abs=0.05)


def test_the_signal_is_morse_ai() -> None:
    made = spoken(8000, "mono", -23.0)
    at = np.abs(made.samples[0])
    on = [at[int((0.15 + (i + 0.5) * 0.09) * 8000) :][:40].max() > 0.01 for i in range(11)]
    assert "".join("#" if one else "." for one in on) == "#.###...#.#"


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("short", [False, True])
def test_it_is_heard_again(origin: Origin, short: bool) -> None:
    made = spoken(origin=origin, short=short)
    samples = np.concatenate([made.samples, music(RATE, 20, "mono")], axis=1)
    found = measured(samples, made, origin=origin)
    figures = dict(found.figures)
    assert found.state is NoticeState.PERCEIVABLE, codes(found)
    assert figures["earcon"] > 0.9
    assert figures["clip"] > 0.9
    assert figures["languages_heard"] == 3
    assert figures["louder_by"] == pytest.approx(0, abs=0.5)
    assert figures["background_db"] > 30
    assert codes(measured(samples, made, origin=_other(origin))) == ["missing-language"]


def _other(origin: Origin) -> Origin:
    return next(one for one in Origin if one is not origin)


def test_a_record_that_makes_no_sense_is_unknown() -> None:
    made = spoken()
    good = made.placement(0.0)
    for wrong in (
        {},
        good | {"start": "0"},
        good | {"start": -1.0},
        good | {"end": float("nan")},
        good | {"end": 1e9},
        good | {"dit": 5},
        good | {"dit": True},
        good | {"design": "spoken/2"},
    ):
        notice = Notice("spoken", LANGUAGES, "kz-1", "kz/1", (wrong,))
        found = sound.measure(blocks(made.samples), RATE, "mono", notice, Origin.CREATED, KZ)
        assert found.state is NoticeState.UNKNOWN


def test_a_record_of_a_thousand_notices_costs_nothing() -> None:
    made = spoken()
    notice = record(made, *(n / 1000 for n in range(1000)))
    found = sound.measure(iter(()), RATE, "mono", notice, Origin.CREATED, KZ)
    assert found.state is NoticeState.UNKNOWN


@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.3, 2.0])
def test_nothing_is_heard_in_next_to_nothing(seconds: float) -> None:
    made = spoken()
    silence = np.zeros((1, int(seconds * RATE)), np.float32)
    found = sound.measure(blocks(silence), RATE, "mono", record(made), Origin.CREATED, KZ)
    assert codes(found) == ["unheard"]


def test_marking_and_checking_measure_the_same() -> None:
    made = spoken()
    samples = np.concatenate([made.samples, music(RATE, 20, "mono")], axis=1)
    ear = sound.Listening(RATE, "mono", record(made), Origin.CREATED, KZ)
    for block in blocks(samples, 777):
        ear.push(block)
    assert ear.finish() == measured(samples, made)


def test_a_tone_at_the_edge_of_the_band_behind_the_notice_is_no_background() -> None:
    time = np.arange(15 * RATE) / RATE
    for hertz in (300, 3400):
        tone = (0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[None, :]
        made = spoken(lufs=loudness.measure(tone, RATE, "mono"))
        found = measured(np.concatenate([made.samples, tone], axis=1), made)
        assert dict(found.figures)["background_db"] > 40
