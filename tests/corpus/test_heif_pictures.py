"""Real AVIF and HEIC files: each is marked with its content intact, or refused with a code."""

from __future__ import annotations

import csv
import os

import pytest

import heif_fidelity
from aikz_label import Label, Refused, Verdict, mark, sniff, verify
from support import require_corpus, require_heif

ENDINGS = (".avif", ".heic", ".heif", ".hif")
LABEL = Label(origin="created", system="Corpus/1")
# Four photographs of one camera and of 33 megapixels, turned in four ways: one of them is enough.
REPEATED = ("sony_3_", "sony_6_", "sony_8_")
# The pictures of its track are made from one that is not in it, so that no decoder shows them as they should be.
NOT_ALONE = {"C046.heic"}
# What cannot be marked; everything else that a decoder accepts is.
EXPECTED = {"unsupported-variant", "not-perceptible"}


def files():
    folder = require_corpus()
    with (folder / "index.tsv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["path"].lower().endswith(ENDINGS) and not any(
                n in row["path"] for n in REPEATED
            ):
                yield folder / row["path"], row["kind"]


def test_every_file_is_intact_or_refused(config):
    require_heif()
    marked, refused = [], []
    for path, kind in files():
        source = path.read_bytes()
        row = sniff(source)
        try:
            result = mark(source, None, LABEL, config=config, on_existing="replace")
        except Refused as refusal:
            refused.append((path, kind, refusal.code))
            continue
        marked.append(path)
        assert result.report.verdict is Verdict.LABELLED, path
        compared = heif_fidelity.Comparison(row.name)
        if not compared.decodable(source):
            assert kind == "broken", path
            continue
        places = result.report.marker.notice.placements
        assert compared.losses(source, result.data, places) == [], path
    decodable = [one for one in refused if one[1] != "broken" and one[0].name not in NOT_ALONE]
    assert [one for one in decodable if one[2] not in EXPECTED] == []
    assert len(marked) / (len(marked) + len(decodable)) >= 0.97


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_cut_file_never_raises(share, config):
    for path, _ in files():
        data = path.read_bytes()
        report = verify(data[: int(len(data) * share)], config=config)
        assert report.verdict in {Verdict.UNREADABLE, Verdict.UNMARKED, Verdict.INVALID}, path


pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(os.name != "posix", reason="paths of the corpus"),
]
