"""What the sound notice rests on: loudness, the user's own recordings, repeats, and the notice over a film's sound."""

from __future__ import annotations

import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from aikz_label.config import VOICES, load_config
from aikz_label.errors import ConfigError
from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import loudness, prints, speech
from aikz_label.notice.sound.layouts import Samples, channels
from aikz_label.notice.sound.loudness import Loudness
from aikz_label.notice.sound.resampling import resample, true_peak
from aikz_label.profile import load_profile
from aikz_label.report import Notice, NoticeState
from sounds import KZ, blocks, codes, music, record, spoken
from support import require_tool

# --- loudness --------------------------------------------------------------------------------------------------------


def written(path: Path, samples: Samples, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1).T * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(("rate", "layout"), [(48_000, "stereo"), (44_100, "mono"), (8000, "mono")])
def test_loudness_is_that_of_another_meter(tmp_path: Path, rate: int, layout: str) -> None:
    samples = music(rate, 12, layout, -19.0)
    path = written(tmp_path / "a.wav", samples, rate)
    command = [require_tool("ffmpeg"), "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    level = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])
    peak = float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", said)[-1])
    assert loudness.measure(samples, rate, layout) == pytest.approx(level, abs=0.11)
    assert max(true_peak(one, rate) for one in samples) == pytest.approx(peak, abs=0.25)


@pytest.mark.parametrize(("layout", "lufs"), [("mono", -26.01), ("stereo", -23.0)])
def test_loudness_of_the_tone_of_ebu_tech_3341(layout: str, lufs: float) -> None:
    time = np.arange(20 * 48_000) / 48_000
    tone = (10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    samples = np.tile(tone, (channels(layout), 1))
    assert loudness.measure(samples, 48_000, layout) == pytest.approx(lufs, abs=0.1)


def test_gates_and_stretches() -> None:
    loud, soft = music(16_000, 10, "mono", -20.0), music(16_000, 10, "mono", -36.0)
    silence = np.zeros((1, 160_000), np.float32)
    meter = sound.Meter(16_000, "mono")
    for block in blocks(np.concatenate([loud, soft, silence], axis=1), 1777):
        meter.push(block)
    heard = meter.finish()
    assert heard.seconds == 30
    assert len(heard.momentary) == 300
    assert heard.integrated() == pytest.approx(-20.0, abs=0.2)  # soft and silent are gated
    assert heard.integrated((10.4, 20.0)) == pytest.approx(-36.0, abs=0.3)
    assert heard.integrated((20.5, 30.0)) == -np.inf
    assert heard.integrated((0.0, 10.0), (20.0, 30.0)) == pytest.approx(-20.0, abs=0.2)
    assert heard.integrated((0.0, 0.3)) == -np.inf  # shorter than one block


def test_resampling_keeps_a_tone_and_its_place() -> None:
    time = np.arange(48_000) / 48_000
    tone = (np.sin(2 * np.pi * 1000 * time) * np.hanning(48_000)).astype(np.float32)
    for rate in (8000, 11_025, 44_100, 44_101, 192_000):
        there = resample(tone, 48_000, rate)
        assert len(there) == rate
        back = resample(there, rate, 48_000)
        assert np.abs(back[: len(tone)] - tone[: len(back)]).max() < 1e-3


# --- repeats ---------------------------------------------------------------------------------------------------------


def heard(seconds: float, pauses: tuple[float, ...] = ()) -> Loudness:
    momentary = np.full(int(seconds * 10), -20.0)
    for at in pauses:
        momentary[int(at * 10) : int(at * 10) + 4] = -60.0
    return Loudness(momentary, seconds)


def test_a_long_programme_has_it_every_ten_minutes() -> None:
    assert sound.plan(heard(659), KZ) == ()
    assert sound.plan(heard(700), KZ) == (600.0,)
    assert sound.plan(heard(7200), KZ) == tuple(600.0 * n for n in range(1, 12))


def test_it_waits_for_a_pause_that_is_near() -> None:
    first, second = sound.plan(heard(1300, (588.0, 640.0, 1225.0)), KZ)
    assert first == pytest.approx(588.0, abs=0.3)
    assert second == pytest.approx(first + 600)  # counted from the last one; 1225 is out of reach
    assert sound.plan(heard(1300, (625.0, 640.0)), KZ)[0] == pytest.approx(625.0, abs=0.3)


def test_strict_has_it_at_the_end_too() -> None:
    strict = load_profile("strict").sound
    assert sound.plan(heard(59), strict) == ()
    assert sound.plan(heard(90), strict) == (90.0,)
    assert sound.plan(heard(700), strict) == (600.0, 700.0)


def test_silence_and_next_to_nothing_have_none() -> None:
    assert sound.plan(Loudness(np.zeros(0), 0.0), KZ) == ()
    assert len(sound.plan(Loudness(np.full(7000, -120.0), 700.0), KZ)) == 1


def test_short_programmes_get_short_sentences() -> None:
    assert sound.is_short(9.9, KZ)
    assert not sound.is_short(10.0, KZ)
    assert spoken(short=True).seconds < spoken().seconds - 4


# --- over a film -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [997, 48_000, 10**7])
def test_the_notice_over_a_programme(size: int) -> None:
    made, programme = spoken(), music(16_000, 40, "mono")
    meter = sound.Meter(16_000, "mono")
    meter.push(programme)
    mixer = sound.Mixer(made, (0.0, 20.0), meter.finish(), KZ)
    at, parts = 0, []
    for block in blocks(programme, size):
        parts.append(mixer.apply(block, at))
        at += block.shape[1]
    mixed = np.concatenate(parts, axis=1)
    between = slice(int((made.seconds + 0.1) * 16_000), int(19.9 * 16_000))
    assert np.array_equal(mixed[:, between], programme[:, between])
    assert mixed.shape == programme.shape
    notice = record(made, 0.0, 20.0)
    found = sound.measure(blocks(mixed), 16_000, "mono", notice, Origin.CREATED, KZ)
    assert found.state is NoticeState.PERCEIVABLE, codes(found)
    assert dict(found.figures)["background_db"] >= 20


def test_a_silent_programme_is_left_as_it_is_under_the_notice() -> None:
    made, silence = spoken(lufs=-60.0), np.zeros((1, 16_000 * 20), np.float32)
    meter = sound.Meter(16_000, "mono")
    meter.push(silence)
    mixed = sound.Mixer(made, (1.0,), meter.finish(), KZ).apply(silence, 0)
    length = made.samples.shape[1]
    assert np.array_equal(mixed[:, 16_000 : 16_000 + length], made.samples)
    assert not mixed[:, 16_000 + length :].any()


# --- own recordings --------------------------------------------------------------------------------------------------


def voice(kind: str = "ru_altered", rate: int = 24_000) -> Samples:
    """Somebody else's voice: the clip for other words, a tone and a half lower."""
    return resample(speech.bundled(kind), 48_000, round(rate * 1.09))[None, :]


@pytest.fixture
def own(tmp_path: Path) -> tuple[tuple[str, Path], ...]:
    path = written(tmp_path / "kk.wav", voice(), 24_000)
    return (("kk_created", path), ("kk_altered", tmp_path / "not-there.wav"))


def test_own_recordings_are_spoken_and_known_again(own: tuple[tuple[str, Path], ...]) -> None:
    script = sound.script(Origin.CREATED, ("kk", "ru"), KZ, own)
    made = sound.compose(script, 16_000, "mono", -18.0, KZ)
    assert made.lufs == pytest.approx(-18.0, abs=0.3)
    place = made.placement(0.0)
    assert list(place["voices"]) == ["kk"]
    assert prints.is_print(place["voices"]["kk"])
    samples = np.concatenate([made.samples, music(16_000, 20, "mono", -18.0)], axis=1)

    def measured(**changed: object) -> list[str]:
        notice = Notice("spoken", ("kk", "ru"), "kz-1", "kz/1", ({**place, **changed},))
        found = sound.measure(blocks(samples), 16_000, "mono", notice, Origin.CREATED, KZ)
        return codes(found) or [str(found.state)]

    assert measured() == ["perceivable"]
    other = prints.make(np.random.default_rng(1).standard_normal(24_000).astype(np.float32))
    assert measured(voices={"kk": other}) == ["missing-language"]
    assert measured(voices={}) == ["missing-language"]
    assert measured(voices={"kk": "no print"}) == ["unknown"]


def test_the_long_recording_stands_in_for_the_short_one(own: tuple[tuple[str, Path], ...]) -> None:
    script = sound.script(Origin.CREATED, ("kk",), KZ, own)
    assert script.sentence("kk", brief=True) is script.sentence("kk", brief=False)


@pytest.mark.parametrize(
    ("samples", "rate", "why"),
    [
        (voice() * 0.001, 24_000, "loudness"),
        (np.clip(voice() * 40, -1, 1), 24_000, "clipped"),
        (voice()[:, :12_000], 24_000, "lasts 0.5 s"),
        (np.tile(voice(), 5), 24_000, "lasts"),
        (voice(rate=8000), 8000, "sampling rate"),
        (np.zeros((1, 48_000), np.float32), 24_000, "loudness"),
    ],
)
def test_unfit_recordings(tmp_path: Path, samples: Samples, rate: int, why: str) -> None:
    path = written(tmp_path / "a.wav", samples, rate)
    with pytest.raises(ConfigError, match=why):
        sound.script(Origin.CREATED, ("kk",), KZ, (("kk_created", path),))


@pytest.mark.parametrize("data", [b"", b"nonsense" * 100, b"RIFF\x10\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_no_recording(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match="cannot be used"):
        sound.script(Origin.CREATED, ("kk",), KZ, (("kk_created", path),))
    with pytest.raises(ConfigError, match="not there"):
        sound.script(Origin.CREATED, ("kk",), KZ, (("kk_created", tmp_path / "b.wav"),))


def test_recordings_come_from_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "aikz-label.toml"
    path.write_text('[voice]\nkk_created = "kk.wav"\nru_altered_short = "/a/ru.flac"\n')
    voices = load_config(path).voices
    assert voices == (("kk_created", tmp_path / "kk.wav"), ("ru_altered_short", Path("/a/ru.flac")))
    assert len(VOICES) == 12
    path.write_text('[voice]\nkk = "kk.wav"\n')
    with pytest.raises(ConfigError, match="unknown key 'kk'"):
        load_config(path)
