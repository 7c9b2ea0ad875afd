"""The pages of a PDF: what each looks like from outside, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.filters import NotDecoded, TooLarge
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Value, as_text
from aikz_label.adapters.pdf.xref import MAX_OBJECTS
from aikz_label.values import dataclass

OURS = "AikzLabel"  # a key of the streams and annotations that are added here
Box: TypeAlias = tuple[float, float, float, float]
_MAX_DEPTH = 100
_MAX_STREAMS = 10_000  # of one page
_MAX_ANNOTATIONS = 1000
MAX_CONTENT = 32 << 20  # what the streams of a page may expand to; a dense map has a tenth
_MOST_DEFLATED = 1032  # how many bytes one byte can become
_LETTER: Box = (0.0, 0.0, 612.0, 792.0)
_INHERITED = ("Resources", "MediaBox", "CropBox", "Rotate")


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is shown.

    Attributes:
        index: From 0.
        media: Its sheet, in units of its own.
        crop: The part that is shown.
        rotation: 0, 90, 180 or 270 degrees, clockwise.
        unit: How many points a unit is.
    """

    index: int
    media: Box
    crop: Box
    rotation: int
    unit: float


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page as an object.

    Attributes:
        ref: Which object.
        resources: The object that its resources stand in: itself, or the node it has them from.
        inherited: What it has from its nodes.
    """

    ref: Ref
    resources: Ref
    inherited: Dict


class Book:
    """All pages of a document.

    Attributes:
        document: Where they are from.
        pages: What each looks like.
        leaves: What each is.
        tagged: The document has a structure for people who cannot see it.
        version: Of PDF.
        lang: Its language, as it says.
    """

    def __init__(self, document: Document, limit: int) -> None:
        """Walk the pages.

        Args:
            document: The document.
            limit: The most nodes to look at.

        Raises:
            MediaProblem: There are none, or too many.
        """
        self.document = document
        self.leaves = tuple(_leaves(document, limit))
        self.pages = tuple(self._page(index, leaf) for index, leaf in enumerate(self.leaves))
        catalog = document.catalog
        marked = document.mapping(catalog.get("MarkInfo")).get("Marked")
        structure = document.mapping(catalog.get("StructTreeRoot"))
        self.tagged = document.resolve(marked) is True and bool(structure)
        self.version = version(document)
        self.lang = as_text(
            document.clear(_plain(document.resolve(catalog.get("Lang"))), document.root)
        )

    def contents(self, index: int) -> list[Extent]:
        """The streams of a page, in order."""
        document = self.document
        found = document.resolve(document.mapping(self.leaves[index].ref).get("Contents"))
        listed = found if isinstance(found, list) else [found]
        streams = (document.resolve(one) for one in listed[:_MAX_STREAMS])
        return [one for one in streams if isinstance(one, Extent)]

    @property
    def beyond(self) -> int:
        """The highest number that pages refer to, whether there is such an object or not."""
        found = _highest(self.document.catalog, 0)
        for leaf in self.leaves:
            page = self.document.mapping(leaf.ref)
            listed = [self.document.array(page.get(key)) for key in ("Contents", "Annots")]
            found = max(found, _highest(page, 0), *(_highest(one, 0) for one in listed))
        return found

    def check_contents(self) -> None:
        """Look at what pages would expand to, before a renderer does.

        Raises:
            MediaProblem: A page draws more than any program would write.
        """
        for index in range(len(self.pages)):
            streams = self.contents(index)
            if sum(one.length for one in streams) * _MOST_DEFLATED > MAX_CONTENT:
                left = MAX_CONTENT
                for one in streams:
                    left -= len(self.decoded(one, left))

    def own_streams(self, index: int) -> list[tuple[int, int]]:
        """Where the streams of a page stand in the file, without those that were added here."""
        return [(one.start, one.length) for one in self.contents(index) if OURS not in one.dict]

    def decoded(self, stream: Extent, limit: int) -> bytes:
        """What a stream says; nothing where it is encoded in an unknown way.

        Raises:
            MediaProblem: It expands to more than the limit.
        """
        try:
            return self.document.decoded(stream, limit)
        except NotDecoded:
            return b""
        except TooLarge:
            raise MediaProblem(
                "over-limit", what_word="bytes", found=limit + 1, limit=limit
            ) from None

    def resource(self, index: int, kind: str, name: str) -> Value | Extent:
        """One of a page's resources."""
        resources = self.document.mapping(self._own(index).get("Resources"))
        return self.resolve(self.document.mapping(resources.get(kind)).get(name))

    def annotations(self, index: int) -> list[Dict]:
        """What is attached to a page; its strings as they stand in the file."""
        listed = self.document.array(self.document.mapping(self.leaves[index].ref).get("Annots"))
        return [self.document.mapping(one) for one in listed[:_MAX_ANNOTATIONS]]

    def resolve(self, value: Value | Extent) -> Value | Extent:
        """What a value leads to."""
        return self.document.resolve(value)

    def _own(self, index: int) -> Dict:
        leaf = self.leaves[index]
        return {**leaf.inherited, **self.document.mapping(leaf.ref)}

    def _page(self, index: int, leaf: Leaf) -> Page:
        own = {**leaf.inherited, **self.document.mapping(leaf.ref)}
        media = self._box(own.get("MediaBox")) or _LETTER
        crop = self._box(own.get("CropBox")) or media
        shown = (
            max(media[0], crop[0]),
            max(media[1], crop[1]),
            min(media[2], crop[2]),
            min(media[3], crop[3]),
        )
        if shown[0] >= shown[2] or shown[1] >= shown[3]:
            shown = media
        turned, unit = self.resolve(own.get("Rotate")), self.resolve(own.get("UserUnit"))
        rotation = int(turned) % 360 if isinstance(turned, int | float) else 0
        scale = float(unit) if isinstance(unit, int | float) and 0 < unit < 1e6 else 1.0
        return Page(index, media, shown, rotation if rotation % 90 == 0 else 0, scale)

    def _box(self, value: Value) -> Box | None:
        edges = [self.resolve(one) for one in self.document.array(value)[:4]]
        numbers = [float(one) for one in edges if isinstance(one, int | float)]
        if len(numbers) != 4 or any(abs(one) > 1e9 for one in numbers):
            return None
        left, right = sorted(numbers[::2])
        bottom, top = sorted(numbers[1::2])
        return (left, bottom, right, top) if left < right and bottom < top else None


def version(document: Document) -> tuple[int, int]:
    """The version of PDF: the header's, or a newer one that an update says."""
    said = document.resolve(document.catalog.get("Version"))
    if isinstance(said, Name) and len(said) == 3 and said[0].isdecimal() and said[2].isdecimal():
        return max(document.reader.version, (int(said[0]), int(said[2])))
    return document.reader.version


def _highest(value: Value, depth: int) -> int:
    """The highest number in the references of a value."""
    if isinstance(value, Ref):
        return min(value.num, MAX_OBJECTS)
    if depth > _MAX_DEPTH or not isinstance(value, dict | list):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return max((_highest(one, depth + 1) for one in inside), default=0)


def _plain(value: Value | Extent) -> Value:
    return None if isinstance(value, Extent) else value


def _leaves(document: Document, limit: int) -> Iterator[Leaf]:
    """The pages in order; a tree that grows into itself ends there."""
    root = document.catalog.get("Pages")
    if not isinstance(root, Ref):
        raise MediaProblem("damaged", detail_word="no-pages")
    pending: list[tuple[Ref, Ref | None, Dict, tuple[int, ...]]] = [(root, None, {}, ())]
    visited, found = 0, 0
    while pending:
        ref, holder, inherited, path = pending.pop()
        visited += 1
        if visited > limit:
            raise MediaProblem("over-limit", what_word="parts", found=visited, limit=limit)
        node = document.resolve(ref)
        if node is None and document.sections[0].headless:  # it was behind where the file was cut
            raise MediaProblem("damaged", detail_word="cut")
        if not isinstance(node, dict) or ref.num in path or len(path) > _MAX_DEPTH:
            continue
        if node.get("Resources") is not None:
            holder = ref
        kids = document.resolve(node.get("Kids"))
        if isinstance(kids, list) and node.get("Type") != "Page":
            below = {**inherited, **{key: node[key] for key in _INHERITED if key in node}}
            pending += [
                (kid, holder, below, (*path, ref.num))
                for kid in reversed(kids)
                if isinstance(kid, Ref)
            ]
            continue
        found += 1
        yield Leaf(ref, holder or ref, inherited)
    if not found:
        raise MediaProblem("damaged", detail_word="no-pages")
