"""Pages before and after: outside the stamp nothing may look different.

The pages are drawn small while the emptiest corner is looked for; some of these pictures are kept for the comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from aikz_label.adapters.pdf.stamp import renderer
from aikz_label.errors import Refused

if TYPE_CHECKING:
    from aikz_label.adapters.pdf.stamp.corner import Grey
    from aikz_label.adapters.pdf.stamp.planning import Plan, Stamped

_APART = 24  # grey levels that nobody would call the same
_RIM = 2  # px around the stamp


def compare(painted: BinaryIO, password: str, plan: Plan) -> None:
    """Draw pages again and compare them.

    Raises:
        Refused: One looks different outside its stamp.
    """
    with renderer.opened(painted, password) as pages:
        for index, before in plan.looks.items():
            if pages is None:
                raise _changed(index)  # it could be drawn before
            after = pages.grey(index)
            if after is None or after.shape != before.shape:
                raise _changed(index)
            if _differs(before, after, plan.stamps[index]):
                raise _changed(index)


def _differs(before: Grey, after: Grey, stamp: Stamped) -> bool:
    apart = np.abs(before - after) > _APART
    left, bottom = stamp.fitted.at(stamp.corner, stamp.view.size)
    width, height = stamp.fitted.extent
    wide, high = stamp.view.size
    rows, columns = apart.shape
    across, down = columns / wide, rows / high
    top = high - bottom - height
    apart[
        max(0, int(top * down) - _RIM) : int((top + height) * down) + _RIM + 1,
        max(0, int(left * across) - _RIM) : int((left + width) * across) + _RIM + 1,
    ] = False
    return bool(apart.any())


def _changed(index: int) -> Refused:
    return Refused(
        f"With the notice, page {index + 1} would look different outside the notice as well.",
        code="content-changed",
        hint="Save the document anew with another program, or use --stamp-as annotation.",
    )
