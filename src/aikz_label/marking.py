"""The pipeline of `mark`, between two streams: every step adds something that is checked, or stops."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from aikz_label import checking, formats, marker
from aikz_label.adapters import Adapter, MediaProblem, Order
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.limits import NO_LIMITS
from aikz_label.report import MarkerState, Measurement, Notice, NoticeState, Report, Verdict
from aikz_label.signing import SigningKey
from aikz_label.trust import TrustList


def mark_stream(
    source: BinaryIO,
    signed: BinaryIO,
    order: Order,
    key: SigningKey,
    on_existing: str,
    trust: tuple[TrustList, ...],
) -> tuple[Report, tuple[str, ...]]:
    """Label one file.

    Args:
        source: The file, seekable; only read.
        signed: Empty stream that reads, writes and seeks; left at its end.
        order: What to declare and to draw.
        key: Who signs.
        on_existing: `refuse`, `update` or `replace` a marker that is there.
        trust: Lists to believe in the final check.

    Returns:
        The report of the finished file, and warnings.

    Raises:
        Refused: It cannot be done without damage or doubt; what is in `signed` is not to be used.
        SigningError: The engine does not accept the key.
    """
    row = _supported(source)
    adapter = formats.load_adapter(row)
    with _refusing():
        parent, previous = _existing(source, row, adapter, on_existing, trust, order)
        order = replace(order, previous=previous)
        painted = io.BytesIO()
        rendered = adapter.render(source, painted, row, order)
        measured = adapter.check(painted, row, rendered, order)
        notice = _perceivable(rendered.notice, measured)
        manifest = marker.definition(
            order.label,
            notice,
            row.family,
            with_parent=parent is not None,
            unprotected=adapter.examine(painted, row, NO_LIMITS, thorough=False).unprotected,
        )
        adapter.write_marker(painted, signed, row, manifest, key, parent)
        adapter.confirm(painted, signed, row)
    report = checking.verify_stream(signed, trust, order.profile, order.limits, measure=False)
    _check_result(report, order)
    warnings = rendered.warnings
    if report.marker_state is MarkerState.UNTRUSTED:
        warnings += (
            "The signer is on no trust list here, so this machine calls the file incomplete.",
        )
    signed.seek(0, io.SEEK_END)
    return report, warnings


def _supported(source: BinaryIO) -> Format:
    row = formats.sniff(source)
    if row is None:
        empty = not source.read(1)
        source.seek(0)
        raise Refused(
            "The file is empty." if empty else "The format of this file is not known.",
            code="empty" if empty else "unknown-format",
            hint="See `aikz-label formats` for what can be marked.",
        )
    if not row.supported:
        raise Refused(
            f"{row.title} is recognised, but this version cannot mark it.",
            code="unsupported-format",
            hint="See `aikz-label formats` for what can be marked.",
        )
    return row


@contextmanager
def _refusing() -> Iterator[None]:
    """While marking, a problem with the content is a refusal."""
    try:
        yield
    except MediaProblem as problem:
        text = problem.message
        raise Refused(
            text.text("en"),
            code=text.code.removeprefix("unreadable."),
            hint="Use a smaller file."
            if text.code == "unreadable.over-limit"
            else "Check that the file opens in a viewer.",
        ) from problem


def _existing(
    source: BinaryIO,
    row: Format,
    adapter: Adapter,
    on_existing: str,
    trust: tuple[TrustList, ...],
    order: Order,
) -> tuple[BinaryIO | None, tuple[Mapping[str, Any], ...]]:
    """Decide about a marker that is there already.

    Returns:
        The input if it becomes the parent, and where it carries a notice already.
    """
    reading = adapter.read_marker(source, row, trust)
    examined = adapter.examine(source, row, order.limits, thorough=True)
    if reading.state in {"absent", "failed"} and not examined.has_marker:
        return None, ()
    if on_existing == "refuse":
        raise Refused(
            "The file carries a marker already.",
            code="already-marked",
            hint="Use --on-existing update to keep it as the parent, or replace to drop it.",
        )
    content = marker.Content(reading.manifest or {})
    intact = reading.state in {"trusted", "untrusted"} and content.covers(examined.unprotected)
    if on_existing == "update" and not intact:
        raise Refused(
            "The file carries a marker that does not hold, and updating would hide that.",
            code="existing-invalid",
            hint="Use --on-existing replace to drop it knowingly.",
        )
    record = content.notice
    return source if on_existing == "update" else None, record.placements if record else ()


def _perceivable(notice: Notice, measured: Measurement | None) -> Notice:
    """The notice with the figures that go into the marker; one that fails its own profile is never signed."""
    if measured is None:
        return notice
    if measured.state is not NoticeState.PERCEIVABLE:
        reasons = " ".join(problem.text("en") for problem in measured.problems)
        raise Refused(
            f"The notice drawn into this file is not perceivable. {reasons}".strip(),
            code="not-perceptible",
            hint="Use a larger picture.",
        )
    return replace(notice, figures=measured.figures)


def _check_result(report: Report, order: Order) -> None:
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
        or order.notice == "none"
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
