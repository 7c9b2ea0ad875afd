"""Is a marked SVG still the same drawing? Its text without what we write, and what librsvg draws."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from svg_files import rsvg, without_ours

_SIZE = re.compile(rb"<(?:\w+:)?svg\b[^>]*\s(?:width|height|viewBox)\s*=")


def decodable(source: bytes) -> bool:
    """Whether it is well-formed and its root an SVG; librsvg draws nothing of some that browsers do draw."""
    try:
        return ET.fromstring(source).tag == "{http://www.w3.org/2000/svg}svg"
    except (ET.ParseError, ValueError):
        return False


def losses(source: bytes, output: bytes, placements: Sequence[Mapping[str, Any]]) -> list[str]:
    """What marking changed besides the notice; empty when nothing."""
    strip = any(place["design"].startswith("strip") for place in placements)
    was, now = without_ours(source), without_ours(output)
    if was != now and not (strip and _of_any_height(was) == _of_any_height(now)):
        return ["its text changed"]
    before, after = _drawn(source), _drawn(output)
    if after is None:
        return ["librsvg draws it no more"]
    if before is None or before.shape[1] != after.shape[1] or not _SIZE.search(source):
        return []  # without any size, librsvg shows as much as is painted
    height, width = before.shape[:2]
    if strip:  # all of the drawing is above it
        return [] if (before == after[:height]).all() else ["it is drawn otherwise above the strip"]
    if before.shape != after.shape:
        return []
    changed = (before != after).any(axis=2)
    for place in placements:
        left, top = int(place["x"] * width) - 1, int(place["y"] * height) - 1
        right = int((place["x"] + place["width"]) * width) + 2
        bottom = int((place["y"] + place["height"]) * height) + 2
        changed[max(0, top) : bottom, max(0, left) : right] = False
    return ["it is drawn otherwise outside the notice"] if changed.any() else []


def _of_any_height(drawing: bytes) -> bytes:
    """With zeros where the root says how high it is."""
    root, end, rest = drawing[drawing.index(b"<svg") :].partition(b">")
    root = re.sub(rb"""(\sheight\s*=\s*["']\s*)[-+.\deE]+""", rb"\g<1>0", root)
    return (
        re.sub(rb"""(\sviewBox\s*=\s*["'][^"']*?)[-+.\deE]+(?=\s*["'])""", rb"\g<1>0", root)
        + end
        + rest
    )


def _drawn(data: bytes) -> np.ndarray | None:
    try:
        return rsvg(data)
    except subprocess.CalledProcessError:
        return None
