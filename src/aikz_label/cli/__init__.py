"""The command line: two verbs, and the commands that serve them, one module each.

stdout is data, stderr is messages. Exit 0: every file is labelled. 1: at least one is not. 2: a mistake in the call, the
configuration or the file system. 130: interrupted. Imports are inside functions, and only commands that the arguments
name are built, so that `--help` and `verify` of one file stay quick.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import io
import os
import signal
import sys
from importlib import import_module

from aikz_label.cli.shared import INTERRUPTED, USAGE, complain, config_option, say

TYPE_CHECKING = False  # as typing says, without the 5 ms of importing it
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import NoReturn

# Each command: the function that adds its options, by module, and what the command does.
_COMMANDS = {
    "init": ("init.add_init", "make a local identity and a configuration"),
    "mark": ("mark.add_mark", "label files: notice for people, signed marker for software"),
    "verify": ("verify.add_verify", "check files: what they declare, and whether it holds"),
    "report": (
        "report.add_report",
        "show a journal of verify: as a summary, a table, a page, or for code scanning",
    ),
    "trust": ("trust.add_trust", "say whom to believe"),
    "identity": ("identity.add_identity", "show or renew the identity that signs here"),
    "ca": ("ca.add_ca", "run an authority of your own"),
    "formats": ("about.add_formats", "list the formats and what is written into each"),
    "doctor": ("about.add_doctor", "show what is installed and in use, and what is missing"),
}
_GROUPS = {"trust", "identity", "ca"}  # of commands, each with options of its own


def entry() -> NoReturn:
    """Entry point of the installed command."""
    gc.set_threshold(
        50_000
    )  # while modules are imported, there is much to look at and nothing to find
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _no_core_files()
    # a terminated run cleans up like an interrupted one
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGTERM, _terminate)
    code: object
    try:
        code = main()
    except KeyboardInterrupt:  # while modules were imported
        code = INTERRUPTED
    except SystemExit as ended:  # of argparse, or of a termination
        code = ended.code or 0
    _leave(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    begins = bool(words) and words[0] in _COMMANDS
    parser = build_parser(words[:1] if begins else words, listed=not begins)
    try:
        options, unknown = parser.parse_known_args(words)  # which prints, for `--version`
        if unknown:  # said with the options of that command, not of the program
            options.command.error(f"unrecognized arguments: {' '.join(unknown)}")
        if sys.stdout is None:
            say("standard output is closed, so there is nowhere to answer")
            return USAGE
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("interrupted; nothing half-finished was left behind")
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # the reader has gone; say nothing more to it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except Exception as error:
        from aikz_label.errors import LabelError  # noqa: PLC0415  # not loaded to show help

        if not isinstance(error, LabelError | OSError):
            raise
        complain(error)
        return USAGE
    return code


def _leave(code: object) -> NoReturn:
    """End as `sys.exit` does, but let the system take the memory back as a whole.

    To free every object of every module first costs as much as to verify a file.
    """
    threading = sys.modules.get("threading")
    if isinstance(code, int) and (threading is None or threading.active_count() == 1):
        atexit._run_exitfuncs()  # noqa: SLF001  # what a plug-in may have registered
        if not _written_out(complaining=not code):
            code = code or USAGE
        os._exit(code)
    sys.exit(code)  # type: ignore[arg-type]


def _written_out(*, complaining: bool) -> bool:
    """Write what is still to be printed, such as an answer that was short; says whether it has arrived."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.flush()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if complaining and not isinstance(error, BrokenPipeError):
            complain(error)
        return False
    return True


def _no_core_files() -> None:
    """A process that dies leaves nothing of its memory, which may hold a key."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on every system

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def build_parser(
    named: Collection[str] = _COMMANDS.keys(), *, listed: bool = True
) -> argparse.ArgumentParser:
    """The command line as an argument parser.

    Args:
        named: Words among which are the commands that may be asked for.
        listed: Know the others too, though not their options.
    """
    common = config_option()
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
    for name, (home, text) in _COMMANDS.items():
        if name not in named:
            if listed:
                commands.add_parser(name, help=text, add_help=False)
            continue
        command = commands.add_parser(
            name,
            help=text,
            description=text,
            parents=[] if name in _GROUPS else [common],
            allow_abbrev=False,
        )
        command.set_defaults(command=command)
        module, _, function = home.partition(".")
        getattr(import_module(f"aikz_label.cli.{module}"), function)(command)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import aikz_label  # noqa: PLC0415

        print(f"aikz-label {aikz_label.__version__}")
        parser.exit()
