"""The carrier of HTML: a script element in the head that no browser runs (C2PA 2.4, A.7)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from aikz_label.carriers.embedded import Cut, Hole, Place
from aikz_label.formats import markup
from aikz_label.formats.markup import Token

MULTIPLE = "manifest.html.multipleManifests"
_OPENS, _CLOSES = b'<script type="application/c2pa">', b"</script>"
_TYPE, _RELATION = "application/c2pa", "c2pa-manifest"
_TRACES = (b"application/c2pa", b"c2pa-manifest")
_BLANK = b" \t\r\n\f"


def hole(data: bytes, at: int) -> Hole:
    """A place for a marker in a page."""

    def encode(store: bytes) -> bytes:
        return _OPENS + base64.b64encode(store) + _CLOSES

    def size(store: bytes) -> int:
        return len(_OPENS) + 4 * ((len(store) + 2) // 3) + len(_CLOSES)

    return Hole(data[:at], data[at:], encode, size)


def mentioned(data: bytes) -> bool:
    """Whether the words of a marker stand in the page, as a marker or not."""
    lower = data.lower()  # ten times as fast as an expression that ignores case
    return any(trace in lower for trace in _TRACES)


def find(data: bytes) -> list[Place]:
    """Every marker in a page, wherever it stands; linear in the page."""
    if not mentioned(data):
        return []
    return list(_places(data))


def _places(data: bytes) -> Iterator[Place]:
    opened: Token | None = None
    raw: Token | None = None
    lower = data.lower()
    last = max(map(lower.rfind, _TRACES))
    for token in markup.tokens(data.decode("latin-1")):
        if token.start > last and opened is None:
            return  # nothing that comes can be one
        if opened is not None and token.kind == "raw":
            raw = token
        elif opened is not None:
            yield _place(data, opened, raw, token)
            opened = raw = None
        if token.kind != "start":
            continue
        if token.name == "script" and token.get("type").strip().lower() == _TYPE:
            opened = token
        elif token.name == "link" and _RELATION in token.get("rel").lower().split():
            yield _linked(data, token)
    if opened is not None:
        yield Place(opened.start, len(data), code="manifest.inaccessible")


def _place(data: bytes, opened: Token, raw: Token | None, closed: Token) -> Place:
    inside = data[raw.start : raw.stop] if raw is not None else b""
    complete = closed.kind == "end" and closed.name == "script" and closed.closed
    store = _decoded(inside) if complete else None
    if store is None or len(opened.attributes) != 1 or closed.attributes:
        return Place(opened.start, closed.stop, code="manifest.inaccessible")
    start, stop = opened.start, closed.stop
    view = memoryview(data)
    return Place(start, stop, store, (Cut(start, stop - start, (view[:start], view[stop:])),))


def _decoded(inside: bytes) -> bytes | None:
    """The store of an element; other writers break its lines."""
    encoded = inside.translate(None, _BLANK)
    try:
        store = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return store if base64.b64encode(store) == encoded and store else None


def _linked(data: bytes, token: Token) -> Place:
    """A store in another place; one in a `data:` address is here, but bound as if it were there."""
    prefix = "data:application/c2pa;base64,"
    address = token.get("href").strip()
    store = _decoded(address[len(prefix) :].encode()) if address.startswith(prefix) else None
    if store is None:
        return Place(token.start, token.stop, remote=True)
    view = memoryview(data)
    cut = Cut(token.start, token.stop - token.start, (view[: token.start], view[token.stop :]))
    return Place(token.start, token.stop, store, (cut,))
