"""Mark every picture of the corpus of real files and write what came of it into docs/reference/corpus-pictures.md.

    python tools/corpus_table.py [--check]

`--check` writes nothing and fails when the page differs. Needs the corpus (AIKZ_CORPUS, or ../shared/corpus beside the
repository). The same comparison runs file by file in tests/corpus/test_pictures.py.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-pictures.md"
sys.path.insert(0, str(ROOT / "tests"))

import corpus_files  # noqa: E402  # found through the line above
import fidelity  # noqa: E402
from aikz_label.formats import FORMATS  # noqa: E402

INTRODUCTION = f"""# Pictures of the corpus

<!-- Made by tools/corpus_table.py; do not edit. -->

Real files that nobody in this project wrote, from the public test suites of the formats' own implementers: photographs,
conformance files, files that broke other programs. Each is marked (`--on-existing replace`), and source and result are
decoded by an independent reference and compared: Pillow; for TIFF tifffile, with every page, every tag and the full depth
of every sample; of DNG every byte that was there; of SVG every character, and what librsvg draws; for AVIF avifdec and for
HEIC libheif, at full depth; for JPEG XL djxl; for sequences FFmpeg, every picture:

* format, mode, size, bit depth or quantisation tables, colour profile, EXIF, every other metadata field and every JPEG
  segment are what they were, and no XMP statement is gone;
* outside the badge (grown to a grid of {fidelity.GRID} pixels where the codec works in blocks) lossless pictures are equal
  sample by sample, and lossy ones keep at least {fidelity.LEAST_PSNR:.0f} dB and their opacity; a full palette may give up
  a few entries to make room for black and white, or get wider indices. A quantisation step of zero becomes one, and so do
  all of a JPEG whose tables are too coarse for the blocks that its notice shares with the picture.

A result that fails any of this is *damaged*. Decodable means that the reference reads every pixel of the source.
"""


def outcomes() -> list[tuple[corpus_files.Row, corpus_files.Outcome]]:
    """Every picture with what came of it."""
    rows = corpus_files.rows(*corpus_files.COMPARED)
    if not rows:
        sys.exit(f"There is no corpus in {corpus_files.FOLDER}; set AIKZ_CORPUS.")
    return list(corpus_files.attempts(rows))


def page(results: list[tuple[corpus_files.Row, corpus_files.Outcome]]) -> str:
    """The page: one table of decodable pictures, one of the others, and the share that is marked."""
    sound = [item for item in results if item[1].decodable]
    broken = [item for item in results if not item[1].decodable]
    marked = sum(outcome.result is not None for _, outcome in sound)
    small = sum(outcome.code == "not-perceptible" for _, outcome in sound)
    return (
        f"{INTRODUCTION}\n## Decodable\n\n{table(sound)}\n"
        f"{marked} of {len(sound)} are marked, {marked / len(sound):.0%}; {small} are too small for a legible notice, "
        f"and of the rest {marked / (len(sound) - small):.0%} are marked.\n"
        "[Errors](errors.md) says what the codes mean.\n"
        f"\n## Not decodable\n\n{table(broken)}"
    )


def told(page: Path, introduction: str, found: list[corpus_files.Row], other: str) -> None:
    """Mark the files whose paths contain one of the arguments and tell about each; without arguments all, into a page."""
    wanted = sys.argv[1:]
    rows = [row for row in found if not wanted or any(part in row.path for part in wanted)]
    if not rows:
        sys.exit(f"There are no such files in {corpus_files.FOLDER}; set AIKZ_CORPUS.")
    results, start = [], time.monotonic()
    for row, outcome in corpus_files.attempts(rows):
        results.append((row, outcome))
        said = "; ".join(outcome.losses) or outcome.code or "marked"
        known = "" if outcome.decodable else " (not decodable)"
        print(f"{time.monotonic() - start:5.1f} s  {row.path}: {said}{known}", flush=True)
        start = time.monotonic()
    if wanted:
        return
    sound = [item for item in results if item[1].decodable]
    broken = [item for item in results if not item[1].decodable]
    marked = sum(outcome.result is not None for _, outcome in sound)
    page.write_text(
        f"{introduction}\n## Decodable\n\n{table(sound)}\n"
        f"{marked} of {len(sound)} are marked, {marked / len(sound):.0%}. "
        "[Errors](errors.md) says what the codes mean.\n"
        f"\n## {other}\n\n{table(broken)}",
        encoding="utf-8",
    )


def table(results: list[tuple[corpus_files.Row, corpus_files.Outcome]]) -> str:
    """Formats down, outcomes across, a sum at the end."""
    codes = sorted({outcome.code for _, outcome in results if outcome.code})
    heads = ["Format", "Files", "Marked", "Damaged", *(f"`{code}`" for code in codes)]
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)]]
    for name in (*corpus_files.COMPARED, *corpus_files.FILMS, *corpus_files.SOUNDS, ""):
        chosen = [outcome for row, outcome in results if name in {row.format, ""}]
        if not chosen:
            continue
        counts = Counter(outcome.code for outcome in chosen)
        damaged = sum(bool(outcome.losses) for outcome in chosen)
        numbers = [len(chosen), counts[""], damaged, *(counts[code] for code in codes)]
        lines.append([FORMATS[name].title if name else "All", *map(str, numbers)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when the page differs")
    options = parser.parse_args()
    results = outcomes()
    for row, outcome in results:
        if outcome.losses:
            print(f"DAMAGED {row.path}: {'; '.join(outcome.losses)}")
    text = page(results)
    if not options.check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} differs: run python tools/corpus_table.py")


if __name__ == "__main__":
    main()
