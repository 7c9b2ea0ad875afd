"""What marker and check of a large film cost: CPU time and peak memory, for boxes (the engine's) and Matroska (ours).

    python benchmarks/film_memory.py [--mib 1024]

The film is a short one with that much more data in it, which no player shows. It gets no notice: drawing is another matter.
Each step runs in a process of its own, because only the highest use of memory is known. Prints Markdown. Linux only.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from aikz_label import identity
from aikz_label.carriers import ebml
from aikz_label.label import Responsible, Role

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import video_files  # found through the line above

_STEP = """
import sys, time
from pathlib import Path
from aikz_label import Label, mark, verify
from aikz_label.config import load_config
step, source, out, folder = sys.argv[1], *map(Path, sys.argv[2:])
config = load_config(folder / "identity" / "aikz-label.toml")
quiet = {"notice": "none", "notice_reason": "a benchmark"}
started = time.process_time()
if step == "mark":
    mark(source, out, Label(origin="created"), config=config, **quiet)
else:
    assert verify(out, config=config).marker_state == "trusted"
spent = time.process_time() - started
status = Path("/proc/self/status").read_text()
print(spent, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def boxes(mib: int, path: Path) -> None:
    """An MP4 with a second `mdat`."""
    size = 16 + (mib << 20)
    _write(path, video_files.film("mp4"), b"\0\0\0\x01mdat" + size.to_bytes(8), mib)


def matroska(mib: int, path: Path) -> None:
    """A Matroska film with an attachment."""
    film = video_files.film("matroska")
    document = ebml.Document.read(io.BytesIO(film), 1000)
    name = ebml.pack(0x466E, b"data") + ebml.pack(0x4660, b"application/octet-stream")
    name += ebml.pack(0x46AE, b"\x01")
    data = ebml.packed_name(0x465C) + ebml.packed_size(mib << 20, 8)
    whole = len(name) + len(data) + (mib << 20)
    file = ebml.packed_name(0x61A7) + ebml.packed_size(whole, 8)
    head = ebml.packed_name(ebml.ATTACHMENTS) + ebml.packed_size(whole + len(file), 8) + file
    size = document.segment.size + len(head) + whole
    film = (
        film[: document.segment.start]
        + ebml.packed_name(ebml.SEGMENT)
        + ebml.packed_size(size, 8)
        + film[document.segment.body :]
    )
    _write(path, film, head + name + data, mib)


def _write(path: Path, film: bytes, head: bytes, mib: int) -> None:
    with path.open("wb") as stream:
        stream.write(film + head)
        for number in range(mib):
            stream.write(number.to_bytes(1024, "little") * 1024)


def main() -> None:
    """Make the films, run the steps, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(folder / "identity", Responsible(name="Benchmark", role=Role.HOLDER))
        print(f"| {options.mib} MiB | step | CPU, s | peak, MB |\n|---|---|--:|--:|")
        for title, make in (("MP4", boxes), ("Matroska", matroska)):
            source, out = folder / "source", folder / f"out.{title}"
            make(options.mib, source)
            for step in ("mark", "verify"):
                command = [sys.executable, "-c", _STEP, step, source, out, folder]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                spent, peak = map(float, done.stdout.split())
                print(f"| {title} | {step} | {spent:.1f} | {peak:.0f} |", flush=True)
            out.unlink()


if __name__ == "__main__":
    main()
