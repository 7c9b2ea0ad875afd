"""Which kind of text these bytes are: by structure alone, in one bounded look at the first lines.

Prose, tables, code and configuration have no signature. What is not plainly something else is `text`; a caller who knows
better says so (`mark --as`). Two mistakes are not equal: prose taken for a table is refused and loses nothing, a table
taken for prose would get lines that no program can read. So tables and code need little evidence, Markdown more.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence

from aikz_label.formats import codelines

HEAD = 64 * 1024
_LINES = 250
_CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_CUE = re.compile(r"\d{1,9}[ \t]{0,9}\r?\n\d{1,3}:\d\d:\d\d[,.]\d{1,3} {0,4}-->")


def kind(head: bytes) -> str:
    """Name of the format (`svg` included), or an empty string when this is no text.

    Args:
        head: The first 64 KiB of a file, or all of it.
    """
    text = _decoded(head)
    if text is None:  # a legacy code page: only markup says so itself
        return _markup_kind(head.decode("latin-1").lstrip()) if _printable(head) else ""
    if text == _BINARY:
        return ""
    text, whole = text.lstrip("\ufeff \t\r\n"), len(head) < HEAD
    return _signed(text, whole=whole) or _unsigned(text, whole=whole)


def _signed(text: str, *, whole: bool) -> str:
    """A kind that its first characters tell."""
    if text.startswith("WEBVTT") and text[6:7] in {"", " ", "\t", "\n", "\r"}:
        return "vtt"
    if _CUE.match(text):
        return "srt"
    json_like = text[:1] in {"{", "["} and _is_json(text, whole=whole)
    return _markup_kind(text) or ("json" if json_like else "")


def _unsigned(text: str, *, whole: bool) -> str:
    """A kind that only the structure of many lines tells."""
    lines = lines_of(text, whole=whole)
    return next((name for name, test in _TESTS if test(lines)), "text")


def _decoded(head: bytes) -> str | None:
    """The text of the bytes; `None` when they are not Unicode."""
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = head.decode("utf-16" if wide else "utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < len(head) - 4:  # not just cut in a character
            return _BINARY if wide else None
        text = head[: error.start].decode("utf-16" if wide else "utf-8")
    # a log or a test file may hold some control characters, but text holds no zeros
    return text if "\0" not in text and len(_CONTROLS.findall(text)) * 32 <= len(text) else _BINARY


_BINARY = "\0"


def _printable(head: bytes) -> bool:
    return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and not re.search(
        rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]", head
    )


def lines_of(text: str, *, whole: bool) -> list[str]:
    """The first lines, without one that the end of the look has cut."""
    lines = re.split(r"\r\n|\r|\n", text[:HEAD], maxsplit=_LINES)[:_LINES]
    return lines if whole or len(lines) == 1 else lines[:-1]


# --- markup and JSON --------------------------------------------------------------------------------------------------

# Elements a fragment of HTML may start with. `svg` and `math` on their own are XML.
_HTML = frozenset(
    (
        "html",
        "head",
        "body",
        "title",
        "meta",
        "link",
        "script",
        "style",
        "base",
        "frameset",
        "article",
        "aside",
        "section",
        "header",
        "footer",
        "nav",
        "main",
        "div",
        "p",
        "span",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "dl",
        "table",
        "form",
        "a",
        "img",
        "b",
        "i",
        "em",
        "strong",
        "br",
        "hr",
        "pre",
        "blockquote",
        "figure",
        "details",
        "template",
        "center",
        "font",
    )
)
_ELEMENT = re.compile(r"<([A-Za-z][\w:.-]{0,60})(?=[\s/>])")


def _markup_kind(text: str) -> str:
    """SVG, HTML or XML, by the first element or document type after the prologue."""
    declared = text.startswith("<?xml")
    if declared:
        text = text[text.find("?>") + 2 :].lstrip()
    for _ in range(20):
        closing = "-->" if text.startswith("<!--") else "?>" if text.startswith("<?xml-") else ""
        if not closing:
            break
        before, found, text = text.partition(closing)
        text = text.lstrip() if found else before
        if not found:
            break
    start = text[:40].lower()
    if start.startswith("<!doctype svg"):
        return "svg"
    if start.startswith("<!doctype html"):
        return "html"
    element = _ELEMENT.match(text)
    if element is None:
        return "xml" if declared or start.startswith("<!doctype ") else ""
    name = element[1].lower()
    if name.rpartition(":")[2] == "svg":
        return "svg"
    if name == "html" or (name in _HTML and not declared):
        return "html"
    return "xml" if declared or _closes(text, element[1]) else ""


def _closes(text: str, name: str) -> bool:
    """Whether an element that is none of HTML's ends where the text ends, or is longer than this look."""
    end = text.rstrip()
    return end.endswith((f"</{name}>", "/>", "-->")) or len(text) > HEAD - 8


_JSON_START = re.compile(r'[\[{]\s{0,1000}[\]}"\d\[{tfn-]')


def _is_json(text: str, *, whole: bool) -> bool:
    """A whole document parses; one that goes on after this look starts like one."""
    if not whole:
        return _JSON_START.match(text) is not None
    try:
        json.loads(text)
    except RecursionError:
        return True
    except ValueError:
        return _is_json_lines(text)
    return True


def _is_json_lines(text: str) -> bool:
    rows = [line for line in text.splitlines()[:50] if line.strip()]
    try:
        return len(rows) > 1 and all(isinstance(json.loads(row), dict | list) for row in rows)
    except (ValueError, RecursionError):
        return False


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(delimiter: str) -> Callable[[Sequence[str]], bool]:
    """Whether nearly all lines have the same number of one delimiter, used as tables use it and prose does not."""

    def test(lines: Sequence[str]) -> bool:
        said = [line for line in lines if line.strip()]
        if not said or delimiter not in said[0]:  # most texts end here
            return False
        rows = ["".join(line.lstrip("\t").split('"')[::2]) for line in said]
        counts = [row.count(delimiter) for row in rows]
        if len(rows) < 2 or not counts[0]:
            return False
        same = sum(count == counts[0] for count in counts)
        if delimiter == "\t":
            return same >= 0.9 * len(rows)
        spaced = sum(row.count(delimiter + " ") + row.endswith(delimiter) for row in rows)
        if same == len(rows) >= 5:
            return sum(len(row.split()) for row in rows) <= 3 * (sum(counts) + len(rows))
        ragged = counts[0] >= 3 and max(counts) == counts[0] and not spaced
        return ragged or (same >= 0.9 * len(rows) and spaced * 2 <= sum(counts))

    return test


# --- configuration ----------------------------------------------------------------------------------------------------

_KEY = re.compile(r"(?:- )*(?:[\w.$/@*<-]{1,80}|\"[^\"]{0,80}\"|'[^']{0,80}')[ \t]{0,9}:(?=\s|$)")
_TOML_TABLE = re.compile(r"\[\[?[^\[\]]{1,200}\]\]?\s*(?:#.*)?$")
_TOML_PAIR = re.compile(
    r"[\w.\"'-]{1,100}[ \t]{0,40}=[ \t]{0,40}(?:[\"'\[{\d+-]|true|false|inf|nan)"
)
_MAIL = ("Return-Path:", "Received:", "MIME-Version:", "Delivered-To:", "Message-ID:")
_INI_PAIR = re.compile(r"[\w. -]{1,100}=")


def _meaning(lines: Sequence[str]) -> list[str]:
    """Lines that are neither blank nor a comment."""
    return [line for line in lines if line.strip() and not line.lstrip().startswith(("#", ";"))]


def _yaml(lines: Sequence[str]) -> bool:
    if lines[0].startswith("%YAML"):
        return True
    if lines[0].rstrip() == "---" and _after_front_matter(lines, "---"):
        return False
    said = [line for line in _meaning(lines) if line.rstrip() not in {"---", "..."}]
    if any(line.startswith(_MAIL) for line in said[:20]):
        return False
    top = [line for line in said if line[:1] not in {" ", "\t"}]
    if not top or not all(_KEY.match(line) or line[0] in "-]}" for line in top):
        return False
    keys = [line for line in said if _KEY.match(line.strip())]
    return len(keys) >= (1 if lines[0].rstrip() == "---" else 2)


def _toml(lines: Sequence[str]) -> bool:
    said = _meaning(lines)
    pairs = [line for line in said if "=" in line and _TOML_PAIR.match(line.strip())]
    if not pairs:
        return False
    tables = [line for line in said if _TOML_TABLE.match(line.strip())]
    inside = [line for line in said if line.strip()[:1] in {'"', "'", "]", "}", "[", "{"}]
    return len(pairs) + len(tables) >= 2 and (
        len({*tables, *pairs, *inside}) >= 0.95 * len(set(said))
    )


def _ini(lines: Sequence[str]) -> bool:
    """Sections and unquoted values, or nothing but `NAME=value`."""
    said = _meaning(lines)
    pairs = [line for line in said if "=" in line and _INI_PAIR.match(line.strip())]
    if not pairs:
        return False
    tables = [line for line in said if _TOML_TABLE.match(line.strip())]
    return len(pairs) + len(tables) >= 0.95 * len(said) and len(pairs) >= (1 if tables else 2)


def _after_front_matter(lines: Sequence[str], fence: str) -> bool:
    """Whether a block between two fences is followed by a text."""
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in {fence, "..."}), 0)
    rest = [line for line in lines[end + 1 :] if line.strip()]
    return bool(end and rest) and not (_KEY.match(rest[0]) or rest[0].rstrip() == fence)


# --- source code ------------------------------------------------------------------------------------------------------


def language(text: str) -> str:
    """Name of a language whose comments this source takes; empty when its lines do not tell."""
    lines = lines_of(text.lstrip("\ufeff"), whole=True)
    return codelines.language(lines) or ("ini" if _ini(lines) and not _toml(lines) else "")


def _source(lines: Sequence[str]) -> bool:
    return codelines.is_source(lines) or _ini(lines)


# --- Markdown ---------------------------------------------------------------------------------------------------------

_STRONG = re.compile(
    r"#{1,6} \S|```|~~~|\|? ?:?-{3,}:? ?\||!?\[[^\]]{0,300}\]\([^)]{1,500}\)|\[[^\]]{1,100}\]: \S|<!-- |> \[!"
)
_WEAK = re.compile(
    r"[-*+] \S|\d{1,3}[.)] \S|> |.{0,300}(?:\*\*|__)\S.{0,300}?\S(?:\*\*|__)|.{0,300}\]\("
)
_UNDERLINE = re.compile(r"(?:={3,}|-{3,})\s*$")


def _markdown(lines: Sequence[str]) -> bool:
    body = [line.strip()[:600] for line in lines[:200]]
    strong = sum(bool(_STRONG.match(line)) for line in body)
    weak = sum(bool(_WEAK.match(line)) for line in body)
    under = sum(
        bool(_UNDERLINE.match(line)) and bool(before) for before, line in itertools.pairwise(body)
    )
    titled = lines[0].startswith("# ") and not "".join(lines[1:2]).strip()
    return strong * 2 + under * 2 + min(weak, 3) + titled >= 3


_FENCE = re.compile(r"(?:```|~~~)[\w{.+-]*")
_SECTION = re.compile(r"#{2,6} \S")
_LINK = re.compile(r"\]\([^)\s]{1,500}\)")


def _surely_markdown(lines: Sequence[str]) -> bool:
    """Front matter, or fences, links and headings that code cannot have, whatever stands between them."""
    if lines[0].rstrip() in {"---", "+++"} and _after_front_matter(lines, lines[0].rstrip()):
        return True
    fences = sum(bool(_FENCE.fullmatch(line.strip())) for line in lines)
    sections = sum(bool(_SECTION.match(line)) for line in lines)
    links = sum(
        bool(_LINK.search(line[:2000])) for line in lines if not line.startswith(("#", "//"))
    )
    heading = lines[0].startswith("# ") and not codelines.commented(lines)
    return fences >= 2 or (sections > 0) + (links > 0) + heading >= 2


_TESTS: tuple[tuple[str, Callable[[Sequence[str]], bool]], ...] = (
    ("tsv", _table("\t")),
    ("csv", _table(",")),
    ("csv", _table(";")),
    ("toml", _toml),
    ("yaml", _yaml),
    ("markdown", _surely_markdown),
    ("source", _source),
    ("markdown", _markdown),
)
