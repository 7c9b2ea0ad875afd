"""A notice that is not as we write it: what is left of it, and what keeps people from reading it.

Sentences are looked for as they are, then with invisible characters left out, then with letters that only look alike put
right. In a page they are also looked for where nobody sees them.
"""

from __future__ import annotations

import re

from aikz_label.adapters.text import styles
from aikz_label.adapters.text.document import Document
from aikz_label.label import Origin
from aikz_label.texts import LANGUAGES

# Characters that draw nothing: zero-width, joiners, bidi controls, soft hyphen, fillers, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
# Cyrillic letters and the Latin ones that look the same.
_ALIKE = str.maketrans("АВЕКМНОРСТУХІаеорсухіһ", "ABEKMHOPCTYXIaeopcyxih")
_LOOK = 4 * 1024 * 1024  # characters that are searched


def look(document: Document, origin: Origin, languages: tuple[str, ...]) -> dict[str, float]:
    """Figures of whatever there is of a notice."""
    text = document.visible()[:_LOOK]
    wanted = [document.words_of(origin, language) for language in languages]
    found = [text.find(sentence) for sentence in wanted]
    there = [at for at in found if at >= 0]
    figures = {"match": len(there) / len(wanted), "before": 0.0}
    if there:
        figures["before"] = float(sum(c.isalnum() for c in text[: min(there)]))
        seconds = document.lasts(min(there))
        if seconds is not None:
            figures["seconds"] = seconds
    elif text:
        figures |= _disguised(text, wanted)
    if document.form == "aside":
        figures |= styles.concealment(document.text, wanted)
    return figures


def spoken(document: Document) -> tuple[Origin, tuple[str, ...]] | None:
    """What a notice anywhere in a text says, disguised or not; of two origins the one that comes first."""
    text = document.visible()[:_LOOK]
    if document.form == "aside":
        text += "\n" + styles.unseen(document.text)[:_LOOK]
    plain = _folded(text)
    found: list[tuple[int, Origin, str]] = []
    for origin in Origin:
        for language in LANGUAGES:
            at = plain.find(_folded(document.words_of(origin, language)))
            if at >= 0:
                found.append((at, origin, language))
    if not found:
        return None
    first = min(found)[1]
    return first, tuple(language for _, origin, language in sorted(found) if origin is first)


def _folded(text: str) -> str:
    return _INVISIBLE.sub("", text).translate(_ALIKE)


def _disguised(text: str, wanted: list[str]) -> dict[str, float]:
    """How many characters of a notice are not what they look like."""
    figures: dict[str, float] = {}
    shown = _INVISIBLE.sub("", text)
    alike = shown.translate(_ALIKE)
    for sentence in wanted:
        at = shown.find(sentence)
        if at >= 0:
            figures["zero_width"] = figures.get("zero_width", 0.0) + len(text) - len(shown)
            figures["match"] = 1.0
            continue
        at = alike.find(sentence.translate(_ALIKE))
        if at >= 0:
            there = shown[at : at + len(sentence)]
            wrong = sum(a != b for a, b in zip(there, sentence, strict=True))
            figures["look_alike"] = figures.get("look_alike", 0.0) + wrong
            figures["match"] = 1.0
    return figures
