"""What a sidecar costs beside a large file: CPU time and peak memory, against one SHA-256 over the same bytes.

    python benchmarks/sidecar.py [--mib 1024]

Each step runs in a process of its own, because only the highest use of memory is known. Prints Markdown. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from aikz_label import identity
from aikz_label.label import Responsible, Role

_STEP = """
import hashlib, sys, time
from pathlib import Path
from aikz_label import Label, mark, verify
from aikz_label.config import load_config
step, folder = sys.argv[1], Path(sys.argv[2])
config = load_config(folder / "identity" / "aikz-label.toml")
source, out = folder / "source.bin", folder / "out.bin"
quiet = {"notice": "none", "notice_reason": "a benchmark", "sidecar": "always"}
started = time.process_time()
if step == "hash":
    with source.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")
elif step == "mark":
    mark(source, out, Label(origin="created"), config=config, **quiet)
else:
    assert verify(out, config=config).verdict == "incomplete"
spent = time.process_time() - started
status = Path("/proc/self/status").read_text()
print(spent, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def main() -> None:
    """Make a file, run the steps, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity.create(folder / "identity", Responsible(name="Benchmark", role=Role.HOLDER))
        with (folder / "source.bin").open("wb") as stream:
            for number in range(options.mib):
                stream.write(number.to_bytes(1024, "little") * 1024)
        print(f"| {options.mib} MiB | CPU, s | of one SHA-256 | peak, MB |\n|---|--:|--:|--:|")
        base = 0.0
        for step in ("hash", "mark", "verify"):
            command = [sys.executable, "-c", _STEP, step, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            spent, peak = map(float, done.stdout.split())
            base = base or spent
            print(f"| {step} | {spent:.2f} | {spent / base:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
