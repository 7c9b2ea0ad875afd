"""Looking for a stamp that nobody recorded: by its objects on every page, then in pictures of the first ones."""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp import measuring, renderer
from aikz_label.adapters.pdf.stamp.above import view_of
from aikz_label.adapters.pdf.stamp.geometry import View
from aikz_label.adapters.pdf.stamp.measuring import Promised
from aikz_label.adapters.pdf.stamp.structure import Found as Formed
from aikz_label.adapters.pdf.stamp.structure import Inspector
from aikz_label.limits import Limits
from aikz_label.notice import badge
from aikz_label.notice import search as pictures
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, NoticeState
from aikz_label.values import replace

_MAX_PAGES = 5000  # whose objects are looked at
_PICTURES = 2  # pages that are drawn and searched
_SHORT_SIDE = 1000  # of a drawn page, px: 120 dpi on A4


def search(
    source: BinaryIO,
    password: str,
    book: Book,
    profile: Profile,
    limits: Limits,  # noqa: ARG001  # of its own
) -> Found | None:
    """Search the pages for a notice of ours.

    Of several the first page's wording counts; pages that carry none, or another, make it one that is not on every page.
    """
    inspector = Inspector(book)
    listed = range(min(len(book.pages), _MAX_PAGES))
    found = {index: one for index in listed if (one := inspector.find(index)) is not None}
    if found:
        return _formed(source, password, book, found, profile)
    with renderer.opened(source, password) as rendered:
        for index in range(min(len(book.pages), _PICTURES)):
            seen = rendered.picture(index, _SHORT_SIDE) if rendered is not None else None
            drawn = pictures.search(seen.image, profile) if seen is not None else None
            if seen is not None and drawn is not None:
                return _on_page(
                    drawn, seen.whole[0], view_of(book, index), len(book.pages), profile
                )
    return None


def _on_page(drawn: Found, wide: float, view: View, pages: int, profile: Profile) -> Found:
    """A badge in the picture of a page, judged as a stamp on that page; of the other pages nothing is known.

    Args:
        drawn: The badge.
        wide: Width of the picture, px.
        view: The page.
        pages: How many there are.
        profile: Thresholds.
    """
    figures = dict(drawn.measurement.figures)
    if not drawn.there or "cap_px" not in figures:
        return replace(drawn, kind="stamp")
    figures["text_pt"] = figures.pop("cap_px") / badge.CAP_HEIGHT * view.size[0] / wide
    figures["short_side_pt"] = min(view.size)
    figures |= {"pages": float(pages), "stamped": 1.0, "without": 0.0, "rendered": 1.0}
    for name in ("icon_cap_px", "short_side_px"):
        figures.pop(name, None)
    problems = profile.page.problems(figures)
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    listed = tuple((name, round(value, 4)) for name, value in figures.items())
    return Found(Measurement(state, listed, problems), drawn.origin, "stamp")


def _formed(
    source: BinaryIO, password: str, book: Book, found: dict[int, Formed], profile: Profile
) -> Found:
    first = next(iter(found.values()))
    # every page is expected to look like the first that has one, unless that is the only one
    alone = found.keys() == {0}
    stamps = [
        Promised(index, found.get(index, first).drawn, "top-right")
        for index in ([0] if alone else range(len(book.pages)))
    ]
    measured = measuring.measured(book, source, password, stamps, profile.page)
    # codes are the same for either origin
    origins = {one.origin for one in found.values() if not one.drawn.layout.small}
    return Found(measured, origins.pop() if len(origins) == 1 else None, "stamp")
