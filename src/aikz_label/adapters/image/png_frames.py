"""The frames of an APNG that a strip comes under; apart from `png`, because it takes numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from aikz_label.adapters.image import png_rows
from aikz_label.adapters.image.png_header import SIGNATURE, chunk
from aikz_label.limits import NO_LIMITS
from aikz_label.values import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.png import Png


def striped(png: Png, data: bytes, below: NDArray[Any], top: int) -> bytes:
    """Image data of a frame as large as the canvas, with the band below it.

    Args:
        png: The file.
        data: Image data of the frame.
        below: The band, rows × columns × channels of what the file stores; it may be wider than the canvas.
        top: Where it begins.
    """
    header, (width, height), wider = png.header, png.size, below.shape[1]
    if wider == width:  # rows are appended, and none decoded
        return png_rows.extended(data, header, below, top)
    black, _ = png_rows.band(Image.new("L", (1, 1)), header, png.colours, png.palette)
    values = np.empty((top + len(below), wider, below.shape[2]), below.dtype)
    values[:top], values[top:] = black, below
    alone = [(one.name, one.data) for one in png.chunks if one.name in {b"IHDR", b"PLTE"}]
    alone += [(b"IDAT", data), (b"IEND", b"")]
    file = SIGNATURE + b"".join(chunk(name, body) for name, body in alone)
    still = type(png).parse(file, NO_LIMITS, thorough=False).decode()
    values[: min(top, height), :width] = png_rows.values(still, 0, min(top, height))
    return png_rows.packed(values, replace(header, size=(wider, len(values))))
