"""Placements of a badge in a film: those of a picture, and from when to when it is there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aikz_label.adapters import Order
from aikz_label.adapters.image import records as pictures
from aikz_label.adapters.image.canvas import Box
from aikz_label.notice import badge
from aikz_label.notice.badge import Placed

Span = tuple[float, float]
"""From when to when, seconds of the film's own time."""


def record(placed: Placed, box: Box, size: tuple[int, int]) -> Mapping[str, Any]:
    """Enough to find a badge in a displayed frame and to draw it again."""
    return pictures.record(badge.DESIGN, placed.layout, placed.badge, box, (0, 0, *size))


def during(placement: Mapping[str, Any], spans: tuple[Span, ...]) -> tuple[Mapping[str, Any], ...]:
    """The same placement, once for every stretch of the film."""
    return tuple(
        {**placement, "start": round(start, 3), "end": round(end, 3)} for start, end in spans
    )


def old_boxes(order: Order, size: tuple[int, int]) -> Iterator[Box]:
    """Where earlier badges are: the new plate covers them, so that two never stand beside each other."""
    found = set()
    for place in order.previous:
        region = pictures.region(place, order.profile)
        if region is None:
            continue
        left, top = int(region.x * size[0]), int(region.y * size[1])
        right = min(size[0], math.ceil((region.x + region.width) * size[0]) + 1)
        bottom = min(size[1], math.ceil((region.y + region.height) * size[1]) + 1)
        found.add((left, top, right - left, bottom - top))
    yield from sorted(found)
