"""Where the markers of a text are, whatever kind of text it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from aikz_label.carriers import armour, script, selectors
from aikz_label.carriers.embedded import Cut, Place
from aikz_label.carriers.selectors import Wrapper

_MULTIPLE = "manifest.text.multipleWrappers"
_CORRUPTED = "manifest.text.corruptedWrapper"


def find(data: bytes) -> tuple[list[Place], str]:
    """Every marker in a text, and the status code for more than one; linear in the text."""
    kinds = (
        (list(_wrappers(data)), _MULTIPLE),
        (armour.find(data), armour.MULTIPLE),
        (script.find(data), script.MULTIPLE),
    )
    places = [place for found, _ in kinds for place in found]
    multiple = next((code for found, code in kinds if len(found) > 1), _MULTIPLE)
    return sorted(places, key=lambda place: place.start), multiple


def bare(data: bytes, places: Sequence[Place]) -> bytes:
    """The text without its markers; an address of one elsewhere stays."""
    pieces, done = [], 0
    for place in places:
        if not place.remote and place.start >= done:
            pieces.append(data[done : place.start])
            done = place.stop
    return b"".join([*pieces, data[done:]])


def _wrappers(data: bytes) -> Iterator[Place]:
    at = data.find(selectors.START)
    if at < 0:
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        yield Place(at, len(data), code=_CORRUPTED)
        return
    found = selectors.find(text)
    done = stop = 0
    for wrapper in found:
        start = stop + len(text[done : wrapper.start].encode())
        stop = start + len(text[wrapper.start : wrapper.padded].encode())
        done = wrapper.padded
        if wrapper.store is None:
            yield Place(start, stop, code=_CORRUPTED)
        elif len(found) > 1:  # nobody asks to what it is bound: there must be one
            yield Place(start, stop, wrapper.store)
        else:
            cuts = tuple(_cuts(data, text, wrapper, start))
            yield Place(start, stop, wrapper.store, cuts)


def _cuts(data: bytes, text: str, wrapper: Wrapper, start: int) -> Iterator[Cut]:
    """What is hashed is the composed form (NFC) of the text around the wrapper.

    Where the text is in that form, its bytes are what is hashed. Where it is not any more, because some program took the
    letters apart on the way, the exclusion still names the place in the composed form.
    """
    view = memoryview(data)
    for end in dict.fromkeys((wrapper.stop, wrapper.padded)):
        length = len(text[wrapper.start : end].encode())
        before, after = text[: wrapper.start], text[end:]
        if unicodedata.is_normalized("NFC", before) and unicodedata.is_normalized("NFC", after):
            if _apart(before, after):
                yield Cut(start, length, (view[:start], view[start + length :]))
            continue
        first, second = (unicodedata.normalize("NFC", part) for part in (before, after))
        if _apart(first, second):
            whole = (first.encode(), second.encode())
            for at in dict.fromkeys((start, len(whole[0]))):
                yield Cut(at, length, whole)


def _apart(before: str, after: str) -> bool:
    """Whether the two stay as they are when nothing is between them any more."""
    edge = before[-40:] + after[:40]
    return unicodedata.normalize("NFC", edge) == edge
