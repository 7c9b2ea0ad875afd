"""SVG: a notice of paths, metadata and marker written between what is there; every other byte stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.svg import edit
from aikz_label.adapters.svg.document import MAX_BYTES, NAMESPACE, Document
from aikz_label.adapters.svg.hazards import hazards
from aikz_label.adapters.svg.viewport import MEASURED, Viewport, is_empty, viewport
from aikz_label.carriers import native
from aikz_label.carriers.native import NativeCarrier
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.engine import Parent, Reading
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.metadata import xmp as packets
from aikz_label.notice import wording
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.trust import TrustList

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_WHY = {
    "animation": "an animation of the whole drawing could move or hide it",
    "refresh": "it puts another page in its own place after a while",
    "root": "the drawing as a whole is clipped, masked, faded, filtered or moved",
    "script": "a script could hide it",
    "stylesheet": "a style sheet from elsewhere, or one that redefines paths, could hide it",
    "type": "its document type gives elements attributes that could hide it",
}
_ROOM = (
    "The strip of an earlier notice was changed by somebody: it was taken out, but its room below the drawing stays, "
    "because something else may be drawn there by now."
)


class SvgAdapter(NativeCarrier):
    """Vector drawings."""

    notices = ("badge", "strip")

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:  # noqa: ARG002
        """See `Adapter.examine`."""
        document = _document(source, limits, thorough=thorough)
        packet = edit.packet(document)
        mirrors = packets.read(packet) if packet and len(packet) <= limits.max_xmp else ()
        view = viewport(document)
        figures = (("short_side_px", round(min(*view.size, MEASURED), 3)),) if view else ()
        return Examined(mirrors, bool(edit.manifests(document)), figures)

    def read_marker(self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> Reading:
        """See `Adapter.read_marker`; the engine gets no file without a marker, and no store whose lengths lie."""
        source.seek(0)
        data = source.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return Reading("failed")
        if b"manifest" not in data:
            return Reading("absent")
        stores = list(edit.stores(data))
        reading = native.read(source, row, trust, stores)
        if stores and reading.state in {"absent", "failed"}:  # a file that is no XML any more
            return Reading("invalid", "damaged", codes=reading.codes)
        return reading

    def render(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,  # noqa: ARG002
        order: Order,
    ) -> Rendered:
        """See `Adapter.render`."""
        from aikz_label.adapters.svg import group, growth, notice  # noqa: PLC0415  # the badge's sizes cost Pillow

        document = _document(source, order.limits, thorough=True).opened()
        _check_namespace(document)
        old = notice.find(document)
        if old is not None and old.genuine and old.spec is not None and old.spec.band:
            room = growth.shrunk(document, old.spec)
            document = document.rewritten([*room, *edit.without_notice(document)])
        edits, warnings = edit.metadata(document, order.label)
        if old is not None and not old.genuine and old.spec is not None and old.spec.band:
            warnings += (_ROOM,)
        edits += edit.without_notice(document)
        if order.notice == "none":
            destination.write(document.edited(edits))
            none = Notice("none", profile=order.profile.id, reason=order.reason)
            return Rendered(none, warnings, None)
        view = _viewport(document)
        _check_hazards(document)
        banded = old is not None and old.spec is not None and bool(old.spec.band)
        spec = notice.plan(view, order, banded=banded)
        edits += edit.notice(document, group.text(spec), spec)
        if spec.band:
            more, view = growth.grown(document, view, spec.size[1] * spec.down)
            edits += more
        destination.write(document.edited(edits))
        record = Notice(
            "strip" if spec.band else "badge",
            order.languages,
            wording.version(),
            order.profile.id,
            (notice.record(spec, view),),
        )
        return Rendered(record, warnings, (edit.skeleton(document), view))

    def check(
        self,
        painted: BinaryIO,
        row: Format,  # noqa: ARG002
        rendered: Rendered,
        order: Order,
    ) -> Measurement | None:
        """See `Adapter.check`: the finished file is taken apart anew."""
        if rendered.reference is None:
            return None
        from aikz_label.adapters.svg import notice  # noqa: PLC0415

        document = _document(painted, order.limits, thorough=True)
        skeleton, wanted = rendered.reference
        view = viewport(document)
        if edit.skeleton(document) != skeleton or view is None or not view.near(wanted):
            raise Refused(
                "Marking would change more of this drawing than its notice.",
                code="content-changed",
                hint="Nothing was written. Re-save the drawing with another program and try again.",
            )
        return notice.measure(document, order.profile)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """See `Adapter.write_marker`; what the engine cannot write into without a change gets a sidecar."""
        source.seek(0)
        document = Document.parse(source.read(), thorough=False)
        if document.mark or document.encoding.startswith("utf-16"):
            raise NoCarrier
        try:
            super().write_marker(source, destination, row, manifest, key, parent)
        except Refused as refusal:
            raise NoCarrier from refusal
        if not _same_but_marker(source, destination):
            raise NoCarrier

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:  # noqa: ARG002
        """See `Adapter.confirm`: without the marker the two are the same."""
        if not _same_but_marker(painted, signed):
            raise Refused(
                "The C2PA engine changed more of this file than the marker.",
                code="content-changed",
                hint="Nothing was written. Use --sidecar.",
            )

    def measure(
        self,
        source: BinaryIO,
        row: Format,  # noqa: ARG002
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`."""
        from aikz_label.adapters.svg import notice as notices  # noqa: PLC0415

        document = _document(source, limits, thorough=True)
        found, view = notices.find(document), viewport(document)
        measured = notices.measure(document, profile)
        if found is None or found.spec is None or view is None:
            return measured
        recorded = notice.placements[0] if notice.placements else {}
        same = (
            notices.fits(recorded, found.spec, view)
            and (found.spec.origin, found.spec.languages) == (origin, notice.languages)
            and notice.wording == wording.version()
        )
        return measured if same else Measurement(NoticeState.UNKNOWN)

    def search(
        self,
        source: BinaryIO,
        row: Format,  # noqa: ARG002
        profile: Profile,
        limits: Limits,
    ) -> Found | None:
        """See `Searching.search`: only a notice of this version's own drawing is found."""
        from aikz_label.adapters.svg import notice  # noqa: PLC0415

        document = _document(source, limits, thorough=True)
        found = notice.find(document)
        if found is None:
            return None
        return Found(notice.measure(document, profile), found.spec.origin if found.spec else None)


ADAPTER = SvgAdapter()


def _document(source: BinaryIO, limits: Limits, *, thorough: bool) -> Document:
    size = source.seek(0, 2)
    if size > limits.max_bytes:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=limits.max_bytes)
    source.seek(0)
    return Document.parse(source.read(MAX_BYTES + 1), thorough=thorough)


def _check_namespace(document: Document) -> None:
    if document.namespaces().get(document.root.prefix) != NAMESPACE:
        raise Refused(
            "The root of this file is not in the namespace of SVG: no browser shows it.",
            code="unsupported-variant",
            hint=f'Add xmlns="{NAMESPACE}" to it.',
        )


def _viewport(document: Document) -> Viewport:
    if is_empty(document):
        raise Refused(
            "This drawing is no px wide or high: nothing of it is shown, and no notice would be.",
            code="not-perceptible",
            hint="Give it a width and a height.",
        )
    view = viewport(document)
    if view is None:
        raise Refused(
            "This drawing is cut to whatever shape it is shown in, and a notice could be cut off with the rest.",
            code="unsupported-variant",
            hint="Give it a width and a height, or take `slice` out of its preserveAspectRatio.",
        )
    return view


def _check_hazards(document: Document) -> None:
    found = next(hazards(document, edit.ID), None)
    if found is not None:
        raise Refused(
            f"The notice would not be safe in this drawing: {_WHY[found]}.",
            code="active-content",
            hint="Take that out of the file; or --notice none with the reason why people are told elsewhere.",
        )


def _same_but_marker(painted: BinaryIO, signed: BinaryIO) -> bool:
    texts = []
    for stream in (painted, signed):
        stream.seek(0)
        texts.append(Document.parse(stream.read(), thorough=False))
    before, after = texts
    if (before.encoding, before.mark) != (after.encoding, after.mark):
        return False
    return bool(edit.manifests(after)) and (
        edit.without_marker(before.text, after.text) == before.text
    )
