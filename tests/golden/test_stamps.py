"""Golden sheet: the stamp in every layout, and pages of every shape with it, as people looked at them.

Regenerate with `PYTHONPATH=tests python tests/golden/test_stamps.py`, then look.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops

from aikz_label.adapters.pdf.stamp import form, renderer, template
from aikz_label.label import Origin
from aikz_label.notice import wording
from pdf_stamps import document, page, stamped

HERE = Path(__file__).parent
LANGUAGES = ("kk", "ru", "en")
PAGES = [
    page(),
    page(Rotate=90),
    page(Rotate=180),
    page(CropBox=[100, 200, 500, 700], Rotate=270),
    page((-100, -50, 1500, 900)),
    page((0, 0, 200, 120)),
    page((0, 0, 60, 60)),
    page((0, 0, 30, 400)),
    page(drawn=b"0.1 g 0 0 595 842 re f"),
    page(drawn=b"0 0 50 50 re W n 2 0 0 2 0 0 cm q (unclosed"),
]


def sheet() -> Image.Image:
    """All of it."""
    shown = []
    for origin in Origin:
        for layout in wording.ladder(origin, LANGUAGES):
            drawn = form.drawing(layout.name, origin, LANGUAGES)
            assert drawn is not None
            shown.append(template.badge(drawn).mask)
    for way in ("content", "annotation"):
        data, _ = stamped(document(*PAGES), stamp_as=way)
        with renderer.opened(io.BytesIO(data)) as pages:
            assert pages is not None
            shown += [seen.image for n in range(len(PAGES)) if (seen := pages.picture(n, 120))]
    whole, (left, top, row) = Image.new("RGB", (1200, 1000), (60, 90, 160)), (10, 10, 0)
    for one in shown:
        small = one.resize((one.width * 250 // one.height, 250)) if one.height > 300 else one
        if left + small.width > whole.width:
            left, top, row = 10, top + row + 10, 0
        whole.paste(small, (left, top))
        left, row = left + small.width + 10, max(row, small.height)
    return whole


def test_stamps_look_as_they_did():
    """Another release of PDFium may differ by a shade; a changed letter moves hundreds of pixels far."""
    drawn = sheet()
    with Image.open(HERE / "stamps.png") as golden:
        assert drawn.size == golden.size
        difference = ImageChops.difference(drawn, golden.convert("RGB")).convert("L")
        assert sum(difference.histogram()[64:]) <= drawn.width * drawn.height * 0.002


if __name__ == "__main__":
    sheet().quantize(64).save(HERE / "stamps.png", optimize=True)
