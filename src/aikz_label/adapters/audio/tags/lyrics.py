"""Lines of lyrics with the moment at which each is sung: the form of LRC files, which many fields of metadata hold."""

from __future__ import annotations

import re

from aikz_label.adapters.audio.shifting import Shift

# A line can be sung at several moments, and words in it can have one each.
_MOMENT = re.compile(
    rb"(?:^|(?<=\]))\[(\d{1,4}):(\d\d)(?:\.(\d{1,3}))?\]|<(\d{1,4}):(\d\d)(?:\.(\d{1,3}))?>",
    re.MULTILINE,
)


def moved(text: bytes, shift: Shift, *, digits: int = 2) -> bytes:
    """The lines with their moments moved; `digits` is how many of a second's fraction there are at least."""

    def move(found: re.Match[bytes]) -> bytes:
        minutes, seconds, fraction = found.groups()[:3] if found[1] else found.groups()[3:]
        at = int(minutes) * 60_000 + int(seconds) * 1000 + int((fraction or b"").ljust(3, b"0"))
        there = _told(shift.units(at, 1000), max(len(fraction or b""), digits))
        return b"[%b]" % there if found[1] else b"<%b>" % there

    return _MOMENT.sub(move, text)


def _told(at: int, digits: int) -> bytes:
    seconds, thousandths = divmod(at, 1000)
    fraction = f".{thousandths:03}"[: 1 + digits] if digits else ""
    return f"{seconds // 60:02}:{seconds % 60:02}{fraction}".encode()
