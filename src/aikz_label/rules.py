"""Judgement: evidence in, report out. Pure: no clock, no file, no engine.

Facts are gathered elsewhere; this is the only place where they become words. Each function below answers for one clause of
the law and returns its findings; `_verdict` then reads the findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aikz_label.formats import FORMATS
from aikz_label.label import IdKind, Imitates, Label, Origin
from aikz_label.profile import Profile
from aikz_label.profile.sound import LISTENED
from aikz_label.report import (
    Evidence,
    Finding,
    Found,
    How,
    Marker,
    MarkerState,
    Message,
    Mirror,
    NoticeState,
    Recoding,
    Report,
    Status,
    Verdict,
    message,
    vouching,
)
from aikz_label.texts import load_data

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status


_VERBS = {
    "text": "written",
    "spoken": "spoken",
    "stamp": "stamped",
}  # of a notice that nobody recorded, by its kind


@dataclass(frozen=True, slots=True)
class _Notice:
    """The notice as far as it is known."""

    state: NoticeState
    how: How = How.NONE
    figures: tuple[tuple[str, float], ...] = ()
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """Evidence with what every clause asks of it.

    Attributes:
        evidence: The facts.
        state: What the marker is worth; `claimed` when there are only unsigned statements.
        label: What an intact marker declares.
        claims: Unsigned statements about AI, where nothing signed declares an origin.
        notice: The notice as far as it is known.
        drawn: A notice that nobody recorded and that was found: the picture's own unsigned statement.
        aloud: A film that imitates a voice must say its notice too, by the profile.
    """

    evidence: Evidence
    state: MarkerState
    label: Label | None
    claims: tuple[Mirror, ...]
    notice: _Notice
    drawn: Found | None
    aloud: bool = False

    @property
    def verb(self) -> str:
        """How the notice came there that nobody recorded."""
        kind = self.drawn.kind if self.drawn is not None else ""
        return _VERBS.get(kind, "drawn")

    @property
    def textual(self) -> bool:
        """The file is a text."""
        return self.family == "text"

    @property
    def family(self) -> str:
        """Family of the format; empty when unknown."""
        row = FORMATS.get(self.evidence.format)
        return row.family if row is not None else ""

    @property
    def ai_used(self) -> bool:
        """An intact marker says that AI was used, and not how."""
        return self.label is None and self.evidence.marker.intact and self.evidence.marker.ai_used

    @property
    def unsettled(self) -> bool:
        """Nothing the file says counts: its marker does not hold, or it cannot be read."""
        return self.state is MarkerState.INVALID or self.evidence.problem is not None


def clauses() -> tuple[str, ...]:
    """Identifiers of all clauses, in the order of the report."""
    return tuple(load_data("clauses")["clause"])


def judge(evidence: Evidence, profile: Profile) -> Report:
    """Turn evidence into a report under a profile."""
    case = _case(evidence, profile)
    findings = tuple(finding for clause in _CLAUSES for finding in clause(case))
    verdict, reason = _verdict(case, findings)
    return Report(
        verdict=verdict,
        reason=reason,
        profile=profile.id,
        format=evidence.format,
        limits=tuple(_limits(case, profile)),
        marker=evidence.marker,
        marker_state=case.state,
        notice_state=case.notice.state,
        notice_how=case.notice.how,
        figures=case.notice.figures,
        declared=case.label,
        mirrors=evidence.mirrors,
        findings=findings,
        evidence=evidence,
    )


def _case(evidence: Evidence, profile: Profile) -> _Case:
    marker, state = evidence.marker, evidence.marker.state
    label = marker.label if marker.intact and not marker.malformed else None
    claims: tuple[Mirror, ...] = ()
    if label is None and state is not MarkerState.INVALID:
        claims = tuple(m for m in evidence.mirrors if m.origin)
    if claims and state is MarkerState.ABSENT:
        state = MarkerState.CLAIMED
    found = evidence.found
    drawn = found if found is not None and found.there and evidence.problem is None else None
    notice = _notice(evidence, profile)
    return _Case(evidence, state, label, claims, notice, drawn, profile.film.voice_aloud)


def _notice(evidence: Evidence, profile: Profile) -> _Notice:
    """Measured beats attested; attested counts only from a trusted signer of exactly these bytes."""
    measured, record = evidence.measurement, evidence.marker.notice
    if measured is not None:
        seen = measured.state not in {NoticeState.UNKNOWN, NoticeState.NOT_APPLICABLE}
        how = How.MEASURED if seen else How.NONE
        return _Notice(measured.state, how, measured.figures, measured.problems)
    if record is None:
        return _Notice(NoticeState.UNKNOWN)
    if record.kind == "none":
        return _Notice(NoticeState.ABSENT)
    if evidence.marker.state is not MarkerState.TRUSTED:
        return _Notice(NoticeState.UNKNOWN)
    row = FORMATS.get(evidence.format)
    problems = profile.problems(
        record.kind,
        dict(record.figures),
        film=row is not None and row.family == "video",
        spoken=record.spoken,
    )
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return _Notice(state, How.ATTESTED, record.figures, problems)


def _verdict(case: _Case, findings: tuple[Finding, ...]) -> tuple[Verdict, Message]:
    """The one word, and the message of the finding that decided it."""
    by_clause: dict[str, Finding] = {}
    for finding in findings:
        by_clause.setdefault(finding.clause, finding)
    if case.state is MarkerState.INVALID:
        return Verdict.INVALID, by_clause["kz.21.2.marker"].message
    if case.evidence.problem is not None:
        return Verdict.UNREADABLE, case.evidence.problem
    if by_clause["kz.22.2.unambiguous"].status is FAIL:
        return Verdict.INVALID, by_clause["kz.22.2.unambiguous"].message
    said = case.label is not None or case.ai_used
    declared = said or bool(case.claims) or case.drawn is not None
    if not declared and not case.evidence.marker.malformed:
        marker = case.evidence.marker
        elsewhere = "remote" if marker.problem == "remote" else "unmarked"
        return Verdict.UNMARKED, message(f"verdict.{'silent' if marker.intact else elsewhere}")
    for clause in _DECIDING:
        if by_clause[clause].status is not PASS:
            return Verdict.INCOMPLETE, by_clause[clause].message
    return Verdict.LABELLED, message("verdict.labelled")


# A file is labelled when each of these passes; the first that does not is the reason given.
_DECIDING = (
    "kz.21.2.marker",
    "kz.1.4.declared",
    "kz.21.2.notice",
    "kz.21.2.unhindered",
    "kz.21.3.responsible",
    "kz.22.1.recognised",
    "kz.22.2.bound",
    "kz.22.2.unambiguous",
)


def _declared(case: _Case) -> Iterator[Finding]:
    clause, marker = "kz.1.4.declared", case.evidence.marker
    if case.label is not None:
        text = message("declared.signed", origin_word=str(case.label.origin))
        yield Finding(clause, PASS, text, marker.carrier)
    elif marker.malformed:
        yield Finding(clause, FAIL, message("declared.malformed"), marker.carrier)
    elif case.claims:
        for mirror in case.claims:
            text = message("declared.claimed", origin_word=_word(mirror.origin))
            yield Finding(clause, UNKNOWN, text, f"{mirror.carrier}: {mirror.name}")
    elif case.drawn is not None and case.drawn.origin is not None:
        text = message(f"declared.{case.verb}", origin_word=str(case.drawn.origin))
        yield Finding(clause, UNKNOWN, text, case.drawn.kind)
    elif case.drawn is not None:
        yield Finding(clause, UNKNOWN, message(f"declared.{case.verb}-unclear"), case.drawn.kind)
    elif case.ai_used:
        yield Finding(clause, UNKNOWN, message("declared.unspecified"), marker.carrier)
    elif marker.intact:
        yield Finding(clause, UNKNOWN, message("declared.other"), marker.carrier)
    elif case.unsettled:
        yield Finding(clause, UNKNOWN, message("declared.not-checked"))
    else:
        yield Finding(clause, UNKNOWN, message("declared.absent"))


def _marker(case: _Case) -> Iterator[Finding]:
    clause, marker = "kz.21.2.marker", case.evidence.marker
    match case.state:
        case MarkerState.TRUSTED | MarkerState.UNTRUSTED | MarkerState.INVALID:
            status = PASS if case.state is MarkerState.TRUSTED else FAIL
            yield Finding(clause, status, vouching.marker_message(marker), marker.carrier)
            for also, text in vouching.about_marker(marker):  # the first one decides
                yield Finding(clause, also, text, marker.carrier)
        case MarkerState.CLAIMED:
            yield Finding(clause, FAIL, message("marker.claimed"))
        case MarkerState.ABSENT if case.drawn is not None:
            yield Finding(clause, FAIL, message(f"marker.{case.verb}"))
        case MarkerState.ABSENT:
            yield Finding(clause, UNKNOWN, message(f"marker.{marker.problem or 'absent'}"))


def _perceived(case: _Case) -> Iterator[Finding]:
    clause, notice, record = "kz.21.2.notice", case.notice, case.evidence.marker.notice
    where = record.kind if record else case.drawn.kind if case.drawn else ""
    match notice.state:
        case NoticeState.PERCEIVABLE:
            yield Finding(clause, PASS, _perceivable(notice, where), where)
            yield from _spoken_too(case)
        case NoticeState.NOT_PERCEIVABLE:
            code = f"notice.{case.verb}-hindered" if case.drawn else "notice.hindered"
            yield Finding(clause, FAIL, message(code), where)
        case NoticeState.ABSENT:
            text = message("notice.absent", reason=record.reason if record else "–")
            yield Finding(clause, FAIL, text)
        case NoticeState.NOT_APPLICABLE:
            text = message("notice.not-applicable", reason=record.reason if record else "–")
            yield Finding(clause, NOT_APPLICABLE, text)
        case NoticeState.UNKNOWN if case.unsettled:
            yield Finding(clause, UNKNOWN, message("notice.not-checked"))
        case NoticeState.UNKNOWN if case.evidence.searched and case.evidence.found is None:
            yield Finding(clause, UNKNOWN, message("notice.not-found"), where)
        case NoticeState.UNKNOWN:
            searched = case.evidence.searched
            code = "notice.unknown" if record or searched else "notice.unrecorded"
            yield Finding(clause, UNKNOWN, message(code), where)


def _perceivable(notice: _Notice, kind: str) -> Message:
    """What was measured, in the words of the medium."""
    if kind == "text":
        return message(f"notice.{notice.how}-text")
    figures = dict(notice.figures)
    if kind == "spoken":
        level, below = figures.get("spoken_lufs", 0.0), figures.get("background_db", 0.0)
        return message(f"notice.{notice.how}-spoken", lufs=f"{level:.0f}", db=f"{below:.0f}")
    if kind == "stamp":
        size, drawn = figures.get("text_pt", 0.0), figures.get("rendered", 0.0)
        pages = {name: f"{figures.get(name, 0.0):.0f}" for name in ("stamped", "pages")}
        words = f"notice.{notice.how}-stamp"
        return message(words, size=f"{size:.1f}", rendered=f"{drawn:.0f}", **pages)
    contrast, cap = figures.get("contrast", 0.0), figures.get("cap_px", 0.0)
    return message(f"notice.{notice.how}", contrast=f"{contrast:.1f}", cap=f"{cap:.0f}")


def _unhindered(case: _Case) -> Iterator[Finding]:
    clause, notice = "kz.21.2.unhindered", case.notice
    unsaid = _unsaid(case)
    if unsaid is not None and case.aloud:
        yield Finding(clause, FAIL, unsaid)
    for problem in notice.problems:
        yield Finding(clause, FAIL, problem)
    if not notice.problems:
        if notice.state is NoticeState.PERCEIVABLE:
            yield Finding(clause, PASS, message("unhindered.none"))
            if (
                unsaid is not None and not case.aloud
            ):  # information: the first finding of a clause decides
                yield Finding(clause, UNKNOWN, unsaid)
        else:
            yield Finding(clause, UNKNOWN, message("unhindered.unknown"))


def _spoken_too(case: _Case) -> Iterator[Finding]:
    """A film whose notice is said besides being shown."""
    record, level = case.evidence.marker.notice, dict(case.notice.figures).get("spoken_lufs")
    if case.family == "video" and record is not None and level is not None and record.spoken:
        text = message("notice.film-spoken", lufs=f"{level:.0f}")
        yield Finding("kz.21.2.notice", PASS, text, "spoken")


def _unsaid(case: _Case) -> Message | None:
    """What a film that imitates a voice keeps from those who only listen; none where there is nothing to listen to."""
    record, label = case.evidence.marker.notice, case.label
    if case.family != "video" or record is None or label is None or record.kind == "none":
        return None
    why = record.unspoken
    if Imitates.VOICE not in label.imitates or why == "no-sound" or (record.spoken and not why):
        return None
    return message("notice.film-unspoken", why_word=f"unspoken-{why or 'unrecorded'}")


def _responsible(case: _Case) -> Iterator[Finding]:
    clause = "kz.21.3.responsible"
    if case.label is None:
        code = "declared.not-checked" if case.unsettled else "responsible.unknown"
        yield Finding(clause, UNKNOWN, message(code))
        return
    party = case.label.responsible
    if party is None:
        yield Finding(clause, FAIL, message("responsible.absent"))
        return
    text = message("responsible.named", name=party.name, role_word=str(party.role))
    if party.id_kind is not IdKind.NONE:
        number = (("kind_word", str(party.id_kind)), ("number", party.id_value))
        text = Message("responsible.declared", text.args + number)
    marker = case.evidence.marker
    yield Finding(clause, PASS, text, marker.carrier)
    for also, text in vouching.about_party(marker, party):
        yield Finding(clause, also, text, marker.carrier)


def _recognised(case: _Case) -> Iterator[Finding]:
    clause, marker = "kz.22.1.recognised", case.evidence.marker
    if case.label is not None or case.ai_used:
        yield Finding(clause, PASS, message("recognised.yes", carrier=marker.carrier))
    elif case.claims:
        names = ", ".join(sorted({mirror.carrier for mirror in case.claims}))
        yield Finding(clause, PASS, message("recognised.yes", carrier=names))
    elif marker.intact:
        yield Finding(clause, FAIL if marker.ours else UNKNOWN, message("recognised.no"))
    elif case.unsettled:
        yield Finding(clause, UNKNOWN, message("recognised.not-checked"))
    else:
        yield Finding(clause, UNKNOWN, message("recognised.nothing"))


def _bound(case: _Case) -> Iterator[Finding]:
    clause, marker = "kz.22.2.bound", case.evidence.marker
    if marker.intact:
        yield Finding(clause, PASS, message("bound.yes"), marker.carrier)
        if marker.padding_used:  # information: the first finding of a clause decides
            yield Finding(clause, UNKNOWN, message("bound.unprotected"), marker.carrier)
    elif marker.state is MarkerState.INVALID:
        yield Finding(clause, FAIL, message("bound.no"), marker.carrier)
    elif case.state is MarkerState.CLAIMED:
        yield Finding(clause, FAIL, message("bound.unsigned"))
    else:
        yield Finding(clause, NOT_APPLICABLE, message("bound.nothing"))


def _unambiguous(case: _Case) -> Iterator[Finding]:
    """«ауыстырмай»: no carrier may say something else than another."""
    clause = "kz.22.2.unambiguous"
    said: list[tuple[str, Origin | bool]] = []
    for marker in (case.evidence.marker, case.evidence.second):
        if marker is not None and marker.intact:
            said += _signed(marker)
    said += [
        (f"{mirror.carrier}: {mirror.name}", mirror.origin)
        for mirror in case.evidence.mirrors
        if mirror.origin is not None
    ]
    if not said:
        yield Finding(clause, NOT_APPLICABLE, message("unambiguous.nothing"))
        return
    first_where, first = said[0]
    for where, value in said[1:]:
        if _contradict(first, value):
            words = message(
                "unambiguous.contradiction",
                first_where=first_where,
                first_word=_word(first),
                second_where=where,
                second_word=_word(value),
            )
            yield Finding(clause, FAIL, words, where)
            return
        if first is True:  # the more exact of two that agree, to compare the rest with
            first_where, first = where, value
    yield Finding(clause, PASS, message("unambiguous.yes"))


def _signed(marker: Marker) -> Iterator[tuple[str, Origin | bool]]:
    """Which origin an intact marker states."""
    if marker.label is not None and not marker.malformed:
        yield marker.carrier, marker.label.origin
    elif marker.not_ai:
        yield marker.carrier, False
    elif marker.ai_used:
        yield marker.carrier, True
    yield from ((f"{marker.carrier}: {name}", origin) for name, origin in marker.metadata)


def _reservation(case: _Case) -> Iterator[Finding]:
    clause, marker = "kz.23.5.reservation", case.evidence.marker
    if marker.intact and marker.reserves_training:
        yield Finding(clause, PASS, message("reservation.declared"), marker.carrier)
    else:
        yield Finding(clause, NOT_APPLICABLE, message("reservation.none"))


_CLAUSES = (
    _declared,
    _marker,
    _perceived,
    _unhindered,
    _responsible,
    _recognised,
    _bound,
    _unambiguous,
    _reservation,
)


def _limits(case: _Case, profile: Profile) -> Iterator[Message]:
    """What this check could not or did not look at; printed with every result."""
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


def _reading_limits(case: _Case, profile: Profile) -> Iterator[Message]:
    """What the answer about a notice rests on."""
    if case.evidence.format == "html":
        yield message("limits.rendering")
    if case.evidence.format == "svg":
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
    """Of a film that is too long, how much was looked at."""
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


_LISTENED = round(LISTENED / 60)


def _cut_short(notice: _Notice) -> bool:
    return dict(notice.figures).get("listened_s", 0.0) >= LISTENED - 1


def _contradict(first: Origin | bool, second: Origin | bool) -> bool:
    """Whether one of them says AI and the other does not, or each names another origin."""
    if isinstance(first, Origin) and isinstance(second, Origin):
        return first is not second
    return bool(first) is not bool(second)


def _word(value: Origin | bool | None) -> str:
    if isinstance(value, Origin):
        return str(value)
    return "ai" if value else "not-ai"
