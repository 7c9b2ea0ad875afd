"""Mutate marked files of every format that has an adapter, and see whether `verify` can be made to lie, die or hang.

    python benchmarks/campaign.py --count 20000
    python benchmarks/campaign.py --count 1000000 --seed 7 --keep build/long --write docs/reference/reliability.md

The files are the samples of the contract tests, whatever formats those cover today. Every mutant goes through the sandbox,
as an upload does. Promises that are checked for each:

* it gets a row: no crash, no deadline, no memory limit;
* if it is still `labelled`, the evidence is exactly that of the file it was made from, and a picture shows the same pixels.

Mutants that break one are kept in build/campaign/, and the exit code is 1. They are made in chunks, each with its own dice.
With `--keep` the marked files and what came of each chunk stay in a folder: the same command goes on where it was stopped,
however it was stopped, and `--minutes` stops it after a chunk.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from pictures import ROOT, replace_block, versions
from PIL import Image

from aikz_label import Label, identity, mark, verify
from aikz_label.batch import Verifier
from aikz_label.config import Config, load_config
from aikz_label.formats import FORMATS
from aikz_label.joining import Believing
from aikz_label.label import Responsible, Role
from aikz_label.sandbox.wire import dump
from aikz_label.sandbox.work import Verifying

KEPT = ROOT / "build" / "campaign"
BEGIN, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"
MAX_SEED = 400_000  # bytes; larger samples would only make the campaign slower
CHUNK = 5_000  # mutants after which the outcome is written down


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
    seconds: float = 0.0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.verdicts + other.verdicts,
            self.formats + other.formats,
            self.violations + other.violations,
            self.accepted + other.accepted,
            max(self.slowest, other.slowest),
            self.seconds + other.seconds,
        )

    def line(self) -> str:
        """All of it on one line."""
        return json.dumps({one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def read(cls, line: str) -> Self:
        """What `line` made of one."""
        found = json.loads(line)
        counted = {name: Counter(value) for name, value in found.items() if isinstance(value, dict)}
        return cls(**found | counted)


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


def seeds(config: Config, only: str = "") -> list[Seed]:
    """One marked file of every contract whose format keeps its marker inside, and whose name holds a word."""
    made = []
    for contract in contracts():
        test: Any = contract()
        if test.sidecar or only not in contract.__name__:
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


class Kept:
    """A folder that a campaign can go on from; nothing is kept without one."""

    def __init__(self, folder: Path | None, number: int, only: str = "") -> None:
        self._folder, self._number, self._only = folder, number, only
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def seeds(self, config: Config) -> list[Seed]:
        """The marked files: those of the folder, or new ones."""
        if self._folder is None:
            return seeds(config, self._only)
        listed = self._folder / "seeds.json"
        if not listed.exists():
            made = seeds(config, self._only)
            for seed in made:
                (self._folder / seed.name).write_bytes(seed.data)
            about = [{**asdict(seed), "data": ""} for seed in made]
            listed.with_suffix(".new").write_text(json.dumps(about))
            listed.with_suffix(".new").rename(listed)
        about = json.loads(listed.read_text())
        return [Seed(**one | {"data": (self._folder / one["name"]).read_bytes()}) for one in about]

    def done(self) -> dict[int, Outcome]:
        """What came of the chunks that are finished."""
        page = self._page()
        lines = page.read_text().splitlines() if page and page.exists() else []
        found = {}
        for line in lines:
            number, _, outcome = line.partition(" ")
            if outcome.endswith("}"):  # a last line can be torn
                found[int(number)] = Outcome.read(outcome)
        return found

    def add(self, chunk: int, outcome: Outcome) -> None:
        """One more chunk."""
        page = self._page()
        if page is not None:
            with page.open("a") as stream:
                stream.write(f"\n{chunk} {outcome.line()}\n")

    def _page(self) -> Path | None:
        return self._folder / f"chunks-{self._number}.txt" if self._folder else None


def run(
    made: list[Seed], config: Config, options: argparse.Namespace, kept: Kept
) -> tuple[Outcome, bool]:
    """The campaign itself, and whether it came to its end."""
    whole, done = Outcome(), kept.done()
    sizes = [min(CHUNK, options.count - at) for at in range(0, options.count, CHUNK)]
    until = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    order = Verifying(Believing(config.trust))
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name,
        Verifier(order, jobs=options.jobs, deadline=20) as verifier,
    ):
        for chunk, size in enumerate(sizes):
            outcome = done.get(chunk)
            if outcome is None or outcome.verdicts.total() != size:
                if time.monotonic() > until:
                    return whole, False
                dice = random.Random(f"{options.seed}/{chunk}")
                outcome = one_chunk(made, verifier, size, dice, Path(name))
                kept.add(chunk, outcome)
            whole += outcome
    return whole, True


def one_chunk(
    made: list[Seed], verifier: Verifier, count: int, dice: random.Random, folder: Path
) -> Outcome:
    """So many mutants, one after another through the children."""
    outcome, started = Outcome(), time.monotonic()
    alive: dict[str, tuple[Seed, bytes]] = {}

    def sources() -> Iterator[str]:
        for index in range(count):
            seed = dice.choice(made)
            data = mutant(seed, made, dice)
            path = f"{folder}/{index}"
            with open(path, "wb") as stream:  # noqa: PTH123  # a million times
                stream.write(data)
            alive[path] = seed, data
            yield path

    for row in verifier.rows(sources()):
        seed, data = alive.pop(row.uri)
        os.unlink(row.uri)  # noqa: PTH108
        outcome.verdicts[str(row.verdict)] += 1
        outcome.formats[seed.name] += 1
        outcome.slowest = max(outcome.slowest, row.ms)
        wrong = judge(seed, data, row)
        outcome.accepted += row.verdict == "labelled" and data != seed.data
        if wrong:
            outcome.violations[f"{seed.name}: {wrong}"] += 1
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / f"{time.time_ns()}-{seed.name}").write_bytes(data)
            print(f"VIOLATION {seed.name}: {wrong} {row.detail}", flush=True)
    outcome.seconds = time.monotonic() - started
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


def lines(outcome: Outcome, number: int, jobs: int) -> list[str]:
    """The numbers, for people."""
    total = outcome.verdicts.total()
    rate = total / max(1.0, outcome.seconds)
    return [
        f"seed {number}, {total:,} mutants of {len(outcome.formats)} kinds of files",
        f"{jobs} workers, {outcome.seconds:.0f} s, {rate:.0f} a second",
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
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="go on from what is in it")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after a chunk by then")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the numbers into this page")
    options = parser.parse_args()
    kept = Kept(options.keep, options.seed, options.only)
    with ExitStack() as stack:
        mine = options.keep / "identity" if options.keep else None
        folder = mine or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not (folder / "aikz-label.toml").exists():
            identity.create(
                folder,
                Responsible(name="Campaign", role=Role.HOLDER, registration="1", country="KZ"),
            )
        config = load_config(folder / "aikz-label.toml")
        outcome, ended = run(kept.seeds(config), config, options, kept)
    text = lines(outcome, options.seed, options.jobs)
    print("\n".join(text))
    if not ended:
        print("stopped before its end; the same command goes on")
    if options.write:
        command = f"python benchmarks/campaign.py --count {options.count} --seed {options.seed}"
        block = "\n".join([f"Run {versions()}.", "", "```text", command, "", *text, "```"])
        replace_block(options.write, BEGIN, END, block)
    sys.exit(bool(outcome.violations))


if __name__ == "__main__":
    main()
