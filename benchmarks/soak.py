"""Verify the same few hundred files again and again for an hour, and watch memory, descriptors and speed.

    python benchmarks/soak.py --minutes 60
    python benchmarks/soak.py --minutes 60 --write docs/reference/reliability.md

Memory is the proportional set of this process and of all below it, from /proc. The slope is that of a straight line through
the samples after the first tenth; speed is compared between the first and the last tenth.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from campaign import Seed, seeds
from pictures import replace_block, versions

from aikz_label import identity
from aikz_label.batch import verify_rows
from aikz_label.config import load_config
from aikz_label.joining import Believing
from aikz_label.label import Responsible, Role
from aikz_label.sandbox.work import Verifying

BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"


def family(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from family(int(child))


def memory() -> float:
    """Megabytes of all processes, shared pages counted once."""
    total = 0
    for process in family(os.getpid()):
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return total / 1024


def descriptors() -> int:
    """Open files of all processes."""
    count = 0
    for process in family(os.getpid()):
        with contextlib.suppress(OSError):
            count += len(list(Path(f"/proc/{process}/fd").iterdir()))
    return count


def slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line that fits best."""
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((a - x) * (b - y) for a, b in points) / (sum((a - x) ** 2 for a, _ in points) or 1)


def soak(made: list[Seed], order: Verifying, minutes: float, jobs: int) -> list[str]:
    """Run, and say how it went."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, seed in enumerate(made * 10):
            path = Path(folder) / str(number)
            path.write_bytes(seed.data if number % 3 else seed.data[: len(seed.data) // 2])
            paths.append(str(path))
        samples: list[tuple[float, float, float, int]] = []
        started = time.monotonic()
        until, following, count = started + 60 * minutes, started, 0
        rows = verify_rows(cycle(paths), order, jobs=jobs)
        for row in rows:
            count += 1
            if row.reason.code == "unreadable.crashed":
                print(f"crashed: {row.uri}", file=sys.stderr)
            now = time.monotonic()
            if now >= following:
                samples.append((now - started, count, memory(), descriptors()))
                following = now + max(1.0, 0.6 * minutes)
            if now >= until:
                break
        rows.close()
    warm = samples[len(samples) // 10 :]
    per_10k = slope([(n, mb) for _, n, mb, _ in warm]) * 10_000
    tenth = max(2, len(warm) // 10)
    speeds = [
        (part[-1][1] - part[0][1]) / (part[-1][0] - part[0][0])
        for part in (warm[:tenth], warm[-tenth:])
    ]
    return [
        f"{minutes:g} minutes, {jobs} workers, {count:,} files",
        f"memory: {warm[0][2]:.0f} MB when warm, {warm[-1][2]:.0f} MB at the end, {per_10k:+.2f} MB per 10 000 files",
        f"descriptors: {min(s[3] for s in warm)} to {max(s[3] for s in warm)}",
        f"files/s: {speeds[0]:.0f} at first, {speeds[1]:.0f} at last",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the numbers into this page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        identity.create(
            Path(folder), Responsible(name="Soak", role=Role.HOLDER, registration="1", country="KZ")
        )
        config = load_config(Path(folder) / "aikz-label.toml")
        text = soak(
            seeds(config), Verifying(Believing(config.trust)), options.minutes, options.jobs
        )
    print("\n".join(text))
    if options.write:
        block = "\n".join(
            [
                f"Run {versions()}.",
                "",
                "```text",
                f"python benchmarks/soak.py --minutes {options.minutes:g}",
                "",
                *text,
                "```",
            ]
        )
        replace_block(options.write, BEGIN, END, block)


if __name__ == "__main__":
    main()
