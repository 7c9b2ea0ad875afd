"""Reports and messages for people at a terminal, in Kazakh, Russian or English."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from typing import TextIO

from aikz_label.label import IdKind, Label
from aikz_label.report import Finding, Message, Report, Status, Step, Verdict
from aikz_label.texts import escape, load_data, sentence

WIDTH = 80
_COLOURS = {
    Verdict.LABELLED: "32",
    Verdict.INCOMPLETE: "33",
    Verdict.INVALID: "31",
    Verdict.UNMARKED: "36",
    Verdict.UNREADABLE: "35",
}
_MARKS = {Status.PASS: "32", Status.FAIL: "31"}


def wants_colour(stream: TextIO) -> bool:
    """Colour only on a terminal, and never against NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def full_report(report: Report, language: str, *, colour: bool = False) -> str:
    """Everything, clause by clause, in lines of at most 80 characters."""
    lines = [*_head(report, language, colour=colour), ""]
    lines += _facts(report, language)
    if lines[-1]:
        lines.append("")
    for finding in report.findings:
        lines += _finding(finding, language, colour=colour)
    if report.marker.codes:
        lines += [
            "",
            *wrapped("C2PA: " + ", ".join(map(escape, report.marker.codes)), "  ", "    "),
        ]
    if report.limits:
        lines += ["", "  " + sentence("ui.limits", language) + ":"]
        for limit in report.limits:
            lines += wrapped(limit.text(language), "  - ", "    ")
    return "\n".join(lines)


def short_report(report: Report, language: str, *, colour: bool = False) -> str:
    """File, verdict and the reason."""
    return "\n".join(_head(report, language, colour=colour))


def _head(report: Report, language: str, *, colour: bool) -> list[str]:
    issued = report.marker.intact and report.marker.self_issued
    return headline(report.path, report.verdict, issued, report.reason, language, colour=colour)


def headline(
    path: str, verdict: Verdict, issued: bool, reason: Message, language: str, *, colour: bool
) -> list[str]:
    """A file, its one word, and what decided it."""
    word = _paint(sentence(f"title.{verdict}", language), _COLOURS[verdict], colour)
    note = f" ({sentence('word.self-issued', language)})" if issued else ""
    first = f"{escape(path, 4096) or '-'}: {word}{note}"
    return [first, *wrapped(reason.text(language), "  ", "  ")]


def _facts(report: Report, language: str) -> Iterator[str]:
    rows: list[tuple[str, str]] = []
    if report.declared is not None:
        rows.append(("ui.declared", _declared(report.declared, language)))
        party = report.declared.responsible
        if party is not None:
            number = ""
            if party.id_kind is not IdKind.NONE:
                number = f", {sentence(f'word.{party.id_kind}', language)} {party.id_value}"
            role = sentence(f"word.{party.role}", language)
            rows.append(("ui.responsible", f"{party.name}, {role}{number}"))
    if report.marker.signer is not None and report.marker.intact:  # else it vouches for nothing
        signer = report.marker.signer.name
        if report.marker.self_issued:
            signer += f" ({sentence('word.self-issued', language)})"
        rows.append(
            (
                "ui.signed",
                signer + (f", {report.marker.signed_at}" if report.marker.signed_at else ""),
            )
        )
    earlier = (_step(step, language) for step in report.marker.history)
    rows += [("ui.earlier", f"{place}. {text}") for place, text in enumerate(earlier, 1)]
    width = max((len(sentence(code, language)) for code, _ in rows), default=0) + 2
    for code, text in rows:
        name = sentence(code, language).ljust(width)
        yield from wrapped(escape(text), f"  {name}", " " * (width + 2))


def _step(step: Step, language: str) -> str:
    """One earlier marking: what it is worth, who signed it, what it says, what it was here."""
    words = [f"state-{step.state}"]
    if step.origin is not None:
        words.append("not-ai" if step.origin is False else str(step.origin))
    parts = [sentence(f"word.{word}", language) for word in (*words, step.relation)]
    signed = [step.signer.name if step.signer else "–", step.signed_at]
    return "; ".join([parts[0], *filter(None, signed), *parts[1:]])


def _declared(label: Label, language: str) -> str:
    parts = [sentence(f"word.{label.origin}", language)]
    if label.system:
        parts.append(str(label.system))
    if label.imitates:
        what = ", ".join(sentence(f"word.{item}", language) for item in label.imitates)
        parts.append(f"{sentence('word.imitates', language)}: {what}")
    return "; ".join(parts)


def _finding(finding: Finding, language: str, *, colour: bool) -> Iterator[str]:
    status = sentence(f"status.{finding.status}", language)
    title = load_data("clauses")["clause"][finding.clause][language]
    code = _MARKS.get(finding.status, "")
    indent = " " * 13
    first, *rest = wrapped(f"{title} [{finding.clause}]", indent, indent)
    padding = " " * (len(indent) - 2 - len(status))
    yield f"  {_paint(status, code, colour and bool(code))}{padding}{first.lstrip()}"
    yield from rest
    yield from wrapped(finding.message.text(language), indent, indent)


def wrapped(text: str, first: str, rest: str) -> list[str]:
    """Text in lines of at most 80 characters."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
