"""Finding one notice: first its signal, then each sentence where the signal says it must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from aikz_label.label import Origin
from aikz_label.notice.sound import earcon, matching, prints
from aikz_label.notice.sound.composing import DESIGN, Part, parts
from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.listening import Heard, Stretch
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Notice
from aikz_label.values import dataclass, field, replace

OPENING = 60.0  # seconds from the start that are kept: a notice that is late is still found
AROUND = 3.0  # seconds that a notice may have moved on the way
_LONGEST = 120.0  # seconds of a notice; what a record claims beyond that is nonsense
_DITS = (0.03, 0.5)
_CLOSE = 1.0  # seconds around the place where a sentence is expected after the signal
_HALF = 0.5  # share of a sentence that makes it heard
_DEEPEST = 60.0  # dB; a background below that is silence
# Likeness by which the sentence promised may be behind that of the other origin; they share their first words.
APART = 0.03


@dataclass(frozen=True, slots=True)
class Placement:
    """A notice on record, its numbers checked; `voices` are prints of sentences that are not ours, by language."""

    start: float
    end: float
    dit: float
    brief: bool
    voices: Mapping[str, str] = field(default_factory=dict)

    def parts(self, origin: Origin, languages: tuple[str, ...]) -> tuple[Part, ...]:
        """What sounds when."""
        return parts(self.dit, ((name, self._seconds(name, origin)) for name in languages))

    def _seconds(self, language: str, origin: Origin) -> float:
        if language in self.voices:
            return prints.seconds(self.voices[language])
        return len(matching.template(language, origin, brief=self.brief)) / HEARING_RATE


@dataclass(frozen=True, slots=True)
class Place:
    """One notice as it was found.

    Attributes:
        start: Where it begins, seconds.
        end: Where it ends.
        signal: Likeness of the earcon.
        tempo: How much faster it is than on record.
        clips: Likeness of each sentence that is heard.
        whole: Least share of a sentence that is heard at all.
        background: How much softer the gaps between its parts are, dB.
    """

    start: float
    end: float
    signal: float
    tempo: float
    clips: tuple[float, ...]
    whole: float
    background: float

    @property
    def there(self) -> bool:
        """Something of it is."""
        return self.signal > 0 or bool(self.clips)


def placements(notice: Notice) -> tuple[Placement, ...]:
    """The spoken notices of a record in the order of time, those with impossible numbers left out."""
    found = [placement_of(record) for record in notice.placements if record.get("design") == DESIGN]
    return tuple(sorted((p for p in found if p is not None), key=lambda p: p.start))


def placement_of(record: Mapping[str, Any]) -> Placement | None:
    """A notice on record; `None` when its numbers are impossible."""
    start, end, dit = (record.get(key) for key in ("start", "end", "dit"))
    numbers = [
        n for n in (start, end, dit) if isinstance(n, int | float) and not isinstance(n, bool)
    ]
    if len(numbers) != 3:
        return None
    first, last, unit = map(float, numbers)
    sane = 0 <= first < last <= first + _LONGEST and first < 1e7 and _DITS[0] <= unit <= _DITS[1]
    given = record.get("voices", {})
    voices = {str(k): str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}
    if not sane or not all(map(prints.is_print, voices.values())):
        return None
    return Placement(first, last, unit, record.get("form") == "short", voices)


class Finder:
    """Looks for a notice: around the place where it should be, and in the opening for the first one.

    Args:
        heard: The sound.
        languages: Languages promised.
        origin: What the notice must say.
        profile: From which likeness on something is there.
    """

    def __init__(
        self, heard: Heard, languages: tuple[str, ...], origin: Origin, profile: SoundProfile
    ) -> None:
        self._heard, self._languages, self._origin = heard, languages, origin
        self._profile = profile

    def place(self, wanted: Placement, *, anywhere: bool) -> Place:
        """What is found; with `there` false when nothing is."""
        signal = self._signal(wanted, wanted.start - AROUND, wanted.end + AROUND)
        if signal is None and anywhere:
            signal = self._signal(wanted, 0.0, OPENING)
        planned = wanted.parts(self._origin, self._languages)
        start = wanted.start if signal is None else signal.at - planned[0].start
        begin, samples = self._heard.piece(
            start - AROUND, start + wanted.end - wanted.start + AROUND
        )
        stretch = _Stretch(begin, matching.in_band(samples))
        # the signal tells where each sentence is; without it they may be anywhere here
        said = {
            part: self._sentence(stretch, part, wanted, start if signal else None)
            for part in planned[1:]
        }
        heard = {part: one for part, one in said.items() if one and self._counts(one)}
        if signal is None and heard:
            first = next(iter(heard))
            start = heard[first].at - first.start
        return Place(
            start=max(0.0, start),
            end=min(start + wanted.end - wanted.start, self._heard.seconds),
            signal=signal.score if signal else 0.0,
            tempo=1.0,
            clips=tuple(one.score for one in heard.values()),
            whole=min((one.said for one in said.values() if one), default=0.0),
            background=stretch.background(
                (Part(p.name, s.at, p.seconds) for p, s in heard.items()),
                start + planned[0].start if signal else None,
                wanted.dit,
            ),
        )

    def _signal(self, wanted: Placement, start: float, stop: float) -> earcon.Heard | None:
        begin, samples = self._heard.piece(start, stop)
        for found in earcon.Ear(samples).best(wanted.dit):
            if found.score >= self._profile.min_earcon:
                return earcon.Heard(found.score, begin + found.at)
        return None

    def _counts(self, sentence: matching.Sentence) -> bool:
        return sentence.score >= self._profile.min_clip and sentence.whole >= _HALF

    def _sentence(
        self, stretch: _Stretch, part: Part, wanted: Placement, start: float | None
    ) -> matching.Sentence | None:
        """A sentence, if some of it is there and it is not rather that of the other origin."""
        near = stretch
        if start is not None:
            first = start + part.start
            near = stretch.near(first - _CLOSE, first + part.seconds + _CLOSE)
        if part.name in wanted.voices:
            return near.placed(prints.find(near.samples, wanted.voices[part.name]))
        found = {
            origin: near.placed(
                matching.find(
                    near.samples, matching.template(part.name, origin, brief=wanted.brief)
                )
            )
            for origin in Origin
        }
        promised = found.pop(self._origin)
        if promised is None or promised.score < self._profile.min_clip:
            return None
        others = [one.score * one.whole for one in found.values() if one]
        if max(others, default=0.0) > promised.score * promised.whole + APART:
            return None
        return promised


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """A part of a sound in the telephone's band, and where it begins, seconds."""

    begin: float
    samples: Samples

    def near(self, start: float, stop: float) -> _Stretch:
        """A part of it."""
        first = max(0, round((start - self.begin) * HEARING_RATE))
        last = max(first, round((stop - self.begin) * HEARING_RATE))
        return _Stretch(self.begin + first / HEARING_RATE, self.samples[first:last])

    def placed(self, found: matching.Sentence | None) -> matching.Sentence | None:
        """The same sentence, in seconds of the sound."""
        return replace(found, at=found.at + self.begin) if found else None

    def background(self, told: Iterable[Part], signal: float | None, dit: float) -> float:
        """How much softer it is between the parts that are heard than in them, dB.

        Args:
            told: The sentences where they are heard.
            signal: Where the signal begins, if it is heard.
            dit: Length of its short tone.
        """
        sounds: list[Stretch] = []
        gaps: list[Stretch] = []
        if signal is not None:
            sounds.append((signal, signal + earcon.seconds(dit)))
            gaps += _pauses(signal, dit)
        for part in told:
            sounds.append((part.start, part.start + part.seconds))
            gaps.append((part.start - 0.2, part.start - 0.05))
        loud, soft = self._power(sounds), self._power(gaps)
        if loud <= 0:
            return 0.0
        return float(min(_DEEPEST, 10 * np.log10(loud / max(soft, loud * 1e-9))))

    def _power(self, stretches: list[Stretch]) -> float:
        parts = [self.near(*one).samples for one in stretches]
        joined = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return float(np.mean(np.square(joined, dtype=np.float64))) if len(joined) else 0.0


def _pauses(signal: float, dit: float) -> Iterator[Stretch]:
    """Where a signal is silent, without the edges, over which codecs and rooms smear."""
    at = signal
    for i, units in enumerate(earcon.RHYTHM):
        if i % 2:
            yield at + 0.03, at + units * dit - 0.02
        at += units * dit
