"""The stamp of PDF files: drawn, placed, found again and measured; and what keeps people from seeing it."""

from __future__ import annotations

import io
import subprocess
import zlib

import numpy as np
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pdf_fidelity
import pdf_files
import support
from aikz_label import Refused
from aikz_label.adapters.pdf import stamp
from aikz_label.adapters.pdf.objects import Name, Stream
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp import form, measuring, structure, template
from aikz_label.adapters.pdf.stamp.content import Closing, Tangled, closing
from aikz_label.adapters.pdf.stamp.geometry import View
from aikz_label.adapters.pdf.stamp.numbering import read_pages, written_pages
from aikz_label.adapters.pdf.update import Update
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT
from aikz_label.notice import badge, truetype, wording
from aikz_label.report import NoticeState
from pdf_stamps import A4, annotation, book, changed, document, measured, order, page, stamped

LANGUAGES = ("kk", "ru", "en")
CLEAN = Closing(b"q\n", b"Q\n")
SHAPES = {
    "upright": page(),
    "turned 90": page(Rotate=90),
    "turned 180": page(Rotate=180),
    "turned 270": page(Rotate=270),
    "turned -90": page(Rotate=-90),
    "turned 450": page(Rotate=450),
    "cropped and turned": page(CropBox=[100, 200, 500, 700], Rotate=90),
    "negative": page((-100, -50, 1500, 900)),
    "reversed": page((595, 842, 0, 0), Rotate=180),
    "user unit": page((0, 0, 300, 400), UserUnit=2.0),
    "card": page((0, 0, 200, 120)),
    "tiny": page((0, 0, 60, 60)),
    "narrow": page((0, 0, 30, 400)),
    "poster": page((0, 0, 2000, 3000)),
    "dark": page(drawn=b"0.1 g 0 0 595 842 re f"),
    "clipped": page(drawn=b"0 0 50 50 re W n 0.5 g 0 0 595 842 re f"),
    "unclosed": page(drawn=b"2 0 0 2 0 0 cm 1 0 0 RG 1 Tr q q BT /F1 20 Tf (unclosed"),
    "hidden to its end": page(
        drawn=b"/OC /Off BDC 0 0 50 50 re f",
        Resources={"Properties": {"Off": {"Type": Name("OCG"), "Name": b"Off"}}},
    ),
    "closed too often": page(drawn=b"0 0 1 RG 5 w 100 100 200 200 re S Q Q Q\n"),
    "stray": page(drawn=b"0 0 1 RG 5 w Q Q 100 100 200 200 re S Q q q"),
}


@pytest.mark.parametrize(
    ("drawn", "after"),
    [
        (b"", b"Q\n"),
        (b"q 1 0 0 1 0 0 cm Q", b"Q\n"),
        (b"q(a)Q", b"Q\n"),
        (b"q BT (a\\)q(b)) Tj", b"ET\nQ\nQ\n"),
        (b"/q q /BT <</MCID 0>> BDC", b"EMC\nQ\nQ\n"),
        (b"% q q\nq", b"Q\nQ\n"),
        (b"BT/F 1 Tf(q)Tj ET", b"Q\n"),
        (b"xq qq q", b"Q\nQ\n"),
        (b"q xQ", b"Q\nQ\n"),
        (b"q\nBT\n(a(b)c)Tj ET Q q", b"Q\nQ\n"),
        (b"(abc(", b"))\nQ\n"),
        (b"<41", b">\nQ\n"),
        (b"BI /W 2 /H 3 /CS /G /BPC 8 ID q(\xff\0<q \nEI q", b"Q\nQ\n"),
        (b"BI/Width 9/Height 3/ImageMask true ID q(q(q(\nEI", b"Q\n"),
        (b"BI /W 1 /H 1 /F [/AHx] ID 00>\nEI q", b"Q\nQ\n"),
        (b"BI /W 1 /H 1 /F /A85 /DP [null] ID s8W~>\nEI q", b"Q\nQ\n"),
        (b"ID q", b"Q\nQ\n"),
        (b"xBI /BI BIx q", b"Q\nQ\n"),
    ],
)
def test_what_content_leaves_open_is_closed(drawn, after):
    assert closing(drawn) == Closing(b"q\n", after)


def test_states_that_are_restored_too_often_at_the_end_are_saved_before():
    assert closing(b"0 0 1 1 re f Q Q \n") == Closing(b"q\nq\nq\n", b"Q\n")


@pytest.mark.parametrize(
    "drawn",
    [
        b"Q 0 0 1 1 re f",
        b"q " * 5000,
        b"Q " * 5000,
        b"BT " * 5000,
        b"BI /W 40000 /H 10 /BPC 8 /CS /G ID abc EI",
        b"BI /W 40000 /H 10 /BPC 8 /CS /G /W 3 /H 1 ID abc EI",
        b"BI /W 40000 /H 10 /BPC 8 /CS /G % BI /W 3 /H 1 \nID abc EI",
        b"BI /W 40000 /H 10 /BPC 8 /CS /G /X (BI /W 3 /H 1) ID abc EI",
        b"BI /W 40000 /H 10 /BPC 8 /CS /G 5 q Q",
        b"BI /W 7 /H 1 /BPC 8 /CS /G ID abc EI \nEI",
        b"BI /W 3 /H 1 /BPC 8 /CS /Own ID abc EI",
        b"BI /W 3 /H 1 /BPC 8 /CS /G /F /Fl ID abc EI",
        b"BI /W 3 /H 1 /F /AHx ID abc EI",
        b"BI /W 3 /H 1 /BPC 8 /CS /G ID abc",
        b"BI",
    ],
)
def test_content_that_viewers_draw_differently_is_left_alone(drawn):
    with pytest.raises(Tangled):
        closing(drawn)


PIECES = st.sampled_from(
    [
        b"q",
        b"Q",
        b"BT",
        b"ET",
        b"EMC",
        b"/A BMC",
        b"(a(q)\\))",
        b"(",
        b"<41>",
        b"<<",
        b"/Q",
        b"%q\n",
        b"1",
        b"f",
    ]
)


@given(st.lists(PIECES, max_size=30))
def test_closed_content_leaves_nothing_open(pieces):
    drawn = b" ".join(pieces)
    try:
        around = closing(drawn)
    except Tangled:
        return
    assert closing(around.before + drawn + b"\n" + around.after) == CLEAN


@pytest.mark.parametrize("origin", list(Origin))
def test_every_word_is_drawn_as_it_is_and_can_be_copied(origin):
    font = truetype.bundled(form.FONT)
    for layout in wording.ladder(origin, LANGUAGES):
        drawn = form.drawing(layout.name, origin, LANGUAGES)
        data = template.document(drawn)
        assert len(data) < 6500
        said = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
        lines = [*["AI"] * layout.icon, *layout.lines]
        assert said.split() == " ".join(lines).split()
        assert all(font.glyph(letter) for line in lines for letter in line)


@pytest.mark.parametrize("layout", ["short3", "short1", "code1", "codeN", "code2", "ai"])
def test_the_stamp_looks_like_the_badge(layout):
    drawn = form.drawing(layout, Origin.ALTERED, LANGUAGES)
    ours = template.badge(drawn)
    other = badge.draw(ours.lines, 40, 64 if drawn.sign else 0)
    for mine, its in zip(ours.text_boxes, other.text_boxes, strict=True):
        size = (its[2] - its[0], its[3] - its[1])
        one = np.asarray(ours.mask.crop(mine).resize(size), float)
        two = np.asarray(other.mask.crop(its), float)
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.7  # letters stand a little apart


def test_no_letter_is_an_empty_box():
    ours, whole = truetype.bundled(form.FONT), truetype.bundled(badge.FONT)
    letters = set(ours.characters) - {" "}
    assert {*"ЖИЖАСАҒАНСОЗДАНОӨЗГЕРТКЕНИЗМЕНЕНОAIGENERATEDMODIFIED·"} <= letters
    for letter in letters:
        outline = ours.contours(ours.glyph(letter))
        assert outline == whole.contours(whole.glyph(letter)) != ours.contours(0)
        assert ours.advance(ours.glyph(letter)) == whole.advance(whole.glyph(letter))


def test_a_letter_that_the_font_has_not_is_refused(monkeypatch):
    monkeypatch.setattr(truetype.bundled(form.FONT), "glyph", "XA".find)
    with pytest.raises(Refused, match="no letter 'X'"):
        form._glyphs("AX")


@given(
    st.sampled_from([0, 90, 180, 270]),
    st.floats(-500, 500),
    st.floats(1, 900),
    st.floats(0.1, 10),
    st.floats(-50, 900),
    st.floats(0.5, 40),
)
def test_a_place_that_is_seen_is_the_place_that_was_given(rotation, corner, side, unit, x, size):
    view = View((corner, -corner, corner + side, 700 - corner), rotation, unit)
    assert view.seen(view.place(x, 30, size)) == pytest.approx((x, 30, size), rel=1e-6, abs=1e-6)
    tilted = (1, 0.5, 0, 1, 0, 0)
    assert view.seen(tilted) is None


@given(st.sets(st.integers(1, 60)))
def test_numbers_of_pages_are_read_as_they_were_written(numbers):
    words = written_pages(sorted(numbers))
    expected = tuple(number - 1 for number in sorted(numbers)) if numbers else None
    assert read_pages(words, 60) == expected


@pytest.mark.parametrize(
    "words", ["", "0", "2-1", "1,1", "1-2,2", "61", "1,", "-3", "a", "٣", 5, None, "1" * 900]
)
def test_other_numbers_of_pages_are_not_read(words):
    assert read_pages(words, 60) is None


@pytest.mark.parametrize("way", ["content", "annotation"])
def test_pages_of_every_shape_are_stamped_and_measured(way):
    data = document(*SHAPES.values())
    done, plan = stamped(data, stamp_as=way)
    assert done.startswith(data)
    result = stamp.check(io.BytesIO(done), "", book(done), plan, order())
    figures = dict(result.figures)
    assert result.state is NoticeState.PERCEIVABLE, result
    assert figures["stamped"] == figures["pages"] == len(SHAPES)
    assert figures["rendered"] < len(SHAPES), "the structure proves most of them"
    assert measured(done, plan).state is NoticeState.PERCEIVABLE
    assert figures["match"] > 0.9


def test_a_stray_restore_leaves_the_content_to_the_annotation_above_it():
    _, plan = stamped(document(SHAPES["upright"], SHAPES["stray"]))
    assert [one["drawn"] for one in plan.placements] == ["content", "annotation"]
    assert "page 2" in plan.warnings[0]


def test_a_page_that_stands_in_a_document_twice_is_stamped_once():
    objects = pdf_files.page_objects(2)
    objects[2] = objects[2].replace(b"[4 0 R 6 0 R]", b"[4 0 R 4 0 R]")
    done, plan = stamped(pdf_files.document(objects))
    assert (plan.pages, plan.placements[0]["pages"]) == ((0,), "1-2")
    assert len(book(done).contents(0)) == 3
    assert dict(measured(done, plan).figures)["stamped"] == 2


def test_too_many_pages_for_the_time_are_unknown(monkeypatch):
    done, plan = stamped(document(page(), page()))
    monkeypatch.setattr(measuring, "_SECONDS", -1.0)
    assert measured(done, plan).state is NoticeState.UNKNOWN
    checked = stamp.check(io.BytesIO(done), "", book(done), plan, order())
    assert checked.state is NoticeState.PERCEIVABLE, "marking takes its time"


def test_five_hundred_pages_grow_by_little():
    data = document(*[page()] * 500)
    done, plan = stamped(data)
    assert len(done) - len(data) < 120_000
    assert [one["pages"] for one in plan.placements] == ["1-500"]


def test_a_page_too_small_for_letters_is_refused():
    with pytest.raises(Refused, match="page 2, which is 10 × 10 pt") as caught:
        stamped(document(page(), page((0, 0, 10, 10))))
    assert caught.value.code == "not-perceptible"


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        ((380, 700, 595, 842), "bottom-right"),
        ((380, 0, 595, 842), "top-left"),
        ((200, 0, 595, 842), "top-left"),
    ],
)
def test_the_stamp_goes_where_nothing_is(box, corner):
    left, bottom, right, top = box
    lines = b" ".join(b"%d %d m %d %d l S" % (left, y, right, y) for y in range(bottom, top, 5))
    _, plan = stamped(document(page(drawn=lines)))
    assert plan.placements[0]["corner"] == corner


def test_comments_over_every_corner_put_the_stamp_above_them():
    done, plan = stamped(document(page(Annots=[annotation(A4)])))
    assert plan.placements[0]["drawn"] == "annotation"
    assert measured(done, plan).state is NoticeState.PERCEIVABLE


def test_only_the_first_page():
    done, plan = stamped(document(page(), page()), pages="first")
    result = measured(done, plan)
    assert result.state is NoticeState.PERCEIVABLE
    assert dict(result.figures)["stamped"] == 1


def test_a_tagged_document_says_it_to_those_who_are_read_to():
    catalog = {"MarkInfo": {"Marked": True}, "StructTreeRoot": {"Type": Name("StructTreeRoot")}}
    done, plan = stamped(document(page(), page(), catalog=catalog))
    assert measured(done, plan).state is NoticeState.PERCEIVABLE
    assert structure.Inspector(book(done)).find(0).proven
    assert done.count(b"/Artifact BMC") == 1, "equal operators are written once"
    assert done.count(b"/Subtype/Stamp") + done.count(b"/Subtype /Stamp") == 1
    words = wording.full(Origin.CREATED, "kk").encode("utf-16-be").hex()
    assert words.encode() in done


def _tail(update: Update, found: Book, index: int = 0) -> Stream:
    """The stream that draws the stamp, to be changed."""
    last = found.contents(index)[-1]
    return Stream({}, found.decoded(last, 10_000))


def _cover(update, found):
    shown = update.edit(found.leaves[0].ref)
    white = update.add(Stream({}, b"1 g 0 0 595 842 re f"))
    shown["Contents"] = [*shown["Contents"], white]


def _patch(update, found):
    shown = update.edit(found.leaves[0].ref)
    shown["Contents"] = [
        *shown["Contents"],
        update.add(Stream({}, b"0.5 g 520 780 40 60 re f")),
    ]


def _drop(update, found):
    shown = update.edit(found.leaves[1].ref)
    shown["Contents"] = shown["Contents"][1:-1]


def _white(update, found):
    shown = update.edit(found.leaves[0].ref)
    drawn = _tail(update, found).data.replace(b"q ", b"q /Lighter gs ")
    state = {"Type": Name("ExtGState"), "ca": 0.02}
    shown["Resources"]["ExtGState"] = {"Lighter": state}
    shown["Contents"] = [*shown["Contents"][:-1], update.add(Stream({}, drawn))]


def _layer(update, found):
    shown = update.edit(found.leaves[0].ref)
    off = update.add({"Type": Name("OCG"), "Name": b"notice"})
    shown["Resources"]["Properties"] = {"Off": off}
    drawn = _tail(update, found).data.replace(b"q ", b"/OC /Off BDC q ").rstrip() + b" EMC"
    drawn = drawn.replace(b" EMC", b"") + b"\n"
    shown["Contents"] = [*shown["Contents"][:-1], update.add(Stream({}, drawn))]
    update.root["OCProperties"] = {"OCGs": [off], "D": {"OFF": [off]}}


def _layered(update, found):
    """The form itself in a layer, which is on."""
    shown = update.edit(found.leaves[0].ref)
    on = update.add({"Type": Name("OCG"), "Name": b"notice"})
    form_ref = shown["Resources"]["XObject"]["AikzLabel"]
    old = found.document.resolve(form_ref)
    data = found.document.raw(old)
    update.change(form_ref, Stream({**old.dict, "OC": on}, data))
    update.root["OCProperties"] = {"OCGs": [on], "D": {}}


def _small(update, found):
    shown = update.edit(found.leaves[0].ref)
    drawn = _tail(update, found).data.replace(b"9.54", b"2.5")
    shown["Contents"] = [*shown["Contents"][:-1], update.add(Stream({}, drawn))]


def _away(update, found):
    update.edit(found.leaves[0].ref)["CropBox"] = [0, 0, 595, 815]


def _hide(update, found):
    shown = update.edit(found.leaves[0].ref)
    note = update.edit(shown["Annots"][-1])
    note["F"] = 2


@pytest.mark.parametrize(
    ("change", "code", "way"),
    [
        (_cover, "notice.some-pages", "content"),
        (_patch, "notice.covered", "content"),
        (_drop, "notice.some-pages", "content"),
        (_white, "notice.some-pages", "content"),
        (_layer, "notice.layer", "content"),
        (_layered, "notice.layer", "content"),
        (_small, "notice.too-small-page", "content"),
        (_away, "notice.cut-off", "content"),
        (_hide, "notice.annotation-hidden", "annotation"),
    ],
)
def test_what_keeps_people_from_seeing_it(change, code, way):
    done, plan = stamped(document(page(), page()), stamp_as=way)
    result = measured(changed(done, change), plan)
    assert result.state is NoticeState.NOT_PERCEIVABLE
    assert code in [problem.code for problem in result.problems], result


def test_a_stamp_that_is_painted_over_is_missing():
    done, plan = stamped(document(page()))
    result = measured(changed(done, _cover), plan)
    assert [problem.code for problem in result.problems] == ["notice.missing"]


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("way", ["content", "annotation"])
def test_a_comment_over_the_stamp_covers_it(way, drawn):
    """With an appearance, or one that viewers draw by themselves."""
    done, plan = stamped(document(page()), stamp_as=way)

    def above(update, found):
        form_of = {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 9, 9]}
        shown = update.add(Stream(form_of, b"1 0 0 rg 0 0 9 9 re f"))
        box = annotation((480, 750, 540, 842), IC=[1, 0, 0], C=[1, 0, 0])
        shown_page = update.edit(found.leaves[0].ref)
        note = update.add({**box, "AP": {"N": shown}} if drawn else box)
        shown_page["Annots"] = [*(shown_page.get("Annots") or []), note]

    result = measured(changed(done, above), plan)
    assert [problem.code for problem in result.problems] == ["notice.covered"]


_NOTHING = {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, 9, 9]}


def _other_form(spelled, read, drawn):
    """What viewers draw under the name that the content spells is another form, which is empty."""

    def change(update, found):
        shown = update.edit(found.leaves[1].ref)
        forms = shown["Resources"]["XObject"]
        empty = update.add(Stream(_NOTHING, b""))
        shown["Resources"]["XObject"] = {drawn: empty, read: forms["AikzLabel"]}
        last = found.decoded(found.contents(1)[-1], 10_000).replace(b"AikzLabel", spelled)
        shown["Contents"] = [*shown["Contents"][:-1], update.add(Stream({}, last))]

    return change


def _above(drawn=b"", **entries):
    """Something of a kind that seldom shows anything lies over the page, and shows something."""

    def change(update, found):
        appearance = {"AP": {"N": update.add(Stream(_NOTHING, drawn))}} if drawn else {}
        note = update.add({**annotation(A4), **entries, **appearance})
        update.edit(found.leaves[1].ref)["Annots"] = [note]

    return change


@pytest.mark.parametrize(
    "change",
    [
        _other_form(b"A#42", "A#42", "AB"),
        _other_form(b"A/B", "A/B", "B"),
        _above(b"1 g 0 0 9 9 re f", Subtype=Name("Link")),
        _above(b"1 g 0 0 9 9 re f", Subtype=Name("Popup"), Open=True),
        _above(Subtype=Name("Link"), Border=[0, 0, 200], C=[1, 1, 1]),
        _above(Subtype=Name("Link"), BS={"W": 200}, C=[1, 1, 1]),
    ],
)
def test_what_may_hide_a_stamp_on_a_page_that_no_sample_draws_is_no_proof(change):
    done, _ = stamped(document(*[page()] * 3))
    assert structure.Inspector(book(done)).find(1).proven
    found = structure.Inspector(book(changed(done, change))).find(1)
    assert found is None or not found.proven


@pytest.mark.parametrize(
    ("rotation", "change"),
    [
        (180, {"AP": "the form itself, which is upside down here"}),
        (0, {"Subtype": Name("Movie")}),
    ],
)
def test_an_annotation_that_is_not_as_ours_is_no_proof(rotation, change):
    done, _ = stamped(document(page(Rotate=rotation)), stamp_as="annotation")
    assert structure.Inspector(book(done)).find(0).proven

    def other(update, found):
        (note,) = update.edit(found.leaves[0].ref)["Annots"]
        if "AP" in change:
            turned = found.document.mapping(update.edit(note)["AP"]["N"])
            update.edit(note)["AP"] = {"N": turned["Resources"]["XObject"]["S"]}
        else:
            update.edit(note).update(change)

    assert not structure.Inspector(book(changed(done, other))).find(0).proven


def test_a_link_and_a_comment_elsewhere_leave_it_proven():
    aside = annotation((20, 20, 60, 60))
    link = {**annotation(A4), "Subtype": Name("Link")}
    done, plan = stamped(document(page(Annots=[aside, link])))
    assert plan.placements[0]["drawn"] == "content"
    (found,) = [structure.Inspector(book(done)).find(0)]
    assert found.proven


@pytest.mark.parametrize(
    "wrong",
    [
        {"design": "stamp/9"},
        {"layout": "short9"},
        {"corner": "middle"},
        {"pages": "2-3"},
        {"pages": "1-9"},
        {"pages": ["1"]},
    ],
)
def test_a_record_that_cannot_be_used_is_unknown(wrong):
    done, plan = stamped(document(page(), page(), page()))
    plan.stamps = dict(plan.stamps)

    class Other:
        placements = ({**plan.placements[0], **wrong},)

    assert measured(done, Other).state is NoticeState.UNKNOWN


def test_a_last_stream_that_expands_without_end_is_no_stamp():
    bomb = zlib.compress(b" " * 10_000_000)
    data = document(page(drawn=b""))

    def blow(update, found):
        stream = update.add(Stream({"Filter": Name("FlateDecode")}, bomb))
        update.edit(found.leaves[0].ref)["Contents"] = [stream]

    blown = changed(data, blow)
    assert structure.Inspector(book(blown)).find(0) is None
    assert stamp.search(io.BytesIO(blown), "", book(blown), order().profile, DEFAULT) is None


def test_a_stamp_that_nobody_recorded_is_found():
    done, _ = stamped(document(page(), page()), origin="altered")
    found = stamp.search(io.BytesIO(done), "", book(done), order().profile, DEFAULT)
    assert (found.origin, found.kind) == (Origin.ALTERED, "stamp")
    assert found.measurement.state is NoticeState.PERCEIVABLE
    plain = document(page())
    assert stamp.search(io.BytesIO(plain), "", book(plain), order().profile, DEFAULT) is None


@pytest.mark.parametrize("languages", [("kk",), ("ru", "kk"), ("en",)])
def test_other_languages_are_found_and_measured(languages):
    shapes = [page(), *(page((0, 0, *size)) for size in ((60, 60), (30, 400), (40, 40), (20, 20)))]
    done, plan = stamped(document(*shapes), languages=languages, origin="altered")
    options = {"languages": languages, "origin": "altered"}
    figures = dict(measured(done, plan, **options).figures)
    assert measured(done, plan, **options).state is NoticeState.PERCEIVABLE
    assert figures["match"] > 0.9
    found = stamp.search(io.BytesIO(done), "", book(done), order().profile, DEFAULT)
    assert found.origin is Origin.ALTERED
    assert found.measurement.state is NoticeState.PERCEIVABLE


def test_a_stamp_on_a_page_that_became_a_picture_is_found():
    done, _ = stamped(document(page(), page()))
    shown = [one.render(scale=2).to_pil().convert("RGB") for one in pypdfium2.PdfDocument(done)]
    scan = io.BytesIO()
    shown[0].save(scan, "PDF", save_all=True, append_images=shown[1:], resolution=144)
    data = scan.getvalue()
    found = stamp.search(io.BytesIO(data), "", book(data), order().profile, DEFAULT)
    figures = dict(found.measurement.figures)
    assert (found.origin, found.kind) == (Origin.CREATED, "stamp")
    assert found.measurement.state is NoticeState.PERCEIVABLE
    assert figures["text_pt"] == pytest.approx(9.54, abs=0.3)
    assert (figures["stamped"], figures["pages"]) == (1, 2)


@pytest.mark.parametrize("origin", list(Origin))
def test_two_programs_copy_the_words_as_they_are(tmp_path, origin):
    done, _ = stamped(document(*SHAPES.values()), origin=origin)
    path = tmp_path / "stamped.pdf"
    path.write_bytes(done)
    tool = support.require_tool("pdftotext")
    run = subprocess.run([tool, "-l", "1", str(path), "-"], capture_output=True, check=True)
    by_pdfium = pypdfium2.PdfDocument(done)[0].get_textpage().get_text_range()
    for said in (run.stdout.decode(), by_pdfium):
        lines = said.splitlines()
        for language in LANGUAGES:
            words = wording.short(origin, language)
            assert any(words in line for line in lines), (words, lines)


def test_poppler_shows_and_reads_the_same_besides():
    before = document(*SHAPES.values())
    for way in ("content", "annotation"):
        after, _ = stamped(before, stamp_as=way)
        assert list(pdf_fidelity.differences(before, after)) == []


CORPUS = (
    "pypdf/resources/two-different-pages.pdf",
    "pdfplumber/tests/pdfs/word365_structure.pdf",
    "pdfjs/test/pdfs/160F-2019.pdf",
    "pdfjs/test/pdfs/issue5044.pdf",
    "qpdf/qpdf/qtest/qpdf/annotations-rotated-180.pdf",
    "pdf20/PDF_2.0_image_with_BPC.pdf",
    "corkami/pdf/PDFSecrets/cropbox.pdf",
    "safedocs/Dialects/Dialect-ContentStreams.pdf",
)


@pytest.mark.parametrize("name", CORPUS)
def test_real_files_are_stamped_and_look_the_same_besides(name):
    before = (support.require_corpus() / name).read_bytes()
    after, plan = stamped(before)
    assert after.startswith(before)
    assert list(pdf_fidelity.differences(before, after)) == []
    assert measured(after, plan).state is NoticeState.PERCEIVABLE
