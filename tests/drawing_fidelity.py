"""Is a marked SVG still the same drawing? Its text without what we write, and what librsvg draws."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from svg_files import rsvg, without_ours


def decodable(source: bytes) -> bool:
    """Whether it is well-formed and its root an SVG; librsvg draws nothing of some that browsers do draw."""
    try:
        return ET.fromstring(source).tag == "{http://www.w3.org/2000/svg}svg"
    except (ET.ParseError, ValueError):
        return False


def losses(source: bytes, output: bytes, placements: Sequence[Mapping[str, Any]]) -> list[str]:
    """What marking changed besides the notice; empty when nothing."""
    if without_ours(source) != without_ours(output):
        return ["its text changed"]
    before, after = _drawn(source), _drawn(output)
    if after is None:
        return ["librsvg draws it no more"]
    if before is None or before.shape != after.shape:
        return []  # without any size, librsvg shows as much as is painted
    height, width = before.shape[:2]
    changed = (before != after).any(axis=2)
    for place in placements:
        left, top = int(place["x"] * width) - 1, int(place["y"] * height) - 1
        right = int((place["x"] + place["width"]) * width) + 2
        bottom = int((place["y"] + place["height"]) * height) + 2
        changed[max(0, top) : bottom, max(0, left) : right] = False
    return ["it is drawn otherwise outside the notice"] if changed.any() else []


def _drawn(data: bytes) -> np.ndarray | None:
    try:
        return rsvg(data)
    except subprocess.CalledProcessError:
        return None
