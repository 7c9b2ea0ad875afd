"""The planes of a frame, and a part of it as a frame of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from aikz_label.adapters.image.canvas import Box
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from av.video.format import VideoFormat
    from av.video.frame import VideoFrame

_GRID = 16  # pixels at whose multiples parts begin: whole blocks of colour in every sampling, on even lines


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a frame, and where it lies in the stored picture."""

    frame: VideoFrame
    box: Box


def plane(frame: VideoFrame, index: int, dtype: Any) -> Any:
    """A plane of a frame as rows that can be written, its padding included."""
    found = frame.planes[index]
    rows = np.frombuffer(cast("Any", found), dtype)
    return rows.reshape(-1, found.line_size // np.dtype(dtype).itemsize)[: found.height]


def planar(kind: VideoFormat) -> bool:
    """Whether every component has a plane of its own, in numbers of this machine's order."""
    planes = [part.plane for part in kind.components]
    return (
        kind.name.startswith(("yuv", "gbr", "gray"))
        and not kind.name.endswith(("be", "f32le", "f16le"))
        and len(set(planes)) == len(planes)
        and all(part.bits in range(8, 17) for part in kind.components)
    )


def cut(frame: VideoFrame, box: Box) -> Part | None:
    """The part of a frame that holds a box; `None` where its planes cannot be cut."""
    import av  # noqa: PLC0415

    if not planar(frame.format):
        return None
    x, y, width, height = box
    left, top = x // _GRID * _GRID, y // _GRID * _GRID
    right = min(frame.width, -(-(x + width) // _GRID) * _GRID)
    bottom = min(frame.height, -(-(y + height) // _GRID) * _GRID)
    made = av.VideoFrame(right - left, bottom - top, frame.format.name)
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    made.color_trc, made.color_primaries = frame.color_trc, frame.color_primaries
    for part in frame.format.components:
        dtype = "<u2" if part.bits > 8 else "u1"
        across, down = -(-frame.width // part.width), -(-frame.height // part.height)
        old, new = (plane(one, part.plane, dtype) for one in (frame, made))
        there = frame.planes[part.plane]
        columns = slice(left // across, min(there.width, -(-right // across)))
        rows = slice(top // down, min(there.height, -(-bottom // down)))
        found = old[rows, columns]
        new[: found.shape[0], : found.shape[1]] = found
    return Part(made, (left, top, right - left, bottom - top))
