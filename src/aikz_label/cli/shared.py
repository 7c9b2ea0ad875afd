"""What every command shares: messages, reports, progress, and the exit codes."""

from __future__ import annotations

import argparse
import sys

TYPE_CHECKING = False  # as typing says, without the 5 ms of importing it
if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from aikz_label.config import Config
    from aikz_label.report import Report

OK, NOT_LABELLED, USAGE, INTERRUPTED = 0, 1, 2, 130


def config_option() -> argparse.ArgumentParser:
    """The option that every command has."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=_path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="configuration file (default: aikz-label.toml in the user's configuration folder)",
    )
    return common


def _path(text: str) -> Path:
    from pathlib import Path  # noqa: PLC0415  # `--help` needs none

    return Path(text)


def settings(options: argparse.Namespace) -> Config:
    """The configuration that the options name, or the user's own."""
    from aikz_label.config import load_config  # noqa: PLC0415

    return load_config(getattr(options, "config", None))


def listed(text: str | None) -> tuple[str, ...]:
    """The parts of a list separated by commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def add_password(command: argparse.ArgumentParser) -> None:
    """Add the option that says where the password of documents is."""
    command.add_argument(
        "--password",
        metavar="WHERE",
        default="",
        help="password of an encrypted PDF: prompt, file:PATH or env:NAME",
    )


def password(options: argparse.Namespace) -> str:
    """The password that the options lead to; it never stands among them.

    Raises:
        UsageError: There is none where they lead.
    """
    if not options.password:
        return ""
    from pathlib import Path  # noqa: PLC0415

    from aikz_label.errors import SigningError, UsageError  # noqa: PLC0415
    from aikz_label.signing.secrets import Secrets  # noqa: PLC0415

    try:
        return Secrets(Path.cwd()).get(options.password, "the documents").decode()
    except (SigningError, UnicodeDecodeError) as error:
        raise UsageError(
            getattr(error, "message", "The password is not UTF-8."),
            code="password-source",
            hint="Use --password prompt, --password file:PATH or --password env:NAME.",
        ) from None


def stdin() -> BinaryIO:
    """Standard input as bytes.

    Raises:
        SourceError: It is closed.
    """
    from aikz_label.errors import SourceError  # noqa: PLC0415

    if sys.stdin is None:
        raise SourceError("Standard input is closed.", hint="Pipe a file into it.")
    return sys.stdin.buffer


def print_report(report: Report, language: str, as_json: bool, *, whole: bool) -> None:
    """One report, for people or as a line of JSON."""
    from aikz_label import console  # noqa: PLC0415

    if as_json:
        text = report.to_json()
    else:
        colour = console.wants_colour(sys.stdout)
        show = console.full_report if whole else console.short_report
        text = show(report, language, colour=colour)
    print(text, flush=True)


def complain(error: Exception, path: str = "") -> None:
    """One sentence, what to do about it, and no traceback."""
    from aikz_label.errors import LabelError  # noqa: PLC0415

    if isinstance(error, LabelError):
        text = f"{error.message} {error.hint}".strip() + f" [{error.code}]"
    elif isinstance(error, OSError):
        text = _of_the_system(error, path)
    else:
        text = str(error)
    say(f"{shown(path)}: {text}" if path else text)


def _of_the_system(error: OSError, path: str) -> str:
    """What the system says, what to do about it, and its own name for it, such as ENOENT."""
    import errno  # noqa: PLC0415  # nothing is wrong in most runs
    import os  # noqa: PLC0415

    named = error.filename if isinstance(error.filename, str) else ""
    said = path and os.path.abspath(named) == os.path.abspath(path)  # noqa: PTH100  # links are not followed
    name = f"{named}: " if named and not said else ""
    code = errno.errorcode.get(error.errno or 0, "")
    if not code or not error.strerror:
        return f"{name}{error.strerror or error}"
    return f"{name}{error.strerror}. {_WHAT_TO_DO.get(code, '')}".strip() + f" [{code}]"


_WHAT_TO_DO = {
    "ENOENT": "Check the name.",
    "ENOTDIR": "Check the name.",
    "ENAMETOOLONG": "Use a shorter name.",
    "EACCES": "Ask for the right to it, or name another place.",
    "EPERM": "Ask for the right to it, or name another place.",
    "EROFS": "Name a place that can be written.",
    "ENOSPC": "Make room, or name another place.",
    "EDQUOT": "Make room, or name another place.",
    "EMFILE": "Raise the limit of open files (`ulimit -n`).",
}


def shown(path: str) -> str:
    """A name from outside, made safe for a terminal."""
    from aikz_label.texts import escape  # noqa: PLC0415

    return escape(path, 4096)


def say(text: str) -> None:
    """One message, to standard error."""
    from aikz_label.texts import escape  # noqa: PLC0415

    if sys.stderr is not None:
        print(f"aikz-label: {escape(text, 4096)}", file=sys.stderr)
