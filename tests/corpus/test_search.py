"""Real pictures without our badge: the search must find none."""

from __future__ import annotations

import csv
import warnings

import pytest
from PIL import Image

from aikz_label.notice.search import search
from aikz_label.profile import load_profile
from support import require_corpus

KZ = load_profile("kz")
MOST = 150


def pictures():
    folder = require_corpus()
    with (folder / "index.tsv").open(encoding="utf-8", newline="") as index:
        rows = [
            row
            for row in csv.DictReader(index, delimiter="\t")
            if row["format"] in {"jpeg", "png", "webp"}
        ]
    for row in rows[:: max(1, len(rows) // MOST)][:MOST]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(folder / row["path"]) as opened:
                    image = opened.copy()
        except Exception:  # noqa: BLE001  # many of them are damaged on purpose
            continue
        if image.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"}:
            yield row["path"], image


@pytest.mark.timeout(300)
def test_no_unlabelled_picture_has_our_badge():
    seen = [(path, search(image, KZ)) for path, image in pictures()]
    assert len(seen) > 50
    assert [path for path, found in seen if found is not None] == []
