"""The carrier of structured text: one line of comment between two delimiters (C2PA 2.4, A.9).

We write it as the last line, where no reader has to pass it before the text, and as a `NOTE` behind the header of WebVTT.
A pair of delimiters inside a sentence, or around what is no reference, is somebody writing about C2PA: it counts as a
marker only where it stands as one, alone on its line as a comment or in front matter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from aikz_label.carriers.embedded import Cut, Hole, Place
from aikz_label.formats import languages
from aikz_label.formats.languages import Comment
from aikz_label.values import replace

BEGIN, END = b"-----BEGIN C2PA MANIFEST-----", b"-----END C2PA MANIFEST-----"
MULTIPLE = "manifest.structuredText.multipleReferences"
_DATA = b"data:application/c2pa;base64,"
_MAX_MARKERS = 100
_LONG = (
    400  # characters that nobody quotes: a reference of that length is a marker wherever it stands
)
_URL = re.compile(rb"(?:https?://|\.{0,2}/)\S{1,2000}")
NOTE = Comment("NOTE ")  # of WebVTT
# Comments of XML hold no two hyphens, as the delimiters do; a processing instruction holds them.
INSTRUCTION = Comment("<?c2pa ", "?>")


def hole(data: bytes, at: int, comment: Comment, newline: str, *, last: bool) -> Hole:
    """A place for a marker.

    Args:
        data: The file.
        at: Where it goes.
        comment: What makes a line a comment here.
        newline: What ends a line here.
        last: It becomes the last line; the line break before it belongs to it.
    """
    end = newline.encode()
    opens, closes = comment.opens.encode(), comment.closes.encode()
    if last:  # the specification starts the exclusion at the line break before the block
        at = len(data) - (1 if data.endswith(b"\n") else 0)
        opens = (b"\n" if at < len(data) else end) + opens
        end = end if at < len(data) else b""  # a text without a line break at its end stays one
        data = data[:at]
    frame = opens + BEGIN + b" " + _DATA, b" " + END + closes + end

    def encode(store: bytes) -> bytes:
        return frame[0] + base64.b64encode(store) + frame[1]

    def size(store: bytes) -> int:
        return len(frame[0]) + 4 * ((len(store) + 2) // 3) + len(frame[1])

    return Hole(data[:at], data[at:], encode, size)


def mentioned(data: bytes) -> bool:
    """Whether a delimiter stands in the text, as a marker or not: another marker would make other readers count two."""
    return BEGIN in data or END in data


def find(data: bytes) -> list[Place]:
    """Every marker in a text; linear in the text."""
    return list(_markers(data)) if BEGIN in data else []


def _markers(data: bytes) -> Iterator[Place]:
    at = data.find(BEGIN)
    for _ in range(_MAX_MARKERS):
        if at < 0:
            return
        place = _marker(data, at)
        if place is not None:
            yield place
        at = data.find(BEGIN, max(at + len(BEGIN), place.stop if place else 0))


def _marker(data: bytes, at: int) -> Place | None:
    start = data.rfind(b"\n", 0, at) + 1
    end = data.find(END, at)
    following = data.find(BEGIN, at + len(BEGIN))
    opened = data[start:at]
    if end < 0 or 0 <= following < end:
        cut_off = data[at + len(BEGIN) : at + len(BEGIN) + 40].lstrip().startswith(b"data:")
        stop = len(data) if following < 0 else following
        if cut_off and _opener(opened) is not None:
            return Place(at, stop, code="manifest.structuredText.noManifest")
        return None
    line_end = data.find(b"\n", end)
    stop = len(data) if line_end < 0 else line_end + 1
    reference = data[at + len(BEGIN) : end].strip()
    comment = _opener(opened)
    closed = data[end + len(END) : stop].strip()
    alone = comment is not None and closed == comment.closes.strip().encode()
    edge = start == 0 or not data[stop:].strip() or opened == b"" or comment == NOTE
    if not alone or not (edge or len(reference) > _LONG):
        return None
    place = _decoded(data, start, stop, end + len(END), reference)
    return place if line_end >= 0 else replace(place, start=_before_break(data, start))


def _before_break(data: bytes, start: int) -> int:
    """A last line without a line break at its end took the one before it."""
    return max(0, start - (2 if data[:start].endswith(b"\r\n") else 1))


def _opener(before: bytes) -> Comment | None:
    """The kind of comment that this opens; a line of its own, as in front matter, is one too."""
    text = before.strip()
    if not text:
        return Comment("")
    for comment in (*languages.pairs(), NOTE, INSTRUCTION):
        if text == comment.opens.strip().encode():
            return comment
    return None


def _decoded(data: bytes, start: int, stop: int, end: int, reference: bytes) -> Place:
    if not reference:
        return Place(start, stop, code="manifest.structuredText.emptyReference")
    if _URL.fullmatch(reference):
        return Place(start, stop, remote=True)
    if not reference.startswith(_DATA):
        return Place(start, stop, code="manifest.structuredText.malformedReference")
    encoded = reference[len(_DATA) :]
    try:
        store = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return Place(start, stop, code="manifest.structuredText.malformedReference")
    if base64.b64encode(store) != encoded:  # one store, one spelling
        return Place(start, stop, code="manifest.structuredText.malformedReference")
    return Place(start, stop, store, tuple(_cuts(data, start, stop, end)))


def _cuts(data: bytes, start: int, stop: int, end: int) -> Iterator[Cut]:
    """The exclusions that writers choose: with the line break before the block, with the one after it, or without."""
    view = memoryview(data)
    line = stop - len(data[end:stop]) + len(data[end:stop].rstrip(b"\r\n"))
    lead = start - 1 if start else 0
    introduced = start - 2 if data[max(0, start - 2) : start] == b"\r\n" else lead
    for first in dict.fromkeys((lead, introduced, start)):
        for last in dict.fromkeys((stop, line)):
            yield Cut(first, last - first, (view[:first], view[last:]))
