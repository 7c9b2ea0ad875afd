"""Real PDF files: every fifth is marked and judged by other programs; the page about all of them is made by a tool."""

from __future__ import annotations

import pytest

import corpus_documents
import corpus_files
from aikz_label.config import Config
from support import require_corpus

ROWS = corpus_files.rows("pdf")[::5]
REASONS = {"damaged", "not-perceptible", "password", "encryption", "content-changed"}


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_or_refused(row: corpus_files.Row | None, config: Config) -> None:
    """What is marked is intact; what opens is marked unless its pages are too small."""
    require_corpus()
    assert row is not None
    outcome = corpus_documents.attempt(row, config, insist=True)
    assert not outcome.losses
    if outcome.code:
        assert outcome.code in REASONS | {"certified"}
    if outcome.group in {"plain", "encrypted"}:
        assert outcome.code in {"", "not-perceptible", "content-changed"}
