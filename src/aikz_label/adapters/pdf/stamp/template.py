"""What a stamp looks like by itself, drawn by what draws the pages: the pattern that they are compared with."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image

from aikz_label.adapters.pdf.objects import Name, Ref, Stream, Value, written
from aikz_label.adapters.pdf.stamp import form, renderer
from aikz_label.adapters.pdf.stamp.form import CAP, SIGN, UNIT, Drawing
from aikz_label.notice import truetype
from aikz_label.notice.badge import Badge

EM = 24  # of the text, px: enough to tell letters apart


@lru_cache(maxsize=16)
def badge(drawn: Drawing) -> Badge:
    """The stamp as a badge whose text is `EM` px large."""
    width, height = (round(length * EM / UNIT) for length in (drawn.width, drawn.height))
    with renderer.opened(io.BytesIO(document(drawn))) as pages:
        assert pages is not None
        seen = pages.picture(0, min(drawn.width, drawn.height) * EM / UNIT)
    assert seen is not None
    mask = seen.image.convert("L").resize((width, height), Image.Resampling.BILINEAR)
    font = truetype.bundled(form.FONT)
    boxes = []
    for (line, _), (x, y) in zip(drawn.lines, drawn.text, strict=True):
        bottom = drawn.height - y
        edges = (x, bottom - CAP, x + font.width(line), bottom)
        left, top, right, low = (round(edge * EM / UNIT) for edge in edges)
        boxes.append((left, top, right, low))
    sign = SIGN * EM // UNIT if drawn.sign else 0
    return Badge(mask, tuple(line for line, _ in drawn.lines), EM, sign, tuple(boxes))


def document(drawn: Drawing) -> bytes:
    """A document with one page, as large as the stamp on it."""
    objects: list[Value | Stream] = []

    def add(value: Value | Stream) -> Ref:
        objects.append(value)
        return Ref(len(objects), 0)

    shown = add(form.form(drawn, form.write_font(add)))
    content = add(Stream({}, b"1000 0 0 1000 0 0 cm /S Do"))
    pages = Ref(len(objects) + 2, 0)
    page = add(
        {
            "Type": Name("Page"),
            "Parent": pages,
            "MediaBox": [0, 0, drawn.width, drawn.height],
            "Resources": {"XObject": {"S": shown}},
            "Contents": content,
        }
    )
    add({"Type": Name("Pages"), "Kids": [page], "Count": 1})
    return file_of(objects, add({"Type": Name("Catalog"), "Pages": pages}))


def file_of(objects: list[Value | Stream], root: Ref) -> bytes:
    """The file of objects that are numbered from 1."""
    data, starts = bytearray(b"%PDF-1.7\n"), []
    for number, value in enumerate(objects, 1):
        starts.append(b"%010d 00000 n \n" % len(data))
        if isinstance(value, Stream):
            head = written({**value.dict, "Length": len(value.data)})
            body = head + b"\nstream\n" + value.data + b"\nendstream"
        else:
            body = written(value)
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    count, at = len(objects) + 1, len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, b"".join(starts))
    trailer = written({"Size": count, "Root": root})
    return bytes(data + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, at))
