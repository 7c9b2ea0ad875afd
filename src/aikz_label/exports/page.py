"""One page for a moderator: totals, filters, every finding explained, in Kazakh, Russian and English.

It works offline and without its script, which only filters and changes the language. Text from files is escaped twice: what
could rewrite a line becomes visible, and what is HTML becomes text. The page allows no script but its own, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from string import Template
from typing import TextIO

from aikz_label.batch import Row
from aikz_label.exports.summary import Totals
from aikz_label.profile import Profile
from aikz_label.report import Finding, Message, Report, Status, Verdict
from aikz_label.texts import LANGUAGES, escape, load_data, sentence, translations
from aikz_label.values import dataclass, field

LIMIT = 2000  # files on one page
ORDER = (
    Verdict.INVALID,
    Verdict.INCOMPLETE,
    Verdict.UNREADABLE,
    Verdict.UNMARKED,
    Verdict.LABELLED,
)
Texts = Mapping[str, str]


@dataclass(slots=True)
class Page:
    """What the page is made of.

    Attributes:
        header: The journal's first line.
        numbers: The profile whose reports these are.
        language: The language it opens in.
        limit: How many files are listed at most, the worst first.
        pictures: Small pictures by file, JPEG in base64.
    """

    header: Mapping[str, object]
    numbers: Profile
    language: str = "kk"
    limit: int = LIMIT
    pictures: dict[str, str] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    _kept: dict[Verdict, list[Row]] = field(default_factory=lambda: {word: [] for word in ORDER})
    _known: dict[tuple[str, ...], int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count a file, and keep it when there is room."""
        self.totals.add(row)
        if len(self._kept[row.verdict]) < self.limit:
            self._kept[row.verdict].append(row)

    @property
    def listed(self) -> list[Row]:
        """The files on the page, the worst first."""
        return [row for word in ORDER for row in self._kept[word]][: self.limit]

    def write(self, stream: TextIO, damaged: int = 0) -> None:
        """Write the page."""
        rows = self.listed
        listed = "\n".join(self._row(row) for row in rows)
        script = _data("report.js")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        parts = {
            "language": self.language,
            "script_hash": digest,
            "title": html.escape(sentence("ui.title", self.language)),
            "heading": self._text(translations("ui.title")),
            "notes": self._notes(len(rows), damaged),
            "totals": "".join(self._totals()),
            "filters": "".join(self._filters(rows)),
            "matching": self._text(translations("ui.matching")),
            "shown": str(len(rows)),
            "rows": listed,
            "script": script,
        }
        parts["sentences"] = self._sentences()  # at last: everything above adds to them
        stream.write(Template(_data("report.html")).substitute(parts))

    # --- sentences -------------------------------------------------------------------------------

    def _number(self, texts: Texts) -> int:
        return self._known.setdefault(tuple(texts[name] for name in LANGUAGES), len(self._known))

    def _text(self, texts: Texts) -> str:
        """A sentence that the page can say in three languages."""
        return f'<span data-s="{self._number(texts)}">{html.escape(texts[self.language])}</span>'

    def _say(self, code: str, **words: object) -> str:
        return self._text(translations(code, words))

    def _message(self, message: Message) -> str:
        return self._text(translations(message.code, dict(message.args)))

    def _sentences(self) -> str:
        columns = {name: [texts[at] for texts in self._known] for at, name in enumerate(LANGUAGES)}
        return json.dumps(columns).replace("<", "\\u003c")

    # --- parts -----------------------------------------------------------------------------------

    def _notes(self, shown: int, damaged: int) -> str:
        time = str(self.header.get("started", "")).replace("T", " ").replace("+00:00", " UTC")
        made = {"time": time, "version": self.header.get("version", "")}
        notes = [self._say("ui.made", **made, profile=self.numbers.id)]
        total = self.totals.verdicts.total()
        if shown < total:
            notes.append(self._say("ui.some", shown=f"{shown:,}", total=f"{total:,}"))
        if damaged:
            notes.append(self._say("ui.damaged", count=damaged))
        if self.totals.verdicts[Verdict.UNMARKED]:
            word = self._say("title.unmarked")
            notes.append(f"<b>{word}</b>: {self._say('verdict.unmarked')}")
        return "".join(f"<p>{note}</p>" for note in notes)

    def _totals(self) -> Iterator[str]:
        for verdict in ORDER:
            number = self.totals.verdicts[verdict]
            yield (
                f'<button type="button" class="{verdict}" value="{verdict}" aria-pressed="false">'
                f"<b>{number:,}</b>{self._say(f'title.{verdict}')}</button>"
            )

    def _filters(self, rows: Iterable[Row]) -> Iterator[str]:
        hint = translations("ui.search")
        yield (
            f'<input id="search" type="search" data-hint="{self._number(hint)}" '
            f'placeholder="{html.escape(hint[self.language])}">'
        )
        formats = sorted({str(row.evidence.get("format") or "?") for row in rows})
        reasons = sorted({row.reason.code for row in rows})
        for name, values in (("format", formats), ("reason", reasons)):
            first = self._number(translations(f"ui.any-{name}"))
            options = f'<option value="" data-s="{first}">{html.escape(sentence(f"ui.any-{name}", self.language))}</option>'
            options += "".join(f"<option>{html.escape(escape(value))}</option>" for value in values)
            yield f'<select id="{name}">{options}</select>'

    def _row(self, row: Row) -> str:
        report = row.report(self.numbers)
        picture = self.pictures.get(row.uri)
        image = '<span class="none"></span>' if self.pictures else ""
        if picture:
            image = f'<img alt="" src="data:image/jpeg;base64,{picture}">'
        about = "".join(
            f"<dt>{name}</dt><dd>{value}</dd>" for name, value in self._facts(row, report)
        )
        findings = "".join(map(self._finding, report.findings))
        limits = "".join(f"<li>{self._message(limit)}</li>" for limit in report.limits)
        format_name = html.escape(escape(str(row.evidence.get("format") or "?")))
        own = ""
        if row.self_issued and report.marker.intact:
            own = f"<br><small>{self._say('word.self-issued')}</small>"
        return (
            f'<details class="{row.verdict}" data-format="{format_name}" data-reason="{html.escape(row.reason.code)}">'
            f'<summary>{image}<span class="word">{self._say(f"title.{row.verdict}")}{own}</span>'
            f'<span class="name">{_untrusted(row.uri, 4096)}</span>'
            f'<span class="why">{self._message(row.reason)}</span></summary>'
            f'<div class="more"><dl>{about}</dl><table><tbody>{findings}</tbody></table>'
            + (f"<p>{self._say('ui.limits')}:</p><ul>{limits}</ul>" if limits else "")
            + "</div></details>"
        )

    def _facts(self, row: Row, report: Report) -> Iterator[tuple[str, str]]:
        declared, signer = report.declared, report.marker.signer
        if declared is not None:
            words = self._say(f"word.{declared.origin}")
            yield (
                self._say("ui.declared"),
                words + (f"; {_untrusted(str(declared.system))}" if declared.system else ""),
            )
            if declared.responsible is not None:
                party = declared.responsible
                number = f" {_untrusted(party.id_value)}" if party.id_value else ""
                yield self._say("ui.responsible"), _untrusted(party.name) + number
        if signer is not None and report.marker.intact:
            own = f" ({self._say('word.self-issued')})" if report.marker.self_issued else ""
            yield self._say("ui.signed"), _untrusted(signer.name) + own
        for mirror in report.mirrors[:20]:
            yield self._say("ui.metadata"), f"{_untrusted(mirror.name)}: {_untrusted(mirror.value)}"
        if report.marker.codes:
            yield "C2PA", _untrusted(", ".join(report.marker.codes), 1000)
        if row.size is not None:
            yield self._say("ui.size"), f"{row.size:,}"
        if row.sha256:
            yield "SHA-256", _untrusted(row.sha256)
        if row.detail:
            yield "stderr", _untrusted(row.detail)

    def _finding(self, finding: Finding) -> str:
        title = load_data("clauses")["clause"][finding.clause]
        tone = {Status.PASS: "pass", Status.FAIL: "fail"}.get(finding.status, "")
        return (
            f'<tr><td class="{tone}">{self._say(f"status.{finding.status}")}</td><td>{self._text(title)} '
            f"<small>[{finding.clause}]</small><br>{self._message(finding.message)}</td></tr>"
        )


def _untrusted(text: str, limit: int = 300) -> str:
    return html.escape(escape(text, limit))


def _data(name: str) -> str:
    return resources.files("aikz_label").joinpath("data", name).read_text(encoding="utf-8")
