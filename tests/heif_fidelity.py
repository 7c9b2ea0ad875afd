"""Is a marked HEIF file still the same? Answered at full depth by avifdec and libheif, with none of the package's code.

`decode` gives every picture that a viewer would show, as arrays of numbers; `losses` says what marking changed besides the
badge, one sentence each.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from support import require_heif, require_tool

LEAST_PSNR = 40.0  # dB outside the badge
_GRID = 16  # px, to which a plate may be grown
_COLOURS = {"mono": (), "420": (1, 1), "422": (1, 0), "444": (0, 0)}


def decode(data: bytes, kind: str) -> list[list[np.ndarray]] | None:
    """Pictures, the primary one first, each a list of planes in one size each; `None` when the decoder refuses the file."""
    if kind == "avif":
        return _by_avifdec(data)
    heif = require_heif()
    try:
        file = heif.open_heif(data, convert_hdr_to_8bit=False, bgr_mode=False)
        order = sorted(range(len(file)), key=lambda index: index != file.primary_index)
        return [[np.asarray(file[index])] for index in order]
    except (ValueError, RuntimeError, EOFError, OSError, SyntaxError):
        return None


def _by_avifdec(data: bytes) -> list[list[np.ndarray]] | None:
    """Luma, chroma and opacity as they are coded, at their own depth."""
    program = require_tool("avifdec")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.avif"), Path(folder, "a.y4m")
        source.write_bytes(data)
        done = subprocess.run(
            [program, "--no-strict", "--raw-color", str(source), str(target)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        return None if done.returncode else [_y4m(target.read_bytes())]


def _y4m(data: bytes) -> list[np.ndarray]:
    head, _, rest = data.partition(b"\n")
    fields = {word[:1]: word[1:] for word in head.decode().split(" ")[1:]}
    width, height, name = int(fields["W"]), int(fields["H"]), fields["C"]
    base = next(key for key in _COLOURS if name.startswith(key))
    deep = "p1" in name or name in {"mono10", "mono12", "mono16"}
    raw = np.frombuffer(rest.partition(b"\n")[2], np.uint16 if deep else np.uint8)
    sizes = [(height, width)]
    if _COLOURS[base]:
        across, down = _COLOURS[base]
        sizes += [(-(-height >> down), -(-width >> across))] * 2
    if "alpha" in name:
        sizes.append((height, width))
    found = []
    for rows, columns in sizes:
        found.append(raw[: rows * columns].reshape(rows, columns))
        raw = raw[rows * columns :]
    return found


def losses(
    before: list[list[np.ndarray]],
    after: list[list[np.ndarray]] | None,
    placements: tuple[Mapping[str, Any], ...],
    shown: tuple[int, int] | None,
) -> list[str]:
    """What changed outside the badges.

    Args:
        before: The source, decoded.
        after: The result, decoded.
        placements: Where the marker says the badges are, as shares of the pictures as shown.
        shown: Size of the first picture as people see it, where the decoder does not turn it.
    """
    if after is None:
        return ["it does not decode any more"]
    shapes = [[[p.shape for p in planes] for planes in pictures] for pictures in (before, after)]
    if shapes[0] != shapes[1]:
        return [f"{shapes[0]} became {shapes[1]}"]
    found = []
    for index, (was, now) in enumerate(zip(before, after, strict=True)):
        places = [place for place in placements if place.get("picture", 1) == index + 1]
        psnr = _psnr(was, now, places, shown)
        if psnr < LEAST_PSNR:
            found.append(f"{psnr:.1f} dB outside the badge of picture {index + 1}")
        if not places:
            found.append(f"picture {index + 1} has no badge")
    return found


def _psnr(
    was: list[np.ndarray],
    now: list[np.ndarray],
    places: list[Mapping[str, Any]],
    shown: tuple[int, int] | None,
) -> float:
    total, count = 0.0, 0
    depth = max(int(plane.max(initial=1)) for plane in was)
    peak = next(limit for limit in (255, 1023, 4095, 65535) if depth <= limit)
    for first, second in zip(was, now, strict=True):
        area = np.ones(first.shape[:2], bool)
        for place in places:
            _hide(area, place, shown)
        delta = (first.astype(np.float64) - second)[area]
        total, count = total + float(np.square(delta).sum()), count + delta.size
    return 10 * math.log10(peak**2 * count / total) if total else math.inf


def _hide(area: np.ndarray, place: Mapping[str, Any], shown: tuple[int, int] | None) -> None:
    """Take a badge out of what is compared, in every way in which the picture may be turned when that is not known."""
    height, width = area.shape
    turned = shown is not None and (shown[0] > shown[1]) != (width > height)
    ways = [(place["x"], place["y"], place["width"], place["height"])]
    if shown is not None:
        x, y, w, h = ways[0]
        ways += [(1 - x - w, y, w, h), (x, 1 - y - h, w, h), (1 - x - w, 1 - y - h, w, h)]
        if turned or shown[0] == shown[1]:
            turned_ways = [(y, x, h, w) for x, y, w, h in ways]
            ways = turned_ways if turned else ways + turned_ways
    rim = 2 * _GRID
    for x, y, w, h in ways:
        left, top = int(x * width) - rim, int(y * height) - rim
        right, bottom = math.ceil((x + w) * width) + rim, math.ceil((y + h) * height) + rim
        area[max(0, top) : bottom, max(0, left) : right] = False
