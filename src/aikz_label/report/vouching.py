"""What a report says about the signer, the time and earlier markings: pure, like `rules`, which asks it.

The first finding of a clause decides; what is said here comes after it and decides nothing. A certificate's names
count only when somebody on a trust list vouches for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import TypeAlias

from aikz_label.label import Responsible
from aikz_label.report import Marker, MarkerState, Message, Signer, Status, Step, TimeStamp, message
from aikz_label.report.provenance import problem_message

Said: TypeAlias = tuple[Status, Message]

# Legal forms, in the languages they are written in: they are left out when names are compared.
_FORMS = {
    "тоо", "жшс", "ао", "ақ", "ип", "жк", "ооо", "зао", "пао", "ргп", "рмк", "гкп", "мкк",
    "llp", "llc", "ltd", "limited", "jsc", "inc", "gmbh", "plc", "corp",
}  # fmt: skip
_CUT = 60  # an organisation in a certificate has at most 64 characters; ours are cut at 64 bytes


def marker_message(marker: Marker) -> Message:
    """The sentence that decides the marker's clause, for a marker that is there."""
    signer = marker.signer or Signer("", "", "", "")
    if marker.state is MarkerState.TRUSTED:
        return message("marker.trusted", signer=signer.name, trust=marker.trust)
    if marker.state is MarkerState.UNTRUSTED and not marker.problem:
        return message("marker.untrusted", signer=signer.name)
    return problem_message(marker.problem or "damaged", signer)


def about_marker(marker: Marker) -> Iterator[Said]:
    """What else is to be said of the signer, the time and earlier markings."""
    stamp, revocation = marker.time_stamp, marker.revocation
    if stamp is not None:
        yield _about_stamp(stamp)
    if revocation.state == "good":
        yield Status.PASS, message("signer.not-revoked", how_word=revocation.how)
    elif revocation.state == "revoked" and marker.intact:
        yield Status.PASS, message("signer.revoked-later", since=revocation.since)
    for note in marker.notes:
        yield Status.FAIL if note.code == "signer.revoked" else Status.UNKNOWN, note
    if marker.identity:
        yield Status.UNKNOWN, message(f"signer.identity-{marker.identity}")
    for number, step in enumerate(marker.history, 1):
        if step.state is not MarkerState.TRUSTED:
            yield Status.UNKNOWN, _about_step(number, step)


def _about_stamp(stamp: TimeStamp) -> Said:
    if stamp.state == "trusted":
        words = {"time": stamp.time, "authority": stamp.authority, "trust": stamp.trust}
        return Status.PASS, message("signer.stamped", **words)
    if stamp.state == "untrusted":
        return Status.UNKNOWN, message("signer.stamp-unknown", authority=stamp.authority)
    return Status.UNKNOWN, message("signer.stamp-invalid")


def _about_step(number: int, step: Step) -> Message:
    words = {"number": number, "signer": step.signer.name if step.signer else "–"}
    if step.state is MarkerState.UNTRUSTED:
        return message("history.untrusted", **words, relation_word=step.relation)
    why = step.problem if step.problem in _STEP_PROBLEMS else "damaged"
    return message("history.invalid", **words, relation_word=step.relation, why_word=f"step-{why}")


_STEP_PROBLEMS = {"altered", "damaged", "early", "expired", "identity", "profile", "revoked"}


def about_party(marker: Marker, party: Responsible) -> Iterator[Said]:
    """Whether the certificate belongs to whom the label names as responsible."""
    signer = marker.signer
    if marker.state is not MarkerState.TRUSTED or signer is None:
        return
    if signer.bin and party.bin:
        if signer.bin != party.bin:
            words = {"organisation": signer.organisation, "number": signer.bin}
            yield Status.UNKNOWN, message("responsible.other-bin", **words)
        elif not marker.self_issued:
            yield Status.PASS, message("responsible.same-bin", number=signer.bin)
    elif signer.organisation:
        if not same_name(signer.organisation, party.name):
            text = message("responsible.other-name", organisation=signer.organisation)
            yield Status.UNKNOWN, text
        elif not marker.self_issued:
            yield Status.PASS, message("responsible.same-name", organisation=signer.organisation)


def same_name(first: str, second: str) -> bool:
    """Whether two names are one organisation's: without legal forms, quotation marks and letter case.

    The first, from a certificate, may be cut off.
    """
    one, two = _words(first), _words(second)
    if one == two:
        return True
    cut, whole = " ".join(one), " ".join(two)
    length = len(first.encode("utf-8", "surrogatepass"))  # a certificate can hold anything
    return length >= _CUT and bool(cut) and whole.startswith(cut)


def _words(name: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", name).casefold()
    words: list[str] = re.findall(r"[^\W_]+", folded)
    return [word for word in words if word not in _FORMS] or words


def limits(marker: Marker) -> Iterator[Message]:
    """What was not looked at, or only as of another time."""
    revocation = marker.revocation
    if marker.checked_at:
        yield message("limits.as-of", when=marker.checked_at)
    if marker.state is not MarkerState.ABSENT and revocation.state in {"not-checked", "unknown"}:
        yield message("limits.offline")
    if revocation.stale:
        yield message("limits.stale", until=revocation.until)
    if marker.state is MarkerState.TRUSTED and marker.self_issued:
        yield message("limits.self-issued")
    if marker.intact and not marker.signed_at:
        yield message("limits.no-timestamp")
