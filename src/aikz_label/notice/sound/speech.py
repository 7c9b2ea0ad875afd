"""The spoken sentences: bundled clips, or the user's own recordings."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.resources import files

import numpy as np

from aikz_label.label import Origin
from aikz_label.notice.sound import decoding
from aikz_label.notice.sound.layouts import Samples, mono
from aikz_label.notice.sound.resampling import resample

RATE = 48_000  # Hz; what a clip is decoded at


def name(language: str, origin: Origin, *, brief: bool) -> str:
    """What a clip is called, in the package and in the configuration."""
    return f"{language}_{origin}{'_short' if brief else ''}"


@lru_cache(maxsize=32)
def bundled(called: str) -> Samples:
    """A clip of the package at `RATE`, one channel."""
    clip = files("aikz_label.notice.sound").joinpath("clips", f"{called}.opus")
    samples = decoded(clip.read_bytes())
    samples.setflags(write=False)
    return samples


def decoded(data: bytes) -> Samples:
    """Any recording as one channel at `RATE`."""
    with decoding.decode(io.BytesIO(data)) as sound:
        parts = [mono(block, sound.layout) for block in sound.blocks()]
        return resample(np.concatenate(parts), sound.rate, RATE)
