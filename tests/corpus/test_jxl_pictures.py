"""Real JPEG XL files: each is marked, and djxl finds the picture outside the badge as it was."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from PIL import Image

import corpus_files
from aikz_label import Label, Refused, Verdict, mark
from support import require_codecs, require_corpus, require_tool

LABEL = Label(origin="created", system="Corpus/1")


def decoded(folder, data):
    """The first frame as people see it, with 16 bits of grey or colours in 8, or `None`."""
    source, target = folder / "a.jxl", folder / "a.png"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    command = [require_tool("djxl"), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if done.returncode or not target.exists():
        return None
    with Image.open(target) as image:
        return np.asarray(image.convert("RGBA")).astype(int)


def test_every_file_is_marked_and_intact(tmp_path, config):
    require_corpus()
    require_codecs()
    refused = []
    for row in corpus_files.rows("jxl"):
        source = row.file.read_bytes()
        before = decoded(tmp_path, source)
        try:
            result = mark(source, None, LABEL, config=config, on_existing="replace")
        except Refused as refusal:
            refused.append((row.path, row.kind, refusal.code))
            continue
        assert result.report.verdict is Verdict.LABELLED, row.path
        after = decoded(tmp_path, result.data)
        if before is None:
            continue
        assert before.shape == after.shape, row.path
        place = result.report.marker.notice.placements[0]
        height, width = before.shape[:2]
        left, top = int(place["x"] * width) - 17, int(place["y"] * height) - 17
        right = int((place["x"] + place["width"]) * width) + 18
        bottom = int((place["y"] + place["height"]) * height) + 18
        delta = np.abs(before - after)
        delta[max(0, top) : bottom, max(0, left) : right] = 0
        assert delta.max() <= 1, row.path  # where opacity is part, decoders round in another way
    assert [one for one in refused if one[1] != "broken"] == []


pytestmark = pytest.mark.corpus
