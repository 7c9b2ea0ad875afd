"""What the mirrors of a PDF say, in XMP and in the information dictionary, and what other tools say there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aikz_label.adapters.pdf import pdfa
from aikz_label.adapters.pdf.objects import Value, as_text, text
from aikz_label.label import Label
from aikz_label.limits import MIB
from aikz_label.metadata import declarations, mirror, xmp
from aikz_label.report import Mirror

_MAX_PACKET = MIB  # which is also the most that is read again
_MAX_ENTRIES = 1000  # of the information dictionary


def packet(existing: bytes | None, label: Label) -> bytes:
    """The XMP packet with what the label says; everything else in it stays.

    Raises:
        XmpError: It cannot be edited without risk.
    """
    return pdfa.described(xmp.write(existing, label, most=_MAX_PACKET))


def info(label: Label) -> dict[str, bytes]:
    """The same for the information dictionary."""
    return {name: text(value) for name, value in mirror.statements(label)}


def read(found: bytes | None, info: Mapping[str, Value]) -> tuple[Mirror, ...]:
    """The statements of both."""
    return (*(xmp.read(found) if found else ()), *declarations.in_texts(_fields(info)))


def _fields(info: Mapping[str, Value]) -> Iterator[tuple[str, str, str]]:
    for key, value in list(info.items())[:_MAX_ENTRIES]:
        if key in declarations.KEYWORDS and isinstance(value, bytes):
            yield "pdf-info", key, as_text(value)
