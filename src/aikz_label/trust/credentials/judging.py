"""Our own validation of a signature's certificates: dates, chains, revocation and time-stamps, as of any time.

    time-stamp → the time that counts → dates of the leaf → listed, or a chain to somebody listed → called back?

A trusted time-stamp proves that the signature was there at its time: then the certificates count as of that time,
and a revocation that came later does not matter. Without one they count as of the time of the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from aikz_label.manifest import cose
from aikz_label.manifest.answers import Stamp
from aikz_label.report.provenance import NOT_CHECKED, Revocation
from aikz_label.texts import Message, message
from aikz_label.trust import TrustKind, TrustList, certificates, network, of_kind, signatures
from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION
from aikz_label.trust.credentials import (
    Question,
    chain_notes,
    iso,
    revocation,
    stamp_notes,
    stamps,
)
from aikz_label.trust.credentials.paths import Anchor, Path, extensions, find_path, issued
from aikz_label.values import dataclass, replace

_PURPOSES = frozenset({CLAIM_SIGNING, EMAIL_PROTECTION})
_Pair = tuple[x509.Certificate, x509.Certificate]  # a certificate and who issued it


@dataclass(frozen=True, slots=True)
class Standing:
    """What a signature is worth.

    Attributes:
        state: `trusted`, `untrusted` or `invalid`.
        problem: For the last two: code of the group `marker`; empty for a signer who is on no list.
        trust: For `trusted`: index of the list.
        stamp: Its time-stamp.
        revocation: What is known about certificates that were called back.
        notes: What else to say, in codes of the group `signer`.
    """

    state: str
    problem: str = ""
    trust: int = -1
    stamp: Stamp | None = None
    revocation: Revocation = NOT_CHECKED
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lists:
    """The trust lists, loaded.

    Attributes:
        signers: Authorities for markers.
        time: Authorities for time-stamps.
        single: Certificates that are believed by themselves, each with the place of its list.
        revoked: Revocation lists.
    """

    signers: tuple[Anchor, ...]
    time: tuple[Anchor, ...]
    single: tuple[Anchor, ...]
    revoked: tuple[revocation.RevocationList, ...]


def judge(
    signature: cose.Signature | None, trust: tuple[TrustList, ...], question: Question
) -> Standing:
    """What a signature is worth as of a time; never raises on content. One that cannot be read is not believed."""
    if signature is None:
        return Standing("untrusted", notes=chain_notes((), trust))
    try:
        return _judge(signature, trust, question)
    except signatures.UNREADABLE:
        return Standing("invalid", "damaged")


def _judge(signature: cose.Signature, trust: tuple[TrustList, ...], question: Question) -> Standing:
    chain = _load(signature.chain)
    if chain is None:
        return Standing("untrusted", notes=chain_notes(signature.chain, trust))
    leaf, lists = chain[0], _lists(trust)
    if not signatures.verify_cose(
        leaf.public_key(), signature.algorithm, signature.value, signature.signed()
    ):
        return Standing("invalid", "damaged")
    stamp, notes = _stamp(signature, lists, question)
    proven = _proven(stamp, question)
    moment = proven or question.when
    if problem := _leaf_problem(leaf, moment):
        return Standing("invalid", problem, stamp=stamp, notes=notes)
    believed, pairs = _believed(chain, lists, moment)
    if believed is None:
        more = chain_notes(signature.chain, trust)
        return Standing("untrusted", stamp=stamp, notes=notes + more)
    standing = Standing("trusted", trust=believed.trust, stamp=stamp, notes=notes)
    return _unless_revoked(standing, pairs, lists, proven, question)


def vouching_list(
    chain: tuple[x509.Certificate, ...], trust: tuple[TrustList, ...], now: datetime
) -> int:
    """Index of the list that vouches for a signer's chain, or -1."""
    believed, _ = _believed(chain, _lists(trust), now)
    return believed.trust if believed is not None else -1


def _load(chain: tuple[bytes, ...]) -> tuple[x509.Certificate, ...] | None:
    """The chain; `None` when it is absurdly long.

    Raises:
        ValueError: One of them is no certificate, or there is none.
    """
    if not chain:
        raise ValueError("no certificate")
    if len(chain) > certificates.MAX_CHAIN:
        return None
    return tuple(map(_certificate, chain))


@lru_cache(maxsize=256)
def _certificate(data: bytes) -> x509.Certificate:
    found = x509.load_der_x509_certificate(data)
    found.public_key()  # a key of an unknown kind raises here, once
    return found


@lru_cache(maxsize=16)
def _lists(trust: tuple[TrustList, ...]) -> _Lists:
    def anchors(kind: TrustKind) -> Iterator[Anchor]:
        for index, item in of_kind(trust, kind):
            for data in item.ders():
                try:
                    yield Anchor(x509.load_der_x509_certificate(data), index)
                except signatures.UNREADABLE:  # one that nobody can read believes nobody
                    continue

    return _Lists(
        tuple(anchors(TrustKind.SIGNERS)),
        tuple(anchors(TrustKind.TIME)),
        tuple(anchors(TrustKind.CERTIFICATES)),
        tuple(
            revocation.load_list(data)
            for _, item in of_kind(trust, TrustKind.REVOKED)
            for data in item.ders()
        ),
    )


# --- time -------------------------------------------------------------------------------------------------------------


def _stamp(
    signature: cose.Signature, lists: _Lists, question: Question
) -> tuple[Stamp | None, tuple[Message, ...]]:
    """The best of the time-stamps, and what is to be said about it."""
    if not signature.tokens:
        return None, ()
    over = signature.stamped()
    read = [stamps.read_token(token, over) for token in signature.tokens]
    tokens = [token for token in read if token is not None]
    if not tokens:
        return Stamp("invalid"), ()
    for token in tokens:
        path = stamps.find_authority(token, lists.time)
        if path is not None and not _called_back(path, lists, token.time, question):
            found = Stamp("trusted", iso(token.time), path.anchor.trust, _title(token.signer))
            return found, stamp_notes(found, question)
    return Stamp("untrusted", iso(tokens[0].time), authority=_title(tokens[0].signer)), ()


def _called_back(path: Path, lists: _Lists, time: datetime, question: Question) -> bool:
    """Whether an authority for time-stamps was not to be believed any more at a time."""
    answers = (revocation.on_lists(*pair, lists.revoked) for pair in _pairs(path))
    return any(
        answer.since is not None and answer.since <= min(time, question.when) for answer in answers
    )


def _proven(stamp: Stamp | None, question: Question) -> datetime | None:
    """When the signature is known to have been there, if that is known.

    As of a time that the caller names, a later time-stamp was not there yet. A clock that is behind a time-stamp is wrong.
    """
    if stamp is None or stamp.state != "trusted":
        return None
    time = datetime.fromisoformat(stamp.time)
    return time if question.at is None or time <= question.at else None


def _title(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    return certificates.facts(certificate.public_bytes(Encoding.DER)).title


# --- the signer -------------------------------------------------------------------------------------------------------


def _leaf_problem(leaf: x509.Certificate, moment: datetime) -> str:
    if moment < leaf.not_valid_before_utc:
        return "early"
    if moment > leaf.not_valid_after_utc:
        return "expired"
    found = extensions(leaf)
    usage = (found or {}).get(x509.ExtendedKeyUsage)
    if not isinstance(usage, x509.ExtendedKeyUsage):
        return "profile"
    return "" if {p.dotted_string for p in usage} & _PURPOSES else "profile"


def _believed(
    chain: tuple[x509.Certificate, ...], lists: _Lists, moment: datetime
) -> tuple[Anchor | None, list[_Pair]]:
    """Who on a list vouches for the leaf, and the certificates on the way with their issuers."""
    leaf, *above = chain
    single = next((anchor for anchor in lists.single if anchor.certificate == leaf), None)
    if single is not None:
        pairs = zip(chain, above, strict=False)
        return single, [pair for pair in pairs if issued(*pair)]
    path = find_path(leaf, above, lists.signers, moment, _PURPOSES, ordered=True)
    return (path.anchor, _pairs(path)) if path is not None else (None, [])


def _pairs(path: Path) -> list[_Pair]:
    return list(zip(path.certificates, path.certificates[1:], strict=False))


def _unless_revoked(
    standing: Standing,
    pairs: list[_Pair],
    lists: _Lists,
    proven: datetime | None,
    question: Question,
) -> Standing:
    """Look everybody on the way up; the caller's responder is asked about the signer only."""
    found = Revocation()
    for certificate, issuer in pairs:
        answer = revocation.on_lists(certificate, issuer, lists.revoked)
        if _counts(answer, proven, question):
            return _revoked(standing, answer, "crl", certificate)
        if certificate is pairs[0][0] and answer.state != "unknown":
            until = iso(answer.until) if answer.until else ""
            stale = answer.until is not None and answer.until < question.when
            found = Revocation(answer.state, "crl", until=until, stale=stale)
            if answer.state == "revoked":  # later than this signature
                found = replace(found, since=iso(answer.since) if answer.since else "")
    if not question.responder:
        return replace(standing, revocation=found)
    return _asked(replace(standing, revocation=found), pairs, proven, question)


def _asked(
    standing: Standing, pairs: list[_Pair], proven: datetime | None, question: Question
) -> Standing:
    if not pairs:  # a listed certificate without its issuer
        return replace(standing, state="untrusted", problem="unconfirmed", trust=-1)
    certificate, issuer = pairs[0]
    answer, notes = revocation.UNKNOWN, standing.notes
    try:
        data = network.post(
            question.responder,
            revocation.question(certificate, issuer),
            "application/ocsp-request",
            "application/ocsp-response",
        )
        answer = revocation.answered(data, certificate, issuer, question.now)
    except network.NoAnswer as problem:
        notes += (message("signer.no-answer", why=str(problem)),)
    if _counts(answer, proven, question):
        return _revoked(standing, answer, "ocsp", certificate)
    if answer.state == "unknown":  # the caller wants to know, and nobody said
        return replace(
            standing,
            state="untrusted",
            problem="unconfirmed",
            trust=-1,
            revocation=Revocation("unknown", "ocsp"),
            notes=notes,
        )
    since = iso(answer.since) if answer.since else ""
    return replace(standing, revocation=Revocation(answer.state, "ocsp", since=since))


def _counts(answer: revocation.Answer, proven: datetime | None, question: Question) -> bool:
    """Whether a revocation touches this signature: it had happened as of then, and before the signature was proven."""
    if answer.state != "revoked" or answer.since is None or answer.since > question.when:
        return False
    return proven is None or proven >= answer.since


def _revoked(
    standing: Standing, answer: revocation.Answer, how: str, certificate: x509.Certificate
) -> Standing:
    since = iso(answer.since) if answer.since else ""
    note = message(
        "signer.revoked", name=_title(certificate), since=since, reason=answer.reason or "–"
    )
    return replace(
        standing,
        state="invalid",
        problem="revoked",
        trust=-1,
        revocation=Revocation("revoked", how, since=since),
        notes=(*standing.notes, note),
    )
