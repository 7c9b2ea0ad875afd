"""Real BMP, ICO and JPEG 2000 files, whose marker is beside them: marked without a loss, or refused with a reason."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import corpus_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.report import Verdict
from corpus_files import Row
from support import require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

LEAST_MARKED = {"bmp": 5, "ico": 2, "jp2": 3}  # the others are too small for letters, or broken
ROWS = corpus_files.rows(*LEAST_MARKED)


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_without_a_loss_or_refused(row: Row | None, config: Config, tmp_path: Path) -> None:
    require_corpus()
    assert row is not None
    out = tmp_path / f"out{row.file.suffix}"
    source = row.file.read_bytes()
    code, result = "", None
    try:
        result = mark(row.file, out, Label(origin=Origin.CREATED), config=config)
    except Refused as refusal:
        code = refusal.code
    if result is None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert code not in {"self-check", "refused", "error"}
        assert not list(tmp_path.iterdir())
        return
    assert row.file.read_bytes() == source
    assert sorted(tmp_path.iterdir()) == [out, result.sidecar_path]
    measured = verify(out, config=config, measure=True)
    assert measured.verdict is Verdict.LABELLED
    notice = result.report.marker.notice
    assert notice is not None
    before, after = list(seen(source)), list(seen(out.read_bytes()))
    assert len(before) == len(after)
    for first, second in zip(before, after, strict=True):
        assert first.shape == second.shape
        for place in notice.placements:  # of an icon all of them: each size is compared without any
            height, width = first.shape[:2]
            x, y = int(place["x"] * width), int(place["y"] * height)
            right = int((place["x"] + place["width"]) * width) + 2
            bottom = int((place["y"] + place["height"]) * height) + 2
            first[y:bottom, x:right] = second[y:bottom, x:right] = 0
        if row.format == "jp2":
            error = float(np.mean((first.astype(float) - second) ** 2))
            assert error < 255**2 / 10**4.4
        else:
            assert (first == second).all()


def seen(data: bytes) -> Iterator[np.ndarray]:
    """Every size of a picture as Pillow shows it; none of what Pillow does not read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=["BMP", "ICO", "JPEG2000"])
            for size in sorted(image.info.get("sizes", [image.size])):
                if image.format == "ICO":
                    image.size = size
                image.load()
                yield np.array(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError):
        return


def test_enough_of_them_are_marked(config: Config) -> None:
    require_corpus()
    marked = dict.fromkeys(LEAST_MARKED, 0)
    for row in ROWS:
        try:
            mark(row.file, None, Label(origin=Origin.CREATED), config=config)
        except Refused:
            continue
        marked[row.format] += 1
    assert all(marked[name] >= least for name, least in LEAST_MARKED.items()), marked
