"""The index of a film of boxes: its tracks, which of them is shown, and how its frames are coded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, walk
from aikz_label.adapters.video import film, tables
from aikz_label.limits import MIB, Limits
from aikz_label.values import dataclass

_MAX_MOOV = 256 * MIB
_HERE = 1  # flag of a data reference: the frames are in this very file
_ENABLED = 1  # flag of a track: it is shown
_VISUAL = 78  # bytes of a sample entry before its boxes
_NEVER = {
    b"sinf": "its frames are encrypted",
    b"lhvC": "it holds a second picture for the other eye",
    b"dvcC": "Dolby Vision tells each frame's colours apart from the picture",
    b"dvvC": "Dolby Vision tells each frame's colours apart from the picture",
    b"dvwC": "Dolby Vision tells each frame's colours apart from the picture",
}
_NO_LIMIT = Limits(max_parts=1000)
PARENTS = (b"mdia", b"minf", b"stbl", b"dinf")


@dataclass(frozen=True, slots=True)
class Track:
    """A track: all its boxes by path, offsets within `moov`."""

    box: Box
    boxes: dict[bytes, Box]
    groups: tuple[Box, ...]

    def body(self, moov: bytes, kind: bytes) -> bytes:
        """Payload of a box; empty without one."""
        box = self.boxes.get(kind)
        return moov[box.body : box.stop] if box else b""


def read_moov(source: BinaryIO, tops: tuple[Box, ...]) -> bytes:
    """The whole box with all tables."""
    box = next(box for box in tops if box.kind == b"moov")
    if box.stop - box.start > _MAX_MOOV:
        raise MediaProblem(
            "over-limit", what_word="bytes", found=box.stop - box.start, limit=_MAX_MOOV
        )
    source.seek(box.start)
    return source.read(box.stop - box.start)


def read_tracks(moov: bytes, limits: Limits) -> Iterator[Track]:
    """Every track, its boxes by their kind."""
    head = 16 if moov[:4] == b"\0\0\0\1" else 8
    for box in walk(moov, head, len(moov), limits):
        if box.kind == b"cmov":
            raise film.variant("its tables are compressed")
        if box.kind != b"trak":
            continue
        boxes: dict[bytes, Box] = {}
        groups: list[Box] = []
        waiting = [box]
        while waiting:
            for child in walk(moov, (parent := waiting.pop()).body, parent.stop, limits):
                if child.kind == b"sbgp":
                    groups.append(child)
                boxes.setdefault(child.kind, child)
                if child.kind in PARENTS and boxes[child.kind] is child:
                    waiting.append(child)
        yield Track(box, boxes, tuple(groups))


def picture_of(moov: bytes, tracks: tuple[Track, ...]) -> Track:
    """The one track that is shown."""
    shown = [
        track
        for track in tracks
        if track.body(moov, b"hdlr")[8:12] == b"vide" and track.body(moov, b"stsd")
    ]
    enabled = [
        track for track in shown if int.from_bytes(track.body(moov, b"tkhd")[:4], "big") & _ENABLED
    ]
    chosen = enabled or shown
    if not chosen:
        raise film.no_picture()
    if len(chosen) > 1:
        raise film.variant("it has several pictures, each of which would need a notice")
    return chosen[0]


def edit_list(moov: bytes, track: Track) -> bytes:
    """`elst` of a track; empty without one."""
    box = track.boxes.get(b"edts")
    inner = walk(moov, box.body, box.stop, _NO_LIMIT) if box else ()
    return next((moov[one.body : one.stop] for one in inner if one.kind == b"elst"), b"")


def movie_scale(moov: bytes) -> int:
    """Units of the film's own times in a second."""
    head = 16 if moov[:4] == b"\0\0\0\1" else 8
    inner = walk(moov, head, len(moov), _NO_LIMIT)
    box = next((one for one in inner if one.kind == b"mvhd"), None)
    return tables.timescale(moov[box.body : box.stop]) if box else 1


def entry_of(moov: bytes, track: Track) -> Box:
    """The one sample entry of a track, its variants refused."""
    box = track.boxes[b"stsd"]
    entries = walk(moov, box.body + 8, box.stop, _NO_LIMIT)
    if len(entries) != 1:
        raise film.variant("its frames are coded in several ways")
    entry = entries[0]
    if entry.kind in {b"encv", b"drmi"}:
        raise film.encrypted()
    if entry.stop - entry.body < _VISUAL:
        raise film.damaged()
    for child in children(moov, entry):
        if child.kind == b"sinf":
            raise film.encrypted()
        if child.kind in _NEVER:
            raise film.variant(_NEVER[child.kind])
    if not inside(track.body(moov, b"dref")):
        raise film.variant("its frames are in another file")
    return entry


def setup_of(moov: bytes, entry: Box) -> tuple[bytes, int]:
    """`avcC` or `hvcC`, and in how many bytes it says that lengths are stored."""
    for child in children(moov, entry):
        at = {b"avcC": 4, b"hvcC": 21}.get(child.kind)
        if at is not None and child.stop - child.body > at:
            return moov[child.body : child.stop], (moov[child.body + at] & 3) + 1
    return b"", 0


def children(moov: bytes, entry: Box) -> tuple[Box, ...]:
    """Boxes of a sample entry; QuickTime closes them with four zero bytes."""
    stop = entry.stop
    if moov[stop - 4 : stop] == bytes(4) and stop - entry.body >= _VISUAL + 4:
        stop -= 4
        try:
            return walk(moov, entry.body + _VISUAL, stop, _NO_LIMIT)
        except MediaProblem:
            stop += 4
    return walk(moov, entry.body + _VISUAL, stop, _NO_LIMIT)


def inside(references: bytes) -> bool:
    """Whether all data references mean this file."""
    try:
        return all(
            references[box.body + 3 : box.body + 4] and references[box.body + 3] & _HERE
            for box in walk(references, 8, len(references), _NO_LIMIT)
        )
    except MediaProblem:
        return False
