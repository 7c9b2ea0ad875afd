"""Signers, named by a URI so that configuration and workers never hold a key.

`file:PATH` is a PEM file with the private key and the certificate chain, leaf first, without the root; `file:KEY?chain=PEM`
keeps the chain in a file of its own. Paths are relative to the configuration file that names them.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from aikz_label.errors import SigningError
from aikz_label.trust import CLAIM_SIGNING, EMAIL_PROTECTION

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that is ready to sign, and the chain that goes into the marker.

    Attributes:
        algorithm: C2PA name of the algorithm, such as `es256`.
        chain: Certificates, PEM, leaf first.
        key: The private key, PKCS#8 PEM; never shown in a repr.
        expires: End of the leaf's validity.
    """

    algorithm: str
    chain: bytes
    key: bytes = field(repr=False)
    expires: datetime


def load_signing_key(uri: str, base: Path, *, now: datetime | None = None) -> SigningKey:
    """Open the signer that a URI names and check that it can sign now.

    Args:
        uri: `file:PATH` or `file:KEY?chain=PEM`.
        base: Folder that relative paths start from.
        now: The time to check the certificate against; the clock when `None`.

    Raises:
        SigningError: Wrong scheme, unsafe file mode, unreadable key, or a certificate that is expired, not for signing, or
            not for this key.
        OSError: A file cannot be read.
    """
    scheme, _, rest = uri.partition(":")
    if scheme != "file":
        raise SigningError(
            f"Signer scheme {scheme!r} is not supported.",
            code="signer-scheme",
            hint="Use file:PATH to a PEM file with the key and its certificates.",
        )
    location, _, query = rest.partition("?")
    if location.startswith("//"):
        location = "/" + location[2:].partition("/")[2]
    options = parse_qs(query)
    if not location or set(options) != ({"chain"} if query else set()):
        raise SigningError(
            f"The signer URI {uri!r} cannot be understood.",
            code="signer-uri",
            hint="Use file:PATH, or file:KEY?chain=PEM.",
        )
    key_path = base / unquote(location)
    chain_path = base / options["chain"][0] if query else key_path
    return _load_pem(key_path, chain_path, now or datetime.now(UTC))


def _load_pem(key_path: Path, chain_path: Path, now: datetime) -> SigningKey:
    from cryptography import x509  # noqa: PLC0415  # 66 ms that only marking pays
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    material = _read_private(key_path)
    try:
        key = serialization.load_pem_private_key(material, password=None)
    except (ValueError, TypeError) as error:
        # `from None`: the parser's traceback could quote what it parsed
        kind = "is protected by a password" if isinstance(error, TypeError) else "holds no PEM key"
        raise SigningError(
            f"{key_path} {kind}.",
            code="signer-key",
            hint="A file: signer is an unencrypted PEM private key with its certificates.",
        ) from None
    try:
        chain = x509.load_pem_x509_certificates(chain_path.read_bytes())
    except ValueError:
        raise SigningError(
            f"{chain_path} holds no certificate.",
            code="signer-chain",
            hint="Add the chain to the file, leaf first.",
        ) from None
    leaf = chain[0]
    encoding, der = serialization.Encoding.PEM, serialization.Encoding.DER
    subject = serialization.PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(der, subject) != leaf.public_key().public_bytes(der, subject):
        raise SigningError(
            "The private key does not belong to the first certificate.",
            code="signer-mismatch",
            hint="Put the leaf certificate of this key first.",
        )
    _check_leaf(leaf, now)
    return SigningKey(
        algorithm=_algorithm(key),
        chain=b"".join(certificate.public_bytes(encoding) for certificate in chain),
        key=key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        expires=leaf.not_valid_after_utc,
    )


def _read_private(path: Path) -> bytes:
    """Read a key file that nobody else on the machine can read."""
    with path.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SigningError(
                f"The key file {path} can be read by other users (mode {stat.S_IMODE(mode):o}).",
                code="signer-mode",
                hint=f"chmod 600 {path}",
            )
        return stream.read(1024 * 1024)


def _check_leaf(leaf: Certificate, now: datetime) -> None:
    """The engine's own answers to these are one vague word, so they are asked first."""
    from cryptography import x509  # noqa: PLC0415

    if now > leaf.not_valid_after_utc:
        raise SigningError(
            f"The signing certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}.",
            code="signer-expired",
            hint="Get a new certificate, or make a new identity with `aikz-label init`.",
        )
    if now < leaf.not_valid_before_utc:
        raise SigningError(
            f"The signing certificate is valid only from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
            code="signer-not-yet-valid",
            hint="Check this machine's clock.",
        )
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise _wrong_profile(f"has no {error.oid._name}") from None  # noqa: SLF001
    if not usage.digital_signature:
        raise _wrong_profile("does not allow digitalSignature")
    if not {purpose.dotted_string for purpose in purposes} & {CLAIM_SIGNING, EMAIL_PROTECTION}:
        raise _wrong_profile("has neither claimSigning nor emailProtection in extendedKeyUsage")


def _wrong_profile(what: str) -> SigningError:
    return SigningError(
        f"The signing certificate {what}, so no verifier would accept its signature.",
        code="signer-profile",
        hint="Ask the certificate authority for a C2PA claim-signing certificate.",
    )


def _algorithm(key: object) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415

    if isinstance(key, ec.EllipticCurvePrivateKey):
        name = {256: "es256", 384: "es384", 521: "es512"}.get(key.curve.key_size)
        if name:
            return name
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise SigningError(
        "This kind of key is not supported.",
        code="signer-key",
        hint="Use ECDSA on P-256, P-384 or P-521, or Ed25519.",
    )
