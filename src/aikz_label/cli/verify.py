"""`aikz-label verify`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.believing import add_believing, believed
from aikz_label.cli.running import (
    Interruption,
    Progress,
    again,
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
    add_password,
    complain,
    password,
    print_report,
    settings,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.batch import Row
    from aikz_label.batch.journal import Journal
    from aikz_label.sandbox.work import Verifying


def add_verify(command: argparse.ArgumentParser) -> None:
    """Add its options."""
    command.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="file or folder to check, or a pattern; a single - is standard input",
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
        "--profile", default="kz", help="numbers the notice must reach: kz or strict (default: kz)"
    )
    command.add_argument(
        "--lang",
        choices=("kk", "ru", "en"),
        default="en",
        help="language of the report (default: en)",
    )
    command.add_argument("--json", action="store_true", help="one JSON report per line")
    group = options_for_many(command)
    group.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="write a row for each file there instead of printing it",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on with that journal: only files that are new or have changed",
    )
    group.add_argument("--hash", action="store_true", help="also record the SHA-256 of every file")
    add_password(command)
    add_believing(command)
    command.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from aikz_label.batch import gather  # noqa: PLC0415
    from aikz_label.errors import UsageError  # noqa: PLC0415

    if not options.paths and not options.files0_from:
        raise UsageError("There is nothing to verify.", hint="Name files or folders.")
    if options.resume and not options.journal:
        raise UsageError("--resume needs the journal to go on with.", hint="Add --journal FILE.")
    listed = options.files0_from or options.journal
    if len(options.paths) == 1 and not listed and gather.is_one(options.paths[0]):
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
    from aikz_label.profile import load_profile  # noqa: PLC0415
    from aikz_label.sandbox.work import Verifying  # noqa: PLC0415

    sidecar = str(options.sidecar.absolute()) if options.sidecar else ""
    load_profile(
        options.profile
    )  # a wrong name is the caller's mistake, found before any child starts
    return Verifying(
        believed(options, settings(options)),
        options.profile,
        measure=options.measure,
        digest=options.hash,
        whole=options.json,
        sidecar=sidecar,
        password=password(options),
    )


def _one(options: argparse.Namespace) -> int:
    """One file in a child of this very process, which is all that has been started for it."""
    from aikz_label import batch  # noqa: PLC0415
    from aikz_label.profile import load_profile  # noqa: PLC0415
    from aikz_label.sandbox.failures import error_from  # noqa: PLC0415
    from aikz_label.sandbox.nursery import Here, available  # noqa: PLC0415
    from aikz_label.sandbox.work import STANDARD_INPUT  # noqa: PLC0415

    path, order = options.paths[0], _order(options)
    if path == "-":
        stdin()  # is there one?
    if not available():
        return _in_this_process(options, order)
    nursery = Here(keep_input=path == "-")
    deadline = options.timeout or batch.DEADLINE
    rows = batch.verify_rows(
        [STANDARD_INPUT if path == "-" else path],
        order,
        jobs=1,
        deadline=deadline,
        nursery=nursery,
    )
    (row,) = rows
    if not row.opened:
        complain(error_from(row.error or {}), path)
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
        trust=order.believing.trust,
        at=order.believing.at,
        ocsp=order.believing.responder,
        sidecar=options.sidecar,
        measure=options.measure,
        password=order.password,
        profile_name=order.profile_name,
    )
    print_report(report.at(path), options.lang, options.json, whole=True)
    return OK if report.verdict == "labelled" else NOT_LABELLED


def _many(options: argparse.Namespace) -> int:
    from aikz_label import batch  # noqa: PLC0415
    from aikz_label.batch.journal import Journal, options_of  # noqa: PLC0415
    from aikz_label.sandbox.nursery import Beside  # noqa: PLC0415

    order, deadline = _order(options), options.timeout or batch.DEADLINE
    nursery = Beside(forked=True)  # before there is a thread
    with contextlib.ExitStack() as stack:
        stack.callback(nursery.close)
        journal = None
        if options.journal:
            journal = Journal(options.journal, options_of(order), resume=options.resume)
            stack.enter_context(journal)
        run = _Run(options, journal)
        rows = batch.verify_rows(
            run.sources(),
            order,
            jobs=options.jobs,
            ordered=journal is None,
            deadline=deadline,
            nursery=nursery,
            stopping=run.interruption,
        )
        stack.enter_context(run.interruption.watched())
        stack.enter_context(contextlib.closing(rows))
        for row in rows:
            run.add(row)
    return run.finished()


class _Run:
    """What a run has come to so far, and what people see of it."""

    def __init__(self, options: argparse.Namespace, journal: Journal | None) -> None:
        self._options, self._journal = options, journal
        self._counts: Counter[str] = journal.counts if journal else Counter()
        self._not_opened = self._failed = 0
        self._gathering = gathered(options, without=options.journal)
        self._gathering.failed = self._folder_failed
        self._progress = Progress("verified", countable(options), show=not options.no_progress)
        self.interruption = Interruption()

    def sources(self) -> Iterator[str]:
        """The files that are still to be verified."""
        for name in self._gathering:
            if self._journal is None or not self._journal.has(name):
                yield name

    def add(self, row: Row) -> None:
        """Record a row, or print it."""
        if self._journal is not None:
            self._journal.add(row)
        else:
            self._counts[row.verdict] += 1
            self._not_opened += not row.opened
        if self._journal is None or self._options.json:
            self._progress.clear()
            _print(row, self._options)
        self._progress.step(self._counts)

    def finished(self) -> int:
        """Print the table, and how to go on; returns the exit code."""
        from aikz_label.report import Verdict  # noqa: PLC0415

        self._progress.clear()
        table(self._counts, Verdict, self._progress.took(), self._notes())
        if self.interruption.code:
            return self.interruption.code
        not_opened = self._journal.not_opened if self._journal else self._not_opened
        if not_opened or self._failed:
            return USAGE
        return OK if self._counts["labelled"] == self._counts.total() else NOT_LABELLED

    def _notes(self) -> Iterator[str]:
        yield from passed_over(self._gathering.skipped)
        if self._journal is not None:
            if self._journal.earlier:
                yield f"{self._journal.earlier:,} of these from an earlier run"
            if self._journal.damage.count:
                lines = ", ".join(map(str, self._journal.damage.lines))
                yield f"{self._journal.damage.count:,} damaged lines in the journal, passed over: {lines}"
        if self.interruption.code:
            yield (
                f"go on with: {again('--resume')}"
                if self._journal
                else "to be able to go on, name a --journal"
            )

    def _folder_failed(self, path: str, error: OSError) -> None:
        """A folder cannot be listed, so nobody knows what it holds."""
        self._progress.clear()
        complain(error, path)
        self._failed += 1


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
