"""`aikz-label verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.shared import (
    NOT_LABELLED,
    OK,
    USAGE,
    complain,
    print_report,
    progress,
    settings,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.cli.shared import Commands


def add_verify(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
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
    command.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from aikz_label import verify  # noqa: PLC0415
    from aikz_label.errors import SourceError, UsageError  # noqa: PLC0415
    from aikz_label.trust import load_trust_list  # noqa: PLC0415

    if options.sidecar and len(options.paths) > 1:
        raise UsageError(
            "--sidecar is one file's marker, but there are several files.",
            hint="A sidecar beside its file, as NAME.EXT.c2pa, is found by itself.",
        )
    config = settings(options)
    trust = [load_trust_list(path) for path in options.trust] if options.trust else config.trust
    worst = OK
    for path in progress(options.paths, "verifying"):
        try:
            report = verify(
                stdin() if path == "-" else path,
                trust=trust,
                sidecar=options.sidecar,
                measure=options.measure,
                config=config,
            ).at(path)
        except (SourceError, OSError) as error:
            complain(error, path)
            worst = USAGE
            continue
        if report.verdict != "labelled":
            worst = max(worst, NOT_LABELLED)
        print_report(report, options.lang, options.json, whole=len(options.paths) == 1)
    return worst
