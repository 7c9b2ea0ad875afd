"""A text of one kind: where its notice, its mirrors and its marker stand.

Everything we add is an insertion between two characters of the source, so nothing else can change. Where a notice stands
follows from the text alone: the same method says where it goes and where to look for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

from aikz_label.adapters.text.decoded import Decoded, Insertion
from aikz_label.carriers.embedded import Hole
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.label import Label, Origin
from aikz_label.notice import wording
from aikz_label.report import Mirror
from aikz_label.texts import LANGUAGES
from aikz_label.values import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_FIRST_LINES = 400
_LOOK = 16 * 1024  # more than any notice is long


@dataclass(frozen=True, slots=True)
class Said:
    """A notice as it stands in a text.

    Attributes:
        start: Where it starts, in characters.
        stop: Where it ends.
        origin: What it says.
        languages: In which languages, in order.
    """

    start: int
    stop: int
    origin: Origin
    languages: tuple[str, ...]


class Document:
    """Base of all kinds; a kind overrides what differs from plain text.

    Args:
        source: The text, without a marker.
        language: Language of a source, for its comments.

    Attributes:
        form: Name of the form its notice has, as recorded.
        repeats: A long text of this kind carries the notice again at its end.
        on_request: A notice is written only when the caller asks for it, because programs read this kind.
        seconds: How long our notice is shown, where things are shown for a time.
    """

    form: ClassVar[str] = "lines"
    repeats: ClassVar[bool] = True
    on_request: ClassVar[bool] = False
    seconds: ClassVar[float] = 0.0

    def __init__(self, source: Decoded, language: str = "") -> None:
        self.source = source
        self.text = source.text
        self.newline = source.newline
        self.language = language

    # --- the notice ---------------------------------------------------------------------------------------------------

    def start(self) -> int:
        """Where the notice stands, or goes."""
        return 0

    def end(self) -> int:
        """Where its repetition ends, or goes."""
        return len(self.text)

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """The notice as it is written at the start."""
        raise NotImplementedError

    def compose_last(self, origin: Origin, languages: Iterable[str]) -> str:
        """The notice as it is repeated at the end."""
        raise NotImplementedError

    def check_place(self) -> None:
        """Refuse a text of this kind that has no place for a notice.

        Raises:
            Refused: It has none.
        """

    def first(self) -> Said | None:
        """The notice at the start, exactly as we write it."""
        at = self.start()
        found = self._languages(self.text[at : at + _LOOK])
        text = self.compose(*found) if found else ""
        if not found or not self.text.startswith(text, at):
            return None
        return Said(at, at + len(text), *found)

    def last(self) -> Said | None:
        """The notice at the end, exactly as we write it."""
        end = self.end() if self.repeats else 0
        found = self._languages(self.text[max(0, end - _LOOK) : end])
        text = self.compose_last(*found) if found else ""
        start = end - len(text)
        if not found or start < 0 or not self.text.startswith(text, start):
            return None
        return Said(start, end, *found)

    def words_of(self, origin: Origin, language: str) -> str:
        """The words of one language as a reader sees them."""
        return wording.sentence(origin, language)

    def lasts(self, at: int) -> float | None:  # noqa: ARG002
        """For how many seconds something in the visible text is shown; `None` where it stays."""
        return None

    def spell(self, origin: Origin, language: str) -> str:
        """How the words of one language are written here."""
        return self.words_of(origin, language)

    def _languages(self, look: str) -> tuple[Origin, tuple[str, ...]] | None:
        """Which notice this might be: its origin, and its languages in their order."""
        for origin in Origin:
            found = [(look.find(self.spell(origin, language)), language) for language in LANGUAGES]
            languages = tuple(language for at, language in sorted(found) if at >= 0)
            if languages:
                return origin, languages
        return None

    def visible(self) -> str:
        """What a reader meets, in its order; for kinds that hide nothing, the text itself."""
        return self.text[self.start() :]

    def words(self) -> int:
        """How many words there are to read; an ideograph counts as one."""
        text = self.visible()
        if text.isascii():
            return len(text.split())
        return len(_WORD.findall(_IDEOGRAPH.sub(" ", text))) + len(_IDEOGRAPH.findall(text))

    # --- mirrors ------------------------------------------------------------------------------------------------------

    def mirror(self, label: Label) -> tuple[list[Insertion], tuple[str, ...]]:  # noqa: ARG002
        """What repeats the label in this kind's own metadata, and what could not be written."""
        return [], ()

    def mirrors(self) -> Iterator[Mirror]:
        """What such metadata say; the notice itself is a statement too, or what a preview left of it."""
        said = self.first()
        found = (said.origin, said.languages) if said else self._languages(self._opening())
        if found:
            yield Mirror("text", "notice", self.spell(found[0], found[1][0]), found[0])

    def _opening(self) -> str:
        """The first line."""
        at = self.start()
        opening = self.text[at : at + _FIRST_LINES].lstrip()
        return opening.split("\n", maxsplit=1)[0]

    def without_mirror(self) -> Decoded:
        """The text without the metadata that we wrote."""
        return self.source

    # --- the marker ---------------------------------------------------------------------------------------------------

    def hole(self) -> Hole:
        """Where the marker goes.

        Raises:
            NoCarrier: A text of this kind has no place for it.
        """
        raise NoCarrier


def no_place(what: str, *, data: bool = True) -> Refused:
    """The refusal for a text in which a notice would be in the way of the programs that read it."""
    return Refused(
        f"{what} has no place for a notice that no program would stumble over.",
        code="no-place-for-notice",
        hint="Show it with the data: --notice none --notice-reason TEXT"
        + ("; or write it among them: --notice data." if data else "."),
    )
