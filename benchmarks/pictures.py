"""Speed on pictures, against plain Pillow and plain c2pa-python in the same run.

    python benchmarks/pictures.py                       # the fixture, enlarged to 12 megapixels
    python benchmarks/pictures.py --photo holiday.jpg   # and a photograph of your own
    python benchmarks/pictures.py --write docs/reference/benchmarks.md

Everything is CPU time (user and system, children included), the smallest of several rounds. In every round each variant
runs once, one after the other, so that a busy machine slows all of them; only the ratios mean something elsewhere.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import c2pa  # what the package is compared with
import numpy as np
import PIL
from PIL import Image

import aikz_label
from aikz_label import Label, mark, verify
from aikz_label.adapters.image import canvas
from aikz_label.config import Config, load_config
from aikz_label.identity import create
from aikz_label.label import Responsible, Role

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures" / "dandelion.jpg"
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
BEGIN, END = "<!-- pictures: begin -->", "<!-- pictures: end -->"

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results table."""

    what: str
    measured: str
    compared: str
    target: str = "–"
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        word = {True: "yes", False: "**no**", None: "–"}[self.met]
        return self.what, self.measured, self.compared, self.target, word


# --- the clock ---------------------------------------------------------------------------------


def cpu(work: Work) -> float:
    """CPU seconds of one call, all threads, in this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def cpu_of(command: list[str]) -> float:
    """CPU seconds of one child process."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def least(rounds: int, variants: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The smallest time of each variant over interleaved rounds, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, one in variants.items():
            seconds = one()
            if number:
                times[name].append(seconds)
    return {name: min(found) for name, found in times.items()}


def repeated(work: Work, times: int) -> Callable[[], float]:
    """A variant so short that it is run several times per round."""

    def one() -> float:
        return cpu(lambda: [work() for _ in range(times)]) / times

    return one


def once(work: Work) -> Callable[[], float]:
    return lambda: cpu(work)


# --- what is compared --------------------------------------------------------------------------


def hardened_context(root: Path) -> Any:
    """c2pa-python as the package sets it up: our root trusted, the network off."""
    anchor = {
        "trust_kind": "manifest",
        "trust_uri": "urn:benchmark:root",
        "trust_anchors": root.read_text(encoding="utf-8"),
        "trust_config": "1.3.6.1.5.5.7.3.4\n1.3.6.1.4.1.62558.2.1",
    }
    return c2pa.Context.from_dict(
        {
            "version": 1,
            "builder": {"thumbnail": {"enabled": False}},
            "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
            "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 16},
            "trust": {"anchors": [anchor]},
        }
    )


def plain_read(data: bytes, mime: str, context: Any) -> Work:
    """The least a caller of c2pa-python does: the manifest as JSON, and whether it is trusted."""

    def work() -> None:
        with c2pa.Reader(mime, BytesIO(data), context=context) as reader:
            json.loads(reader.json())
            if reader.get_validation_state() != "Trusted":
                raise SystemExit("the plain reader does not trust the marked file")

    return work


STANDARD_AC = bytes.fromhex("0002010303020403050504040000017d")  # ITU-T T.81, K.3.3.2, table K.5


def jpeg_settings(data: bytes) -> dict[str, Any]:
    """How a JPEG was encoded, for Pillow."""
    with Image.open(BytesIO(data)) as image:
        layers, tables = image.layer, image.quantization  # type: ignore[attr-defined]
        sampling = {(1, 1): 0, (2, 1): 1, (2, 2): 2}[layers[0][1:3]] if len(layers) == 3 else 0
        found = [tables[layer[3]] for layer in layers]
        return {
            "format": "JPEG",
            "qtables": found[:2] if found[1:2] == found[2:3] else found,
            "subsampling": sampling,
            "progressive": bool(image.info.get("progressive")),
            "optimize": STANDARD_AC not in data,  # tables of its own, as in the source
        }


def plain_settings(data: bytes, kind: str) -> dict[str, Any]:
    """Pillow's settings that come nearest to what the package writes."""
    if kind == "JPEG":
        return jpeg_settings(data)
    if kind == "PNG":
        return {"format": "PNG", "compress_level": 4}
    if kind == "AVIF":
        return {
            "format": "AVIF",
            "quality": 90,
            "speed": 8,
        }  # speed: the encoder takes minutes at less
    return {"format": "WEBP", "quality": 90, "method": 4}


def plain_cycle(data: bytes, settings: dict[str, Any], black: canvas.Box | None = None) -> bytes:
    """Decode, encode, decode: what any program must do that changes a picture and looks at the result."""
    with Image.open(BytesIO(data)) as image:
        image.load()
        if black:
            image.paste(0, (black[0], black[1], black[0] + black[2], black[1] + black[3]))
        buffer = BytesIO()
        image.save(buffer, **settings)
    with Image.open(BytesIO(buffer.getvalue())) as again:
        again.load()
    return buffer.getvalue()


# --- quality -----------------------------------------------------------------------------------


def plate_box(marked: bytes, config: Config) -> canvas.Box:
    """The badge in the stored picture, grown to the blocks it is coded in."""
    notice = verify(marked, config=config).marker.notice
    if notice is None:
        raise SystemExit("the marked file records no notice")
    place = notice.placements[0]
    with Image.open(BytesIO(marked)) as image:
        orientation = image.getexif().get(0x0112, 1)
        stored = image.size
    shown = canvas.displayed_size(stored, orientation)
    sides = (shown[0], shown[1], shown[0], shown[1])
    keys = ("x", "y", "width", "height")
    x, y, w, h = (round(place[key] * side) for key, side in zip(keys, sides, strict=True))
    box = canvas.stored_box((x, y, w, h), shown, orientation)
    return canvas.on_grid(Image.new("L", box[2:]), box, (16, 16), stored)[1]


def psnr_outside(source: bytes, other: bytes, box: canvas.Box) -> float:
    """PSNR in dB of what a viewer shows (RGB), without the box."""
    first, second = (np.asarray(Image.open(BytesIO(d)).convert("RGB")) for d in (source, other))
    x, y, w, h = box
    squares = 0
    for row in range(0, first.shape[0], 256):
        part = slice(row, row + 256)
        delta = first[part].astype(np.int16) - second[part]
        delta[max(0, y - row) : max(0, y + h - row), x : x + w] = 0
        squares += int(np.square(delta, dtype=np.int32).sum(dtype=np.int64))
    count = first.size - 3 * w * h
    return 10 * math.log10(255**2 * count / squares) if squares else math.inf


def with_ring(box: canvas.Box, size: tuple[int, int]) -> canvas.Box:
    """The box and the two pixels around it where a decoder mixes the colours of both sides (4:2:0)."""
    left, top = max(0, box[0] - 2), max(0, box[1] - 2)
    right, bottom = min(size[0], box[0] + box[2] + 2), min(size[1], box[1] + box[3] + 2)
    return left, top, right - left, bottom - top


# --- the benchmarks ----------------------------------------------------------------------------


class Bench:
    """Everything is measured in one folder with one identity."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder, self.rounds = folder, rounds
        party = Responsible(name="ЖШС «Үлгі»", bin="051140000004", role=Role.OWNER)
        made = create(folder / "identity", party)
        self.config_path, self.root = made.config, made.root
        self.config = load_config(made.config)
        self.context = hardened_context(made.root)
        self.label = Label(origin="created", system="PhotoGen/2.1")  # type: ignore[arg-type]
        self.rows: list[Row] = []

    def marked(self, data: bytes) -> bytes:
        result = mark(data, None, self.label, config=self.config)
        if result.data is None or result.report.verdict != "labelled":
            raise SystemExit(f"a benchmark picture is {result.report.verdict}")
        return result.data

    def verify(self, name: str, marked: bytes, kind: str, target: float | None = 1.15) -> None:
        """Warm, in process, notice attested: ours over the plain reader's on the same bytes."""
        found = least(
            self.rounds * 2,
            {
                "plain": repeated(plain_read(marked, MIME[kind], self.context), 10),
                "ours": repeated(lambda: verify(marked, config=self.config), 10),
            },
        )
        ratio = found["ours"] / found["plain"]
        self.add(
            f"verify, {name}",
            f"{_ms(found['ours'])}, **{ratio:.2f} ×**",
            f"{_ms(found['plain'])} c2pa-python Reader",
            f"≤ {target:.2f} ×" if target else "–",
            met=ratio <= target if target else None,
        )

    def mark(self, name: str, data: bytes, kind: str, target: float | None = 1.5) -> bytes:
        """Badge, signature and self-check, over Pillow's decode, encode and decode."""
        settings = plain_settings(data, kind)
        found = least(
            self.rounds if kind == "JPEG" else max(2, self.rounds // 3),
            {
                "plain": once(lambda: plain_cycle(data, settings)),
                "ours": once(lambda: self.marked(data)),
            },
        )
        ratio = found["ours"] / found["plain"]
        self.add(
            f"mark, {name}",
            f"{found['ours']:.2f} s, **{ratio:.2f} ×**",
            f"{found['plain']:.2f} s Pillow",
            f"≤ {target:.2f} ×" if target else "–",
            met=ratio <= target if target else None,
        )
        return self.marked(data)

    def quality(self, name: str, data: bytes, marked: bytes) -> None:
        """What marking did to the rest of the picture and to the size of the file."""
        settings, box = jpeg_settings(data), plate_box(marked, self.config)
        plain, boxed = plain_cycle(data, settings), plain_cycle(data, settings, box)
        with Image.open(BytesIO(data)) as image:
            beyond = with_ring(box, image.size)
        for what, other, named, area in (
            ("outside the badge", boxed, "Pillow, a black box in its place", box),
            ("2 px away from it", plain, "Pillow, nothing drawn", beyond),
        ):
            ours, theirs = psnr_outside(data, marked, area), psnr_outside(data, other, area)
            self.add(
                f"PSNR {what}, {name}",
                f"{ours:.1f} dB" if math.isfinite(ours) else "no difference",
                f"{theirs:.1f} dB {named}",
                "≥ Pillow − 0.5 dB, ≥ 55 dB",
                met=ours >= theirs - 0.5 and ours >= 55,
            )
        size, plain_size = len(marked) / len(data) - 1, len(plain) / len(data) - 1
        self.add(
            f"file size, {name}",
            f"{size:+.1%} ({len(marked) - len(data):+,} bytes)",
            f"{plain_size:+.1%} Pillow",
            "within 5 %",
            met=abs(size) <= 0.05,
        )

    def add(
        self, what: str, measured: str, compared: str, target: str = "–", *, met: bool | None = None
    ) -> None:
        row = Row(what, measured, compared, target, met)
        print("  ".join(row.cells()).replace("**", ""), flush=True)
        self.rows.append(row)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def enlarged(*, progressive: bool = True, optimize: bool = False) -> bytes:
    """The fixture at 12 megapixels."""
    buffer = BytesIO()
    with Image.open(FIXTURE) as image:
        large = image.resize((4000, 3000), Image.Resampling.LANCZOS)
    settings: dict[str, Any] = {"progressive": progressive, "optimize": optimize}
    large.save(buffer, "JPEG", quality=88, subsampling="4:2:0", **settings)
    return buffer.getvalue()


def encoded(data: bytes, kind: str) -> bytes:
    """The picture at no more than 12 megapixels, in another format."""
    buffer = BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.thumbnail((4000, 4000))
        image.convert("RGB").save(buffer, **plain_settings(data, kind))
    return buffer.getvalue()


def run(bench: Bench, photos: list[Path]) -> None:
    pictures = {
        "enlarged fixture, baseline": enlarged(progressive=False),
        "enlarged fixture, optimised": enlarged(progressive=False, optimize=True),
        "enlarged fixture": enlarged(),
    } | {p.stem: p.read_bytes() for p in photos}
    small = bench.marked(FIXTURE.read_bytes())
    bench.verify("JPEG 1.4 MP (fixture)", small, "JPEG")
    large = b""
    for title, data in pictures.items():
        large = data
        name = f"JPEG {_megapixels(data):.0f} MP ({title})"
        marked = bench.mark(name, data, "JPEG")
        bench.quality(name, data, marked)
        bench.verify(name, marked, "JPEG")
    for kind, title in (("PNG", "PNG"), ("WEBP", "WebP"), ("AVIF", "AVIF")):
        data = encoded(large, kind)
        name = f"{title} {_megapixels(data):.0f} MP"
        marked = bench.mark(name, data, kind, 1.15)
        bench.verify(name, marked, kind)


def _megapixels(data: bytes) -> float:
    with Image.open(BytesIO(data)) as image:
        return image.width * image.height / 1e6


# --- the page ----------------------------------------------------------------------------------


def versions() -> str:
    engine = c2pa.sdk_version().partition("-")[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; aikz-label {aikz_label.__version__}, Python {platform.python_version()}, "
        f"Pillow {PIL.__version__}, c2pa-python {c2pa.__version__} (engine {engine}), numpy {np.__version__}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )


def write(page: Path, rows: list[Row], command: str) -> None:
    """Replace this script's block of the results page."""
    head = ("what", "aikz-label", "compared with", "target", "met")
    lines = [
        f"Measured {versions()}. Smallest CPU time of interleaved rounds.",
        "",
        "```text",
        command,
        "```",
        "",
        *(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * 5, *(r.cells() for r in rows))),
    ]
    replace_block(page, BEGIN, END, "\n".join(lines))


def replace_block(page: Path, begin: str, end: str, text: str) -> None:
    """Put text between two comments of a page, which must be there."""
    old = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    new, count = pattern.subn(lambda _: f"{begin}\n{text}\n{end}", old)
    if count != 1:
        raise SystemExit(f"{page} has no block {begin}")
    page.write_text(new, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default: 7)")
    parser.add_argument(
        "--photo",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="also measure this JPEG photograph; repeatable",
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args()
    print(versions())
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.rounds)
        run(bench, options.photo)
    if options.write:
        words = [f"--rounds {options.rounds}", *(f"--photo {p.name}" for p in options.photo)]
        write(
            options.write,
            bench.rows,
            " ".join(["python benchmarks/pictures.py", *words, "--write PAGE"]),
        )


if __name__ == "__main__":
    main()
