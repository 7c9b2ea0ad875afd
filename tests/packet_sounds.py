"""What FFmpeg finds in a sound: its packets, when they are played, and what they are decoded to."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np


def packets(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data)) as opened:
        return [bytes(packet) for packet in opened.demux(opened.streams.audio[0]) if packet.size]


def times(data: bytes) -> list[Fraction]:
    with av.open(io.BytesIO(data)) as opened:
        return [
            packet.pts * packet.time_base
            for packet in opened.demux(opened.streams.audio[0])
            if packet.pts is not None and packet.time_base is not None
        ]


def decoded(data: bytes) -> np.ndarray:
    """The first channel, as the decoder gives it."""
    with av.open(io.BytesIO(data)) as opened:
        frames = [frame.to_ndarray()[:1] for frame in opened.decode(opened.streams.audio[0])]
    return np.concatenate(frames, axis=1)


def without(heard: np.ndarray, places: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """What is heard besides notices."""
    kept, at = [], 0
    for place in places:
        kept.append(heard[:, at : place["first"]])
        at = place["first"] + place["samples"]
    return np.concatenate([*kept, heard[:, at:]], axis=1)
