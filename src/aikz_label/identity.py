"""`aikz-label init`: a local identity that is good on one machine, loudly self-issued.

Root → issuing CA → ES256 leaf, all P-256. The leaf lives ten years, because a marker without a time-stamp turns invalid
together with its certificate.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aikz_label.certificates import CLAIM_SIGNING
from aikz_label.config import FILE_NAME
from aikz_label.errors import UsageError
from aikz_label.label import Responsible

LIFETIME = timedelta(days=3653)
_BACKDATE = timedelta(hours=1)  # clocks of two machines differ


@dataclass(frozen=True, slots=True)
class Identity:
    """Where `create` put things.

    Attributes:
        config: The configuration file that names the rest.
        signer: Private key and chain of the leaf, mode 0600.
        root: The root certificate, for other machines' trust lists.
    """

    config: Path
    signer: Path
    root: Path


def create(folder: Path, responsible: Responsible) -> Identity:
    """Make an identity and a configuration in `folder`.

    Raises:
        UsageError: There is one already; keys are never overwritten.
        OSError: The folder cannot be written.
    """
    identity = Identity(folder / FILE_NAME, folder / "signer.pem", folder / "root.pem")
    root_private, ca_private = folder / "root-key.pem", folder / "ca-key.pem"
    mine = (root_private, ca_private, identity.signer, identity.root, identity.config)
    taken = [path for path in mine if path.exists()]
    if taken:
        raise UsageError(
            f"{taken[0]} exists already: an identity is never overwritten.",
            code="identity-exists",
            hint="Use another --dir, or move the old identity away.",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC).replace(microsecond=0)
    root_key, ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name = _name(responsible, f"aikz-label root {now:%Y-%m-%d}")
    ca_name = _name(responsible, f"aikz-label issuing CA {now:%Y-%m-%d}")
    root = _issue(root_name, root_key, root_name, root_key, now, path_length=1)
    ca = _issue(ca_name, ca_key, root_name, root_key, now, path_length=0)
    leaf = _issue(_name(responsible, responsible.name), leaf_key, ca_name, ca_key, now)

    try:
        _write_private(root_private, _key_pem(root_key))
        _write_private(ca_private, _key_pem(ca_key))
        _write_private(identity.signer, _key_pem(leaf_key) + _pem(leaf) + _pem(ca))
        identity.root.write_bytes(_pem(root))
        identity.config.write_text(_config_text(responsible), encoding="utf-8")
    except BaseException:
        for path in mine:  # none was there before: half an identity would only be in the way
            path.unlink(missing_ok=True)
        raise
    return identity


def _name(responsible: Responsible, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, responsible.country or "KZ"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _cut(responsible.name)),
            x509.NameAttribute(NameOID.COMMON_NAME, _cut(common_name)),
        ]
    )


def _cut(text: str) -> str:
    """At most 64 bytes, the upper bound of X.520 as it is enforced: 32 Kazakh letters."""
    return text.encode()[:64].decode(errors="ignore").strip()


def _issue(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    path_length: int | None = None,
) -> x509.Certificate:
    """A certificate of the C2PA profile: an authority with a path length, or a leaf without one."""
    authority = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(_usage(authority=authority), critical=True)
    )
    if not authority:
        purposes = [x509.ObjectIdentifier(CLAIM_SIGNING), ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write a new file that was never readable by anybody else."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _config_text(responsible: Responsible) -> str:
    # a JSON string of printable text is a TOML string
    def quote(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    party = [f"name = {quote(responsible.name)}", f"role = {quote(str(responsible.role))}"]
    numbers = {key: getattr(responsible, key) for key in ("bin", "registration", "country", "iin")}
    party += [f"{key} = {quote(value)}" for key, value in numbers.items() if value]
    if responsible.iin:
        party.append("iin_consent = true")
    return "\n".join(
        [
            "# Configuration of aikz-label, made by `aikz-label init`.",
            "[responsible]",
            *party,
            "",
            "[signer]",
            'uri = "file:signer.pem"',
            "",
            "[trust]",
            'local = "root.pem"   # self-issued: believed on this machine only',
            "files = []",
            "",
            "[notice]",
            'languages = ["kk", "ru", "en"]',
            "",
            "# [system]",
            '# name = "Your AI system"',
            '# version = "1.0"',
            "",
        ]
    )
