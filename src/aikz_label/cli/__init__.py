"""The command line: two verbs, and the commands that serve them, one module each.

stdout is data, stderr is messages. Exit 0: every file is labelled. 1: at least one is not. 2: a mistake in the call, the
configuration or the file system. 130: interrupted. Imports are inside functions, so that `--help` stays quick.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aikz_label.cli.about import add_about
from aikz_label.cli.ca import add_ca
from aikz_label.cli.identity import add_identity
from aikz_label.cli.init import add_init
from aikz_label.cli.mark import add_mark
from aikz_label.cli.report import add_report
from aikz_label.cli.shared import INTERRUPTED, USAGE, complain, say
from aikz_label.cli.trust import add_trust
from aikz_label.cli.verify import add_verify

if TYPE_CHECKING:
    from collections.abc import Sequence


def entry() -> NoReturn:
    """Entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _no_core_files()
    # a terminated run cleans up like an interrupted one
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGTERM, _terminate)
    try:
        code = main()
    except KeyboardInterrupt:  # while modules were imported
        code = INTERRUPTED
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from aikz_label.errors import LabelError  # noqa: PLC0415

    options = build_parser().parse_args(arguments)
    if sys.stdout is None:
        say("standard output is closed, so there is nowhere to answer")
        return USAGE
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("interrupted; nothing half-finished was left behind")
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # the reader has gone; say nothing more to it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except (LabelError, OSError) as error:
        complain(error)
        return USAGE
    return code


def _no_core_files() -> None:
    """A process that dies leaves nothing of its memory, which may hold a key."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on every system

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line as an argument parser."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="configuration file (default: aikz-label.toml in the user's configuration folder)",
    )
    parser = argparse.ArgumentParser(
        prog="aikz-label",
        description="Label AI-made media for Kazakhstan's Law on AI, and check labels.",
        epilog="Exit codes: 0 every file was marked as ordered, or is labelled; 1 at least one was refused, or is not "
        "labelled; 2 usage, configuration or I/O error; 130 interrupted.",
        allow_abbrev=False,
        parents=[common],
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_init(commands, common)
    add_mark(commands, common)
    add_verify(commands, common)
    add_report(commands, common)
    add_trust(commands, common)
    add_identity(commands, common)
    add_ca(commands)
    add_about(commands, common)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import aikz_label  # noqa: PLC0415

        print(f"aikz-label {aikz_label.__version__}")
        parser.exit()
