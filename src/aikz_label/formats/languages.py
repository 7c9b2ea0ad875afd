"""Kinds of text by the names that callers give them: formats, and languages with the comments they take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from aikz_label.errors import UsageError
from aikz_label.formats import FORMATS, codelines, textkinds
from aikz_label.texts import load_data
from aikz_label.values import dataclass

BY_NAME = "name"  # the caller lets the file's name decide


@dataclass(frozen=True, slots=True)
class Comment:
    """What stands before and after a line of comment."""

    opens: str
    closes: str = ""

    def line(self, text: str) -> str:
        """One line of comment."""
        return f"{self.opens}{text}{self.closes}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of text that can be named: the row of the format table, and the language of a source."""

    row: str
    language: str = ""


def names() -> tuple[str, ...]:
    """Every name that `--as` takes, besides `name` itself."""
    return (*(row for row in _rows() if row != "source"), *load_data("languages")["language"])


def kind(name: str) -> Kind:
    """The kind of a name.

    Raises:
        UsageError: There is none of that name.
    """
    if name in _rows() and name != "source":
        return Kind(name)
    if name in load_data("languages")["language"]:
        return Kind("source", name)
    raise UsageError(
        f"There is no kind of text {name!r}.",
        hint="`aikz-label formats` lists those that there are.",
    )


def by_suffix(suffix: str) -> Kind | None:
    """The kind that an ending of a file's name promises."""
    return _suffixes().get(suffix.lower())


def comment(name: str) -> Comment:
    """How a language writes comments."""
    data = load_data("languages")
    return Comment(*data["style"][data["language"][name]["style"]])


def of_source(text: str) -> str:
    """Name of a language that this source is in, or whose comments it takes; empty when that cannot be told."""
    program = codelines.interpreter(text)
    for name, language in load_data("languages")["language"].items():
        if program and program in language.get("interpreters", ()):
            return str(name)
    return textkinds.language(text) or _commented(text)


def pairs() -> Iterator[Comment]:
    """Every pair of openers and closers that comments of any language have."""
    return (Comment(*style) for style in load_data("languages")["style"].values())


def _commented(text: str) -> str:
    """A language that writes comments as the first line does."""
    first = text.lstrip("\ufeff \t\r\n")[:8]
    for name, language in load_data("languages")["language"].items():
        opens = load_data("languages")["style"][language["style"]][0]
        if first.startswith(opens):
            return str(name)
    return ""


def _rows() -> list[str]:
    return [row.name for row in FORMATS.values() if row.family == "text"]


@cache
def _suffixes() -> dict[str, Kind]:
    found = {suffix: Kind(name) for name in _rows() for suffix in FORMATS[name].suffixes}
    for name, language in load_data("languages")["language"].items():
        found |= {suffix: Kind("source", name) for suffix in language["suffixes"]}
    return found
