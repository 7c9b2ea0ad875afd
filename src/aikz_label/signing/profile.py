"""What a signing certificate must be, asked before anything is signed.

The engine's own answer to all of this is "the certificate is invalid". The list is that of C2PA 2.4, 14.5.1, as far as
verifiers insist on it, and `docs/how-to/use-your-own-pki.md` shows it as an openssl configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from aikz_label.errors import SigningError
from aikz_label.trust import signatures
from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION
from aikz_label.values import dataclass

_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
MIN_RSA_BITS = 2048
_MAX_CHAIN = 16
_WEAK_HASHES = (hashes.SHA1, hashes.MD5)
# A certificate that may also do one of these is refused by verifiers.
_FOREIGN_PURPOSES = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
}


def load_chain(data: bytes) -> tuple[x509.Certificate, ...]:
    """Certificates from PEM, leaf first.

    Raises:
        SigningError: There is none, one is garbage, or there are far too many.
    """
    try:
        chain = tuple(x509.load_pem_x509_certificates(data))
    except signatures.UNREADABLE:
        raise SigningError(
            "The signer has no certificate that can be read.",
            code="signer-chain",
            hint="Add the chain as PEM, leaf first, without the root.",
        ) from None
    if len(chain) > _MAX_CHAIN:
        raise SigningError(
            f"The signer's chain has {len(chain)} certificates; at most {_MAX_CHAIN} make sense.",
            code="signer-chain",
            hint="Keep the leaf and the authorities between it and the root.",
        )
    return chain


def pem(chain: tuple[x509.Certificate, ...]) -> bytes:
    """Certificates as PEM."""
    return b"".join(certificate.public_bytes(_PEM) for certificate in chain)


def sorted_chain(
    leaf: x509.Certificate, others: list[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The chain by names, without the root: PKCS#12 files and tokens keep certificates in any order."""
    chain = [leaf]
    while chain[-1].issuer != chain[-1].subject and len(chain) < _MAX_CHAIN:
        parent = next((c for c in others if c.subject == chain[-1].issuer), None)
        if parent is None or parent in chain or parent.issuer == parent.subject:
            break
        chain.append(parent)
    return tuple(chain)


def check_order(chain: tuple[x509.Certificate, ...]) -> None:
    """Each certificate must be signed by the next.

    Raises:
        SigningError: One is not: out of order, or one in between is missing.
    """
    for child, parent in pairwise(chain):
        if not _issued(child, parent):
            raise SigningError(
                f"The chain breaks: {_name(parent)!r} did not issue the certificate before it, {_name(child)!r}.",
                code="signer-chain",
                hint="Put the leaf first, then the authority that issued it, and so on; leave none out.",
            )


def _issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(parent)
    except signatures.UNREADABLE:
        return False
    return True


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:200]


def check_leaf(leaf: x509.Certificate, now: datetime) -> None:
    """Whether the leaf may sign markers at a time.

    Raises:
        SigningError: It may not; the sentence names what is wrong or missing.
    """
    if now > leaf.not_valid_after_utc:
        raise SigningError(
            f"The signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}.",
            code="signer-expired",
            hint="Get a new certificate: `aikz-label identity rotate`, or from your authority.",
        )
    if now < leaf.not_valid_before_utc:
        raise SigningError(
            f"The signing certificate is valid only from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
            code="signer-not-yet-valid",
            hint="Check this machine's clock.",
        )
    if problem := leaf_problem(leaf):
        raise SigningError(
            f"The signing certificate {problem}, so no verifier would accept its signature.",
            code="signer-profile",
            hint="Ask the certificate authority for a C2PA claim-signing certificate, or use `aikz-label ca issue`.",
        )


def leaf_problem(leaf: x509.Certificate) -> str:
    """What keeps a certificate from signing markers, as the end of a sentence; empty when nothing does."""
    if leaf.version is not x509.Version.v3:
        return "is not of version 3"
    if isinstance(_hash(leaf), _WEAK_HASHES):
        return "is itself signed with SHA-1 or MD5"
    extensions = _extensions(leaf)
    if extensions is None:
        return "has an extension that cannot be read"
    for kind, name in (
        (x509.KeyUsage, "keyUsage"),
        (x509.ExtendedKeyUsage, "extendedKeyUsage"),
        (x509.AuthorityKeyIdentifier, "authorityKeyIdentifier"),
    ):
        if kind not in extensions:
            return f"lacks the extension {name}"
    return _usage_problem(extensions)


_Extensions = dict[type[x509.ExtensionType], x509.ExtensionType]


def _extensions(certificate: x509.Certificate) -> _Extensions | None:
    try:
        return {type(item.value): item.value for item in certificate.extensions}
    except signatures.UNREADABLE:
        return None


def _hash(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _usage_problem(extensions: _Extensions) -> str:
    constraints = extensions.get(x509.BasicConstraints)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        return "belongs to an authority (basicConstraints says CA)"
    usage, purposes = extensions[x509.KeyUsage], extensions[x509.ExtendedKeyUsage]
    assert isinstance(usage, x509.KeyUsage)
    assert isinstance(purposes, x509.ExtendedKeyUsage)
    if not usage.digital_signature:
        return "does not allow digitalSignature in keyUsage"
    if usage.key_cert_sign:
        return "allows keyCertSign in keyUsage"
    if not {purpose.dotted_string for purpose in purposes} & {CLAIM_SIGNING, EMAIL_PROTECTION}:
        return "has neither claimSigning nor emailProtection in extendedKeyUsage"
    foreign = [_FOREIGN_PURPOSES[purpose] for purpose in purposes if purpose in _FOREIGN_PURPOSES]
    return f"has {foreign[0]} in extendedKeyUsage" if foreign else ""


def algorithm(key: object) -> str:
    """C2PA name of the algorithm that belongs to a public key.

    Raises:
        SigningError: No algorithm of C2PA fits it, or it is too short.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        name = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(
            key.curve.name
        )
        if name:
            return name
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size >= MIN_RSA_BITS:
            return "ps256"
        raise SigningError(
            f"The RSA key has {key.key_size} bits, and {MIN_RSA_BITS} are the least that verifiers accept.",
            code="signer-key",
            hint="Make a new key, best ECDSA on P-256.",
        )
    raise SigningError(
        "This kind of key is not supported.",
        code="signer-key",
        hint="Use ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits.",
    )


def check_belongs(key: bytes, leaf: x509.Certificate) -> None:
    """Whether a private key is that of the leaf.

    Raises:
        SigningError: It is not.
    """
    private = serialization.load_pem_private_key(key, password=None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    own, certified = (k.public_bytes(_DER, form) for k in (private.public_key(), leaf.public_key()))
    if own != certified:
        raise SigningError(
            "The private key does not belong to the first certificate.",
            code="signer-mismatch",
            hint="Put the leaf certificate of this key first.",
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """Signs elsewhere, and checks what comes back: a device, a program or a plug-in can answer with anything."""

    signer: Callable[[bytes], bytes]
    leaf: x509.Certificate
    algorithm: str

    def __call__(self, data: bytes) -> bytes:
        """The signature in the form C2PA wants.

        Raises:
            SigningError: What came back is no signature of this certificate's key.
        """
        answer = self.signer(data)
        key = self.leaf.public_key()
        signature = signatures.as_cose(answer, key)
        if signature is None or not signatures.verify_cose(key, self.algorithm, signature, data):
            raise SigningError(
                "The signer answered with something that is not a signature by this certificate's key.",
                code="signer-signature",
                hint="Check that key and certificate belong together, and that the signer is given bytes, not a digest.",
            )
        return signature
