"""Judgement: evidence in, report out. Pure: no clock, no file, no engine.

Facts are gathered elsewhere; this is the only place where they become words. `findings` has a function for each clause of
the law, `bounds` says what a check leaves open; `_verdict` then reads the findings.
"""

from __future__ import annotations

from aikz_label.profile import Profile
from aikz_label.report import (
    Evidence,
    Finding,
    MarkerState,
    Message,
    Report,
    Status,
    Verdict,
    message,
)
from aikz_label.rules.bounds import limits
from aikz_label.rules.case import Case, case_of
from aikz_label.rules.findings import CLAUSES
from aikz_label.texts import load_data


def clauses() -> tuple[str, ...]:
    """Identifiers of all clauses, in the order of the report."""
    return tuple(load_data("clauses")["clause"])


def judge(evidence: Evidence, profile: Profile) -> Report:
    """Turn evidence into a report under a profile."""
    case = case_of(evidence, profile)
    findings = tuple(finding for clause in CLAUSES for finding in clause(case))
    verdict, reason = _verdict(case, findings)
    return Report(
        verdict=verdict,
        reason=reason,
        profile=profile.id,
        format=evidence.format,
        limits=tuple(limits(case, profile)),
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


def _verdict(case: Case, findings: tuple[Finding, ...]) -> tuple[Verdict, Message]:
    """The one word, and the message of the finding that decided it."""
    by_clause: dict[str, Finding] = {}
    for finding in findings:
        by_clause.setdefault(finding.clause, finding)
    if case.state is MarkerState.INVALID:
        return Verdict.INVALID, by_clause["kz.21.2.marker"].message
    if case.evidence.problem is not None:
        return Verdict.UNREADABLE, case.evidence.problem
    if by_clause["kz.22.2.unambiguous"].status is Status.FAIL:
        return Verdict.INVALID, by_clause["kz.22.2.unambiguous"].message
    said = case.label is not None or case.ai_used
    declared = said or bool(case.claims) or case.drawn is not None
    if not declared and not case.evidence.marker.malformed:
        marker = case.evidence.marker
        elsewhere = "remote" if marker.problem == "remote" else "unmarked"
        return Verdict.UNMARKED, message(f"verdict.{'silent' if marker.intact else elsewhere}")
    for clause in _DECIDING:
        if by_clause[clause].status is not Status.PASS:
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
