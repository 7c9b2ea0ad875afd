"""How often the search finds a badge after scaling and compression, and what it costs.

    python benchmarks/search.py FOLDER [--pictures 24]

FOLDER holds ordinary pictures, in any depth. Some, in an order that depends only on their content, are first
searched as they are (none must be found) and then labelled, scaled, saved as JPEG and searched again, as long as letters
stay 6 px high. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.search import search
from aikz_label.profile import load_profile

KZ = load_profile("kz")
SCALES = (0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
QUALITIES = (90, 50, 30)
LANGUAGES = (("kk", "ru", "en"), ("kk", "ru"), ("kk",), ("ru",), ("en",))
LEAST_SIDE = 300
LEAST_CAP = 6.0  # px; lower letters are not looked for
MOST_PIXELS = 8_000_000


def pictures(folder: Path) -> Iterator[Image.Image]:
    """Pictures large enough to be ordinary, each content once."""
    found: dict[str, Image.Image] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in {".jpg", ".jpeg", ".png", ".webp"}:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(path) as image:
                    large = image.width * image.height > MOST_PIXELS
                    if min(image.size) >= LEAST_SIDE and not large:
                        rgb = image.convert("RGB")
                        found[hashlib.sha256(rgb.tobytes()).hexdigest()] = rgb
        except Exception:  # noqa: BLE001  # damaged on purpose
            continue
    yield from (found[key] for key in sorted(found))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=24)
    options = parser.parse_args()
    chosen = list(pictures(options.folder))[: options.pictures]
    start = time.process_time()
    false = sum(search(image, KZ) is not None for image in chosen)
    spent = (time.process_time() - start) / max(1, len(chosen))
    print(f"{len(chosen)} pictures, {false} found unlabelled, {spent:.2f} s of CPU each\n")
    print("| scale | " + " | ".join(f"q{q}" for q in QUALITIES) + " | wrong origin | CPU s |")
    print("|---|" + "---|" * (len(QUALITIES) + 2))
    for scale in SCALES:
        print(_row(chosen, scale), flush=True)


def _row(chosen: list[Image.Image], scale: float) -> str:
    cells, wrong, start = [], 0, time.process_time()
    for quality in QUALITIES:
        hits = tried = 0
        for number, image in enumerate(chosen):
            origin = tuple(Origin)[number % 2]
            seen = _sent(image, origin, LANGUAGES[number % len(LANGUAGES)], scale, quality)
            if seen is None:
                continue
            found = search(seen, KZ)
            tried += 1
            hits += found is not None and found.there
            wrong += found is not None and found.origin not in {None, origin}
        cells.append(f"{hits}/{tried}")
    spent = (time.process_time() - start) / max(1, len(chosen) * len(QUALITIES))
    return f"| {scale:g} | " + " | ".join(cells) + f" | {wrong} | {spent:.2f} |"


def _sent(
    image: Image.Image, origin: Origin, languages: tuple[str, ...], scale: float, quality: int
) -> Image.Image | None:
    """Labelled, scaled and saved; nothing where the letters would be too low or the picture too large."""
    if image.width * image.height * scale * scale > 2 * MOST_PIXELS:
        return None
    placed = badge.plan(*image.size, origin, languages, KZ.image)
    if placed is None or placed.badge.cap * scale < LEAST_CAP:
        return None
    labelled = image.copy()
    labelled.paste(Image.merge("RGB", (placed.badge.mask,) * 3), (placed.x, placed.y))
    size = (round(image.width * scale), round(image.height * scale))
    buffer = io.BytesIO()
    labelled.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


if __name__ == "__main__":
    main()
