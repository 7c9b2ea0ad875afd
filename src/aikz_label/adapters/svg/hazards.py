"""What in an SVG could hide the notice, change it or take it away once the file is shown.

A drawing is a small web page. The notice protects itself against style sheets by its own declarations, which nothing in the
file outranks; what remains is listed here. A file with any of it is not refused a reading: whether its notice can be
perceived is then unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aikz_label.adapters.svg.document import Document
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
    "transform": ("", "none"),
    "translate": ("", "none"),
    "zoom": ("", "1", "normal"),
}
_NOT_SHOWN = {"none", "contents"}
_SIZES = ("width", "height")
_ANIMATIONS = ("animate", "animateColor", "animateMotion", "animateTransform", "discard", "set")
_IMPORT = re.compile(r"@import", re.IGNORECASE)
_LINK_NAMES = {"href", "xlink:href"}


def hazards(document: Document, identity: str) -> Iterator[str]:
    """Short names of what was found, each once or more.

    Args:
        document: The file.
        identity: `id` of the notice in it.
    """
    if document.handlers or document.named("script", "handler", "listener"):
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
    value = value.strip().lower()
    if name == "display":
        return value in _NOT_SHOWN
    return name in _OF_ROOT and value not in _OF_ROOT[name]


def _animations(document: Document, root: str, notice: str) -> Iterator[str]:
    """Animations of the root or of the notice."""
    for element in document.named(*_ANIMATIONS):
        named = {one.name: one.value for one in document.attributes(element)}
        target = next((named[name] for name in _LINK_NAMES if name in named), None)
        if target is None:
            if element.depth == 1:
                yield "animation"
        elif target.strip().removeprefix("#") in {root, notice} - {""}:
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
