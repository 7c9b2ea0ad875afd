"""One attempt to mark a document of the corpus, and what other programs say of the result."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass

import corpus_files
import pdf_fidelity
import pdf_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.pdf import signatures
from aikz_label.adapters.pdf.document import Document
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.report import MarkerState

# Documents that poppler draws differently each time something is added: path in the corpus → why.
EXPLAINED = {
    "pdfjs/test/pdfs/issue19634.pdf": "poppler paints shadows of Type 3 fonts wrongly, before and after"
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one document.

    Attributes:
        group: `plain`, `encrypted`, `signed`, or `broken` for what poppler does not open.
        code: Why it was refused; empty when it was marked.
        beside: Its marker is in a sidecar.
        losses: What others find wrong with the result, a sentence each.
    """

    group: str
    code: str
    beside: bool
    losses: tuple[str, ...]


def attempt(row: corpus_files.Row, config: Config, *, insist: bool) -> Outcome:
    """Mark one document and ask others about it.

    Args:
        row: Which.
        config: Who marks.
        insist: Also mark what people signed, and what the owner forbids to change.
    """
    source = row.file.read_bytes()
    group = _group(row, source)
    label = Label(origin=Origin.CREATED, system=System("PhotoGen", "2.1"))
    try:
        result = mark(
            source,
            None,
            label,
            config=config,
            allow_signed=insist,
            override_permissions=insist,
        )
    except Refused as refusal:
        return Outcome(group, refusal.code, beside=False, losses=())
    data = result.data
    assert data is not None
    losses = []
    if not data.startswith(source):
        losses.append("the source is not its beginning")
    if pdf_files.complaints(data) > pdf_files.complaints(source):
        losses.append("qpdf complains of more")
    if verify(data, config=config, sidecar=result.sidecar).marker_state is not MarkerState.TRUSTED:
        losses.append("the marker does not hold")
    if row.path not in EXPLAINED:
        losses += pdf_fidelity.differences(source, data)
    losses += _signatures(source, data)
    return Outcome(group, "", result.sidecar is not None, tuple(losses))


def _group(row: corpus_files.Row, source: bytes) -> str:
    if row.kind == "broken":
        return "broken"
    document = Document(io.BytesIO(source))
    if signatures.find(document).any:
        return "signed"
    return "encrypted" if document.trailer.get("Encrypt") else "plain"


def _signatures(source: bytes, data: bytes) -> list[str]:
    """What pyHanko says of each signature afterwards, where it could read it before."""
    before, after = intact(source), intact(data)
    return [] if before == after else [f"signatures were {before} and are {after}"]


def intact(data: bytes) -> list[object]:
    """Whether each signature is intact and valid, by pyHanko; why not, where it cannot tell."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    if b"/ByteRange" not in data:
        return []
    found: list[object] = []
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        if reader.encrypted:
            reader.decrypt(b"")
        for signature in reader.embedded_regular_signatures:
            context = ValidationContext(trust_roots=[], allow_fetching=False)
            try:
                status = validate_pdf_signature(signature, context, skip_diff=True)
                found.append((status.intact, status.valid))
            except SignatureValidationError as error:
                found.append(str(error))
    except (PdfError, SigningError, ValueError) as error:  # what it cannot read before either
        found.append(type(error).__name__)
    return found
