"""A public key infrastructure for tests: authorities and signers, good ones and ones with any fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION

NOW = datetime.now(UTC).replace(microsecond=0)
PURPOSES = (CLAIM_SIGNING, EMAIL_PROTECTION)
TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string
_PEM = serialization.Encoding.PEM
_KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),  # a fault to find
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
}


def new_key(kind: str = "es256") -> Any:
    """A private key; RSA ones are made once."""
    return _slow_key(kind) if kind in {"ps256", "rsa1024"} else _KEYS[kind]()


@cache
def _slow_key(kind: str) -> Any:
    return _KEYS[kind]()


def name(common: str, organisation: str = "Test", **more: str) -> x509.Name:
    parts = {"C": "KZ", "O": organisation, "CN": common, **more}
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "CN": NameOID.COMMON_NAME,
    }
    return x509.Name(
        [x509.NameAttribute(oids[key], value) for key, value in parts.items() if value]
    )


@dataclass(frozen=True)
class Party:
    """Somebody with a key and a certificate.

    Attributes:
        key: The private key.
        certificate: Their certificate.
        above: Certificates between it and the root, which is left out.
    """

    key: Any
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *self.above)

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.key)

    def write(self, folder: Path, file: str = "signer.pem") -> Path:
        """A `file:` signer."""
        path = folder / file
        path.write_bytes(self.key_pem + "".join(map(pem, self.chain)).encode())
        path.chmod(0o600)
        return path

    def issue(self, common: str = "Signer", *, root: bool = False, **options: Any) -> Party:
        """A certificate below this one; `authority=N` makes an authority that may have N below it."""
        kind = options.pop("kind", "es256")
        key = options.pop("key", None) or new_key(kind)
        made = certificate(common, key, self, **options)
        own_root = root or self.certificate.issuer == self.certificate.subject
        return Party(key, made, () if own_root else self.chain)


def root(common: str = "Root", **options: Any) -> Party:
    key = options.pop("key", None) or new_key(options.pop("kind", "es256"))
    return Party(
        key, certificate(common, key, None, **{"authority": 2, "days": (-30, 3650), **options})
    )


def certificate(
    common: str,
    key: Any,
    issuer: Party | None,
    *,
    authority: int | None = None,
    organisation: str = "Test",
    unit: str = "",
    days: tuple[float, float] = (-1, 30),
    purposes: Iterable[str] = PURPOSES,
    without: Iterable[str] = (),
    replaced: dict[str, tuple[x509.ExtensionType, bool]] | None = None,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    usage: dict[str, bool] | None = None,
    subject: x509.Name | None = None,
    hashed: Any = None,
) -> x509.Certificate:
    """Any certificate, with any extension left out or replaced."""
    above = issuer.certificate.subject if issuer else None
    signer = issuer.key if issuer else key
    subject = name(common, organisation, OU=unit) if subject is None else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    is_authority = authority is not None
    parts: dict[str, tuple[x509.ExtensionType, bool]] = {
        "basicConstraints": (x509.BasicConstraints(is_authority, authority), True),
        "subjectKeyIdentifier": (
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            False,
        ),
        "authorityKeyIdentifier": (
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            False,
        ),
        "keyUsage": (_usage(is_authority, usage or {}), True),
    }
    if not is_authority:
        oids = [ObjectIdentifier(purpose) for purpose in purposes]
        parts["extendedKeyUsage"] = (
            x509.ExtendedKeyUsage(oids),
            set(oids) == {ObjectIdentifier(TIME_STAMPING)},
        )
    parts |= replaced or {}
    for part, (value, critical) in parts.items():
        if part not in set(without):
            builder = builder.add_extension(value, critical)
    for value, critical in extra:
        builder = builder.add_extension(value, critical)
    plain = isinstance(signer, ed25519.Ed25519PrivateKey)
    return builder.sign(signer, None if plain else hashed or hashes.SHA256())


def _usage(is_authority: bool, changed: dict[str, bool]) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    allowed = (
        {"key_cert_sign", "crl_sign"}
        if is_authority
        else {"digital_signature", "content_commitment"}
    )
    return x509.KeyUsage(**{n: n in allowed for n in names} | changed)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(_PEM).decode()


def key_pem(key: Any, password: bytes | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, encryption)
