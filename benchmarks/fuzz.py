"""Fuzz every parser of our own, in this process: what may come out is an answer or one of the documented refusals.

    python benchmarks/fuzz.py --minutes 10

Two kinds of targets, both found by themselves, so that a new format or a new parser is fuzzed from its first day:

* `sniff` and `verify`, fed with the contract samples of every format, whole and marked;
* every public function of the package whose only required argument is annotated as `bytes`.

Inputs are mutants of those samples and of whatever a target took without a refusal before (a corpus that grows by what is
new: another kind of answer, or another refusal). An input that breaks a promise is kept in build/fuzz/.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaign import Seed, contracts, mutant, seeds
from pictures import ROOT

import aikz_label
from aikz_label import identity, sniff, verify
from aikz_label.adapters import MediaProblem
from aikz_label.config import load_config
from aikz_label.errors import LabelError
from aikz_label.label import Responsible, Role

KEPT = ROOT / "build" / "fuzz"
REFUSALS = (
    LabelError,
    MediaProblem,
    ValueError,
)  # what a parser may say of bytes that are none of its own
GUARDED = {  # parts of a parser that count on what their caller has looked at
    "adapters.image.gif_blocks.Descriptor.read": "the length",
    "adapters.image.gif_coding.check_whole": "the length",
    "notice.sound.speech.decoded": "where they come from: they are clips of this package",
}
SLOW = 5.0  # seconds of CPU for one input
MAX_CORPUS = 400


@dataclass(slots=True)
class Target:
    """One parser, and what it has been fed."""

    name: str
    call: Callable[[bytes], object]
    corpus: list[Seed]
    seen: set[str] = field(default_factory=set)
    runs: int = 0


def parsers() -> Iterator[tuple[str, Callable[[bytes], object]]]:
    """Public functions, static and class methods that need nothing but bytes."""
    for info in pkgutil.walk_packages(aikz_label.__path__, "aikz_label."):
        if ".testing" in info.name or ".__main__" in info.name:
            continue
        try:
            module = importlib.import_module(info.name)
        except ImportError:
            continue
        for holder in (
            module,
            *(k for k in vars(module).values() if inspect.isclass(k) and k.__module__ == info.name),
        ):
            for name, function in vars(holder).items():
                bound = getattr(holder, name)
                known = isinstance(function, classmethod | staticmethod) or (
                    holder is module
                    and inspect.isfunction(function)
                    and function.__module__ == info.name
                )
                label = f"{info.name.removeprefix('aikz_label.')}.{getattr(bound, '__qualname__', name)}"
                if not known or name.startswith("_") or label in GUARDED:
                    continue
                if needs_bytes_alone(bound):
                    yield label, bound


def needs_bytes_alone(function: Callable[..., object]) -> bool:
    try:
        required = [
            p for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}
        ]  # fmt: skip
    except (TypeError, ValueError):
        return False
    return (
        len(required) == 1
        and required[0].annotation == "bytes"
        and required[0].kind is not inspect.Parameter.KEYWORD_ONLY
    )


def outcome(answer: object) -> str:
    """A short word for what came out, to tell new answers from old ones."""
    reason = getattr(answer, "reason", None)
    if reason is not None:
        return str(reason.code)
    return f"{type(answer).__name__} {str(answer)[:40]}"


def attempt(target: Target, data: bytes) -> tuple[str, str]:
    """What came out, and what is wrong with that."""
    started = time.process_time()
    wrong = ""
    try:
        found = outcome(target.call(data))
    except REFUSALS as refusal:
        found = f"{type(refusal).__name__} {getattr(refusal, 'code', '')}"
    except Exception as error:  # noqa: BLE001  # that is the question
        found = wrong = f"{type(error).__name__}: {error}"[:120]
    spent = time.process_time() - started
    return found, wrong or (f"{spent:.1f} s of CPU time" if spent > SLOW else "")


def fuzz(targets: list[Target], minutes: float, dice: random.Random) -> Counter[str]:
    violations: Counter[str] = Counter()
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        for target in targets:
            base = dice.choice(target.corpus)
            data = mutant(base, target.corpus, dice)
            found, wrong = attempt(target, data)
            target.runs += 1
            if found not in target.seen and len(target.corpus) < MAX_CORPUS:
                target.seen.add(found)
                target.corpus.append(Seed(found, data or b"\0", "", None))
            if wrong:
                violations[f"{target.name}: {wrong}"] += 1
                if violations[f"{target.name}: {wrong}"] <= 3:
                    KEPT.mkdir(parents=True, exist_ok=True)
                    (KEPT / f"{target.name}-{target.runs}").write_bytes(data)
                    print(f"VIOLATION {target.name}: {wrong}", flush=True)
    return violations


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=20261125)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        identity.create(
            Path(folder), Responsible(name="Fuzz", role=Role.HOLDER, registration="1", country="KZ")
        )
        config = load_config(Path(folder) / "aikz-label.toml")
        files = seeds(config) + [Seed("plain", data, "", None) for data in samples()]
        words = [
            Seed("nothing", b"\0", "", None),
            Seed("text", "Ә <a b='c'/> {\"d\": 1}".encode(), "", None),
        ]

        def checked(data: bytes) -> Any:
            report = verify(data, config=config)
            report.to_json()
            return report

        found = [
            ("sniff", sniff),
            ("verify", checked),
            *sorted(set(parsers()), key=lambda pair: pair[0]),
        ]
        targets = [Target(name, call, [*files, *words]) for name, call in found]  # type: ignore[arg-type]
        violations = fuzz(targets, options.minutes, random.Random(options.seed))
    total = sum(target.runs for target in targets)
    print(
        f"{total:,} inputs to {len(targets)} targets in {options.minutes:g} minutes, seed {options.seed}"
    )
    print("targets: " + ", ".join(target.name for target in targets))
    print(
        "violations: "
        + ("; ".join(f"{name} {n}" for name, n in violations.most_common()) or "none")
    )
    sys.exit(bool(violations))


def samples() -> Iterator[bytes]:
    """The unmarked samples of the contracts."""
    for contract in contracts():
        try:
            yield contract().sample()
        except BaseException as error:  # noqa: BLE001  # pytest's skip
            print(f"without {contract.__name__}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
