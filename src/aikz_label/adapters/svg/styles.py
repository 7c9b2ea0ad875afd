"""As much of CSS as tells whether a rule can hide the notice (CSS Syntax 3): declarations, and which rules meet the root.

Whoever reads a style sheet differently may show something else, so every doubt counts against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aikz_label.values import dataclass

_GAP = r"(?:\r\n|[\t\n\f\r ])?"
_NAMED = rf"(?:[\w-]|[^\x00-\x7f]|\\(?:[0-9a-fA-F]{{1,6}}{_GAP}|[^\n\r\f]))++"
_URL = (
    rf"(?:\\?u|\\0{{0,4}}[57]5{_GAP})(?:\\?r|\\0{{0,4}}[57]2{_GAP})(?:\\?l|\\0{{0,4}}[46]c{_GAP})"
)
# What may hold braces that are none; a string ends with its line, and everything with the text (CSS Syntax 3, 4.3).
_TOKEN = re.compile(
    r"(?P<comment>/\*.*?(?:\*/|\Z))"
    r"|(?P<string>\"(?:[^\"\\\n\r\f]++|\\(?:\r\n|.))*+(?:\"|(?=[\n\r\f])|\\?\Z)"
    r"|'(?:[^'\\\n\r\f]++|\\(?:\r\n|.))*+(?:'|(?=[\n\r\f])|\\?\Z))"
    rf"|[#@]{_NAMED}|(?P<url>{_URL}\([\t\n\f\r ]*+(?![\"'])(?:[^)\\]++|\\.)*+(?:\)|\\?\Z))|{_NAMED}",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)", re.DOTALL)
_NESTING = re.compile(r"[\[(][^\[\]()]*[\])]")
_COMBINATOR = re.compile(r"\s*[>+~]\s*|\s+")
_OPENING = re.compile(r"[{}]")
_PART = re.compile(r"([#.])([\w-]+)")
_MAX_DEPTH = 10
_MAX_SELECTOR = 2000
# Rules in which other rules stand; all others have declarations, or concern neither the root nor what is in it.
_GROUPS = ("media", "supports", "layer", "container", "scope", "starting-style", "document")


@dataclass(frozen=True, slots=True)
class Rule:
    """Selectors, and what is declared for what they meet."""

    selectors: tuple[str, ...]
    declared: Mapping[str, str]


def declarations(text: str) -> dict[str, str]:
    """Properties and values of a block or a `style` attribute; of two, the later one."""
    found = {}
    for part in _split(_plain(text), ";"):
        name, colon, value = part.partition(":")
        if colon:
            found[unescaped(name).strip().lower()] = value.replace("!important", "").strip()
    return found


def rules(text: str) -> Iterator[Rule]:
    """Every rule of a style sheet, also those in groups."""
    yield from _rules(_plain(text).replace("<!--", " ").replace("-->", " "), 0)


def _plain(text: str) -> str:
    """The text without comments, and without what strings and addresses hold."""
    kept = {"comment": " ", "string": "''", "url": "url()"}
    return _TOKEN.sub(lambda token: kept.get(token.lastgroup or "", token[0]), text)


def _rules(text: str, depth: int) -> Iterator[Rule]:
    for head, body in _blocks(text):
        if head.startswith("@"):
            name = re.split(r"[\s({]", head[1:], maxsplit=1)[0].lower()
            if name in _GROUPS and depth < _MAX_DEPTH:
                yield from _rules(body, depth + 1)
            elif name in _GROUPS:
                yield Rule(("*",), {"d": ""})
            continue
        selectors = tuple(part.strip() for part in _split(head, ","))
        yield Rule(selectors, declarations(_OPENING.sub(";", body)))
        # rules in rules: whatever they mean, they may meet the root
        for _, inner in _blocks(body):
            yield Rule(("*",), declarations(_OPENING.sub(";", inner)))


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """What stands before each brace, and between it and its partner; one that is never closed reaches to the end."""
    at, depth, start, head = 0, 0, 0, ""
    for match in re.finditer(r"[{};]", text):
        here = match.start()
        if match[0] == "{":
            if depth == 0:
                head, start = text[at:here].strip(), here + 1
            depth += 1
        elif match[0] == "}":
            depth = max(0, depth - 1)
            if depth == 0 and start:
                yield head, text[start:here]
                start = 0
            at = here + 1 if depth == 0 else at
        elif depth == 0:
            at = here + 1
    if start:
        yield head, text[start:]


def _split(text: str, by: str) -> list[str]:
    """Parts between separators that stand in no brackets."""
    parts, depth, at = [], 0, 0
    for match in re.finditer(rf"[()\[\]{by}]", text):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth = max(0, depth - 1)
        elif depth == 0:
            parts.append(text[at : match.start()])
            at = match.end()
    return [*parts, text[at:]]


def unescaped(text: str) -> str:
    """Escapes resolved: a property can be written so that a search for its name misses it."""
    return _ESCAPE.sub(lambda m: chr(min(int(m[1], 16), 0x10FFFF)) if m[1] else m[2], text)


def meets_root(selector: str, identity: str, classes: set[str]) -> bool:
    """Whether a selector may meet the root element, which has nothing above or beside it.

    Args:
        selector: One of a rule.
        identity: The root's `id`.
        classes: Its classes.
    """
    plain = unescaped(selector)
    if len(plain) > _MAX_SELECTOR:
        return True
    while (shorter := _NESTING.sub("", plain)) != plain:
        plain = shorter
    if _COMBINATOR.search(plain.strip()):
        return False
    plain = re.sub(r"::?[\w-]+", "", plain.strip())
    kind = re.match(r"(?:[\w-]*\|)?([\w-]+|\*)?", plain)
    if kind and kind[1] and kind[1].lower() not in {"svg", "*"}:
        return False
    return all(
        name == identity if mark == "#" else name in classes for mark, name in _PART.findall(plain)
    )
