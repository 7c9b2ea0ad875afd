"""What hinders people from hearing a notice, and what does not; and a notice that nobody recorded."""

from __future__ import annotations

import io

import numpy as np
import pytest

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound.layouts import Samples
from aikz_label.profile import load_profile
from aikz_label.report import Found, NoticeState
from sounds import KZ, blocks, coded, codes, measured, music, record, spoken

RATE = 16_000
PROGRAMME = music(RATE, 20, "mono")


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts, axis=1)


@pytest.fixture(scope="module")
def made() -> sound.Composed:
    return spoken()


def test_too_quiet(made: sound.Composed) -> None:
    assert codes(measured(joined(made.samples * 0.4, PROGRAMME), made)) == ["too-quiet"]


def test_too_loud(made: sound.Composed) -> None:
    assert codes(measured(joined(made.samples * 2, PROGRAMME * 0.01), made)) == ["too-loud"]


def test_masked_by_music(made: sound.Composed) -> None:
    samples = joined(made.samples, PROGRAMME)
    under = music(RATE, samples.shape[1] / RATE, "mono")
    samples[:, : made.samples.shape[1]] += 0.4 * under[:, : made.samples.shape[1]]
    assert "masked" in codes(measured(samples, made))


def test_masked_by_noise(made: sound.Composed) -> None:
    noise = np.random.default_rng(3).standard_normal(made.samples.shape).astype(np.float32)
    noisy = made.samples + noise * made.samples.std() * 0.4
    assert codes(measured(joined(noisy, PROGRAMME), made)) == ["masked"]


@pytest.mark.parametrize("seconds", [1.5, 8.0, 30.0])
def test_too_late(made: sound.Composed, seconds: float) -> None:
    before = music(RATE, seconds, "mono")
    found = measured(joined(before, made.samples, PROGRAMME), made)
    assert codes(found) == ["too-late"]
    assert dict(found.figures)["late_s"] == pytest.approx(seconds, abs=0.01)


def test_a_moment_of_silence_before_it_is_not_late(made: sound.Composed) -> None:
    silence = np.zeros((1, RATE // 2), np.float32)
    assert codes(measured(joined(silence, made.samples, PROGRAMME), made)) == []


@pytest.mark.parametrize("tempo", [0.7, 1.05, 1.25, 2.0])
def test_sped_up_with_its_pitch(made: sound.Composed, tempo: float) -> None:
    samples = joined(made.samples, PROGRAMME)
    at = np.arange(0, samples.shape[1] - 1, tempo)
    faster = np.interp(at, np.arange(samples.shape[1]), samples[0]).astype(np.float32)[None, :]
    found = measured(faster, made)
    assert codes(found) == ["sped-up"]
    assert dict(found.figures)["tempo"] == pytest.approx(tempo, rel=0.03)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (slice(int(0.6 * RATE), None), ["broken-off"]),
        (slice(int(2.5 * RATE), None), ["broken-off"]),
        (slice(int(5.5 * RATE), None), ["broken-off", "missing-language"]),
        (slice(0, int(11.0 * RATE)), ["broken-off"]),
        (slice(0, int(8.4 * RATE)), ["missing-language"]),
        (slice(0, int(1.3 * RATE)), ["missing-language"]),
    ],
)
def test_cut_off(made: sound.Composed, kept: slice, expected: list[str]) -> None:
    assert codes(measured(joined(made.samples[:, kept], PROGRAMME), made)) == expected


def test_a_tenth_of_a_second_lost_at_the_start_hinders_nobody(made: sound.Composed) -> None:
    samples = joined(made.samples, PROGRAMME)
    for start in (1, 533, RATE // 10):
        assert codes(measured(samples[:, start:], made)) == []


def test_missing_language(made: sound.Composed) -> None:
    less = spoken(languages=("kk", "en"))
    found = measured(joined(less.samples, PROGRAMME), made)
    assert codes(found) == ["missing-language"]
    assert dict(found.figures)["languages_heard"] == 1  # the third is where the second should be


def test_nothing_there(made: sound.Composed) -> None:
    assert codes(measured(PROGRAMME, made)) == ["unheard"]


def test_not_again() -> None:
    made, hour = spoken(8000), np.tile(music(8000, 20, "mono"), 35)
    assert codes(measured(joined(made.samples, hour), made)) == ["not-again"]
    twice = joined(made.samples, hour[:, : 600 * 8000], made.samples, hour)
    found = measured(twice, made, 0.0, 600 + made.seconds)
    assert codes(found) == []
    assert dict(found.figures)["gap_s"] == pytest.approx(600, abs=1)
    assert dict(found.figures)["listened_s"] == sound.LISTENED


def test_strict_asks_for_more() -> None:
    strict = load_profile("strict").sound
    kz, own = spoken(), spoken(profile="strict")
    for made, expected in ((kz, []), (own, [])):
        samples = joined(made.samples, PROGRAMME)
        found = sound.measure(blocks(samples), RATE, "mono", record(made), Origin.CREATED, strict)
        assert codes(found) == expected
    late = joined(np.zeros((1, int(0.7 * RATE)), np.float32), own.samples, PROGRAMME * 1.5)
    found = sound.measure(blocks(late), RATE, "mono", record(own), Origin.CREATED, strict)
    assert codes(found) == ["too-quiet", "too-late"]


# --- sent on ---------------------------------------------------------------------------------------------------------


SENT = [
    ("libopus", "ogg", 48_000, 16_000),
    ("libmp3lame", "mp3", 44_100, 64_000),
    ("libmp3lame", "mp3", 16_000, 24_000),
    ("pcm_mulaw", "wav", 8000, 0),
    ("aac", "adts", 32_000, 32_000),
    ("flac", "flac", 96_000, 0),
]


@pytest.mark.parametrize(
    ("codec", "kind", "rate", "bit_rate", "offset"),
    [(*way, offset) for way, offset in zip(SENT, [0.0, 0.0333, 2.7, 0.511, 0.0, 0.2], strict=True)],
)
def test_heard_after_it_was_sent_on(
    made: sound.Composed, codec: str, kind: str, rate: int, bit_rate: int, offset: float
) -> None:
    silence = np.zeros((1, int(offset * RATE)), np.float32)
    data = coded(joined(silence, made.samples, PROGRAMME), RATE, (codec, kind, rate, bit_rate))
    with sound.decode(io.BytesIO(data)) as heard:
        samples, layout = list(heard.blocks()), heard.layout
    notice = record(made)
    found = sound.measure(samples, heard.rate, layout, notice, Origin.CREATED, KZ)
    assert codes(found) == (["too-late"] if offset > 1 else [])
    searched = sound.search(samples, heard.rate, layout, KZ)
    assert searched is not None
    assert searched.origin is Origin.CREATED
    assert codes(searched.measurement) == codes(found)
    assert dict(searched.measurement.figures)["languages_heard"] == 3


# --- nobody recorded it ----------------------------------------------------------------------------------------------


def searched(samples: Samples) -> Found | None:
    return sound.search(blocks(samples), RATE, "mono", KZ)


@pytest.mark.parametrize(
    ("origin", "languages", "profile", "short"),
    [
        (Origin.CREATED, ("ru",), "kz", False),
        (Origin.ALTERED, ("kk", "ru"), "kz", True),
        (Origin.CREATED, ("en", "kk", "ru"), "strict", False),
        (Origin.ALTERED, ("kk",), "strict", False),
        (Origin.CREATED, ("kk", "ru", "en"), "kz", True),
    ],
)
def test_search(origin: Origin, languages: tuple[str, ...], profile: str, short: bool) -> None:
    made = spoken(origin=origin, languages=languages, profile=profile, short=short)
    found = searched(joined(made.samples, PROGRAMME))
    assert found is not None
    assert (found.kind, found.origin) == ("spoken", origin)
    assert found.measurement.state is NoticeState.PERCEIVABLE
    assert dict(found.measurement.figures)["languages_heard"] == len(languages)


def test_search_says_what_hinders(made: sound.Composed) -> None:
    late = searched(joined(music(RATE, 9, "mono"), made.samples * 0.3, PROGRAMME))
    assert late is not None
    assert codes(late.measurement) == ["too-quiet", "too-late"]
    cut = searched(joined(made.samples[:, 2 * RATE :], PROGRAMME))
    assert cut is not None
    assert codes(cut.measurement) == ["broken-off"]


def test_search_does_not_take_a_signal_for_words(made: sound.Composed) -> None:
    signal = made.samples[:, : int(1.3 * RATE)]
    found = searched(joined(signal, PROGRAMME))
    assert found is not None
    assert found.origin is None
    assert codes(found.measurement) == ["signal-alone"]


def test_search_finds_nothing_where_nothing_is() -> None:
    noise = np.random.default_rng(5).standard_normal((1, 90 * RATE)).astype(np.float32) * 0.1
    for samples in (PROGRAMME, noise, np.zeros((1, 100), np.float32), np.zeros((1, 0), np.float32)):
        assert searched(samples) is None


def test_not_a_number_is_nothing_heard(made: sound.Composed) -> None:
    samples = joined(made.samples, PROGRAMME).copy()
    samples[:, 5 * RATE] = np.nan
    samples[:, 6 * RATE] = np.inf
    found = measured(samples, made)
    assert found.state in {NoticeState.PERCEIVABLE, NoticeState.NOT_PERCEIVABLE}
    assert all(np.isfinite(value) for _, value in found.figures)
    searched(samples)
