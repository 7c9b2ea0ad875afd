"""A marked file that somebody tampers with and sends on: its marker is gone, and what hinders the notice is still told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import sound_files
from aikz_label import Label, Verdict, mark, verify
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.notice.sound.layouts import Samples
from sounds import coded, music

RATE = 16_000
PROGRAMME = music(RATE, 14, "mono")
# The parts of a notice in three languages: signal, then Kazakh, Russian, English, seconds.
RUSSIAN, ENGLISH = 5.25, 8.65

WAYS = {
    "Opus, 16 kbit/s": ("libopus", "ogg", 48_000, 16_000),
    "MP3, 64 kbit/s": ("libmp3lame", "mp3", 44_100, 64_000),
    "telephone": ("pcm_mulaw", "wav", 8000, 0),
    "noise": ("pcm_s16le", "wav", RATE, 0),
}


def sent(samples: Samples, way: str) -> bytes:
    """The sound as it arrives."""
    if way == "noise":  # 26 dB softer
        random = np.random.default_rng(1).standard_normal(samples.shape)
        samples = samples + 0.05 * samples.std() * random.astype(np.float32)
    return coded(samples, RATE, WAYS[way])


@pytest.fixture(scope="module")
def marked(identity_folder, config: Config) -> tuple[Samples, int]:  # type: ignore[no-untyped-def]
    """What is heard of a marked MP3, and how long its notice is."""
    data = sound_files.mp3(PROGRAMME)
    done = mark(data, None, Label(origin=Origin.CREATED), config=config, languages="kk,ru,en")
    assert done.data is not None
    assert done.report.marker.notice is not None
    (place,) = done.report.marker.notice.placements
    return sound_files.heard(done.data).astype(np.float32), place["samples"]


def at(seconds: float) -> int:
    return int(seconds * RATE)


def softer(sound: Samples, length: int) -> Samples:
    return np.concatenate((0.3 * sound[:, :length], sound[:, length:]), axis=1)


def under_music(sound: Samples, length: int) -> Samples:
    mixed = sound.copy()
    mixed[:, :length] += 0.4 * PROGRAMME[:, :length]
    return mixed


def later(sound: Samples, length: int) -> Samples:
    return np.concatenate((PROGRAMME[:, : at(8)], sound), axis=1)


def faster(sound: Samples, length: int) -> Samples:
    places = np.arange(0, length - 1, 1.25)
    notice = np.interp(places, np.arange(length), sound[0, :length]).astype(np.float32)
    return np.concatenate((notice[None, :], sound[:, length:]), axis=1)


def without_its_end(sound: Samples, length: int) -> Samples:
    return np.concatenate((sound[:, : at(10.5)], sound[:, length:]), axis=1)


def without_its_last_word(sound: Samples, length: int) -> Samples:
    """Only Kazakh, up to the word that says what AI did."""
    return np.concatenate((sound[:, : at(4.0)], sound[:, length:]), axis=1)


def without_its_beginning(sound: Samples, length: int) -> Samples:
    return sound[:, at(2.5) :]


def without_russian(sound: Samples, length: int) -> Samples:
    silent = sound.copy()
    silent[:, at(RUSSIAN - 0.1) : at(ENGLISH - 0.1)] = 0
    return silent


TAMPERED: dict[str, tuple[Callable[[Samples, int], Samples], str, Origin | None]] = {
    "softer": (softer, "too-quiet", Origin.CREATED),
    "under music": (under_music, "masked", Origin.CREATED),
    "later": (later, "too-late", Origin.CREATED),
    "faster": (faster, "sped-up", None),
    "without its end": (without_its_end, "broken-off", Origin.CREATED),
    "without its last word": (without_its_last_word, "broken-off", None),
    "without its beginning": (without_its_beginning, "broken-off", Origin.CREATED),
    "without Russian": (without_russian, "missing-language", Origin.CREATED),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_notice_is_heard_wherever_it_is_sent(
    way: str, marked: tuple[Samples, int], config: Config
) -> None:
    report = verify(sent(marked[0], way), config=config, measure=True)
    assert report.verdict is Verdict.INCOMPLETE  # without a marker
    found = report.evidence.found
    assert found is not None
    assert (found.origin, found.measurement.problems) == (Origin.CREATED, ())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TAMPERED)
def test_what_hinders_it_is_told(
    name: str, way: str, marked: tuple[Samples, int], config: Config
) -> None:
    tamper, code, origin = TAMPERED[name]
    report = verify(sent(tamper(*marked), way), config=config, measure=True)
    assert report.verdict is Verdict.INCOMPLETE
    found = report.evidence.found
    assert found is not None
    assert [problem.code for problem in found.measurement.problems] == [f"notice.{code}"]
    assert found.origin is origin
    failed = [finding.message.code for finding in report.findings if finding.status == "fail"]
    assert any(code in one or "notice" in one for one in failed)
