"""SARIF 2.1.0, which code scanning and CI systems show beside files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from urllib.parse import quote

import aikz_label
from aikz_label.batch import Row
from aikz_label.report import Finding, Report, Status, Verdict
from aikz_label.texts import load_data

_LEVELS = {
    Verdict.INVALID: "error",
    Verdict.INCOMPLETE: "warning",
    Verdict.UNREADABLE: "warning",
    Verdict.UNMARKED: "note",
}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write_sarif(rows: Iterable[tuple[Row, Report]], stream: TextIO, language: str) -> None:
    """One result for each file that is not labelled, with the clauses that fail or stay unknown."""
    clauses = load_data("clauses")["clause"]
    driver = {
        "name": "aikz-label",
        "version": aikz_label.__version__,
        "rules": [
            {"id": clause, "shortDescription": {"text": words[language]}}
            for clause, words in clauses.items()
        ]
        + [{"id": "verdict", "shortDescription": {"text": "The one word about the file"}}],
    }
    head = {"$schema": _SCHEMA, "version": "2.1.0"}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints"}
    stream.write(json.dumps(head)[:-1] + ', "runs": [' + json.dumps(run)[:-1] + ', "results": [\n')
    separator = ""
    for row, report in rows:
        for result in _results(row, report, language):
            stream.write(separator + json.dumps(result))
            separator = ",\n"
    stream.write("\n]}]}\n")


def _results(row: Row, report: Report, language: str) -> Iterator[dict[str, Any]]:
    level = _LEVELS.get(row.verdict)
    if level is None:
        return
    place = {"physicalLocation": {"artifactLocation": {"uri": _uri(row.uri)}}}
    yield {
        "ruleId": "verdict",
        "level": level,
        "message": {"text": f"{row.verdict}: {row.reason.text(language)}"},
        "locations": [place],
    }
    for finding in report.findings:
        if finding.status is Status.FAIL:
            yield _failed(finding, level, place, language)


def _failed(finding: Finding, level: str, place: dict[str, Any], language: str) -> dict[str, Any]:
    return {
        "ruleId": finding.clause,
        "level": level,
        "message": {"text": finding.message.text(language)},
        "locations": [place],
    }


def _uri(name: str) -> str:
    try:
        data = os.fsencode(name)
    except UnicodeEncodeError:  # nothing that a file system could have given
        data = name.encode("utf-8", "replace")
    return quote(data, safe="/:?=&%@+,;~" if "://" in name else "/")
