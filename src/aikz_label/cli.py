"""The command line: two verbs, and three commands that serve them.

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
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aikz_label.config import Config
    from aikz_label.label import Label
    from aikz_label.report import Report

OK, NOT_LABELLED, USAGE, INTERRUPTED = 0, 1, 2, 130


def entry() -> NoReturn:
    """Entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
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

    options = _parser().parse_args(arguments)
    if sys.stdout is None:
        _say("standard output is closed, so there is nowhere to answer")
        return USAGE
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _say("interrupted; nothing half-finished was left behind")
        return INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # the reader has gone; say nothing more to it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except (LabelError, OSError) as error:
        _complain(error)
        return USAGE
    return code


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def _parser() -> argparse.ArgumentParser:
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
    _add_init(commands, common)
    _add_mark(commands, common)
    _add_verify(commands, common)
    for name, run, text in (
        ("formats", _formats, "list the formats and what is written into each"),
        ("doctor", _doctor, "show what is installed and in use, and what is missing"),
    ):
        command = commands.add_parser(
            name, help=text, description=text, parents=[common], allow_abbrev=False
        )
        command.set_defaults(run=run)
    return parser


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        import aikz_label  # noqa: PLC0415

        print(f"aikz-label {aikz_label.__version__}")
        parser.exit()


def _add_init(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = "make a local identity and a configuration"
    command = commands.add_parser(
        "init", help=text, description=text, parents=[common], allow_abbrev=False
    )
    command.add_argument("--name", help="responsible party: the organisation's name")
    command.add_argument("--bin", help="its BIN, 12 digits")
    command.add_argument(
        "--role", choices=("owner", "holder"), help="owner or holder of the AI system"
    )
    command.add_argument(
        "--dir", type=Path, help="where to put it (default: the user's configuration folder)"
    )
    command.set_defaults(run=_init)


def _add_mark(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = "label files: notice for people, signed marker for software"
    command = commands.add_parser(
        "mark", help=text, description=text, parents=[common], allow_abbrev=False
    )
    command.add_argument(
        "sources", nargs="+", metavar="SRC", help="file to label; - is standard input"
    )
    where = command.add_mutually_exclusive_group()
    where.add_argument("-o", dest="output", metavar="DST", help="destination; - is standard output")
    where.add_argument(
        "--out-dir", type=Path, metavar="DIR", help="folder for <stem>.labelled<ext>"
    )
    command.add_argument("--origin", choices=("created", "altered"), required=True)
    command.add_argument(
        "--imitates",
        metavar="LIST",
        help="of appearance,voice,behaviour,event; or none (default: none)",
    )
    command.add_argument("--system", metavar="NAME[/VERSION]", help="the AI system")
    command.add_argument("--lang", metavar="LIST", help="languages of the notice, such as kk,ru")
    command.add_argument(
        "--profile", default="kz", help="numbers the notice must reach (default: kz)"
    )
    command.add_argument("--notice", choices=("auto", "none"), default="auto")
    command.add_argument(
        "--notice-reason", metavar="TEXT", default="", help="why there is no notice"
    )
    command.add_argument(
        "--reserve-training",
        action="store_true",
        help="declare that it may not be used for training",
    )
    command.add_argument("--signer", metavar="URI", default="", help="such as file:signer.pem")
    command.add_argument(
        "--on-existing",
        choices=("refuse", "update", "replace"),
        default="refuse",
        help="what to do with a file that is marked already (default: refuse)",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing destinations")
    command.add_argument("--json", action="store_true", help="one JSON report per line")
    command.set_defaults(run=_mark)


def _add_verify(commands: _Commands, common: argparse.ArgumentParser) -> None:
    text = "check files: what they declare, and whether it holds"
    command = commands.add_parser(
        "verify", help=text, description=text, parents=[common], allow_abbrev=False
    )
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="file to check; - is standard input"
    )
    command.add_argument(
        "--trust",
        action="append",
        type=Path,
        metavar="FILE",
        help="PEM file of root certificates to believe instead of the configuration's; repeatable",
    )
    command.add_argument(
        "--measure",
        action="store_true",
        help="measure the notice even when it is attested, and search for one that nobody recorded",
    )
    command.add_argument(
        "--lang",
        choices=("kk", "ru", "en"),
        default="en",
        help="language of the report (default: en)",
    )
    command.add_argument("--json", action="store_true", help="one JSON report per line")
    command.set_defaults(run=_verify)


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
    _say("this identity is self-issued: only this machine believes it, and every report says so")
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


def _mark(options: argparse.Namespace) -> int:
    from aikz_label import mark  # noqa: PLC0415
    from aikz_label.errors import LabelError, Refused, UsageError  # noqa: PLC0415

    if options.output and len(options.sources) > 1:
        raise UsageError(
            "-o names one destination, but there are several sources.", hint="Use --out-dir."
        )
    if options.output == "-" and options.json:
        raise UsageError("The file and the report cannot both go to standard output.")
    if "-" in options.sources and not options.output:
        raise UsageError(
            "Standard input needs a destination.", hint="Add -o FILE, or -o - for standard output."
        )
    label, settings = _label(options), _config(options)
    worst = OK
    for source in _progress(options.sources, "marking"):
        target = _target(source, options)
        try:
            result = mark(
                _stdin() if source == "-" else source,
                sys.stdout.buffer if target is None else target,
                label,
                languages=_list(options.lang),
                notice=options.notice,
                notice_reason=options.notice_reason,
                profile_name=options.profile,
                signer=options.signer,
                on_existing=options.on_existing,
                overwrite=options.overwrite,
                config=settings,
            )
        except Refused as refusal:
            _complain(refusal, source)
            worst = max(worst, NOT_LABELLED)
            continue
        except (LabelError, OSError) as error:
            _complain(error, source)
            worst = USAGE
            continue
        for warning in result.warnings:
            _say(f"{_shown(source)}: {warning}")
        if target is not None:
            _print_report(result.report, "en", options.json, whole=False)
    return worst


def _label(options: argparse.Namespace) -> Label:
    from aikz_label.errors import UsageError  # noqa: PLC0415
    from aikz_label.label import Label, System  # noqa: PLC0415

    imitates = _list(options.imitates)
    if options.imitates is not None and not imitates:
        raise UsageError(
            "--imitates is empty.",
            hint="Say `none`, or what it imitates: appearance, voice, behaviour, event.",
        )
    if "none" in imitates:
        if len(imitates) > 1:
            raise UsageError("--imitates none cannot be combined with anything else.")
        imitates = ()
    system = System.parse(options.system) if options.system is not None else None
    return Label(
        origin=options.origin,
        imitates=imitates,
        system=system,
        reserve_training=options.reserve_training,
    )


def _verify(options: argparse.Namespace) -> int:
    from aikz_label import verify  # noqa: PLC0415
    from aikz_label.errors import SourceError  # noqa: PLC0415
    from aikz_label.trust import load_trust_list  # noqa: PLC0415

    settings = _config(options)
    trust = [load_trust_list(path) for path in options.trust] if options.trust else settings.trust
    worst = OK
    for path in _progress(options.paths, "verifying"):
        try:
            report = verify(
                _stdin() if path == "-" else path,
                trust=trust,
                measure=options.measure,
                config=settings,
            ).at(path)
        except (SourceError, OSError) as error:
            _complain(error, path)
            worst = USAGE
            continue
        if report.verdict != "labelled":
            worst = max(worst, NOT_LABELLED)
        _print_report(report, options.lang, options.json, whole=len(options.paths) == 1)
    return worst


def _formats(_: argparse.Namespace) -> int:
    from aikz_label.formats import FORMATS  # noqa: PLC0415

    rows = [("FORMAT", "FAMILY", "MARKER", "NOTICE", "MIRROR")]
    rows += [
        (
            f"{row.title} [{row.extra}]" if row.extra else row.title,
            row.family,
            row.marker,
            row.notice,
            row.mirror,
        )
        if row.supported
        else (row.title, row.family, "not yet", "", "")
        for row in FORMATS.values()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        )
    return OK


def _doctor(options: argparse.Namespace) -> int:
    from aikz_label import doctor  # noqa: PLC0415

    checks = list(doctor.examine(_config(options)))
    width = max(len(check.what) for check in checks) + 2
    for check in checks:
        print(f"{'ok     ' if check.good else 'missing'}  {check.what.ljust(width)}{check.answer}")
    return OK if all(check.good or not check.needed for check in checks) else NOT_LABELLED


def _config(options: argparse.Namespace) -> Config:
    from aikz_label.config import load_config  # noqa: PLC0415

    return load_config(getattr(options, "config", None))


def _target(source: str, options: argparse.Namespace) -> Path | None:
    """Where a labelled file goes; `None` is standard output."""
    if options.output:
        return None if options.output == "-" else Path(options.output)
    path = Path(source)
    return (options.out_dir or path.parent) / f"{path.stem}.labelled{path.suffix}"


def _list(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _stdin() -> BinaryIO:
    from aikz_label.errors import SourceError  # noqa: PLC0415

    if sys.stdin is None:
        raise SourceError("Standard input is closed.", hint="Pipe a file into it.")
    return sys.stdin.buffer


def _print_report(report: Report, language: str, as_json: bool, *, whole: bool) -> None:
    from aikz_label import console  # noqa: PLC0415

    if as_json:
        text = report.to_json()
    else:
        colour = console.wants_colour(sys.stdout)
        show = console.full_report if whole else console.short_report
        text = show(report, language, colour=colour)
    print(text, flush=True)


def _progress(items: Sequence[str], verb: str) -> Iterator[str]:
    """The items, with one rewritten line on a terminal when there are many."""
    show = len(items) > 1 and sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if show:
            print(f"\r\x1b[K{verb} {number}/{len(items)}", end="", file=sys.stderr, flush=True)
        try:
            yield item
        finally:
            if show:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _complain(error: Exception, path: str = "") -> None:
    """One sentence, what to do about it, and no traceback."""
    from aikz_label.errors import LabelError  # noqa: PLC0415

    if isinstance(error, LabelError):
        text = f"{error.message} {error.hint}".strip() + f" [{error.code}]"
    elif isinstance(error, OSError):
        named = error.filename if isinstance(error.filename, str) else ""
        name = f"{named}: " if named and Path(named) != Path(path) else ""
        text = f"{name}{error.strerror or error}"
    else:
        text = str(error)
    _say(f"{_shown(path)}: {text}" if path else text)


def _shown(path: str) -> str:
    from aikz_label.texts import escape  # noqa: PLC0415

    return escape(path, 4096)


def _say(text: str) -> None:
    from aikz_label.texts import escape  # noqa: PLC0415

    if sys.stderr is not None:
        print(f"aikz-label: {escape(text, 4096)}", file=sys.stderr)
