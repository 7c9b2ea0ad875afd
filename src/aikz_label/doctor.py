"""`aikz-label doctor`: what is installed and in use here, and what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Iterator

import aikz_label
from aikz_label import engine, signing
from aikz_label.config import Config
from aikz_label.errors import LabelError
from aikz_label.trust import TrustKind
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the diagnosis.

    Attributes:
        what: What was looked at.
        answer: What was found.
        needed: Marking or verifying does not work without it.
        good: It is as it should be.
    """

    what: str
    answer: str
    good: bool = True
    needed: bool = False


_MEMBERS = {
    TrustKind.SIGNERS: ("root certificate", "root certificates"),
    TrustKind.CERTIFICATES: ("signer's certificate", "signers' certificates"),
    TrustKind.TIME: ("root certificate for time-stamps", "root certificates for time-stamps"),
    TrustKind.REVOKED: ("revocation list", "revocation lists"),
}


def examine(config: Config) -> Iterator[Check]:
    """Look at this installation."""
    yield Check(
        "aikz-label",
        f"{aikz_label.__version__}, Python {platform.python_version()}, {platform.system()}",
    )
    yield _engine()
    yield Check("configuration", str(config.path or f"none in {config.folder}"), bool(config.path))
    party = config.responsible
    yield Check(
        "responsible party",
        f"{party.name} ({party.role})" if party else "not declared: run `aikz-label init`",
        bool(party),
        needed=True,
    )
    yield _signer(config)
    if config.trust:
        for listed in config.trust:
            note = ", self-issued: believed on this machine only" if listed.self_issued else ""
            count, (one, many) = len(listed.ders()), _MEMBERS[listed.kind]
            words = f"1 {one}" if count == 1 else f"{count} {many}"
            yield Check("trust list", f"{listed.name}: {words}{note}")
    else:
        yield Check("trust list", "none: no signer is believed", good=False)
    yield from _system()


def _engine() -> Check:
    floor = ".".join(map(str, engine.FLOOR))
    try:
        return Check("C2PA engine", f"{engine.version()} (at least {floor})", needed=True)
    except LabelError as error:
        return Check("C2PA engine", f"{error} {error.hint}", good=False, needed=True)


def _signer(config: Config) -> Check:
    if not config.signer:
        return Check("signer", "none: run `aikz-label init`", good=False, needed=True)
    try:
        key = signing.load_signing_key(config.signer, config.folder)
    except LabelError as error:
        return Check(
            "signer", f"{config.signer}: {error} {error.hint}".strip(), good=False, needed=True
        )
    except OSError as error:
        return Check("signer", f"{config.signer}: {error.strerror}", good=False, needed=True)
    return Check("signer", f"{config.signer}, {key.algorithm}, until {key.expires:%Y-%m-%d}")


def _system() -> Iterator[Check]:
    """What this operating system can and cannot enforce."""
    features = (
        ("symbolic links refused while opening (O_NOFOLLOW)", hasattr(os, "O_NOFOLLOW")),
        ("unnamed temporary files (O_TMPFILE)", hasattr(os, "O_TMPFILE")),
        ("key file modes checked", os.name == "posix"),
        ("memory and time limits for child processes", bool(importlib.util.find_spec("resource"))),
    )
    for name, there in features:
        yield Check(name, "yes" if there else "not on this system", good=there)
