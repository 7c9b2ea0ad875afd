"""Real TIFF and DNG files: each is marked with its content intact, or refused with a code."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

import corpus_files
from aikz_label import verify
from aikz_label.config import Config
from aikz_label.report import Verdict
from corpus_files import Row
from support import require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

ROWS = corpus_files.rows("tiff", "dng")
# Of the files that a reference decoder reads. What is missing has a header that we do not accept.
LEAST_MARKED = Fraction(45, 46)


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_without_a_loss_or_refused(row: Row, config: Config, tmp_path: Path) -> None:
    require_corpus()
    out = tmp_path / f"out{row.file.suffix or '.tif'}"
    source = row.file.read_bytes()
    outcome = corpus_files.attempt(row, out, config)
    assert row.file.read_bytes() == source
    if outcome.result is None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", outcome.code)
        assert outcome.code not in {"self-check", "refused", "error"}
        assert not list(tmp_path.iterdir())
        return
    assert outcome.losses == ()
    report = verify(out, config=config)
    best = Verdict.INCOMPLETE if report.format == "dng" else Verdict.LABELLED
    assert report.verdict is best
    assert verify(out, config=config, measure=True).verdict is best


def test_enough_are_marked(config: Config, tmp_path: Path) -> None:
    require_corpus()
    outcomes = [
        corpus_files.attempt(row, tmp_path / str(number), config) for number, row in enumerate(ROWS)
    ]
    sound = [outcome for outcome in outcomes if outcome.decodable]
    marked = sum(outcome.result is not None for outcome in sound)
    assert Fraction(marked, len(sound)) >= LEAST_MARKED, [outcome.code for outcome in sound]
