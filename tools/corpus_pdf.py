"""Mark every PDF of the corpus of real files and write what came of it into docs/reference/corpus-pdf.md.

    python tools/corpus_pdf.py [--check]

`--check` writes nothing and fails when the page differs. Needs the corpus (AIKZ_CORPUS, or ../shared/corpus beside the
repository), qpdf, poppler and pyHanko. Some of it runs file by file in tests/corpus/test_documents_of_corpus.py.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "corpus-pdf.md"
sys.path.insert(0, str(ROOT / "tests"))

import corpus_documents  # noqa: E402  # found through the line above
import corpus_files  # noqa: E402
from aikz_label import identity  # noqa: E402
from aikz_label.config import load_config  # noqa: E402
from aikz_label.label import Responsible, Role  # noqa: E402

GROUPS = {
    "plain": "Neither encrypted nor signed",
    "encrypted": "Encrypted, opens without a password",
    "signed": "Signed",
    "broken": "Not opened by poppler",
}
INTRODUCTION = """# PDF files of the corpus

<!-- Made by tools/corpus_pdf.py; do not edit. -->

Real files that nobody in this project wrote, from the public test suites of programs that read PDF. Each is marked, and
other programs judge the result:

* the source is its beginning, byte for byte;
* `qpdf --check` finds nothing that it did not find in the source;
* poppler draws the same pages outside the stamp (the first twelve, 50 dpi), and reads the same words besides the stamp's;
* our own check finds the marker, trusted and bound to every byte but its own;
* pyHanko finds every signature as intact and valid as before.

A result that fails any of this is *damaged*.
"""


Outcomes = list[corpus_documents.Outcome]


def outcomes() -> tuple[Outcomes, Outcomes]:
    """What came of every file as it is, and when the caller insists."""
    rows = corpus_files.rows("pdf")
    if not rows:
        sys.exit(f"There is no corpus in {corpus_files.FOLDER}; set AIKZ_CORPUS.")
    asked, insisted = [], []
    with tempfile.TemporaryDirectory() as name:
        party = Responsible(name="Corpus", role=Role.HOLDER)
        config = load_config(identity.create(Path(name), party).config)
        for row in rows:
            one = other = corpus_documents.attempt(row, config, insist=False)
            if one.code in {"signed", "permission"}:
                other = corpus_documents.attempt(row, config, insist=True)
            asked.append(one)
            insisted.append(other)
            for loss in {*one.losses, *other.losses}:
                print(f"DAMAGED {row.path}: {loss}", flush=True)
    return asked, insisted


def table(results: Outcomes) -> str:
    """Kinds of documents down, outcomes across."""
    codes = sorted({one.code for one in results if one.code})
    heads = ["", "Files", "Marked", "with a sidecar", "Damaged", *(f"`{code}`" for code in codes)]
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)]]
    for name, title in GROUPS.items():
        chosen = [one for one in results if one.group == name]
        counts = Counter(one.code for one in chosen)
        beside, damaged = (
            sum(map(bool, column))
            for column in zip(*((o.beside, o.losses) for o in chosen), strict=True)
        )
        numbers = [len(chosen), counts[""], beside, damaged, *(counts[code] for code in codes)]
        lines.append([title, *map(str, numbers)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def share(results: Outcomes) -> str:
    """How many of those that can be opened and are not signed."""
    chosen = [one for one in results if one.group in {"plain", "encrypted"}]
    marked = sum(not one.code for one in chosen)
    small = sum(one.code == "not-perceptible" for one in chosen)
    return (
        f"Of the {len(chosen)} files that open and are not signed {marked} are marked; {small} have pages too small for a\n"
        f"legible notice, and of the rest {marked / (len(chosen) - small):.1%} are marked.\n"
    )


def page() -> str:
    """The whole page."""
    asked, insisted = outcomes()
    return (
        f"{INTRODUCTION}\n## As they are\n\n{table(asked)}\n{share(asked)}"
        "\n## With `--allow-signed` and `--override-permissions`\n\n"
        f"{table(insisted)}\n{share(insisted)}"
        "[Errors](errors.md) says what the codes mean.\n"
    )


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when the page differs")
    options = parser.parse_args()
    text = page()
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} differs: run python tools/corpus_pdf.py")


if __name__ == "__main__":
    main()
