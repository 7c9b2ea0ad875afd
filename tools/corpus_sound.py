"""Mark every sound of the corpus of real files and write what came of it into docs/reference/corpus-sound.md.

    python tools/corpus_sound.py [PART OF A PATH…]

Needs ffmpeg, exiftool and the corpus (AIKZ_CORPUS, or ../shared/corpus beside the repository). With parts of paths it only
tells what came of those files, and writes nothing. Some files are compared in tests/corpus/test_sounds.py.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-sound.md"
sys.path.insert(0, str(ROOT / "tests"))

from corpus_table import told  # noqa: E402

import corpus_files  # noqa: E402  # found through the line above

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


if __name__ == "__main__":
    told(PAGE, INTRODUCTION, corpus_files.sounds(), "Not decodable")
