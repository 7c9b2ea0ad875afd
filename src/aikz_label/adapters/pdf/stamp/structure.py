"""Finding the stamp in what a page is made of, without drawing anything.

A stamp is proven when the page's content is closed and followed by nothing but the drawing of a form that is, object by
object, the one this version writes, in a place that people see, and when nothing lies above it. Anything less proves
nothing, and the page has to be looked at.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from itertools import permutations

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Stream, Value
from aikz_label.adapters.pdf.pages import Book
from aikz_label.adapters.pdf.stamp import above, form, planning
from aikz_label.adapters.pdf.stamp.above import view_of
from aikz_label.adapters.pdf.stamp.form import Drawing, drawing
from aikz_label.adapters.pdf.stamp.geometry import Box, Matrix, View
from aikz_label.label import Origin
from aikz_label.notice import wording
from aikz_label.texts import LANGUAGES
from aikz_label.values import dataclass, field, replace

_NUMBER = rb"-?\d{1,10}(?:\.\d{1,9})?"
_DRAWN = re.compile(
    rb"(?P<artifact>/Artifact BMC\n)?q (?P<matrix>" + rb" ".join([_NUMBER] * 6) + rb") cm "
    rb"/(?P<name>[A-Za-z0-9_.+-]{1,100}) Do Q\n(?(artifact)EMC\n)$"  # a name that stands as it is spelled
)
_MAX_TAIL = 1 << 16  # of the last stream, which holds our operators
_MAX_FORM = 1 << 16
_LAYER = b"/OC"
_MANY = 1000  # streams of a page; not all of more are listed
_HIDDEN, _INVISIBLE, _PRINT, _NO_VIEW = 2, 1, 4, 32
_WRITTEN = {"Length", "Filter", "DecodeParms", "DL"}  # what a stream says of its bytes
_DEPTH = 12  # of the objects of a form
_COMPARED = Name("compared elsewhere")

Known = tuple[Drawing, Origin, tuple[str, ...]]
Compared = tuple[Drawing, Origin, tuple[str, ...], bool]
"""What a form shows, and whether it is ours in every object."""
Objects = dict[Ref, Value | Stream]


@dataclass(frozen=True, slots=True)
class Found:
    """A form of ours on a page.

    Attributes:
        drawn: What it shows.
        origin: Of the words.
        languages: Of the words.
        view: The page.
        place: Its left and lower ends and the size of its text as displayed, pt; `None` when it is not upright.
        proven: Nothing in the page can hide it or change it.
        layer: It is in a layer.
        concealed: It is an annotation that is not shown on the screen or in print.
    """

    drawn: Drawing
    origin: Origin
    languages: tuple[str, ...]
    view: View
    place: tuple[float, float, float] | None
    proven: bool
    layer: bool = False
    concealed: bool = False

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height, pt."""
        size = self.place[2] if self.place else 0.0
        return self.drawn.width * size / form.UNIT, self.drawn.height * size / form.UNIT


@cache
def _forms() -> dict[bytes, Known]:
    """Every form that this version can draw, by its operators."""
    known: dict[bytes, Known] = {}
    chosen = [one for count in (1, 2, 3) for one in permutations(LANGUAGES, count)]
    for origin in Origin:
        for languages in chosen:
            for layout in wording.ladder(origin, languages):
                drawn = drawing(layout.name, origin, languages)
                assert drawn is not None
                known.setdefault(form.content(drawn), (drawn, origin, languages))
    return known


@cache
def _expected() -> Objects:
    """The objects of the font, by numbers of their own; the last is the font."""
    objects: Objects = {}

    def add(value: Value | Stream) -> Ref:
        ref = Ref(len(objects), 0)
        objects[ref] = value
        return ref

    form.write_font(add)
    return objects


@dataclass(slots=True)
class Inspector:
    """Looks for stamps in the pages of one document.

    Args:
        book: The pages.
    """

    book: Book
    _known: dict[tuple[int, int], Compared | None] = field(default_factory=dict)

    def find(self, index: int) -> Found | None:
        """The stamp of a page, in its content or above it."""
        view = view_of(self.book, index)
        over = list(above.listed(self.book, index))
        for position, one in enumerate(over):
            found = self._annotation(one, view)
            if found is not None:
                later = over[position + 1 :]
                return _doubted(found) if self._covered(found, later) else found
        found = self._content(index, view)
        return _doubted(found) if found is not None and self._covered(found, over) else found

    # -- in the content

    def _content(self, index: int, view: View) -> Found | None:
        streams = self.book.contents(index)
        tail = self._short(streams[-1]) if streams else b""
        drawn = _DRAWN.search(tail)
        if drawn is None:
            return None
        shown = self.book.resource(index, "XObject", drawn["name"].decode())
        known = self._form(shown)
        if known is None or not isinstance(shown, Extent):
            return None
        numbers = [float(number) for number in drawn["matrix"].split()]
        matrix: Matrix = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
        alone = known[3] and self._closed(streams, tail[: drawn.start()])
        layer = _LAYER in tail or "OC" in shown.dict
        return Found(*known[:3], view, view.seen(matrix), alone and not layer, layer=layer)

    def _closed(self, streams: list[Extent], closers: bytes) -> bool:
        """Whether the page's own content lies between pieces that close it."""
        if not 2 <= len(streams) < _MANY:
            return False
        wanted = planning.closing(self.book, streams[1:-1])
        first = self._short(streams[0])
        return wanted is not None and (first, closers) == (wanted.before, wanted.after)

    def _short(self, stream: Extent) -> bytes:
        """What a stream says that can be one of ours; nothing for a longer one."""
        try:
            return self.book.decoded(stream, _MAX_TAIL) if stream.length <= _MAX_TAIL else b""
        except MediaProblem:
            return b""

    # -- above the content

    def _annotation(self, one: Dict, view: View) -> Found | None:
        """A stamp that is an annotation."""
        shown = self.book.resolve(self.book.document.mapping(one.get("AP")).get("N"))
        turned = self._turned(shown, view) if isinstance(shown, Extent) else None
        known = turned or self._form(shown)
        box = above.box(self.book, one)
        if known is None or box is None:
            return None
        flags = self.book.resolve(one.get("F"))
        bits = flags if isinstance(flags, int) else 0
        concealed = bool(bits & (_HIDDEN | _INVISIBLE | _NO_VIEW)) or not bits & _PRINT
        layer = "OC" in one
        place = _placed(view, box, known[0])
        usual = not bits & ~planning.FLAGS and not concealed and not layer
        upright = view.rotation == 0 or known is turned
        usual = usual and upright and one.get("Subtype") == "Stamp"
        proven = known[3] and place is not None and usual
        return Found(*known[:3], view, place, proven, layer=layer, concealed=concealed)

    def _turned(self, shown: Extent, view: View) -> Compared | None:
        """What a form shows that turns another one upright."""
        resources = self.book.document.mapping(shown.dict.get("Resources"))
        inner = self.book.document.mapping(resources.get("XObject")).get("S")
        known = self._form(self.book.resolve(inner))
        if known is None or view.rotation == 0:
            return None
        # what it shows is compared already
        wanted = planning.turned(known[0], view.rotation, Ref(0, 0))
        compared: Objects = {Ref(0, 0): _COMPARED}
        return (*known[:3], known[3] and self._same_stream(shown, wanted, compared, _DEPTH))

    def _covered(self, found: Found, over: list[Dict]) -> bool:
        """Whether something may lie over the stamp; of more annotations than are listed, something may."""
        return len(over) >= above.MANY or any(self._covers(one, found) for one in over)

    def _covers(self, one: Dict, found: Found) -> bool:
        """Whether an annotation reaches over the stamp; one without a proper box may be anywhere."""
        box = above.box(self.book, one)
        if box is None or found.place is None:
            return True
        x, y, _ = found.place
        width, height = found.extent
        left, bottom, right, top = found.view.shown(box)
        return left < x + width and x < right and bottom < y + height and y < top

    # -- the form

    def _form(self, shown: Value | Extent) -> Compared | None:
        """What a form shows, if it is ours, and whether it is so in every object."""
        if not isinstance(shown, Extent) or shown.length > _MAX_FORM:
            return None
        key = (shown.start, shown.length)
        if key not in self._known:
            self._known[key] = self._compared(shown)
        return self._known[key]

    def _compared(self, shown: Extent) -> Compared | None:
        try:
            known = _forms().get(self.book.decoded(shown, _MAX_FORM))
        except MediaProblem:
            return None
        if known is None:
            return None
        objects = _expected()
        wanted = form.form(known[0], Ref(len(objects) - 1, 0))
        return (*known, self._same_stream(shown, wanted, objects, _DEPTH))

    def _same(
        self, found: Value | Extent, wanted: Value | Stream, objects: Objects, depth: int
    ) -> bool:
        """Whether what a file holds is what we would write; as deep as that goes."""
        found = self.book.resolve(found)
        if isinstance(wanted, Ref):
            wanted = objects[wanted]
        if wanted is _COMPARED:
            return True
        match found, wanted:
            case Extent(), Stream():
                return depth > 0 and self._same_stream(found, wanted, objects, depth)
            case dict(), dict():
                pairs = [(found.get(key), value) for key, value in wanted.items()]
                whole = found.keys() == wanted.keys()
            case list(), list():
                pairs = list(zip(found, wanted, strict=False))
                whole = len(found) == len(wanted)
            case bytes(), bytes():  # encrypted ones are not decrypted here, and they show nothing
                return True
            case (Name(), Name()) | ((int() | float()), (int() | float())):
                return found == wanted
            case _:
                return False
        return whole and depth > 0 and all(self._same(*pair, objects, depth - 1) for pair in pairs)

    def _same_stream(self, found: Extent, wanted: Stream, objects: Objects, depth: int) -> bool:
        own = {key: value for key, value in found.dict.items() if key not in _WRITTEN}
        others = {key: value for key, value in wanted.dict.items() if key not in _WRITTEN}
        if own.keys() - {"AikzLabel"} != others.keys():
            return False
        try:
            data = self.book.decoded(found, _MAX_FORM)
        except MediaProblem:
            return False
        return data == _decoded(wanted) and all(
            self._same(own[key], others[key], objects, depth - 1) for key in others
        )


def _decoded(stream: Stream) -> bytes:
    return zlib.decompress(stream.data) if "Filter" in stream.dict else stream.data


def _doubted(found: Found) -> Found:
    return replace(found, proven=False)


def _placed(view: View, box: Box, drawn: Drawing) -> tuple[float, float, float] | None:
    """Where an annotation shows its form, when it does so in its own proportions."""
    left, bottom, right, top = view.shown(box)
    size = (right - left) * form.UNIT / drawn.width
    high = (top - bottom) * form.UNIT / drawn.height
    if size <= 0 or abs(high - size) > size / 100:
        return None
    return left, bottom, size
