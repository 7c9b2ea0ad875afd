"""`aikz-label init`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aikz_label.cli.shared import OK, say


def add_init(command: argparse.ArgumentParser) -> None:
    """Add its options."""
    command.add_argument("--name", help="responsible party: the organisation's name")
    command.add_argument("--bin", help="its BIN, 12 digits")
    command.add_argument(
        "--role", choices=("owner", "holder"), help="owner or holder of the AI system"
    )
    command.add_argument(
        "--dir", type=Path, help="where to put it (default: the user's configuration folder)"
    )
    command.set_defaults(run=_init)


def _init(options: argparse.Namespace) -> int:
    from aikz_label import identity  # noqa: PLC0415
    from aikz_label.config import user_folder  # noqa: PLC0415
    from aikz_label.label import Responsible  # noqa: PLC0415

    party = Responsible(
        name=_ask(options.name, "--name", "Name of the responsible party"),
        bin=_ask(options.bin, "--bin", "Its BIN (12 digits)"),
        role=_ask(options.role, "--role", "Role (owner or holder)"),
    )
    made = identity.create(options.dir or user_folder(), party)
    print(f"configuration  {made.config}")
    print(f"signer         {made.signer} (keep it secret, like root-key.pem and ca-key.pem)")
    print(f"root           {made.root} (give it to those who shall trust you)")
    say("this identity is self-issued: only this machine believes it, and every report says so")
    return OK


def _ask(given: str | None, flag: str, question: str) -> str:
    from aikz_label.errors import UsageError  # noqa: PLC0415

    if given is not None:
        return given
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            f"{flag} is missing.", hint="Give it as a flag, or run this at a terminal."
        )
    print(f"{question}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
