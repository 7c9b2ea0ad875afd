"""PDF: one incremental update holds stamp, mirrors and marker; every byte of the original stays in its place."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.pdf import info, marker, signatures
from aikz_label.adapters.pdf.crypt import MODIFY
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.edit import Pages
from aikz_label.adapters.pdf.pages import OURS, Book
from aikz_label.adapters.pdf.update import Update
from aikz_label.carriers import pdf as carrier
from aikz_label.engine import Parent, Reading
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT, MIB, NO_LIMITS, Limits
from aikz_label.notice import wording
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice
from aikz_label.trust import TrustList
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.pdf.stamp import Plan
    from aikz_label.signing import SigningKey


class PdfAdapter:
    """Documents of pages."""

    notices = ("stamp",)

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """See `Adapter.examine`."""
        document = _document(source, row, limits)
        there = marker.is_there(document)
        if not there:
            _check_readable(document)  # a marker can be read without a password, and nothing else
        if thorough and not document.locked:
            Book(document, limits.max_parts)
        return Examined(info.mirrors(document, limits), has_marker=there)

    def read_marker(self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> Reading:
        """See `Adapter.read_marker`."""
        try:
            found = marker.attached(_document(source, row, DEFAULT))
        except MediaProblem:
            return Reading("failed")
        return carrier.read(source, found, trust)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`: an update behind the file."""
        document = _document(source, row, order.limits)
        _check_access(document, order)
        signed = signatures.find(document)
        _check_signatures(signed, order)
        book = Book(document, order.limits.max_parts)
        update = Update(document, book.beyond)
        marker.removed(update)
        pages = Pages(update, book)
        with _without_stamp(source, row, update, pages) as (shown, drawn):
            warnings = info.write(update, order.label)
            plan = None
            notice = Notice("none", profile=order.profile.id, reason=order.reason)
            if order.notice != "none":
                plan = _planned(shown, drawn, row, order, signed)
                plan.draw(update.add)
                _stamp(pages, plan)
                warnings += plan.warnings
                profile = order.profile.id
                notice = Notice(
                    "stamp", order.languages, wording.version(), profile, plan.placements
                )
        update.append(source, destination)
        return Rendered(notice, warnings, (book, plan))

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`: the finished file is taken apart anew."""
        before, plan = rendered.reference
        after = Book(_document(painted, row, NO_LIMITS), NO_LIMITS.max_parts)
        if after.pages != before.pages or not _same_contents(before, after):
            raise Refused(
                "Marking would change more of this document than its notice.",
                code="content-changed",
                hint="Nothing was written. Please report this with the file.",
            )
        if plan is None:
            return None
        from aikz_label.adapters.pdf import stamp  # noqa: PLC0415

        return stamp.check(painted, row.password, after, plan, order)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """See `Adapter.write_marker`: the update that `render` wrote is written again from its catalog on."""
        document = _document(source, row, NO_LIMITS)
        carrier.write(
            source,
            marker.kept(document),
            destination,
            lambda size: marker.lay(document, size),
            manifest,
            key,
            parent,
        )

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """See `Adapter.confirm`: up to the catalog the two are the same, and behind it only the marker was added."""
        before, after = (_document(stream, row, NO_LIMITS) for stream in (painted, signed))
        if not _same_start(painted, signed, marker.kept(before)) or not marker.only_added(
            before, after
        ):
            raise Refused(
                "Something besides the marker changed in this document.",
                code="content-changed",
                hint="Nothing was written. Please report this with the file.",
            )

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`."""
        from aikz_label.adapters.pdf import stamp  # noqa: PLC0415

        book = _readable(source, row, limits)
        return stamp.measure(source, row.password, book, notice, origin, profile, limits)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.pdf import stamp  # noqa: PLC0415

        book = _readable(source, row, limits)
        return stamp.search(source, row.password, book, profile, limits)


ADAPTER = PdfAdapter()


def _document(source: BinaryIO, row: Format, limits: Limits) -> Document:
    size = source.seek(0, io.SEEK_END)
    if size > limits.max_bytes:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=limits.max_bytes)
    return Document(source, row.password, parts=10 * limits.max_parts)


def _readable(source: BinaryIO, row: Format, limits: Limits) -> Book:
    """Pages that can be looked at."""
    document = _document(source, row, limits)
    _check_readable(document)
    book = Book(document, limits.max_parts)
    book.check_contents()
    return book


def _check_readable(document: Document) -> None:
    if document.locked or document.foreign:
        raise MediaProblem("password" if document.locked else "encryption")


def _check_access(document: Document, order: Order) -> None:
    """Whether the caller can and may change the document."""
    if document.foreign:
        raise MediaProblem("encryption")
    if document.locked:
        raise Refused(
            "This document is encrypted, and the password is missing or wrong.",
            code="password",
            hint="Use --password prompt, --password file:PATH or --password env:NAME.",
        )
    security = document.security
    if security is None or order.override_permissions:
        return
    if not security.allows(MODIFY):
        raise Refused(
            "The owner of this document does not allow it to be changed.",
            code="permission",
            hint="Give the owner's password, or --override-permissions if you have the owner's consent.",
        )


def _check_signatures(signed: signatures.Signatures, order: Order) -> None:
    if not signed.any:
        return
    if not order.allow_signed:
        raise Refused(
            "This document is signed, and a label added now would come after the signature: label before signing.",
            code="signed",
            hint="Or use --allow-signed, which adds annotations; viewers will say that something was added after signing.",
        )
    if signed.allows < 3:
        raise Refused(
            "The signature on this document forbids annotations, so a label would break it.",
            code="certified",
            hint="Label the unsigned document and sign that.",
        )


@contextmanager
def _without_stamp(
    source: BinaryIO, row: Format, update: Update, pages: Pages
) -> Iterator[tuple[Book, BinaryIO]]:
    """The pages as they are without a stamp of ours, and a file in which they can be looked at."""
    changed = [pages.clear(index) for index in range(len(pages.book.pages))]
    if not any(changed):
        yield pages.book, source
        return
    with tempfile.SpooledTemporaryFile(max_size=64 * MIB) as spooled:
        bare = cast("BinaryIO", spooled)
        update.append(source, bare)
        yield Book(_document(bare, row, NO_LIMITS), NO_LIMITS.max_parts), bare


def _planned(
    book: Book, source: BinaryIO, row: Format, order: Order, signed: signatures.Signatures
) -> Plan:
    """Where the stamp goes; in a signed document never into what a page draws."""
    from aikz_label.adapters.pdf import stamp  # noqa: PLC0415  # drawing costs a renderer

    book.check_contents()
    if signed.any:
        order = replace(order, stamp_as="annotation")
    return stamp.plan(book, source, row.password, order)


def _stamp(pages: Pages, plan: Plan) -> None:
    """Put the stamp on every page that the plan names: into what it draws, or as an annotation."""
    for index in plan.pages:
        pages.annotate(index, plan.annotations(index))
        if plan.content(index, OURS):
            drawn = plan.content(index, pages.name(index, plan.form(index)))
            pages.draw(index, plan.before(index), drawn)


def _same_contents(before: Book, after: Book) -> bool:
    """Whether every page still draws what it drew, from the same places of the file."""
    return all(
        one == other
        for index in range(len(before.pages))
        for one, other in [(before.own_streams(index), after.own_streams(index))]
    )


def _same_start(painted: BinaryIO, signed: BinaryIO, count: int) -> bool:
    painted.seek(0)
    signed.seek(0)
    while count > 0:
        one, other = painted.read(min(count, 1 << 20)), signed.read(min(count, 1 << 20))
        if one != other or not one:
            return False
        count -= len(one)
    return True
