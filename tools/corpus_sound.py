"""Mark every sound of the corpus of real files and write what came of it into docs/reference/corpus-sound.md.

    python tools/corpus_sound.py [PART OF A PATH…]

Needs ffmpeg, exiftool and the corpus (AIKZ_CORPUS, or ../shared/corpus beside the repository). With parts of paths it only
tells what came of those files, and writes nothing. Some files are compared in tests/corpus/test_sounds.py.
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-sound.md"
sys.path.insert(0, str(ROOT / "tests"))

from corpus_table import table  # noqa: E402

import corpus_files  # noqa: E402  # found through the line above
from aikz_label import identity  # noqa: E402
from aikz_label.config import load_config  # noqa: E402
from aikz_label.label import Responsible, Role  # noqa: E402

INTRODUCTION = """# Sound of the corpus

<!-- Made by tools/corpus_sound.py; do not edit. -->

Real files that nobody in this project wrote, from the public test suites of players, taggers and codecs. Each is marked
(`--on-existing replace`), and source and result are decoded by FFmpeg's command line (another version than the one inside
`mark`) and compared:

* codec, profile, rate, channels, layout and depth are what they were;
* without the notices, every sample of the programme is what it was, to the last bit (of Opus to 16 bits), and there are as
  many;
* every tag and picture that mutagen and exiftool read is what it was, and one of them sees the mirror.

A result that fails any of this is *damaged*. Decodable means that FFmpeg gets any sound out of the source: among them are
files cut off in the middle, and tests for broken decoders.
"""


def main() -> None:
    """Write the page, or tell about some files."""
    wanted = sys.argv[1:]
    rows = [
        row
        for row in corpus_files.rows(*corpus_files.SOUNDS)
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
        f"\n## Not decodable\n\n{table(broken)}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
