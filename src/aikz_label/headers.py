"""The `AI-Disclosure` field of an HTTP response (draft-abaris-aicdh): the label for clients that see no body.

It is a dictionary of RFC 9651. The field declares and proves nothing; the marker in the body does.
"""

from __future__ import annotations

from datetime import datetime

from aikz_label.label import Label, Origin

NAME = "AI-Disclosure"
_MODE = {Origin.CREATED: "ai-originated", Origin.ALTERED: "ai-modified"}
_PLAIN = frozenset(map(chr, range(0x20, 0x7F)))


def ai_disclosure(label: Label, *, date: datetime | None = None) -> str:
    """The value of the field for a label.

    Args:
        label: What is declared; its system is the model.
        date: When the answer was made.
    """
    members = [f"mode={_MODE[label.origin]}"]
    if label.system is not None:
        members.append(f"model={_string(str(label.system))}")
    if label.responsible is not None:
        members.append(f"provider={_string(label.responsible.name)}")
    if date is not None:
        members.append(f"date=@{int(date.timestamp())}")
    return ", ".join(members)


def _string(text: str) -> str:
    """A String, or a Display String where a letter is not ASCII."""
    if _PLAIN.issuperset(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    octets = "".join(
        chr(octet) if chr(octet) in _PLAIN - {"%", '"'} else f"%{octet:02x}"
        for octet in text.encode()
    )
    return f'%"{octets}"'
