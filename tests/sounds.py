"""Programmes made by formula, and what notices on them are measured with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache

import av
import numpy as np

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import loudness
from aikz_label.notice.sound.layouts import Samples, channels
from aikz_label.profile import load_profile
from aikz_label.report import Measurement, Notice

KZ = load_profile("kz").sound
LANGUAGES = ("kk", "ru", "en")


@lru_cache(maxsize=16)
def music(rate: int, seconds: float, layout: str = "stereo", lufs: float = -16.0) -> Samples:
    """Chords with beats in tones near those of the signal, and noise."""
    random = np.random.default_rng(7)
    time = np.arange(int(seconds * rate)) / rate
    one = 0.05 * random.standard_normal(len(time))
    for tone, beat in ((220, 1), (277.2, 2), (329.6, 0.5), (880, 1.3), (1318, 0.7)):
        if tone < rate / 2:
            on = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * beat * time))
            one += 0.2 * on * np.sin(2 * np.pi * tone * time * (1 + 0.0005 * np.sin(5 * time)))
    block = np.stack([np.roll(one, 200 * i) for i in range(channels(layout))]).astype(np.float32)
    block *= 10 ** ((lufs - loudness.measure(block, rate, layout)) / 20)
    block.setflags(write=False)
    return block


@lru_cache(maxsize=8)
def spoken(
    rate: int = 16_000,
    layout: str = "mono",
    lufs: float = -16.0,
    origin: Origin = Origin.CREATED,
    languages: tuple[str, ...] = LANGUAGES,
    profile: str = "kz",
    *,
    short: bool = False,
) -> sound.Composed:
    """A notice for such a programme."""
    numbers = load_profile(profile).sound
    script = sound.script(origin, languages, numbers)
    return sound.compose(script, rate, layout, lufs, numbers, short=short)


def record(made: sound.Composed, *starts: float) -> Notice:
    """The record of a notice at these seconds."""
    places = tuple(made.placement(start) for start in starts or (0.0,))
    return Notice("spoken", made.script.languages, "kz-1", "kz/1", places)


def blocks(samples: Samples, size: int = 1024) -> Iterator[Samples]:
    """A sound as a decoder hands it over."""
    for first in range(0, samples.shape[1], size):
        yield samples[:, first : first + size]


def measured(
    samples: Samples,
    made: sound.Composed,
    *starts: float,
    layout: str = "mono",
    origin: Origin = Origin.CREATED,
) -> Measurement:
    """What measuring a sound gives for the record of a notice."""
    notice = record(made, *starts)
    return sound.measure(blocks(samples), made.rate, layout, notice, origin, KZ)


def codes(measurement: Measurement) -> list[str]:
    """The anti-patterns found."""
    return [problem.code.partition(".")[2] for problem in measurement.problems]


def coded(samples: Samples, sampling: int, how: tuple[str, str, int, int]) -> bytes:
    """A mono sound through a codec, in a container, at a rate and with so many bits a second."""
    codec, kind, rate, bit_rate = how
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        if bit_rate:
            stream.bit_rate = bit_rate
        shape = stream.codec_context.format.name
        resampler = av.AudioResampler(shape, "mono", rate, stream.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = sampling
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            for packet in stream.encode(part):
                file.mux(packet)
    return buffer.getvalue()
