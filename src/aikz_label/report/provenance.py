"""Who signed, when, and what was signed before: the values that a report shows of it.

Everything here is frozen and becomes JSON. What certificates and time-stamps say of themselves is untrusted text
until somebody on a trust list vouches for it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from aikz_label.label import Origin
from aikz_label.texts import Message, escape, message
from aikz_label.values import dataclass


class MarkerState(StrEnum):
    """What the marker is worth."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    CLAIMED = "claimed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Signer:
    """What the signing certificate says: untrusted text unless the marker is trusted.

    Attributes:
        name: Common name.
        organisation: Organisation.
        serial: Number of the certificate, decimal.
        algorithm: Signature algorithm, as the engine names it.
        bin: Business identification number in the subject, if there is one.
        begins: Start of the certificate's validity, ISO 8601; empty when it cannot be read.
        ends: Its end.
    """

    name: str
    organisation: str
    serial: str
    algorithm: str
    bin: str = ""
    begins: str = ""
    ends: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form it has in the report."""
        names = ("name", "organisation", "serial", "algorithm")
        return {
            **{name: escape(getattr(self, name)) for name in names},
            "bin": self.bin or None,
            "begins": self.begins or None,
            "ends": self.ends or None,
        }


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A time-stamp (RFC 3161) on the signature.

    Attributes:
        state: `trusted`, `untrusted` (by an authority on no list), or `invalid`.
        time: What it states, ISO 8601; empty when it cannot be read.
        authority: What its authority is called: untrusted text unless trusted.
        trust: Name of the list that believed the authority.
    """

    state: str
    time: str = ""
    authority: str = ""
    trust: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form it has in the report."""
        return {
            "state": self.state,
            "time": self.time or None,
            "authority": escape(self.authority) or None,
            "list": escape(self.trust) or None,
        }


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is known about the signer's certificate being called back.

    Attributes:
        state: `not-checked`, `good`, `revoked`, or `unknown` when somebody was asked and nobody answered.
        how: `crl`, `ocsp`, or empty.
        since: From when on it is revoked, ISO 8601.
        until: When the revocation list is out of date, ISO 8601.
        stale: It is, by the time of the check.
    """

    state: str = "not-checked"
    how: str = ""
    since: str = ""
    until: str = ""
    stale: bool = False

    def to_json(self) -> dict[str, Any]:
        """The form it has in the report."""
        return {
            "state": self.state,
            "how": self.how or None,
            "since": self.since or None,
            "until": self.until or None,
        }


NOT_CHECKED = Revocation()


def problem_message(problem: str, signer: Signer | None) -> Message:
    """The sentence for what is wrong with a marker; two of them name a date of the certificate."""
    code = f"marker.{problem}"
    if problem not in {"expired", "early"}:
        return message(code)
    begins, ends = (signer.begins, signer.ends) if signer else ("", "")
    return message(code, begins=begins[:10] or "?", ends=ends[:10] or "?")


@dataclass(frozen=True, slots=True)
class Step:
    """An earlier marking: of a file this one was made from.

    Attributes:
        of: Number of the step that took it up, from 1; 0 for this file's own marker.
        relation: `parent`, `component` or `input`.
        state: What it is worth today: `trusted`, `untrusted` or `invalid`.
        problem: Code of the group `marker` that says why it is invalid.
        signer: What its signer's certificate says.
        signed_at: Time of a trusted time-stamp on it, ISO 8601; empty without one.
        origin: What it declares about AI.
        generator: The program that wrote it: untrusted text.
        codes: C2PA status codes of its failures, verbatim.
    """

    of: int
    relation: str
    state: MarkerState
    problem: str = ""
    signer: Signer | None = None
    signed_at: str = ""
    origin: Origin | bool | None = None
    generator: str = ""
    codes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form it has in the report."""
        declares = str(self.origin) if isinstance(self.origin, Origin) else None
        return {
            "of": self.of,
            "relation": self.relation,
            "state": str(self.state),
            "reason": problem_message(self.problem, self.signer).to_json()
            if self.problem
            else None,
            "signer": self.signer.to_json() if self.signer else None,
            "signed_at": self.signed_at or None,
            "origin": "not-ai" if self.origin is False else declares,
            "generator": escape(self.generator) or None,
            "codes": [escape(code) for code in self.codes],
        }
