"""What each clause of the law finds in a case: one function for a clause, which yields its findings."""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.label import IdKind, Imitates, Origin
from aikz_label.report import (
    Finding,
    Marker,
    MarkerState,
    Message,
    NoticeState,
    Status,
    message,
    vouching,
)
from aikz_label.rules.case import Case, Seen

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Status


def _declared(case: Case) -> Iterator[Finding]:
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


def _marker(case: Case) -> Iterator[Finding]:
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


def _perceived(case: Case) -> Iterator[Finding]:
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


def _perceivable(notice: Seen, kind: str) -> Message:
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


def _unhindered(case: Case) -> Iterator[Finding]:
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


def _spoken_too(case: Case) -> Iterator[Finding]:
    """A film whose notice is said besides being shown."""
    record, level = case.evidence.marker.notice, dict(case.notice.figures).get("spoken_lufs")
    if case.family == "video" and record is not None and level is not None and record.spoken:
        text = message("notice.film-spoken", lufs=f"{level:.0f}")
        yield Finding("kz.21.2.notice", PASS, text, "spoken")


def _unsaid(case: Case) -> Message | None:
    """What a film that imitates a voice keeps from those who only listen; none where there is nothing to listen to."""
    record, label = case.evidence.marker.notice, case.label
    if case.family != "video" or record is None or label is None or record.kind == "none":
        return None
    why = record.unspoken
    if Imitates.VOICE not in label.imitates or why == "no-sound" or (record.spoken and not why):
        return None
    return message("notice.film-unspoken", why_word=f"unspoken-{why or 'unrecorded'}")


def _responsible(case: Case) -> Iterator[Finding]:
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


def _recognised(case: Case) -> Iterator[Finding]:
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


def _bound(case: Case) -> Iterator[Finding]:
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


def _unambiguous(case: Case) -> Iterator[Finding]:
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


def _reservation(case: Case) -> Iterator[Finding]:
    clause, marker = "kz.23.5.reservation", case.evidence.marker
    if marker.intact and marker.reserves_training:
        yield Finding(clause, PASS, message("reservation.declared"), marker.carrier)
    else:
        yield Finding(clause, NOT_APPLICABLE, message("reservation.none"))


def _contradict(first: Origin | bool, second: Origin | bool) -> bool:
    """Whether one of them says AI and the other does not, or each names another origin."""
    if isinstance(first, Origin) and isinstance(second, Origin):
        return first is not second
    return bool(first) is not bool(second)


def _word(value: Origin | bool | None) -> str:
    if isinstance(value, Origin):
        return str(value)
    return "ai" if value else "not-ai"


CLAUSES = (
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
