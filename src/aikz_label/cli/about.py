"""`aikz-label formats` and `aikz-label doctor`: what this installation can do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from aikz_label.cli.shared import NOT_LABELLED, OK, settings

if TYPE_CHECKING:
    from aikz_label.cli.shared import Commands


def add_about(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add both commands."""
    for name, run, text in (
        ("formats", _formats, "list the formats and what is written into each"),
        ("doctor", _doctor, "show what is installed and in use, and what is missing"),
    ):
        command = commands.add_parser(
            name, help=text, description=text, parents=[common], allow_abbrev=False
        )
        command.set_defaults(run=run)


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

    checks = list(doctor.examine(settings(options)))
    width = max(len(check.what) for check in checks) + 2
    for check in checks:
        print(f"{'ok     ' if check.good else 'missing'}  {check.what.ljust(width)}{check.answer}")
    return OK if all(check.good or not check.needed for check in checks) else NOT_LABELLED
