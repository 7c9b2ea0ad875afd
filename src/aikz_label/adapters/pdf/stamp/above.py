"""What lies above the content of a page: annotations, such as comments and form fields."""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters.pdf.objects import Dict, Extent
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp.geometry import Box, View

_SHOW_NOTHING = {"Link", "Popup"}  # kinds that have nothing to show, unless they bring it along
_THIN = 1.0  # units: a line that covers nothing
MANY = 900  # annotations of a page; not all of more are looked at


def listed(book: Book, index: int) -> Iterator[Dict]:
    """What shows something above the content, or can: viewers draw some kinds by themselves."""
    for one in book.annotations(index):
        kind = one.get("Subtype")
        silent = kind in _SHOW_NOTHING and "AP" not in one and _line(book, one) <= _THIN
        if not silent and not (kind == "Stamp" and _is_empty(book, one)):
            yield one


def _line(book: Book, one: Dict) -> float:
    """How thick a line viewers draw around an annotation."""
    style = book.document.mapping(one.get("BS")).get("W")
    widths = [
        book.resolve(width) for width in (style, *book.document.array(one.get("Border"))[2:3])
    ]
    return max((abs(width) for width in widths if isinstance(width, int | float)), default=0.0)


def _is_empty(book: Book, one: Dict) -> bool:
    """A stamp that draws nothing, such as the one whose words are only read aloud."""
    shown = book.resolve(book.document.mapping(one.get("AP")).get("N"))
    return isinstance(shown, Extent) and not shown.length


def box(book: Book, one: Dict) -> Box | None:
    """Where an annotation is, in units of the page; `None` without a rectangle."""
    edges = [book.resolve(edge) for edge in book.document.array(one.get("Rect"))[:4]]
    numbers = [float(edge) for edge in edges if isinstance(edge, int | float)]
    if len(numbers) != 4:
        return None
    across, up = sorted(numbers[::2]), sorted(numbers[1::2])
    return across[0], up[0], across[1], up[1]


def view_of(book: Book, index: int) -> View:
    """A page as people see it."""
    page = book.pages[index]
    return View(page.crop, page.rotation, page.unit)
