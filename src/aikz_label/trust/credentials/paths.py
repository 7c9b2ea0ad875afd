"""From a certificate to somebody on a list: chains, with bounds (RFC 5280, 6.1).

The list is the decision, so the dates of a listed certificate are not looked at, as in the standard; what it says
about its own use is. Every other authority on the way must be one, be valid at the time, be allowed to sign
certificates, and have allowed what is below it: how long a chain, for which names, for which purposes. An extension
that is critical and not known here ends the search, and so does a name of a kind that is restricted but cannot be
compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aikz_label.trust.signatures import MAX_RSA_BITS, MIN_RSA_BITS, UNREADABLE
from aikz_label.values import dataclass, field

MAX_DEPTH = 8
_MAX_CHECKS = 64  # signatures checked for one chain: loops and cross-signed thickets end here
_WEAK = (hashes.SHA1, hashes.MD5)
_KNOWN: tuple[type[x509.ExtensionType], ...] = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
    x509.SubjectAlternativeName,
    x509.IssuerAlternativeName,
    x509.CertificatePolicies,
    x509.CRLDistributionPoints,
    x509.AuthorityInformationAccess,
    x509.NameConstraints,
)
Extensions: TypeAlias = dict[type[x509.ExtensionType], x509.ExtensionType]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A listed certificate.

    Attributes:
        certificate: The certificate.
        trust: Index of its list.
    """

    certificate: x509.Certificate
    trust: int


@dataclass(frozen=True, slots=True)
class Path:
    """A chain that holds: the leaf, the authorities above it, and the listed certificate at its end."""

    certificates: tuple[x509.Certificate, ...]
    anchor: Anchor


@dataclass(slots=True)
class _Search:
    """One search for a path; `checks` counts signatures."""

    pool: Sequence[x509.Certificate]
    anchors: Sequence[Anchor]
    when: datetime
    purposes: frozenset[str]
    ordered: bool
    checks: int = 0
    seen: set[bytes] = field(default_factory=set)


def find_path(
    leaf: x509.Certificate,
    pool: Sequence[x509.Certificate],
    anchors: Sequence[Anchor],
    when: datetime,
    purposes: frozenset[str],
    *,
    ordered: bool = False,
) -> Path | None:
    """The first chain from a leaf to a listed certificate that holds at a time.

    Args:
        leaf: Where to start; its own dates and purposes are the caller's business.
        pool: Certificates that may stand in between.
        anchors: Listed certificates.
        when: The time.
        purposes: What the leaf is used for; an authority that is restricted to purposes must be allowed one of these.
        ordered: The pool is a chain, and each may only be followed by the next.
    """
    search = _Search(pool, anchors, when, purposes, ordered)
    if extensions(leaf) is None or _unknown(leaf):
        return None
    return _climb(search, (leaf,))


def _climb(search: _Search, below: tuple[x509.Certificate, ...]) -> Path | None:
    top = below[-1]
    for anchor in search.anchors:
        if anchor.certificate == top:
            return Path(below, anchor)
        if _may_follow(search, below, anchor.certificate, listed=True):
            return Path((*below, anchor.certificate), anchor)
    if len(below) >= MAX_DEPTH:
        return None
    for candidate in _candidates(search, below):
        if _may_follow(search, below, candidate, listed=False):
            found = _climb(search, (*below, candidate))
            if found is not None:
                return found
    return None


def _candidates(search: _Search, below: tuple[x509.Certificate, ...]) -> Iterator[x509.Certificate]:
    if search.ordered:
        yield from search.pool[len(below) - 1 : len(below)]
        return
    yield from (certificate for certificate in search.pool if certificate not in below)


def _may_follow(
    search: _Search,
    below: tuple[x509.Certificate, ...],
    authority: x509.Certificate,
    *,
    listed: bool,
) -> bool:
    """Whether an authority issued the top of a chain, and may have what is below."""
    top = below[-1]
    if top.issuer != authority.subject or authority in below:
        return False
    if not listed and not is_valid_at(authority, search.when):
        return False
    if not _may_issue(authority, below, search.purposes):
        return False
    search.checks += 1
    return search.checks <= _MAX_CHECKS and issued(top, authority)


def is_valid_at(certificate: x509.Certificate, when: datetime) -> bool:
    """Whether a time lies within a certificate's dates."""
    return certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc


def issued(child: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether a certificate carries the signature of an authority's key, with an algorithm that counts."""
    if not _strong(authority) or isinstance(_hash(child), _WEAK):
        return False
    try:
        child.verify_directly_issued_by(authority)
    except UNREADABLE:
        return False
    return True


def _hash(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _strong(certificate: x509.Certificate) -> bool:
    """Whether a key is of a kind and a length that counts."""
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in {"secp256r1", "secp384r1", "secp521r1"}
    return isinstance(key, ed25519.Ed25519PublicKey)


@lru_cache(maxsize=256)
def extensions(certificate: x509.Certificate) -> Extensions | None:
    """Extensions by type; `None` when they cannot be read."""
    try:
        return {type(item.value): item.value for item in certificate.extensions}
    except UNREADABLE:
        return None


def _unknown(certificate: x509.Certificate) -> bool:
    """Whether it carries a critical extension that is not looked at here."""
    return any(e.critical and not isinstance(e.value, _KNOWN) for e in certificate.extensions)


def _may_issue(
    authority: x509.Certificate, below: tuple[x509.Certificate, ...], purposes: frozenset[str]
) -> bool:
    found = extensions(authority)
    if found is None or _unknown(authority) or authority.version is not x509.Version.v3:
        return False
    basic, usage = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    if not isinstance(basic, x509.BasicConstraints) or not basic.ca:
        return False
    if isinstance(usage, x509.KeyUsage) and not usage.key_cert_sign:
        return False
    return _allows(basic, found, below, purposes)


def _allows(
    basic: x509.BasicConstraints,
    found: Extensions,
    below: tuple[x509.Certificate, ...],
    purposes: frozenset[str],
) -> bool:
    """Whether an authority allows what is below it: how many, what for, and under which names."""
    between = sum(1 for c in below[1:] if c.subject != c.issuer)  # self-issued ones do not count
    if basic.path_length is not None and between > basic.path_length:
        return False
    extended, names = found.get(x509.ExtendedKeyUsage), found.get(x509.NameConstraints)
    if isinstance(extended, x509.ExtendedKeyUsage):
        allowed = {purpose.dotted_string for purpose in extended}
        if not allowed & {*purposes, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string}:
            return False
    if not isinstance(names, x509.NameConstraints):
        return True
    return all(_names_fit(certificate, names) for certificate in below)


# --- name constraints (RFC 5280, 4.2.1.10) ----------------------------------------------------------------------------

_Name: TypeAlias = tuple[type[x509.GeneralName], object]  # kind and value


def _names_fit(certificate: x509.Certificate, constraints: x509.NameConstraints) -> bool:
    permitted = [_name(tree) for tree in constraints.permitted_subtrees or ()]
    excluded = [_name(tree) for tree in constraints.excluded_subtrees or ()]
    for name in _names(certificate):
        if any(_inside(name, tree) is not False for tree in excluded if tree[0] is name[0]):
            return False
        same = [tree for tree in permitted if tree[0] is name[0]]
        if same and not any(_inside(name, tree) for tree in same):
            return False
    return True


def _name(name: x509.GeneralName) -> _Name:
    return type(name), name.value


def _names(certificate: x509.Certificate) -> Iterator[_Name]:
    if list(certificate.subject):
        yield x509.DirectoryName, certificate.subject
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name, attribute.value
    alternative = (extensions(certificate) or {}).get(x509.SubjectAlternativeName)
    if isinstance(alternative, x509.SubjectAlternativeName):
        yield from map(_name, alternative)


def _inside(name: _Name, tree: _Name) -> bool | None:
    """Whether a name lies in a subtree of its kind; `None` when such names are not compared here."""
    match name[1], tree[1]:
        case x509.Name() as own, x509.Name() as part:
            return list(own.rdns)[: len(part.rdns)] == list(part.rdns)
        case str() as own, str() as part if name[0] is x509.RFC822Name:
            return _mail_inside(own.lower(), part.lower())
        case str() as own, str() as part if name[0] is x509.DNSName:
            suffix = part.lower().lstrip(".")
            return own.lower() == suffix or own.lower().endswith("." + suffix)
    return None


def _mail_inside(address: str, tree: str) -> bool:
    if "@" in tree:
        return address == tree
    host = address.rpartition("@")[2]
    return host.endswith(tree) if tree.startswith(".") else host == tree
