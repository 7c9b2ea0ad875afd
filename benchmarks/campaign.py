"""Mutate marked files of every format that has an adapter, and see whether `verify` can be made to lie, die or hang.

    python benchmarks/campaign.py --count 20000
    python benchmarks/campaign.py --count 1000000 --seed 7 --write docs/reference/reliability.md

The files are the samples of the contract tests, whatever formats those cover today. Every mutant goes through the sandbox,
as an upload does. Promises that are checked for each:

* it gets a row: no crash, no deadline, no memory limit;
* if it is still `labelled`, the evidence is exactly that of the file it was made from, and a picture shows the same pixels.

Mutants that break one are kept in build/campaign/, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import io
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pictures import ROOT, replace_block, versions
from PIL import Image

from aikz_label import Label, identity, mark, verify
from aikz_label.batch import verify_rows
from aikz_label.config import Config, load_config
from aikz_label.formats import FORMATS
from aikz_label.joining import Believing
from aikz_label.label import Responsible, Role
from aikz_label.sandbox.wire import dump
from aikz_label.sandbox.work import Verifying

KEPT = ROOT / "build" / "campaign"
BEGIN, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"
MAX_SEED = 400_000  # bytes; larger samples would only make the campaign slower


@dataclass(frozen=True, slots=True)
class Seed:
    """A marked file and what is said of it."""

    name: str
    data: bytes
    family: str
    evidence: Any


@dataclass(slots=True)
class Outcome:
    """What a campaign counted."""

    verdicts: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    slowest: float = 0.0


def contracts() -> Iterator[type]:
    """The contract test of every format, found in the tests."""
    sys.path.insert(0, str(ROOT / "tests"))
    from aikz_label.testing import AdapterContract  # noqa: PLC0415

    for path in sorted((ROOT / "tests" / "contract").glob("test_*.py")):
        sys.path.insert(0, str(path.parent))
        importlib.import_module(path.stem)
    todo = [AdapterContract]
    while todo:
        for kind in todo.pop().__subclasses__():
            todo.append(kind)
            if getattr(kind, "format", ""):
                yield kind


def seeds(config: Config) -> list[Seed]:
    """One marked file of every contract whose format keeps its marker inside."""
    made = []
    for contract in contracts():
        test: Any = contract()
        if test.sidecar:
            continue
        reason = {"notice_reason": "campaign"} if test.notice == "none" else {}
        try:
            data = mark(
                test.sample(),
                None,
                Label(origin="created", system="Campaign/1"),
                config=config,
                notice=test.notice,
                **reason,
            ).data
        except BaseException as error:  # noqa: BLE001  # pytest's skip is one: a package is missing here
            print(f"without {contract.__name__}: {error}", file=sys.stderr)
            continue
        report = verify(data, config=config)
        if len(data) <= MAX_SEED:
            family = FORMATS[report.format].family if report.format in FORMATS else ""
            made.append(Seed(contract.__name__, data, family, dump(report.evidence)))
    return made


def mutant(seed: Seed, others: list[Seed], dice: random.Random) -> bytes:
    """One of nine changes, at one to three places."""
    data = bytearray(seed.data)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        at, length = dice.randrange(len(data) or 1), 1 << dice.randrange(11)
        match dice.randrange(9):
            case 0 | 1:
                data[at : at + 1] = bytes([data[at] ^ 1 << dice.randrange(8)]) if data else b""
            case 2:
                data[at : at + length] = dice.randbytes(min(length, len(data) - at))
            case 3:
                data[at : at + 4] = dice.choice(
                    (b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0")
                )
            case 4:
                data[at:at] = dice.randbytes(length)
            case 5:
                del data[at : at + length]
            case 6:
                del data[at:]
            case 7:
                data[at:at] = data[at : at + length]
            case 8:
                other = dice.choice(others).data
                start = dice.randrange(len(other))
                data[at : at + length] = other[start : start + length]
    return bytes(data)


def pixels(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGBA").tobytes()
    except Exception:  # noqa: BLE001  # decoders raise whatever they like
        return None


def run(made: list[Seed], config: Config, count: int, number: int, jobs: int) -> Outcome:
    """The campaign itself."""
    outcome, dice = Outcome(), random.Random(number)
    with tempfile.TemporaryDirectory(
        dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as folder:
        alive: dict[str, tuple[Seed, bytes]] = {}

        def sources() -> Iterator[str]:
            for index in range(count):
                seed = dice.choice(made)
                data = mutant(seed, made, dice)
                path = Path(folder) / str(index)
                path.write_bytes(data)
                alive[str(path)] = seed, data
                yield str(path)

        for row in verify_rows(
            sources(), Verifying(Believing(config.trust)), jobs=jobs, deadline=20
        ):
            seed, data = alive.pop(row.uri)
            Path(row.uri).unlink()
            outcome.verdicts[str(row.verdict)] += 1
            outcome.formats[seed.name] += 1
            outcome.slowest = max(outcome.slowest, row.ms)
            wrong = judge(seed, data, row)
            outcome.accepted += row.verdict == "labelled" and data != seed.data
            if wrong:
                outcome.violations[f"{seed.name}: {wrong}"] += 1
                KEPT.mkdir(parents=True, exist_ok=True)
                (KEPT / f"seed{number}-{Path(row.uri).name}-{seed.name}").write_bytes(data)
                print(f"VIOLATION {seed.name}: {wrong} {row.detail}", flush=True)
    return outcome


def judge(seed: Seed, data: bytes, row: Any) -> str:
    """What is wrong with a row, if anything."""
    if row.reason.code in {"unreadable.crashed", "unreadable.deadline", "unreadable.memory"}:
        return row.reason.text("en")
    if row.verdict == "labelled" and data != seed.data:
        found = dict(row.evidence)
        if found != seed.evidence:
            other = sorted(
                key for key in found | seed.evidence if found.get(key) != seed.evidence.get(key)
            )
            return f"labelled with other evidence: {', '.join(other)}"
        if seed.family == "image" and pixels(data) != pixels(seed.data) is not None:
            return "labelled with other pixels"
    return ""


def lines(outcome: Outcome, number: int, jobs: int, seconds: float) -> list[str]:
    """The numbers, for people."""
    total = outcome.verdicts.total()
    return [
        f"seed {number}, {total:,} mutants of {len(outcome.formats)} kinds of files, {jobs} workers, {seconds:.0f} s",
        "verdicts:   " + "; ".join(f"{name} {n:,}" for name, n in outcome.verdicts.most_common()),
        f"labelled although changed, all with the same evidence: {outcome.accepted:,}",
        f"slowest:    {outcome.slowest:.0f} ms",
        "violations: "
        + ("; ".join(f"{name} {n}" for name, n in outcome.violations.most_common()) or "none"),
        "kinds:      " + ", ".join(sorted(outcome.formats)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--only", default="", metavar="NAME", help="of one kind of files, such as TestPng"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the numbers into this page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        identity.create(
            Path(folder),
            Responsible(name="Campaign", role=Role.HOLDER, registration="1", country="KZ"),
        )
        config = load_config(Path(folder) / "aikz-label.toml")
        made = [seed for seed in seeds(config) if options.only in seed.name]
        started = time.monotonic()
        outcome = run(made, config, options.count, options.seed, options.jobs)
    text = lines(outcome, options.seed, options.jobs, time.monotonic() - started)
    print("\n".join(text))
    if options.write:
        command = f"python benchmarks/campaign.py --count {options.count} --seed {options.seed} --write PAGE"
        block = "\n".join([f"Run {versions()}.", "", "```text", command, "", *text, "```"])
        replace_block(options.write, BEGIN, END, block)
    sys.exit(bool(outcome.violations))


if __name__ == "__main__":
    main()
