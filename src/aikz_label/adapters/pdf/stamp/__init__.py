"""The stamp: the notice on the pages of a PDF, planned, written as objects, found again and measured.

`form` draws it, `geometry` and `corner` place it, `planning` does so for a whole document, `content` closes what a page
leaves open before it, and `above` knows what lies over it. `structure` finds it in the objects of a page, `renderer` and
`template` draw pages and what is looked for, and `measuring` and `searching` answer whether people can perceive it.
"""

from __future__ import annotations

from typing import BinaryIO

from aikz_label.adapters import Order
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp import fidelity, measuring
from aikz_label.adapters.pdf.stamp.measuring import Promised
from aikz_label.adapters.pdf.stamp.planning import Plan, plan
from aikz_label.adapters.pdf.stamp.searching import search
from aikz_label.label import Origin
from aikz_label.limits import Limits
from aikz_label.notice import wording
from aikz_label.profile import Profile
from aikz_label.report import Measurement, Notice, NoticeState

__all__ = ["Plan", "check", "measure", "plan", "search"]


def check(painted: BinaryIO, password: str, book: Book, plan: Plan, order: Order) -> Measurement:
    """Measure the stamps of a finished document, and compare pages of it with what they were.

    Raises:
        Refused: A page looks different outside its stamp.
    """
    fidelity.compare(painted, password, plan)
    stamps = [Promised(index, one.fitted.drawn, one.corner) for index, one in plan.stamps.items()]
    page = order.profile.page
    return measuring.measured(book, painted, password, stamps, page, patient=True)


def measure(
    source: BinaryIO,
    password: str,
    book: Book,
    notice: Notice,
    origin: Origin,
    profile: Profile,
    limits: Limits,  # noqa: ARG001  # of its own, see `measuring`
) -> Measurement:
    """Measure the stamps that a record describes; an unusable record gives the state `unknown`."""
    stamps = measuring.promised(book, notice, origin)
    if stamps is None or notice.wording != wording.version():
        return Measurement(NoticeState.UNKNOWN)
    return measuring.measured(book, source, password, stamps, profile.page)
