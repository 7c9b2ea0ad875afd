"""Change marked pictures at random, byte by byte, and see whether `verify` can be made to lie, raise or hang.

    python benchmarks/mutate.py --minutes 10
    python benchmarks/mutate.py --minutes 3 --seed 7 --write docs/reference/benchmarks.md

Six of ten changes aim at the marker. Promises that are checked for every file:

* `verify` gives a report that turns into JSON; it raises nothing;
* never `labelled` when a byte outside the marker changed, or when the picture decodes to other pixels;
* less than two seconds of CPU time.

A file that breaks one of them is saved under build/mutate/, and the exit code is 1. The file at hand is there too, as
`current.bin`, should the process itself die. One seed makes the same changes to the same kinds of files; their signatures,
and so the bytes, differ from run to run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count, pairwise
from pathlib import Path

from pictures import FIXTURE, ROOT, replace_block, versions
from PIL import Image

from aikz_label import Label, mark, verify
from aikz_label.config import load_config
from aikz_label.identity import create
from aikz_label.label import Responsible, Role
from aikz_label.trust import TrustList, load_trust_list

SAVED = ROOT / "build" / "mutate"
AIMED = 0.6  # share of changes that start inside the marker
MAX_SECONDS = 2.0
MAX_SAVED = 5  # files of one kind of violation
BEGIN, END = "<!-- mutate: begin -->", "<!-- mutate: end -->"


@dataclass(frozen=True, slots=True)
class Sample:
    """A marked picture, where its marker is, and what it shows."""

    name: str
    data: bytes
    start: int
    stop: int
    parts: tuple[tuple[int, int], ...]
    pixels: bytes


# --- samples -----------------------------------------------------------------------------------


def sources() -> Iterator[tuple[str, bytes]]:
    """Small pictures of several kinds: the smaller the file, the more changes per minute."""
    with Image.open(FIXTURE) as image:
        picture = image.convert("RGB").resize((480, 320), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a dandelion"
    yield "jpeg", _saved(picture, "JPEG", quality=85)
    yield "jpeg, progressive, rotated", _saved(picture, "JPEG", progressive=True, exif=exif)
    yield "jpeg, bytes after its end", _saved(picture, "JPEG", quality=70) + b"tail" * 100
    yield "png", _saved(picture, "PNG")
    yield "png, palette", _saved(picture.quantize(64), "PNG")
    yield "png, alpha", _saved(_translucent(picture), "PNG")
    yield "webp", _saved(picture, "WEBP", quality=80)
    yield "webp, lossless, alpha", _saved(_translucent(picture), "WEBP", lossless=True)


def _translucent(picture: Image.Image) -> Image.Image:
    layer = picture.resize((240, 160)).convert("RGBA")
    layer.putalpha(Image.linear_gradient("L").resize(layer.size))
    return layer


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def samples(folder: Path) -> tuple[list[Sample], TrustList]:
    """Mark every source with a new identity."""
    party = Responsible(name="ЖШС «Үлгі»", bin="051140000004", role=Role.OWNER)
    identity = create(folder, party)
    config, trust = load_config(identity.config), load_trust_list(identity.root)
    label = Label(origin="created", system="PhotoGen/2.1")  # type: ignore[arg-type]
    made = []
    for name, source in sources():
        data = mark(source, None, label, config=config).data
        if data is None or verify(data, trust=[trust]).verdict != "labelled":
            raise SystemExit(f"the sample {name!r} is not labelled")
        start, stop, parts = _layout(data)
        made.append(Sample(name, data, start, stop, parts, _pixels(data)))
    return made, trust


def _layout(data: bytes) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """Where the marker is and where all parts are; walked here again, not trusting the package's own walk."""
    parts: list[tuple[int, int, bool]] = []
    if data.startswith(b"\x89PNG"):
        at = 8
        while at < len(data):
            stop = at + 12 + int.from_bytes(data[at : at + 4])
            parts.append((at, stop, data[at + 4 : at + 8] == b"caBX"))
            at = stop
    elif data.startswith(b"RIFF"):
        at = 12
        while at < len(data):
            length = int.from_bytes(data[at + 4 : at + 8], "little")
            stop = at + 8 + length + length % 2
            parts.append((at, stop, data[at : at + 4] == b"C2PA"))
            at = stop
    else:
        at = 2
        while data[at + 1] != 0xDA:
            stop = at + 2 + int.from_bytes(data[at + 2 : at + 4])
            parts.append((at, stop, data[at + 1] == 0xEB))
            at = stop
        parts.append((at, len(data), False))
    marker = [(start, stop) for start, stop, ours in parts if ours]
    if not marker or any(a[1] != b[0] for a, b in pairwise(marker)):
        raise SystemExit("the marker is not in one piece")
    return marker[0][0], marker[-1][1], tuple((start, stop) for start, stop, _ in parts)


def _pixels(data: bytes) -> bytes:
    """What the file shows; empty when it shows nothing."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
            return (
                repr((image.size, image.getexif().get(0x0112))).encode()
                + image.convert("RGBA").tobytes()
            )
    except Exception:  # noqa: BLE001  # decoders raise whatever they like
        return b""


# --- changes -----------------------------------------------------------------------------------


class Mutator:
    """One random change of one sample."""

    def __init__(self, all_samples: list[Sample], chance: random.Random) -> None:
        self.samples, self.chance = all_samples, chance
        self.kinds: tuple[Callable[[Sample], bytes], ...] = (
            self.flip,
            self.flip,
            self.overwrite,
            self.insert,
            self.delete,
            self.truncate,
            self.splice,
            self.swap,
            self.transplant,
        )

    def change(self, sample: Sample) -> tuple[str, bytes]:
        """The name of the change, and the changed file: never the same as before."""
        while True:
            kind = self.chance.choice(self.kinds)
            data = kind(sample)
            if data != sample.data:
                return kind.__name__, data

    def _place(self, sample: Sample) -> int:
        if self.chance.random() < AIMED:
            return self.chance.randrange(sample.start, sample.stop)
        outside = len(sample.data) - (sample.stop - sample.start)
        at = self.chance.randrange(outside)
        return at if at < sample.start else at + sample.stop - sample.start

    def _length(self) -> int:
        return min(1 << self.chance.randrange(13), 1 + self.chance.randrange(5000))

    def flip(self, sample: Sample) -> bytes:
        data = bytearray(sample.data)
        data[self._place(sample)] ^= 1 << self.chance.randrange(8)
        return bytes(data)

    def overwrite(self, sample: Sample) -> bytes:
        at, length = self._place(sample), self._length()
        filler = self.chance.choice(
            (self.chance.randbytes(length), bytes(length), b"\xff" * length)
        )
        return (sample.data[:at] + filler + sample.data[at + length :])[: len(sample.data)]

    def insert(self, sample: Sample) -> bytes:
        at, length = self._place(sample), self._length()
        again = sample.data[at : at + length]
        filler = self.chance.choice((self.chance.randbytes(length), bytes(length), again))
        return sample.data[:at] + filler + sample.data[at:]

    def delete(self, sample: Sample) -> bytes:
        at = self._place(sample)
        return sample.data[:at] + sample.data[at + self._length() :]

    def truncate(self, sample: Sample) -> bytes:
        return sample.data[: self._place(sample)]

    def splice(self, sample: Sample) -> bytes:
        """Bytes of another file, or of another place, over these."""
        other = self.chance.choice(self.samples)
        at, source, length = self._place(sample), self._place(other), self._length()
        end = at + (length if self.chance.random() < 0.5 else self._length())
        return sample.data[:at] + other.data[source : source + length] + sample.data[end:]

    def swap(self, sample: Sample) -> bytes:
        """Two chunks or segments in each other's place; or one of them twice, or left out."""
        first, second = sorted(self.chance.sample(range(len(sample.parts)), 2))
        pieces = [sample.data[start:stop] for start, stop in sample.parts]
        match self.chance.randrange(4):
            case 0:
                pieces.insert(second, pieces[first])
            case 1:
                del pieces[first]
            case _:
                pieces[first], pieces[second] = pieces[second], pieces[first]
        return sample.data[: sample.parts[0][0]] + b"".join(pieces)

    def transplant(self, sample: Sample) -> bytes:
        """The marker of another file of the same format."""
        same = [s for s in self.samples if s.data[:3] == sample.data[:3] and s is not sample]
        other = self.chance.choice(same)
        marker = other.data[other.start : other.stop]
        return sample.data[: sample.start] + marker + sample.data[sample.stop :]


# --- the check ---------------------------------------------------------------------------------


def only_marker_changed(sample: Sample, data: bytes) -> bool:
    """Whether everything before and after the marker is as it was."""
    before, after = sample.data[: sample.start], sample.data[sample.stop :]
    whole = len(before) + len(after) <= len(data)
    return whole and data.startswith(before) and data.endswith(after)


def check(sample: Sample, data: bytes, trust: TrustList) -> tuple[str, str, float]:
    """The verdict, what is wrong with it (empty: nothing), and the CPU time."""
    started = time.process_time()
    try:
        report = verify(data, trust=[trust])
        json.loads(report.to_json())
    except Exception as error:  # noqa: BLE001  # that is the question
        return "raised", f"{type(error).__name__}: {error}", time.process_time() - started
    verdict, spent, wrong = str(report.verdict), time.process_time() - started, ""
    if spent > MAX_SECONDS:
        wrong = f"more than {MAX_SECONDS:g} s of CPU time"
    if verdict == "labelled":
        if not only_marker_changed(sample, data):
            wrong = "labelled, though bytes outside the marker changed"
        elif (shown := _pixels(data)) != sample.pixels:
            wrong = f"labelled, though {'it shows something else' if shown else 'Pillow cannot open it'}"
        else:
            verdict = "labelled, same picture, change inside the marker"
    return verdict, wrong, spent


def campaign(all_samples: list[Sample], trust: TrustList, seed: int, minutes: float) -> Result:
    chance = random.Random(seed)
    mutator, result = Mutator(all_samples, chance), Result(seed, minutes)
    SAVED.mkdir(parents=True, exist_ok=True)
    current, until = SAVED / "current.bin", time.monotonic() + 60 * minutes
    for number in count():
        if time.monotonic() >= until:
            break
        sample = chance.choice(all_samples)
        kind, data = mutator.change(sample)
        current.write_bytes(data)
        verdict, wrong, spent = check(sample, data, trust)
        result.add(sample, kind, verdict, spent)
        if wrong:
            result.wrong[wrong] += 1
            name = f"seed{seed}-{number}-{kind}"
            if result.wrong[wrong] <= MAX_SAVED:
                (SAVED / f"{name}.changed").write_bytes(data)
                (SAVED / f"{name}.marked").write_bytes(sample.data)
            print(f"VIOLATION {name}: {sample.name}: {wrong}", flush=True)
    current.unlink(missing_ok=True)
    return result


class Result:
    """What a campaign counted."""

    def __init__(self, seed: int, minutes: float) -> None:
        self.seed, self.minutes = seed, minutes
        self.verdicts: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.samples: Counter[str] = Counter()
        self.slowest = 0.0
        self.wrong: Counter[str] = Counter()

    def add(self, sample: Sample, kind: str, verdict: str, spent: float) -> None:
        self.verdicts[verdict] += 1
        self.kinds[kind] += 1
        self.samples[sample.name] += 1
        self.slowest = max(self.slowest, spent)

    def lines(self) -> list[str]:
        total = self.verdicts.total()
        return [
            f"seed {self.seed}, {self.minutes:g} minutes, {total} changed files",
            f"verdicts: {_counted(self.verdicts)}",
            f"changes:  {_counted(self.kinds)}",
            f"files:    {_counted(self.samples)}",
            f"slowest:  {self.slowest * 1000:.0f} ms of CPU time",
            f"violations: {_counted(self.wrong) or 'none'}",
        ]


def _counted(counter: Counter[str]) -> str:
    return "; ".join(f"{name} {number}" for name, number in counter.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3, help="how long (default: 3)")
    parser.add_argument("--seed", type=int, help="repeat a campaign (default: a new one)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the numbers into this page")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"{versions()}\nseed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        made, trust = samples(Path(folder) / "identity")
        result = campaign(made, trust, seed, options.minutes)
    print("\n".join(result.lines()))
    if options.write:
        command = (
            f"python benchmarks/mutate.py --minutes {options.minutes:g} --seed {seed} --write PAGE"
        )
        text = [f"Run {versions()}.", "", "```text", command, "", *result.lines(), "```"]
        replace_block(options.write, BEGIN, END, "\n".join(text))
    sys.exit(bool(result.wrong))


if __name__ == "__main__":
    main()
