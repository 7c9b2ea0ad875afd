"""The sound of FLAC, in its own files and in Ogg: a notice in whole blocks, and the check sum of everything."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label.adapters.audio.container import Coded, Insert
from aikz_label.adapters.audio.flac import blocks as flac_blocks
from aikz_label.adapters.audio.flac.blocks import StreamInfo
from aikz_label.adapters.audio.shifting import kept
from aikz_label.later import Later

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aikz_label.adapters.audio import decoding
    from aikz_label.adapters.audio.decoding import Samples
else:
    np = Later("numpy")
    decoding = Later("aikz_label.adapters.audio.decoding")

UNFIT = "The file's own check sum did not fit its sound: the new file has none."
_LONGEST_STEP = 20  # seconds


def coded(samples: Samples, info: StreamInfo, *, on_cd: bool = False) -> Coded:
    """A notice as numbers, in whole blocks of the file's own size; in whole sectors too where a cue sheet counts them."""
    block = info.blocks[1]
    length = samples.shape[1]
    step = math.lcm(block, flac_blocks.sectors(1)) if on_cd else block
    if (
        step > _LONGEST_STEP * info.rate
    ):  # silence for half a minute would be worse than a cue sheet that is not a CD's
        step = block
    length = -(-length // step) * step
    padded = np.pad(samples, ((0, 0), (0, length - samples.shape[1]))).astype(np.float64)
    whole = np.rint(np.clip(padded, -1, 1) * ((1 << info.depth - 1) - 1))
    return Coded(whole.astype(np.int64), length)


class Sum:
    """The check sum of a sound, worked out while it is decoded.

    Args:
        info: Tells the depth.
    """

    def __init__(self, info: StreamInfo) -> None:
        self._depth, self._width = info.depth, (info.depth + 7) // 8
        self._summed = hashlib.md5(usedforsecurity=False)

    def see(self, native: NDArray[Any]) -> None:
        """Take the next samples; FFmpeg moves them up to fill what it holds them in."""
        self._summed.update(_stored(native, self._width, 8 * native.itemsize - self._depth))

    def add(self, notice: NDArray[Any]) -> None:
        """Take a notice, one row for each channel."""
        self._summed.update(_stored(notice.T, self._width))

    def digest(self) -> bytes:
        """The check sum."""
        return self._summed.digest()


def md5(
    source: BinaryIO, demuxer: str, info: StreamInfo, inserts: Sequence[Insert], said: list[str]
) -> bytes:
    """Of the finished sound; zeros, which mean "unknown", where the file's own did not fit its own sound."""
    if not any(info.md5):
        return info.md5
    new, old = Sum(info), Sum(info)
    waiting = [insert.coded for insert in inserts]
    with decoding.opened(source, demuxer) as heard:
        for block, parts in decoding.cut(heard.blocks(), kept(inserts)):
            old.see(block.native)
            for number, part in parts:
                while len(inserts) - len(waiting) < number:
                    new.add(waiting.pop(0))
                new.see(part.native)
    for notice in waiting:
        new.add(notice)
    if old.digest() != info.md5:
        said.append(UNFIT)
        return bytes(16)
    return new.digest()


def _stored(moments: NDArray[Any], width: int, empty: int = 0) -> bytes:
    """Samples as the check sum takes them: moment by moment, the lowest byte first.

    Args:
        moments: The samples, one row for each moment.
        width: Bytes that each takes.
        empty: Lowest bits that hold nothing: FFmpeg moves samples up to fill what it holds them in.
    """
    whole = np.ascontiguousarray(moments) >> empty if empty else np.ascontiguousarray(moments)
    if whole.itemsize == width:
        return whole.tobytes()
    lowest_first = whole.astype(whole.dtype.newbyteorder("<"), copy=False).reshape(-1, 1)
    return lowest_first.view(np.uint8)[:, :width].tobytes()
