"""Walking a video file without decoding it."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from aikz_label.adapters import Examined, MediaProblem
from aikz_label.adapters.image.bmff import C2PA
from aikz_label.adapters.video.isobmff import top_level
from aikz_label.formats import Format
from aikz_label.limits import Limits

_FREE = (b"ftyp", b"free", b"skip")
_LARGER = 64  # a film is read through a window, so it may be so much larger than a file that is read whole


def examine(source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:  # noqa: ARG001
    """See `Adapter.examine`."""
    size = source.seek(0, io.SEEK_END)
    most = limits.max_bytes * _LARGER
    if size > most:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=most)
    digest, has_marker, used, any_free = hashlib.sha256(), False, False, False
    for box in top_level(source, limits):
        source.seek(box.body)
        if box.kind == b"uuid" and source.read(16) == C2PA:
            has_marker = True
        if box.kind in _FREE:
            data = source.read(box.stop - box.body)
            digest.update(data)
            any_free = True
            used |= box.kind != b"ftyp" and any(data)
    return Examined((), has_marker, (), digest.hexdigest() if any_free else "", used)
