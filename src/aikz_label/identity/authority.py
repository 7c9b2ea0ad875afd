"""An authority of one's own: a root, an issuing authority below it, and the certificates it issues, in a folder.

    root.pem  root-key.pem     the root; its key signs the issuing authority once, and can live elsewhere from then on
    ca.pem    ca-key.pem       the issuing authority; its key signs certificates and revocation lists
    issued.json                what was issued and revoked
    crl.pem                    the revocation list; root-crl.pem when the issuing authority itself is revoked

Private keys have mode 0600 and are never overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aikz_label.errors import UsageError
from aikz_label.files import output
from aikz_label.identity.certifying import (
    BACKDATE,
    REASONS,
    PrivateKey,
    Revoked,
    Subject,
    certify,
    check_days,
    key_pem,
    load_key,
    new_key,
    refuse_existing,
    removed_on_error,
    revocation_list,
    write_private,
)
from aikz_label.signing.secrets import Hidden
from aikz_label.trust.signatures import UNREADABLE
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

LEAF_DAYS, CA_DAYS, ROOT_DAYS, CRL_DAYS = 365, 3653, 7305, 30
_PEM = Encoding.PEM
_NO_KEY = Hidden()


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate that was issued.

    Attributes:
        serial: Its number, hexadecimal.
        subject: Whose it is.
        begins: Start of its validity, ISO 8601.
        ends: Its end.
        revoked: From when on it is not to be believed, ISO 8601; empty while it is.
        reason: Why.
    """

    serial: str
    subject: str
    begins: str
    ends: str
    revoked: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate: its chain without the root, PEM, and its key unless somebody else holds it."""

    chain: bytes
    key: Hidden = _NO_KEY


class Authority:
    """An authority in its folder.

    Args:
        folder: Where it is.

    Raises:
        UsageError: There is none.
        SigningError: Its key can be read by other users, or is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.root = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
            self.certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        except FileNotFoundError:
            raise UsageError(
                f"There is no authority in {folder}.",
                code="no-authority",
                hint="Make one with `aikz-label ca init`, or name its folder with --dir.",
            ) from None
        except UNREADABLE:
            raise UsageError(
                f"The certificates of the authority in {folder} are damaged.",
                code="no-authority",
                hint="Restore root.pem and ca.pem from a copy.",
            ) from None

    @property
    def chain(self) -> bytes:
        """What stands between its certificates and the root, PEM."""
        return self.certificate.public_bytes(_PEM)

    def issue(
        self,
        subject: Subject,
        *,
        days: int = LEAF_DAYS,
        algorithm: str = "es256",
        key: CertificatePublicKeyTypes | None = None,
        now: datetime | None = None,
    ) -> Issued:
        """Issue a certificate that may sign markers.

        Args:
            subject: Whose it is.
            days: How long it lives; never longer than the authority.
            algorithm: Kind of key to make.
            key: A public key whose private part is elsewhere; then none is made.
            now: The time; the clock when `None`.

        Raises:
            UsageError: It would outlive the authority, or the algorithm is not known.
            SigningError: The authority's key cannot be used, or the public key not be certified.
        """
        from aikz_label.signing import profile  # noqa: PLC0415

        check_days(days)
        now = (now or datetime.now(UTC)).replace(microsecond=0)
        ends = now + timedelta(days=days)
        last = self.certificate.not_valid_after_utc
        if ends > last:
            raise UsageError(
                f"The certificate would outlive its authority, which ends on {last:%Y-%m-%d}.",
                code="authority-ends",
                hint="Use fewer --days, or make a new authority.",
            )
        private = None
        if key is None:
            private = new_key(algorithm)
            key = private.public_key()
        profile.algorithm(key)
        made = certify(
            subject.name(),
            key,
            self.certificate.subject,
            self._key("ca-key.pem"),
            begins=now - BACKDATE,
            ends=ends,
        )
        entry = Entry(
            f"{made.serial_number:x}",
            made.subject.rfc4514_string(),
            _iso(made.not_valid_before_utc),
            _iso(made.not_valid_after_utc),
        )
        self._write_register([*self.register(), entry])
        return Issued(
            made.public_bytes(_PEM) + self.chain, key_pem(private) if private else _NO_KEY
        )

    def register(self) -> list[Entry]:
        """What was issued, oldest first."""
        return [Entry(**item) for item in self._state()["issued"]]

    def revoke(
        self, serial: str, reason: str = "unspecified", since: datetime | None = None
    ) -> Entry:
        """Call a certificate back, and renew the revocation list.

        Args:
            serial: Its number, hexadecimal.
            reason: One of `REASONS`.
            since: From when on it is not to be believed; now when `None`.

        Raises:
            UsageError: It was not issued here, or was called back already.
            SigningError: The authority's key cannot be used.
        """
        wanted = serial.lower().replace(":", "").lstrip("0")
        entries = self.register()
        found = next((e for e in entries if e.serial == wanted), None)
        if found is None or found.revoked:
            raise UsageError(
                f"The certificate {wanted} was called back already."
                if found
                else f"No certificate with the number {wanted} was issued here.",
                code="unknown-serial",
                hint="`aikz-label ca list` shows what was issued and revoked.",
            )
        _check_reason(reason)
        when = (since or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        revoked = replace(found, revoked=_iso(when), reason=reason)
        self._write_register([revoked if entry is found else entry for entry in entries])
        self.write_revocation_list()
        return revoked

    def revoke_issuing(self, root_folder: Path, reason: str, since: datetime | None = None) -> Path:
        """Call the issuing authority itself back, with the key of the root.

        Returns:
            The root's revocation list.

        Raises:
            SigningError: The root's key cannot be used.
        """
        when = (since or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        _check_reason(reason)
        line = Revoked(self.certificate.serial_number, when, reason)
        key = load_key(root_folder / "root-key.pem")
        made = revocation_list(self.root, key, [line], 1, timedelta(days=CA_DAYS))
        return _write_public(self.folder / "root-crl.pem", made)

    def write_revocation_list(self, days: int = CRL_DAYS) -> Path:
        """Sign the revocation list anew.

        Raises:
            SigningError: The authority's key cannot be used.
        """
        check_days(days)
        state = self._state()
        number = int(state["crl"]) + 1
        lines = [
            Revoked(int(e.serial, 16), datetime.fromisoformat(e.revoked), e.reason)
            for e in self.register()
            if e.revoked
        ]
        made = revocation_list(
            self.certificate, self._key("ca-key.pem"), lines, number, timedelta(days=days)
        )
        self._write_state({**state, "crl": number})
        return _write_public(self.folder / "crl.pem", made)

    def _key(self, name: str) -> PrivateKey:
        return load_key(self.folder / name)

    def _state(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / "issued.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            found = {}
        except ValueError:
            raise UsageError(
                f"The register {self.folder / 'issued.json'} is damaged.",
                code="no-authority",
                hint="Restore it from a copy: it says what was issued and revoked.",
            ) from None
        return {"issued": [], "crl": 0, **found}

    def _write_register(self, entries: list[Entry]) -> None:
        issued = [{name: getattr(e, name) for name in Entry.__slots__} for e in entries]
        self._write_state({**self._state(), "issued": issued})

    def _write_state(self, state: Mapping[str, Any]) -> None:
        text = json.dumps(state, ensure_ascii=False, indent=1)
        _write_public(self.folder / "issued.json", text.encode() + b"\n")


def paths(folder: Path) -> tuple[Path, ...]:
    """Files of an authority whose root's key is beside the rest; private keys first."""
    names = ("root-key.pem", "ca-key.pem", "root.pem", "ca.pem", "issued.json")
    return tuple(folder / name for name in names)


def create(
    folder: Path,
    subject: Subject,
    *,
    root_folder: Path | None = None,
    algorithm: str = "es256",
    days: tuple[int, int] = (ROOT_DAYS, CA_DAYS),
    now: datetime | None = None,
) -> Authority:
    """Make a root and an issuing authority.

    Args:
        folder: Where the authority works.
        subject: Whose it is.
        root_folder: Where the root's key goes; beside the rest when `None`.
        algorithm: Kind of keys.
        days: How long root and issuing authority live.
        now: The time; the clock when `None`.

    Raises:
        UsageError: There is one already; keys are never overwritten.
        OSError: A folder cannot be written.
    """
    root_folder = root_folder or folder
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    _, ca_private, root_public, ca_public, register = mine = paths(folder)
    root_private = root_folder / "root-key.pem"
    refuse_existing(root_private, *mine)
    for where in (folder, root_folder):
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, ca_key = new_key(algorithm), new_key(algorithm)
    day = f"{now:%Y-%m-%d}"
    root_name, ca_name = (subject.name(f"aikz-label {w} {day}") for w in ("root", "issuing CA"))
    root, ca = (
        certify(
            name, key.public_key(), root_name, root_key, now - BACKDATE, ends, path_length=below
        )
        for name, key, ends, below in (
            (root_name, root_key, now + timedelta(days=days[0]), 1),
            (ca_name, ca_key, now + timedelta(days=days[1]), 0),
        )
    )
    with removed_on_error(root_private, *mine):
        write_private(root_private, key_pem(root_key))
        write_private(ca_private, key_pem(ca_key))
        _write_public(root_public, root.public_bytes(_PEM))
        _write_public(ca_public, ca.public_bytes(_PEM))
        _write_public(register, b'{"issued": [], "crl": 0}\n')
    return Authority(folder)


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise UsageError(f"The reason {reason!r} is not one of: {', '.join(REASONS)}.")


def _write_public(path: Path, data: bytes) -> Path:
    with output.atomic_output(path, overwrite=True) as stream:
        stream.write(data)
    return path


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
