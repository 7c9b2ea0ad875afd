"""An ID3v2 tag in a chunk of its own, as in WAV and AIFF."""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import id3_frames
from aikz_label.adapters.audio.tags.id3 import Tag
from aikz_label.label import Label

NAMES = {b"id3 ", b"ID3 "}


def texts(content: bytes) -> Iterator[Text]:
    """The texts of the tag; none of one that cannot be read."""
    tag = _tag(content)
    if tag is not None:
        yield from id3_frames.texts(tag)


def rewritten(content: bytes, label: Label, shift: Shift) -> bytes | None:
    """The chunk with mirrors and moved moments; `None` when the tag cannot be read."""
    tag = _tag(content)
    if tag is None:
        return None
    fresh = id3_frames.with_mirror(id3_frames.moved(tag, shift), label)
    return b"".join((*fresh.stored(), content[tag.length :]))


def _tag(content: bytes) -> Tag | None:
    try:
        return Tag.read(content) if content[:3] == b"ID3" else None
    except MediaProblem:
        return None
