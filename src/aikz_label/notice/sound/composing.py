"""Composing the notice for a programme: silence, the signal, the sentences, as loud as the programme and never clipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aikz_label.label import Origin
from aikz_label.notice.sound import earcon, loudness, recordings, speech
from aikz_label.notice.sound.layouts import Samples, gain_of, spread
from aikz_label.notice.sound.recordings import Recording
from aikz_label.notice.sound.resampling import oversampled, resample
from aikz_label.profile.sound import SoundProfile
from aikz_label.texts import LANGUAGES
from aikz_label.values import dataclass

DESIGN = "spoken/1"  # version of the rules below; a record names it
KIND = "spoken"
MIN_RATE = 8000  # Hz; below that speech is hard to understand
MAX_RATE = 1_536_000  # Hz; twice what any converter does, and a notice still takes some 150 MB a channel as numbers
LEAD = 0.15  # seconds of silence: players and codecs swallow the first moment
_AFTER_EARCON = 0.35
AFTER_SENTENCE = 0.3
_LEVEL = -23.0  # LUFS of every part before it is brought to the programme's
_CLIPS_RATE = (
    24_000  # Hz; the bundled clips end at 7 kHz, so nothing is lost by composing at this rate
)
_STEP = 0.001  # seconds of one step of the limiter's gain
_TRIES = 6  # a limiter takes loudness away, which is given back; it settles after three
_CLOSE = 0.1  # LU


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a notice: a sentence's language or `earcon`, and its place in the notice, seconds."""

    name: str
    start: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """What a notice says, before it is fitted to a programme.

    Attributes:
        origin: What it says about the origin.
        languages: In which languages, in order.
        dit: Length of the signal's short tone, seconds.
        voices: The user's own recordings by name of the clip they replace.
    """

    origin: Origin
    languages: tuple[str, ...]
    dit: float
    voices: tuple[tuple[str, Recording], ...] = ()

    def parts(self, *, brief: bool) -> tuple[Part, ...]:
        """What sounds when."""
        return parts(
            self.dit,
            (
                (language, len(self.sentence(language, brief=brief)) / speech.RATE)
                for language in self.languages
            ),
        )

    def sentence(self, language: str, *, brief: bool) -> Samples:
        """One sentence at `speech.RATE`."""
        recording = self.recording(language, brief=brief)
        if recording is not None:
            return recording.samples
        return speech.bundled(speech.name(language, self.origin, brief=brief))

    def recording(self, language: str, *, brief: bool) -> Recording | None:
        """The user's own recording of a sentence; the long one where the short one is wanted and missing."""
        own = dict(self.voices)
        called = speech.name(language, self.origin, brief=brief)
        return own.get(called) or own.get(speech.name(language, self.origin, brief=False))

    def prints(self, *, brief: bool) -> dict[str, str]:
        """Prints of the user's own recordings by language."""
        own = ((name, self.recording(name, brief=brief)) for name in self.languages)
        return {name: one.print for name, one in own if one is not None}

    @property
    def own_voice(self) -> bool:
        """Some sentence is not a bundled clip."""
        return bool(self.voices)


def parts(dit: float, sentences: Iterable[tuple[str, float]]) -> tuple[Part, ...]:
    """What sounds when, for a length of a dit and the sentences' languages and lengths in seconds."""
    found = [Part("earcon", LEAD, earcon.seconds(dit))]
    at = LEAD + earcon.seconds(dit) + _AFTER_EARCON
    for language, seconds in sentences:
        found.append(Part(language, at, seconds))
        at += seconds + AFTER_SENTENCE
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A notice fitted to a programme.

    Attributes:
        samples: `(channels, n)` at the programme's rate.
        rate: That rate, Hz.
        script: What it says.
        brief: In the short sentences.
        lufs: Its loudness.
    """

    samples: Samples
    rate: int
    script: Script
    brief: bool
    lufs: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples[0]) / self.rate

    def placement(self, start: float) -> dict[str, Any]:
        """The record of one notice, for the marker.

        Args:
            start: Where it begins in the finished file as it is played, seconds.
        """
        prints = self.script.prints(brief=self.brief)
        return {
            "design": DESIGN,
            "form": "short" if self.brief else "long",
            "start": round(start, 4),
            "end": round(start + self.seconds, 4),
            "dit": self.script.dit,
        } | ({"voices": prints} if prints else {})


def script(
    origin: Origin,
    languages: tuple[str, ...],
    profile: SoundProfile,
    voices: tuple[tuple[str, Path], ...] = (),
) -> Script:
    """What a notice says.

    Args:
        origin: What it says about the origin.
        languages: In which languages, in order.
        profile: The numbers of its signal.
        voices: The user's own recordings: paths by the name of the clip they replace.

    Raises:
        ConfigError: A recording cannot be used.
        OSError: It cannot be read.
    """
    assert set(languages) <= set(LANGUAGES)
    wanted = {
        speech.name(language, origin, brief=brief)
        for language in languages
        for brief in (False, True)
    }
    own = tuple(
        (called, recordings.load(path, brief=called.endswith("_short")))
        for called, path in voices
        if called in wanted
    )
    return Script(origin, languages, profile.dit_s, own)


def is_short(seconds: float, profile: SoundProfile) -> bool:
    """Whether a programme is so short that it gets the short sentences."""
    return seconds < profile.short_below_s


def compose(
    said: Script,
    rate: int,
    layout: str,
    programme: float,
    profile: SoundProfile,
    *,
    short: bool = False,
) -> Composed:
    """Make the notice for a programme.

    Args:
        said: What it says.
        rate: Sampling rate of the programme, Hz, from `MIN_RATE` to `MAX_RATE`.
        layout: Its channel layout, as FFmpeg writes it.
        programme: Its loudness, LUFS; `-inf` when it is silent.
        profile: How loud the notice is against it.
        short: Take the short sentences.
    """
    assert MIN_RATE <= rate <= MAX_RATE
    work = min(rate, speech.RATE if said.own_voice else _CLIPS_RATE)
    voice = _assembled(said, work, brief=short)
    target = max(profile.reference(programme) + profile.aim_louder_by, profile.aim_floor_lufs)
    voice = _levelled(voice, work, target - gain_of(layout), profile.aim_peak_dbtp)
    voice = resample(voice, work, rate)
    voice[: round((LEAD - 0.005) * rate)] = (
        0.0  # resampling rings, too softly to hear; silence is exact
    )
    samples = spread(voice, layout)
    heard = loudness.measure(samples, rate, layout)
    return Composed(samples, rate, said, short, heard)


def _assembled(said: Script, rate: int, *, brief: bool) -> Samples:
    """Every part in its place, all equally loud, on one channel."""
    parts = said.parts(brief=brief)
    last = parts[-1]
    voice = np.zeros(round((last.start + last.seconds + AFTER_SENTENCE) * rate), np.float32)
    for part, samples in zip(parts, _sounds(said, rate, brief=brief), strict=True):
        at = round(part.start * rate)
        level = 10 ** ((_LEVEL - loudness.measure(samples[None, :], rate, "mono")) / 20)
        room = voice[at : at + len(samples)]
        room += samples[: len(room)] * np.float32(level)
    return voice


def _sounds(said: Script, rate: int, *, brief: bool) -> Iterator[Samples]:
    yield earcon.draw(rate, said.dit)
    for language in said.languages:
        yield resample(said.sentence(language, brief=brief), speech.RATE, rate)


def _levelled(voice: Samples, rate: int, target: float, ceiling: float) -> Samples:
    """As loud as wanted, its peaks held under the ceiling.

    Speech swings far above its loudness. Beside a programme that is mastered loud it is held by a gain that looks ahead
    and moves slowly; what loudness that takes away is given back, as far as there is room.
    """
    fine, times = oversampled(voice, rate)
    peaks = _peaks(fine, round(_STEP * rate) * times)
    gain = target - loudness.measure(voice[None, :], rate, "mono")
    levelled = voice
    for _ in range(_TRIES):
        levelled = _limited(voice * np.float32(10 ** (gain / 20)), rate, peaks, gain, ceiling)
        missing = target - loudness.measure(levelled[None, :], rate, "mono")
        if abs(missing) < _CLOSE:
            break
        gain += missing
    return levelled


def _peaks(fine: Samples, step: int) -> Samples:
    """The highest swing in every step."""
    padded = np.pad(np.abs(fine), (0, -len(fine) % step))
    return np.asarray(padded.reshape(-1, step).max(axis=1), np.float32)


def _limited(samples: Samples, rate: int, peaks: Samples, gain: float, ceiling: float) -> Samples:
    """The samples under a gain that has come down before each peak and rises slowly after it."""
    highest = 10 ** (ceiling / 20)
    steps = np.minimum(1.0, highest / np.maximum(peaks * 10 ** (gain / 20), 1e-9))
    if steps.min() >= 1.0:
        return samples
    reach = 5  # steps, to each side
    padded = np.pad(steps, 2 * reach, mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1)
    smooth = np.convolve(least, np.hanning(2 * reach + 3)[1:-1] / (reach + 1), mode="valid")
    centres = (np.arange(len(smooth)) + 0.5) * round(_STEP * rate)
    curve = np.interp(np.arange(len(samples)), centres, smooth)
    return np.asarray(samples * curve, np.float32)
