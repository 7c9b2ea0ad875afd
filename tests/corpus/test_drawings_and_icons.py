"""Real SVG, BMP, ICO and JPEG 2000 files: marked without a loss, or refused with a reason."""

from __future__ import annotations

import re
from collections import Counter
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

# Floors: the share of the decodable files that is marked. What is missing is too small for letters, an icon with sizes
# that are, a drawing that runs a script or animates as a whole, or one whose height is nothing.
LEAST_MARKED = {
    "bmp": Fraction(9, 9),
    "ico": Fraction(4, 4),
    "jp2": Fraction(4, 5),
    "svg": Fraction(25, 34),
}
ROWS = corpus_files.rows(*LEAST_MARKED)


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_without_a_loss_or_refused(row: Row | None, config: Config, tmp_path: Path) -> None:
    require_corpus()
    assert row is not None
    out = tmp_path / f"out{row.file.suffix}"
    source = row.file.read_bytes()
    outcome = corpus_files.attempt(row, out, config)
    assert row.file.read_bytes() == source
    assert outcome.losses == ()
    if outcome.result is None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", outcome.code)
        assert outcome.code not in {"self-check", "refused", "error"}
        assert not list(tmp_path.iterdir())
        return
    beside = outcome.result.sidecar_path
    assert sorted(tmp_path.iterdir()) == sorted(path for path in (out, beside) if path)
    assert verify(out, config=config, measure=True).verdict is Verdict.LABELLED


def test_enough_of_them_are_marked(config: Config, tmp_path: Path) -> None:
    require_corpus()
    decodable: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for number, row in enumerate(ROWS):
        outcome = corpus_files.attempt(row, tmp_path / str(number), config)
        decodable[row.format] += outcome.decodable
        marked[row.format] += outcome.decodable and outcome.result is not None
    shares = {name: Fraction(marked[name], decodable[name]) for name in LEAST_MARKED}
    assert all(shares[name] >= least for name, least in LEAST_MARKED.items()), (marked, decodable)
