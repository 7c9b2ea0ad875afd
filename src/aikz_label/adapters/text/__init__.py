"""Text of every kind: prose, Markdown, HTML, source code, configuration, tables and subtitles.

A marker stands in the text where C2PA has a place for it (A.7, A.8, A.9), else beside it. Which kind of text it is decides
what is written; whatever kind a text turns out to be, markers of all three carriers are found.
"""

from __future__ import annotations

import io
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.text.decoded import Decoded, Insertion, decode
from aikz_label.adapters.text.document import Document, no_place
from aikz_label.adapters.text.places import bare, find
from aikz_label.carriers import embedded
from aikz_label.errors import Refused
from aikz_label.formats import FORMATS, Format
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT, NO_LIMITS, Limits
from aikz_label.notice import wording
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.trust import TrustList
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_DESIGN = "text/1"
_MARKUP = {"html", "xml"}


class TextAdapter:
    """All kinds of text; the document classes know them."""

    notices = ("text",)

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:  # noqa: ARG002
        """See `Adapter.examine`."""
        data = _read(source, limits)
        places, _ = find(data)
        document = _document(_decoded(bare(data, places), row, limits), row)
        there = any(not place.remote for place in places)
        return Examined(tuple(document.mirrors()), has_marker=there, decoded=True)

    def read_marker(
        self,
        source: BinaryIO,
        row: Format,  # noqa: ARG002
        trust: tuple[TrustList, ...],
    ) -> engine.Reading:
        """See `Adapter.read_marker`."""
        try:
            places, multiple = find(_read(source, DEFAULT))
        except MediaProblem:
            return engine.Reading("failed")
        return embedded.read(places, multiple, trust)

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`: insertions, and nothing else."""
        data = _read(source, order.limits)
        text = _decoded(bare(data, find(data)[0]), row, order.limits)
        document = _unlabelled(text, row)
        insertions, warnings = document.mirror(order.label)
        notice = Notice("none", profile=order.profile.id, reason=order.reason)
        if order.notice != "none":
            added = _notices(document, row, order)
            insertions += added
            places = tuple(
                _placement(row, document, part) for part in ("start", "end")[: len(added)]
            )
            version, profile = wording.version(), order.profile.id
            notice = Notice("text", order.languages, version, profile, places)
        destination.write(document.source.inserted(insertions).bytes())
        return Rendered(notice, warnings, (document.source, insertions))

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`: without what was inserted, the text is the source to the last byte."""
        base, insertions = rendered.reference
        written = _decoded(_read(painted, NO_LIMITS), row, NO_LIMITS)
        if _without(written, insertions).bytes() != base.bytes():
            raise _changed("notice")
        if rendered.notice.kind == "none":
            return None
        from aikz_label.adapters.text import measuring  # noqa: PLC0415

        document = _document(written, row)
        return measuring.measure(document, order.label.origin, order.languages, order.profile.text)

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:  # noqa: ARG002
        """See `Adapter.confirm`: without its one marker, the text is what was painted."""
        after = _read(signed, NO_LIMITS)
        places, _ = find(after)
        if len(places) != 1 or bare(after, places) != _read(painted, NO_LIMITS):
            raise _changed("marker")

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
        record = notice.placements[0] if notice.placements else {}
        kind = FORMATS.get(str(record.get("kind")))
        known = (record.get("design"), notice.wording) == (_DESIGN, wording.version())
        if kind is None or kind.family != "text" or not known or not notice.languages:
            return Measurement(NoticeState.UNKNOWN)
        from aikz_label.adapters.text import measuring  # noqa: PLC0415

        row = replace(kind, language=str(record.get("language", "")))
        document = _document(_text(source, row, limits), row)
        return measuring.measure(document, origin, notice.languages, profile.text)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.text import hiding, measuring  # noqa: PLC0415

        document = _document(_text(source, row, limits), row)
        said = hiding.spoken(document)
        if said is None:
            return None
        measured = measuring.measure(document, *said, profile.text)
        return Found(measured, said[0], kind="text")

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: engine.Parent | None,
    ) -> None:
        """See `Adapter.write_marker`."""
        document = _document(_decoded(_read(source, NO_LIMITS), row, NO_LIMITS), row)
        hole = document.hole()
        wrapped = embedded.sign(hole, manifest, key, parent)
        destination.writelines((hole.before, wrapped, hole.after))


ADAPTER = TextAdapter()


@cache
def _kind(name: str) -> type[Document]:
    """The class of a format, imported when the first such text comes."""
    module, kind = {
        "text": ("plain", "PlainText"),
        "csv": ("tables", "Table"),
        "tsv": ("tables", "Tabbed"),
        "markdown": ("markdown", "Markdown"),
        "source": ("comments", "Commented"),
        "yaml": ("comments", "Hashed"),
        "toml": ("comments", "Hashed"),
        "xml": ("comments", "Xml"),
        "html": ("page", "Page"),
        "srt": ("subtitles", "Srt"),
        "vtt": ("subtitles", "Vtt"),
        "json": ("objects", "Json"),
    }[name]
    found: type[Document] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found


def _document(source: Decoded, row: Format) -> Document:
    return _kind(row.name)(source, row.language)


def _read(source: BinaryIO, limits: Limits) -> bytes:
    size = source.seek(0, io.SEEK_END)
    most = min(limits.max_bytes, limits.max_text)
    if size > most:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=most)
    source.seek(0)
    return source.read(size)


def _decoded(data: bytes, row: Format, limits: Limits) -> Decoded:
    return decode(data, limits, markup=row.name in _MARKUP)


def _text(source: BinaryIO, row: Format, limits: Limits) -> Decoded:
    """The text without its marker."""
    data = _read(source, limits)
    return _decoded(bare(data, find(data)[0]), row, limits)


def _unlabelled(text: Decoded, row: Format) -> Document:
    """The text without a notice and metadata that we wrote: they are replaced, never stacked."""
    document = _document(text, row)
    for said in (type(document).last, type(document).first):
        found = said(document)
        if found is not None:
            document = _document(document.source.cut(found.start, found.stop), row)
    bared = document.without_mirror()
    return document if bared is document.source else _document(bared, row)


def _notices(document: Document, row: Format, order: Order) -> list[Insertion]:
    """The notice at the start, and at the end of a long text."""
    if document.on_request and order.notice != "data":
        raise no_place(row.title)
    document.check_place()
    origin, languages = order.label.origin, order.languages
    found = [Insertion(document.start(), document.compose(origin, languages))]
    if document.repeats:
        own = sum(len(wording.sentence(origin, language).split()) for language in languages)
        if document.words() + own > order.profile.text.repeat_after_words:
            found.append(Insertion(document.end(), document.compose_last(origin, languages)))
    return found


def _placement(row: Format, document: Document, part: str) -> dict[str, str]:
    record = {"design": _DESIGN, "kind": row.name, "form": document.form, "part": part}
    return record | ({"language": row.language} if row.language else {})


def _without(written: Decoded, insertions: list[Insertion]) -> Decoded:
    """The text without insertions, if they are there; else as it is."""
    shift = 0
    for item in sorted(insertions, key=lambda one: one.at):
        start = item.at + shift
        if not written.text.startswith(item.text, start):
            return written
        shift += len(item.text)
    for item in sorted(insertions, key=lambda one: one.at):
        written = written.cut(item.at, item.at + len(item.text))
    return written


def _changed(what: str) -> Refused:
    return Refused(
        f"Something besides the {what} changed in this text.",
        code="content-changed",
        hint="Nothing was written. Please report this with the file.",
    )
