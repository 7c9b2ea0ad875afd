"""iXML, which recorders of film sound write into WAV files: a mirror in an object of its own, and its moments.

It is edited as text, object by object, so that everything in it that nobody here knows stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from xml.sax.saxutils import escape

from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.label import Label
from aikz_label.limits import MIB
from aikz_label.metadata import mirror

NAME = b"iXML"
_MOST = 4 * MIB
_END = b"</BWFXML"
_OURS, _SYNC = b"SYNTHETIC_MEDIA", b"SYNC_POINT"
_VALUE = re.compile(rb"<(%b)>([^<]{1,2000})</\1>" % "|".join(mirror.PROPERTIES).encode())
# The time of day of the first sample, in two halves of 32 bits.
_STARTS = (
    (b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO"),
    (b"BWF_TIME_REFERENCE_HIGH", b"BWF_TIME_REFERENCE_LOW"),
)
_POINT = (b"SYNC_POINT_HIGH", b"SYNC_POINT_LOW")


def texts(content: bytes) -> Iterator[Text]:
    """What our object in it says."""
    for start, stop in _objects(content[:_MOST], _OURS):
        for found in _VALUE.finditer(content, start, stop):
            yield Text("ixml", found[1].decode(), unescape(found[2].decode("utf-8", "replace")))


def rewritten(content: bytes, label: Label, shift: Shift) -> bytes | None:
    """The chunk with a mirror and moved moments; `None` when it does not end as it should."""
    if len(content) > _MOST or _END not in content:
        return None
    content = _moved(_with_objects(content, _OURS, lambda _: b""), shift)
    said = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in mirror.statements(label))
    ours = b"<%b>%b</%b>" % (_OURS, said.encode("ascii", "xmlcharrefreplace"), _OURS)
    end = content.rindex(_END)
    return content[:end] + ours + content[end:]


def _moved(content: bytes, shift: Shift) -> bytes:
    """The programme keeps its time of day, so the file starts earlier; points in the sound move with it."""
    starts = [found for pair in _STARTS if (found := _number(content, pair)) is not None]
    before = shift.samples(0)
    if not shift.total or any(start < before for start in starts):
        return content

    def point(stored: bytes) -> bytes:
        at = _number(stored, _POINT)
        start = starts[0] if b">ABSOLUTE<" in stored and starts else 0
        if at is None or at < start:
            return stored
        return _with_number(stored, _POINT, shift.samples(at - start) + max(start - before, 0))

    content = _with_objects(content, _SYNC, point)
    for pair in _STARTS:
        at = _number(content, pair)
        if at is not None:
            content = _with_number(content, pair, at - before)
    return content


def _objects(content: bytes, name: bytes) -> Iterator[tuple[int, int]]:
    """Where each object of a name starts and stops."""
    first, last = b"<%b>" % name, b"</%b>" % name
    at = content.find(first)
    while at >= 0:
        end = content.find(last, at)
        if end < 0:
            return
        yield at, end + len(last)
        at = content.find(first, end)


def _with_objects(content: bytes, name: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The same text with other objects of a name."""
    parts, at = [], 0
    for start, stop in _objects(content, name):
        parts += [content[at:start], change(content[start:stop])]
        at = stop
    return b"".join((*parts, content[at:]))


def _number(content: bytes, pair: tuple[bytes, bytes]) -> int | None:
    """A number in two halves."""
    halves = [_half(name).search(content) for name in pair]
    found = [int(half[2]) for half in halves if half is not None]
    return found[0] << 32 | found[1] & 0xFFFFFFFF if len(found) == len(pair) else None


def _with_number(content: bytes, pair: tuple[bytes, bytes], number: int) -> bytes:
    for name, half in zip(pair, divmod(number, 1 << 32), strict=True):
        content = _half(name).sub(rb"\g<1>%d\g<3>" % half, content, count=1)
    return content


def _half(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(<%b>\s{0,99})(\d{1,10})(\s{0,99}</%b>)" % (name, name))
