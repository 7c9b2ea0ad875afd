"""Which channels of a programme a notice speaks from."""

from __future__ import annotations

import math
from functools import lru_cache

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Where listeners sit in front: what is only in the others is lost on two loudspeakers.
_FRONT = {"FL", "FR", "FC", "DL", "DR"}
_BASS = {"LFE", "LFE2"}
_MOST = 1e6  # of full scale; files of floats can hold anything


@lru_cache(maxsize=64)
def speaking(layout: str) -> tuple[int, ...]:
    """Indices of the channels that carry the notice.

    The front ones, each with the same samples. A layout that names no front channels gets the notice in all of its
    channels, except those for bass alone.

    Args:
        layout: Name of the layout, as FFmpeg writes it.
    """
    names = [channel.name for channel in av.AudioLayout(layout).channels]
    front = tuple(i for i, name in enumerate(names) if name in _FRONT)
    return front or tuple(i for i, name in enumerate(names) if name not in _BASS) or (0,)


def channels(layout: str) -> int:
    """How many channels a layout has."""
    return int(av.AudioLayout(layout).nb_channels)


def gain_of(layout: str) -> float:
    """How much louder a voice is in all the channels that carry it than in one, LU (front channels weigh the same)."""
    return 10 * math.log10(len(speaking(layout)))


def mono(block: Samples, layout: str) -> Samples:
    """The mean of the channels that can carry a notice, `(n,)`."""
    chosen = speaking(layout)
    if len(chosen) == 1:
        return np.asarray(block[chosen[0]], np.float32)
    return np.asarray(block[list(chosen)].mean(axis=0), np.float32)


def spread(samples: Samples, layout: str) -> Samples:
    """One voice put into every channel that carries the notice, `(channels, n)`."""
    block = np.zeros((channels(layout), len(samples)), np.float32)
    block[list(speaking(layout))] = samples
    return block


def finite(block: Samples) -> Samples:
    """The block itself, or where it holds what is no number or beyond all measure, one without that."""
    if np.isfinite(block.sum()):
        return block
    return np.clip(np.nan_to_num(block, nan=0.0), -_MOST, _MOST)
