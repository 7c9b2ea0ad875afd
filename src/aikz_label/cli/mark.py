"""`aikz-label mark`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label.cli.shared import (
    NOT_LABELLED,
    OK,
    USAGE,
    complain,
    listed,
    print_report,
    progress,
    say,
    settings,
    shown,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.cli.shared import Commands
    from aikz_label.label import Label


def add_mark(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
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
        "--when-too-small",
        choices=("refuse", "strip"),
        default="refuse",
        help="what to do where no badge fits; a strip makes the picture higher (default: refuse)",
    )
    command.add_argument(
        "--reserve-training",
        action="store_true",
        help="declare that it may not be used for training",
    )
    command.add_argument(
        "--signer", metavar="URI", default="", help="such as file:signer.pem, pkcs11:… or exec:…"
    )
    command.add_argument(
        "--on-existing",
        choices=("refuse", "update", "replace"),
        default="refuse",
        help="what to do with a file that is marked already (default: refuse)",
    )
    command.add_argument(
        "--sidecar",
        action="store_true",
        help="put the marker beside the file, into DST.c2pa; works with any file",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing destinations")
    command.add_argument("--json", action="store_true", help="one JSON report per line")
    command.set_defaults(run=_mark)


def _mark(options: argparse.Namespace) -> int:
    from aikz_label.api import mark, open_signer  # noqa: PLC0415
    from aikz_label.errors import LabelError, Refused, UsageError  # noqa: PLC0415

    if options.output and len(options.sources) > 1:
        raise UsageError(
            "-o names one destination, but there are several sources.", hint="Use --out-dir."
        )
    if options.output == "-" and options.json:
        raise UsageError("The file and the report cannot both go to standard output.")
    if options.output == "-" and options.sidecar:
        raise UsageError(
            "A file and its sidecar cannot both go to standard output.", hint="Add -o FILE."
        )
    if "-" in options.sources and not options.output:
        raise UsageError(
            "Standard input needs a destination.", hint="Add -o FILE, or -o - for standard output."
        )
    label, config = _label(options), settings(options)
    signer = open_signer(options.signer, config)  # once: it may ask for a password
    worst = OK
    for source in progress(options.sources, "marking"):
        target = _target(source, options)
        try:
            result = mark(
                stdin() if source == "-" else source,
                sys.stdout.buffer if target is None else target,
                label,
                languages=listed(options.lang),
                notice=options.notice,
                notice_reason=options.notice_reason,
                when_too_small=options.when_too_small,
                profile_name=options.profile,
                signer=signer,
                on_existing=options.on_existing,
                sidecar=_sidecar(options),
                overwrite=options.overwrite,
                config=config,
            )
        except Refused as refusal:
            complain(refusal, source)
            worst = max(worst, NOT_LABELLED)
            continue
        except (LabelError, OSError) as error:
            complain(error, source)
            worst = USAGE
            continue
        for warning in result.warnings:
            say(f"{shown(source)}: {warning}")
        if target is not None:
            print_report(result.report, "en", options.json, whole=False)
    return worst


def _sidecar(options: argparse.Namespace) -> str:
    if options.output == "-":
        return "never"
    return "always" if options.sidecar else "auto"


def _label(options: argparse.Namespace) -> Label:
    from aikz_label.errors import UsageError  # noqa: PLC0415
    from aikz_label.label import Label, System  # noqa: PLC0415

    imitates = listed(options.imitates)
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


def _target(source: str, options: argparse.Namespace) -> Path | None:
    """Where a labelled file goes; `None` is standard output."""
    if options.output:
        return None if options.output == "-" else Path(options.output)
    path = Path(source)
    return (options.out_dir or path.parent) / f"{path.stem}.labelled{path.suffix}"
