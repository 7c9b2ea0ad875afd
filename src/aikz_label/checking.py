"""The pipeline of `verify`, over one stream: read the marker, look at the container, measure if needed, judge."""

from __future__ import annotations

import io
from typing import BinaryIO

from aikz_label import formats, rules
from aikz_label.adapters import Adapter, Examined, MediaProblem, Searching
from aikz_label.carriers import sidecar
from aikz_label.carriers.sidecar import Sidecar
from aikz_label.engine import Reading
from aikz_label.errors import MissingDependency, Refused
from aikz_label.formats import Format
from aikz_label.joining import Believing, to_marker
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import (
    Evidence,
    Found,
    Marker,
    MarkerState,
    Measurement,
    Message,
    NoticeState,
    Report,
    message,
)
from aikz_label.values import replace

# The content cannot be looked at: a decoder fails or is not installed, or the numbers of a record make no sense.
CANNOT_LOOK = (
    MediaProblem,
    Refused,
    MissingDependency,
    MemoryError,
    ValueError,
    ArithmeticError,
)


def verify_stream(
    stream: BinaryIO,
    believing: Believing,
    numbers: Profile,
    caps: Limits,
    *,
    measure: bool,
    beside: Sidecar | None = None,
    password: str = "",
) -> Report:
    """Check one file.

    Args:
        stream: The file, seekable.
        believing: Whom to believe, and as of when.
        numbers: Profile whose numbers the notice must reach.
        caps: Limits while reading.
        measure: Measure the notice even when a trusted signer attests it.
        beside: Its sidecar, if there is one.
        password: Of an encrypted document.
    """
    stream = _at_once(stream)
    row = formats.with_password(formats.sniff(stream), password)
    if beside is not None:
        row = formats.with_sidecar(row)
    if row is None or not row.supported:
        return rules.judge(
            Evidence(row.name if row else "", problem=_no_adapter(stream, row)), numbers
        )
    adapter = formats.load_adapter(row)
    reading = believing.settle(adapter.read_marker(stream, row, believing.trust))
    outside = _beside(stream, beside, believing)
    examined, problem = Examined(), None
    try:
        # an intact marker is bound to every byte: no need to look
        whole = any(r and r.state in {"trusted", "untrusted"} for r in (reading, outside))
        examined = adapter.examine(stream, row, caps, thorough=not whole)
    except MediaProblem as error:
        problem = error.message
    found = to_marker(reading, examined, believing, looked=problem is None)
    if examined.locked and outside is None and beside is None and _silent(found, examined):
        problem = message("unreadable.encrypted")
    second = None
    if beside is not None and beside.problem is not None:
        problem = beside.problem
    elif outside is not None:
        other = to_marker(outside, examined, believing, looked=problem is None, carrier="sidecar")
        found, second = _ranked(found, other, shared=beside is not None and beside.shared)
    evidence = Evidence(
        format=row.name,
        marker=found,
        second=second,
        mirrors=examined.mirrors,
        problem=problem,
        decoded=examined.decoded,
    )
    if not row.notice_applies and found.notice is not None and found.notice.kind == "none":
        evidence = replace(evidence, measurement=Measurement(NoticeState.NOT_APPLICABLE))
    elif problem is None and _must_measure(found, adapter, measure=measure):
        evidence = _with_measurement(evidence, adapter, stream, row, numbers, caps)
    if measure and isinstance(adapter, Searching) and _must_search(evidence):
        evidence = _with_search(evidence, adapter, stream, row, numbers, caps)
    return rules.judge(evidence, numbers)


def _silent(found: Marker, examined: Examined) -> bool:
    """Nothing in the file says anything of AI."""
    return found.state is MarkerState.ABSENT and not any(m.origin for m in examined.mirrors)


def _at_once(stream: BinaryIO) -> BinaryIO:
    """A small file as its bytes: read in one piece, and the same for everybody who looks at it."""
    if isinstance(stream, io.BufferedReader) and stream.seek(0, io.SEEK_END) <= _SMALL:
        stream.seek(0)
        return io.BytesIO(stream.read())
    return stream


_SMALL = 1 << 20  # of a larger one that holds no marker, little is read


def _beside(stream: BinaryIO, beside: Sidecar | None, believing: Believing) -> Reading | None:
    if beside is None or beside.problem is not None:
        return None
    return believing.settle(sidecar.read(stream, beside, believing.trust))


def _ranked(inside: Marker, outside: Marker, *, shared: bool) -> tuple[Marker, Marker | None]:
    """Which of two markers speaks for the file, and the other one.

    One that fails is never passed over, nor one that declares something in favour of one that is silent.
    """
    if inside.state is MarkerState.ABSENT:
        return outside, None
    if shared and inside.intact and outside.problem == "sidecar-other":
        return inside, None  # under that name it is another file's
    first, second = sorted((inside, outside), key=_rank)
    return first, second


def _rank(found: Marker) -> tuple[bool, bool, bool, bool]:
    return (
        found.state is not MarkerState.INVALID,
        not found.malformed,
        found.label is None,
        found.state is not MarkerState.TRUSTED,
    )


def _no_adapter(stream: BinaryIO, row: Format | None) -> Message:
    if row is not None and row.name == "c2pa":
        return message("unreadable.sidecar-itself")
    if row is not None:
        return message("unreadable.unsupported-format", format=row.title)
    stream.seek(0)
    return message("unreadable.unknown-format" if stream.read(1) else "unreadable.empty")


def _must_measure(found: Marker, adapter: Adapter, *, measure: bool) -> bool:
    """A trusted signer of exactly these bytes measured them; everybody else is measured here.

    A record that does not say what was placed, where and in which language attests nothing.
    """
    record = found.notice
    if not found.intact or record is None or record.kind == "none":
        return False
    attested = (
        found.state is MarkerState.TRUSTED
        and record.kind in adapter.notices
        and bool(record.placements and record.languages and record.wording and record.figures)
    )
    return measure or not attested


def _with_measurement(
    evidence: Evidence,
    adapter: Adapter,
    stream: BinaryIO,
    row: Format,
    numbers: Profile,
    caps: Limits,
) -> Evidence:
    notice, label = evidence.marker.notice, evidence.marker.label
    assert notice is not None
    if label is None:
        return evidence
    try:
        measured = adapter.measure(stream, row, notice, label.origin, numbers, caps)
    except CANNOT_LOOK:
        # the marker still holds: only the notice stays unknown
        measured = Measurement(NoticeState.UNKNOWN)
    return replace(evidence, measurement=measured, decoded=True)


def _must_search(evidence: Evidence) -> bool:
    """Where no record can be used; one that says there is no notice is used, and a marker that fails settles all."""
    marker, measured = evidence.marker, evidence.measurement
    if evidence.problem is not None or marker.state is MarkerState.INVALID:
        return False
    if marker.notice is None:
        return True
    return measured is not None and measured.state is NoticeState.UNKNOWN


def _with_search(
    evidence: Evidence,
    adapter: Searching,
    stream: BinaryIO,
    row: Format,
    numbers: Profile,
    caps: Limits,
) -> Evidence:
    try:
        found = adapter.search(stream, row, numbers, caps)
    except CANNOT_LOOK:
        found = Found(Measurement(NoticeState.UNKNOWN))
    if found is None:
        return replace(evidence, searched=True, decoded=True)
    return replace(
        evidence, searched=True, found=found, measurement=found.measurement, decoded=True
    )
