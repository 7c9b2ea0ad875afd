"""A file that is marked already, and what becomes of that marker when it is marked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aikz_label import checking, engine
from aikz_label.adapters import Adapter
from aikz_label.carriers import sidecar
from aikz_label.engine import Parent, Reading
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.manifest import marker
from aikz_label.report import Recoding
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.marking import Job


@dataclass(frozen=True, slots=True)
class Existing:
    """What a file carries before it is marked.

    Attributes:
        parent: The file itself, where its marker becomes that of the parent.
        placements: Where it carries a notice of ours.
        recoding: How its sound was coded anew for that notice; only a signer on a trust list is believed that.
    """

    parent: Parent | None = None
    placements: tuple[Mapping[str, Any], ...] = ()
    recoding: Recoding | None = None


def decide(job: Job, row: Format, adapter: Adapter) -> Existing:
    """Decide about a marker that is there already, in the file or beside it.

    Raises:
        Refused: The caller did not say what to do with it, or that cannot be done.
        MediaProblem: The file cannot be read.
    """
    source, on_existing = job.source, job.on_existing
    reading = job.believing.settle(adapter.read_marker(source, row, job.believing.trust))
    examined = adapter.examine(source, row, job.order.limits, thorough=True)
    outside, beside = _outside(job), False
    if reading.state in {"absent", "failed"} and not examined.has_marker:
        if outside is None:
            return Existing()
        reading, outside = outside, None
        beside = True
    if on_existing == "refuse":
        raise Refused(
            "The file has a sidecar already." if beside else "The file carries a marker already.",
            code="already-marked",
            hint="Use --on-existing update to keep it as the parent, or replace to drop it.",
        )
    if on_existing == "update" and outside is not None:
        raise Refused(
            "The file carries a marker and has a sidecar, and only one of them can be the parent.",
            code="existing-both",
            hint="Move the one that is not needed away, or use --on-existing replace to drop both.",
        )
    content = marker.Content(reading.manifest or {})
    # a signer whose certificate ended signed these bytes all the same; the report will say what that is worth
    signed = reading.state in {"trusted", "untrusted"} or reading.problem == "expired"
    if on_existing == "update" and not (signed and content.covers(examined.unprotected)):
        raise Refused(
            "The file carries a marker that does not hold, and updating would hide that.",
            code="existing-invalid",
            hint="Use --on-existing replace to drop it knowingly.",
        )
    mime = engine.ANY if reading.outside else row.mime
    parent = Parent(source, mime, marker.PARENT, reading) if on_existing == "update" else None
    believed = content.notice if reading.state == "trusted" else None
    recoding = believed.recoding if believed is not None else None
    return Existing(parent, _placements(job, row, adapter, content, reading), recoding)


def _placements(
    job: Job, row: Format, adapter: Adapter, content: marker.Content, reading: Reading
) -> tuple[Mapping[str, Any], ...]:
    """Where the input carries a notice of ours: by its own record, or by an earlier one if the notice is still there."""
    if content.notice is not None and content.notice.placements:
        return content.notice.placements
    for parent in reading.parents:
        earlier = marker.Content(parent)
        notice, label = earlier.notice, earlier.label
        if notice is None or label is None or not notice.placements:
            continue
        if notice.kind == "spoken":  # whoever takes it out listens first, to the sample
            return notice.placements
        profile, caps = job.order.profile, job.order.limits
        try:
            seen = adapter.measure(job.source, row, notice, label.origin, profile, caps)
        except checking.CANNOT_LOOK:
            return ()
        if dict(seen.figures).get("match", 0.0) >= profile.image.min_match:
            return notice.placements
    return ()


def _outside(job: Job) -> Reading | None:
    """What the sidecar of the source says; one that another file of the folder may own counts only if it fits."""
    beside = job.beside
    if beside is None:
        return None
    if beside.problem is not None:
        return Reading("invalid", "damaged")
    reading = job.believing.settle(sidecar.read(job.source, beside, job.believing.trust))
    return None if beside.shared and reading.problem == "altered" else reading
