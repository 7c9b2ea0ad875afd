"""What marking sound costs: CPU time for a minute of programme, and peak memory, for files of several lengths.

    python benchmarks/sound.py [--minutes 1 3 10] [--only mp3]

Each step runs in a process of its own, because only the highest use of memory is known. Prints Markdown. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import av
import numpy as np

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
        resampler = av.AudioResampler(form, "stereo", RATE, stream.codec_context.frame_size or 1024)
        for number in range(int(minutes * 60)):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = RATE, number * RATE
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def main() -> None:
    """Make the files, run the steps, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 3.0, 10.0])
    parser.add_argument("--only", choices=KINDS, action="append")
    options = parser.parse_args()
    print(
        "| format | minutes | MB | decode, s/min | mark, s/min | peak, MB | verify, s | measure, s |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(folder / "identity", Responsible(name="Benchmark", role=Role.HOLDER))
        for suffix, minutes in product(options.only or KINDS, options.minutes):
            source = folder / f"programme.{suffix}"
            make(source, KINDS[suffix], minutes)
            found = {
                step: run(step, source, folder) for step in ("decode", "mark", "verify", "measure")
            }
            decode, mark = (found[step][0] / minutes for step in ("decode", "mark"))
            print(
                f"| {suffix} | {minutes:g} | {source.stat().st_size / 1e6:.0f} | {decode:.2f} | {mark:.2f} "
                f"| {found['mark'][1]:.0f} | {found['verify'][0]:.2f} | {found['measure'][0]:.2f} |",
                flush=True,
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
