"""Mark every film of the corpus of real files and write what came of it into docs/reference/corpus-video.md.

    python tools/corpus_films.py [PART OF A PATH…]

Needs ffmpeg and the corpus (AIKZ_CORPUS, or ../shared/corpus beside the repository). With parts of paths it only tells what
came of those files, and writes nothing. Some files are compared in tests/corpus/test_films.py.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-video.md"
sys.path.insert(0, str(ROOT / "tests"))

from corpus_table import told  # noqa: E402

import corpus_files  # noqa: E402  # found through the line above
import film_fidelity  # noqa: E402

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
What `mark` takes for no film, such as sound alone in the same container, is not counted.
"""


if __name__ == "__main__":
    told(PAGE, INTRODUCTION, corpus_files.films(), "No picture, or not decodable")
