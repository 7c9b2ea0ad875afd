"""`aikz-label trust`: the lists that a person keeps, in a folder for each kind beside the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from aikz_label.checked import clean
from aikz_label.config import Config, trust_folder
from aikz_label.errors import TrustError, UsageError
from aikz_label.files import output
from aikz_label.trust import TrustKind, TrustList, certificates, der, list_files, load_trust_list
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """One certificate or revocation list on a list.

    Attributes:
        title: Whose it is.
        fingerprint: Its SHA-256, hexadecimal.
        ends: End of its validity; `None` for a revocation list that does not say.
    """

    title: str
    fingerprint: str
    ends: datetime | None


def add(config: Config, source: Path, kind: TrustKind | None, name: str, *, replace: bool) -> Path:
    """Keep a copy of a list, and believe it from now on.

    Args:
        config: Beside which configuration.
        source: A file of certificates or revocation lists.
        kind: What to believe it for; by its content when `None`: revocation lists are such, all else vouches for signers.
        name: What reports call it; the file's stem when empty.
        replace: Take the place of one that is kept under this name.

    Raises:
        TrustError: It does not hold.
        UsageError: The name is taken, or none.
        OSError: It cannot be read, or the copy not written.
    """
    if kind is None:
        revoked = b"BEGIN X509 CRL" in source.read_bytes() or source.suffix.lower() == ".crl"
        kind = TrustKind.REVOKED if revoked else TrustKind.SIGNERS
    name = _name(name or source.stem)
    listed = load_trust_list(source, name=name, kind=kind)
    for _ in members(listed):  # every one can be read
        pass
    folder = trust_folder(config) / kind
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{name}.pem"
    if target.exists() and not replace:
        raise UsageError(
            f"A list called {name} is kept already.",
            code="trust-exists",
            hint="Use --replace to put the new one in its place, or --name.",
        )
    with output.atomic_output(target, overwrite=replace) as stream:
        stream.write(listed.pem.encode("ascii"))
    return target


def remove(config: Config, name: str, kind: TrustKind | None) -> Path:
    """Believe a list no longer.

    Raises:
        UsageError: None, or more than one, is kept under this name.
        OSError: It cannot be removed.
    """
    found = [
        path
        for one in TrustKind
        if kind in {None, one}
        for path in list_files(trust_folder(config) / one)
        if path.stem == name
    ]
    if len(found) != 1:
        raise UsageError(
            f"Several lists are called {name}."
            if found
            else f"No list called {name} is kept in {trust_folder(config)}.",
            code="trust-name",
            hint="Say which with --for."
            if found
            else "`aikz-label trust list` shows them; those that the configuration names are removed there.",
        )
    found[0].unlink()
    return found[0]


def members(listed: TrustList) -> Iterator[Member]:
    """What is on a list.

    Raises:
        TrustError: Something on it cannot be read.
    """
    for data, fingerprint in zip(listed.ders(), listed.fingerprints(), strict=True):
        try:
            if listed.kind is TrustKind.REVOKED:
                yield Member(*_revocation_list(data, fingerprint))
            else:
                facts = certificates.facts(data)
                yield Member(facts.title, fingerprint, facts.ends)
        except der.Malformed as error:
            raise TrustError(f"A certificate on the list {listed.name} cannot be read.") from error


def _revocation_list(data: bytes, fingerprint: str) -> tuple[str, str, datetime | None]:
    from cryptography import x509  # noqa: PLC0415

    found = x509.load_der_x509_crl(data)
    return certificates.title(found.issuer.public_bytes()), fingerprint, found.next_update_utc


def _name(text: str) -> str:
    name = clean(text, "the name")
    if set(name) & set('/\\:*?"<>|') or name.startswith("."):
        raise UsageError(f"{name!r} cannot be the name of a list.", hint="Give one with --name.")
    return name
