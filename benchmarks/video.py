"""What a notice in a film costs: CPU time against the ffmpeg command with the same overlay and encoder settings.

    python benchmarks/video.py [--seconds 10] [--long 600]

Needs ffmpeg. Each side runs in a process of its own; starting Python and importing count on ours. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_STEP = """
import io, resource, sys, time
from pathlib import Path
from aikz_label.adapters import Order
from aikz_label.adapters.video import comparing, rendering
from aikz_label.formats import sniff
from aikz_label.label import Label
from aikz_label.limits import DEFAULT
from aikz_label.profile import load_profile
source, out, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
order = Order(Label(origin="created"), ("kk", "ru", "en"), load_profile("kz"), "auto", "", DEFAULT, video_mode=mode)
with source.open("rb") as taken, out.open("w+b") as given:
    row = sniff(taken)
    rendered = rendering.render(taken, given, row, order)
    between = time.process_time()
    found = comparing.check(given, row, rendered, order)
    assert found.state == "perceivable", found
print(between, time.process_time() - between, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    """Make the films, run both sides, print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--long", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = _film(folder / "short.mp4", "1920x1080", 30, options.seconds, noise=True)
        _badge(folder / "badge.png")
        overlay = _ffmpeg(source, folder)
        render, check, peak = _ours(source, folder / "full.mp4", "full")
        print(
            f"| {options.seconds} s of 1920 × 1080, 30/s, H.264 | CPU, s | of ffmpeg |\n|---|--:|--:|"
        )
        print(f"| ffmpeg, overlay, same settings | {overlay:.1f} | 1.00 |")
        print(f"| render | {render:.1f} | {render / overlay:.2f} |")
        print(f"| check of the result | {check:.1f} | {check / overlay:.2f} |")
        sizes = [f"{path.stat().st_size / 1e6:.2f}" for path in (source, folder / "full.mp4")]
        print(f"\nPeak memory {peak:.0f} MB; {sizes[1]} MB instead of {sizes[0]} MB.\n")
        long = _film(folder / "long.mp4", "320x180", 25, options.long, noise=False)
        full, _, _ = _ours(long, folder / "long-full.mp4", "full")
        smart, _, _ = _ours(long, folder / "long-smart.mp4", "smart")
        print(f"| {options.long} s of 320 × 180, 25/s, H.264 | CPU, s | faster |\n|---|--:|--:|")
        print(f"| full | {full:.1f} | 1 |\n| smart | {smart:.1f} | {full / smart:.0f} |")


def _film(path: Path, size: str, rate: int, seconds: int, *, noise: bool) -> Path:
    picture = f"testsrc2=s={size}:r={rate}:d={seconds}"
    picture += ",noise=alls=6:allf=t" if noise else ""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture]
    command += ["-f", "lavfi", "-i", f"sine=d={seconds}", "-c:v", "libx264", "-preset", "veryfast"]
    command += ["-g", str(2 * rate), "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(path)]
    subprocess.run(command, check=True)
    return path


def _badge(path: Path) -> None:
    from aikz_label.label import Origin  # noqa: PLC0415
    from aikz_label.notice import badge  # noqa: PLC0415
    from aikz_label.profile import load_profile  # noqa: PLC0415

    languages = ("kk", "ru", "en")
    placed = badge.plan(1920, 1080, Origin.CREATED, languages, load_profile("kz").image)
    assert placed is not None
    placed.badge.mask.convert("RGB").save(path)


def _ffmpeg(source: Path, folder: Path) -> float:
    """CPU seconds of the command with our settings of the encoder."""
    rate = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries"),
            *("stream=bit_rate", "-of", "csv=p=0", str(source)),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), "-i", str(folder / "badge.png")]
    command += ["-filter_complex", "[0:v][1:v]overlay=1382:54", "-c:v", "libx264"]
    command += ["-preset", "veryfast", "-b:v", rate, "-bf", "2", "-g", "300", "-qmax", "32"]
    command += ["-x264-params", "b-pyramid=none", "-c:a", "copy", str(folder / "ffmpeg.mp4")]
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


def _ours(source: Path, out: Path, mode: str) -> tuple[float, float, float]:
    """CPU seconds of rendering and checking, and MB of memory."""
    command = [sys.executable, "-c", _STEP, str(source), str(out), mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    render, check, peak = map(float, done.stdout.split())
    return render, check, peak


if __name__ == "__main__":
    main()
