"""`aikz-label identity list`, `show` and `rotate`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from aikz_label.cli.ca import REASONS
from aikz_label.cli.shared import OK, config_option, say, settings, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aikz_label.identity import Shown


def add_identity(command: argparse.ArgumentParser) -> None:
    """Add its commands."""
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    made = {}
    for name, run, what in (
        ("list", _list, "show the signer, and those it has replaced"),
        ("show", _show, "show everything about the signer"),
        ("rotate", _rotate, "put a new key and certificate in the place of those that init made"),
    ):
        made[name] = kinds.add_parser(
            name, help=what, description=what, parents=[config_option()], allow_abbrev=False
        )
        made[name].set_defaults(run=run)
    made["show"].add_argument(
        "--signer", metavar="URI", default="", help="another one than the configuration's"
    )
    made["rotate"].add_argument(
        "--days", type=int, default=0, help="how long the new one lives (default: as the old one)"
    )
    made["rotate"].add_argument(
        "--revoke", choices=REASONS, default="", metavar="REASON",
        help=f"also call the old certificate back: {', '.join(REASONS)}",
    )  # fmt: skip
    made["rotate"].add_argument(
        "--since",
        metavar="TIME",
        help="from when on the old one is not to be believed (default: now)",
    )


def _opened(options: argparse.Namespace, uri: str = "") -> Shown:
    from aikz_label import identity  # noqa: PLC0415
    from aikz_label.asked import open_signer  # noqa: PLC0415

    config = settings(options)
    return identity.show(open_signer(uri, config), uri or config.signer, config)


def _list(options: argparse.Namespace) -> int:
    from aikz_label import identity  # noqa: PLC0415

    for one in (_opened(options), *identity.retired(settings(options))):
        word = "active " if one.active else "retired"
        print(f"{word}  {one.facts.serial:x}  {one.algorithm}  until {one.facts.ends:%Y-%m-%d}")
        print(f"         {shown(one.facts.title)} ({shown(one.where)})")
    return OK


def _show(options: argparse.Namespace) -> int:
    one = _opened(options, options.signer)
    for name, text in _rows(one):
        print(f"{name.ljust(14)}{shown(text)}")
    return OK


def _rows(one: Shown) -> Iterator[tuple[str, str]]:
    from aikz_label.trust.certificates import COMMON_NAME, ORGANISATION  # noqa: PLC0415

    facts = one.facts
    yield "signer", one.where
    yield "name", facts.name(COMMON_NAME)
    yield "organisation", facts.name(ORGANISATION)
    yield "BIN", facts.bin or "none in the certificate"
    yield "number", f"{facts.serial:x}"
    yield "algorithm", one.algorithm
    yield "valid", f"{facts.begins:%Y-%m-%d} to {facts.ends:%Y-%m-%d}"
    yield "issued by", " < ".join(one.chain)
    yield "SHA-256", one.fingerprint
    yield "believed by", one.believed or "nobody on this machine's trust lists"


def _rotate(options: argparse.Namespace) -> int:
    from aikz_label import identity  # noqa: PLC0415
    from aikz_label.asked import moment  # noqa: PLC0415

    done = identity.rotate(
        settings(options),
        days=options.days,
        reason=options.revoke,
        since=moment(options.since) if options.since else None,
    )
    print(f"signer   {done.signer} (new key and certificate)")
    print(f"retired  {done.retired} (the old certificate; its key is gone)")
    if done.revoked is not None:
        print(f"revoked  {done.revoked} (heeded here from now on)")
        say("give crl.pem to those who trust you: only then do they know")
    return OK
