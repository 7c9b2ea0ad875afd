"""How often the search finds a badge after scaling and compression, and what it costs.

    python benchmarks/search.py FOLDER [--pictures 24]

FOLDER holds ordinary pictures without our badge, in any depth. All are searched as they are (none must be found). Some, in
an order that depends only on their content, are then labelled, scaled, cut or shown on a screen, saved as JPEG and
searched again, as long as letters stay 6 px high. Prints Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge
from aikz_label.notice.search import search
from aikz_label.profile import load_profile

KZ = load_profile("kz")
SCALES = (0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
QUALITIES = (95, 90, 50, 30)
LANGUAGES = (("kk", "ru", "en"), ("kk", "ru"), ("kk",), ("ru",), ("en",))
LEAST_SIDE = 300
LEAST_CAP = 6.0  # px; lower letters are not looked for
MOST_PIXELS = 8_000_000

Way = Callable[[Image.Image, tuple[int, int]], Image.Image]


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
    everything = list(pictures(options.folder))
    start = time.process_time()
    false = sum(search(image, KZ) is not None for image in everything)
    spent = (time.process_time() - start) / max(1, len(everything))
    print(f"{len(everything)} pictures, {false} found unlabelled, {spent:.2f} s of CPU each\n")
    chosen = everything[: options.pictures]
    print("| sent on | " + " | ".join(f"q{q}" for q in QUALITIES) + " | wrong origin | CPU s |")
    print("|---|" + "---|" * (len(QUALITIES) + 2))
    for scale in SCALES:
        print(_row(f"scaled by {scale:g}", chosen, scale, _scaled(scale)), flush=True)
    print(_row("cut around the badge", chosen, 1.0, _cut), flush=True)
    print(_row("on a screen, by 0.6", chosen, 0.6, _on_a_screen), flush=True)


def _scaled(scale: float) -> Way:
    def way(image: Image.Image, _place: tuple[int, int]) -> Image.Image:
        size = (round(image.width * scale), round(image.height * scale))
        return image.resize(size, Image.Resampling.LANCZOS)

    return way


def _cut(image: Image.Image, place: tuple[int, int]) -> Image.Image:
    """Without a third of the width and the height, on the sides where the badge is not."""
    x, y = place
    left = image.width // 3 if x > image.width // 2 else 0
    top = image.height // 3 if y > image.height // 2 else 0
    right = image.width - (0 if left else image.width // 3)
    lower = image.height - (0 if top else image.height // 3)
    return image.crop((left, top, right, lower))


def _on_a_screen(image: Image.Image, place: tuple[int, int]) -> Image.Image:
    """Reduced, among light borders and a dark bar, at an odd place."""
    reduced = _scaled(0.6)(image, place)
    screen = Image.new("RGB", (reduced.width + 211, reduced.height + 187), "#f0f0f0")
    screen.paste("#202124", (0, 0, screen.width, 61))
    screen.paste(reduced, (37, 83))
    return screen


def _row(name: str, chosen: list[Image.Image], scale: float, way: Way) -> str:
    cells, wrong, start, searched = [], 0, time.process_time(), 0
    for quality in QUALITIES:
        hits = tried = 0
        for number, image in enumerate(chosen):
            origin = tuple(Origin)[number % 2]
            languages = LANGUAGES[number // 2 % len(LANGUAGES)]
            labelled = _labelled(image, origin, languages, scale)
            if labelled is None:
                continue
            buffer = io.BytesIO()
            way(*labelled).save(buffer, "JPEG", quality=quality)
            found = search(Image.open(buffer), KZ)
            tried += 1
            hits += found is not None and found.there
            wrong += found is not None and found.origin not in {None, origin}
        cells.append(f"{hits}/{tried}")
        searched += tried
    spent = (time.process_time() - start) / max(1, searched)
    return f"| {name} | " + " | ".join(cells) + f" | {wrong} | {spent:.2f} |"


def _labelled(
    image: Image.Image, origin: Origin, languages: tuple[str, ...], scale: float
) -> tuple[Image.Image, tuple[int, int]] | None:
    """With its badge, and where; nothing where the letters would be too low or the picture too large."""
    if image.width * image.height * scale * scale > 2 * MOST_PIXELS:
        return None
    placed = badge.plan(*image.size, origin, languages, KZ.image)
    if placed is None or placed.badge.cap * scale < LEAST_CAP:
        return None
    labelled = image.copy()
    labelled.paste(Image.merge("RGB", (placed.badge.mask,) * 3), (placed.x, placed.y))
    return labelled, (placed.x, placed.y)


if __name__ == "__main__":
    main()
