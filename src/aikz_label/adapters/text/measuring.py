"""Measuring the notice of a text: is it there, first, whole, and nothing but what people can see?"""

from __future__ import annotations

from aikz_label.adapters.text import hiding
from aikz_label.adapters.text.document import Document, Said
from aikz_label.adapters.text.page import CONTRAST, FONT_PX
from aikz_label.label import Origin
from aikz_label.profile import TextProfile
from aikz_label.report import Measurement, NoticeState


def measure(
    document: Document, origin: Origin, languages: tuple[str, ...], profile: TextProfile
) -> Measurement:
    """Measure the notice that a text should carry.

    Args:
        document: The text, without its marker.
        origin: What the notice must say.
        languages: In which languages.
        profile: Numbers it must reach.
    """
    said = document.first()
    if said is not None and said.origin is origin and said.languages == languages:
        figures = {"match": 1.0, "before": 0.0} | _as_composed(document)
    else:
        figures = hiding.look(document, origin, languages)
    if document.repeats:  # a program or a table is not read from its start to its end
        figures["words"] = float(document.words())
        again = figures["words"] > profile.repeat_after_words and _same(
            document.last(), origin, languages
        )
        figures["repeats"] = 2.0 if again else 1.0
    problems = profile.problems(figures)
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return Measurement(state, tuple(figures.items()), problems)


def _same(said: Said | None, origin: Origin, languages: tuple[str, ...]) -> bool:
    return said is not None and said.origin is origin and said.languages == languages


def _as_composed(document: Document) -> dict[str, float]:
    """Figures of a notice that stands exactly as we write it."""
    if document.form == "aside":
        return {"contrast": CONTRAST, "font_px": FONT_PX}
    return {"seconds": document.seconds} if document.seconds else {}
