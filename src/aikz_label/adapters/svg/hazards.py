"""What in an SVG could hide the notice, change it or take it away once the file is shown.

A drawing is a small web page. The notice protects itself against style sheets by its own declarations, which nothing in the
file outranks; what remains is listed here. A file with any of it is not refused a reading: whether its notice can be
perceived is then unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from aikz_label.adapters.svg import source
from aikz_label.adapters.svg.document import Document, Element
from aikz_label.adapters.svg.styles import declarations, meets_root, rules, unescaped

# Properties of the root that reach everything in it.
_OF_ROOT = {
    "animation": ("", "none"),
    "animation-name": ("", "none"),
    "clip": ("", "auto"),
    "clip-path": ("", "none"),
    "contain": ("", "none"),
    "content-visibility": ("", "visible"),
    "filter": ("", "none"),
    "-webkit-mask-box-image": ("", "none"),
    "-webkit-mask-box-image-source": ("", "none"),
    "mask": ("", "none"),
    "mask-border": ("", "none"),
    "mask-border-source": ("", "none"),
    "mask-image": ("", "none"),
    "mix-blend-mode": ("", "normal"),
    "offset-path": ("", "none"),
    "opacity": ("", "1", "1.0", "100%"),
    "rotate": ("", "none"),
    "scale": ("", "none", "1"),
    "transform": ("", "none", "matrix(1,0,0,1,0,0)"),  # some programs write where it was moved to
    "translate": ("", "none"),
    "zoom": ("", "1", "normal"),
}
_NOT_SHOWN = {"none", "contents"}
_SIZES = ("width", "height")
_CAPS = {
    "block-size",
    "inline-size",
    "max-block-size",
    "max-height",
    "max-inline-size",
    "max-width",
}
# Properties that move the whole, and what moves it no further than some would for its looks.
_MOVING = re.compile(r"(?:border|inset|margin|padding)(?:-.*)?|bottom|left|right|top")
_COLOUR = re.compile(r"#\w+|(?:rgb|hsl)a?\([^()]*\)")
_FAR = re.compile(r"-[\d.]|\d{3}|[\d.](?!p[xt])[a-z%]|\(")
_LENGTH = re.compile(r"\d*\.?\d+")
_LEAST = 20  # of whatever unit: the whole would be next to nothing
_ANIMATIONS = ("animate", "animateColor", "animateMotion", "animateTransform", "discard", "set")
_PAGES = ("embed", "iframe", "object")  # other documents in this one, which may run scripts in it
_DATA = re.compile(r"[\w.+-]+/[\w.+-]+|importmap|speculationrules")
# Inherited properties that the notice has of its own, or that mean nothing to filled paths: of the root they may change.
_OF_OTHERS = {
    "color", "color-interpolation", "cursor", "fill", "fill-opacity", "fill-rule", "font-family", "font-size",
    "font-stretch", "font-style", "font-variant", "font-weight", "letter-spacing", "paint-order", "pointer-events",
    "shape-rendering", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor", "text-rendering", "visibility", "word-spacing",
}  # fmt: skip
_OF_ONE = {"animate", "animateColor", "set"}  # property, which they name
_SPACE = re.compile(r"\s*,\s*|\s+")
_IMPORT = re.compile(r"@import", re.IGNORECASE)
_XLINK = "http://www.w3.org/1999/xlink"
_DROPPED = re.compile(r"[\t\n\r]+")  # in addresses


def hazards(document: Document, identity: str) -> Iterator[str]:
    """Short names of what was found, each once or more.

    Args:
        document: The file.
        identity: `id` of the notice in it.
    """
    if document.handlers or document.named("handler", "listener", *_PAGES):
        yield "script"
    if any(_runs(document, script) for script in document.named("script")):
        yield "script"
    if any(_leaves(document, meta) for meta in document.named("meta")):
        yield "refresh"
    if document.named("link") or any("xml-stylesheet" in one[:40] for one in document.instructions):
        yield "stylesheet"
    if any(name.partition(":")[0] != "xmlns" for name in source.defaults(document.text)):
        yield "type"
    root = {one.name: one.value for one in document.attributes(document.root)}
    style = declarations(root.get("style", ""))
    if any(_reaches(name, value) for said in (root, style) for name, value in said.items()):
        yield "root"
    yield from _animations(document, root.get("id", ""), identity)
    yield from _sheets(document, root)


def _reaches(name: str, value: str) -> bool:
    """Whether a property of the root changes everything in it."""
    value = _SPACE.sub(",", value.strip().lower())
    if name == "display":
        return value in _NOT_SHOWN
    if _MOVING.fullmatch(name):
        return _FAR.search(_COLOUR.sub("", value)) is not None
    if name in _CAPS:
        return _is_tiny(value)
    return name in _OF_ROOT and value not in _OF_ROOT[name]


def _is_tiny(value: str) -> bool:
    """Whether a size may leave next to nothing."""
    number = _LENGTH.match(value.strip())
    return "(" in value or (number is not None and float(number[0]) < _LEAST)


def _runs(document: Document, script: Element) -> bool:
    """Whether a browser runs a script: not data of another type, nor nothing at all."""
    named = {one.name: one.value for one in document.attributes(script)}
    kind = named.get("type", "").strip().lower()
    if "script" not in kind and _DATA.fullmatch(kind):
        return False
    linked = any(name.rpartition(":")[2] in {"href", "src"} for name in named)
    return linked or bool(document.content(script).strip())


def _leaves(document: Document, meta: Element) -> bool:
    """Whether an element of HTML puts another page in place of this one after a while."""
    return any(
        one.name.lower() == "http-equiv" and one.value.strip().lower() == "refresh"
        for one in document.attributes(meta)
    )


def _animations(document: Document, root: str, notice: str) -> Iterator[str]:
    """Animations of the root or of the notice."""
    spaces = document.namespaces()
    for element in document.named(*_ANIMATIONS):
        named = {one.name: one.value for one in document.attributes(element)}
        harmless = element.name in _OF_ONE and named.get("attributeName") in _OF_OTHERS
        aims = set(_aims(named))
        linked = named.get("xmlns:xlink", spaces.get("xlink", _XLINK)) == _XLINK
        elsewhere = "href" in named or (linked and "xlink:href" in named)
        of_root = root in aims - {""} or (element.depth == 1 and not elsewhere)
        if notice in aims or (of_root and not harmless):
            yield "animation"


def _aims(named: Mapping[str, str]) -> Iterator[str]:
    """What an element may link to in its own file, whatever the prefix and however the address is written."""
    for name, value in named.items():
        if name.rpartition(":")[2] == "href":
            yield unquote(_DROPPED.sub("", value).strip().partition("#")[2])


def _sheets(document: Document, root: dict[str, str]) -> Iterator[str]:
    """Rules that meet the root, or redefine what a path is."""
    classes = set(root.get("class", "").split())
    for element in document.named("style"):
        text = document.content(element)
        if _IMPORT.search(unescaped(text)):
            yield "stylesheet"
        for rule in rules(text):
            if "d" in rule.declared:
                yield "stylesheet"
            reaches = any(
                _reaches(name, value)
                or (name in _SIZES and (not root.get("viewBox") or _is_tiny(value)))
                for name, value in rule.declared.items()
            )
            if reaches and any(
                meets_root(one, root.get("id", ""), classes) for one in rule.selectors
            ):
                yield "root"
