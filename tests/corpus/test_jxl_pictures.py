"""Real JPEG XL files: each is marked, and djxl finds the picture outside the badge as it was."""

from __future__ import annotations

import pytest

import corpus_files
import jxl_fidelity
from aikz_label import Label, Refused, Verdict, mark
from support import require_codecs, require_corpus

LABEL = Label(origin="created", system="Corpus/1")


def test_every_file_is_marked_and_intact(config):
    require_corpus()
    require_codecs()
    refused = []
    for row in corpus_files.rows("jxl"):
        source = row.file.read_bytes()
        try:
            result = mark(source, None, LABEL, config=config, on_existing="replace")
        except Refused as refusal:
            refused.append((row.path, row.kind, refusal.code))
            continue
        assert result.report.verdict is Verdict.LABELLED, row.path
        places = result.report.marker.notice.placements
        if jxl_fidelity.decodable(source):
            assert jxl_fidelity.losses(source, result.data, places) == [], row.path
    assert [one for one in refused if one[1] != "broken"] == []


pytestmark = pytest.mark.corpus
