"""Which corner of a page is the emptiest.

Corners are rendered as small as a fingernail. One is empty when it has one colour; one that a comment or a form
field lies over is the last choice, because those are drawn above the page's content. One document has one corner as far as
that goes: a stamp that jumps about is in the way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.pdf.stamp import renderer
from aikz_label.adapters.pdf.stamp.geometry import CORNERS, Box, Fitted
from aikz_label.values import dataclass

_APART = 24  # grey levels between the ground and what is printed on it
_EMPTY = 0.004  # share of a corner that may have something on it: dust of a scan
_NEARLY = 0.85  # of the pages that another corner would have
_SAMPLE = 12  # pages by which the document's corner is chosen
_MAX_LOOKS = 20_000  # at corners of pages
_SECONDS = 20.0  # spent on looking; the other pages get the document's corner
_KEPT = 24  # pictures of pages that are kept to compare with
COVERED = 10.0  # more than any share
Grey = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page on which a stamp is to be placed.

    Attributes:
        index: Of the page.
        size: As displayed, pt.
        fitted: The stamp.
        occupied: Boxes that lie above the page's content, pt from the left and from below, as displayed.
    """

    index: int
    size: tuple[float, float]
    fitted: Fitted
    occupied: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Corners for the pages of a document.

    Attributes:
        corners: For each candidate, and whether it is free of what lies above the content.
        looks: Small pictures of some of the pages.
    """

    corners: tuple[tuple[str, bool], ...]
    looks: dict[int, Grey]


def choose(source: BinaryIO, password: str, candidates: Sequence[Candidate]) -> Choice:
    """A corner for each candidate."""
    kept = _spread(candidates, _KEPT)
    with renderer.opened(source, password) as pages:
        look = _Look(pages)
        favourite = _favourite([look.inks(one) for one in _spread(candidates, _SAMPLE)])
        corners = tuple(look.corner(one, favourite) for one in candidates)
        found = {one.index: pages.grey(one.index) for one in kept} if pages is not None else {}
    looks = {index: seen for index, seen in found.items() if seen is not None}
    return Choice(corners, looks)


def _spread(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """The first, the last, and as many in between as there is room for."""
    count = min(most, len(candidates))
    last = len(candidates) - 1
    return [candidates[round(last * step / max(1, count - 1))] for step in range(count)]


class _Look:
    """Looks at corners of pages, as long as there is time.

    Args:
        pages: The document; `None` when it cannot be drawn.
    """

    def __init__(self, pages: renderer.Renderer | None) -> None:
        self._pages = pages
        self._left = _MAX_LOOKS
        self._until = time.monotonic() + _SECONDS

    def corner(self, candidate: Candidate, favourite: str) -> tuple[str, bool]:
        """The corner for a page, and whether it is free: the favourite, if it is empty."""
        ink = self._ink(candidate, favourite)
        if ink <= _EMPTY:
            return favourite, True
        inks = self.inks(candidate)
        best = min(CORNERS, key=lambda corner: inks[corner])
        return best, inks[best] < COVERED

    def inks(self, candidate: Candidate) -> dict[str, float]:
        """Share of each corner that is printed on."""
        return {corner: self._ink(candidate, corner) for corner in CORNERS}

    def _ink(self, candidate: Candidate, corner: str) -> float:
        left, bottom = candidate.fitted.at(corner, candidate.size)
        width, height = candidate.fitted.extent
        box = (left, bottom, left + width, bottom + height)
        if any(_meet(box, other) for other in candidate.occupied):
            return COVERED
        self._left -= 1
        if self._pages is None or self._left < 0 or time.monotonic() > self._until:
            return 0.0  # not looked at
        wide, high = candidate.size
        part = (box[0] / wide, 1 - box[3] / high, box[2] / wide, 1 - box[1] / high)
        seen = self._pages.grey(candidate.index, part)
        return 0.0 if seen is None else _printed(seen)


def _printed(part: Grey) -> float:
    """Share of a part of a page that has not the part's own colour."""
    if not part.size or part.max() - part.min() <= _APART:
        return 0.0
    return float((np.abs(part - np.median(part)) > _APART).mean())


def _meet(first: Box, second: Box) -> bool:
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )


def _favourite(looked: Sequence[dict[str, float]]) -> str:
    """The first corner that is empty on nearly as many pages as any other."""
    empty = Counter(corner for ink in looked for corner in CORNERS if ink[corner] <= _EMPTY)
    most = max(empty.values(), default=0)
    return next(corner for corner in CORNERS if empty[corner] >= _NEARLY * most)
