"""Signatures of people in a PDF: whether there are any, and what they allow to be added.

Whether they hold is not asked. A change that their bytes survive can still be one that they forbid, so a file that carries
any is labelled before it is signed, or by annotations alone when the caller insists.
"""

from __future__ import annotations

from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.objects import Dict, Extent, Ref, Value
from aikz_label.values import dataclass

_MAX_FIELDS = 100_000
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Signatures:
    """What was found.

    Attributes:
        count: Signatures in fields.
        allows: 1 for no change, 2 for filling in forms, 3 for annotations too; 4 where nobody restricts anything.
        certified: A signature says what may be changed.
        rights: A publisher's signature gives users of one program more rights.
    """

    count: int = 0
    allows: int = 4
    certified: bool = False
    rights: bool = False

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.count or self.certified or self.rights)


def find(document: Document) -> Signatures:
    """Look for signatures in the fields of the form, and among the permissions of the catalog."""
    count, allows, certified = 0, 4, False
    permissions = document.mapping(document.catalog.get("Perms"))
    signed = [document.mapping(one) for one in _fields(document)]
    if document.mapping(permissions.get("DocMDP")):
        certified = True
        signed.append({"V": permissions["DocMDP"]})
    for field in signed:
        signature = document.mapping(field.get("V"))
        if not signature:
            continue
        count += 1
        for one in document.array(signature.get("Reference")):
            reference = document.mapping(one)
            if reference.get("TransformMethod") == "DocMDP":
                certified = True
                allows = min(allows, _level(document, reference.get("TransformParams"), 2))
        lock = document.mapping(field.get("Lock"))
        if "P" in lock:
            allows = min(allows, _level(document, lock, 4))
    rights = bool(permissions.get("UR3") or permissions.get("UR"))
    return Signatures(count, allows, certified, rights)


def _level(document: Document, value: Value, default: int) -> int:
    found = document.resolve(document.mapping(value).get("P"))
    return found if isinstance(found, int) and found in {1, 2, 3} else default


def _fields(document: Document) -> list[Dict]:
    """Fields for signatures, wherever the form has them."""
    form = document.mapping(document.catalog.get("AcroForm"))
    found: list[Dict] = []
    pending: list[tuple[Value, Value, int]] = [
        (one, None, 0) for one in document.array(form.get("Fields"))
    ]
    seen: set[Ref] = set()
    while pending and len(seen) < _MAX_FIELDS:
        value, kind, depth = pending.pop()
        if isinstance(value, Ref):
            if value in seen:
                continue
            seen.add(value)
        field = document.mapping(value)
        own = document.resolve(field.get("FT"))
        kind = kind if own is None or isinstance(own, Extent) else own
        if kind == "Sig" and "V" in field:
            found.append(field)
        if depth < _MAX_DEPTH:
            pending += [(one, kind, depth + 1) for one in document.array(field.get("Kids"))]
    return found
