"""Measuring the stamps of a document: in the structure of every page, and in pictures of some.

Where the structure proves a stamp, a sample of the pages is drawn and compared, too. A page whose structure proves nothing
is always drawn, at the place the record names. The number of pages drawn is bounded, and so is the time: a page that would
have to be drawn and was not makes the answer `unknown`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp import form, renderer, template
from aikz_label.adapters.pdf.stamp.above import view_of
from aikz_label.adapters.pdf.stamp.form import DESIGN, UNIT, Drawing, drawing
from aikz_label.adapters.pdf.stamp.geometry import CORNERS, Fitted, View
from aikz_label.adapters.pdf.stamp.numbering import read_pages
from aikz_label.adapters.pdf.stamp.structure import Found, Inspector
from aikz_label.label import Origin
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import PageProfile
from aikz_label.report import Measurement, Message, Notice, NoticeState, message
from aikz_label.values import dataclass

_SAMPLE = 8  # pages that are drawn although their structure proves the stamp
_MOST = 64  # pages that are drawn at all
_SECONDS = 6.0
_ROOM = 0.5  # around a stamp, share of its width and height, that is drawn with it
_PROVEN = {"match": 1.0, "text_match": 1.0, "contrast": 21.0, "plate_luminance": 0.0, "lost": 0.0}
_WORST = {"match": min, "text_match": min, "contrast": min}  # of the others the largest


@dataclass(frozen=True, slots=True)
class Promised:
    """A stamp that a record speaks of.

    Attributes:
        index: Of the page.
        drawn: What the stamp shows.
        corner: Where it is.
    """

    index: int
    drawn: Drawing
    corner: str


def promised(book: Book, notice: Notice, origin: Origin) -> list[Promised] | None:
    """The stamps that a record speaks of, or `None` for a record that cannot be used.

    Every page has one, or the first page alone.
    """
    listed: dict[int, Promised] = {}
    for place in notice.placements:
        pages = read_pages(place.get("pages"), len(book.pages))
        drawn = drawing(str(place.get("layout")), origin, notice.languages)
        corner = str(place.get("corner"))
        if place.get("design") != DESIGN or pages is None or drawn is None or corner not in CORNERS:
            return None
        listed |= {index: Promised(index, drawn, corner) for index in pages}
    if listed.keys() not in ({0}, set(range(len(book.pages)))):
        return None
    return [listed[index] for index in sorted(listed)]


def measured(
    book: Book,
    source: BinaryIO,
    password: str,
    stamps: Sequence[Promised],
    profile: PageProfile,
    *,
    patient: bool = False,
) -> Measurement:
    """Measure the stamps of a document.

    Args:
        book: Its pages.
        source: Its bytes.
        password: To open it with.
        stamps: What is promised.
        profile: Thresholds.
        patient: Look at every page, however many there are.
    """
    pages = _Pages(book, profile)
    until = time.monotonic() + _SECONDS
    for one in stamps:
        if patient or time.monotonic() < until:
            pages.inspect(one)
        else:
            pages.pass_over()
    with renderer.opened(source, password) as rendered:
        pages.look(rendered)
    return pages.result()


class _Pages:
    """What is known of each page by now."""

    def __init__(self, book: Book, profile: PageProfile) -> None:
        self._book = book
        self._profile = profile
        self._inspector = Inspector(book)
        self._figures: dict[int, dict[str, float]] = {}
        self._proven: list[Promised] = []
        self._doubtful: list[Promised] = []
        self._found: dict[int, Found] = {}
        self._without: set[int] = set()
        self._problems: dict[str, Message] = {}
        self._rendered = self._passed = 0

    def pass_over(self) -> None:
        """Leave a page unknown."""
        self._passed += 1

    def inspect(self, one: Promised) -> None:
        """Look into the structure of a page."""
        found = self._inspector.find(one.index)
        if found is None or not _alike(found.drawn, one.drawn) or found.place is None:
            self._doubtful.append(one)
            return
        self._found[one.index] = found
        for code, there in (("layer", found.layer), ("annotation-hidden", found.concealed)):
            if there:
                self._problems[code] = message(f"notice.{code}")
        if found.proven:
            self._proven.append(one)
            self._figures[one.index] = _PROVEN | _sizes(found)
        else:
            self._doubtful.append(one)

    def look(self, rendered: renderer.Renderer | None) -> None:
        """Draw pages, those first that must be."""
        until = time.monotonic() + _SECONDS
        listed = [*self._doubtful, *_spread(self._proven)][:_MOST]
        for one in listed:
            if rendered is None or time.monotonic() > until:
                return
            figures = self._seen(rendered, one)
            if figures is None:
                continue
            self._rendered += 1
            if not self._there(figures) and one.index not in self._figures:
                self._without.add(one.index)
            else:
                self._figures[one.index] = figures

    def _there(self, figures: Mapping[str, float]) -> bool:
        """Whether there is anything of a stamp: one that is covered or faint is."""
        problems = self._profile.problems({**figures, "stamped": 1.0})
        return all(problem.code != "notice.missing" for problem in problems)

    def _seen(self, rendered: renderer.Renderer, one: Promised) -> dict[str, float] | None:
        view = view_of(self._book, one.index)
        found = self._found.get(one.index)
        if found is not None and found.place is not None:
            x, y, size = found.place
        else:
            short = min(view.size)
            size = self._profile.floor(short) * self._profile.drawing_reserve
            fitted = Fitted(one.drawn, size, self._profile.margin_share * short)
            x, y = fitted.at(one.corner, view.size)
        return looked(rendered, one.index, view, one.drawn, (x, y, size))

    def result(self) -> Measurement:
        """All pages together: of every figure the worst."""
        whole = len(self._proven) + len(self._doubtful) + self._passed
        unknown = whole - len(self._figures) - len(self._without)
        figures = _worst(self._figures.values(), self._profile)
        figures |= {
            "pages": float(len(self._book.pages)),
            "stamped": float(len(self._figures)),
            "without": float(len(self._without)),
            "rendered": float(self._rendered),
        }
        problems = (*self._problems.values(), *self._profile.problems(figures))
        listed = tuple((name, round(value, 4)) for name, value in figures.items())
        if unknown and not self._without and not self._problems:
            return Measurement(NoticeState.UNKNOWN, listed)
        state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
        return Measurement(state, listed, problems)


def _alike(one: Drawing, other: Drawing) -> bool:
    """Whether two steps of the ladder draw the same, as the poorest do in one language."""
    return one == other or form.content(one) == form.content(other)


def _spread(stamps: Sequence[Promised]) -> Iterator[Promised]:
    """The first, the last, and some in between."""
    count = min(_SAMPLE, len(stamps))
    last = len(stamps) - 1
    yield from (stamps[round(last * step / max(1, count - 1))] for step in range(count))


def _worst(pages: Iterable[Mapping[str, float]], profile: PageProfile) -> dict[str, float]:
    listed = list(pages)
    if not listed:
        return {}
    worst = {
        name: _WORST.get(name, max)(figures[name] for figures in listed)
        for name in (*_PROVEN, "outside")
    }
    smallest = min(listed, key=lambda one: one["text_pt"] / profile.floor(one["short_side_pt"]))
    return worst | {name: smallest[name] for name in ("text_pt", "short_side_pt")}


def _sizes(found: Found) -> dict[str, float]:
    """What the structure says of a stamp's size and place."""
    assert found.place is not None
    x, y, size = found.place
    width, height = found.extent
    wide, high = found.view.size
    inside = max(0.0, min(wide, x + width) - max(0.0, x)) * max(
        0.0, min(high, y + height) - max(0.0, y)
    )
    outside = max(0.0, 1 - inside / (width * height))
    return {"outside": outside, "text_pt": size, "short_side_pt": min(wide, high)}


class _Plain:
    """Which of two looks at one picture is worse; a part of a page is never transparent, so there is only one."""

    def problems(self, figures: Mapping[str, float]) -> tuple[Message, ...]:  # noqa: ARG002
        return ()


def looked(
    rendered: renderer.Renderer,
    index: int,
    view: View,
    drawn: Drawing,
    place: tuple[float, float, float],
) -> dict[str, float] | None:
    """Draw the part of a page where a stamp should be, and compare it; `None` when it cannot be drawn."""
    x, y, size = place
    wide, high = view.size
    width, height = drawn.width * size / UNIT, drawn.height * size / UNIT
    box = (x - _ROOM * width, y - _ROOM * height, x + 1.5 * width, y + 1.5 * height)
    part = (
        min(max(box[0] / wide, 0.0), 0.99),
        min(max(1 - box[3] / high, 0.0), 0.99),
        min(max(box[2] / wide, 0.01), 1.0),
        min(max(1 - box[1] / high, 0.01), 1.0),
    )
    seen = rendered.picture(index, template.EM / size * min(wide, high), part)
    if seen is None:
        return None
    across, down = seen.whole[0] / wide, seen.whole[1] / high
    region = Region(
        (x * across - seen.left) / seen.image.width,
        ((high - y - height) * down - seen.top) / seen.image.height,
        width * across / seen.image.width,
        height * down / seen.image.height,
    )
    badge = template.badge(drawn)
    figures = dict(measure(seen.image, badge, region, _Plain()).figures)
    figures["text_pt"] = figures.pop("cap_px") / badge.cap * badge.em / across
    figures["short_side_pt"] = min(wide, high)
    del figures["icon_cap_px"], figures["short_side_px"]
    return figures
