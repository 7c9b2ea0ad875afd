"""Signatures that we check ourselves, beside the engine: few algorithms, everything else is false.

Tested with the Wycheproof vectors. SHA-1, MD5, short RSA keys and curves outside C2PA have no entry in the
tables, so nothing signed with them ever counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes,
    )

# What parsing and checking raises on content, which reads some parts only when they are asked for.
UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    InvalidSignature,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
PublicKey: TypeAlias = "CertificatePublicKeyTypes"
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # checking costs time that grows with the square
_CURVES = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
# C2PA 2.4, 13.2: the algorithms of claim signatures. Each ECDSA one goes with any of the curves.
_COSE = {
    "es256": ("ecdsa", "sha256"),
    "es384": ("ecdsa", "sha384"),
    "es512": ("ecdsa", "sha512"),
    "ps256": ("pss", "sha256"),
    "ps384": ("pss", "sha384"),
    "ps512": ("pss", "sha512"),
    "ed25519": ("eddsa", ""),
}

# Algorithms of certificates and what is signed like them, by object identifier.
BY_OID = {
    "1.2.840.113549.1.1.11": ("pkcs1", "sha256"),
    "1.2.840.113549.1.1.12": ("pkcs1", "sha384"),
    "1.2.840.113549.1.1.13": ("pkcs1", "sha512"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
    "1.3.101.112": ("eddsa", ""),
}


def verify(key: PublicKey, scheme: str, hashed: str, signature: bytes, data: bytes) -> bool:
    """Whether a signature fits.

    Args:
        key: Public key.
        scheme: `ecdsa` (DER), `pss` (salt as long as the hash), `pkcs1` or `eddsa`.
        hashed: `sha256`, `sha384` or `sha512`; not used for `eddsa`.
        signature: What is claimed to be one.
        data: What was signed.
    """
    if scheme != "eddsa" and hashed not in _HASHES:
        return False
    try:
        match key:
            case ec.EllipticCurvePublicKey() if scheme == "ecdsa" and key.curve.name in _CURVES:
                key.verify(signature, data, ec.ECDSA(_HASHES[hashed]()))
            case rsa.RSAPublicKey() if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
                key.verify(signature, data, _padding(scheme, hashed), _HASHES[hashed]())
            case ed25519.Ed25519PublicKey() if scheme == "eddsa":
                key.verify(signature, data)
            case _:
                return False
    except UNREADABLE:
        return False
    return True


def _padding(scheme: str, hashed: str) -> padding.AsymmetricPadding:
    if scheme == "pkcs1":
        return padding.PKCS1v15()
    if scheme != "pss":
        raise ValueError(scheme)
    function = _HASHES[hashed]()
    return padding.PSS(padding.MGF1(function), function.digest_size)


def verify_cose(key: PublicKey, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether a signature in the form of COSE fits; `algorithm` is the name C2PA gives it."""
    scheme, hashed = _COSE.get(algorithm, ("", ""))
    if scheme == "ecdsa":
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        size = _CURVES.get(key.curve.name, 0)
        if not size or len(signature) != 2 * size:
            return False
        halves = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
        signature = utils.encode_dss_signature(*halves)
    return bool(scheme) and verify(key, scheme, hashed, signature, data)


def as_cose(signature: bytes, key: PublicKey) -> bytes | None:
    """A signature as COSE wants it: for ECDSA the two numbers one after the other, also when it came as DER.

    Returns:
        `None` when it cannot be one of this key.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return signature
    size = _CURVES.get(key.curve.name, 0)
    if len(signature) == 2 * size:
        return signature
    try:
        first, second = utils.decode_dss_signature(signature)
        return first.to_bytes(size) + second.to_bytes(size)
    except (ValueError, OverflowError):
        return None
