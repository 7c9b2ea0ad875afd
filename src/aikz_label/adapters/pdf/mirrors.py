"""What the mirrors of a PDF say, in XMP and in the information dictionary."""

from __future__ import annotations

from aikz_label.adapters.pdf.objects import Value, text
from aikz_label.label import Label
from aikz_label.metadata import mirror, xmp
from aikz_label.report import Mirror


def packet(existing: bytes | None, label: Label) -> bytes:
    """The XMP packet with what the label says."""
    return xmp.write(existing, label)


def info(label: Label) -> dict[str, bytes]:
    """The same for the information dictionary."""
    return {name: text(value) for name, value in mirror.statements(label)}


def read(found: bytes | None, info: dict[str, Value]) -> tuple[Mirror, ...]:  # noqa: ARG001
    """The statements of both."""
    return xmp.read(found) if found else ()
