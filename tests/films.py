"""Does an animation with a strip still show the same film? Answered by Pillow's players, frame by frame."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

LEAST_PSNR = 40.0  # of the copy of the first picture that brings the strip
LONGEST = 20  # ms that bringing it may take where the first frame has no time to give


def moves(image: Image.Image) -> bool:
    """Whether an opened picture is an animation."""
    return getattr(image, "n_frames", 1) > 1


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame as it is shown: rows × columns × RGBA, and for how many milliseconds."""

    pixels: np.ndarray
    time: float


def shots(data: bytes) -> list[Shot]:
    """Every frame; without a picture that is only there for viewers that know no animations."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=["GIF", "PNG", "WEBP"]) as image:
            first = int(bool(image.info.get("default_image")))
            for number in range(first, getattr(image, "n_frames", 1)):
                image.seek(number)
                image.decoderconfig = ()  # Pillow adds to it in every frame of an interlaced PNG
                image.load()
                time = float(image.info.get("duration") or 0)
                found.append(Shot(np.asarray(image.convert("RGBA")), time))
    return found


def losses(source: bytes, output: bytes, placement: Mapping[str, Any]) -> list[str]:
    """What marking changed besides adding the strip; empty when nothing."""
    before, after = shots(source), shots(output)
    top, bottom = before[0].pixels.shape[0], after[0].pixels.shape[0]
    if round(placement["y"] * bottom) != top or placement["design"] != "strip/1":
        return [f"the strip is not below the picture: {placement}"]
    if len(after) == len(before) + 1:
        return _copied(before, after) + _strip_losses(after, top)
    if len(after) != len(before):
        return [f"{len(before)} frames became {len(after)}"]
    found = [
        f"frame {number}: {what}"
        for number, (was, now) in enumerate(zip(before, after, strict=True))
        for what in _shot_losses(was, now)
    ]
    return found + _strip_losses(after, top)


def _copied(before: list[Shot], after: list[Shot]) -> list[str]:
    """The first picture twice: once to bring the strip, in a time that is taken from its own."""
    copy, *rest = after
    found = []
    if psnr(before[0].pixels, _above(copy, before[0])) < LEAST_PSNR:
        found.append("the copy of the first picture is another")
    late = copy.time + rest[0].time - before[0].time
    if not 0 <= late <= LONGEST or (late and before[0].time >= 2 * LONGEST):
        found.append(f"the first picture is shown {late} ms longer")
    for number, (was, now) in enumerate(zip(before, rest, strict=True)):
        same = was if number else Shot(was.pixels, now.time)
        found += [f"frame {number}: {what}" for what in _shot_losses(same, now)]
    return found


def _above(now: Shot, was: Shot) -> np.ndarray:
    """What is above the strip, and in a narrow picture beside the plate."""
    height, width = was.pixels.shape[:2]
    return now.pixels[:height, :width]


def _shot_losses(was: Shot, now: Shot) -> list[str]:
    found = []
    if was.time != now.time:
        found.append(f"{was.time} ms became {now.time}")
    if psnr(was.pixels, _above(now, was)) != math.inf:
        found.append("it looks different")
    return found


def _strip_losses(after: list[Shot], top: int) -> list[str]:
    """The same opaque band in every frame, with black and white in it."""
    first = after[0].pixels[top:]
    found = [] if (first[..., 3] == 255).all() else ["the strip is not opaque"]
    if first[..., :3].max() < 230 or first[..., :3].min() > 25:
        found.append("the strip is not black and white")
    return found + [
        f"frame {number}: another strip"
        for number, shot in enumerate(after)
        if (shot.pixels[top:] != first).any()
    ]


def psnr(was: np.ndarray, now: np.ndarray) -> float:
    """On white and on black, whichever differs more; infinite when equal to the eye."""
    if was.shape != now.shape:
        return 0.0
    worst = 0.0
    for ground in (0.0, 255.0):
        first, second = (
            one[..., :3] * (one[..., 3:] / 255.0) + ground * (1 - one[..., 3:] / 255.0)
            for one in (was, now)
        )
        worst = max(worst, float(np.mean((first - second) ** 2)))
    return 10 * math.log10(255**2 / worst) if worst else math.inf
