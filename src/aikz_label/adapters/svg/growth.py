"""Room for a strip below a drawing: the root becomes higher, and what is drawn in it stays where it is.

Only numbers in the root's own tag change. A drawing that is measured in shares of its height would change with them, so it
is not made higher.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from aikz_label.adapters.svg.document import Attribute, Document, Edit
from aikz_label.adapters.svg.styles import declarations
from aikz_label.adapters.svg.viewport import NUMBER, Viewport, length, viewport
from aikz_label.errors import Refused
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.svg.edit import Edits
    from aikz_label.adapters.svg.group import Spec

_TAG = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)((?:[^\"'<>]++|\"[^\"]*+\"|'[^']*+')*+)>")
# Shares of these are of whatever they are used for, unless they say otherwise.
_OF_THEIR_OWN = {"filter", "linearGradient", "mask", "radialGradient", "stop"}
_ELSEWHERE = "userSpaceOnUse"
_INNER = {"svg", "symbol"}  # as large as the whole by default
_SHARE = re.compile(r"%|\d(?:vh|vw|vb|vi|vmin|vmax)\b")
_CONDITION = re.compile(r"@(?:media|container)[^{]*(?:height|width|aspect|orientation)")
_AT_THE_END = 0.01  # share of a strip's height


def grown(document: Document, view: Viewport, units: float) -> tuple[Edits, Viewport]:
    """The edits that make a drawing higher, and what is seen after them.

    Args:
        document: The drawing.
        view: What is seen of it.
        units: By how much, in the drawing's own.

    Raises:
        Refused: It would not stay as it is.
    """
    by = units / view.down
    left, top, width, height = view.sure
    if not all(map(math.isclose, (width, height), view.size)):
        raise _cannot_grow("it is shown with margins, in which something may be painted")
    if _depends_on_height(document):
        raise _cannot_grow("a part of it is measured in shares of its height")
    size = view.size[0], view.size[1] + by
    higher = replace(view, size=size, sure=(left, top, width, height + by))
    return _changed(document, by, units), higher


def shrunk(document: Document, spec: Spec) -> Edits:
    """The edits that take the room of a strip back; none when it is not at the lower end of the drawing."""
    view = viewport(document)
    if view is None:
        return []
    units = spec.size[1] * spec.down
    bottom = view.y + view.sure[3] * view.down
    if abs(spec.y + units - bottom) > _AT_THE_END * units or units >= view.sure[3] * view.down:
        return []
    try:
        return _changed(document, -units / view.down, -units)
    except Refused:
        return []


def _depends_on_height(document: Document) -> bool:
    text = document.text[document.root.inside : document.root.close]
    for tag in _TAG.finditer(text):
        name, rest = tag.groups()
        own = name in _OF_THEIR_OWN and _ELSEWHERE not in rest
        if name in _INNER or (not own and _SHARE.search(document.resolved(rest))):
            return True
    sheets = (document.content(element) for element in document.named("style"))
    return any(_SHARE.search(sheet) or _CONDITION.search(sheet) for sheet in sheets)


def _changed(document: Document, by: float, units: float) -> Edits:
    """Another height, in px and in units of the drawing, wherever the root says one."""
    named = {one.name: one for one in document.attributes(document.root)}
    style = named.get("style")
    if style is not None and {"width", "height"} & declarations(style.value).keys():
        raise _cannot_grow("its size is said in a style")
    edits, box, height = [], named.get("viewBox"), named.get("height")
    old = length(height.value) if height is not None else None
    if box is not None:
        edits.append(_with_number(document, box, 3, units))
    elif old is None or length(named["width"].value if "width" in named else "") is None:
        raise _cannot_grow("it does not say how large it is")
    if height is not None and old is not None:
        number = NUMBER.search(height.value)
        assert number is not None
        edits.append(_with_number(document, height, 0, by * float(number[0]) / old))
    return edits


def _with_number(document: Document, attribute: Attribute, index: int, more: float) -> Edit:
    raw = document.text[attribute.start : attribute.stop]
    numbers = list(NUMBER.finditer(raw))
    if raw != attribute.value or len(numbers) <= index:
        raise _cannot_grow("its size is written with references")
    start, stop = (attribute.start + at for at in numbers[index].span())
    return start, stop, f"{float(numbers[index][0]) + more:.10g}"


def _cannot_grow(why: str) -> Refused:
    return Refused(
        f"No strip can be added below this drawing: {why}.",
        code="not-perceptible",
        hint="Give it a larger width and height; a drawing loses nothing by that.",
    )
