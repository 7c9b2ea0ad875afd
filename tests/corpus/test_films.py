"""Films of the corpus, a few of each container; tools/corpus_films.py does it with all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import corpus_files
from aikz_label import verify
from aikz_label.config import Config
from aikz_label.report import Verdict
from support import require_corpus

pytestmark = pytest.mark.timeout(180)

_SMALL = 150_000  # bytes
_EACH = 2
ROWS = [
    row
    for name in corpus_files.FILMS
    for row in [
        row
        for row in corpus_files.films()
        if row.format == name and row.kind.startswith("valid") and row.file.stat().st_size < _SMALL
    ][:_EACH]
]


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_with_everything_kept_or_refused(
    row: corpus_files.Row | None, config: Config, tmp_path: Path
) -> None:
    require_corpus()
    assert row is not None
    outcome = corpus_files.attempt(row, tmp_path / "film", config)
    assert outcome.losses == ()
    assert outcome.result is not None or outcome.code
    if outcome.result is not None:
        assert verify(tmp_path / "film", config=config).verdict is Verdict.LABELLED
    assert hashlib.sha256(row.file.read_bytes()).hexdigest() == row.sha256


def test_nothing_is_said_of_a_film_that_is_not_so() -> None:
    """Every film gets an answer, none of them `labelled`: nobody here signed one."""
    require_corpus()
    for row in corpus_files.rows(*corpus_files.FILMS):
        report = verify(row.file, trust=[])
        assert report.verdict is not Verdict.LABELLED, row
        if row.kind == "broken":
            assert report.verdict in {Verdict.UNREADABLE, Verdict.UNMARKED}, row
