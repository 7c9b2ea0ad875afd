"""What marking sound costs: CPU time for a minute of programme, and peak memory, for files of several lengths.

    python benchmarks/sound.py [--minutes 1 10] [--only mp3] [--write PAGE]

Each step runs in a process of its own, because only the highest use of memory is known. A file of twelve seconds, which
gets the same notice, tells what the start costs. Prints Markdown. Linux only; three minutes on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np

import aikz_label
from aikz_label import identity
from aikz_label.label import Responsible, Role

KINDS = {
    "wav": ("wav", "pcm_s16le", "s16"),
    "flac": ("flac", "flac", "s16"),
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "m4a": ("ipod", "aac", "fltp"),
    "opus": ("ogg", "libopus", "flt"),
}
RATE = 48_000
SHORT = 0.2  # minutes
BEGIN, END = "<!-- sound: begin -->", "<!-- sound: end -->"
STEPS = ("decode", "mark", "verify", "measure")
HEAD = """| format | minutes | MB | decode, s | mark, s | for a minute, start aside, s | peak, MB | verify, s | measure, s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""
_STEP = """
import sys, time
from pathlib import Path
from aikz_label import Label, mark, verify
from aikz_label.config import load_config
step, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
config = load_config(folder / "identity" / "aikz-label.toml")
out = source.with_suffix(".out" + source.suffix)
started = time.process_time()
if step == "mark":
    mark(source, out, Label(origin="created"), config=config, overwrite=True)
elif step == "decode":
    import av
    with av.open(str(source)) as container:
        for _ in container.decode(audio=0):
            pass
else:
    verify(out, config=config, measure=step == "measure")
spent = time.process_time() - started
status = Path("/proc/self/status").read_text()
print(spent, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def make(path: Path, kind: tuple[str, str, str], minutes: float) -> None:
    """A long stereo file: noise and tones, a second of them over and over."""
    container_name, codec, form = kind
    random = np.random.default_rng(3)
    time = np.arange(RATE) / RATE
    second = 0.2 * np.sin(2 * np.pi * 330 * time) + 0.05 * random.standard_normal(RATE)
    block = np.stack([second, np.roll(second, 300)]).astype(np.float32)
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=RATE, layout="stereo")
        stream.format = form
        stream.options = {"aac_coder": "fast"} if codec == "aac" else {}
        resampler = av.AudioResampler(form, "stereo", RATE, stream.codec_context.frame_size or 1024)
        for number in range(int(minutes * 60)):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = RATE, number * RATE
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def main() -> None:
    """Make the files, run the steps, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    text = (
        f"Measured {datetime.now(UTC):%Y-%m-%d}; aikz-label {aikz_label.__version__}, PyAV {av.__version__}, numpy "
        f"{np.__version__}; {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}.\n\n{HEAD}"
    )
    print(text, end="")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(folder / "identity", Responsible(name="Benchmark", role=Role.HOLDER))
        for suffix in options.only or KINDS:
            for row in rows(suffix, options.minutes, folder):
                print(row, end="", flush=True)
                text += row
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        body = f"{BEGIN}\n{text}{END}"
        fresh = re.sub(f"{BEGIN}.*{END}", lambda _: body, page, flags=re.DOTALL)
        options.write.write_text(fresh, encoding="utf-8")


def rows(suffix: str, lengths: list[float], folder: Path) -> Iterator[str]:
    """A line for each length of one format."""
    start = 0.0
    for minutes in (SHORT, *lengths):
        source = folder / f"programme.{suffix}"
        make(source, KINDS[suffix], minutes)
        decode, mark, verify, measure = (run(step, source, folder) for step in STEPS)
        start = start or mark[0]
        each = f"{(mark[0] - start) / (minutes - SHORT):.2f}" if minutes > SHORT else ""
        yield (
            f"| {suffix} | {minutes:g} | {source.stat().st_size / 1e6:.1f} | {decode[0]:.2f} | {mark[0]:.2f} | {each} "
            f"| {mark[1]:.0f} | {verify[0]:.2f} | {measure[0]:.2f} |\n"
        )
        for path in folder.glob("programme.*"):
            path.unlink()


def run(step: str, source: Path, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak memory of one step."""
    command = [sys.executable, "-c", _STEP, step, str(source), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spent, peak = map(float, done.stdout.split())
    return spent, peak


if __name__ == "__main__":
    main()
