"""Markdown: a quotation above the text, keys in its front matter, and the marker in a comment at its end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from aikz_label.adapters.text import statements
from aikz_label.adapters.text.comments import block
from aikz_label.adapters.text.decoded import Decoded, Insertion
from aikz_label.adapters.text.document import Document
from aikz_label.carriers.embedded import Hole
from aikz_label.formats.languages import Comment
from aikz_label.label import Label, Origin
from aikz_label.notice import wording
from aikz_label.report import Mirror

_FENCES = {"---": ": ", "+++": " = "}
_MOST = 64 * 1024  # of front matter that is looked at
_KEY = re.compile(r"[\"']?[\w.-]+[\"']?\s*[:=]")
# A fence, and whether nothing follows it: only such a one closes a block.
_CODE = re.compile(r"^ {0,3}(`{3,}(?=[^`\n]*$)|~{3,})([^\S\n]*$)?", re.MULTILINE)


class Markdown(Document):
    """CommonMark and its relatives."""

    form = "quotation"

    def start(self) -> int:
        """See `Document.start`: behind the front matter and the blank line that follows ours."""
        at = self._front_matter()[1]
        blank = self.newline if at and self.text.startswith(self.newline, at) else ""
        return at + len(blank)

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`: each language a paragraph of its own."""
        return self._quotation(origin, languages) + self.newline * 2

    def compose_last(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose_last`."""
        ended = self.text.endswith(self.newline)
        text = self._quotation(origin, languages)
        return self.newline + text + self.newline if ended else self.newline * 2 + text

    def _quotation(self, origin: Origin, languages: Iterable[str]) -> str:
        lines = [f"> **{wording.sentence(origin, language)}**" for language in languages]
        return f"{self.newline}>{self.newline}".join(lines)

    def mirror(self, label: Label) -> tuple[list[Insertion], tuple[str, ...]]:
        """See `Document.mirror`: keys, in front matter that is there or in a new one."""
        start, stop, fence = self._front_matter()
        lines = list(statements.keys(label).items())
        if not stop:
            keys = [f"{key}: {_value(value)}" for key, value in lines]
            text = self.newline.join(["---", *keys, "---", "", ""])
            return [Insertion(0, text)], ()
        inside = self.text[start:stop]
        first = next((line for line in inside.splitlines() if line.strip()), "")
        present = {key for key, _ in _pairs(inside)}
        if not _KEY.match(first) or present & {key for key, _ in lines}:
            return [], (
                "The front matter was left as it is: our keys are there already, or no place for them.",
            )
        keys = [f"{key}{_FENCES[fence]}{_value(value)}{self.newline}" for key, value in lines]
        return [Insertion(start, "".join(keys))], ()

    def mirrors(self) -> Iterator[Mirror]:
        """See `Document.mirrors`."""
        start, stop, _ = self._front_matter()
        for key, value in _pairs(self.text[start:stop]):
            found = statements.read("front-matter", key, value)
            if found is not None:
                yield found
        yield from super().mirrors()

    def without_mirror(self) -> Decoded:
        """See `Document.without_mirror`."""
        start, stop, fence = self._front_matter()
        lines = self.text[start:stop].splitlines(keepends=True)
        kept = [line for line in lines if statements.key_of(line) not in statements.KEYS]
        if len(kept) == len(lines):
            return self.source
        if any(line.strip() not in {"", fence} for line in kept):
            return self.source.cut(start, stop).inserted([Insertion(start, "".join(kept))])
        blank = self.text[stop:].startswith(self.newline)
        return self.source.cut(0, stop + (len(self.newline) if blank else 0))

    def hole(self) -> Hole:
        """See `Document.hole`: behind the notice when the text ends inside a block of code."""
        said = self.first()
        at = said.stop if said else self.start()
        last = not self._ends_in_code()
        return block(self.source, at, Comment("<!-- ", " -->"), last=last)

    def _ends_in_code(self) -> bool:
        fence = ""
        for found in _CODE.finditer(self.text):
            if not fence:
                fence = found[1]
            elif found[1].startswith(fence) and found[2] is not None:
                fence = ""
        return bool(fence)

    def _front_matter(self) -> tuple[int, int, str]:
        """Start and end of what stands between the fences, the closing one included, and the fence."""
        fence = self.text[:3]
        opening = fence + self.newline
        if fence not in _FENCES or not self.text.startswith(opening):
            return 0, 0, ""
        look = self.text[:_MOST]
        end = look.find(self.newline + fence, len(opening) - len(self.newline))
        if end < 0:
            return 0, 0, ""
        stop = end + len(self.newline) + len(fence)
        if not look.startswith(self.newline, stop) and stop < len(self.text):
            return 0, 0, ""
        return len(opening), min(stop + len(self.newline), len(self.text)), fence


def _value(value: str) -> str:
    """A scalar that YAML and TOML read alike."""
    return json.dumps(value, ensure_ascii=False)


def _pairs(inside: str) -> Iterator[tuple[str, str]]:
    """Keys of the outermost level, with values of one line."""
    for line in inside.splitlines()[:500]:
        key = statements.key_of(line)
        if key:
            yield key, re.split(r"[:=]", line, maxsplit=1)[1].strip().strip("\"'")
