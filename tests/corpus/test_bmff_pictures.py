"""Real AVIF and HEIC files: each is marked with its content intact, or refused with a code."""

from __future__ import annotations

import csv
import os

import pytest

from aikz_label import Label, Limits, Refused, Verdict, mark, sniff, verify
from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.avif import Avif
from aikz_label.adapters.image.modes import difference_outside
from support import pixels, require_corpus, require_heif

ENDINGS = (".avif", ".heic", ".heif", ".hif")
LABEL = Label(origin="created", system="Corpus/1")
# What cannot be marked yet; everything else that a decoder accepts is.
EXPECTED = {"unsupported-variant", "unsupported-format", "not-perceptible"}


def files():
    folder = require_corpus()
    with (folder / "index.tsv").open(encoding="utf-8") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            if row["path"].lower().endswith(ENDINGS):
                yield folder / row["path"], row["kind"]


def test_every_file_is_intact_or_refused(config):
    require_heif()
    marked, refused = [], []
    for path, kind in files():
        source = path.read_bytes()
        how = "replace" if kind == "c2pa" else "refuse"
        try:
            result = mark(source, None, LABEL, config=config, on_existing=how)
        except Refused as refusal:
            refused.append((path, kind, refusal.code))
            continue
        marked.append(path)
        assert result.report.verdict is Verdict.LABELLED, path
        before, after = pixels(source), pixels(result.data)
        assert (before.size, before.mode) == (after.size, after.mode), path
        quality = difference_outside(before, after, _grown(result, source, before))
        assert quality >= 40, path
    assert [one for one in refused if one[1] != "broken" and one[2] not in EXPECTED] == []
    assert len(marked) >= 15
    assert len(refused) >= 15


def is_avif(source):
    row = sniff(source)
    return row is not None and row.name == "avif"


def _grown(result, source, image):
    """A generous box around the badge, in the coordinates that the decoder gives."""
    orientation = Avif.parse(source, Limits(), thorough=True).orientation if is_avif(source) else 1
    shown = canvas.displayed_size(image.size, orientation)
    place = result.report.marker.notice.placements[0]
    left, top = max(0, int(place["x"] * shown[0]) - 32), max(0, int(place["y"] * shown[1]) - 32)
    right = min(shown[0], int((place["x"] + place["width"]) * shown[0]) + 33)
    bottom = min(shown[1], int((place["y"] + place["height"]) * shown[1]) + 33)
    return canvas.stored_box((left, top, right - left, bottom - top), shown, orientation)


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
