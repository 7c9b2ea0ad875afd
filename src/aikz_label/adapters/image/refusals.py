"""Refusals that several kinds of picture share."""

from __future__ import annotations

from aikz_label.errors import Refused


def damaged(what: str) -> Refused:
    """The refusal to deliver a file that lost something."""
    return Refused(
        f"Marking would damage this file: {what}.",
        code="content-changed",
        hint="Nothing was written. Re-save the file with another program and try again.",
    )


def too_small(size: tuple[int, int]) -> Refused:
    """The refusal where no letters could be read."""
    return Refused(
        f"No legible notice fits into {size[0]} × {size[1]} pixels.",
        code="not-perceptible",
        hint="--when-too-small strip puts a band below it; or use a larger picture.",
    )
