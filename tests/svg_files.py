"""SVG files for tests, and the two programs that draw them."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from support import require_tool

SVG = 'xmlns="http://www.w3.org/2000/svg"'
SHAPES = (
    '<rect width="640" height="360" fill="#6aa"/>'
    '<g id="sun"><circle cx="300" cy="180" r="120" fill="orange"/></g>'
    '<path d="M20 340 L620 340 L500 200 Z" fill="#374"/>'
)

_OURS = re.compile(
    r'<g xmlns="[^"]*" id="aikz-label-notice".*?</g>|<(\w+:)?metadata[^>]*>.*?</(\w+:)?metadata>| xmlns:c2pa="[^"]*"',
    re.DOTALL,
)
# Style sheets with a rule that makes the drawing disappear, between what only looks like a string or a comment around it.
SHEETS = [
    'a{b:"/*"} svg{opacity:0} c{d:"*/"}',
    'a{b:"\n} svg{opacity:0} c{d:"e"}',
    "a{b:url(/*)} svg{opacity:0} c{d:url(*/)}",
    r"a{b:u\72 l(x')} svg{opacity:0} c{d:url(x')}",
    "a{b:#url(c'd)')} svg{opacity:0} e{f:g'}",
    r"a{b:\41 url(c'd)')} svg{opacity:0} e{f:g'}",
    "a{b:'c\\\n'} svg{opacity:0}",
]


def without_ours(marked: bytes, encoding: str = "utf-8") -> bytes:
    """A drawing without anything that marking writes, and without other metadata."""
    return _OURS.sub("", marked.decode(encoding)).encode(encoding)


def svg(inside: str = SHAPES, root: str = 'width="640" height="360"') -> bytes:
    """A drawing."""
    return f"<svg {SVG} {root}>{inside}</svg>".encode()


def rsvg(data: bytes, *options: str) -> np.ndarray:
    """What librsvg draws, RGBA."""
    program = require_tool("rsvg-convert")
    done = subprocess.run(
        [program, *options], input=data, capture_output=True, check=True, timeout=60
    )
    return np.asarray(Image.open(io.BytesIO(done.stdout)).convert("RGBA")).astype(int)


def chromium(data: bytes, size: tuple[int, int], *, page: str = "") -> np.ndarray:
    """What a browser shows: the file itself, or a page that has it as `drawing.svg`."""
    program = require_tool("chromium")
    with tempfile.TemporaryDirectory() as folder:
        drawing, out = Path(folder, "drawing.svg"), Path(folder, "out.png")
        drawing.write_bytes(data)
        if page:
            drawing = Path(folder, "page.html")
            drawing.write_text(page, encoding="utf-8")
        quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet]
        command += [
            f"--user-data-dir={folder}/profile",
            "--hide-scrollbars",
            "--force-device-scale-factor=1",
        ]
        command += [f"--window-size={size[0]},{size[1]}", f"--screenshot={out}", drawing.as_uri()]
        subprocess.run(command, capture_output=True, check=True, timeout=120)
        return np.asarray(Image.open(out).convert("RGBA")).astype(int)
