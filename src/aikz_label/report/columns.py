"""The columns of every table: CSV, Parquet, Arrow batches and Spark share this list, in this order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from aikz_label.report import Report, Status, Verdict
from aikz_label.texts import escape

LONGEST = 4096  # characters of a text


class File(Protocol):
    """What is known of a file beside its report."""

    @property
    def uri(self) -> str:
        """As it was named."""

    @property
    def size(self) -> int | None:
        """Bytes, when it could be opened."""

    @property
    def state(self) -> str:
        """What changes when the file does."""

    @property
    def sha256(self) -> str:
        """Of the whole file, when asked for."""

    @property
    def ms(self) -> float:
        """Milliseconds it took."""


class Facts(NamedTuple):
    """The same, of a file that has just been looked at."""

    uri: str
    size: int | None = None
    state: str = ""
    sha256: str = ""
    ms: float = 0.0


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
    of: Callable[[File, Report], Any]
    about: str


def _clauses(report: Report, status: Status) -> list[str]:
    return [finding.clause for finding in report.findings if finding.status is status]


def _party(report: Report) -> str:
    party = report.declared.responsible if report.declared else None
    return party.name if party else ""


def _signer(report: Report) -> str:
    return report.marker.signer.name if report.marker.signer and report.marker.intact else ""


COLUMNS = (
    Column("uri", "text", lambda file, _: file.uri, "the file as it was named"),
    Column("verdict", "text", lambda _, report: str(report.verdict), "the one word"),
    Column(
        "reason",
        "text",
        lambda _, report: report.reason.code,
        "code of the sentence that decided it",
    ),
    Column(
        "explanation",
        "text",
        lambda _, report: report.reason.text("en"),
        "that sentence, in English",
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
    Column("size", "integer", lambda file, _: file.size, "bytes"),
    Column("state", "text", lambda file, _: file.state, "changes when the file does"),
    Column("sha256", "text", lambda file, _: file.sha256, "of the whole file, when asked for"),
    Column("ms", "number", lambda file, _: file.ms, "milliseconds it took"),
    Column("profile", "text", lambda _, report: report.profile, "profile whose numbers were used"),
)


def record(file: File, report: Report) -> dict[str, Any]:
    """One file as a dictionary, its texts escaped."""
    return {column.name: _escaped(column.of(file, report)) for column in COLUMNS}


def values(file: File, report: Report) -> list[Any]:
    """The same without the names, in the order of `COLUMNS`."""
    return [_escaped(column.of(file, report)) for column in COLUMNS]


def checked(uri: str, found: object) -> list[Any]:
    """What `values` gave in a process that may have been taken over since: of the right kinds, and safe to print.

    Raises:
        ValueError: It gave none of this.
    """
    if not isinstance(found, list) or len(found) != len(COLUMNS):
        raise ValueError("columns")
    row = [_CHECKS[column.kind](value) for column, value in zip(COLUMNS, found, strict=True)]
    row[_VERDICT] = str(Verdict(row[_VERDICT]))
    row[_URI] = escape(uri, LONGEST)
    return row


_NAMES = [column.name for column in COLUMNS]
_URI, _VERDICT = _NAMES.index("uri"), _NAMES.index("verdict")


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 6 * LONGEST:  # `\u....` takes six
        raise ValueError("text")
    return escape(value, 6 * LONGEST)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("texts")  # noqa: TRY004  # all of these are one error to the caller
    return list(map(_text, value))


def _integer(value: object) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value < 1 << 63):
        raise ValueError("integer")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < 1 << 63:  # of no `nan` either
        raise ValueError("number")
    return float(value)


def _truth(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError("truth")
    return value


_CHECKS: dict[str, Callable[[object], Any]] = {
    "text": _text,
    "texts": _texts,
    "integer": _integer,
    "number": _number,
    "truth": _truth,
}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value, LONGEST)
    return [escape(item, LONGEST) for item in value] if isinstance(value, list) else value
