"""HTML as a browser takes it apart: tags, comments and raw text, in one pass that no markup can slow down.

Follows the tokenizer of the HTML standard as far as places matter: what is a tag, what hides inside a comment or a script,
where head and body begin. Nothing is built, nothing is repaired.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from aikz_label.values import dataclass

_SPACE = "\t\n\f\r "
_NAME = re.compile(r"[A-Za-z][^\t\n\f\r />]*")
_PLAIN_TAG = re.compile(r"<(/?)([A-Za-z][^\t\n\f\r />]*)>")
_GAP = re.compile(r"[\t\n\f\r /]*")
_KEY = re.compile(r"=?[^\t\n\f\r />=]*")
_EQUALS = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_BARE = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END = re.compile("--!?>")
_SCRIPT = re.compile(r"<!--|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE)
_RAW = ("script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title", "noscript")
_CLOSERS = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE)
    for name in _RAW
    if name != "script"
}
_HEAD = {
    "title",
    "meta",
    "link",
    "script",
    "style",
    "base",
    "basefont",
    "bgsound",
    "template",
    "noscript",
    "noframes",
}
_MAX_ATTRIBUTES = 200


class Token(NamedTuple):  # a page is hundreds of thousands of them
    """One piece of markup.

    Attributes:
        kind: `start`, `end`, `text`, `comment`, `doctype`, or `raw` for the text inside a script, style, title and so on.
        name: Name of the element, in small letters.
        start: Where it starts.
        stop: Where it ends.
        attributes: Of a start tag; the first of a name counts.
        closed: It has its end; a document can break off inside anything.
    """

    kind: str
    name: str
    start: int
    stop: int
    attributes: tuple[tuple[str, str], ...] = ()
    closed: bool = True

    def get(self, name: str) -> str:
        """Value of an attribute, its character references resolved; empty without it."""
        return html.unescape(next((v for key, v in self.attributes if key == name), ""))

    def has(self, name: str) -> bool:
        """Whether there is such an attribute."""
        return any(key == name for key, _ in self.attributes)


@dataclass(frozen=True, slots=True)
class Page:
    """Where a document can take something.

    Attributes:
        head: The end of its head.
        body: The start of its body's content.
        frames: It is a set of frames and has no body.
        policy: Content security policies that it states itself.
        whole: It says that it is a document, not a fragment.
    """

    head: int
    body: int
    frames: bool
    policy: tuple[str, ...]
    whole: bool


def tokens(text: str) -> Iterator[Token]:
    """Take a document apart, from its start; linear in the text."""
    at = 0
    while at < len(text):
        opened = text.find("<", at)
        if opened < 0:
            yield Token("text", "", at, len(text))
            return
        plain = _PLAIN_TAG.match(text, opened)  # as most tags are
        token = _plain(plain) if plain else _markup(text, opened)
        if token is None:  # a lone "<" is text
            yield Token("text", "", at, opened + 1)
            at = opened + 1
            continue
        if opened > at:
            yield Token("text", "", at, opened)
        yield token
        at = token.stop
        if token.kind == "start" and token.closed:
            if token.name in _RAW:
                stop = _raw_end(text, at, token.name)
                yield Token("raw", token.name, at, stop, closed=stop < len(text))
                at = stop
            elif token.name == "plaintext":
                yield Token("raw", token.name, at, len(text), closed=False)
                return


def page(text: str) -> Page:
    """Find head and body, where tags say so and where they are only implied."""
    head, policy, whole = -1, [], False
    for token in _outside_templates(text):
        if token.kind == "doctype" or token.name in {"html", "head", "body"}:
            whole = True
        if token.kind == "end" and token.name == "head":
            head = token.start
        elif _says_policy(token):
            policy.append(token.get("content"))
        start = _body_start(text, token)
        if start >= 0:
            content = token.stop if token.name == "body" else start
            frames = token.name == "frameset"
            return Page(head if head >= 0 else start, content, frames, tuple(policy), whole)
    end = len(text)
    return Page(head if head >= 0 else end, end, frames=False, policy=tuple(policy), whole=whole)


def _outside_templates(text: str) -> Iterator[Token]:
    depth = 0
    for token in tokens(text):
        if token.name == "template" and token.kind in {"start", "end"}:
            depth += 1 if token.kind == "start" else -1
        elif depth <= 0:
            yield token


def _says_policy(token: Token) -> bool:
    return (token.kind, token.name) == ("start", "meta") and token.get(
        "http-equiv"
    ).lower() == "content-security-policy"


def _body_start(text: str, token: Token) -> int:
    """Where the body starts if this token starts it, as a tag or as its first content; else -1."""
    if token.kind == "text":
        piece = text[token.start : token.stop]
        blank = len(piece) - len(piece.lstrip(_SPACE))
        return token.start + blank if blank < len(piece) else -1
    if token.kind == "start" and token.name not in _HEAD | {"html", "head"}:
        return token.start
    return -1


def _plain(tag: re.Match[str]) -> Token:
    return Token("end" if tag[1] else "start", tag[2].lower(), tag.start(), tag.end())


def _markup(text: str, at: int) -> Token | None:
    following = text[at + 1 : at + 2]
    if following == "!":
        return _declaration(text, at)
    if following == "?":
        return _until(text, at, ">", "comment")
    if following == "/":
        if _NAME.match(text, at + 2):
            return _tag(text, at, at + 2, "end")
        return _until(text, at, ">", "comment") if text[at + 2 : at + 3] else None
    return _tag(text, at, at + 1, "start") if _NAME.match(text, at + 1) else None


def _declaration(text: str, at: int) -> Token:
    if text.startswith("<!--", at):
        if text.startswith((">", "->"), at + 4):
            return Token("comment", "", at, text.index(">", at + 4) + 1)
        found = _COMMENT_END.search(text, at + 4)
        if found is None:
            return Token("comment", "", at, len(text), closed=False)
        return Token("comment", "", at, found.end())
    kind = "doctype" if text[at + 2 : at + 9].lower() == "doctype" else "comment"
    return _until(text, at, ">", kind)


def _until(text: str, at: int, end: str, kind: str) -> Token:
    found = text.find(end, at)
    return Token(kind, "", at, found + 1 if found >= 0 else len(text), closed=found >= 0)


def _tag(text: str, start: int, at: int, kind: str) -> Token:
    found = _NAME.match(text, at)
    assert found is not None
    name, at = found[0].lower(), found.end()
    if text.startswith(">", at):
        return Token(kind, name, start, at + 1)
    attributes: list[tuple[str, str]] = []
    while True:
        gap = _GAP.match(text, at)
        assert gap is not None
        at = gap.end()
        if at >= len(text):
            return Token(kind, name, start, len(text), closed=False)
        if text[at] == ">":
            return Token(kind, name, start, at + 1, tuple(attributes))
        key, value, at = _attribute(text, at)
        if at < 0:
            return Token(kind, name, start, len(text), closed=False)
        if len(attributes) < _MAX_ATTRIBUTES:
            attributes.append((key, value))


def _attribute(text: str, at: int) -> tuple[str, str, int]:
    """Name, value, and what follows; -1 where the document breaks off."""
    key = _KEY.match(text, at)
    assert key is not None
    equals = _EQUALS.match(text, key.end())
    if equals is None:
        return key[0].lower(), "", key.end()
    at = equals.end()
    quote = text[at : at + 1]
    if quote in {'"', "'"}:
        end = text.find(quote, at + 1)
        return key[0].lower(), text[at + 1 : max(end, 0)], end + 1 if end >= 0 else -1
    bare = _BARE.match(text, at)
    assert bare is not None
    return key[0].lower(), bare[0], bare.end()


def _raw_end(text: str, at: int, name: str) -> int:
    if name == "script":
        return _script_end(text, at)
    found = _CLOSERS[name].search(text, at)
    return found.start() if found else len(text)


def _script_end(text: str, at: int) -> int:
    """A script inside a comment inside a script has an end tag of its own."""
    escaped = inner = False
    for found in _SCRIPT.finditer(text, at):
        if found[0] == "<!--":
            escaped = True
        elif found[0] == "-->":
            escaped = inner = False
        elif not found[1]:
            inner = inner or escaped
        elif inner:
            inner = False
        else:
            return found.start()
    return len(text)
