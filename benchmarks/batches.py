"""What many files cost: the plain engine in one loop and in two, one worker and two workers, and the sandbox by itself.

    python benchmarks/batches.py
    python benchmarks/batches.py --write docs/reference/benchmarks.md

Marked JPEGs of half a megabyte and more with attested notices. Rounds are interleaved, the best of each counts; processor
time is that of this process and of all that it started. Two loops of the plain engine, which have nothing to do with each
other, tell what the second processor of this machine is worth.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import c2pa  # the plain engine is what we compare with
from pictures import FIXTURE, replace_block, versions
from PIL import Image

from aikz_label import Label, identity, mark, verify
from aikz_label.batch import verify_rows
from aikz_label.config import Config, load_config
from aikz_label.joining import Believing
from aikz_label.label import Responsible, Role
from aikz_label.sandbox.work import Verifying

BEGIN, END = "<!-- batches: begin -->", "<!-- batches: end -->"


def files(
    folder: Path, config: Config, count: int, *, size: tuple[int, int] = (2600, 1462)
) -> list[str]:
    """Marked photographs, 0.55 MB each unless they are smaller, every one a file of its own."""
    with Image.open(FIXTURE) as photo:
        large = photo.convert("RGB").resize(size)
    buffer = BytesIO()
    large.save(buffer, "JPEG", quality=93)
    data = (
        mark(buffer.getvalue(), None, Label(origin="created", system="B/1"), config=config).data
        or b""
    )
    paths = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(data)
        paths.append(str(path))
    return paths


def measured(work: Callable[[list[str]], int], paths: list[str]) -> tuple[float, float]:
    """Wall and processor milliseconds for one file more: starting counts for nothing."""
    few = len(paths) // 5
    (wall, spent), (less_wall, less_spent) = timed(work, paths), timed(work, paths[:few])
    return 1000 * (wall - less_wall) / (len(paths) - few), 1000 * (spent - less_spent) / (
        len(paths) - few
    )


def timed(work: Callable[[list[str]], int], paths: list[str]) -> tuple[float, float]:
    before, started = os.times(), time.perf_counter()
    assert work(paths) == len(paths)
    wall, after = time.perf_counter() - started, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def at_once(work: Callable[[list[str]], int], *parts: list[str]) -> int:
    """The same work in as many processes as there are parts."""
    processes = []
    for part in parts:
        process = os.fork()
        if not process:
            os._exit(0 if work(part) == len(part) else 1)
        processes.append(process)
    assert not any(os.waitpid(process, 0)[1] for process in processes)
    return sum(map(len, parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(
            folder / "id", Responsible(name="B", role=Role.HOLDER, registration="1", country="KZ")
        )
        config = load_config(folder / "id" / "aikz-label.toml")
        paths = files(folder, config, options.count)
        size = Path(paths[0]).stat().st_size
        order = Verifying(Believing(config.trust))
        settings = {
            "version": 1,
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "trust": {"trust_anchors": config.trust[0].pem},
        }

        def plain(paths: list[str]) -> int:
            context = c2pa.Context.from_dict(settings)
            for path in paths:
                with (
                    Path(path).open("rb") as stream,
                    c2pa.Reader("image/jpeg", stream, context=context) as reader,
                ):
                    json.loads(reader.json())
            return len(paths)

        def alone(paths: list[str]) -> int:
            return sum(verify(path, config=config).verdict == "labelled" for path in paths)

        def workers(jobs: int) -> Callable[[list[str]], int]:
            return lambda paths: sum(
                row.verdict == "labelled" for row in verify_rows(paths, order, jobs=jobs)
            )

        kinds = {
            "plain engine, one process": plain,
            "plain engine, two processes": lambda paths: at_once(plain, paths[::2], paths[1::2]),
            "verify(), one process": alone,
            "1 worker": workers(1),
            "2 workers": workers(2),
        }
        best = dict.fromkeys(kinds, (9e9, 9e9))
        for _ in range(options.rounds):
            for kind, work in kinds.items():
                wall, spent = measured(work, paths)
                best[kind] = min(best[kind][0], wall), min(best[kind][1], spent)
    rows = ["| what | ms a file, wall | ms of processor time |", "| --- | --- | --- |"]
    rows += [f"| {kind} | {wall:.2f} | {spent:.2f} |" for kind, (wall, spent) in best.items()]
    plain_wall, own = best["plain engine, one process"][0], best["verify(), one process"]
    one, two = best["1 worker"], best["2 workers"]
    loops = best["plain engine, two processes"][0]
    notes = [
        f"{options.count} marked JPEGs of {size / 1e6:.2f} MB, best of {options.rounds} rounds, without starting.",
        f"2 workers against 1: {one[0] / two[0]:.2f} ×; of the plain engine's loops: {plain_wall / loops:.2f} ×.",
        f"Throughput of 2 workers against 2 loops of the plain engine: {100 * loops / two[0]:.0f} %.",
        f"Throughput of 1 worker against the plain engine: {100 * plain_wall / one[0]:.0f} %.",
        f"Sandbox (processor time of 1 worker less that of verify()): {one[1] - own[1]:.2f} ms a file.",
    ]
    text = "\n".join([f"Measured {versions()}.", "", *rows, "", *notes])
    print(text)
    if options.write:
        replace_block(options.write, BEGIN, END, text)


if __name__ == "__main__":
    main()
