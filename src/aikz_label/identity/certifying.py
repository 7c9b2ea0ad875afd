"""Keys, certificates and revocation lists, made: what an authority does, without saying where anything is kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aikz_label.checked import check_bin, clean
from aikz_label.errors import SigningError, UsageError
from aikz_label.signing.secrets import Hidden, read_private
from aikz_label.trust.certificates import CLAIM_SIGNING
from aikz_label.trust.signatures import UNREADABLE
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

PrivateKey: TypeAlias = "ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey"

MAX_DAYS = 36_525
BACKDATE = timedelta(hours=1)  # clocks of two machines differ
_PEM = serialization.Encoding.PEM
ALGORITHMS: Mapping[str, Callable[[], PrivateKey]] = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ps256": lambda: rsa.generate_private_key(65537, 3072),
}
REASONS = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation": x509.ReasonFlags.cessation_of_operation,
    "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose certificate it is.

    Attributes:
        organisation: Name of the organisation or person.
        common_name: Name of what signs; the organisation's when empty.
        country: Two-letter ISO 3166 code.
        bin: Business identification number; empty for none.
    """

    organisation: str
    common_name: str = ""
    country: str = "KZ"
    bin: str = ""

    def __post_init__(self) -> None:
        clean(self.organisation, "the organisation")
        if self.common_name:
            clean(self.common_name, "the common name")
        if self.bin:
            check_bin(self.bin)
        if len(self.country) != 2 or not self.country.isascii() or not self.country.isupper():
            raise UsageError(
                f"Country {self.country!r} is not a two-letter ISO 3166 code.", hint="Such as KZ."
            )

    def name(self, common_name: str = "") -> x509.Name:
        """As a certificate holds it. A BIN is written as Kazakhstan's national authority does."""
        parts = [
            (NameOID.COUNTRY_NAME, self.country),
            (NameOID.ORGANIZATION_NAME, self.organisation),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, f"BIN{self.bin}" if self.bin else ""),
            (NameOID.COMMON_NAME, common_name or self.common_name or self.organisation),
        ]
        return x509.Name([x509.NameAttribute(oid, _cut(text)) for oid, text in parts if text])


def _cut(text: str) -> str:
    """At most 64 bytes, the upper bound of X.520 as it is enforced: 32 Kazakh letters."""
    return text.encode()[:64].decode(errors="ignore").strip()


def new_key(algorithm: str) -> PrivateKey:
    """A new private key.

    Raises:
        UsageError: There is no such algorithm.
    """
    if algorithm not in ALGORITHMS:
        raise UsageError(f"The algorithm {algorithm!r} is not one of: {', '.join(ALGORITHMS)}.")
    return ALGORITHMS[algorithm]()


def check_days(days: int) -> None:
    """Whether something can live that long.

    Raises:
        UsageError: It cannot.
    """
    if not 0 < days <= MAX_DAYS:
        raise UsageError(f"{days} is not a number of days from 1 to {MAX_DAYS}.")


def certify(
    subject: x509.Name,
    key: CertificatePublicKeyTypes,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    begins: datetime,
    ends: datetime,
    *,
    path_length: int | None = None,
) -> x509.Certificate:
    """A certificate of the C2PA profile: an authority with a path length, or a signer without one."""
    authority = path_length is not None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(_usage(authority=authority), critical=True)
    )
    if not authority:
        purposes = [x509.ObjectIdentifier(CLAIM_SIGNING), ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer_key, _hash(issuer_key))


def _hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that belongs to a key; verifiers need not know any other pair."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    size = key.curve.key_size if isinstance(key, ec.EllipticCurvePrivateKey) else 256
    if size == 521:
        return hashes.SHA512()
    return hashes.SHA384() if size == 384 else hashes.SHA256()


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


@dataclass(frozen=True, slots=True)
class Revoked:
    """One line of a revocation list.

    Attributes:
        serial: Number of the certificate.
        since: From when on it is not to be believed.
        reason: One of `REASONS`.
    """

    serial: int
    since: datetime
    reason: str


def revocation_list(
    issuer: x509.Certificate,
    key: PrivateKey,
    revoked: Sequence[Revoked],
    number: int,
    lifetime: timedelta,
) -> bytes:
    """A signed revocation list, PEM."""
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - BACKDATE)
        .next_update(now + lifetime)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for line in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(line.serial)
        entry = entry.revocation_date(line.since)
        if line.reason != "unspecified":  # which the standard wants left out
            entry = entry.add_extension(x509.CRLReason(REASONS[line.reason]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, _hash(key)).public_bytes(_PEM)


# --- files ------------------------------------------------------------------------------------------------------------


def key_pem(key: PrivateKey) -> Hidden:
    """A private key, PKCS#8 PEM."""
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Hidden(key.private_bytes(_PEM, form, plain))


def load_key(path: Path) -> PrivateKey:
    """An authority's private key from its file.

    Raises:
        SigningError: It is not there, can be read by other users, or is damaged.
    """
    try:
        key = serialization.load_pem_private_key(read_private(path), password=None)
    except FileNotFoundError:
        raise SigningError(
            f"The key {path} is not here.",
            code="authority-key",
            hint="Bring it back from where it is kept, or name its folder.",
        ) from None
    except (ValueError, TypeError):
        raise SigningError(
            f"The key {path} is damaged.",
            code="authority-key",
            hint="Restore it from a copy.",
        ) from None
    if not isinstance(
        key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    ):
        raise SigningError(f"The kind of key in {path} is not supported.", code="authority-key")
    return key


def load_public_key(path: Path) -> CertificatePublicKeyTypes:
    """A public key from a request (PKCS#10), or by itself, PEM or DER.

    Raises:
        SigningError: There is none, or the request is not signed by its own key.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    armoured = b"-----BEGIN" in data
    with contextlib.suppress(*UNREADABLE):
        load = x509.load_pem_x509_csr if armoured else x509.load_der_x509_csr
        request = load(data)
        if not request.is_signature_valid:
            raise SigningError(
                f"The request {path} is not signed by its own key.",
                code="signer-key",
                hint="Make the request again with the key that is to be certified.",
            )
        return request.public_key()
    try:
        read = serialization.load_pem_public_key if armoured else serialization.load_der_public_key
        return cast("CertificatePublicKeyTypes", read(data))
    except UNREADABLE:
        raise SigningError(
            f"{path} holds no public key and no request.",
            code="signer-key",
            hint="Export the public key, PEM or DER, or a PKCS#10 request.",
        ) from None


def serial_in(path: Path) -> str:
    """Number of the first certificate in a PEM file, hexadecimal.

    Raises:
        UsageError: There is none.
        OSError: It cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except UNREADABLE:
        raise UsageError(f"{path} holds no certificate.", hint="Name a PEM file.") from None
    return f"{certificate.serial_number:x}"


def refuse_existing(*paths: Path) -> None:
    """Keys are never overwritten.

    Raises:
        UsageError: One of the files is there.
    """
    taken = next((path for path in paths if path.exists()), None)
    if taken is not None:
        raise UsageError(
            f"{taken} exists already: an identity is never overwritten.",
            code="identity-exists",
            hint="Use another --dir, or move the old identity away.",
        )


@contextlib.contextmanager
def removed_on_error(*paths: Path) -> Iterator[None]:
    """Files that were not there before: half an identity would only be in the way."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that was never readable by anybody else."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def replace_private(path: Path, data: bytes) -> None:
    """As `write_private`, in place of a file that is there; never half of either."""
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    with removed_on_error(new):
        write_private(new, data)
        new.replace(path)
