"""What a notice says: versioned data, the Kazakh line first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aikz_label.label import Origin
from aikz_label.texts import load_data
from aikz_label.values import dataclass


def version() -> str:
    """Version of the wording, recorded in the marker."""
    return str(load_data("wording")["version"])


def full(origin: Origin, language: str) -> str:
    """The whole sentence, for alternative texts and descriptions."""
    return str(_data(origin)["full"][language])


def sentence(origin: Origin, language: str) -> str:
    """The sentence at the head of a text."""
    return str(_data(origin)["text"][language])


def short(origin: Origin, language: str) -> str:
    """The few words of the badge."""
    return str(_data(origin)["short"][language])


def spoken(origin: Origin, language: str, *, brief: bool = False) -> str:
    """What is said aloud; `brief` for sounds of seconds."""
    return str(_data(origin)["spoken_short" if brief else "spoken"][language])


@dataclass(frozen=True, slots=True)
class Layout:
    """One step of the layout ladder.

    Attributes:
        name: `short3`, `short1`, `code1`, `codeN`, `code2` or `ai`.
        lines: The text, line by line.
        icon: Whether the "AI" sign stands beside it; without one the text itself is the sign.
        small: Holds codes only, for pictures with no room for words.
    """

    name: str
    lines: tuple[str, ...]
    icon: bool
    small: bool


def ladder(origin: Origin, languages: tuple[str, ...]) -> Iterator[Layout]:
    """Layouts from rich to poor."""
    words, codes = _data(origin)["short"], load_data("wording")["code"]
    short = tuple(str(words[language]) for language in languages)
    code = tuple(str(codes[language]) for language in languages)
    yield Layout("short3", short, icon=True, small=False)
    if len(short) > 1:
        yield Layout("short1", (" · ".join(short),), icon=True, small=False)
        yield Layout("code1", (" · ".join(code),), icon=False, small=True)
    yield Layout("codeN", code, icon=False, small=True)
    yield Layout("code2", (" ".join(dict.fromkeys((code[0], "AI"))),), icon=False, small=True)
    yield Layout("ai", ("AI",), icon=False, small=True)


def layout(name: str, origin: Origin, languages: tuple[str, ...]) -> Layout | None:
    """The layout of that name, or `None` when this version draws none such."""
    return next((step for step in ladder(origin, languages) if step.name == name), None)


def _data(origin: Origin) -> Any:
    return load_data("wording")[str(origin)]
