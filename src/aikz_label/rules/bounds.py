"""What a check could not or did not look at, or what its answer rests on; printed with every result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aikz_label.profile import Profile
from aikz_label.profile.sound import LISTENED
from aikz_label.report import How, MarkerState, Message, Recoding, message, vouching
from aikz_label.rules.case import Case, Seen

_LISTENED = round(LISTENED / 60)


def limits(case: Case, profile: Profile) -> Iterator[Message]:
    """What this check could not or did not look at."""
    marker = case.evidence.marker
    if case.state in {MarkerState.ABSENT, MarkerState.CLAIMED} and case.evidence.problem is None:
        yield message("limits.unmarked")
        if not case.evidence.searched:
            yield message("limits.not-searched")
        if not case.evidence.decoded:
            yield message("limits.structure")
    if case.evidence.searched and case.drawn is None:
        given_up = case.evidence.found is not None
        if given_up:
            yield message("limits.search-given-up")
        elif case.family == "audio":
            yield message("limits.searched-sound", minutes=_LISTENED)
        elif case.family == "pdf":
            yield message("limits.searched-pages")
        else:
            yield message("limits.searched-text" if case.textual else "limits.searched")
    if case.notice.how is How.ATTESTED:
        yield message("limits.attested")
    yield from vouching.limits(marker)
    if case.notice.how is not How.NONE:
        yield from _reading_limits(case, profile)


def _reading_limits(case: Case, profile: Profile) -> Iterator[Message]:
    """What the answer about a notice rests on."""
    if case.evidence.format == "html":
        yield message("limits.rendering")
    if case.evidence.format in {"svg", "svgz"}:
        yield message("limits.drawing")
    if case.notice.how is How.MEASURED and _cut_short(case.notice):
        yield message("limits.listened", minutes=_LISTENED)
    if case.notice.how is How.MEASURED and case.family == "video":
        yield from _watched(dict(case.notice.figures))
    record = case.evidence.marker.notice
    if record is not None and any("voices" in place for place in record.placements):
        yield message("limits.own-voice")
    if record is not None and record.recoding is not None:
        yield _recoded(record.recoding)
    if case.evidence.format == "pdf":
        yield message("limits.pages")
    yield message("limits.profile", profile=profile.id)


def _watched(figures: Mapping[str, float]) -> Iterator[Message]:
    """Of a film that is too long, or soon seen to be wanting, how much was looked at."""
    promised = figures.get("covered", 0.0) * figures.get("duration_s", 0.0)
    looked = figures.get("looked_s", promised)
    if looked < promised - 1:
        yield message("limits.watched", looked=f"{looked:.0f}", whole=f"{promised:.0f}")


def _recoded(how: Recoding) -> Message:
    return message(
        "limits.recoded",
        before=how.before,
        before_kbits=f"{how.before_kbits:g}",
        after=how.after,
        after_kbits=f"{how.after_kbits:g}",
        snr=f"{how.snr_db:g}",
    )


def _cut_short(notice: Seen) -> bool:
    return dict(notice.figures).get("listened_s", 0.0) >= LISTENED - 1
