"""What composing and hearing a sound notice cost, beside another meter.

    python benchmarks/hearing.py [--rounds 3] [--write PAGE]

The programme is ten minutes of noise and chords in stereo at 48 kHz. CPU seconds, least of some rounds. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np

import aikz_label
from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.profile import load_profile
from aikz_label.report import Notice

BEGIN, END = "<!-- hearing: begin -->", "<!-- hearing: end -->"
RATE, MINUTES = 48_000, 10
KZ = load_profile("kz").sound


def minute() -> np.ndarray:
    time_ = np.arange(60 * RATE) / RATE
    random = np.random.default_rng(1)
    chord = sum(0.1 * np.sin(2 * np.pi * tone * time_) for tone in (220, 277, 330, 880))
    one = chord * (0.6 + 0.4 * np.sin(3 * time_)) + 0.03 * random.standard_normal(len(time_))
    return np.stack([one, np.roll(one, 99)]).astype(np.float32)


def loudness(programme: np.ndarray) -> sound.Loudness:
    meter = sound.Meter(RATE, "stereo")
    for _ in range(MINUTES):
        for first in range(0, programme.shape[1], RATE):
            meter.push(programme[:, first : first + RATE])
    return meter.finish()


def spent(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds, children included."""
    best = 1e9
    for _ in range(rounds):
        before = sum(os.times()[:4])
        work()
        best = min(best, sum(os.times()[:4]) - before)
    return best


def rows(rounds: int) -> str:
    programme = minute()
    script = sound.script(Origin.CREATED, ("kk", "ru", "en"), KZ)
    made = sound.compose(script, RATE, "stereo", -20.0, KZ)
    record = Notice("spoken", script.languages, "kz-1", "kz/1", (made.placement(0.0),))
    labelled = np.concatenate([made.samples, programme], axis=1)

    def seconds_of(samples: np.ndarray, times: int) -> list[np.ndarray]:
        blocks = [samples[:, i : i + RATE] for i in range(0, samples.shape[1], RATE)]
        return blocks + [programme[:, i : i + RATE] for i in range(0, 60 * RATE, RATE)] * times

    whole = seconds_of(labelled, MINUTES - 1)
    measured = ((len(whole), "measure a recorded notice"), (len(whole), "search for one"))
    lines = [
        ("loudness of 10 minutes", spent(lambda: loudness(programme), rounds)),
        (
            "compose a notice in three languages",
            spent(lambda: sound.compose(script, RATE, "stereo", -20.0, KZ), rounds),
        ),
        (
            f"{measured[0][1]}, 10 minutes",
            spent(lambda: sound.measure(whole, RATE, "stereo", record, Origin.CREATED, KZ), rounds),
        ),
        (
            f"{measured[1][1]}, 10 minutes, there",
            spent(lambda: sound.search(whole, RATE, "stereo", KZ), rounds),
        ),
        (
            f"{measured[1][1]}, 10 minutes, not there",
            spent(lambda: sound.search(seconds_of(programme, 9), RATE, "stereo", KZ), rounds),
        ),
    ]
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.wav")
            with wave.open(str(path), "wb") as file:
                file.setnchannels(2)
                file.setsampwidth(2)
                file.setframerate(RATE)
                for _ in range(MINUTES):
                    file.writeframes((programme.T * 32767).astype("<i2").tobytes())
            command = [ffmpeg, "-v", "quiet", "-i", path, "-af", "ebur128", "-f", "null", "-"]
            other = spent(lambda: subprocess.run(command, check=True), rounds)
        lines.insert(1, ("the same by the ffmpeg command, reading a WAV file", other))
    table = "".join(f"| {name} | {seconds:.2f} |\n" for name, seconds in lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"| what | CPU s |\n|---|---|\n{table}\nPeak memory of all of it, the programme included: {peak:.0f} MB.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    args = parser.parse_args()
    began = time.time()
    text = (
        f"Measured {datetime.now(UTC):%Y-%m-%d}; aikz-label {aikz_label.__version__}, PyAV {av.__version__}, "
        f"numpy {np.__version__}; {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}.\n\n"
        + rows(args.rounds)
    )
    print(text, f"({time.time() - began:.0f} s)")
    if args.write:
        page = args.write.read_text(encoding="utf-8")
        body = f"{BEGIN}\n{text}{END}"
        args.write.write_text(
            re.sub(f"{BEGIN}.*{END}", lambda _: body, page, flags=re.DOTALL), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
