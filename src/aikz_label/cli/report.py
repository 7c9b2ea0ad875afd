"""`aikz-label report`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from aikz_label.cli.shared import OK, say, shown

if TYPE_CHECKING:
    from aikz_label.batch import Row
    from aikz_label.batch.recorded import Recorded
    from aikz_label.profile import Profile
    from aikz_label.report import Report

_FORMS = ("summary", "csv", "parquet", "html", "sarif")


def add_report(command: argparse.ArgumentParser) -> None:
    """Add its options."""
    command.add_argument(
        "journal", type=Path, metavar="JOURNAL", help="what verify --journal wrote"
    )
    command.add_argument(
        "--to", choices=_FORMS, default="summary", help="the form (default: summary)"
    )
    command.add_argument(
        "-o",
        dest="output",
        type=Path,
        metavar="FILE",
        help="where to write it (default: standard output)",
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing FILE")
    command.add_argument(
        "--lang",
        choices=("kk", "ru", "en"),
        default="en",
        help="language (default: en); a page has all three",
    )
    command.add_argument(
        "--limit",
        type=int,
        default=2000,
        metavar="N",
        help="files on a page, the worst first (default: 2000)",
    )
    command.add_argument(
        "--thumbnails",
        action="store_true",
        help="small pictures on a page, from the files where they are now",
    )
    command.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from aikz_label.batch.recorded import Recorded  # noqa: PLC0415
    from aikz_label.errors import UsageError  # noqa: PLC0415
    from aikz_label.profile import load_profile  # noqa: PLC0415

    if options.to == "parquet" and options.output is None:
        raise UsageError("Parquet is not for a terminal.", hint="Add -o FILE.")
    recorded = Recorded.open(options.journal)
    numbers = load_profile(recorded.header["options"]["profile"])
    if options.to == "parquet":
        _parquet(options, recorded, numbers)
    else:
        with _output(options) as stream:
            _WRITERS[options.to](options, recorded, numbers, stream)
    if recorded.damage.count:
        lines = ", ".join(map(str, recorded.damage.lines))
        say(
            f"{shown(str(options.journal))}: {recorded.damage.count} damaged lines passed over: {lines}"
        )
    return OK


@contextlib.contextmanager
def _output(options: argparse.Namespace) -> Iterator[TextIO]:
    """Standard output, or a file that is whole or absent."""
    import io  # noqa: PLC0415

    from aikz_label.files.output import atomic_output  # noqa: PLC0415

    if options.output is None:
        yield sys.stdout
        return
    with atomic_output(options.output, overwrite=options.overwrite) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        yield stream
        stream.flush()
        stream.detach()


def _judged(recorded: Recorded, numbers: Profile) -> Iterator[tuple[Row, Report]]:
    return ((row, row.report(numbers)) for row in recorded.rows())


def _records(recorded: Recorded, numbers: Profile) -> Iterator[dict[str, Any]]:
    from aikz_label.report.columns import record  # noqa: PLC0415

    return (record(row, report) for row, report in _judged(recorded, numbers))


def _summary(options: argparse.Namespace, recorded: Recorded, _: Profile, stream: TextIO) -> None:
    from aikz_label.exports.summary import summary  # noqa: PLC0415

    print(summary(recorded.rows(), options.lang), file=stream)


def _csv(_: argparse.Namespace, recorded: Recorded, numbers: Profile, stream: TextIO) -> None:
    from aikz_label.exports.tables import write_csv  # noqa: PLC0415

    write_csv(_records(recorded, numbers), stream)


def _sarif(
    options: argparse.Namespace, recorded: Recorded, numbers: Profile, stream: TextIO
) -> None:
    from aikz_label.exports.sarif import write_sarif  # noqa: PLC0415

    write_sarif(_judged(recorded, numbers), stream, options.lang)


def _html(
    options: argparse.Namespace, recorded: Recorded, numbers: Profile, stream: TextIO
) -> None:
    from aikz_label.batch.sketching import sketches  # noqa: PLC0415
    from aikz_label.exports.page import Page  # noqa: PLC0415

    page = Page(recorded.header, numbers, options.lang, options.limit)
    for row in recorded.rows():
        page.add(row)
    if options.thumbnails:
        page.pictures.update(sketches(row.uri for row in page.listed))
    page.write(stream, recorded.damage.count)


_WRITERS = {"summary": _summary, "csv": _csv, "sarif": _sarif, "html": _html}


def _parquet(options: argparse.Namespace, recorded: Recorded, numbers: Profile) -> None:
    from aikz_label.exports.tables import write_parquet  # noqa: PLC0415
    from aikz_label.files.output import atomic_output  # noqa: PLC0415

    with atomic_output(options.output, overwrite=options.overwrite) as raw:
        write_parquet(_records(recorded, numbers), raw)
