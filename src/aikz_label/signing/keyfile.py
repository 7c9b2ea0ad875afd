"""`file:PATH[?chain=PEM][&password=WHERE]`: a private key and its certificates, in PEM or PKCS#12.

The bytes decide which of the two it is. The file must not be readable by others, even where the key has a
password: files are copied, and passwords guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from aikz_label.errors import SigningError
from aikz_label.signing import Opened, SignerUri, profile
from aikz_label.signing.secrets import Hidden, Secrets, read_private

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_PEM = serialization.Encoding.PEM


def open_key(uri: SignerUri, secrets: Secrets) -> Opened:
    """Read key and chain."""
    uri.check_options("chain", "password")
    path, password, chain = uri.location, uri.option("password"), uri.option("chain")
    material: bytes = read_private(path)
    found: bytes = Hidden(material)  # the chain is in the same file as the key
    if b"-----BEGIN" in material:
        key = _pem(path, material, password, secrets)
    else:
        key, found = _pkcs12(path, material, password, secrets)
    if chain:
        found = (uri.base / chain).read_bytes()
    return Opened(chain=found, key=_plain(path, key))


def _pem(path: Path, material: bytes, password: str, secrets: Secrets) -> PrivateKeyTypes:
    """The one private key of a PEM file."""
    secret: bytes | None = None
    if b"ENCRYPTED" in material:
        secret = secrets.get(password, str(path))
    try:
        return serialization.load_pem_private_key(material, password=secret)
    except (ValueError, TypeError):
        # `from None`: the parser's traceback could quote what it parsed
        if secret is not None:
            raise _wrong_password(path) from None
        raise SigningError(
            f"{path} holds no private key that can be read.",
            code="signer-key",
            hint="A file: signer is a PEM private key with its certificates, or a PKCS#12 file.",
        ) from None


def _pkcs12(
    path: Path, material: bytes, password: str, secrets: Secrets
) -> tuple[PrivateKeyTypes, bytes]:
    """Key and chain, the leaf first and the rest in the order of issue."""
    if not password and (opened := _unlock(material, None) or _unlock(material, b"")):
        bundle = opened
    elif material[:1] != b"\x30":  # asking for a password would be asking for nothing
        raise SigningError(
            f"{path} is neither PEM nor PKCS#12.",
            code="signer-key",
            hint="A file: signer is a PEM private key with its certificates, or a PKCS#12 file.",
        )
    else:
        unlocked = _unlock(material, secrets.get(password, str(path)))
        if unlocked is None:
            raise _wrong_password(path)
        bundle = unlocked
    if bundle.key is None or bundle.cert is None:
        raise SigningError(
            f"{path} holds no private key with its certificate.",
            code="signer-key",
            hint="Export it again with key and chain: openssl pkcs12 -export -certfile chain.pem …",
        )
    others = [extra.certificate for extra in bundle.additional_certs]
    return bundle.key, profile.pem(profile.sorted_chain(bundle.cert.certificate, others))


def _unlock(material: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    try:
        return pkcs12.load_pkcs12(material, password)
    except ValueError:
        return None


def _wrong_password(path: Path) -> SigningError:
    return SigningError(
        f"{path} does not open: the password is wrong, or the file is damaged.",
        code="signer-password",
        hint="Check the password where the signer URI says it is.",
    )


def _plain(path: Path, key: PrivateKeyTypes) -> Hidden:
    try:
        return Hidden(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
    except (ValueError, AttributeError):
        raise SigningError(
            f"The kind of key in {path} is not supported.",
            code="signer-key",
            hint="Use ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits.",
        ) from None
