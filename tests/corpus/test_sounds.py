"""Real sound files: marked with every sample of the programme and every tag as they were, or refused with a reason.

Every eighth file; tools/corpus_sound.py does it with all of them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import corpus_files
from aikz_label import verify
from aikz_label.config import Config
from aikz_label.report import Verdict
from corpus_files import Row
from support import require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(300)]

ROWS = sorted(corpus_files.sounds(), key=lambda row: row.sha256)[::8]


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
        assert outcome.code not in {"self-check", "content-changed", "refused", "error"}
        assert not list(tmp_path.iterdir())
        return
    assert verify(out, config=config).verdict is Verdict.LABELLED
