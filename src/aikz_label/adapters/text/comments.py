"""Texts with comments: source code, YAML, TOML and XML. The notice is the first comment, the marker the last line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from aikz_label.adapters.text.decoded import Decoded
from aikz_label.adapters.text.document import Document, Said, no_place
from aikz_label.carriers import armour
from aikz_label.carriers.embedded import Hole
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.formats import languages
from aikz_label.formats.languages import Comment
from aikz_label.label import Origin
from aikz_label.notice import wording

# First lines that must stay first: what names the interpreter, the encoding, the dialect.
_RESERVED = re.compile(
    r"#!(?!\[)|<\?php\s*$|@charset |%!PS|%YAML|#compdef|@echo off|.*-\*-|.*\bcoding[:=]|.*\bvim?:|"
    r"#\s*(?:syntax=|escape=|check=|frozen_string_literal|shellcheck)",
    re.IGNORECASE,
)
_MOST_RESERVED = 5
# Languages in which the end of a file need not be code.
_TAIL = re.compile(r"^(?:__END__|__DATA__|=begin\b|exit 0$)", re.MULTILINE)
_NO_TAIL = {"php", "perl", "ruby", "shell", "make", "dockerfile", "batch", "asciidoc"}
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,2000}\?>[ \t]*(?:\r\n|\n|\r)?")


class Commented(Document):
    """A text whose comments say what it is."""

    form = "comment"
    repeats = False

    @cached_property
    def comment(self) -> Comment:
        """How the notice is made a comment."""
        if self._known is None:
            raise Refused(
                "Which comments this source takes cannot be told from its lines.",
                code="comment-syntax",
                hint="Say what it is, such as --as python, or --as name when its file name says so.",
            )
        return self._known

    @property
    def _known(self) -> Comment | None:
        return languages.comment(self._name) if self._name else None

    @cached_property
    def _name(self) -> str:
        """The language."""
        return self.language or languages.of_source(self.text)

    def first(self) -> Said | None:
        """See `Document.first`: where no comment is known, there is none that we wrote."""
        return super().first() if self._known else None

    def start(self) -> int:
        """See `Document.start`: behind the lines that must stay first."""
        at = 0
        for _ in range(_MOST_RESERVED):
            end = self.text.find(self.newline, at)
            if end < 0 or not _RESERVED.match(self.text[at : min(end, at + 500)]):
                break
            at = end + len(self.newline)
        return at

    def check_place(self) -> None:
        """See `Document.check_place`."""
        if (
            self.text.lstrip("\ufeff").startswith("<?")
            and self.start() == 0
            and self._name == "php"
        ):
            raise no_place("PHP that starts on the line of its `<?php`", data=False)

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`."""
        lines = [self.comment.line(wording.sentence(origin, language)) for language in languages]
        at = self.start()
        lead = "" if at == 0 or self.text[at - 1] in "\r\n" else self.newline
        return lead + self.newline.join([*lines, "", ""])

    def hole(self) -> Hole:
        """See `Document.hole`: the last line, or behind the notice where the end of the file may be no code."""
        return block(
            self.source, self.start() + self._notice(), self.comment, last=self.ends_as_code()
        )

    def ends_as_code(self) -> bool:
        """Whether a comment as the last line is one."""
        return self._name not in _NO_TAIL and not _TAIL.search(self.text)

    def _notice(self) -> int:
        said = self.first()
        return said.stop - said.start if said else 0


class Hashed(Commented):
    """YAML and TOML."""

    @property
    def _known(self) -> Comment:
        return Comment("# ")

    def ends_as_code(self) -> bool:
        """A block of text at the outermost level swallows what looks like a comment."""
        return not re.search(r"^--- *[|>]", self.text, re.MULTILINE)


class Xml(Commented):
    """XML."""

    @property
    def _known(self) -> Comment:
        return Comment("<!-- ", " -->")

    def start(self) -> int:
        """See `Document.start`: behind the declaration."""
        found = _DECLARATION.match(self.text)
        return found.end() if found else 0

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`; no blank line."""
        text = super().compose(origin, languages)
        return text.removesuffix(self.newline)

    def check_place(self) -> None:
        """See `Document.check_place`."""
        if not self.source.unicode:
            raise Refused(
                "This XML is in a code page that cannot hold the letters of the notice.",
                code="encoding",
                hint="Save it as UTF-8, or use --notice none --notice-reason TEXT.",
            )

    def hole(self) -> Hole:
        """See `Document.hole`."""
        return block(self.source, 0, armour.INSTRUCTION, last=True)


def block(source: Decoded, at: int, comment: Comment, *, last: bool) -> Hole:
    """A place for a line of armour, where the specification takes this text.

    Raises:
        NoCarrier: Here it would end no line, or armour is mentioned in the text already.
    """
    data = source.bytes()
    if source.encoding.startswith("utf-16") or "\r" in source.text.replace("\r\n", ""):
        raise NoCarrier  # delimiters are ASCII, and lone carriage returns end no line (A.9.4)
    if armour.mentioned(data):
        raise NoCarrier
    return armour.hole(data, source.offset(at), comment, source.newline, last=last)
