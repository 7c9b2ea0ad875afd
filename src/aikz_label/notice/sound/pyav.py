"""Decoded sound as PyAV hands it over, where PyAV by itself would end the process."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

# Planar channels that it hands over: what stands behind the eighth pointer of a frame it takes for a ninth one.
PLANES = 7
# FFmpeg's names of channels in the order of its layouts; a layout of these, in this order, needs no list of its own.
_ORDER = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"),
    *("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
)


def settle_layout(context: av.AudioCodecContext) -> str:
    """Give a decoder that was not used yet a channel layout that PyAV can hold, and name it.

    AIFF, MOV and MP4 may list channels in any order. Every copy of such a layout points to the same list; PyAV makes a copy
    for each frame, and each of them frees it. So the decoder's is replaced here, and `layout` alone frees the list: all
    that is known then is how many channels there are.
    """
    layout = context.layout
    if not layout.nb_channels:
        return layout.name
    name = layout.name if _plain(layout) else f"{layout.nb_channels} channels"
    context.layout = name
    return name


def _plain(layout: av.AudioLayout) -> bool:
    """Whether FFmpeg makes a layout without a list of this one's name."""
    if not set("+(") & set(layout.name):
        return True
    names = [channel.name for channel in layout.channels]
    if not set(names) <= set(_ORDER):
        return False
    places = [_ORDER.index(name) for name in names]
    return all(one < two for one, two in pairwise(places))


def samples_of(frame: AudioFrame) -> NDArray[np.generic]:
    """The samples of a frame, `(channels, n)`, in the kind they have."""
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        return _packed(frame, channels)
    if channels <= PLANES:
        return _array(frame)
    resampler = av.AudioResampler(frame.format.packed)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([_packed(part, channels) for part in parts], axis=1)


def _packed(frame: AudioFrame, channels: int) -> NDArray[np.generic]:
    return _array(frame).reshape(-1, channels).T


def _array(frame: AudioFrame) -> NDArray[Any]:
    found: NDArray[Any] = frame.to_ndarray()
    return found
