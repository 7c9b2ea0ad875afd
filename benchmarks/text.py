"""Time marking and verifying texts, from ten kilobytes to ten megabytes.

    python benchmarks/text.py
    python benchmarks/text.py --write docs/reference/benchmarks.md

CPU time of this process, because other programs share the machine; the best of several runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pictures import replace_block, versions

from aikz_label import Label, mark, verify
from aikz_label.api import open_signer
from aikz_label.config import Config, load_config
from aikz_label.identity import create
from aikz_label.label import Responsible, Role

BEGIN, END = "<!-- text: begin -->", "<!-- text: end -->"
SIZES = {"10 KB": 10_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
KINDS = {
    "text": ("", "Қазақ тілі – түркі тілдерінің бірі.\n", ""),
    "markdown": ("# Тақырып\n\n", "- **Қалың** және [сілтеме](https://example.kz/) сөз\n", ""),
    "yaml": ("", "- кілт: мән\n", ""),
    "html": (
        "<!doctype html><html><body>",
        "<p>Қазақ <b>тілі</b> – сөз.</p>\n",
        "</body></html>\n",
    ),
}
LABEL = Label(origin="created", system="GenText/1.0")


def main() -> None:
    """Print the table, or write it into a page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, metavar="PAGE")
    page = options.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        create(Path(folder), Responsible(name="ЖШС «Үлгі»", role=Role.OWNER))
        table = "\n".join(rows(load_config(Path(folder) / "aikz-label.toml")))
    text = f"Run {versions()}.\n\n```text\npython benchmarks/text.py\n\n{table}\n```"
    print(text)
    if page is not None:
        replace_block(page, BEGIN, END, text)


def rows(config: Config) -> Iterator[str]:
    """One line for each kind and size."""
    key = open_signer("", config)
    yield f"{'kind':10}{'size':>7}{'mark':>12}{'verify':>12}{'verify --measure':>19}"
    for kind, (head, line, tail) in KINDS.items():
        for title, size in SIZES.items():
            data = (head + line * (size // len(line.encode())) + tail).encode()
            runs = 20 if size < 100_000 else 2
            marking = partial(mark, data, None, LABEL, signer=key, config=config)
            marked = marking().data
            verifying = partial(verify, marked, config=config)
            works = (marking, verifying, partial(verifying, measure=True))
            cells = [f"{best(runs, work) * 1000:.1f} ms" for work in works]
            yield f"{kind:10}{title:>7}{cells[0]:>12}{cells[1]:>12}{cells[2]:>19}"


def best(runs: int, work: Callable[[], object]) -> float:
    """The least CPU time of several runs, in seconds."""
    found = []
    for _ in range(runs):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


if __name__ == "__main__":
    main()
