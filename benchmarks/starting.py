"""What one command costs from nothing: CPU time of the whole process, and of its children, over `python -c pass`.

    python benchmarks/starting.py
    python benchmarks/starting.py --write docs/reference/benchmarks.md

All commands are run in turns, and the least of each counts. The files are small and labelled by a signer who is believed;
the command is started as the installed `aikz-label` is.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from pictures import FIXTURE, cpu_of, least, replace_block, versions
from PIL import Image

from aikz_label import Label, mark
from aikz_label.identity import create
from aikz_label.label import Responsible, Role

BEGIN, END = "<!-- starting: begin -->", "<!-- starting: end -->"
TARGETS = {"`import aikz_label`": 5, "`aikz-label --help`": 40, "`aikz-label verify one.jpg`": 120}
_ENTRY = "import sys; from aikz_label.cli import entry; entry()"


def sources(folder: Path) -> dict[str, bytes]:
    """A small file of each family, by suffix."""
    with Image.open(FIXTURE) as photo:
        small = photo.convert("RGB").resize((640, 360))
    found = {"md": b"# Title\n\n" + b"Some words of a sentence, and some more of them.\n" * 100}
    for suffix, kind in (("jpg", "JPEG"), ("png", "PNG"), ("pdf", "PDF")):
        out = io.BytesIO()
        small.save(out, kind)
        found[suffix] = out.getvalue()
    picture = ["-f", "lavfi", "-i", "testsrc=d=3:s=320x240", "-pix_fmt", "yuv420p"]
    tone = ["-f", "lavfi", "-i", "sine=d=20"]
    for suffix, given in (("mp4", picture), ("mp3", tone)):
        path = folder / f"source.{suffix}"
        subprocess.run(["ffmpeg", "-v", "error", *given, path], check=True)
        found[suffix] = path.read_bytes()
    return found


def commands(folder: Path) -> dict[str, list[str]]:
    """Each by what the page calls it; the first is what the others are compared with."""
    made = create(folder / "id", Responsible(name="S", role=Role.HOLDER))
    python = [sys.executable, "-c"]
    entry = [*python, _ENTRY]
    found = {
        "bare `python -c pass`": [*python, "pass"],
        "`import c2pa`, for scale": [*python, "import c2pa"],
        "`import aikz_label`": [*python, "import aikz_label"],
        "`aikz-label --help`": [*entry, "--help"],
    }
    for suffix, data in sorted(sources(folder).items(), key=lambda item: item[0] != "jpg"):
        path = folder / f"one.{suffix}"
        mark(data, path, Label(origin="created"), config=made.config)
        found[f"`aikz-label verify one.{suffix}`"] = [
            *entry, "verify", str(path), "--config", str(made.config),
        ]  # fmt: skip
    jpeg = str(folder / "one.jpg")
    found["`aikz-label verify` of two JPEG, two children"] = [
        *entry, "verify", jpeg, jpeg, "-j", "2", "--config", str(made.config),
    ]  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asked = commands(Path(name))
        found = least(
            options.rounds,
            {what: lambda command=command: cpu_of(command) for what, command in asked.items()},  # type: ignore[misc]
        )
    bare = next(iter(found.values()))
    rows = ["| what | CPU | target | met |", "| --- | --- | --- | --- |"]
    for number, (what, seconds) in enumerate(found.items()):
        over, target = 1000 * (seconds - (bare if number else 0)), TARGETS.get(what)
        met = ("yes" if over <= target else "**no**") if target else "–"
        cost = f"{'+ ' if number else ''}{max(over, 0):.1f} ms"
        rows.append(f"| {what} | {cost} | {f'≤ {target} ms' if target else '–'} | {met} |")
    command = ["```text", f"python benchmarks/starting.py --rounds {options.rounds}", "```"]
    text = "\n".join([f"Measured {versions()}.", "", *command, "", *rows])
    print(text)
    if options.write:
        replace_block(options.write, BEGIN, END, text)


if __name__ == "__main__":
    main()
