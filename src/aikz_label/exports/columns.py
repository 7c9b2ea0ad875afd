"""The columns of every table: CSV, Parquet, Arrow batches and Spark share this list, in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from aikz_label.batch import Row
from aikz_label.report import Report, Status
from aikz_label.texts import escape


class Column(NamedTuple):
    """One column.

    Attributes:
        name: In snake case.
        kind: `text`, `integer`, `number`, `truth` or `texts`.
        of: Its value for a file.
        about: What it holds.
    """

    name: str
    kind: str
    of: Callable[[Row, Report], Any]
    about: str


def _clauses(report: Report, status: Status) -> list[str]:
    return [finding.clause for finding in report.findings if finding.status is status]


def _party(report: Report) -> str:
    party = report.declared.responsible if report.declared else None
    return party.name if party else ""


def _signer(report: Report) -> str:
    return report.marker.signer.name if report.marker.signer and report.marker.intact else ""


COLUMNS = (
    Column("uri", "text", lambda row, _: row.uri, "the file as it was named"),
    Column("verdict", "text", lambda row, _: str(row.verdict), "the one word"),
    Column(
        "reason", "text", lambda row, _: row.reason.code, "code of the sentence that decided it"
    ),
    Column(
        "explanation", "text", lambda row, _: row.reason.text("en"), "that sentence, in English"
    ),
    Column("format", "text", lambda _, report: report.format, "short name of the format"),
    Column(
        "marker", "text", lambda _, report: str(report.marker_state), "what the marker is worth"
    ),
    Column(
        "notice",
        "text",
        lambda _, report: str(report.notice_state),
        "whether people can perceive the notice",
    ),
    Column(
        "notice_how",
        "text",
        lambda _, report: str(report.notice_how),
        "where that answer comes from",
    ),
    Column(
        "origin",
        "text",
        lambda _, report: str(report.declared.origin) if report.declared else "",
        "what is declared: created or altered",
    ),
    Column(
        "system",
        "text",
        lambda _, report: str((report.declared and report.declared.system) or ""),
        "the AI system that is declared",
    ),
    Column(
        "responsible", "text", lambda _, report: _party(report), "who is declared to answer for it"
    ),
    Column(
        "signer",
        "text",
        lambda _, report: _signer(report),
        "name in the certificate of an intact marker",
    ),
    Column(
        "trust",
        "text",
        lambda _, report: report.marker.trust,
        "the trust list that believes the signer",
    ),
    Column(
        "self_issued",
        "truth",
        lambda _, report: report.marker.self_issued,
        "only this machine believes it",
    ),
    Column(
        "signed_at",
        "text",
        lambda _, report: report.marker.signed_at,
        "time of a trusted time-stamp",
    ),
    Column("failed", "texts", lambda _, report: _clauses(report, Status.FAIL), "clauses that fail"),
    Column(
        "unknown",
        "texts",
        lambda _, report: _clauses(report, Status.UNKNOWN),
        "clauses that stay unknown",
    ),
    Column("codes", "texts", lambda _, report: list(report.marker.codes), "C2PA status codes"),
    Column("size", "integer", lambda row, _: row.size, "bytes"),
    Column("state", "text", lambda row, _: row.state, "changes when the file does"),
    Column("sha256", "text", lambda row, _: row.sha256, "of the whole file, when asked for"),
    Column("ms", "number", lambda row, _: row.ms, "milliseconds it took"),
    Column("profile", "text", lambda _, report: report.profile, "profile whose numbers were used"),
)


def record(row: Row, report: Report) -> dict[str, Any]:
    """One file as a dictionary, its texts escaped."""
    return {column.name: _escaped(column.of(row, report)) for column in COLUMNS}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value, 4096)
    return [escape(item) for item in value] if isinstance(value, list) else value
