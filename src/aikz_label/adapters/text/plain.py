"""Plain text: three lines above it, and the marker in invisible characters at its end."""

from __future__ import annotations

from collections.abc import Iterable

from aikz_label.adapters.text.document import Document
from aikz_label.carriers import selectors
from aikz_label.carriers.embedded import Hole
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.label import Origin
from aikz_label.notice import wording

_RULE = "-" * 10


class PlainText(Document):
    """Prose without markup."""

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`."""
        lines = [wording.sentence(origin, language) for language in languages]
        return self.newline.join([*lines, "", _RULE, "", ""])

    def compose_last(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose_last`; a text without a line break at its end stays one."""
        lines = [wording.sentence(origin, language) for language in languages]
        ended = self.text.endswith(self.newline)
        lead, tail = ([""], [""]) if ended else (["", ""], [])
        return self.newline.join([*lead, _RULE, "", *lines, *tail])

    def hole(self) -> Hole:
        """See `Document.hole`: at the end of the last line."""
        return at_the_end(self)


def at_the_end(document: Document) -> Hole:
    """The place for variation selectors: behind everything but a last line break.

    Editors add that line break, forms take it away; a file that has one keeps it as its last byte.

    Raises:
        NoCarrier: The text is not in composed UTF-8.
    """
    source = document.source
    if not source.normal:
        raise NoCarrier
    data = source.bytes()
    at = len(data) - (len(source.newline) if source.text.endswith(source.newline) else 0)
    return Hole(data[:at], data[at:], lambda store: selectors.wrap(store).encode(), selectors.size)
