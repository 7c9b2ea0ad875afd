"""The pipeline of `mark`, between two streams: every step adds something that is checked, or stops."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from aikz_label import checking, existing, formats, rules
from aikz_label.adapters import Adapter, MediaProblem, Order
from aikz_label.carriers import sidecar
from aikz_label.carriers.sidecar import NoCarrier, Sidecar
from aikz_label.engine import Parent
from aikz_label.errors import Refused, SigningError
from aikz_label.formats import Format
from aikz_label.joining import Believing
from aikz_label.limits import MIB, NO_LIMITS
from aikz_label.manifest import marker
from aikz_label.report import (
    MarkerState,
    Measurement,
    Notice,
    NoticeState,
    Report,
    Verdict,
    message,
)
from aikz_label.signing import SigningKey
from aikz_label.sources.text import Said
from aikz_label.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be marked, and how.

    Attributes:
        source: The file, seekable; only read.
        beside: Its sidecar, if it has one already.
        order: What to declare and to draw.
        key: Who signs.
        believing: Whom to believe in the final check.
        on_existing: `refuse`, `update` or `replace` a marker that is there.
        sidecar: `auto`, `always` or `never`.
        said: What the caller knows about the file.
    """

    source: BinaryIO
    beside: Sidecar | None
    order: Order
    key: SigningKey
    believing: Believing
    on_existing: str
    sidecar: str
    said: Said


@dataclass(frozen=True, slots=True)
class Done:
    """The report of the finished file, warnings, and its sidecar if the marker is in one."""

    report: Report
    warnings: tuple[str, ...]
    store: bytes | None


def mark_stream(job: Job, signed: BinaryIO) -> Done:
    """Label one file.

    Args:
        job: What to do.
        signed: Empty stream that reads, writes and seeks; left at its end.

    Raises:
        Refused: It cannot be done without damage or doubt; what is in `signed` is not to be used.
        SigningError: The engine does not accept the key.
    """
    source, order = job.source, job.order
    row = _supported(job)
    adapter = formats.load_adapter(row)
    with _refusing():
        before = existing.decide(job, row, adapter)
        order = replace(order, previous=before.placements)
        with _scratch(job, signed) as painted:
            rendered = adapter.render(source, painted, row, order)
            measured = adapter.check(painted, row, rendered, order)
            notice = _perceivable(rendered.notice, measured)
            if notice.kind == "spoken" and notice.recoding is None:
                notice = replace(notice, recoding=before.recoding)
            manifest = marker.definition(
                order.label,
                notice,
                row.family,
                with_parent=before.parent is not None,
                unprotected=adapter.examine(painted, row, NO_LIMITS, thorough=False).unprotected,
            )
            store = _sign(job, row, adapter, manifest, before.parent, painted, signed)
    beside = Sidecar(store) if store is not None else None
    report = checking.verify_stream(
        signed,
        job.believing,
        order.profile,
        order.limits,
        measure=False,
        beside=beside,
        password=job.said.password,
    )
    report = _with_stamp(report, job)
    _check_result(report, order, rendered.notice)
    warnings = rendered.warnings
    if report.marker.time_stamp is not None and report.marker.time_stamp.state == "untrusted":
        warnings += (
            "The authority for time-stamps is on no list here, so its time-stamp does not count on this machine.",
        )
    if report.marker_state is MarkerState.UNTRUSTED:
        warnings += (
            "The signer is on no trust list here, so this machine calls the file incomplete.",
        )
    signed.seek(0, io.SEEK_END)
    return Done(report, warnings, store)


@contextmanager
def _scratch(job: Job, signed: BinaryIO) -> Iterator[BinaryIO]:
    """Where the painted file waits for its marker: a large one not in memory, and one for a sidecar where it stays."""
    if job.sidecar == "always":
        yield signed
        return
    with cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=64 * MIB)) as painted:
        yield painted


def _sign(
    job: Job,
    row: Format,
    adapter: Adapter,
    manifest: dict[str, Any],
    parent: Parent | None,
    painted: BinaryIO,
    signed: BinaryIO,
) -> bytes | None:
    """Put the marker into the file, or return it as a sidecar when it has no place there or is not wanted there."""
    if job.sidecar != "always":
        try:
            adapter.write_marker(painted, signed, row, manifest, job.key, parent)
        except NoCarrier:
            if job.sidecar == "never":
                raise Refused(
                    f"{row.title} has no place for a marker: it needs a sidecar, a second file.",
                    code="needs-sidecar",
                    hint="Name a file as the destination; the sidecar is written beside it.",
                ) from None
        else:
            adapter.confirm(painted, signed, row)
            return None
    if painted is not signed:
        painted.seek(0)
        shutil.copyfileobj(painted, signed)
    return sidecar.sign(signed, manifest, job.key, parent)


def _supported(job: Job) -> Format:
    source = job.source
    row = formats.sniff(source)
    empty = not source.read(1)
    source.seek(0)
    if empty:
        raise Refused("The file is empty.", code="empty", hint="Check where it was copied or made.")
    if row is not None and row.name == "c2pa":
        raise Refused(
            "This is a sidecar: a marker, not a file to be marked.",
            code="sidecar-itself",
            hint="Mark the file it belongs to.",
        )
    if row is not None:
        row = formats.with_password(job.said.of(row), job.said.password)
    if job.sidecar == "always":
        row = formats.with_sidecar(row)
    if row is None:
        job.said.check_readable(job.source)
        raise Refused(
            "The format of this file is not known.", code="unknown-format", hint=_SIDECAR_HINT
        )
    if not row.supported:
        raise Refused(
            f"{row.title} is recognised, but this version cannot mark it.",
            code="unsupported-format",
            hint=_SIDECAR_HINT,
        )
    return row


_SIDECAR_HINT = (
    "Any file can be marked beside itself: --sidecar --notice none --notice-reason TEXT; "
    "`aikz-label formats` lists what takes a notice."
)


@contextmanager
def _refusing() -> Iterator[None]:
    """While marking, a problem with the content is a refusal."""
    try:
        yield
    except MediaProblem as problem:
        text = problem.message
        code = text.code.removeprefix("unreadable.")
        hint = _HINTS.get(code, "Check that the file opens in a viewer.")
        raise Refused(text.text("en"), code=code, hint=hint) from problem


_HINTS = {
    "over-limit": "Use a smaller file.",
    "password": "Use --password prompt, --password file:PATH or --password env:NAME.",
}


def _perceivable(notice: Notice, measured: Measurement | None) -> Notice:
    """The notice with the figures that go into the marker; one that fails its own profile is never signed."""
    if measured is None:
        return notice
    if measured.state is not NoticeState.PERCEIVABLE:
        reasons = " ".join(problem.text("en") for problem in measured.problems)
        how, hint = _HINDERED.get(notice.kind, ("drawn into", "Use a larger picture."))
        raise Refused(
            f"The notice {how} this file is not perceivable. {reasons}".strip(),
            code="not-perceptible",
            hint=hint,
        )
    return replace(notice, figures=measured.figures)


# What else a notice can be than drawn, and what to do when it fails.
_HINDERED = {
    "text": ("written into", "Look at the text as its readers see it."),
    "spoken": ("spoken in", "Convert the sound to more bits or a higher rate, or make it longer."),
}


def _with_stamp(report: Report, job: Job) -> Report:
    """The time-stamp that was ordered must be there and fit, or its absence must have been accepted, which is said."""
    authority, found = job.key.authority, report.marker.time_stamp
    if authority is None:
        return report
    if authority.problems:
        made = report.evidence.marker
        note = message("signer.no-stamp", why=authority.problems[-1])
        evidence = replace(report.evidence, marker=replace(made, notes=(*made.notes, note)))
        return rules.judge(evidence, job.order.profile)
    if found is None or found.state == "invalid":
        raise SigningError(
            f"The time-stamp from {authority.url} does not hold for this marker.",
            code="no-time-stamp",
            hint="Name another authority.",
        )
    return report


def _check_result(report: Report, order: Order, notice: Notice) -> None:
    """The finished file must say exactly what was ordered."""
    if report.reason.code == "unambiguous.contradiction":
        raise Refused(
            f"Metadata that stay in this file say something else than the label. {report.reason.text('en')}",
            code="contradiction",
            hint="Remove or correct that field with the program that wrote it, if it is wrong.",
        )
    intact = report.marker_state in {MarkerState.TRUSTED, MarkerState.UNTRUSTED}
    # read back, a label has no reservation of its own: that is an assertion beside it
    declared = replace(order.label, reserve_training=False)
    whole = (
        report.marker_state is MarkerState.UNTRUSTED
        or notice.kind == "none"
        or report.verdict is Verdict.LABELLED
    )
    if not (
        intact
        and report.declared == declared
        and report.marker.reserves_training == order.label.reserve_training
        and whole
    ):
        raise Refused(
            f"The finished file did not pass its own check ({report.reason.code}).",
            code="self-check",
            hint="Nothing was written. Please report this with the file.",
        )
