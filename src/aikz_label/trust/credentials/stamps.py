"""Time-stamp tokens (RFC 3161), checked beside the engine: the signature, what it is over, and who made it.

A token is believed when its authority's certificate leads to a list of the kind `time`, at the time that it states
itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from aikz_label.trust import certificates, der, signatures
from aikz_label.trust.credentials.paths import Anchor, Path, extensions, find_path, is_valid_at
from aikz_label.trust.der import Item, Malformed
from aikz_label.values import dataclass

_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_2 = (
    "1.2.840.113549.1.9.16.2.12",
    "1.2.840.113549.1.9.16.2.47",
)
_HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# Where only the kind of key is named, the hash is the one of the signed attributes.
_SCHEMES = {
    "1.2.840.113549.1.1.1": ("pkcs1", ""),
    "1.2.840.10045.2.1": ("ecdsa", ""),
    **signatures.BY_OID,
}
_PSS = "1.2.840.113549.1.1.10"
_TIME_STAMPING = frozenset({ExtendedKeyUsageOID.TIME_STAMPING.dotted_string})
_MAX_BYTES, _MAX_CERTIFICATES = 256 * 1024, 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is signed, and over the right bytes.

    Attributes:
        time: What it states.
        signer: The certificate of its authority.
        pool: Certificates it brings along.
    """

    time: datetime
    signer: x509.Certificate
    pool: tuple[x509.Certificate, ...]


def read_token(data: bytes, stamped: bytes) -> Token | None:
    """Take a token apart and check it against what it should be over.

    Returns:
        `None` when it is damaged, over something else, or not signed by the certificate that it names.
    """
    if len(data) > _MAX_BYTES:
        return None
    try:
        return _read(data, stamped)
    except (*signatures.UNREADABLE, IndexError):
        return None


def find_authority(token: Token, anchors: Sequence[Anchor]) -> Path | None:
    """The chain from a token's signer to a listed authority, at the time of the token."""
    usage = (extensions(token.signer) or {}).get(x509.ExtendedKeyUsage)
    if not isinstance(usage, x509.ExtendedKeyUsage):
        return None
    if {purpose.dotted_string for purpose in usage} != _TIME_STAMPING:
        return None
    if not is_valid_at(token.signer, token.time):
        return None
    return find_path(token.signer, token.pool, anchors, token.time, _TIME_STAMPING)


def _read(data: bytes, stamped: bytes) -> Token | None:
    content = der.parse(data).expect(der.SEQUENCE).children()
    if content[0].tag == der.SEQUENCE:  # a whole answer of the authority: its status first
        content = content[1].expect(der.SEQUENCE).children()
    if content[0].oid() != _SIGNED_DATA:
        return None
    _, _, inner, *rest = content[1].children()[0].expect(der.SEQUENCE).children()
    kind, wrapped = inner.children()
    if kind.oid() != _TST_INFO:
        return None
    info = wrapped.children()[0].expect(der.OCTET_STRING).content
    pool = tuple(_certificates(rest))
    (signer_info,) = rest[-1].expect(der.SET).children()
    signer = _signed_by(signer_info, pool, info)
    time = _info(info, stamped)
    return Token(time, signer, pool) if signer is not None and time is not None else None


def _certificates(fields: list[Item]) -> list[x509.Certificate]:
    found = []
    for item in fields[0].children()[:_MAX_CERTIFICATES] if fields[0].tag == 0xA0 else []:
        try:
            found.append(x509.load_der_x509_certificate(item.whole))
        except signatures.UNREADABLE:
            continue
    return found


def _info(data: bytes, stamped: bytes) -> datetime | None:
    """The time of a TSTInfo, if it is over the right bytes."""
    version, _, imprint, _, time, *_ = der.parse(data).expect(der.SEQUENCE).children()
    algorithm, digest = imprint.children()
    name = _HASHES.get(algorithm.children()[0].oid(), "")
    if version.integer() != 1 or not name:
        return None
    if hashlib.new(name, stamped).digest() != digest.expect(der.OCTET_STRING).content:
        return None
    return time.time()


def _signed_by(
    signer_info: Item, pool: tuple[x509.Certificate, ...], info: bytes
) -> x509.Certificate | None:
    """The certificate whose key signed, with every attribute that binds it (RFC 5652, 5.4; RFC 5035)."""
    _, sid, hashed, attributes, algorithm, signature, *_ = signer_info.children()
    if attributes.tag != 0xA0:
        return None
    name = _HASHES.get(hashed.children()[0].oid(), "")
    found = _attributes(attributes)
    if not name or found.get(_CONTENT_TYPE) is None or found.get(_DIGEST) is None:
        return None
    if found[_CONTENT_TYPE].oid() != _TST_INFO:
        return None
    if found[_DIGEST].expect(der.OCTET_STRING).content != hashlib.new(name, info).digest():
        return None
    signer = next((c for c in pool if _is_meant(sid, c)), None)
    if signer is None or not _is_bound(found, signer):
        return None
    scheme, hash_name = _scheme(algorithm, name)
    text = b"\x31" + attributes.whole[1:]  # signed as the set that it is (RFC 5652, 5.4)
    value = signature.expect(der.OCTET_STRING).content
    good = bool(scheme) and signatures.verify(signer.public_key(), scheme, hash_name, value, text)
    return signer if good else None


def _attributes(attributes: Item) -> dict[str, Item]:
    """First value of each signed attribute; one that is there twice binds nothing."""
    found: dict[str, Item] = {}
    for attribute in attributes.children():
        kind, values = attribute.children()
        if kind.oid() in found:
            raise Malformed("an attribute is there twice")
        found[kind.oid()] = values.expect(der.SET).children()[0]
    return found


def _is_meant(sid: Item, certificate: x509.Certificate) -> bool:
    """Whether the token names this certificate, by issuer and number or by its key."""
    if sid.tag == der.SEQUENCE:
        issuer, serial = sid.children()
        facts = certificates.facts(certificate.public_bytes(Encoding.DER))
        return (issuer.whole, serial.integer()) == (facts.issuer, facts.serial)
    found = (extensions(certificate) or {}).get(x509.SubjectKeyIdentifier)
    return isinstance(found, x509.SubjectKeyIdentifier) and sid.content == found.digest


def _is_bound(attributes: dict[str, Item], certificate: x509.Certificate) -> bool:
    """Whether the signed attributes name exactly this certificate, by its hash (RFC 2634, RFC 5035)."""
    second = attributes.get(_SIGNING_CERTIFICATE_2)
    first = attributes.get(_SIGNING_CERTIFICATE)
    if second is None and first is None:
        return False
    attribute = second or first
    assert attribute is not None
    parts = attribute.children()[0].children()[0].children()
    name = "sha256" if second is not None else "sha1"
    if second is not None and parts[0].tag == der.SEQUENCE:
        name = _HASHES.get(parts.pop(0).children()[0].oid(), "")
    encoded = certificate.public_bytes(Encoding.DER)
    # SHA-1 here only says which certificate is meant, and its own signature is checked anyway
    return (
        bool(name)
        and parts[0].content == hashlib.new(name, encoded, usedforsecurity=False).digest()
    )


def _scheme(algorithm: Item, digest: str) -> tuple[str, str]:
    kind, *parameters = algorithm.children()
    if kind.oid() == _PSS:
        return "pss", _pss_hash(parameters)
    scheme, name = _SCHEMES.get(kind.oid(), ("", ""))
    return scheme, name or digest


def _pss_hash(parameters: list[Item]) -> str:
    """The hash of RSASSA-PSS parameters; the default, SHA-1, counts as none."""
    for item in parameters[0].children() if parameters else []:
        if item.tag == 0xA0:
            return _HASHES.get(item.children()[0].children()[0].oid(), "")
    return ""
