"""The summary of a journal, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aikz_label.batch import Row
from aikz_label.console import wrapped
from aikz_label.report import Message, Verdict
from aikz_label.texts import escape, sentence
from aikz_label.values import dataclass, field


@dataclass(slots=True)
class Totals:
    """How many files had which verdict, for which reason, and in which format."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[Verdict, str], Message] = field(default_factory=dict)
    size: int = 0

    def add(self, row: Row) -> None:
        """Count a file."""
        self.verdicts[row.verdict] += 1
        self.reasons[row.verdict, row.reason.code] += 1
        self.formats[str(row.evidence.get("format") or "?")] += 1
        self.examples.setdefault((row.verdict, row.reason.code), row.reason)
        self.size += row.size or 0


def summary(rows: Iterable[Row], language: str) -> str:
    """Verdicts, and under each the reasons for it."""
    totals = Totals()
    for row in rows:
        totals.add(row)
    width = max(len(sentence(f"title.{verdict}", language)) for verdict in Verdict)
    lines = []
    for verdict in Verdict:
        if not totals.verdicts[verdict]:
            continue
        title = sentence(f"title.{verdict}", language).ljust(width)
        lines.append(f"{title}  {totals.verdicts[verdict]:>9,}")
        for (word, code), number in totals.reasons.most_common():
            if word is verdict:
                lines += wrapped(
                    f"{number:,} × {_general(totals.examples[word, code], language)} [{code}]",
                    "    ",
                    "      ",
                )
    total = sentence("ui.total", language).ljust(width)
    lines.append(f"{total}  {totals.verdicts.total():>9,}")
    formats = ", ".join(
        f"{escape(name)} {number:,}" for name, number in totals.formats.most_common()
    )
    lines += wrapped(f"{sentence('ui.formats', language)}: {formats}", "", "  ")
    return "\n".join(lines)


def _general(reason: Message, language: str) -> str:
    """A sentence without the words of one file."""
    blank = {key.removesuffix("_word") for key, _ in reason.args}
    return sentence(reason.code, language, dict.fromkeys(blank, "…"))
