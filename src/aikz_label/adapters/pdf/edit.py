"""Changes of pages for a stamp: something drawn before and behind what a page draws, resources, and annotations."""

from __future__ import annotations

import zlib

from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Stream, Value
from aikz_label.adapters.pdf.pages import OURS, Book
from aikz_label.adapters.pdf.update import Update

_SMALL = 128  # bytes that are not worth compressing


class Pages:
    """Edits pages of a book in an update; equal streams and shared resources are written once.

    Attributes:
        book: Whose pages.
    """

    def __init__(self, update: Update, book: Book) -> None:
        self._update = update
        self.book = book
        self._streams: dict[bytes, Ref] = {}
        self._names: dict[tuple[int, Ref], str] = {}

    def name(self, index: int, form: Ref) -> str:
        """Enter a form among the resources of a page; under which name is returned."""
        holder = self.book.leaves[index].resources
        known = self._names.get((holder.num, form))
        if known is not None:
            return known
        forms = self._part(self._part(self._update.edit(holder), "Resources"), "XObject")
        number, name = 0, OURS
        while name in forms and forms[name] != form:
            number += 1
            name = f"{OURS}{number}"
        forms[name] = form
        self._names[holder.num, form] = name
        return name

    def draw(self, index: int, before: bytes, after: bytes) -> None:
        """Let a page draw something before and behind what it draws.

        Args:
            index: Which page.
            before: Operators for the start.
            after: Operators for the end.
        """
        page = self._update.edit(self.book.leaves[index].ref)
        page["Contents"] = [self._stream(before), *self._kept(page), self._stream(after)]

    def annotate(self, index: int, annotations: list[Dict]) -> None:
        """Attach annotations to a page."""
        if not annotations:
            return
        leaf = self.book.leaves[index]
        page = self._update.edit(leaf.ref)
        added = [self._update.add({**one, "P": leaf.ref, OURS: True}) for one in annotations]
        value = page.get("Annots")
        if isinstance(value, Ref):
            listed = self._update.opened(value)
            if isinstance(listed, list):
                self._update.change(value, [*listed, *added])
                return
            value = None
        page["Annots"] = [*(value if isinstance(value, list) else []), *added]

    def clear(self, index: int) -> bool:
        """Take away what an earlier update of ours drew on a page and attached to it; whether there was anything."""
        document, leaf = self.book.document, self.book.leaves[index]
        page = document.mapping(leaf.ref)
        listed = document.array(page.get("Contents"))
        kept = [one for one in listed if OURS not in document.mapping(one)]
        drawn = len(kept) < len(listed)
        if drawn:
            self._update.edit(leaf.ref)["Contents"] = kept
        attached = document.array(page.get("Annots"))
        others = [one for one in attached if OURS not in document.mapping(one)]
        where = page.get("Annots")
        if len(others) == len(attached):
            return drawn
        if isinstance(where, Ref):
            self._update.change(where, others)
        else:
            self._update.edit(leaf.ref)["Annots"] = others
        return True

    def _kept(self, page: Dict) -> list[Value]:
        """The streams a page has."""
        value = page.get("Contents")
        found = self.book.document.resolve(value)
        if isinstance(found, list):
            return list(found)
        return [value] if isinstance(found, Extent) else []

    def _stream(self, operators: bytes) -> Ref:
        known = self._streams.get(operators)
        if known is None:
            head: Dict = {OURS: True}
            data = operators
            if len(operators) > _SMALL:
                head["Filter"] = Name("FlateDecode")
                data = zlib.compress(operators)
            known = self._update.add(Stream(head, data))
            self._streams[operators] = known
        return known

    def _part(self, holder: Dict, key: str) -> Dict:
        """A dictionary in another one, to be changed in place; it may be shared by reference."""
        value = holder.get(key)
        if isinstance(value, Ref) and isinstance(self._update.opened(value), dict):
            return self._update.edit(value)
        if not isinstance(value, dict):
            value = {}
            holder[key] = value
        return value
