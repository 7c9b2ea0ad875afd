"""Listening to a sound whose programme is known: only around notices, and nothing is kept of those that are over."""

from __future__ import annotations

import numpy as np
import pytest

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound.listening import Heard, Listener
from aikz_label.profile import load_profile
from aikz_label.report import Notice

KZ = load_profile("kz").sound
RATES = (8_000, 11_025, 44_100, 48_000)


def programme(seconds: float, rate: int) -> sound.Samples:
    """A voice-like sound that is nowhere the same."""
    random = np.random.default_rng(5)
    time = np.arange(round(seconds * rate)) / rate
    swelling = 0.05 * (1 + np.sin(2 * np.pi * 0.3 * time)) * np.sin(2 * np.pi * 440 * time)
    one = swelling + 0.02 * random.standard_normal(len(time))
    return np.stack([one, np.roll(one, 40)]).astype(np.float32)


def pushed(listener: Listener | sound.Listening, samples: sound.Samples, step: int) -> None:
    for first in range(0, samples.shape[1], step):
        block = samples[:, first : first + step]
        if not listener.skips(block.shape[1]):
            listener.push(block)


@pytest.mark.parametrize("rate", RATES)
def test_what_is_heard_around_a_stretch_is_what_is_heard_in_all(rate: int) -> None:
    samples = programme(40, rate)
    keep = [(0.0, 3.0), (20.4, 26.7)]
    whole = Listener(rate, "stereo", keep)
    parts = Listener(rate, "stereo", keep, programme=-23.0)
    for listener in (whole, parts):
        pushed(listener, samples, 4096)
    heard, alone = whole.finish(), parts.finish()
    assert [at for at, _ in alone.pieces] == [at for at, _ in heard.pieces] == [0.0, 20.4]
    for (_, left), (_, right) in zip(heard.pieces, alone.pieces, strict=True):
        assert len(left) == len(right)
        assert np.abs(left - right).max() < 1e-4
    assert alone.seconds == heard.seconds == 40
    for stretch in keep:
        known = heard.loudness.integrated(stretch)
        assert alone.loudness.integrated(stretch) == pytest.approx(known, abs=0.02)
    assert (heard.programme, alone.programme) == (None, -23.0)


def test_nobody_listens_between_stretches() -> None:
    listener = Listener(8_000, "mono", [(0.0, 2.0), (30.0, 32.0)], programme=-20.0)
    block = np.zeros((1, 8_000), np.float32)
    skipped = []
    for second in range(40):
        skipped.append(listener.skips(8_000))
        if not skipped[second]:
            listener.push(block)
    assert all(skipped[4:28])
    assert not any(skipped[:3] + skipped[29:33])
    assert listener.finish().seconds == 40


def test_what_is_over_can_be_forgotten() -> None:
    asked: list[float] = []

    def passed(heard: Heard) -> bool:
        asked.append(heard.pieces[0][0])
        return len(asked) > 1

    keep = [(float(start), start + 2.0) for start in (0, 10, 20, 30)]
    listener = Listener(8_000, "mono", keep, passed=passed)
    pushed(listener, programme(40, 8_000)[:1], 1000)
    assert [at for at, _ in listener.finish().pieces] == [0.0]
    assert asked == [0.0, 10.0, 20.0, 30.0]


@pytest.mark.parametrize("known", [True, False])
def test_repeated_notices_measure_the_same_on_the_way_and_at_the_end(*, known: bool) -> None:
    rate, part = 16_000, programme(90, 16_000)
    meter = sound.Meter(rate, "stereo")
    for _ in range(3):
        meter.push(part)
    loudness = meter.finish().integrated()
    made = sound.compose(
        sound.script(Origin.CREATED, ("kk", "ru"), KZ), rate, "stereo", loudness, KZ
    )
    quiet = made.samples * np.float32(0.3)  # the last one is too soft
    finished = np.concatenate([made.samples, part, made.samples, part, quiet, part], axis=1)
    step = made.seconds + 90
    places = tuple(made.placement(number * step) for number in range(3))
    record = Notice("spoken", ("kk", "ru"), "kz-1", "kz/1", places)
    listening = sound.Listening(
        rate, "stereo", record, Origin.CREATED, KZ, loudness if known else None
    )
    pushed(listening, finished, 1 << 15)
    found = listening.finish()
    blocks = [finished[:, first : first + rate] for first in range(0, finished.shape[1], rate)]
    whole = sound.measure(blocks, rate, "stereo", record, Origin.CREATED, KZ)
    assert found.problems == whole.problems
    assert dict(found.figures) == pytest.approx(dict(whole.figures), abs=0.06)


@pytest.mark.parametrize("known", [True, False])
def test_a_first_notice_on_record_behind_the_first_minute_is_late_not_unheard(
    *, known: bool
) -> None:
    rate, part = 16_000, programme(90, 16_000)
    meter = sound.Meter(rate, "stereo")
    meter.push(part)
    loudness = meter.finish().integrated()
    made = sound.compose(sound.script(Origin.CREATED, ("kk",), KZ), rate, "stereo", loudness, KZ)
    record = Notice("spoken", ("kk",), "kz-1", "kz/1", (made.placement(90.0),))
    listening = sound.Listening(
        rate, "stereo", record, Origin.CREATED, KZ, loudness if known else None
    )
    pushed(listening, np.concatenate([part, made.samples, part], axis=1), 1 << 15)
    assert [problem.code for problem in listening.finish().problems] == ["notice.too-late"]
