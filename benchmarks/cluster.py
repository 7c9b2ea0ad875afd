"""What a distributed engine adds to the sandbox: Arrow batches by themselves, and Ray Data around them.

    python benchmarks/cluster.py
    python benchmarks/cluster.py --write docs/reference/benchmarks.md

Small marked pictures with attested notices. Counted is the processor time of the process that hands the files to the child:
the caller's, or that of Ray's worker from its second batch on, when all is imported. The child's own work is the same in
all three. What Ray's driver and scheduler do beside that is for each block of 2,000 files, not for each file. Needs the
group `scale`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
from batches import files
from pictures import replace_block, versions

from aikz_label import identity
from aikz_label.batch import Verifier
from aikz_label.config import Config, load_config
from aikz_label.integrations import ray as on_ray
from aikz_label.integrations.arrow import ArrowVerifier, options
from aikz_label.label import Responsible, Role

BEGIN, END = "<!-- cluster: begin -->", "<!-- cluster: end -->"
BATCH = 64


class Timed(ArrowVerifier):
    """A worker that says how much processor time it has taken so far."""

    def __call__(self, batch: Any) -> pa.Table:
        table = super().__call__(batch)
        spent = pa.array([time.process_time()] * len(table))
        return table.append_column("spent", spent)


def in_batches(paths: list[str]) -> list[list[str]]:
    return [paths[at : at + BATCH] for at in range(0, len(paths), BATCH)]


def alone(config: Config, paths: list[str], rounds: int) -> tuple[float, float]:
    """Milliseconds of this process for each file: rows of the sandbox, and Arrow batches."""
    order, sandbox, arrow = options(config=config), float("inf"), float("inf")
    with Verifier(order, jobs=1) as verifier, ArrowVerifier(order) as batches:
        for _ in range(rounds + 1):  # the first warms up
            started = time.process_time()
            for part in in_batches(paths):
                assert all(row.verdict == "labelled" for row in verifier.rows(part, ordered=True))
            between = time.process_time()
            for part in in_batches(paths):
                assert set(batches(pa.table({"uri": part})).column("verdict").to_pylist()) == {
                    "labelled"
                }
            sandbox = min(sandbox, between - started)
            arrow = min(arrow, time.process_time() - between)
    return 1000 * sandbox / len(paths), 1000 * arrow / len(paths)


def in_ray(config: Config, paths: list[str], rounds: int) -> float:
    """The same for a worker of Ray's."""
    on_ray.ArrowVerifier = Timed
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    dataset = ray.data.from_items([{"uri": path} for path in paths])
    least = float("inf")
    for _ in range(rounds):
        rows = on_ray.verify_dataset(dataset, config=config, batch_size=BATCH).take_all()
        assert all(row["verdict"] == "labelled" for row in rows)
        spent = sorted({row["spent"] for row in rows})
        least = min(least, (spent[-1] - spent[0]) / (BATCH * (len(spent) - 1)))
    ray.shutdown()
    return 1000 * least


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(
            folder / "id", Responsible(name="B", role=Role.HOLDER, registration="1", country="KZ")
        )
        config = load_config(folder / "id" / "aikz-label.toml")
        paths = files(folder, config, given.count // BATCH * BATCH, size=(640, 360))
        sandbox, arrow = alone(config, paths, given.rounds)
        worker = in_ray(config, paths, given.rounds)
    rows = ["| what | ms of the process that asks | beyond the sandbox |", "| --- | --- | --- |"]
    kinds = {"sandbox": sandbox, "Arrow batches of 64": arrow, "a worker of Ray Data": worker}
    rows += [f"| {kind} | {ms:.2f} | {ms - sandbox:+.2f} |" for kind, ms in kinds.items()]
    command = ["```text", "python benchmarks/cluster.py", "```"]
    text = "\n".join([f"Measured {versions()}.", "", *command, "", *rows])
    print(text)
    if given.write:
        replace_block(given.write, BEGIN, END, text)


if __name__ == "__main__":
    main()
