"""What `aikz-label mark` does with its options: one file here, or many in children."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.mark import how_of, label_of
from aikz_label.cli.running import (
    Interruption,
    Progress,
    countable,
    gathered,
    passed_over,
    table,
)
from aikz_label.cli.shared import (
    NOT_LABELLED,
    OK,
    USAGE,
    complain,
    print_report,
    say,
    settings,
    shown,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.batch.marking import Marked
    from aikz_label.sandbox.marking import Marking


def run(options: argparse.Namespace) -> int:
    """Mark what the options name; returns the exit code."""
    from aikz_label.batch import gather  # noqa: PLC0415
    from aikz_label.errors import UsageError  # noqa: PLC0415

    sources = options.paths
    if not sources and not options.files0_from:
        raise UsageError("There is nothing to mark.", hint="Name files or folders.")
    single = len(sources) == 1 and not options.files0_from and gather.is_one(sources[0])
    if options.output and not single:
        raise UsageError(
            "-o names one destination, but there are several sources.", hint="Use --out-dir."
        )
    if options.output is not None and (not options.output or options.output.endswith("/")):
        raise UsageError("-o names no file.", hint="Use --out-dir for a folder.")
    if options.output == "-" and options.json:
        raise UsageError("The file and the report cannot both go to standard output.")
    if options.output == "-" and options.sidecar:
        raise UsageError(
            "A file and its sidecar cannot both go to standard output.", hint="Add -o FILE."
        )
    if "-" in sources and not options.output:
        raise UsageError(
            "Standard input needs a destination.", hint="Add -o FILE, or -o - for standard output."
        )
    return _one(options) if single else _many(options)


def _one(options: argparse.Namespace) -> int:
    """One file in this process, which may ask for a password; the file is one's own."""
    from aikz_label.api import mark, open_signer  # noqa: PLC0415
    from aikz_label.errors import LabelError, Refused  # noqa: PLC0415

    source, label, config = options.paths[0], label_of(options), settings(options)
    signer, target = open_signer(options.signer, config), _target(source, options)
    how = how_of(options)
    progress = Progress("frames", None, show=not options.no_progress)
    try:
        result = mark(
            stdin() if source == "-" else source,
            sys.stdout.buffer if target is None else target,
            label,
            signer=signer,
            progress=progress.frames,
            config=config,
            **how,
        )
    except (LabelError, OSError) as error:
        progress.clear()
        complain(error, source)
        return NOT_LABELLED if isinstance(error, Refused) else USAGE
    progress.clear()
    for warning in result.warnings:
        say(f"{shown(source)}: {warning}")
    if target is not None:
        print_report(result.report, "en", options.json, whole=False)
    return OK


def _many(options: argparse.Namespace) -> int:
    """Each file in a child, which has a deadline in proportion to the file."""
    from aikz_label.batch.marking import mark_rows  # noqa: PLC0415
    from aikz_label.sandbox.nursery import Beside  # noqa: PLC0415

    order = _marking(options)
    nursery = Beside(forked=True)  # before there is a thread
    found = _Run(options)
    marked = mark_rows(
        found.pairs(),
        order,
        jobs=options.jobs,
        deadline=options.timeout,
        nursery=nursery,
        stopping=found.interruption,
    )
    with contextlib.closing(marked), found.interruption.watched():
        for one in marked:
            found.add(one)
    return found.finished()


def _marking(options: argparse.Namespace) -> Marking:
    from aikz_label.sandbox.marking import Marking  # noqa: PLC0415

    return Marking(label_of(options), settings(options), signer=options.signer, **how_of(options))


class _Run:
    """What a run has come to so far, and what people see of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._counts: Counter[str] = Counter()
        self._code = OK
        self._warned: set[str] = set()
        self._gathering = gathered(options, without=options.out_dir)
        self._gathering.failed = self._folder_failed
        self._progress = Progress("marked", countable(options), show=not options.no_progress)
        self.interruption = Interruption()

    def pairs(self) -> Iterator[tuple[str, Path]]:
        """Sources and targets."""
        for source in self._gathering:
            target = _target(source, self._options)
            assert target is not None
            yield source, target

    def add(self, one: Marked) -> None:
        """Print what became of a file."""
        from aikz_label.errors import Refused  # noqa: PLC0415
        from aikz_label.profile import load_profile  # noqa: PLC0415

        self._progress.clear()
        if one.error is not None:
            complain(one.error, one.source)
            refused = isinstance(one.error, Refused)
            self._counts["refused" if refused else "failed"] += 1
            self._code = max(self._code, NOT_LABELLED if refused else USAGE)
        for warning in one.warnings:
            if warning not in self._warned:  # most are the same for all
                self._warned.add(warning)
                say(f"{shown(one.source)}: {warning}")
        if one.row is not None:
            self._counts["written"] += 1
            report = one.row.report(load_profile(self._options.profile))
            print_report(report, "en", self._options.json, whole=False)
        self._progress.step(self._counts)

    def finished(self) -> int:
        """Print the table; returns the exit code."""
        self._progress.clear()
        notes = passed_over(self._gathering.skipped)
        if self.interruption.code:
            notes.append("go on with the same command: what is written already is not replaced")
        table(self._counts, ("written", "refused", "failed"), self._progress.took(), notes)
        return self.interruption.code or self._code

    def _folder_failed(self, path: str, error: OSError) -> None:
        self._progress.clear()
        complain(error, path)
        self._code = USAGE


def _target(source: str, options: argparse.Namespace) -> Path | None:
    """Where a labelled file goes; `None` is standard output.

    With a folder for the results, the tree of a source folder is repeated below it.
    """
    if options.output:
        return None if options.output == "-" else Path(options.output)
    path = Path(source)
    name = f"{path.stem}.labelled{path.suffix}"
    if options.out_dir is None:
        return path.parent / name
    folder: Path = options.out_dir
    for root in map(Path, options.paths):
        if root in path.parents and root.is_dir() and folder.is_dir():
            folder /= path.parent.relative_to(root)
            folder.mkdir(parents=True, exist_ok=True)
            break
    return folder / name
