"""What documents cost: 500 pages, 1 000 pages of 100 MB, and verifying beside the bare engine.

    python benchmarks/pdf.py [--rounds 5]

CPU times are the smallest of some rounds in one warm process; memory is that of a process of its own. Prints Markdown.
Linux only.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import c2pa  # what is compared with

from aikz_label import Label, identity, mark, verify
from aikz_label.config import Config, load_config
from aikz_label.label import Responsible, Role

_MEMORY = """
import sys
from pathlib import Path
from aikz_label import Label, mark, verify
from aikz_label.config import load_config
step, folder = sys.argv[1], Path(sys.argv[2])
config = load_config(folder / "identity" / "aikz-label.toml")
if step == "mark":
    mark(folder / "source.pdf", folder / "out.pdf", Label(origin="created"), config=config)
elif step == "verify":
    assert verify(folder / "out.pdf", config=config).verdict == "labelled"
elif step == "engine":
    import c2pa
    with (folder / "out.pdf").open("rb") as stream, c2pa.Reader("application/pdf", stream):
        pass
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


def document(pages: int, ballast: int = 0) -> bytes:
    """Pages of text as a report generator writes them; each with a picture of `ballast` bytes that cannot be compressed."""
    out, places, random = io.BytesIO(), [0], Random(1)
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

    def add(body: bytes) -> None:
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (len(places) - 1, body))

    each = 3 if ballast else 2
    kids = b" ".join(b"%d 0 R" % (4 + each * number) for number in range(pages))
    add(b"<</Type/Catalog/Pages 2 0 R>>")
    add(b"<</Type/Pages/Count %d/Kids[%b]>>" % (pages, kids))
    add(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number in range(pages):
        at = 4 + each * number
        lines = b"".join(
            b"BT 1 0 0 1 72 %d Tm /F1 12 Tf (page %d line %d lorem ipsum dolor) Tj ET\n"
            % (100 + 30 * line, number, line)
            for line in range(20)
        )
        picture = b"/XObject<</P %d 0 R>>" % (at + 2) if ballast else b""
        add(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>%b>>>>" % (at + 1, picture)
        )
        drawn = zlib.compress(lines + (b"q 9 0 0 9 9 9 cm /P Do Q" if ballast else b""))
        add(b"<</Length %d/Filter/FlateDecode>>\nstream\n%b\nendstream" % (len(drawn), drawn))
        if ballast:
            side = int(ballast**0.5)
            head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray" % (
                side,
                side,
            )
            pixels = random.randbytes(side * side)
            add(
                head
                + b"/BitsPerComponent 8/Length %d>>\nstream\n%b\nendstream" % (len(pixels), pixels)
            )
    at = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % len(places))
    out.writelines(b"%010d 00000 n \n" % place for place in places[1:])
    out.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places), at))
    return out.getvalue()


def least(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def engine(data: bytes) -> None:
    """The engine's own look at a document, its JSON included, as every caller needs it."""
    with c2pa.Reader("application/pdf", io.BytesIO(data)) as reader:
        reader.json()


def compared(name: str, source: bytes, config: Config, rounds: int) -> None:
    """Print the rows of one document."""
    label = Label(origin="created")
    marked = mark(source, None, label, config=config).data
    assert marked is not None
    assert marked.startswith(source)
    spent = least(lambda: mark(source, None, label, config=config), rounds)
    print(f"| mark, {name} | {spent:.2f} s | {len(marked) - len(source):,} bytes added |")
    ours = least(lambda: verify(marked, config=config), rounds)
    bare = least(lambda: engine(marked), rounds)
    print(
        f"| verify, {name} | {1000 * ours:.1f} ms, **{ours / bare:.2f} ×** | {1000 * bare:.1f} ms engine |"
    )


def memory(folder: Path) -> None:
    """Print what each step needs for the file in the folder, in megabytes."""
    for step in ("nothing", "mark", "verify", "engine"):
        command = [sys.executable, "-c", _MEMORY, step, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"| peak memory, {step} | {float(done.stdout):.0f} MB | |")


def main() -> None:
    """Make the documents, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        party = Responsible(name="Benchmark", role=Role.HOLDER)
        config = load_config(identity.create(folder / "identity", party).config)
        print("| what | aikz-label | beside it |\n|---|--:|--:|")
        compared("1 page", document(1), config, options.rounds)
        compared("500 pages", document(500), config, options.rounds)
        large = document(1000, 100_000)
        compared(f"1 000 pages of {len(large) / 1e6:.0f} MB", large, config, 2)
        (folder / "source.pdf").write_bytes(large)
        del large
        memory(folder)


if __name__ == "__main__":
    main()
