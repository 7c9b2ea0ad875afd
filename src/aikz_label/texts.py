"""Every sentence, in Kazakh, Russian and English, by its stable code."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aikz_label.errors import UsageError
from aikz_label.values import dataclass

LANGUAGES = ("kk", "ru", "en")
_DATA = Path(__file__).with_name("data")

# Characters that rewrite a terminal, reorder a line or hide in it: C0, C1, bidi, zero-width, private use, surrogates.
_DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@cache
def load_data(name: str) -> Mapping[str, Any]:
    """Parse one of the package's data files, once per process."""
    return tomllib.loads(_text(name))


@cache
def _text(name: str) -> str:
    return (_DATA / f"{name}.toml").read_text(encoding="utf-8")


@cache
def _translated(code: str) -> Mapping[str, str]:
    """One table of the sentences in every language: to parse them all costs more than `verify` of a file.

    Raises:
        KeyError: No such code.
    """
    _, header, rest = _text("texts").partition(f"\n[{code}]\n")
    if not header or "\n" in code:
        raise KeyError(code)
    return tomllib.loads(rest.partition("\n[")[0])


def sentence(code: str, language: str, args: Mapping[str, object] | None = None) -> str:
    """The sentence for a code such as `marker.trusted`, its braces filled in.

    An argument whose key ends in `_word` is itself a code of the group `word` and is translated; every other argument is
    untrusted text and is escaped.

    Raises:
        KeyError: No such code.
    """
    template = _translated(code)[language]
    values: dict[str, str] = {}
    for key, value in (args or {}).items():
        if key.endswith("_word"):
            values[key.removesuffix("_word")] = sentence(f"word.{value}", language)
        else:
            values[key] = escape(str(value))
    return template.format(**values)


def translations(code: str, args: Mapping[str, object] | None = None) -> dict[str, str]:
    """The sentence in every language."""
    return {language: sentence(code, language, args) for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Message:
    """A stable code and the words that fill its sentence."""

    code: str
    args: tuple[tuple[str, object], ...] = ()

    def text(self, language: str) -> str:
        """The sentence in one language."""
        return sentence(self.code, language, dict(self.args))

    def to_json(self) -> dict[str, Any]:
        """Code and the sentence in every language."""
        return {"code": self.code, "text": translations(self.code, dict(self.args))}


def message(code: str, **args: object) -> Message:
    """Shorthand for a `Message` with named words."""
    return Message(code, tuple(args.items()))


def escape(text: str, limit: int = 300) -> str:
    r"""Make text from a file safe to print: control, bidi and invisible characters become `\u....`.

    Longer texts are cut to `limit` characters, marked with an ellipsis.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _DANGEROUS else c for c in text)


def check_languages(languages: Iterable[str]) -> tuple[str, ...]:
    """Languages in the order given, without repeats; one string is one or more codes with commas.

    Raises:
        UsageError: None, or one that is not among those supported.
    """
    if isinstance(languages, str):
        languages = (part.strip() for part in languages.split(","))
    languages = tuple(languages)
    unknown = [name for name in languages if name not in LANGUAGES]
    if unknown or not languages:
        raise UsageError(
            f"Unsupported language: {', '.join(unknown) or 'none given'}.",
            hint=f"Choose from {', '.join(LANGUAGES)}.",
        )
    return tuple(dict.fromkeys(languages))
