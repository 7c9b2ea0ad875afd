"""What in an SVG could hide the notice, change it or take it away once the file is shown.

A drawing is a small web page. The notice protects itself against style sheets by its own declarations, which nothing in the
file outranks; what remains is listed here. A file with any of it is not refused a reading: whether its notice can be
perceived is then unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    "mask": ("", "none"),
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
_LINK_NAMES = {"href", "xlink:href"}


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
    if document.named("link") or any("xml-stylesheet" in one[:40] for one in document.instructions):
        yield "stylesheet"
    root = {one.name: one.value for one in document.attributes(document.root)}
    style = declarations(root.get("style", ""))
    if any(_reaches(name, value) for source in (root, style) for name, value in source.items()):
        yield "root"
    yield from _animations(document, root.get("id", ""), identity)
    yield from _sheets(document, root)


def _reaches(name: str, value: str) -> bool:
    """Whether a property of the root changes everything in it."""
    value = _SPACE.sub(",", value.strip().lower())
    if name == "display":
        return value in _NOT_SHOWN
    return name in _OF_ROOT and value not in _OF_ROOT[name]


def _runs(document: Document, script: Element) -> bool:
    """Whether a browser runs a script: not data of another type, nor nothing at all."""
    named = {one.name: one.value for one in document.attributes(script)}
    kind = named.get("type", "").strip().lower()
    if "script" not in kind and _DATA.fullmatch(kind):
        return False
    return bool(named.keys() & {*_LINK_NAMES, "src"} or document.content(script).strip())


def _animations(document: Document, root: str, notice: str) -> Iterator[str]:
    """Animations of the root or of the notice."""
    for element in document.named(*_ANIMATIONS):
        named = {one.name: one.value for one in document.attributes(element)}
        target = next((named[name] for name in _LINK_NAMES if name in named), None)
        harmless = element.name in _OF_ONE and named.get("attributeName") in _OF_OTHERS
        if target is None:
            reached = element.depth == 1 and not harmless
        else:
            aim = target.strip().removeprefix("#")
            reached = aim == notice or (aim == root != "" and not harmless)
        if reached:
            yield "animation"


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
                _reaches(name, value) or (name in _SIZES and not root.get("viewBox"))
                for name, value in rule.declared.items()
            )
            if reaches and any(
                meets_root(one, root.get("id", ""), classes) for one in rule.selectors
            ):
                yield "root"
