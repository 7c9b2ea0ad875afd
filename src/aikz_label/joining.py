"""Join what the engine says, what the certificates are worth, and what the manifest means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aikz_label.adapters import Examined
from aikz_label.label import Label
from aikz_label.manifest import marker
from aikz_label.manifest.ancestry import Ancestor
from aikz_label.manifest.answers import Stamp
from aikz_label.manifest.reading import Reading
from aikz_label.report import Marker, MarkerState, Message, Notice, Step, TimeStamp, message
from aikz_label.trust import TrustList, credentials
from aikz_label.trust.credentials import Question, iso
from aikz_label.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Believing:
    """Whom to believe, as of when, and whom to ask.

    Attributes:
        trust: The lists.
        at: The time to check as of; `None` for now.
        responder: URL of an OCSP responder that may be asked; empty for nobody.
    """

    trust: tuple[TrustList, ...] = ()
    at: datetime | None = None
    responder: str = ""

    def settle(self, reading: Reading) -> Reading:
        """What the signers of a reading are worth."""
        question = Question(datetime.now(UTC), self.at, self.responder)
        return credentials.settle(reading, self.trust, question)

    def name(self, index: int) -> str:
        """The name of a list by its place."""
        return self.trust[index].name if 0 <= index < len(self.trust) else ""


def to_marker(
    reading: Reading,
    examined: Examined,
    believing: Believing,
    *,
    looked: bool,
    carrier: str = "c2pa",
) -> Marker:
    """Join everything that is known of a marker.

    Args:
        reading: What the engine says, settled.
        examined: What the container says.
        believing: The lists that the reading's places refer to.
        looked: The container could be examined.
        carrier: Where the marker lives.
    """
    if reading.state in {"absent", "failed"}:
        if examined.has_marker:  # the engine often calls a damaged marker "not found"
            return Marker(MarkerState.INVALID, "c2pa", "damaged", codes=reading.codes)
        return Marker(problem=reading.problem)
    content = marker.Content(reading.manifest or {}, reading.parents, reading.parts)
    state, why = MarkerState(reading.state), reading.problem
    if state is not MarkerState.INVALID and looked and not content.covers(examined.unprotected):
        state, why = MarkerState.INVALID, "altered"  # where the engine does not look
    if carrier == "sidecar" and why == "altered":
        why = "sidecar-other"
    trust = believing.trust
    believed = trust[reading.trust] if 0 <= reading.trust < len(trust) else None
    return Marker(
        state=state,
        carrier=carrier,
        problem=why,
        signer=reading.signer,
        trust=believed.name if believed else "",
        self_issued=believed.self_issued if believed else False,
        time_stamp=_time_stamp(reading.stamp, believing),
        revocation=reading.revocation,
        identity=reading.identity,
        notes=reading.notes + _clocks(content.label, reading),
        history=tuple(map(_step, reading.ancestors)),
        checked_at=iso(believing.at) if believing.at else "",
        codes=reading.codes,
        ours=content.ours,
        label=content.label,
        malformed=content.malformed,
        not_ai=content.not_ai,
        ai_used=content.ai_used,
        metadata=content.metadata,
        notice=_with_facts(content.notice, examined),
        reserves_training=content.reserves_training,
        padding_used=examined.padding_used and not content.unprotected,
    )


def _clocks(label: Label | None, reading: Reading) -> tuple[Message, ...]:
    """A label that is younger than its own time-stamp, or than now: whose clock is wrong cannot be told."""
    if label is None or label.created is None:
        return ()
    latest = datetime.now(UTC)
    if reading.signed_at:
        latest = min(latest, datetime.fromisoformat(reading.signed_at))
    if label.created <= latest + _CLOCKS_DIFFER:
        return ()
    return (message("signer.label-ahead", created=iso(label.created), when=iso(latest)),)


_CLOCKS_DIFFER = timedelta(minutes=5)


def _time_stamp(stamp: Stamp | None, believing: Believing) -> TimeStamp | None:
    if stamp is None:
        return None
    return TimeStamp(stamp.state, stamp.time, stamp.authority, believing.name(stamp.trust))


_RECORDED = "signingCredential.untrusted"  # by whoever took it up, who had other lists


def _step(ancestor: Ancestor) -> Step:
    content = marker.Content(ancestor.manifest)
    stamp, origin = ancestor.stamp, content.label.origin if content.label else None
    return Step(
        of=ancestor.of + 1,
        relation=ancestor.relation,
        state=MarkerState(ancestor.state),
        problem=ancestor.problem,
        signer=ancestor.signer,
        signed_at=stamp.time if stamp and stamp.state == "trusted" else "",
        origin=False if content.not_ai else origin,
        generator=marker.generator(ancestor.manifest),
        codes=tuple(c for c in ancestor.codes if c != _RECORDED or ancestor.state != "trusted"),
    )


def _with_facts(record: Notice | None, examined: Examined) -> Notice | None:
    """What the container says of itself overrules what the marker says of it."""
    if record is None or not record.figures:
        return record
    return replace(record, figures=tuple((dict(record.figures) | dict(examined.figures)).items()))
