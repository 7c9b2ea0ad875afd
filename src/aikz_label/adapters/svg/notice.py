"""Placing the notice in a drawing, and finding out whether it is there and can be perceived.

There are no pixels: what is established is that the last thing painted is exactly what this version writes, that it lies
where it is seen, and that nothing in the file can hide it. The figures are those of the paths, at the size that the drawing
has by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from aikz_label.adapters import Order
from aikz_label.adapters.image.refusals import too_narrow
from aikz_label.adapters.svg import group
from aikz_label.adapters.svg.document import Document, Element
from aikz_label.adapters.svg.edit import DATA, ID
from aikz_label.adapters.svg.group import Spec
from aikz_label.adapters.svg.hazards import hazards
from aikz_label.adapters.svg.viewport import MEASURED, Viewport, viewport
from aikz_label.errors import Refused
from aikz_label.notice import badge, strip
from aikz_label.profile import Profile
from aikz_label.report import Measurement, Message, NoticeState, message
from aikz_label.values import dataclass

_PLANNED = 2000  # px of the longer side on which a layout is planned; drawings have any size
_NOT_PAINTED = {"metadata", "title", "desc"}
_HIDING = re.compile(
    r"display\s*[:=]\s*[\"']?\s*none|visibility\s*[:=]\s*[\"']?\s*(?:hidden|collapse)|opacity\s*[:=]\s*[\"']?\s*(?:0|\.\d)"
)
_TOLERANCE = 0.01  # of a recorded share
_BLACK_ON_WHITE = 21.0


@dataclass(frozen=True, slots=True)
class Found:
    """A notice of ours in a file, by its place.

    Attributes:
        element: The group.
        spec: What it says it was drawn from; `None` when that cannot be.
        genuine: It is character by character what is drawn from that.
        last: Nothing is painted after it.
    """

    element: Element
    spec: Spec | None
    genuine: bool
    last: bool


def plan(view: Viewport, order: Order, *, banded: bool) -> Spec:
    """Choose a layout for what is seen, and its place: at the top right, or in a strip below.

    Args:
        view: What is seen.
        order: What to say.
        banded: There was a strip before; else one is only put where it was asked for.

    Raises:
        Refused: No letters could be read.
    """
    _, _, wide, high = view.sure
    scale = min(1.0, _PLANNED / max(wide, high))
    width, height = max(1, int(wide * scale)), max(1, int(high * scale))
    image = order.profile.image
    placed = badge.plan(width, height, order.label.origin, order.languages, image)
    if placed is None:
        if not banded and order.when_too_small != "strip":
            raise _too_small(view)
        return _read_back(_below(view, order, scale, (width, height)))
    x = placed.x if view.anchored else width - placed.x - placed.size[0]
    across, down = view.across / scale, view.down / scale
    return _read_back(
        Spec(
            order.label.origin,
            order.languages,
            placed.layout,
            placed.badge.em,
            placed.badge.icon_em,
            view.x + x * across,
            view.y + placed.y * down,
            across,
            down,
        )
    )


def _below(view: Viewport, order: Order, scale: float, size: tuple[int, int]) -> Spec:
    """A strip as wide as what is seen, which may not be a whole number of px."""
    _, _, wide, high = view.sure
    band = strip.plan(*size, order.label.origin, order.languages, order.profile.image)
    if band is None:
        raise too_narrow((round(wide), round(high)))
    middle = band.middle
    x, y = view.x, view.y + high * view.down
    across, down = view.across * wide / band.width, view.down / scale
    said = order.label.origin, order.languages, band.layout, middle.em, middle.icon_em
    return Spec(*said, x, y, across, down, band.width)


def _read_back(spec: Spec) -> Spec:
    """The same with its numbers as they are written."""
    found = Spec.parse(str(spec))
    assert found is not None
    return found


def _too_small(view: Viewport) -> Refused:
    return Refused(
        f"No legible notice fits into {view.sure[2]:.0f} × {view.sure[3]:.0f} pixels, the size this drawing has by itself.",
        code="not-perceptible",
        hint="Give it a larger width and height, by which a drawing loses nothing; or --when-too-small strip.",
    )


def find(document: Document) -> Found | None:
    """The notice in a file, wherever it is among the root's children."""
    children = document.children
    for index, element in enumerate(children):
        named = (
            {one.name: one.value for one in document.attributes(element)}
            if element.name == "g"
            else {}
        )
        if DATA in named:
            spec = Spec.parse(named[DATA])
            there = document.text[element.start : element.stop]
            genuine = spec is not None and there == group.text(spec, named.get("id", ""))
            last = all(one.name in _NOT_PAINTED for one in children[index + 1 :])
            return Found(element, spec, genuine, last)
    return None


def measure(document: Document, profile: Profile) -> Measurement:
    """Whether the notice in a file can be perceived; `unknown` wherever that cannot be established."""
    found = find(document)
    if found is None:
        return Measurement(NoticeState.NOT_PERCEIVABLE, (), (message("notice.missing"),))
    if not found.genuine or found.spec is None:
        there = document.text[found.element.start : found.element.stop]
        if _HIDING.search(there.partition(">")[0]):
            return Measurement(NoticeState.NOT_PERCEIVABLE, (), (message("notice.hidden"),))
        return Measurement(NoticeState.UNKNOWN)
    view = viewport(document)
    name = document.attribute(found.element, "id")
    if view is None or not found.last or any(hazards(document, name.value if name else ID)):
        return Measurement(NoticeState.UNKNOWN)
    figures = _figures(found.spec, view)
    problems: tuple[Message, ...] = profile.image.problems(dict(figures))
    state = NoticeState.NOT_PERCEIVABLE if problems else NoticeState.PERCEIVABLE
    return Measurement(state, figures, problems)


def _figures(spec: Spec, view: Viewport) -> tuple[tuple[str, float], ...]:
    """Of a genuine notice: its letters at the size of the picture, and how much of it is outside."""
    shrunk = min(1.0, MEASURED / min(view.size))
    px = min(spec.across / view.across, spec.down / view.down) * shrunk
    x, y, width, height = _shares(spec, view)
    inside = max(0.0, min(1.0, x + width) - max(0.0, x)) * max(
        0.0, min(1.0, y + height) - max(0.0, y)
    )
    figures = {
        "cap_px": spec.em * badge.CAP_HEIGHT * px,
        "contrast": _BLACK_ON_WHITE,
        "icon_cap_px": (spec.icon_em or spec.em) * badge.CAP_HEIGHT * px,
        "lost": 0.0,
        "match": 1.0,
        "outside": max(0.0, 1 - inside / (width * height)),
        "plate_luminance": 0.0,
        "short_side_px": min(view.size) * shrunk,
        "text_match": 1.0,
    }
    return tuple((name, round(value, 3)) for name, value in figures.items())


def _shares(spec: Spec, view: Viewport) -> tuple[float, float, float, float]:
    """Left, top, width and height as shares of the picture."""
    width, height = spec.size
    left, top, _, _ = view.sure
    return (
        (left + (spec.x - view.x) / view.across) / view.size[0],
        (top + (spec.y - view.y) / view.down) / view.size[1],
        width * spec.across / view.across / view.size[0],
        height * spec.down / view.down / view.size[1],
    )


def record(spec: Spec, view: Viewport) -> Mapping[str, str | int | float]:
    """What the marker says of a notice."""
    x, y, width, height = (round(min(max(share, 0.0), 1.0), 6) for share in _shares(spec, view))
    return {
        "design": spec.design,
        "layout": spec.layout,
        "em": spec.em,
        "icon_em": spec.icon_em,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
    }


def fits(place: Mapping[str, object], spec: Spec, view: Viewport) -> bool:
    """Whether a record describes this notice."""
    own = record(spec, view)
    return set(place) == set(own) and all(
        abs(value - own_value) <= _TOLERANCE
        if isinstance(own_value := own[name], float) and isinstance(value, int | float)
        else value == own_value
        for name, value in place.items()
    )
