"""What was found: evidence (facts), findings (one clause each) and the report with its one word.

Everything here is frozen, can be pickled and becomes JSON. Adapters and the engine fill an `Evidence`; `rules.judge` turns
it into a `Report`.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, NoReturn

from aikz_label.errors import NotAcceptable
from aikz_label.label import Label
from aikz_label.report.evidence import (
    Evidence,
    Found,
    Marker,
    Measurement,
    Mirror,
    Notice,
    NoticeState,
    Recoding,
)
from aikz_label.report.provenance import MarkerState, Revocation, Signer, Step, TimeStamp
from aikz_label.texts import Message, escape, message
from aikz_label.values import dataclass, replace

__all__ = [
    "SCHEMA",
    "Evidence",
    "Finding",
    "Found",
    "How",
    "Marker",
    "MarkerState",
    "Measurement",
    "Message",
    "Mirror",
    "Notice",
    "NoticeState",
    "Recoding",
    "Report",
    "Revocation",
    "Signer",
    "Status",
    "Step",
    "TimeStamp",
    "Verdict",
    "message",
]

SCHEMA = "aikz-label/report/1"


class Verdict(StrEnum):
    """The one word. There is no score, and `unmarked` is not "authentic"."""

    LABELLED = "labelled"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"
    UNMARKED = "unmarked"
    UNREADABLE = "unreadable"


class Status(StrEnum):
    """Outcome of one clause; `unknown` is an answer and is never folded into another."""

    PASS = "pass"  # noqa: S105  # not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class How(StrEnum):
    """Where the answer about the notice comes from."""

    MEASURED = "measured"
    ATTESTED = "attested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one clause, with what was seen and where."""

    clause: str
    status: Status
    message: Message
    where: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form it has in the report."""
        return {
            "clause": self.clause,
            "status": str(self.status),
            **self.message.to_json(),
            "where": escape(self.where),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said about one file.

    A report has no truth value: `if report:` raises, because it would read as "is it fine?". `evidence` holds the facts it
    was judged from: `rules.judge` makes the same report of them again.
    """

    verdict: Verdict
    reason: Message
    profile: str
    format: str
    limits: tuple[Message, ...]
    marker: Marker
    marker_state: MarkerState
    notice_state: NoticeState
    notice_how: How
    figures: tuple[tuple[str, float], ...]
    declared: Label | None
    mirrors: tuple[Mirror, ...]
    findings: tuple[Finding, ...]
    evidence: Evidence
    path: str = ""

    def __bool__(self) -> NoReturn:
        raise TypeError("A report has no truth value; compare report.verdict with a word.")

    def at(self, path: str) -> Report:
        """The same report for a named file."""
        return replace(self, path=path)

    def raise_for_verdict(self) -> Report:
        """Return the report when the verdict is `labelled`.

        Raises:
            NotAcceptable: It is any other.
        """
        if self.verdict is not Verdict.LABELLED:
            raise NotAcceptable(self)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, schema `aikz-label/report/1`."""
        signer = self.marker.signer
        return {
            "schema": SCHEMA,
            "path": escape(self.path, limit=4096),
            "format": self.format,
            "verdict": str(self.verdict),
            "reason": self.reason.to_json(),
            "profile": self.profile,
            "limits": [limit.to_json() for limit in self.limits],
            "marker": {
                "state": str(self.marker_state),
                "carrier": self.marker.carrier,
                "signer": signer.to_json() if signer else None,
                "trust": {"list": escape(self.marker.trust), "self_issued": self.marker.self_issued}
                if self.marker.trust
                else None,
                "signed_at": self.marker.signed_at or None,
                "time_stamp": self.marker.time_stamp and self.marker.time_stamp.to_json(),
                "revocation": self.marker.revocation.to_json(),
                "identity": self.marker.identity or None,
                "checked_at": self.marker.checked_at or None,
                "codes": [escape(code) for code in self.marker.codes],
            },
            "history": [step.to_json() for step in self.marker.history],
            "notice": {
                "state": str(self.notice_state),
                "how": str(self.notice_how),
                "measured": dict(self.figures),
            },
            "declared": _escaped(self.declared.to_json()) if self.declared else None,
            "mirrors": [mirror.to_json() for mirror in self.mirrors],
            "findings": [finding.to_json() for finding in self.findings],
        }

    def to_json(self) -> str:
        """One line of ASCII JSON."""
        return json.dumps(self.to_dict())


def _escaped(value: Any) -> Any:
    """Escape every text inside a JSON value."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return value
