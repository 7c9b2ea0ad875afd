"""`verify` beside c2pa-python's Reader, for a signer who is known already and for one who is not.

    python benchmarks/signers.py
    python benchmarks/signers.py --write docs/reference/benchmarks.md

A signer without time-stamps is looked up on the trust lists once in a process. The three are asked in turns, all from bytes
in memory; the least processor time of each counts. The plain Reader has the same settings, and its JSON is parsed.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pictures import FIXTURE, enlarged, hardened_context, plain_read, replace_block, versions
from PIL import Image

from aikz_label import Label, mark, sniff, verify
from aikz_label.config import load_config
from aikz_label.identity import create
from aikz_label.label import Responsible, Role
from aikz_label.manifest import known

BEGIN, END = "<!-- signers: begin -->", "<!-- signers: end -->"
TIMES = 6


def sources() -> dict[str, bytes]:
    """What is marked."""
    small = io.BytesIO()
    with Image.open(FIXTURE) as photo:
        photo.convert("RGB").resize((640, 360)).save(small, "JPEG", quality=88)
    return {
        "JPEG of 640 × 360": small.getvalue(),
        "JPEG of 1.4 MP (fixture)": FIXTURE.read_bytes(),
        "JPEG of 12 MP": enlarged(progressive=False),
        "Markdown of 10 KB": b"# Title\n\n"
        + b"Some words of a sentence, and some more of them.\n" * 200,
    }


def least(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of each, asked in turns."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            for _ in range(TIMES):
                work()
            spent = 1000 * (time.process_time() - started) / TIMES
            best[name] = min(best.get(name, spent), spent)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    rows = [
        "| file | plain Reader | signer not known | signer known |",
        "| --- | --- | --- | --- |",
    ]
    with tempfile.TemporaryDirectory() as name:
        made = create(Path(name) / "id", Responsible(name="S", role=Role.HOLDER))
        config, context = load_config(made.config), hardened_context(made.root)
        for title, source in sources().items():
            data = mark(source, None, Label(origin="created"), config=config).data or b""
            row = sniff(data)

            def unknown(data: bytes = data) -> None:
                known.forget()
                verify(data, config=config)

            works: dict[str, Callable[[], object]] = {
                "unknown": unknown,
                "known": lambda data=data: verify(data, config=config),  # type: ignore[misc]
            }
            if row is not None and row.family == "image":
                works["plain"] = plain_read(data, row.mime, context)
            found = least(works, options.rounds)
            plain = found.get("plain")
            cells = [f"{plain:.2f} ms" if plain else "–"]
            for kind in ("unknown", "known"):
                ratio = f", **{found[kind] / plain:.2f} ×**" if plain else ""
                cells.append(f"{found[kind]:.2f} ms{ratio}")
            rows.append(f"| {title} | {' | '.join(cells)} |")
            print(rows[-1], flush=True)
    command = ["```text", "python benchmarks/signers.py", "```"]
    text = "\n".join([f"Measured {versions()}.", "", *command, "", *rows])
    print(text)
    if options.write:
        replace_block(options.write, BEGIN, END, text)


if __name__ == "__main__":
    main()
