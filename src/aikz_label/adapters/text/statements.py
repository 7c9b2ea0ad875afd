"""What a text's own metadata say about AI: the same few words in front matter, in HTML and in an HTTP header."""

from __future__ import annotations

import re

from aikz_label.label import Label, Origin
from aikz_label.manifest.assertions import SOURCE_TYPE, origin_of
from aikz_label.report import Mirror

DISCLOSURE, SOURCE, SYSTEM = "ai-disclosure", "digital-source-type", "ai-system"
KEYS = (DISCLOSURE, SOURCE, SYSTEM)
# W3C AI Content Disclosure Community Group, proposal: absence means unknown.
_DISCLOSURE = {Origin.CREATED: "ai-generated", Origin.ALTERED: "ai-assisted"}
_READ: dict[str, Origin | bool] = {
    "none": False,
    "ai-assisted": Origin.ALTERED,
    "mixed": Origin.ALTERED,
    "ai-generated": Origin.CREATED,
    "autonomous": Origin.CREATED,
}
# schema.org IPTCDigitalSourceEnumeration: the NewsCodes with another ending.
_SCHEMA = "https://schema.org/"
_ENDING = "DigitalSource"
_KEY = re.compile(r"[\"']?([A-Za-z][\w-]{0,60})[\"']?\s*[:=]")


def keys(label: Label) -> dict[str, str]:
    """Keys and values for a label."""
    found = {DISCLOSURE: _DISCLOSURE[label.origin], SOURCE: SOURCE_TYPE[label.origin]}
    return found | {SYSTEM: str(label.system)} if label.system else found


def schema_org(label: Label) -> str:
    """The value of schema.org's `digitalSourceType`."""
    code = SOURCE_TYPE[label.origin].rpartition("/")[2]
    return f"{_SCHEMA}{code[0].upper()}{code[1:]}{_ENDING}"


def key_of(line: str) -> str:
    """The key that a line of front matter starts with; empty without one."""
    found = _KEY.match(line)
    return found[1] if found else ""


def read(carrier: str, key: str, value: str) -> Mirror | None:
    """A statement about AI, if this is one."""
    value = value.strip()[:300]
    if key.lower() == DISCLOSURE:
        return Mirror(carrier, key, value, _READ.get(value.lower()))
    if key.lower() in {SOURCE, "digitalsourcetype"}:
        return Mirror(carrier, key, value, origin_of(_newscode(value)))
    return None


def _newscode(value: str) -> str:
    """IPTC's code for a value of IPTC or schema.org."""
    code = value.rpartition("/")[2]
    if code.endswith(_ENDING):
        code = code.removesuffix(_ENDING)
        code = code[:1].lower() + code[1:]
    return code
