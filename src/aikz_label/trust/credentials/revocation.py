"""Whether a certificate was called back: revocation lists (CRL, RFC 5280) and answers of a responder (OCSP, RFC 6960).

A list counts when the certificate's own issuer signed it. One that is out of date still proves what is on it; that
it is out of date is said. Lists for a part of the certificates count for that part.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from aikz_label.trust import signatures
from aikz_label.trust.credentials.paths import extensions, is_valid_at, issued
from aikz_label.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one certificate.

    Attributes:
        state: `good`, `revoked`, or `unknown` when nobody who may say so said anything.
        since: From when on it is not to be believed.
        until: When what was asked is out of date; `None` when it says nothing about that.
        reason: Why it was revoked, in the words of the standard.
    """

    state: str
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""


UNKNOWN = Answer("unknown")


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A revocation list: its bytes, by which it is compared, and what they say."""

    data: bytes = field(repr=False)
    content: x509.CertificateRevocationList = field(compare=False)


def load_list(data: bytes) -> RevocationList:
    """A revocation list from DER."""
    return RevocationList(data, x509.load_der_x509_crl(data))


def on_lists(
    certificate: x509.Certificate, issuer: x509.Certificate, lists: Iterable[RevocationList]
) -> Answer:
    """Look a certificate up on the lists of its issuer; any of them that names it decides."""
    best = UNKNOWN
    for one in lists:
        listed = one.content
        if listed.issuer != issuer.subject or not _covers(listed, certificate):
            continue
        if not _signed(one, issuer):
            continue
        entry = listed.get_revoked_certificate_by_serial_number(certificate.serial_number)
        until = listed.next_update_utc
        if entry is not None:
            since, reason = _entry(entry)
            if reason != "removeFromCRL":
                return Answer("revoked", since, until, reason)
        if best.state == "unknown" or (until and (best.until is None or until > best.until)):
            best = Answer("good", until=until)
    return best


@lru_cache(maxsize=256)
def _signed(one: RevocationList, issuer: x509.Certificate) -> bool:
    listed = one.content
    usage = (extensions(issuer) or {}).get(x509.KeyUsage)
    if isinstance(usage, x509.KeyUsage) and not usage.crl_sign:
        return False
    try:
        if isinstance(listed.signature_hash_algorithm, hashes.SHA1 | hashes.MD5):
            return False
        return listed.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # others raise
    except signatures.UNREADABLE:
        return False


def _covers(listed: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list speaks about such certificates, and says nothing that is not understood here."""
    basic = (extensions(certificate) or {}).get(x509.BasicConstraints)
    is_authority = isinstance(basic, x509.BasicConstraints) and basic.ca
    try:
        found = list(listed.extensions)
    except signatures.UNREADABLE:
        return False
    for extension in found:
        part = extension.value
        if isinstance(part, x509.IssuingDistributionPoint):
            if part.indirect_crl or part.only_contains_attribute_certs or part.only_some_reasons:
                return False
            if part.only_contains_user_certs and is_authority:
                return False
            if part.only_contains_ca_certs and not is_authority:
                return False
        elif isinstance(part, x509.DeltaCRLIndicator) or (
            extension.critical
            and not isinstance(part, x509.CRLNumber | x509.AuthorityKeyIdentifier)
        ):
            return False
    return True


def _entry(entry: x509.RevokedCertificate) -> tuple[datetime, str]:
    """From when on a certificate is not to be believed: from when on its key was not safe, if that is said."""
    since, reason = entry.revocation_date_utc, ""
    for extension in entry.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason.value
        elif isinstance(extension.value, x509.InvalidityDate):
            since = min(since, extension.value.invalidity_date_utc)
    return since, reason


# --- OCSP -------------------------------------------------------------------------------------------------------------


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """What to send to a responder."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    # responders look certificates up by SHA-1 of their issuer (RFC 5019); it protects nothing
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)


def answered(
    data: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Answer:
    """What a responder's answer is worth; `unknown` unless it is about this certificate, signed and fresh."""
    try:
        response = ocsp.load_der_ocsp_response(data)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return UNKNOWN
        if not _answers(response, certificate, issuer, now):
            return UNKNOWN
        match response.certificate_status:
            case ocsp.OCSPCertStatus.GOOD:
                return Answer("good", until=response.next_update_utc)
            case ocsp.OCSPCertStatus.REVOKED:
                flag = response.revocation_reason
                reason = flag.value if flag else ""
                return Answer("revoked", response.revocation_time_utc, reason=reason)
    except signatures.UNREADABLE:
        pass
    return UNKNOWN


def _answers(
    response: ocsp.OCSPResponse,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: datetime,
) -> bool:
    expected = ocsp.load_der_ocsp_request(question(certificate, issuer))
    same = (
        response.serial_number == certificate.serial_number
        and isinstance(response.hash_algorithm, hashes.SHA1)
        and response.issuer_key_hash == expected.issuer_key_hash
        and response.issuer_name_hash == expected.issuer_name_hash
    )
    ends = response.next_update_utc
    fresh = response.this_update_utc <= now and (ends is None or now <= ends)
    return (
        same and fresh and any(_signed_answer(response, s) for s in _responders(response, issuer))
    )


def _responders(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> list[x509.Certificate]:
    """Who may answer: the issuer, and whom the issuer made a responder."""
    purpose = ExtendedKeyUsageOID.OCSP_SIGNING
    found = [issuer]
    for candidate in response.certificates[:8]:
        usage = (extensions(candidate) or {}).get(x509.ExtendedKeyUsage)
        delegated = isinstance(usage, x509.ExtendedKeyUsage) and purpose in usage
        made_then = is_valid_at(candidate, response.this_update_utc)
        if delegated and made_then and issued(candidate, issuer):
            found.append(candidate)
    return found


def _signed_answer(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    oid = response.signature_algorithm_oid.dotted_string
    scheme, hashed = signatures.BY_OID.get(oid, ("", ""))
    return bool(scheme) and signatures.verify(
        signer.public_key(), scheme, hashed, response.signature, response.tbs_response_bytes
    )
