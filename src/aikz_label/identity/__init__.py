"""The identity that signs here: `aikz-label init` makes one, `aikz-label identity` shows and renews it.

What `init` makes is good on one machine, loudly self-issued: an authority of its own (root → issuing CA), and an ES256 leaf
that lives ten years, because a marker without a time-stamp turns invalid together with its certificate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aikz_label.config import FILE_NAME, LOCAL_LIST, Config
from aikz_label.errors import SigningError, UsageError
from aikz_label.files import output
from aikz_label.identity import authority, trusting
from aikz_label.identity.authority import Authority
from aikz_label.identity.certifying import (
    Subject,
    refuse_existing,
    removed_on_error,
    replace_private,
    write_private,
)
from aikz_label.label import Responsible
from aikz_label.signing import SigningKey
from aikz_label.trust import TrustKind, certificates
from aikz_label.trust.certificates import Facts
from aikz_label.trust.signatures import UNREADABLE
from aikz_label.values import dataclass

LIFETIME = 3653  # days
RETIRED = "retired"
_OURS = "file:signer.pem"


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
    refuse_existing(identity.config, identity.signer)
    now = datetime.now(UTC)
    subject = subject_of(responsible)
    made = authority.create(folder, subject, days=(LIFETIME, LIFETIME), now=now)
    mine = (*authority.paths(folder), identity.signer, identity.config)
    with removed_on_error(*mine):
        issued = made.issue(subject, days=LIFETIME, now=now)
        write_private(identity.signer, issued.key + issued.chain)
        identity.config.write_text(_config_text(responsible), encoding="utf-8")
    return identity


def subject_of(responsible: Responsible) -> Subject:
    """The party as the subject of a certificate; a person's IIN never goes into one."""
    return Subject(responsible.name, country=responsible.country or "KZ", bin=responsible.bin)


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as `identity list` and `identity show` describe it.

    Attributes:
        active: It is the one that signs now.
        where: Signer URI or file.
        facts: What it says.
        fingerprint: Its SHA-256, hexadecimal.
        algorithm: C2PA name of its algorithm.
        chain: Titles of the authorities above it, as far as they are in the chain.
        believed: Name of the trust list of this machine that vouches for it; empty for none.
    """

    active: bool
    where: str
    facts: Facts
    fingerprint: str
    algorithm: str
    chain: tuple[str, ...]
    believed: str


def show(key: SigningKey, uri: str, config: Config, *, active: bool = True) -> Shown:
    """Describe a signer that was opened."""
    return _shown(key.chain, uri, config, active=active)


def retired(config: Config) -> Iterator[Shown]:
    """Certificates that `rotate` put aside, oldest first; their keys are gone."""
    folder = config.folder / RETIRED
    found = [path.read_bytes() for path in folder.glob("*.pem")] if folder.is_dir() else []
    shown = [_shown(chain, RETIRED, config, active=False) for chain in found]
    yield from sorted(shown, key=lambda one: one.facts.begins)


def _shown(pem: bytes, where: str, config: Config, *, active: bool) -> Shown:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    from aikz_label.signing import profile  # noqa: PLC0415
    from aikz_label.trust.credentials import judging  # noqa: PLC0415

    chain = profile.load_chain(pem)
    facts = [certificates.facts(c.public_bytes(Encoding.DER)) for c in chain]
    anchor = judging.vouching_list(chain, config.trust, datetime.now(UTC))
    return Shown(
        active,
        where,
        facts[0],
        chain[0].fingerprint(hashes.SHA256()).hex(),
        profile.algorithm(chain[0].public_key()),
        (*(one.title for one in facts[1:]), certificates.title(facts[-1].issuer)),
        config.trust[anchor].name if anchor >= 0 else "",
    )


@dataclass(frozen=True, slots=True)
class Rotated:
    """What `rotate` did.

    Attributes:
        signer: The new key and chain.
        retired: The old certificate, without its key.
        revoked: The revocation list, when the old certificate was called back; this machine heeds it from now on.
    """

    signer: Path
    retired: Path
    revoked: Path | None


def rotate(
    config: Config, *, days: int = 0, reason: str = "", since: datetime | None = None
) -> Rotated:
    """Put a new key and certificate in the place of the one that signs, issued by the authority beside it.

    The old key is gone afterwards; its certificate is kept, so that one can see later who signed.

    Args:
        config: Whose identity.
        days: How long the new certificate lives; as long as the old one did, or as its authority does, when 0.
        reason: Also call the old certificate back, for this reason.
        since: From when on it is not to be believed; now when `None`.

    Raises:
        UsageError: The signer is not one that `init` made.
        SigningError: A key cannot be used.
        OSError: A file cannot be read or written.
    """
    if config.signer != _OURS:
        raise UsageError(
            f"The signer {config.signer or '(none)'} was not made by `aikz-label init`, so it is not renewed here.",
            code="not-ours",
            hint="Get a new certificate from its authority: `aikz-label ca issue --public-key`.",
        )
    made, signer = Authority(config.folder), config.folder / "signer.pem"
    try:
        old = x509.load_pem_x509_certificates(signer.read_bytes())
    except UNREADABLE:
        raise SigningError(f"{signer} holds no certificate.", code="signer-chain") from None
    leaf = old[0]
    if config.responsible is None:
        raise UsageError("Nobody is declared responsible here.", code="not-ours")
    lifetime = (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days
    left = (made.certificate.not_valid_after_utc - datetime.now(UTC)).days
    issued = made.issue(subject_of(config.responsible), days=days or max(1, min(lifetime, left)))
    aside = config.folder / RETIRED / f"{leaf.serial_number:x}.pem"
    aside.parent.mkdir(exist_ok=True, mode=0o700)
    with output.atomic_output(aside, overwrite=True) as stream:
        stream.write(b"".join(c.public_bytes(Encoding.PEM) for c in old))
    replace_private(signer, issued.key + issued.chain)
    revoked = None
    if reason:
        made.revoke(f"{leaf.serial_number:x}", reason, since)
        revoked = trusting.add(
            config, made.folder / "crl.pem", TrustKind.REVOKED, LOCAL_LIST, replace=True
        )
    return Rotated(signer, aside, revoked)


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
