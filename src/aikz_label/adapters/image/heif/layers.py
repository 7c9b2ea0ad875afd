"""One more layer on an overlay, for a notice that would lie on its empty canvas: nothing of the picture is coded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters.image.bmff import Fields, pack
from aikz_label.adapters.image.heif.coders import CODERS
from aikz_label.adapters.image.heif.items import Meta, Reference
from aikz_label.adapters.image.heif.planes import Coding, Planes
from aikz_label.errors import Refused
from aikz_label.values import replace

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.heif.items import Item

_KEPT = {
    b"av1C",
    b"hvcC",
    b"pixi",
    b"colr",
}  # what a layer takes over from the picture that it is coded like


def empty_canvas() -> Refused:
    """The refusal where no layer can be added."""
    return Refused(
        "The notice would lie on the empty canvas of a picture that is put together from others.",
        code="unsupported-variant",
        hint="Save the picture as a single one.",
    )


def layered(meta: Meta, overlay: Item, model: Item, box: Box) -> tuple[Meta, int]:
    """The items with one more, that lies upmost on an overlay; its pixels are still to be coded.

    Args:
        meta: The items.
        overlay: Of kind `iovl`.
        model: A coded item whose way the new one is coded in.
        box: Where, on the canvas.

    Raises:
        Refused: Nothing can be added to this one.
    """
    if overlay.kind != b"iovl" or model.kind not in CODERS or model.kind in {b"jpeg", b"unci"}:
        raise empty_canvas()
    number = 1 + max(item.number for item in meta.items)
    extent = pack(b"ispe", bytes(4), *(side.to_bytes(4) for side in box[2:]))
    kept = tuple(found for found in model.properties if found.kind in _KEPT)
    new = replace(model, number=number, hidden=True, tail=b"\0", properties=kept, extents=())
    new = new.described(extent, essential=False)
    wide = 4 if Fields(overlay.data[1:]).number(1) & 1 else 2
    offset = b"".join(place.to_bytes(wide, signed=True) for place in box[:2])
    items = tuple(
        item.holding(item.data + offset) if item.number == overlay.number else item
        for item in meta.items
    )
    references = with_layer(meta.references, overlay.number, number)
    return replace(meta, items=(*items, new), references=references), number


def with_layer(
    references: tuple[Reference, ...], overlay: int, number: int
) -> tuple[Reference, ...]:
    """The references, in which an overlay speaks of one item more."""
    return tuple(
        replace(r, targets=(*r.targets, number)) if (r.kind, r.source) == (b"dimg", overlay) else r
        for r in references
    )


def plate(mask: Image, coding: Coding) -> Planes:
    """A mask as a picture of its own, in the numbers of another one."""
    sample = np.uint16 if coding.depth > 8 else np.uint8
    width, height = mask.size
    planes = [np.zeros((height, width), sample)]
    if coding.shifts is not None:
        across, down = coding.shifts
        planes += [np.zeros((-(-height >> down), -(-width >> across)), sample) for _ in range(2)]
    found = Planes(tuple(planes), coding)
    found.paint(mask, (0, 0, width, height), coding)
    return found
