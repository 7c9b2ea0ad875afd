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


def check_later(source: bytes, output: bytes, place: Mapping[str, Any], near: float) -> None:
    """The programme comes behind its notice, each sample as near as that to what it was."""
    assert place["first"] == 0
    first, second = decoded(source), decoded(output)
    assert second.shape[1] == first.shape[1] + place["samples"]
    rest = second[:, place["samples"] :].astype(np.float64)
    assert float(np.abs(rest - first).max()) <= near


def without(heard: np.ndarray, places: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """What is heard besides notices."""
    kept, at = [], 0
    for place in places:
        kept.append(heard[:, at : place["first"]])
        at = place["first"] + place["samples"]
    return np.concatenate([*kept, heard[:, at:]], axis=1)
