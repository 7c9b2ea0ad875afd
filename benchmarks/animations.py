"""What marking and measuring an animation costs beside merely decoding it, on films of about ten megabytes.

    python benchmarks/animations.py [--rounds 3] [--write PAGE]

The films are moving crops of the bundled photograph. CPU seconds, the least of some rounds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import PIL
from PIL import Image

import aikz_label
from aikz_label import Label, Verdict, identity, mark, verify
from aikz_label.config import load_config
from aikz_label.label import Responsible, Role

PHOTO = Path(__file__).parents[1] / "fixtures" / "dandelion.jpg"
BEGIN, END = "<!-- animations: begin -->", "<!-- animations: end -->"
TARGET = 0.5  # CPU seconds for ten megabytes
# Name, format, frames, size, and how it is coded.
FILMS = (
    ("GIF", "GIF", 110, (480, 360), {"optimize": False}),
    ("APNG", "PNG", 44, (480, 360), {}),
    ("WebP, lossless", "WEBP", 44, (480, 360), {"lossless": True, "method": 0}),
    ("WebP, lossy", "WEBP", 330, (640, 480), {"quality": 80, "method": 0}),
)


def film(kind: str, count: int, size: tuple[int, int], options: dict[str, object]) -> bytes:
    """A camera that moves across the photograph."""
    width, height = size
    with Image.open(PHOTO) as photo:
        scene = photo.convert("RGB").resize((width + 2 * count, height + count))
    frames = [scene.crop((2 * n, n, 2 * n + width, n + height)) for n in range(count)]
    if kind == "GIF":
        frames = [frame.quantize(128) for frame in frames]
    buffer = io.BytesIO()
    first, *rest = frames
    first.save(buffer, kind, save_all=True, append_images=rest, duration=60, loop=0, **options)
    return buffer.getvalue()


def decode(data: bytes) -> None:
    """Show every frame once."""
    with Image.open(io.BytesIO(data)) as image:
        for number in range(image.n_frames):
            image.seek(number)
            image.load()


def least(rounds: int, work: Callable[[], object]) -> float:
    """CPU seconds of the quickest round."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    lines = [
        (
            f"Measured {datetime.now(UTC):%Y-%m-%d} with Pillow {PIL.__version__}, aikz-label {aikz_label.__version__}, "
            f"2 cores. CPU seconds, least of {options.rounds}; the wish is {TARGET} s for marking 10 MB."
        ),
        "",
        "| film | MB | frames | decode once | mark, all checks included | verify | verify, measured |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        own = load_config(
            identity.create(Path(folder), Responsible(name="Bench", role=Role.HOLDER)).config
        )
        for name, kind, count, size, how in FILMS:
            data = film(kind, count, size, how)
            marked = mark(data, None, Label(origin="created"), config=own)
            assert marked.report.verdict is Verdict.LABELLED
            assert marked.data is not None
            done = marked.data
            cells = (
                least(options.rounds, lambda d=data: decode(d)),
                least(
                    options.rounds,
                    lambda d=data: mark(d, None, Label(origin="created"), config=own),
                ),
                least(options.rounds, lambda d=done: verify(d, config=own)),
                least(options.rounds, lambda d=done: verify(d, config=own, measure=True)),
            )
            figures = " | ".join(f"{cell:.2f}" for cell in cells)
            lines.append(f"| {name} | {len(data) / 1e6:.1f} | {count} | {figures} |")
    text = "\n".join(lines)
    print(text)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        block = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
        page = block.sub(f"{BEGIN}\n\n{text}\n\n{END}", page)
        options.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
