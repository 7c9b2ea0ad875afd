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


LONGEST = 65_500  # px, of a side: most formats count to 65 535, and libjpeg stops a little before


def too_long(size: tuple[int, int]) -> Refused:
    """The refusal where a strip would make a picture longer than formats can hold."""
    return Refused(
        f"With a strip the picture would have {size[0]} × {size[1]} pixels, more than its format can hold.",
        code="unsupported-variant",
        hint="Use a smaller picture.",
    )


def cannot_grow(why: str) -> Refused:
    """The refusal where there is no way to make a picture larger without coding all of it anew."""
    return Refused(
        f"No strip can be added below this picture: {why}.",
        code="not-perceptible",
        hint="Use a larger picture, or save it in another format.",
    )


def too_narrow(size: tuple[int, int]) -> Refused:
    """The refusal where not even a strip has room for letters."""
    return Refused(
        f"No legible notice fits into {size[0]} × {size[1]} pixels, nor below them.",
        code="not-perceptible",
        hint="--when-too-small strip makes it wider for a band; or use a wider picture.",
    )


def too_small(size: tuple[int, int]) -> Refused:
    """The refusal where no letters could be read."""
    return Refused(
        f"No legible notice fits into {size[0]} × {size[1]} pixels.",
        code="not-perceptible",
        hint="--when-too-small strip puts a band below it; or use a larger picture.",
    )


def some_too_small(sizes: list[tuple[int, int]], count: int) -> Refused:
    """The refusal of a file that holds a picture in several sizes, some of which cannot have a legible notice."""
    listed = ", ".join(f"{width} × {height}" for width, height in sizes)
    return Refused(
        f"No legible notice fits into {len(sizes)} of the {count} sizes in this file: {listed}.",
        code="not-perceptible",
        hint="Leave the small sizes out; or --when-too-small strip puts a band below them.",
    )
