"""What is written into an SVG, and where: metadata, the notice, and its words in the name that the whole drawing has."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aikz_label.adapters.svg.document import NAMESPACE, Document, Edit, Element
from aikz_label.label import Label
from aikz_label.metadata import xmp as packets

if TYPE_CHECKING:
    from aikz_label.adapters.svg.group import Spec

Edits = list[Edit]

MARKER = "http://c2pa.org/manifest"
ID = "aikz-label-notice"
DATA = "data-aikz-label"
_STORE = re.compile(rb"<(?:[\w.-]+:)?manifest\b[^<>]*>([^<]*)<")
_PACKET = re.compile(r"<x:xmpmeta.*</x:xmpmeta>", re.DOTALL)
_BETWEEN = " \N{EN DASH} "
# Roles whose children are not read out: what they say must be in the name of the whole.
_ONE_IMAGE = {"img", "image", "graphics-symbol"}


def manifests(document: Document) -> list[Element]:
    """Elements that hold a C2PA store."""
    spaces = document.namespaces()
    return [
        element
        for element in document.named("manifest")
        if element.prefix == "c2pa" or spaces.get(element.prefix) == MARKER
    ]


def stores(data: bytes) -> Iterator[bytes]:
    """Every C2PA store in a file; what is no base64 is the engine's business."""
    for match in _STORE.finditer(data):
        try:
            store = base64.b64decode(b"".join(match[1].split()), validate=True)
        except ValueError:
            continue
        if store[4:8] == b"jumb":
            yield store


def packet(document: Document) -> bytes | None:
    """The XMP packet, if there is one."""
    found = _packet(document)
    return document.text[found.start : found.stop].encode() if found else None


def _packet(document: Document) -> Element | None:
    return next((one for one in document.named("xmpmeta") if one.depth == 2), None)


def metadata(document: Document, label: Label) -> tuple[Edits, tuple[str, ...]]:
    """The mirror in, an old marker out; and warnings."""
    edits, warnings = _without_marker(document)
    found = _packet(document)
    own = packet(document)
    try:
        fresh = packets.write(own, label).decode()
    except packets.XmpError as error:
        return edits, (
            *warnings,
            f"The XMP mirror was not written; the file's own was left as it is: {error}.",
        )
    if found is not None:
        return [*edits, (found.start, found.stop, fresh)], warnings
    whole = _PACKET.search(fresh)
    assert whole is not None
    gone = {edit[0] for edit in edits}
    homes = (
        one
        for one in document.children
        if one.name == "metadata" and not one.empty and one.start not in gone
    )
    home = next(homes, None)
    if home is not None:
        return [*edits, (home.close, home.close, whole[0])], warnings
    space = f' xmlns="{NAMESPACE}"' if document.root.prefix else ""
    end = document.root.close
    return [*edits, (end, end, f"<metadata{space}>{whole[0]}</metadata>")], warnings


def _without_marker(document: Document) -> tuple[Edits, tuple[str, ...]]:
    """Take old stores out, and the `metadata` that held nothing else."""
    edits: Edits = []
    for old in manifests(document):
        around = next(
            (
                one
                for one in document.children
                if one.name == "metadata" and one.inside <= old.start and old.stop <= one.close
            ),
            None,
        )
        if (
            around is not None
            and not (
                document.text[around.inside : old.start] + document.text[old.stop : around.close]
            ).strip()
        ):
            edits.append((around.start, around.stop, ""))
        else:
            edits.append((old.start, old.stop, ""))
    return edits, ()


def without_notice(document: Document) -> Edits:
    """Take an earlier notice out."""
    return [
        (element.start, element.stop, "")
        for element in document.children
        if element.name == "g" and document.attribute(element, DATA)
    ]


def notice(document: Document, group: str, spec: Spec) -> Edits:
    """The notice last in the root, and its words where the root is one image to those who do not see."""
    end = document.root.close
    return [(end, end, group), *_named(document, spec)]


def _named(document: Document, spec: Spec) -> Edits:
    from aikz_label.adapters.svg.group import ascii_text  # noqa: PLC0415  # no need of it to read

    named = {one.name: one for one in document.attributes(document.root)}
    role = named.get("role")
    if role is None or not _ONE_IMAGE & set(role.value.split()):
        return []
    words = ascii_text(_BETWEEN + spec.words)
    label, by = named.get("aria-label"), named.get("aria-labelledby")
    if by is not None:
        title = f"{ID}-title"
        return [] if title in by.value.split() else [(by.stop, by.stop, f" {title}")]
    if label is not None:
        raw = document.text[label.start : label.stop]
        kept = len(_without_words(raw, spec))
        return [(label.start + kept, label.stop, words)]
    title_element = next((one for one in document.children if one.name == "title"), None)
    title = document.content(title_element).strip() if title_element else ""
    behind = document.root.inside - (2 if document.root.empty else 1)
    return [(behind, behind, f' aria-label="{ascii_text(title)}{words}"')]


def _without_words(raw: str, spec: Spec) -> str:
    """A name without the words of an earlier notice."""
    from aikz_label.adapters.svg.group import ascii_text  # noqa: PLC0415
    from aikz_label.label import Origin  # noqa: PLC0415
    from aikz_label.values import replace  # noqa: PLC0415

    for origin in Origin:
        words = ascii_text(_BETWEEN + replace(spec, origin=origin).words)
        raw = raw.removesuffix(words)
    return raw


def skeleton(document: Document) -> str:
    """Digest of everything but the notice, the metadata and the root's own tag."""
    text, at = document.text, document.root.inside
    parts = [text[: document.root.start]]
    for element in document.children:
        own = element.name == "g" and document.attribute(element, DATA) is not None
        if own or element.name == "metadata":
            parts.append(text[at : element.start])
            at = element.stop
    parts += [text[at : document.root.close], text[document.root.stop :]]
    return hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def without_marker(painted: str, signed: str) -> str:
    """A signed file as it was before: without the store, and what the engine puts around it."""
    document = Document.of_text(signed)
    found = manifests(document)
    if len(found) != 1:
        return signed
    before, after = signed[: found[0].start], signed[found[0].stop :]
    declared = f' xmlns:c2pa="{MARKER}"'
    if declared in before and declared not in painted:
        before = before.replace(declared, "", 1)
    if before + after == painted:
        return painted
    opened = re.search(r"<(?:[\w.-]+:)?metadata>\Z", before)
    closed = re.match(r"</(?:[\w.-]+:)?metadata>", after)
    if opened and closed:
        return before[: opened.start()] + after[closed.end() :]
    return before + after
