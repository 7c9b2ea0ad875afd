"""Searching a sound for a notice that nobody recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aikz_label.label import Origin
from aikz_label.notice.sound import earcon, matching
from aikz_label.notice.sound.composing import KIND, LEAD, Script
from aikz_label.notice.sound.finding import APART, OPENING, Finder, Place, Placement
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.listening import Heard, listen
from aikz_label.notice.sound.measuring import figures_of, in_other_tempo
from aikz_label.profile import PROFILES, load_profile
from aikz_label.profile.sound import LISTENED, SoundProfile
from aikz_label.report import Found, Measurement, NoticeState, message
from aikz_label.texts import LANGUAGES
from aikz_label.values import dataclass, replace

_CHUNK = 60.0  # seconds that are searched for the signal at a time
_OVERLAP = 3.0
_LIKELY = 0.6  # likeness of a signal after which sentences are listened for
_MOST = 6  # places where they are; more than that are given up
_ALONE = 0.94  # likeness from which a signal without words of ours is one; Morse code in its tones has up to 0.91
_HALF = 0.5  # share of a sentence that makes it heard
_WHOLE = 0.9
_AFTER = 20.0  # seconds behind a signal in which the sentences are


@dataclass(frozen=True, slots=True)
class _Signal:
    """A likely signal: its likeness, where it begins, and the length of its dits."""

    score: float
    at: float
    dit: float


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence somewhere: in which language and form, and where."""

    language: str
    origin: Origin
    brief: bool
    found: matching.Sentence

    @property
    def strength(self) -> float:
        """How much of it is there, and how clearly."""
        return self.found.score * self.found.whole


def search(
    blocks: Iterable[Samples], rate: int, layout: str, profile: SoundProfile
) -> Found | None:
    """Look for a notice in the first `LISTENED` seconds of a sound.

    Args:
        blocks: The sound, `(channels, n)` each; what it raises passes through.
        rate: Sampling rate, Hz.
        layout: Channel layout, as FFmpeg writes it.
        profile: Numbers it must reach.

    Returns:
        The notice; with the state `unknown` when more places sound like its signal than are listened to; `None` when there
        is none that this can hear.
    """
    heard = listen(blocks, rate, layout, [(0.0, LISTENED)])
    signals = sorted(_signals(heard), key=lambda one: -one.score)
    for signal in signals[:_MOST]:
        start, samples = heard.piece(signal.at, signal.at + _AFTER)
        said = _sentences(start, samples, profile)
        if said:
            return _measured(heard, signal, said, signals, profile)
    start, opening = heard.piece(0.0, OPENING)
    said = _sentences(start, opening, profile)
    # without a signal one of them must be there nearly whole: a few of the words may be about something else
    if any(one.found.said >= profile.min_whole for one in said):
        return _measured(heard, None, said, signals, profile)
    if signals and signals[0].score >= _ALONE:
        return _signal_alone(heard, signals[0], profile)
    if len(signals) > _MOST:
        return Found(Measurement(NoticeState.UNKNOWN), kind=KIND)
    return _in_other_tempo(heard, profile)


def _signals(heard: Heard) -> Iterator[_Signal]:
    """Everything that is a little like the signal of some profile."""
    dits = _dits()
    begin = 0.0
    while begin < max(heard.seconds, 0.1):
        start, samples = heard.piece(begin, begin + _CHUNK + _OVERLAP)
        ear = earcon.Ear(samples)
        for dit in dits:
            for found in ear.best(dit, _MOST + 1):
                if found.score >= _LIKELY and found.at < _CHUNK:
                    yield _Signal(found.score, start + found.at, dit)
        begin += _CHUNK


def _sentences(begin: float, samples: Samples, profile: SoundProfile) -> list[_Said]:
    """The sentences heard in a stretch, in their order: of each language the likeliest form and origin."""
    band = matching.in_band(samples)
    best: dict[str, _Said] = {}
    for language in LANGUAGES:
        for origin in Origin:
            for brief in (False, True):
                found = matching.find(band, matching.template(language, origin, brief=brief))
                if found is None or found.score < profile.min_clip or found.whole < _HALF:
                    continue
                said = _Said(language, origin, brief, replace(found, at=found.at + begin))
                if language not in best or said.strength > best[language].strength:
                    best[language] = said
    return sorted(best.values(), key=lambda one: one.found.at)


def _measured(
    heard: Heard,
    signal: _Signal | None,
    said: list[_Said],
    signals: list[_Signal],
    profile: SoundProfile,
) -> Found:
    """Measure as if a record had said what was found."""
    strongest = max(said, key=lambda one: one.strength)
    origin, brief = strongest.origin, strongest.brief
    languages = tuple(one.language for one in said)
    dit = signal.dit if signal else profile.dit_s
    parts = Script(origin, languages, dit).parts(brief=brief)
    length = parts[-1].start + parts[-1].seconds
    finder = Finder(heard, languages, origin, profile)
    if signal is None:
        starts = [said[0].found.at - parts[1].start]
    else:
        starts = [one.at - LEAD for one in _repeats(signals, signal, profile)]
    places = [
        finder.place(Placement(start, start + length, dit, brief), anywhere=False)
        for start in sorted(starts)
    ]
    figures = figures_of([p for p in places if p.clips] or places, heard, len(languages), profile)
    problems = profile.problems(figures)
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    sure = _sure(heard, strongest)
    return Found(
        Measurement(state, tuple(figures.items()), problems), origin if sure else None, KIND
    )


def _repeats(signals: list[_Signal], first: _Signal, profile: SoundProfile) -> Iterator[_Signal]:
    """The signal itself and those like it elsewhere; as many as are listened to."""
    yield first
    others = (s for s in signals if s is not first and s.dit == first.dit)
    for count, one in enumerate(others):
        if one.score >= profile.min_earcon and count < _MOST:
            yield one


def _sure(heard: Heard, said: _Said) -> bool:
    """Whether the sentence is clearly not that of the other origin, whose first words are the same."""
    if said.found.said < _WHOLE:  # the word that tells them apart may be what is missing
        return False
    _, samples = heard.piece(said.found.at - 1.0, said.found.at + 6.0)
    band = matching.in_band(samples)
    for origin in Origin:
        if origin is not said.origin:
            other = matching.find(band, matching.template(said.language, origin, brief=said.brief))
            if other is not None and other.score * other.whole > said.strength - APART:
                return False
    return True


def _in_other_tempo(heard: Heard, profile: SoundProfile) -> Found | None:
    """The signal at the start, too fast or too slow; what is said behind it nobody here can make out."""
    for dit in _dits():
        place = in_other_tempo(heard, Placement(0.0, _AFTER, dit, brief=False), _ALONE)
        if place is not None:
            figures = figures_of([place], heard, 1, profile)
            problems = profile.problems(figures)
            measured = Measurement(NoticeState.NOT_PERCEIVABLE, tuple(figures.items()), problems)
            return Found(measured, None, KIND)
    return None


def _dits() -> list[float]:
    """The lengths of the short tone of all profiles."""
    return sorted({load_profile(name).sound.dit_s for name in PROFILES})


def _signal_alone(heard: Heard, signal: _Signal, profile: SoundProfile) -> Found:
    """The signal, and behind it no words that we know: somebody's own voice, or nobody's."""
    length = earcon.seconds(signal.dit)
    place = Place(max(0.0, signal.at - LEAD), signal.at + length, signal.score, 1.0, (), 0.0, 0.0)
    figures = figures_of([place], heard, 1, profile)
    problems = (message("notice.signal-alone"),)
    return Found(
        Measurement(NoticeState.NOT_PERCEIVABLE, tuple(figures.items()), problems), None, KIND
    )
