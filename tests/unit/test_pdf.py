"""PDF: an update behind the file, of the file's own kind, and a marker that says what was done to it since."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

import pdf_files
from aikz_label import Label, MarkResult, Refused, mark, verify, verify_many
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.marker import attached
from aikz_label.adapters.pdf.objects import Ref, as_text
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.report import MarkerState, Report, Verdict
from support import require_tool

LABEL = Label(origin=Origin.CREATED, system=System("ЖИ-жүйе", "2"))


@pytest.fixture
def marked(config: Config) -> Callable[..., MarkResult]:
    """Marks without a notice, which is another module's business."""

    def work(data: bytes, **options: object) -> MarkResult:
        options = {"notice": "none", "notice_reason": "tested elsewhere"} | options
        return mark(data, None, LABEL, config=config, **options)  # type: ignore[arg-type]

    return work


def bytes_of(result: MarkResult) -> bytes:
    assert result.data is not None
    return result.data


def why(report: Report) -> str:
    return report.reason.code


KINDS: dict[str, Callable[[], bytes]] = {
    "table": pdf_files.document,
    "packed": pdf_files.packed,
    "hybrid": pdf_files.hybrid,
    "1.0": lambda: pdf_files.document(version="1.0"),
    "2.0": lambda: pdf_files.document(version="2.0"),
    "junk before": lambda: pdf_files.document(before=b"\r\n\0junk\n"),
    "junk behind": lambda: pdf_files.document() + b"\0" * 3000,
    "no end of line": lambda: pdf_files.document().rstrip(),
    "no end": lambda: pdf_files.document().partition(b"xref\n")[0],
    "wrong start": lambda: pdf_files.document().replace(b"startxref\n", b"startxref\n9"),
    "wrong offsets": lambda: pdf_files.document().replace(b"000000", b"000001"),
    "updated": lambda: pdf_files.appended(pdf_files.document(), {900: b"(x)"}),
    "linearised": lambda: pdf_files.by_qpdf(pdf_files.document(), "--linearize"),
    "xmp": lambda: pdf_files.document(
        pdf_files.page_objects(catalog="/Metadata 90 0 R")
        | {90: pdf_files.stream(_PACKET, b"/Type/Metadata/Subtype/XML")}
    ),
}
_PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">Kept</rdf:li>'
    b"</rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)


@pytest.mark.parametrize("kind", KINDS)
def test_appended_and_nothing_else(
    kind: str, marked: Callable[..., MarkResult], config: Config
) -> None:
    """The source is the beginning of the result, other readers see no new fault in it, and the marker holds."""
    source = KINDS[kind]()
    result = bytes_of(marked(source))
    assert result.startswith(source)
    assert pdf_files.complaints(result) <= pdf_files.complaints(source)
    report = verify(result, config=config)
    assert report.marker_state is MarkerState.TRUSTED
    assert {mirror.carrier for mirror in report.mirrors} >= {"xmp"}
    before, after = Document(io.BytesIO(source)), Document(io.BytesIO(result))
    assert not after.rebuilt
    if not before.rebuilt:
        assert after.sections[0].stream is before.sections[0].stream
    info = after.mapping(after.trailer["Info"])
    assert as_text(info["AISystemUsed"]) == "ЖИ-жүйе"
    if kind == "xmp":
        assert b">Kept<" in result[len(source) :]


@pytest.mark.parametrize("kind", pdf_files.ENCRYPTIONS)
@pytest.mark.parametrize("user", ["", "құпия"])
def test_encrypted(kind: str, user: str, marked: Callable[..., MarkResult], config: Config) -> None:
    """It stays encrypted as it was; the marker is in clear where there is a way to say so, and beside it where not."""
    bits, options = pdf_files.ENCRYPTIONS[kind]
    if user and bits < 256:
        user = "secret"
    source = pdf_files.encrypted(bits, user, "owner", *options)
    result = marked(source, password=user)
    data = bytes_of(result)
    assert data.startswith(source)
    assert pdf_files.complaints(data, user) == 0
    assert (result.sidecar is not None) == (kind in {"rc4-40", "rc4-128"})
    assert pdf_files.encryption(data, user) == pdf_files.encryption(source, user)
    report = verify(data, config=config, sidecar=result.sidecar)  # needs no password
    assert report.marker_state is MarkerState.TRUSTED
    clear = Document(io.BytesIO(pdf_files.by_qpdf(data, f"--password={user}", "--decrypt")))
    info = clear.mapping(clear.trailer["Info"])
    assert as_text(info["AISystemUsed"]) == "ЖИ-жүйе"
    xmp = clear.resolve(clear.catalog["Metadata"])
    assert "ЖИ-жүйе".encode() in clear.decoded(xmp, 1 << 20)  # type: ignore[arg-type]


def test_password(marked: Callable[..., MarkResult], config: Config, tmp_path: Path) -> None:
    """Without the password it is refused; the owner's opens it too; and it is not measured without."""
    source = pdf_files.encrypted(256, "user", "owner")
    for wrong in ("", "wrong"):
        with pytest.raises(Refused) as refusal:
            marked(source, password=wrong)
        assert refusal.value.code == "password"
    for right in ("user", "owner"):
        assert bytes_of(marked(source, password=right)).startswith(source)
    assert verify(source, config=config).verdict is Verdict.UNREADABLE
    assert verify(source, config=config, password="user").verdict is Verdict.UNMARKED
    path = tmp_path / "secret.pdf"
    path.write_bytes(source)
    (report,) = verify_many([path], config=config, password="user", jobs=1)
    assert report.verdict is Verdict.UNMARKED


def test_permission(marked: Callable[..., MarkResult]) -> None:
    """What the owner does not allow is done on the owner's word only, or the caller's."""
    source = pdf_files.encrypted(256, "", "owner", "--modify=none")
    with pytest.raises(Refused) as refusal:
        marked(source)
    assert refusal.value.code == "permission"
    assert bytes_of(marked(source, password="owner"))
    assert bytes_of(marked(source, override_permissions=True))


def test_changed_after_marking(marked: Callable[..., MarkResult], config: Config) -> None:
    """A later update is named, whether it changes a page, hides it, or takes the marker away."""
    data = bytes_of(marked(pdf_files.document()))
    catalog = b"<</Type/Catalog/Pages 2 0 R>>"
    shadow = b"<</Type/Page/Parent 2 0 R/Contents 7 0 R>>"
    for objects in ({900: b"(x)"}, {4: shadow}, {1: catalog}):
        report = verify(pdf_files.appended(data, objects), config=config)
        assert (report.verdict, why(report)) == (Verdict.INVALID, "marker.updated")
    report = verify(data + b"\n%", config=config)
    assert (report.verdict, why(report)) == (Verdict.INVALID, "marker.updated")


def test_changed_before_it(marked: Callable[..., MarkResult], config: Config) -> None:
    """A change within what was marked is one, with or without an update behind it."""
    data = bytes_of(marked(pdf_files.document())).replace(b"Page 1", b"Page 7")
    for changed in (data, pdf_files.appended(data, {900: b"(x)"})):
        report = verify(changed, config=config)
        assert (report.verdict, why(report)) == (Verdict.INVALID, "marker.altered")


def test_every_bit_counts(marked: Callable[..., MarkResult], config: Config) -> None:
    """No bit outside the marker can be flipped; some are tried everywhere, and most in the update's structure."""
    source = pdf_files.document()
    data = bytes_of(marked(source))
    document = Document(io.BytesIO(data))
    (store,) = attached(document)
    assert store.store is not None
    tail = document.sections[0].at
    places = {*range(0, len(data), 97), *range(tail, len(data), 7)}
    for at in sorted(places - {*range(store.start, store.start + len(store.store))}):
        flipped = bytearray(data)
        flipped[at] ^= 1
        verdict = verify(bytes(flipped), config=config).verdict
        assert verdict in {Verdict.INVALID, Verdict.UNREADABLE}, at


def test_two_markers(marked: Callable[..., MarkResult], config: Config) -> None:
    """Which of two markers counts cannot be told."""
    data = bytes_of(marked(pdf_files.document()))
    document = Document(io.BytesIO(data))
    (one,) = document.array(document.catalog["AF"])
    assert isinstance(one, Ref)
    twice = b"<</Type/Catalog/Pages 2 0 R/AF[%d 0 R %d 0 R]>>" % (one.num, one.num)
    report = verify(pdf_files.appended(data, {1: twice}), config=config)
    assert (report.verdict, why(report)) == (Verdict.INVALID, "marker.several-attached")


def test_again(marked: Callable[..., MarkResult], config: Config) -> None:
    """An update has the marked document as its parent; a replacement forgets it; either leaves one marker attached."""
    first = bytes_of(marked(pdf_files.document()))
    with pytest.raises(Refused, match="carries a marker already"):
        marked(first)
    updated = marked(first, on_existing="update")
    assert bytes_of(updated).startswith(first)
    assert [step.relation for step in updated.report.marker.history] == ["parent"]
    replaced = marked(first, on_existing="replace")
    assert not replaced.report.marker.history
    beside = marked(first, on_existing="replace", sidecar="always")
    report = verify(bytes_of(beside), sidecar=beside.sidecar, config=config)
    assert (report.marker_state, report.marker.carrier) == (MarkerState.TRUSTED, "sidecar")


@pytest.mark.parametrize(
    "names",
    [
        "/Names<</EmbeddedFiles<</Names[(a)90 0 R(z)90 0 R]>>>>",
        "/Names<</EmbeddedFiles 91 0 R>>",
        "/Names<</EmbeddedFiles<</Kids[92 0 R 93 0 R]>>>>",
        "/Names<</EmbeddedFiles<</Kids[93 0 R]>>>>/AF[90 0 R]",
        "/Names(broken)/AF(broken)",
    ],
)
def test_other_attachments_stay(names: str, marked: Callable[..., MarkResult]) -> None:
    """The tree of names keeps what it had, in order."""
    objects = pdf_files.page_objects(catalog=names) | {
        90: b"<</Type/Filespec/F(a)/AFRelationship/Data>>",
        91: b"<</Names[(a)90 0 R(z)90 0 R]>>",
        92: b"<</Names[(a)90 0 R(b)90 0 R]/Limits[(a)(b)]>>",
        93: b"<</Names[(m)90 0 R(z)90 0 R]/Limits[(m)(z)]>>",
    }
    source = pdf_files.document(objects)
    result = bytes_of(marked(source))
    assert pdf_files.complaints(result) == pdf_files.complaints(source)
    tool = require_tool("pdfdetach")
    listed = pdf_files.output(result, tool, "-list")
    assert listed.count("content_credential.c2pa") == 1


def test_no_pages(marked: Callable[..., MarkResult]) -> None:
    """A document without pages has nowhere to put a notice."""
    with pytest.raises(Refused) as refusal:
        marked(pdf_files.document({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Kids[]>>"}))
    assert refusal.value.code == "damaged"
