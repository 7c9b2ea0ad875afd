"""Where a PDF says things about itself: the XMP packet of the catalog, and the information dictionary of the trailer."""

from __future__ import annotations

from aikz_label.adapters.pdf import mirrors as statements
from aikz_label.adapters.pdf import pdfa
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.filters import NotDecoded, TooLarge
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Stream, Value
from aikz_label.adapters.pdf.update import Update
from aikz_label.label import Label
from aikz_label.limits import Limits
from aikz_label.metadata.xmp import XmpError
from aikz_label.report import Mirror

_MAX_PACKET = 16 << 20
_CODING = ("Filter", "DecodeParms", "DL", "F", "FFilter", "FDecodeParms", "Length")


def mirrors(document: Document, limits: Limits) -> tuple[Mirror, ...]:
    """Unsigned statements; none of a document that is locked, whose texts nobody can read."""
    if document.locked or document.foreign:
        return ()
    packet, _ = _packet(document, limits.max_xmp)
    return statements.read(packet, _info(document))


def write(update: Update, label: Label) -> tuple[str, ...]:
    """Say what the label says, in both places; what could not be written is returned, a sentence each."""
    document = update.document
    warnings = []
    old, head = _packet(document, _MAX_PACKET)
    where = document.catalog.get("Metadata")
    if old and pdfa.part(old) in {"1", "2"}:
        warnings.append(
            f"This document says it is PDF/A-{pdfa.part(old)}, which allows no attached marker: it no longer conforms. "
            "PDF/A-3 does, and so does a sidecar."
        )
    try:
        packet = statements.packet(old, label)
    except XmpError as error:
        warnings.append(f"The XMP packet of this document stays as it is, because {error}.")
    else:
        fresh = Stream({**head, "Type": Name("Metadata"), "Subtype": Name("XML")}, packet)
        if isinstance(where, Ref) and isinstance(document.get(where), Extent):
            update.change(where, fresh)
        else:
            update.root["Metadata"] = update.add(fresh)
    values: Dict = dict(statements.info(label))
    known = update.trailer.get("Info")
    if isinstance(known, Ref) and isinstance(document.resolve(known), dict):
        update.edit(known).update(values)
    else:
        own = known if isinstance(known, dict) else {}
        update.trailer["Info"] = update.add({**own, **values})
    return tuple(warnings)


def _packet(document: Document, limit: int) -> tuple[bytes | None, Dict]:
    """The packet, if there is one that can be read, and what else its stream says of itself."""
    found = document.resolve(document.catalog.get("Metadata"))
    if not isinstance(found, Extent):
        return None, {}
    head = {key: value for key, value in found.dict.items() if key not in _CODING}
    try:
        return document.decoded(found, limit) or None, head
    except (NotDecoded, TooLarge):
        return b"\0", head  # which nobody edits


def _info(document: Document) -> dict[str, Value]:
    """The information dictionary, its texts decrypted."""
    where = document.trailer.get("Info")
    found = document.mapping(where)
    if not isinstance(where, Ref):
        return found
    return {
        key: document.clear(value, where)
        for key, item in found.items()
        if not isinstance(value := document.resolve(item), Extent)
    }
