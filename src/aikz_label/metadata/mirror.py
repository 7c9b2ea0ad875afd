"""What our mirrors say: the properties of IPTC Photo Metadata 2025.1, in whatever metadata a format has.

Where there is a field for each of them (XMP, texts of PNG) they are written apart. Where one field must hold all (EXIF has
a comment and nothing for AI) they are written in one line, with the same names, so that people and programs can read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aikz_label.label import Label
from aikz_label.manifest.assertions import SOURCE_TYPE

SOURCE = "DigitalSourceType"
PROPERTIES = (SOURCE, "AISystemUsed", "AISystemVersionUsed")
_LINE = (
    rf"{SOURCE}=(\S+?)(?:; AISystemUsed=(.{{1,1000}}?))?(?:; AISystemVersionUsed=(.{{1,1000}}))?"
)


def statements(label: Label) -> Iterator[tuple[str, str]]:
    """Name and value of each property."""
    yield SOURCE, SOURCE_TYPE[label.origin]
    if label.system:
        yield PROPERTIES[1], label.system.name
        if label.system.version:
            yield PROPERTIES[2], label.system.version


def line(label: Label) -> str:
    """All of them in one line."""
    return "; ".join(f"{name}={value}" for name, value in statements(label))


def parsed(text: str) -> Mapping[str, str]:
    """The properties of such a line; none for any other text."""
    found = re.fullmatch(_LINE, text)
    values = found.groups() if found else ()
    return {name: value for name, value in zip(PROPERTIES, values, strict=False) if value}
