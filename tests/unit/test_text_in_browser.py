"""The note of a page in a real browser, wide and narrow, against styles that want it away."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aikz_label import Label, mark
from aikz_label.config import Config
from support import require_tool

HOSTILE = """
@layer x { aside, aside * { display: none !important; opacity: 0 !important } }
aside, p, [role=note], #aikz-label { display: none !important; position: absolute !important; left: -9999px !important;
  transform: scale(0) !important; clip-path: inset(50%) !important; height: 0 !important; overflow: hidden !important;
  visibility: hidden !important; opacity: 0 !important; filter: opacity(0) !important; max-height: 0 !important;
  content-visibility: hidden !important; margin-top: -500px !important; animation: away 1s forwards }
@keyframes away { to { opacity: 0 } }
aside p { text-indent: -9999px !important; line-height: 0 !important; color: #000 !important; font-size: 0 !important }
p::first-letter { font-size: 90px !important; color: transparent !important }
p::first-line { font-size: 0 !important; color: transparent !important }
"""
BODIES = {
    "hostile": HOSTILE,
    "row": "body { display: flex; height: 100vh; margin: 0 } main { flex: 1 }",
}


@pytest.mark.parametrize("width", [1000, 500])
@pytest.mark.parametrize("style", BODIES.values(), ids=BODIES)
def test_the_note_is_seen_and_the_page_too(
    style: str, width: int, config: Config, tmp_path: Path
) -> None:
    page = (
        f"<!doctype html><html><head><meta charset='utf-8'><style>{style}</style></head><body>"
        "<main style='background:#00f'><h1>Page</h1></main></body></html>"
    )
    marked, shot = tmp_path / "page.html", tmp_path / "shot.png"
    source = tmp_path / "source.html"
    source.write_text(page, encoding="utf-8")
    mark(source, marked, Label(origin="created"), config=config)
    subprocess.run(
        [
            require_tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},400", f"--screenshot={shot}",
            marked.as_uri(),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with Image.open(shot) as image:
        seen = np.asarray(image.convert("RGB")).astype(int)
    black, white = (seen.max(axis=2) < 40), (seen.min(axis=2) > 215)
    rows, columns = np.nonzero(black[:200, :250])
    assert len(rows) > 5000, "the note's ground"
    box = white[rows.min() : rows.max(), columns.min() : columns.max()]
    assert 0.02 < box.mean() < 0.6, "its letters"
    blue = (seen[:, :, 2] > 200) & (seen[:, :, 0] < 60)
    assert blue.sum() > 3000, "the page itself"
