"""Is a marked JPEG XL still the same picture? Answered by djxl, with none of the package's code.

Distributions keep old versions of it; what that one does not read is left to the library of imagecodecs.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from support import require_codecs, require_tool

_RIM = 17  # px around a badge, to which its layer may be grown


def decodable(data: bytes) -> bool:
    """Whether one of the two reads it."""
    return _seen(data) is not None or _by_library(data) is not None


def losses(source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]) -> list[str]:
    """What changed outside the badge; where opacity is part, decoders round in another way."""
    before, after = _seen(source), _seen(output)
    if before is None:
        before, after = _by_library(source), _by_library(output)
    assert before is not None, "only a picture that decodes can be compared"
    if after is None:
        return ["it does not decode any more"]
    place = placements[0]
    height, width = before.shape[:2]
    if place["design"] == "strip/1":  # below the picture, and wider where that is narrow
        after, place = after[:height, :width], place | dict.fromkeys(("width", "height"), 0.0)
    if before.shape != after.shape:
        return [f"{before.shape} became {after.shape}"]
    left, top = int(place["x"] * width) - _RIM, int(place["y"] * height) - _RIM
    right = int((place["x"] + place["width"]) * width) + _RIM + 1
    bottom = int((place["y"] + place["height"]) * height) + _RIM + 1
    delta = np.abs(before - after)
    if place["width"]:
        delta[max(0, top) : bottom, max(0, left) : right] = 0
    return [f"samples changed by up to {delta.max()} of 255"] if delta.max() > 1 else []


def _seen(data: bytes) -> np.ndarray | None:
    """The first frame as people see it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.jxl"), Path(folder, "a.png")
        source.write_bytes(data)
        command = [require_tool("djxl"), str(source), str(target)]
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        if done.returncode or not target.exists():
            return None
        with Image.open(target) as image:
            return np.asarray(image.convert("RGBA")).astype(int)


def _by_library(data: bytes) -> np.ndarray | None:
    """The same, by another version of the decoder."""
    codecs = require_codecs()
    try:
        return np.asarray(codecs.jpegxl_decode(data)).astype(int)
    except (RuntimeError, ValueError):  # its own errors are of the first kind
        return None
