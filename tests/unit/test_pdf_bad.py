"""Documents that are broken, hostile, or full of what must stay: marked with content intact, or refused, in bounds."""

from __future__ import annotations

import contextlib
import io
import random
import zlib

import pytest

import pdf_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.pages import Book
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.report import MarkerState, Verdict

LABEL = Label(origin=Origin.CREATED)
NO_NOTICE = {"notice": "none", "notice_reason": "tested elsewhere"}
ACTIVE = {
    "script": "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>/Names<</JavaScript<</Names[(a)90 0 R]>>>>",
    "xfa": "/AcroForm<</Fields[]/XFA 91 0 R>>/NeedsRendering true",
    "portfolio": "/Collection<</View/D>>/PageMode/UseAttachments",
    "layers": "/OCProperties<</OCGs[92 0 R]/D<</OFF[92 0 R]>>>>",
    "tagged": "/MarkInfo<</Marked true>>/StructTreeRoot 93 0 R/Lang(kk)",
}


@pytest.mark.parametrize("kind", ACTIVE)
def test_what_is_there_stays(kind: str, config: Config) -> None:
    """Scripts, forms, portfolios, layers and structure are no reason to refuse, and are not touched."""
    objects = pdf_files.page_objects(catalog=ACTIVE[kind]) | {
        90: b"<</S/JavaScript/JS(0)>>",
        91: pdf_files.stream(b"<xdp/>"),
        92: b"<</Type/OCG/Name(x)>>",
        93: b"<</Type/StructTreeRoot>>",
    }
    source = pdf_files.document(objects)
    result = mark(source, None, LABEL, config=config)
    assert result.data is not None
    assert result.data.startswith(source)
    assert result.report.verdict is Verdict.LABELLED
    before, after = Document(io.BytesIO(source)).catalog, Document(io.BytesIO(result.data)).catalog
    ours = {"AF", "Metadata", "Names"}
    assert {k: v for k, v in before.items() if k not in ours} == {
        k: v for k, v in after.items() if k not in ours
    }
    names = before.get("Names")
    if isinstance(names, dict):
        assert isinstance(after["Names"], dict)
        assert names["JavaScript"] == after["Names"]["JavaScript"]


def test_many_objects(config: Config) -> None:
    """A hundred thousand objects are no burden: they are not looked at."""
    objects = pdf_files.page_objects() | {
        number: b"<</A(%d)>>" % number for number in range(100, 100_100)
    }
    for made in (pdf_files.document, pdf_files.packed):
        source = made(objects)
        result = mark(source, None, LABEL, config=config, **NO_NOTICE)
        assert result.data is not None
        assert len(result.data) - len(source) < 20_000
        assert result.report.marker_state is MarkerState.TRUSTED


@pytest.mark.parametrize(
    "objects",
    [
        {2: b"<</Kids[2 0 R]>>"},
        {2: b"<</Kids[4 0 R]>>", 4: b"<</Kids[2 0 R]>>"},
        {2: b"<</Kids" + b"[" * 5000},
        {2: b"3 0 R", 3: b"2 0 R"},
        {2: b"<<" * 5000},
        {1: b"[]"},
        {4: b"<</Type/Page/Contents 4 0 R/Resources 4 0 R/Annots 4 0 R>>"},
        {4: b"<</Type/Page/MediaBox[0 0 1e400 -9e99]/Rotate 1e9/UserUnit(x)>>"},
        {5: b"<</Length 5 0 R>>\nstream\nq\nendstream"},
        {5: b"<</Length -1/Filter[/FlateDecode/Nothing]>>\nstream\nq\nendstream"},
        {5: b"<</Length 99999999999999>>\nstream\nq"},
    ],
)
def test_loops_and_nonsense(objects: dict[int, bytes], config: Config) -> None:
    """Every answer is one: a label or a refusal with a reason, and a report."""
    source = pdf_files.document(pdf_files.page_objects() | objects)
    assert verify(source, config=config).verdict in {Verdict.UNMARKED, Verdict.UNREADABLE}
    code = ""
    try:
        result = mark(source, None, LABEL, config=config, **NO_NOTICE)
    except Refused as refusal:
        code = refusal.code
    else:
        assert result.report.marker_state is MarkerState.TRUSTED
    assert code in {"", "damaged", "content-changed"}


def test_bombs(config: Config) -> None:
    """Streams that expand without end are cut off: those that hold objects, the cross-reference, and what a page draws."""
    bomb = zlib.compress(bytes(200 << 20), 9)
    packed = pdf_files.stream(bomb, b"/Type/ObjStm/N 9/First 9/Filter/FlateDecode")
    base = pdf_files.packed()
    start = base.index(b"/Type/ObjStm")
    number = base.rindex(b" 0 obj", 0, start)
    number = base.rindex(b"\n", 0, number) + 1
    source = base[:number] + b"%b 0 obj\n" % base[number:].split()[0] + packed + b"\nendobj\n"
    assert verify(source, config=config).verdict is Verdict.UNREADABLE
    drawn = pdf_files.stream(bomb, b"/Filter/FlateDecode")
    source = pdf_files.document(pdf_files.page_objects() | {5: drawn})
    with pytest.raises(Refused) as refusal:
        mark(source, None, LABEL, config=config)
    assert refusal.value.code == "over-limit"


def test_a_generation_that_no_key_is_made_of(config: Config) -> None:
    """Of an encrypted file the key of an object is made of its numbers, which may be too large for that."""
    bits, options = pdf_files.ENCRYPTIONS["rc4-128"]
    source = pdf_files.encrypted(bits, "", "owner", *options)
    (drawn,) = Book(Document(io.BytesIO(source)), 100).contents(0)
    number = b"%d 0 obj" % drawn.ref.num
    head, _, tail = pdf_files.appended(
        source, {drawn.ref.num: pdf_files.stream(b"x" * 48)}
    ).rpartition(number)
    other = b"%d 9999999999 obj" % drawn.ref.num
    at = int(tail.split()[-2]) + len(other) - len(number)
    source = head + other + tail[: tail.rindex(b"startxref")] + b"startxref\n%d\n%%%%EOF\n" % at
    document = Document(io.BytesIO(source))
    (found,) = Book(document, 100).contents(0)
    assert (document.rebuilt, found.ref.gen) == (False, 9_999_999_999)
    assert verify(source, config=config, measure=True).verdict is Verdict.UNMARKED
    with contextlib.suppress(
        Refused
    ):  # deciphered, the content may by chance hide whatever follows
        result = mark(source, None, LABEL, config=config, override_permissions=True)
        assert result.report.verdict is Verdict.LABELLED


def test_random_changes(config: Config) -> None:
    """No change of any byte raises, in a plain file, a packed one, and one that is marked."""
    marked = mark(pdf_files.document(), None, LABEL, config=config, **NO_NOTICE).data
    assert marked is not None
    chance = random.Random(1)
    for source in (pdf_files.document(), pdf_files.packed(), marked):
        for _ in range(25):
            data = bytearray(source)
            for _ in range(chance.choice((1, 3, 9))):
                at = chance.randrange(len(data))
                data[at : at + chance.choice((1, 4))] = chance.randbytes(chance.choice((0, 1, 4)))
            report = verify(bytes(data), config=config)
            assert report.verdict is not Verdict.LABELLED
            with contextlib.suppress(Refused):
                mark(bytes(data), None, LABEL, config=config, on_existing="replace", **NO_NOTICE)


def test_a_document_of_which_pages_are_cut_off_is_not_labelled(config: Config) -> None:
    """What is left could be repaired, and would say that all pages carry the notice."""
    whole = pdf_files.document(pdf_files.page_objects(pages=3))
    place = whole.rindex(b"/Type/Page/")
    cut = whole[: whole.rindex(b" 0 obj", 0, place)]
    with pytest.raises(Refused) as caught:
        mark(cut, None, LABEL, config=config)
    assert caught.value.code == "damaged"
    assert verify(cut, config=config).verdict is Verdict.UNREADABLE
    tail_only = whole[: whole.rindex(b"xref")]
    assert mark(tail_only, None, LABEL, config=config).report.verdict is Verdict.LABELLED
