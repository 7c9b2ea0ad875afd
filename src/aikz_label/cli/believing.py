"""Whom to believe, as of when: the options that `verify` has for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aikz_label.config import Config
    from aikz_label.joining import Believing
    from aikz_label.trust import TrustList

_PATHS = (
    (
        "--trust",
        "certificates of authorities to believe instead of the configuration's: a PEM or DER file, or a folder of such",
    ),
    ("--trust-cert", "single signers' certificates to believe, whoever issued them"),
    ("--trust-tsa", "certificates of authorities to believe for time-stamps"),
    ("--crl", "revocation lists to heed besides the configuration's"),
)


def add_believing(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = command.add_argument_group("whom to believe")
    for flag, text in _PATHS:
        group.add_argument(
            flag, action="append", type=Path, metavar="PATH", help=f"{text}; repeatable"
        )
    group.add_argument(
        "--at",
        metavar="TIME",
        help="check as of a time, such as 2026-11-25 (its end, UTC) or 2026-11-25T12:00:00Z",
    )
    group.add_argument(
        "--ocsp",
        metavar="URL",
        default="",
        help="ask this responder about the signer's certificate; without it, no network is used",
    )


def believed(options: argparse.Namespace, config: Config) -> Believing:
    """What the options say."""
    from aikz_label.asked import believing  # noqa: PLC0415

    return believing(_lists(options, config), None, options.at, options.ocsp)


def _lists(options: argparse.Namespace, config: Config) -> tuple[TrustList, ...]:
    """Lists named in the call take the place of the configuration's for the same purpose; revocations only add up."""
    from aikz_label.trust import TrustKind, load_trust_lists  # noqa: PLC0415

    given = [
        listed
        for kind, paths in (
            (TrustKind.SIGNERS, options.trust),
            (TrustKind.CERTIFICATES, options.trust_cert),
            (TrustKind.TIME, options.trust_tsa),
            (TrustKind.REVOKED, options.crl),
        )
        for path in paths or ()
        for listed in load_trust_lists(path, kind=kind)
    ]
    replaced = {TrustKind.TIME} if options.trust_tsa else set()
    if options.trust or options.trust_cert:
        replaced |= {TrustKind.SIGNERS, TrustKind.CERTIFICATES}
    return (*given, *(listed for listed in config.trust if listed.kind not in replaced))
