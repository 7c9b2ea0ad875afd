"""Documents with stamps, for tests: pages of every shape, stamped as the adapter does it, and changed afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from aikz_label import Label
from aikz_label.adapters import Order
from aikz_label.adapters.pdf import stamp
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.edit import Pages
from aikz_label.adapters.pdf.objects import Dict, Name, Ref, Stream, Value
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp.template import file_of
from aikz_label.adapters.pdf.update import Update
from aikz_label.limits import DEFAULT
from aikz_label.profile import load_profile
from aikz_label.report import Measurement, Notice

A4 = (0, 0, 595, 842)
TEXT = b"BT /F1 14 Tf 200 420 Td (Page text) Tj ET"
PROFILE = load_profile("kz")


def page(media: Sequence[float] = A4, drawn: bytes = TEXT, **entries: Value) -> dict[str, Any]:
    """A page for `document`."""
    return {"MediaBox": list(media), "drawn": drawn, **entries}


def document(*pages: dict[str, Any], catalog: Dict | None = None) -> bytes:
    """A file with these pages."""
    objects: list[Value | Stream] = []

    def add(value: Value | Stream) -> Ref:
        objects.append(value)
        return Ref(len(objects), 0)

    font = add({"Type": Name("Font"), "Subtype": Name("Type1"), "BaseFont": Name("Helvetica")})
    parent, kids = Ref(2, 0), []
    objects.append(None)
    for one in pages or (page(),):
        entries = {key: value for key, value in one.items() if key != "drawn"}
        entries |= {
            "Type": Name("Page"),
            "Parent": parent,
            "Contents": add(Stream({}, one["drawn"])),
        }
        entries.setdefault("Resources", {"Font": {"F1": font}})
        annotations = entries.pop("Annots", [])
        if annotations:
            entries["Annots"] = [
                add({**one, **({} if one["Subtype"] == "Link" else _appearance(add))})
                for one in annotations
            ]
        kids.append(add(entries))
    objects[1] = {"Type": Name("Pages"), "Kids": kids, "Count": len(kids)}
    return file_of(objects, add({"Type": Name("Catalog"), "Pages": parent, **(catalog or {})}))


def _appearance(add: Callable[[Value | Stream], Ref]) -> Dict:
    form = {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 10, 10]}
    return {"AP": {"N": add(Stream(form, b"1 0 0 rg 0 0 10 10 re f"))}}


def annotation(rect: Sequence[float], **entries: Value) -> Dict:
    """A red box above the content."""
    return {"Type": Name("Annot"), "Subtype": Name("Square"), "Rect": list(rect), "F": 4, **entries}


def order(**options: Any) -> Order:
    """What to render."""
    label = Label(origin=options.pop("origin", "created"))
    languages = options.pop("languages", ("kk", "ru", "en"))
    return Order(label, languages, PROFILE, "auto", "", DEFAULT, **options)


def book(data: bytes) -> Book:
    """The pages of a file."""
    return Book(Document(io.BytesIO(data)), 100_000)


def stamped(data: bytes, **options: Any) -> tuple[bytes, stamp.Plan]:
    """The file with stamps."""
    source = io.BytesIO(data)
    update = Update(Document(source))
    found = Book(update.document, 100_000)
    plan = stamp.plan(found, source, "", order(**options))
    pages = Pages(update, found)
    plan.draw(update.add)
    for index in plan.pages:
        pages.annotate(index, plan.annotations(index))
        drawn = plan.content(index, pages.name(index, plan.form(index)))
        if drawn:
            pages.draw(index, plan.before(index), drawn)
    finished = io.BytesIO()
    update.append(source, finished)
    return finished.getvalue(), plan


def changed(data: bytes, change: Callable[[Update, Book], None]) -> bytes:
    """The file with an update of somebody else behind it."""
    source = io.BytesIO(data)
    update = Update(Document(source))
    change(update, Book(update.document, 100_000))
    finished = io.BytesIO()
    update.append(source, finished)
    return finished.getvalue()


def measured(data: bytes, plan: stamp.Plan, **options: Any) -> Measurement:
    """What measuring by the record of a plan gives."""
    wanted = order(**options)
    notice = Notice("stamp", wanted.languages, "kz-1", PROFILE.id, plan.placements)
    origin = wanted.label.origin
    return stamp.measure(io.BytesIO(data), "", book(data), notice, origin, PROFILE, DEFAULT)
