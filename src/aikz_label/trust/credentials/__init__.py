"""Who signed, whether to believe it, and as of when: the engine's word where it is enough, our own validation where not.

The engine compares with this machine's clock, knows no revocation lists, takes a list for time-stamps as one for
claims, and does not look at all that a certificate restricts. So its word is taken for a plain chain to a list for
claims, with no time named and no revocation list given; everything else, and every earlier signer, is decided in
`judging`, which is only then imported. Integrity is always the engine's business: nothing here makes a marker hold that
the engine says does not.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aikz_label.manifest import cose
from aikz_label.manifest.ancestry import Ancestor
from aikz_label.manifest.answers import Stamp
from aikz_label.manifest.reading import Reading
from aikz_label.report.provenance import Signer
from aikz_label.texts import Message, message
from aikz_label.trust import TrustKind, TrustList, certificates, der, of_kind
from aikz_label.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping


class Question(NamedTuple):
    """As of when, and whom to ask.

    Attributes:
        now: What the clock says.
        at: The time to check as of; `None` for now.
        responder: URL of an OCSP responder that may be asked; empty for nobody.
    """

    now: datetime
    at: datetime | None = None
    responder: str = ""

    @property
    def when(self) -> datetime:
        """The time that certificates are compared with where no time-stamp says another."""
        return self.at or self.now


def settle(reading: Reading, trust: tuple[TrustList, ...], question: Question) -> Reading:
    """Decide what the signers of a marker and of what it was made from are worth."""
    if reading.manifest is None:
        return reading
    every: Mapping[str, cose.Signature] = {}
    signature = reading.signature
    if signature is None or reading.ancestors:
        every = cose.signatures(reading.store, "" if reading.ancestors else reading.label)
        signature = every.get(reading.label)
    chain = signature.chain if signature else ()
    reading = replace(
        reading,
        signer=_with_facts(reading.signer, chain),
        ancestors=_earlier(reading.ancestors, every, trust, question),
    )
    holds = reading.state != "invalid" or reading.problem == "expired"
    if holds and _is_enough(reading, chain, trust, question):
        return _by_the_engine(reading, chain, trust, question)
    if not holds and not _is_doubtful(reading.stamp, trust):
        return reading
    from aikz_label.trust.credentials import judging  # noqa: PLC0415  # 66 ms that most need not pay

    standing = judging.judge(signature, trust, question if holds else _offline(question))
    stamp = standing.stamp or (reading.stamp and replace(reading.stamp, state="invalid"))
    if not holds:
        return replace(reading, stamp=stamp)
    return replace(
        reading,
        state=standing.state,
        problem=standing.problem,
        trust=standing.trust,
        stamp=stamp,
        revocation=standing.revocation,
        notes=standing.notes,
    )


def _earlier(
    ancestors: tuple[Ancestor, ...],
    every: Mapping[str, cose.Signature],
    trust: tuple[TrustList, ...],
    question: Question,
) -> tuple[Ancestor, ...]:
    """Whom to believe of earlier signers; the engine's word says too little for that."""
    if not ancestors:
        return ()
    from aikz_label.trust.credentials import judging  # noqa: PLC0415

    settled = []
    for ancestor in ancestors:
        signature = every.get(ancestor.label)
        one = replace(
            ancestor, signer=_with_facts(ancestor.signer, signature.chain if signature else ())
        )
        if signature and one.problem in {"", "expired"}:
            found = judging.judge(signature, trust, _offline(question))
            one = replace(one, state=found.state, problem=found.problem, stamp=found.stamp)
        settled.append(one)
    return tuple(settled)


def _offline(question: Question) -> Question:
    """A responder is asked about the signer alone."""
    return question._replace(responder="")


def _is_enough(
    reading: Reading,
    chain: tuple[bytes, ...],
    trust: tuple[TrustList, ...],
    question: Question,
) -> bool:
    """Whether the engine looked at all that matters here."""
    if question.at is not None or question.responder or of_kind(trust, TrustKind.REVOKED):
        return False
    if _is_doubtful(reading.stamp, trust):
        return False
    if reading.state == "trusted":
        return _is(trust, reading.trust, TrustKind.SIGNERS) and certificates.is_plain(chain)
    # one that leads to a listed name: a forged name, or an algorithm that the engine does not know
    return not _leads_to_a_list(chain, trust)


def _is_doubtful(stamp: Stamp | None, trust: tuple[TrustList, ...]) -> bool:
    """Whether the engine believes a time-stamp that no list vouches for, as it does with claims of the first version."""
    return bool(stamp and stamp.state == "trusted" and not _is(trust, stamp.trust, TrustKind.TIME))


def _is(trust: tuple[TrustList, ...], index: int, kind: TrustKind) -> bool:
    return 0 <= index < len(trust) and trust[index].kind is kind


def _by_the_engine(
    reading: Reading,
    chain: tuple[bytes, ...],
    trust: tuple[TrustList, ...],
    question: Question,
) -> Reading:
    if reading.stamp is not None:
        reading = replace(reading, notes=stamp_notes(reading.stamp, question))
    if reading.problem == "expired":  # which the engine also says of what is not valid yet
        early = reading.signer is not None and reading.signer.begins > iso(question.now)
        return replace(reading, problem="early" if early else "expired")
    if reading.state == "trusted":
        return reading
    listed = (
        next(
            (
                index
                for index, item in of_kind(trust, TrustKind.CERTIFICATES)
                if chain[0] in item.ders()
            ),
            -1,
        )
        if chain
        else -1
    )
    if listed >= 0:
        return replace(reading, state="trusted", trust=listed)
    return replace(reading, notes=reading.notes + chain_notes(chain, trust))


def stamp_notes(stamp: Stamp, question: Question) -> tuple[Message, ...]:
    """A believed time-stamp that is younger than the check: whose clock is wrong cannot be told."""
    if stamp.state != "trusted" or stamp.time <= iso(question.when + _CLOCKS_DIFFER):
        return ()
    return (message("signer.stamp-ahead", time=stamp.time, when=iso(question.when)),)


_CLOCKS_DIFFER = timedelta(minutes=5)


def _with_facts(signer: Signer | None, chain: tuple[bytes, ...]) -> Signer | None:
    """The engine tells names and number, but neither dates nor a BIN."""
    try:
        facts = certificates.facts(chain[0])
    except (der.Malformed, IndexError):
        return signer
    if signer is None or signer.serial != str(facts.serial):
        return signer
    return replace(signer, bin=facts.bin, begins=iso(facts.begins), ends=iso(facts.ends))


def iso(time: datetime) -> str:
    """A time as reports show it."""
    return time.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _leads_to_a_list(chain: tuple[bytes, ...], trust: tuple[TrustList, ...]) -> bool:
    """Whether the last issuer has a listed name."""
    try:
        return certificates.facts(chain[-1]).issuer in _subjects(trust)
    except (der.Malformed, IndexError):
        return False


def _subjects(trust: tuple[TrustList, ...]) -> set[bytes]:
    """Names of the authorities that are listed for signers."""
    lists = of_kind(trust, TrustKind.SIGNERS)
    return {certificates.facts(data).subject for _, item in lists for data in item.ders()}


def chain_notes(chain: tuple[bytes, ...], trust: tuple[TrustList, ...]) -> tuple[Message, ...]:
    """Why nobody on a list vouches for a chain, as far as its names tell."""
    if not chain:
        return (message("signer.out-of-reach"),)
    if len(chain) > certificates.MAX_CHAIN:
        return (message("signer.long-chain", count=len(chain), most=certificates.MAX_CHAIN),)
    try:
        last, subjects = certificates.facts(chain[-1]), _subjects(trust)
    except (der.Malformed, IndexError):
        return ()
    if not subjects or last.issuer in subjects:
        return ()
    if last.issuer == last.subject:
        code = "signer.self-signed" if len(chain) == 1 else "signer.root-unknown"
        return (message(code, name=last.title),)
    return (message("signer.chain-ends", name=certificates.title(last.issuer)),)
