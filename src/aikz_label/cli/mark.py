"""`aikz-label mark`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    add_password,
    complain,
    listed,
    password,
    print_report,
    say,
    settings,
    shown,
    stdin,
)

if TYPE_CHECKING:
    from aikz_label.batch.marking import Marked
    from aikz_label.label import Label
    from aikz_label.sandbox.marking import Marking


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

    source, label, config = options.paths[0], _label(options), settings(options)
    signer, target = open_signer(options.signer, config), _target(source, options)
    how = _how(options)
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
    run = _Run(options)
    marked = mark_rows(
        run.pairs(),
        order,
        jobs=options.jobs,
        deadline=options.timeout,
        nursery=nursery,
        stopping=run.interruption,
    )
    with contextlib.closing(marked), run.interruption.watched():
        for one in marked:
            run.add(one)
    return run.finished()


def _marking(options: argparse.Namespace) -> Marking:
    from aikz_label.sandbox.marking import Marking  # noqa: PLC0415

    return Marking(_label(options), settings(options), signer=options.signer, **_how(options))


def _how(options: argparse.Namespace) -> dict[str, Any]:
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
