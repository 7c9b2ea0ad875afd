"""The small picture that a file carries of itself, labelled: file managers show it instead of the picture."""

from __future__ import annotations

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.image import drawing
from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.errors import Refused
from aikz_label.limits import Limits

_LIMITS = Limits(max_bytes=64 * 1024, max_pixels=1_000_000, max_parts=1000)


def labelled(jpeg: bytes, orientation: int, order: Order) -> bytes | None:
    """A thumbnail with a notice of its own, legible at its size; `None` when there is no room for one, or it is damaged.

    Args:
        jpeg: The thumbnail.
        orientation: How it is turned to be seen, like the picture.
        order: What to draw.
    """
    try:
        file = Jpeg.parse(jpeg, _LIMITS, thorough=True)
        file.check_variant()
        picture = file.decode()
        picture.orientation = orientation
        if not drawing.draw_badge(picture, file.grid, order):
            return None
        return file.encode([picture], Tags())
    except (MediaProblem, Refused):
        return None
