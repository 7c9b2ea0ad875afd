"""Mark every film of the corpus of real files and write what came of it into docs/reference/corpus-video.md.

    python tools/corpus_films.py [PART OF A PATH…]

Needs ffmpeg and the corpus (AIKZ_CORPUS, or ../shared/corpus beside the repository). With parts of paths it only tells what
came of those files, and writes nothing. Some files are compared in tests/corpus/test_films.py.
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-video.md"
sys.path.insert(0, str(ROOT / "tests"))

from corpus_table import table  # noqa: E402

import corpus_files  # noqa: E402  # found through the line above
import film_fidelity  # noqa: E402
from aikz_label import identity  # noqa: E402
from aikz_label.config import load_config  # noqa: E402
from aikz_label.label import Responsible, Role  # noqa: E402

INTRODUCTION = f"""# Films of the corpus

<!-- Made by tools/corpus_films.py; do not edit. -->

Real files that nobody in this project wrote, from the public test suites of the formats' own implementers. Each is marked
(`--on-existing replace`, full mode), and source and result are compared by ffmpeg and ffprobe:

* every other stream, such as sound and subtitles, has the same packets at the same times, by their MD5;
* of each stream codec, tag, size, pixel format, shape of pixels, colours, turn, rates, time base, start, duration and
  disposition are what they were; no tag and no chapter is gone;
* each frame of the picture is shown when it was, and of the first 30 none has less than {film_fidelity.LEAST_PSNR:.0f} dB
  outside the badge.

A result that fails any of this is *damaged*. Decodable means that ffmpeg finds a picture that is no cover and decodes
all of it without a complaint. The format is that of the first bytes, as an independent tool names it.
"""


def main() -> None:
    """Write the page, or tell about some files."""
    wanted = sys.argv[1:]
    rows = [
        row
        for row in corpus_files.rows(*corpus_files.FILMS)
        if not wanted or any(part in row.path for part in wanted)
    ]
    if not rows:
        sys.exit(f"There are no such files in {corpus_files.FOLDER}; set AIKZ_CORPUS.")
    results = []
    with tempfile.TemporaryDirectory() as name:
        party = Responsible(name="Corpus", role=Role.HOLDER)
        config = load_config(identity.create(Path(name, "identity"), party).config)
        for number, row in enumerate(rows):
            start = time.monotonic()
            outcome = corpus_files.attempt(row, Path(name, str(number)), config)
            results.append((row, outcome))
            said = "; ".join(outcome.losses) or outcome.code or "marked"
            known = "" if outcome.decodable else " (not decodable)"
            print(f"{time.monotonic() - start:5.1f} s  {row.path}: {said}{known}", flush=True)
    if wanted:
        return
    sound = [item for item in results if item[1].decodable]
    broken = [item for item in results if not item[1].decodable]
    marked = sum(outcome.result is not None for _, outcome in sound)
    PAGE.write_text(
        f"{INTRODUCTION}\n## Decodable\n\n{table(sound)}\n"
        f"{marked} of {len(sound)} are marked, {marked / len(sound):.0%}. "
        "[Errors](errors.md) says what the codes mean.\n"
        f"\n## No picture, or not decodable\n\n{table(broken)}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
