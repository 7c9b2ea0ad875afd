"""The tracks of Matroska and WebM: which of them is shown, and how its frames are coded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from aikz_label.adapters.video import film, mkvpacking
from aikz_label.adapters.video.mkvpacking import Packing
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import TRACKS, Element
from aikz_label.limits import MIB
from aikz_label.values import dataclass

ENTRY, PRIVATE = 0xAE, 0x63A2
_NUMBER, _TYPE, _CODEC, _ENABLED = 0xD7, 0x83, 0x86, 0xB9
_ENCODINGS, _VIDEO, _ALPHA, _STEREO = 0x6D80, 0xE0, 0x53C0, 0x53B8
_MOST_TRACKS = 16 * MIB


@dataclass(frozen=True, slots=True)
class Entry:
    """The track that is shown."""

    number: int
    codec: str
    private: Element | None
    lengths: int
    tag: str
    setup: bytes
    packing: Packing | None = None


def picture(source: BinaryIO, tops: Sequence[Element]) -> Entry:
    """The one track that is shown.

    Raises:
        MediaProblem: There are no tracks, or they are damaged.
        Refused: It cannot be handled.
    """
    tracks = next((top for top in tops if top.name == TRACKS), None)
    if tracks is None or tracks.stop - tracks.body > _MOST_TRACKS:
        raise film.damaged()
    found = []
    for child in ebml.children(source, tracks, 10_000):
        if child.name == ENTRY:
            parts = {part.name: part for part in ebml.children(source, child, 10_000)}
            if _TYPE in parts and ebml.number(source, parts[_TYPE]) == 1:
                found.append(parts)
    enabled = [
        parts for parts in found if _ENABLED not in parts or ebml.number(source, parts[_ENABLED])
    ]
    chosen = enabled or found
    if not chosen:
        raise film.no_picture()
    if len(chosen) > 1:
        raise film.variant("it has several pictures, each of which would need a notice")
    return _entry(source, chosen[0])


def _entry(source: BinaryIO, parts: dict[int, Element]) -> Entry:
    """The track that is shown, its variants refused."""
    packing = mkvpacking.of(source, parts[_ENCODINGS]) if _ENCODINGS in parts else None
    if _VIDEO in parts:
        inner = {c.name: _content(source, c) for c in ebml.children(source, parts[_VIDEO], 1000)}
        if int.from_bytes(inner.get(_ALPHA, b"")[:8]):
            raise film.variant("its pictures are transparent in part")
        if int.from_bytes(inner.get(_STEREO, b"")[:8]):
            raise film.variant("it holds pictures for two eyes")
    if _NUMBER not in parts or _CODEC not in parts:
        raise film.damaged()
    codec = _content(source, parts[_CODEC]).rstrip(b"\0").decode("ascii", "replace")
    private = parts.get(PRIVATE)
    data = _content(source, private) if private else b""
    at = {"V_MPEG4/ISO/AVC": 4, "V_MPEGH/ISO/HEVC": 21}.get(codec)
    lengths = (data[at] & 3) + 1 if at is not None and len(data) > at else 0
    tag = data[:4].decode("latin-1") if codec == "V_PRORES" else ""
    return Entry(
        ebml.number(source, parts[_NUMBER]),
        codec,
        private,
        lengths,
        tag,
        data if lengths else b"",
        packing,
    )


def _content(source: BinaryIO, found: Element) -> bytes:
    source.seek(found.body)
    return source.read(min(found.stop - found.body, MIB))
