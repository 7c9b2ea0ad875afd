"""`aikz-label trust add`, `list` and `remove`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.shared import OK, config_option, say, settings, shown

if TYPE_CHECKING:
    from aikz_label.trust import TrustKind, TrustList

KINDS = ("signers", "certificates", "time", "revoked")


def add_trust(command: argparse.ArgumentParser) -> None:
    """Add its commands."""
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = {
        "add": "believe the certificates of a file from now on, or heed its revocation lists",
        "list": "show whom this machine believes, and for what",
        "remove": "believe a list no longer",
    }
    made = {
        name: kinds.add_parser(
            name, help=text, description=text, parents=[config_option()], allow_abbrev=False
        )
        for name, text in about.items()
    }
    made["add"].add_argument("file", type=Path, metavar="FILE", help="PEM or DER")
    made["add"].add_argument(
        "--name", default="", help="what reports call it (default: the file's)"
    )
    made["add"].add_argument(
        "--replace", action="store_true", help="in place of one that is kept under this name"
    )
    made["remove"].add_argument("name", metavar="NAME")
    for name in ("add", "remove"):
        made[name].add_argument(
            "--for",
            dest="kind",
            choices=KINDS,
            help="authorities of signers, single certificates, authorities for time-stamps, or revocation lists",
        )
    made["add"].set_defaults(run=_add)
    made["list"].set_defaults(run=_list)
    made["remove"].set_defaults(run=_remove)


def _kind(options: argparse.Namespace) -> TrustKind | None:
    from aikz_label.trust import TrustKind  # noqa: PLC0415

    return TrustKind(options.kind) if options.kind else None


def _add(options: argparse.Namespace) -> int:
    from aikz_label.identity import trusting  # noqa: PLC0415
    from aikz_label.trust import TrustKind, load_trust_list  # noqa: PLC0415

    path = trusting.add(
        settings(options), options.file, _kind(options), options.name, replace=options.replace
    )
    _show(load_trust_list(path, kind=TrustKind(path.parent.name)))
    say("compare the fingerprints with what their owner says by another way")
    return OK


def _list(options: argparse.Namespace) -> int:
    config = settings(options)
    for listed in config.trust:
        _show(listed)
    if not config.trust:
        say("nobody is believed here")
    return OK


def _show(listed: TrustList) -> None:
    from aikz_label.identity import trusting  # noqa: PLC0415

    note = " (self-issued: this machine's own)" if listed.self_issued else ""
    print(f"{listed.kind}: {shown(listed.name)}{note}")
    for member in trusting.members(listed):
        until = f", until {member.ends:%Y-%m-%d}" if member.ends else ""
        print(f"  {shown(member.title) or '-'}{until}\n    SHA-256 {member.fingerprint}")


def _remove(options: argparse.Namespace) -> int:
    from aikz_label.identity import trusting  # noqa: PLC0415

    print(f"removed {trusting.remove(settings(options), options.name, _kind(options))}")
    return OK
