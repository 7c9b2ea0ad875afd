"""`aikz-label formats` and `aikz-label doctor`: what this installation can do."""

from __future__ import annotations

import argparse
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from aikz_label.cli.shared import NOT_LABELLED, OK, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTHS = (18, 18, 20, 18)  # of the columns of `formats`: with two spaces between them, 80


def add_formats(command: argparse.ArgumentParser) -> None:
    """Say what it does."""
    command.set_defaults(run=_formats)


def add_doctor(command: argparse.ArgumentParser) -> None:
    """Say what it does."""
    command.set_defaults(run=_doctor)


def _formats(_: argparse.Namespace) -> int:
    from aikz_label.formats import FORMATS  # noqa: PLC0415

    print("\n".join(_line("FORMAT", "MARKER", "NOTICE", "MIRROR")))
    family = ""
    for row in FORMATS.values():
        if row.name == "c2pa":  # a marker is not marked
            continue
        if row.family != family:
            family = row.family
            print(f"\n{family}")
        title = f"{row.title} [{row.extra}]" if row.extra else row.title
        known = row if row.supported else FORMATS["other"]
        print("\n".join(_line(f"  {title}", known.marker, known.notice, known.mirror)))
    print("\n[extra]: pip install 'aikz-label[extra]'")
    return OK


def _line(*cells: str, widths: tuple[int, ...] = _WIDTHS) -> Iterator[str]:
    """One row, its cells wrapped below each other, no wider than a terminal of 80 columns; a long path stays whole."""
    columns = [
        textwrap.wrap(
            cell,
            width,
            subsequent_indent="  " if cell.startswith("  ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for cell, width in zip(cells, widths, strict=True)
    ]
    for parts in zip_longest(*columns, fillvalue=""):
        padded = (part.ljust(width) for part, width in zip(parts, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _doctor(options: argparse.Namespace) -> int:
    from aikz_label import doctor  # noqa: PLC0415

    checks = list(doctor.examine(settings(options)))
    for check in checks:
        state = "ok" if check.good else "missing"
        print("\n".join(_line(state, check.what, check.answer, widths=(7, 30, 39))))
    return OK if all(check.good or not check.needed for check in checks) else NOT_LABELLED
