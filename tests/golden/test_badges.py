"""Golden pictures: the badge as people looked at it. Regenerate with `python tests/golden/test_badges.py`, then look."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageChops

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.profile import load_profile

HERE = Path(__file__).parent
CASES = {
    "created-1280x720": ((1280, 720), Origin.CREATED, ("kk", "ru", "en")),
    "altered-1280x720": ((1280, 720), Origin.ALTERED, ("kk", "ru", "en")),
    "created-kk-640x480": ((640, 480), Origin.CREATED, ("kk",)),
    "created-1000x40": ((1000, 40), Origin.CREATED, ("kk", "ru", "en")),
    "created-128x128": ((128, 128), Origin.CREATED, ("kk", "ru", "en")),
    "created-64x64": ((64, 64), Origin.CREATED, ("kk", "ru", "en")),
    "created-32x32": ((32, 32), Origin.CREATED, ("kk", "ru", "en")),
}


def render(name: str) -> Image.Image:
    size, origin, languages = CASES[name]
    placed = badge.plan(*size, origin, languages, load_profile("kz").image)
    assert placed is not None
    return placed.badge.mask


@pytest.mark.parametrize("name", CASES)
def test_the_badge_looks_as_it_did(name):
    with Image.open(HERE / f"{name}.png") as golden:
        drawn = render(name)
        assert drawn.size == golden.size
        # FreeType versions may place a shade differently; a changed letter moves hundreds of pixels far
        difference = ImageChops.difference(drawn, golden.convert("L"))
        changed = sum(difference.histogram()[64:])
        assert changed <= drawn.width * drawn.height * 0.002


if __name__ == "__main__":
    for name in CASES:
        render(name).save(HERE / f"{name}.png", optimize=True)
