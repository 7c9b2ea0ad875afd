"""Values of PDF: read as viewers read them, written as they were, bounded."""

import io
import zlib

import pytest

from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.filters import NotDecoded, TooLarge, decoded
from aikz_label.adapters.pdf.objects import Name, Ref, as_text, text, written
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.syntax import MAX_DEPTH, Malformed, Parser, Short


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"<</A 1/B[2 0 R(x)]>>", {"A": 1, "B": [Ref(2, 0), b"x"]}),
        (b"% comment\n[true false null]", [True, False, None]),
        (rb"(a\(b\)\101\r\n(c))", b"a(b)A\r\n(c)"),
        (b"(a\\\nb\r\nc)", b"ab\nc"),
        (b"<48 656c6C6f7>", b"Hellop"),
        (b"/A#42C", "ABC"),
        (b"[1 0 R 2]", [Ref(1, 0), 2]),
        (b"[1 0 Rx]", None),
        (b"<</A<</B 1>>endobj", {"A": {"B": 1}}),
        (b"[1 2 endobj", [1, 2]),
        (b"<</A>>", {"A": None}),
    ],
)
def test_value(data: bytes, value: object) -> None:
    """Every kind, and what is broken in the usual ways."""
    found = Parser(data).value()
    assert value is None or found == value


@pytest.mark.parametrize(
    "data",
    [b"1.50", b"-.5", b"--5", b"+0", b"/A#42", b"/#zz", b"6.02E23", b"1234567890123456789012"],
)
def test_spelling_stays(data: bytes) -> None:
    """What is read is written as it was."""
    assert written(Parser(data).value()) in {data, data.lstrip(b"+")}


def test_nesting_is_bounded() -> None:
    """A value that is nested without end is none."""
    with pytest.raises(Malformed):
        Parser(b"[" * (MAX_DEPTH + 2)).value()
    with pytest.raises(Malformed):
        Parser(b"<</A" * (MAX_DEPTH + 2)).value()


@pytest.mark.parametrize("data", [b"(abc", b"[1 2", b"<</A ", b"12", b"<4"])
def test_more_is_asked_for(data: bytes) -> None:
    """What may go on beyond the piece is not guessed."""
    with pytest.raises(Short):
        Parser(data, whole=False).value()


def test_text_strings() -> None:
    """Letters of every alphabet, both ways."""
    for value in ("plain", "ӘҒҚҢӨҰҮҺІ", "(\\)", ""):
        assert as_text(Parser(written(text(value))).value()) == value


def test_names_are_escaped() -> None:
    """A name holds any byte."""
    assert Parser(written(Name("a b/Ä"))).value() == "a b/Ä"


def test_bombs() -> None:
    """A stream that expands beyond the cap is stopped while it does."""
    bomb = zlib.compress(bytes(10_000_000))
    with pytest.raises(TooLarge):
        decoded(bomb, [("FlateDecode", {})], 1000)
    with pytest.raises(NotDecoded):
        decoded(b"", [("Fl", {})] * 9, 1000)
    with pytest.raises(NotDecoded):
        decoded(b"", [("DCTDecode", {})], 1000)


@pytest.mark.parametrize(
    ("kind", "size", "parameters", "error"),
    [
        (4, 1 << 20, {"Columns": 9}, TooLarge),
        (1, 1 << 20, {"Columns": 100_000}, TooLarge),
        (2, 5_000_000, {}, TooLarge),
        (2, 1000, {"Columns": 1 << 24, "Colors": 64, "BitsPerComponent": 16}, NotDecoded),
        (2, 1 << 20, {"Predictor": 2}, TooLarge),
    ],
)
def test_predictors_are_bounded(kind, size, parameters, error) -> None:
    """What each byte costs is bounded too, and so is a row that says it has two GiB."""
    row = bytes([kind]) + bytes(parameters.get("Columns", 1))
    bomb = zlib.compress((row * (size // len(row) + 1))[:size])
    with pytest.raises(error):
        decoded(bomb, [("FlateDecode", {"Predictor": 12, **parameters})], 1 << 30)


def test_rows_are_added_without_carrying() -> None:
    """Each byte of a row by itself, also the one that is not all there."""
    rows = b"\2\x01\xff\x80" + b"\2\x02\x01\x80" + b"\2\xff\x05"
    said = {"Predictor": 12, "Columns": 3}
    found = decoded(zlib.compress(rows), [("FlateDecode", said)], 1000)
    assert found == b"\x01\xff\x80" + b"\x03\x00\x00" + b"\x02\x05\x00"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ASCIIHexDecode", b"48 65 6c6C 6f>junk"),
        ("ASCII85Decode", b"87cUR\nDZ~>"),
        ("RunLengthDecode", b"\x01He\xffl\x00o\x80"),
        ("LZWDecode", bytes.fromhex("80120cA6c361be02")),
    ],
)
def test_filters(name: str, data: bytes) -> None:
    """Encodings other than deflate."""
    assert decoded(data, [(name, {})], 1000) == b"Hello"


def test_a_scan_finds_what_no_table_names() -> None:
    """Of two objects of one number the later one counts; neither xref nor trailer is needed."""
    body = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Kids[3 0 R]/Count 1/MediaBox[0 0 9 9]>>endobj\n"
        b"3 0 obj<</Type/Page>>endobj\n3 0 obj<</Type/Page/Rotate 450>>endobj\n"
    )
    document = Document(io.BytesIO(body))
    assert document.rebuilt
    (page,) = Book(document, 100).pages
    assert (page.rotation, page.crop) == (90, (0, 0, 9, 9))
