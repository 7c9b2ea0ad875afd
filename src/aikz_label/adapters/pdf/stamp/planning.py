"""Deciding for every page of a document what its stamp looks like and where it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Stream, Value, text
from aikz_label.adapters.pdf.pages import OURS, Book
from aikz_label.adapters.pdf.stamp import above, content, corner, form
from aikz_label.adapters.pdf.stamp.above import view_of
from aikz_label.adapters.pdf.stamp.content import Closing
from aikz_label.adapters.pdf.stamp.corner import Candidate, Grey
from aikz_label.adapters.pdf.stamp.form import DESIGN, Add, Drawing
from aikz_label.adapters.pdf.stamp.geometry import Box, Fitted, Matrix, View, fit
from aikz_label.adapters.pdf.stamp.numbering import written_pages
from aikz_label.errors import Refused
from aikz_label.notice import wording
from aikz_label.values import dataclass

FLAGS = 4 | 64 | 128  # print, read only, locked
_TURNED: Mapping[int, list[Value]] = {
    90: [0, 1, -1, 0, 0, 0],
    180: [-1, 0, 0, -1, 0, 0],
    270: [0, -1, 1, 0, 0, 0],
}
_MAX_CONTENT = 64 << 20  # of a page, decoded


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamp on one page.

    Attributes:
        index: Of the page, from 0; of one that stands in the document several times, the first.
        view: The page.
        fitted: The stamp.
        corner: Where.
        closing: What goes around the page's content; `None` where the stamp is an annotation above it.
    """

    index: int
    view: View
    fitted: Fitted
    corner: str
    closing: Closing | None

    @property
    def annotation(self) -> bool:
        """Whether it is an annotation and no part of the content."""
        return self.closing is None

    @property
    def matrix(self) -> Matrix:
        """What it is drawn with; a unit of the form is the text's size."""
        return self.view.place(*self.fitted.at(self.corner, self.view.size), self.fitted.size)

    @property
    def box(self) -> Box:
        """Where it is, in units of the page: left, bottom, right, top."""
        a, b, c, d, e, f = self.matrix
        drawn = self.fitted.drawn
        x, y = drawn.width / form.UNIT, drawn.height / form.UNIT
        across, up = sorted((e, a * x + c * y + e)), sorted((f, b * x + d * y + f))
        return across[0], up[0], across[1], up[1]


class Plan:
    """The stamps of a document, and the objects they are made of.

    Attributes:
        stamps: By page.
        looks: Small pictures of some of the pages as they were.
        warnings: What is different from what was asked for, one English sentence each.
    """

    def __init__(
        self,
        stamps: Mapping[int, Stamped],
        looks: Mapping[int, Grey],
        order: Order,
        *,
        tagged: bool,
    ) -> None:
        self.stamps = dict(stamps)
        self.looks = dict(looks)
        self.warnings: tuple[str, ...] = ()
        self._order = order
        self._tagged = tagged
        self._forms: dict[tuple[str, int], Ref] = {}
        self._said: Ref | None = None
        self._silent: Ref | None = None

    @property
    def pages(self) -> tuple[int, ...]:
        """The pages to be changed, from 0; one that stands in the document several times is changed once."""
        return tuple(index for index, one in self.stamps.items() if one.index == index)

    @property
    def placements(self) -> tuple[Mapping[str, Any], ...]:
        """What the marker says of the stamps: one record for all that are alike."""
        alike: dict[tuple[str, str, bool], list[int]] = {}
        for index, one in self.stamps.items():
            key = one.fitted.drawn.layout.name, one.corner, one.annotation
            alike.setdefault(key, []).append(index + 1)
        return tuple(
            {
                "design": DESIGN,
                "layout": layout,
                "corner": place,
                "drawn": "annotation" if annotation else "content",
                "pages": written_pages(numbers),
            }
            for (layout, place, annotation), numbers in alike.items()
        )

    def draw(self, add: Add) -> None:
        """Add the objects that the pages share."""
        font = form.write_font(add)
        for one in self.stamps.values():
            self._draw(add, one.fitted.drawn, font, one.view.rotation if one.annotation else 0)
        label, languages = self._order.label, self._order.languages
        if any(one.annotation for one in self.stamps.values()) or self._tagged:
            words = "\n".join(wording.full(label.origin, language) for language in languages)
            self._said = add(text(words))
        if self._tagged and 0 in self.stamps and not self.stamps[0].annotation:
            self._silent = add(Stream({**_FORM, "BBox": [0, 0, 1, 1]}, b""))

    def _draw(self, add: Add, drawn: Drawing, font: Ref, rotation: int) -> None:
        name = drawn.layout.name
        if (name, 0) not in self._forms:
            self._forms[name, 0] = add(form.form(drawn, font))
        if (name, rotation) not in self._forms:
            self._forms[name, rotation] = add(turned(drawn, rotation, self._forms[name, 0]))

    def form(self, index: int) -> Ref:
        """The form that a page draws."""
        return self._forms[self.stamps[index].fitted.drawn.layout.name, 0]

    def before(self, index: int) -> bytes:
        """The operators that go before a page's content; empty for an annotation."""
        closing = self.stamps[index].closing
        return closing.before if closing else b""

    def content(self, index: int, name: str) -> bytes:
        """The operators that go behind it, and draw the form under a name; empty for an annotation."""
        one = self.stamps[index]
        if one.closing is None:
            return b""
        return one.closing.after + operators(one.matrix, name, artifact=self._tagged)

    def annotations(self, index: int) -> list[Dict]:
        """What is to be attached to a page: the stamp itself, or the words for those who are read to.

        A reading program passes over the stamp in the content of a tagged document: there it decorates the page.
        """
        one = self.stamps[index]
        if one.annotation:
            appearance = self._forms[one.fitted.drawn.layout.name, one.view.rotation]
        elif index == 0 and self._silent is not None:
            appearance = self._silent
        else:
            return []
        return [
            {
                "Type": Name("Annot"),
                "Subtype": Name("Stamp"),
                "Rect": list(one.box),
                "F": FLAGS,
                "Contents": self._said,
                "NM": f"aikz-label-{index + 1}".encode(),
                "AP": {"N": appearance},
                OURS: True,
            }
        ]


_FORM: Dict = {"Type": Name("XObject"), "Subtype": Name("Form")}


def turned(drawn: Drawing, rotation: int, inner: Ref) -> Stream:
    """A form that shows another one upright on a page that is turned, for an annotation."""
    box: list[Value] = [0, 0, drawn.width / form.UNIT, drawn.height / form.UNIT]
    resources: Dict = {"XObject": {"S": inner}}
    entries: Dict = {**_FORM, "BBox": box, "Matrix": _TURNED[rotation], "Resources": resources}
    return Stream(entries, b"/S Do\n")


def operators(matrix: Matrix, name: str, *, artifact: bool) -> bytes:
    """What draws a stamp in a page's content."""
    numbers = " ".join(_number(value) for value in matrix)
    drawn = f"q {numbers} cm /{name} Do Q\n"
    return f"/Artifact BMC\n{drawn}EMC\n".encode() if artifact else drawn.encode()


def _number(value: float) -> str:
    digits = f"{value:.5f}" if abs(value) >= 0.1 else f"{value:.9f}"
    number = digits.rstrip("0").rstrip(".")
    return "0" if number == "-0" else number


def plan(book: Book, source: BinaryIO, password: str, order: Order) -> Plan:
    """Find a place for the stamp on every page, or only on the first.

    Raises:
        Refused: A page has no room for letters that could be read.
    """
    profile, chosen = order.profile.page, book.pages[:1] if order.pages == "first" else book.pages
    candidates, views = [], {}
    firsts: dict[Ref, int] = {}
    for page in chosen:
        if firsts.setdefault(book.leaves[page.index].ref, page.index) != page.index:
            continue
        view = view_of(book, page.index)
        fitted = fit(view.size, order.label.origin, order.languages, profile)
        if fitted is None:
            raise _too_small(page.index, view)
        views[page.index] = view
        boxes = (above.box(book, one) for one in above.listed(book, page.index) if OURS not in one)
        occupied = tuple(view.shown(box) for box in boxes if box is not None)
        candidates.append(Candidate(page.index, view.size, fitted, occupied))
    choice = corner.choose(source, password, candidates)
    stamps = {}
    for one, (place, free) in zip(candidates, choice.corners, strict=True):
        # what lies above the content would hide the stamp, unless the stamp is the last of it
        around = None
        if order.stamp_as != "annotation" and free:
            around = closing(book, book.contents(one.index))
        stamps[one.index] = Stamped(one.index, views[one.index], one.fitted, place, around)
    stamps = {page.index: stamps[firsts[book.leaves[page.index].ref]] for page in chosen}
    made = Plan(stamps, choice.looks, order, tagged=book.tagged)
    made.warnings = () if order.stamp_as == "annotation" else tuple(_warnings(made))
    return made


def _warnings(made: Plan) -> Iterator[str]:
    lifted = [index + 1 for index, one in made.stamps.items() if one.annotation]
    if lifted:
        yield (
            f"On page {written_pages(lifted)} the notice is an annotation: something lies over every corner there, or the "
            "content is written in a way that viewers draw differently."
        )


def closing(book: Book, streams: Sequence[Extent]) -> Closing | None:
    """What goes around a page's content, or `None` when that cannot be told."""
    room, parts = _MAX_CONTENT, []
    try:
        for one in streams:
            parts.append(book.decoded(one, room))
            room -= len(parts[-1])
            if one.length and not parts[-1]:
                return None  # encoded in an unknown way
        return content.closing(b"\n".join(parts))
    except (MediaProblem, content.Tangled):
        return None


def _too_small(index: int, view: View) -> Refused:
    width, height = view.size
    return Refused(
        f"No legible notice fits on page {index + 1}, which is {width:.0f} × {height:.0f} pt large.",
        code="not-perceptible",
        hint="Give the pages a larger size.",
    )
