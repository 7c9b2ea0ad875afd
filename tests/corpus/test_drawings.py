"""Real SVG files: marked without a change to what librsvg draws outside the notice, or refused with a reason."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import corpus_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.report import Verdict
from corpus_files import Row
from support import require_corpus
from svg_files import rsvg, without_ours

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

LEAST_MARKED = (
    23  # of 29 that librsvg draws; the others run scripts, animate the whole, or have no height
)
ROWS = corpus_files.rows("svg")


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_without_a_change_or_refused(
    row: Row | None, config: Config, tmp_path: Path
) -> None:
    require_corpus()
    assert row is not None
    out = tmp_path / "out.svg"
    source = row.file.read_bytes()
    code, result = "", None
    try:
        label = Label(origin=Origin.CREATED)
        result = mark(row.file, out, label, config=config, on_existing="replace")
    except Refused as refusal:
        code = refusal.code
    assert row.file.read_bytes() == source
    if result is None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert code not in {"self-check", "refused", "error"}
        assert not list(tmp_path.iterdir())
        return
    data = out.read_bytes()
    assert without_ours(source) == without_ours(data)
    assert verify(out, config=config, measure=True).verdict is Verdict.LABELLED
    notice = result.report.marker.notice
    assert notice is not None
    (place,) = notice.placements
    before, after = drawn(source), drawn(data)
    assert after is not None
    if before is None or before.shape != after.shape:
        return  # without any size, librsvg shows as much as is painted
    height, width = before.shape[:2]
    changed = (before != after).any(axis=2)
    left, top = int(place["x"] * width) - 1, int(place["y"] * height) - 1
    right = int((place["x"] + place["width"]) * width) + 2
    bottom = int((place["y"] + place["height"]) * height) + 2
    changed[max(0, top) : bottom, max(0, left) : right] = False
    assert not changed.any()


def drawn(data: bytes) -> np.ndarray | None:
    try:
        return rsvg(data)
    except subprocess.CalledProcessError:
        return None


def test_enough_of_them_are_marked(config: Config) -> None:
    require_corpus()
    told: Counter[str] = Counter()
    for row in ROWS:
        try:
            mark(row.file, None, Label(origin=Origin.CREATED), config=config, on_existing="replace")
            told["marked"] += 1
        except Refused as refusal:
            told[refusal.code] += 1
    assert told["marked"] >= LEAST_MARKED, told
