"""Judging a stamped PDF by other programs: poppler draws and reads the pages before and after."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp.structure import Found, Inspector
from support import require_tool

_DPI = 50
_MOST = 12  # pages that are compared
_APART = 16  # levels of a colour
_RIM = 2  # px around a stamp


def differences(before: bytes, after: bytes, password: str = "") -> Iterator[str]:
    """What is different outside the stamps, a sentence each; a page that poppler cannot draw before does not count."""
    book = Book(Document(io.BytesIO(after), password), 1_000_000)
    stamps = [Inspector(book).find(index) for index in range(min(len(book.pages), _MOST))]
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, "before"), Path(name, "after")]
        for folder, data in zip(folders, (before, after), strict=True):
            folder.mkdir()
            (folder / "file.pdf").write_bytes(data)
        drawn = [_drawn(folder, password) for folder in folders]
        if len(drawn[0]) > len(drawn[1]):
            yield f"poppler draws {len(drawn[1])} pages and not {len(drawn[0])}"
        for number, (one, other) in enumerate(zip(*drawn, strict=False)):
            if not _alike(one, other, stamps[number] if number < len(stamps) else None):
                yield f"page {number + 1} looks different"
        if not drawn[0]:
            return
        yield from _text(*(_words(folder, password) for folder in folders), stamps)


def _drawn(folder: Path, password: str) -> list[Image.Image]:
    tool = require_tool("pdftoppm")
    secret = ["-upw", password] if password else []
    options = ["-cropbox", "-r", str(_DPI), "-scale-to", "800", "-l", str(_MOST), "-png"]
    subprocess.run(
        [tool, *options, *secret, str(folder / "file.pdf"), str(folder / "page")],
        capture_output=True,
        timeout=120,
        check=False,
    )
    drawn = []
    for path in sorted(folder.glob("page*.png")):
        try:
            drawn.append(Image.open(path).convert("RGB"))
        except OSError:  # poppler gave up in the middle of one
            break
    return drawn


def _alike(one: Image.Image, other: Image.Image, stamp: Found | None) -> bool:
    if one.size != other.size:
        return False
    apart = np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).max(axis=2) > _APART
    if stamp is not None and stamp.place is not None:
        (x, y, _), (width, height), (wide, high) = stamp.place, stamp.extent, stamp.view.size
        across, down = one.width / wide, one.height / high
        top = (high - y - height) * down
        apart[
            max(0, int(top) - _RIM) : int(top + height * down) + _RIM + 1,
            max(0, int(x * across) - _RIM) : int((x + width) * across) + _RIM + 1,
        ] = False
    return not apart.any()


def _words(folder: Path, password: str) -> Counter[str]:
    tool = require_tool("pdftotext")
    secret = ["-upw", password] if password else []
    done = subprocess.run(
        [tool, "-raw", "-l", str(_MOST), *secret, str(folder / "file.pdf"), "-"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Counter(done.stdout.decode("utf-8", "replace").split())


def _text(before: Counter[str], after: Counter[str], stamps: list[Found | None]) -> Iterator[str]:
    """Words that went away or came besides those of the stamps; poppler reads no text of annotations."""
    wanted: Counter[str] = Counter()
    for one in stamps:
        if one is not None:
            lines = [line for line, _ in one.drawn.lines]
            wanted.update(" ".join([*["AI"] * one.drawn.layout.icon, *lines]).split())
    lost, came = before - after, after - before
    if lost:
        yield f"words are lost: {sorted(lost)[:5]}"
    if came - wanted:
        yield f"words came: {sorted(came - wanted)[:5]}"
