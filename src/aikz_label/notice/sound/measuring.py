"""Measuring the notice that a record describes: signal, sentences, loudness, background, place and pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from aikz_label.label import Origin
from aikz_label.notice.sound import earcon
from aikz_label.notice.sound.composing import LEAD
from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.finding import AROUND, OPENING, Finder, Place, Placement, placements
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.listening import Heard, Listener, Stretch, listen
from aikz_label.profile.sound import LISTENED, SoundProfile
from aikz_label.report import Measurement, Notice, NoticeState

_TEMPOS = (0.98, 1.02, *(1.04**n for n in range(-17, 29) if n))  # 0.51 to 3: what players offer
_SURE = 0.85  # of a tempo that was looked for in forty ways
_MOST = 30  # notices in what is listened to: every 24 seconds; each costs a third of a second
_TOLD = 1.0  # seconds of a notice that must be there for anything to be said of it
_BETTER = 0.01  # likeness by which another tempo must be more like the signal than its own


class Listening:
    """Measures a notice while its sound streams by, to the end; for whoever decodes it anyway.

    Args:
        rate: Sampling rate, Hz.
        layout: Channel layout, as FFmpeg writes it.
        notice: The record.
        origin: What the notice must say.
        profile: Numbers it must reach.
        programme: How loud the rest is, where that is known: then nobody listens to it again.
    """

    def __init__(
        self,
        rate: int,
        layout: str,
        notice: Notice,
        origin: Origin,
        profile: SoundProfile,
        programme: float | None = None,
    ) -> None:
        self._notice, self._origin, self._profile = notice, origin, profile
        first, *again = placements(notice) or (None,)
        self._kept = max(OPENING, first.start if first else 0.0)
        self._again = deque(again)
        self._found: list[Place] = []
        self._listener = Listener(
            rate, layout, _stretches(notice), programme=programme, passed=self._passed
        )

    def push(self, block: Samples) -> None:
        """Take the next samples, `(channels, n)`."""
        self._listener.push(block)

    def skips(self, length: int) -> bool:
        """Whether nobody needs the next samples; then they count as taken."""
        return self._listener.skips(length)

    def finish(self) -> Measurement:
        """The measurement. Nothing can be pushed afterwards."""
        heard = self._listener.finish()
        return _measured(heard, self._notice, self._origin, self._profile, self._found)

    def _passed(self, heard: Heard) -> bool:
        """Look for a repeated notice as soon as it is over, so that nothing is kept of it; the first may be late."""
        begin, samples = heard.pieces[0]
        if begin <= self._kept:
            return False
        finder = Finder(heard, self._notice.languages, self._origin, self._profile)
        end = begin + len(samples) / HEARING_RATE
        while self._again and self._again[0].start < end:
            one = self._again.popleft()
            if begin <= one.start < heard.seconds - _TOLD:
                self._found.append(finder.place(one, anywhere=False))
        return True


def measure(
    blocks: Iterable[Samples],
    rate: int,
    layout: str,
    notice: Notice,
    origin: Origin,
    profile: SoundProfile,
) -> Measurement:
    """Measure a notice in the first `LISTENED` seconds of a sound.

    Args:
        blocks: The sound, `(channels, n)` each; what it raises passes through.
        rate: Sampling rate, Hz.
        layout: Channel layout, as FFmpeg writes it.
        notice: The record; one that makes no sense, or promises more notices than anybody would listen to, gives the state
            `unknown`.
        origin: What the notice must say.
        profile: Numbers it must reach.
    """
    if sum(place.start < LISTENED for place in placements(notice)) > _MOST:
        return Measurement(NoticeState.UNKNOWN)
    heard = listen(blocks, rate, layout, _stretches(notice))
    return _measured(heard, notice, origin, profile)


def _stretches(notice: Notice) -> Iterator[Stretch]:
    yield 0.0, OPENING
    for place in placements(notice):
        yield place.start - AROUND, place.end + AROUND


def _measured(
    heard: Heard,
    notice: Notice,
    origin: Origin,
    profile: SoundProfile,
    behind: Sequence[Place] = (),
) -> Measurement:
    """The measurement; `behind` are the last notices where they were looked for on the way."""
    wanted = [p for p in placements(notice) if p.start < max(heard.seconds - _TOLD, 1.0)]
    if not wanted or not notice.languages:
        return Measurement(NoticeState.UNKNOWN)
    search = Finder(heard, notice.languages, origin, profile)
    here = wanted[: max(1, len(wanted) - len(behind))]
    found = [search.place(one, anywhere=one is wanted[0]) for one in here] + [*behind]
    if len(found[0].clips) < len(notice.languages) or found[0].whole < profile.min_whole:
        least = max(_SURE, found[0].signal + _BETTER)
        found[0] = in_other_tempo(heard, wanted[0], least) or found[0]
    figures = figures_of(found, heard, len(notice.languages), profile)
    problems = profile.problems(figures)
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return Measurement(state, tuple(figures.items()), problems)


def figures_of(
    places: list[Place], heard: Heard, languages: int, profile: SoundProfile
) -> dict[str, float]:
    """The worst of each figure over the places where something was heard."""
    there = [place for place in places if place.there]
    figures = {
        "earcon": min((p.signal for p in there), default=0.0),
        "languages": float(languages),
        "languages_heard": float(min((len(p.clips) for p in there), default=0)),
        "clip": min((min(p.clips, default=0.0) for p in there), default=0.0),
        "whole": min((p.whole for p in there), default=0.0),
        "tempo": max((p.tempo for p in there), key=lambda t: max(t, 1 / t), default=1.0),
        "background_db": min((p.background for p in there), default=0.0),
        "late_s": max(0.0, there[0].start) if there else 0.0,
        "gap_s": _longest_gap(there, heard.seconds),
        "listened_s": heard.seconds,
    }
    if there:
        figures |= _loudness(there, heard, profile)
    return {name: round(value, 3) for name, value in figures.items()}


def _loudness(there: list[Place], heard: Heard, profile: SoundProfile) -> dict[str, float]:
    spoken = heard.loudness.integrated(*((p.start + LEAD, p.end) for p in there))
    edges = [0.0, *(edge for p in there for edge in (p.start, p.end)), heard.seconds]
    between = tuple(zip(edges[::2], edges[1::2], strict=True))
    programme = heard.programme
    if programme is None:
        programme = heard.loudness.integrated(*between)
    spoken, programme = (min(max(level, -99.0), 20.0) for level in (spoken, programme))
    louder = spoken - profile.reference(programme)
    return {"spoken_lufs": spoken, "programme_lufs": programme, "louder_by": louder}


def _longest_gap(there: list[Place], seconds: float) -> float:
    edges = [0.0, *(edge for p in there for edge in (p.start, p.end)), seconds]
    return max(stop - start for start, stop in zip(edges[::2], edges[1::2], strict=True))


def in_other_tempo(heard: Heard, wanted: Placement, least: float) -> Place | None:
    """The signal alone, as a player or an editor speeds it up: with its pitch, or without.

    `None` where it is no more like any of these than `least`.
    """
    slowest = earcon.seconds(wanted.dit) / _TEMPOS[2]
    begin, near = heard.piece(wanted.start - AROUND, wanted.start + slowest + AROUND)
    plain = earcon.Ear(near)
    best, how = earcon.Heard(0.0, 0.0), 1.0
    for tempo in _TEMPOS:
        for ear in (plain, earcon.Ear(near, tempo)):
            for found in ear.best(wanted.dit / tempo):
                if found.score > best.score:
                    best, how = found, tempo
    if best.score < least:
        return None
    length = (wanted.end - wanted.start) / how
    start = max(0.0, begin + best.at - LEAD / how)
    return Place(start, start + length, best.score, how, (), 0.0, 0.0)
