"""`aikz-label verify`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.running import (
    Interruption,
    Progress,
    countable,
    gathered,
    options_for_many,
    passed_over,
    table,
)
from aikz_label.cli.shared import (
    NOT_LABELLED,
    OK,
    USAGE,
    complain,
    print_report,
    settings,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.batch import Row
    from aikz_label.cli.shared import Commands
    from aikz_label.gather import Gathering
    from aikz_label.sandbox.work import Verifying


def add_verify(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    text = "check files: what they declare, and whether it holds"
    command = commands.add_parser(
        "verify", help=text, description=text, parents=[common], allow_abbrev=False
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="file or folder to check, or a pattern; a single - is standard input",
    )
    command.add_argument(
        "--trust",
        action="append",
        type=Path,
        metavar="FILE",
        help="PEM file of root certificates to believe instead of the configuration's; repeatable",
    )
    command.add_argument(
        "--sidecar",
        type=Path,
        metavar="FILE",
        help="the marker of a single PATH, when it is not beside it as PATH.c2pa",
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
    options_for_many(command)
    command.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from aikz_label import gather  # noqa: PLC0415
    from aikz_label.errors import UsageError  # noqa: PLC0415

    if not options.paths and not options.files0_from:
        raise UsageError("There is nothing to verify.", hint="Name files or folders.")
    if len(options.paths) == 1 and not options.files0_from and gather.is_one(options.paths[0]):
        return _one(options)
    if options.sidecar:
        raise UsageError(
            "--sidecar is one file's marker, but there are several files.",
            hint="A sidecar beside its file, as NAME.EXT.c2pa, is found by itself.",
        )
    if "-" in options.paths:
        raise UsageError("Standard input is verified alone.", hint="Give it a command of its own.")
    return _many(options)


def _order(options: argparse.Namespace) -> Verifying:
    from aikz_label.sandbox.work import Verifying  # noqa: PLC0415
    from aikz_label.trust import load_trust_list  # noqa: PLC0415

    config = settings(options)
    trust = tuple(map(load_trust_list, options.trust)) if options.trust else config.trust
    sidecar = str(options.sidecar.absolute()) if options.sidecar else ""
    return Verifying(trust, measure=options.measure, sidecar=sidecar, whole=options.json)


def _one(options: argparse.Namespace) -> int:
    """One file in a child of this very process, which is all that has been started for it."""
    from aikz_label import batch  # noqa: PLC0415
    from aikz_label.profile import load_profile  # noqa: PLC0415
    from aikz_label.sandbox.failures import error_from  # noqa: PLC0415
    from aikz_label.sandbox.nursery import Here, available  # noqa: PLC0415

    path, order = options.paths[0], _order(options)
    if path == "-":
        stdin()  # is there one?
    if not available():
        return _in_this_process(options, order)
    nursery = Here(keep_input=path == "-")
    deadline = options.timeout or batch.DEADLINE
    rows = batch.verify_rows(
        ["" if path == "-" else path], order, jobs=1, deadline=deadline, nursery=nursery
    )
    (row,) = rows
    if not row.opened:
        complain(error_from(row.error), path)
        return USAGE
    print_report(
        row.report(load_profile(order.profile_name)).at(path),
        options.lang,
        options.json,
        whole=True,
    )
    return OK if row.verdict == "labelled" else NOT_LABELLED


def _in_this_process(options: argparse.Namespace, order: Verifying) -> int:
    """Where the operating system cannot isolate."""
    from aikz_label import verify  # noqa: PLC0415

    path = options.paths[0]
    report = verify(
        stdin() if path == "-" else path,
        trust=order.trust,
        sidecar=options.sidecar,
        measure=options.measure,
    )
    print_report(report.at(path), options.lang, options.json, whole=True)
    return OK if report.verdict == "labelled" else NOT_LABELLED


def _many(options: argparse.Namespace) -> int:
    from aikz_label import batch  # noqa: PLC0415
    from aikz_label.report import Verdict  # noqa: PLC0415
    from aikz_label.sandbox.nursery import Beside  # noqa: PLC0415

    interruption, sources = Interruption(), gathered(options)
    run = _Run(sources)
    rows = batch.verify_rows(
        sources,
        _order(options),
        jobs=options.jobs,
        ordered=True,
        deadline=options.timeout or batch.DEADLINE,
        nursery=Beside(forked=True),  # before there is a thread
        stopping=interruption,
    )
    progress = Progress("verified", countable(options), show=not options.no_progress)
    with interruption.watched(), contextlib.closing(rows):
        for row in rows:
            run.add(row)
            progress.clear()
            _print(row, options)
            progress.step(run.counts)
    progress.clear()
    table(run.counts, Verdict, progress.seconds, passed_over(sources.skipped))
    return interruption.code or run.code


class _Run:
    """What a run has come to so far."""

    def __init__(self, sources: Gathering) -> None:
        self.counts: Counter[str] = Counter()
        self.code = OK
        sources.failed = self.folder_failed

    def add(self, row: Row) -> None:
        """Count a row."""
        self.counts[row.verdict] += 1
        if not row.opened:
            self.code = USAGE
        elif row.verdict != "labelled":
            self.code = max(self.code, NOT_LABELLED)

    def folder_failed(self, path: str, error: OSError) -> None:
        """A folder cannot be listed, so nobody knows what it holds."""
        complain(error, path)
        self.code = USAGE


def _print(row: Row, options: argparse.Namespace) -> None:
    from aikz_label import console  # noqa: PLC0415

    if options.json:
        print(row.whole)
        return
    colour = console.wants_colour(sys.stdout)
    lines = console.headline(
        row.uri, row.verdict, row.self_issued, row.reason, options.lang, colour=colour
    )
    print("\n".join(lines), flush=True)
