"""The label in a video's own metadata."""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters import Order
from aikz_label.adapters.video.splice import copy
from aikz_label.formats import Format


def write(source: BinaryIO, destination: BinaryIO, row: Format, order: Order) -> tuple[str, ...]:  # noqa: ARG001
    """Copy a file without its old marker, and with mirrors; returns warnings."""
    copy(source, 0, -1, destination)
    return ()
