"""Tables with a delimiter: a first row only on request, because every program would read it as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from aikz_label.adapters.text.document import Document
from aikz_label.adapters.text.plain import at_the_end
from aikz_label.carriers.embedded import Hole
from aikz_label.label import Origin
from aikz_label.notice import wording

_LOOK = 64 * 1024


class Table(Document):
    """CSV, with commas or semicolons."""

    form = "row"
    repeats = False
    on_request = True
    delimiters: ClassVar[tuple[str, ...]] = (",", ";")

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`: one cell, and as many empty ones as the table is wide."""
        text = " / ".join(wording.sentence(origin, language) for language in languages)
        delimiter, count = self._width()
        return f'"{text}"{delimiter * count}{self.newline}'

    def hole(self) -> Hole:
        """See `Document.hole`."""
        return at_the_end(self)

    def _width(self) -> tuple[str, int]:
        """Delimiter and its number in a row: the second one, because the first may be our own."""
        rows = self.text[:_LOOK].split(self.newline)[:2]
        bare = "".join(rows[-1 if len(rows) == 2 and rows[1] else 0].split('"')[::2])
        counts = {delimiter: bare.count(delimiter) for delimiter in self.delimiters}
        delimiter = max(counts, key=lambda key: counts[key])
        return delimiter, counts[delimiter]


class Tabbed(Table):
    """TSV."""

    delimiters = ("\t",)
