"""`aikz-label mark`: its options, and what they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aikz_label.cli.running import options_for_many
from aikz_label.cli.shared import add_password, listed, password

if TYPE_CHECKING:
    from aikz_label.label import Label


def add_mark(command: argparse.ArgumentParser) -> None:
    """Add its options."""
    command.add_argument(
        "paths",
        nargs="*",
        metavar="SRC",
        help="file or folder to label, or a pattern; a single - is standard input",
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
        "--profile", default="kz", help="numbers the notice must reach: kz or strict (default: kz)"
    )
    command.add_argument(
        "--notice",
        choices=("auto", "data", "none"),
        default="auto",
        help="data: among the data of a table or JSON; none: with a reason (default: auto)",
    )
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
        "--pages",
        choices=("all", "first"),
        default="all",
        help="which pages of a PDF get the stamp (default: all)",
    )
    command.add_argument(
        "--stamp-as",
        choices=("content", "annotation"),
        default="content",
        help="how a page of a PDF carries it; viewers can hide annotations (default: content)",
    )
    command.add_argument(
        "--video-mode",
        choices=("full", "smart"),
        default="full",
        help="smart: only the promised seconds of a film are coded anew (default: full)",
    )
    command.add_argument(
        "--allow-reencode",
        action="store_true",
        help="decode and code again sound that takes no notice else, such as HE-AAC and Vorbis",
    )
    command.add_argument(
        "--no-spoken",
        action="store_true",
        help="do not speak the notice over the start of a film whose label declares an imitated voice",
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
        "--tsa",
        metavar="URL",
        default="",
        help="ask this authority for a time-stamp, over the network; none overrides the configuration",
    )
    command.add_argument(
        "--tsa-failure",
        choices=("fail", "without"),
        default="",
        help="what to do when there is no time-stamp to be had (default: fail)",
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
    command.add_argument(
        "--as",
        dest="as_format",
        metavar="KIND",
        default="",
        help="what kind of text it is, such as python or csv; name: what its name says",
    )
    command.add_argument(
        "--allow-normalise",
        action="store_true",
        help="convert a text to composed UTF-8, without which it cannot carry its marker",
    )
    command.add_argument(
        "--encoding", metavar="NAME", default="", help="with it: the text's code page"
    )
    add_password(command)
    command.add_argument(
        "--allow-signed",
        action="store_true",
        help="label a signed PDF, by annotations that leave the signed bytes as they are",
    )
    command.add_argument(
        "--override-permissions",
        action="store_true",
        help="label an encrypted PDF although its owner does not allow changes",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing destinations")
    command.add_argument("--json", action="store_true", help="one JSON report per line")
    options_for_many(command)
    command.set_defaults(run=_mark)


def _mark(options: argparse.Namespace) -> int:
    from aikz_label.cli import marking  # noqa: PLC0415  # `--help` does nothing

    return marking.run(options)


def how_of(options: argparse.Namespace) -> dict[str, Any]:
    """Options of `mark`, whether for one file or for many."""
    return {
        "languages": listed(options.lang),
        "notice": options.notice,
        "notice_reason": options.notice_reason,
        "when_too_small": options.when_too_small,
        "pages": options.pages,
        "stamp_as": options.stamp_as,
        "profile_name": options.profile,
        "on_existing": options.on_existing,
        "sidecar": _sidecar(options),
        "tsa": options.tsa,
        "tsa_failure": options.tsa_failure,
        "overwrite": options.overwrite,
        "as_format": options.as_format,
        "allow_normalise": _normalise(options),
        "password": password(options),
        "allow_signed": options.allow_signed,
        "override_permissions": options.override_permissions,
        "video_mode": options.video_mode,
        "allow_reencode": options.allow_reencode,
        "spoken": not options.no_spoken,
    }


def _normalise(options: argparse.Namespace) -> bool | str:
    if options.encoding and not options.allow_normalise:
        from aikz_label.errors import UsageError  # noqa: PLC0415

        raise UsageError(
            "A text is only converted when that is allowed.", hint="Add --allow-normalise."
        )
    return str(options.encoding) or bool(options.allow_normalise)


def _sidecar(options: argparse.Namespace) -> str:
    if options.output == "-":
        return "never"
    return "always" if options.sidecar else "auto"


def label_of(options: argparse.Namespace) -> Label:
    """What the options declare.

    Raises:
        UsageError: They contradict each other.
        InvalidLabel: It cannot be declared.
    """
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
