"""From the bytes of an SVG file to text, without expanding or fetching anything.

Expat says whether the text is well-formed. Entities could make it and whoever walks the text disagree, so those that hold
markup, each other or files are not handled.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from xml.parsers import expat

from aikz_label.adapters import MediaProblem
from aikz_label.limits import MIB

QUOTED = r"\"[^\"]*+\"|'[^']*+'"
COMMENT = r"<!--.*?-->"
INSTRUCTION = r"<\?.*?\?>"
_DECLARED = rf"<!(?!--)(?:[^\"'>]++|{QUOTED})*+>"
_BEFORE = re.compile(rf"(?:\s++|{COMMENT}|{INSTRUCTION})*+", re.DOTALL)
_TYPE = re.compile(
    rf"<!DOCTYPE(?:[^\[\]\"'<>]++|{QUOTED}"
    rf"|\[((?:[^\]\"'<%]++|{QUOTED}|{COMMENT}|{INSTRUCTION}|{_DECLARED})*+)\])*+>",
    re.DOTALL,
)
_ENTITY = re.compile(rf"<!ENTITY\s+(%\s+)?([^\s\"'>]+)\s+({QUOTED}|SYSTEM|PUBLIC)")
_NAMED = re.compile(r"&([^;&\s\"'>]+);")
_NUMBERED = re.compile(r"&(#x[0-9A-Fa-f]{1,8}|#\d{1,8});")
_ENCODING = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ASCII = "".join(map(chr, range(32, 127)))


def decoded(data: bytes) -> tuple[str, str, bytes]:
    """Text, encoding and byte order mark.

    Raises:
        MediaProblem: The bytes are not in the encoding that they declare, or in one that nobody here knows.
    """
    mark, name = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", ""))
    name = name or _declared(data)
    try:
        text = data[len(mark) :].decode(name)
        same = text.encode(name) == data[len(mark) :]
        plain = name.startswith("utf-16") or _ASCII.encode(name) == _ASCII.encode("ascii")
    except (LookupError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="markup") from error
    if not same or not plain:
        raise MediaProblem("damaged", detail_word="markup")
    return text, name, mark


def _declared(data: bytes) -> str:
    if data[:4] in {b"<\0?\0", b"<\0s\0", b"<\0!\0"}:
        return "utf-16-le"
    if data[:4] in {b"\0<\0?", b"\0<\0s", b"\0<\0!"}:
        return "utf-16-be"
    found = _ENCODING.match(data[:200])
    return found[1].decode("ascii").lower() if found else "utf-8"


def document_type(text: str) -> re.Match[str] | None:
    """The document type, which only comments and instructions may stand before.

    Raises:
        MediaProblem: It is one that is not read here.
    """
    before = _BEFORE.match(text)
    at = before.end() if before else 0
    found = _TYPE.match(text, at)
    if found is None and text.startswith("<!DOCTYPE", at):
        raise MediaProblem("entities")
    return found


def entities(text: str) -> dict[str, str]:
    """Internal entities of plain text; nothing is expanded but by looking it up once.

    Raises:
        MediaProblem: They hold markup, each other or files, or would make a long text.
    """
    found = document_type(text)
    if found is None:
        return {}
    declared: dict[str, str] = {}
    used = Counter(_NAMED.findall(text))  # once: looking for each of thousands would take minutes
    for parameter, name, value in _ENTITY.findall(found[1] or ""):
        plain = _NUMBERED.sub("", value[1:-1])
        expanded = used[name] * len(value)
        if parameter or value[0] not in "\"'" or "<" in plain or "&" in plain or expanded > MIB:
            raise MediaProblem("entities")
        declared.setdefault(name, _NUMBERED.sub(lambda match: character(match[1]), value[1:-1]))
        if {"<", "&"} & set(declared[name]):
            raise MediaProblem("entities")
    return declared


def defaults(text: str) -> set[str]:
    """Names of attributes that the document type gives elements whose tags do not have them."""
    declared, names = document_type(text), set[str]()
    if declared is None:
        return names

    def note(_element: str, name: str, _kind: str, value: str | None, _required: int) -> None:
        if value is not None:
            names.add(name)

    parser = expat.ParserCreate("utf-8")
    parser.AttlistDeclHandler = note
    parser.Parse(f"{text[: declared.end()]}<svg/>".encode(), True)
    return names


def character(name: str) -> str:
    """What a numeric reference stands for."""
    digits = name[1:]
    number = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
    return chr(number) if number <= 0x10FFFF else ""


def check_markup(text: str) -> None:
    """Have a parser see that it is well-formed; it fetches nothing.

    Raises:
        MediaProblem: It is not.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    try:
        parser.Parse(text.encode("utf-8"), True)
    except (expat.ExpatError, ValueError) as error:
        raise MediaProblem("damaged", detail_word="markup") from error
