"""MP4, M4V, QuickTime and 3GP (ISO/IEC 14496-12): frames lie where the tables of their track say.

Every table is read with numpy, since a film of two hours has some hundred thousand frames.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, pack, walk
from aikz_label.adapters.video import film, tables
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Film, Numbers, Recoded, Slots
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.limits import MIB, Limits

_MAX_MOOV = 256 * MIB
_MAX_TOP = 100_000
_HERE = 1  # flag of a data reference: the frames are in this very file
_ENABLED = 1  # flag of a track: it is shown
_WIDE = 2**32
_VISUAL = 78  # bytes of a sample entry before its boxes
# What describes frames of the old coding, and cannot be true of the new one.
_STALE = (b"stps", b"stsh", b"subs")
_STALE_GROUPS = (b"rap ", b"sync", b"tele", b"roll", b"tsas", b"stsa", b"tscl", b"sap ")
_NEVER = {
    b"sinf": "its frames are encrypted",
    b"lhvC": "it holds a second picture for the other eye",
    b"dvcC": "Dolby Vision tells each frame's colours apart from the picture",
    b"dvvC": "Dolby Vision tells each frame's colours apart from the picture",
    b"dvwC": "Dolby Vision tells each frame's colours apart from the picture",
}


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


_PARENTS = (b"mdia", b"minf", b"stbl", b"dinf")


class IsoFilm(Film):
    """A file whose tables are in one `moov`."""

    def __init__(
        self, tops: tuple[Box, ...], moov: bytes, tracks: tuple[Track, ...], picture: Track
    ) -> None:
        self._tops, self._moov, self._tracks, self._picture = tops, moov, tracks, picture
        self.moov_start = next(box.start for box in tops if box.kind == b"moov")
        scale = tables.timescale(picture.body(moov, b"mdhd"))
        self.time_base = Fraction(1, scale)
        self.track = tables.track_id(picture.body(moov, b"tkhd"))
        self.entry = _entry(moov, picture)
        self.tag = self.entry.kind.decode("latin-1")
        self.setup, self.lengths = _setup(moov, self.entry)
        self.slots = self._read_slots()
        edits = edit_list(moov, picture)
        self.plain = tables.shows_all(edits, self.slots, self.time_base, _movie_scale(moov))

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits) -> Film:
        """See `Film.parse`."""
        tops = top_level(source, limits)
        kinds = {box.kind for box in tops}
        if b"moov" not in kinds:
            raise film.damaged()
        moov = read_moov(source, tops)
        tracks = tuple(read_tracks(moov, limits))
        if b"moof" in kinds:
            from aikz_label.adapters.video.fragments import Fragmented  # noqa: PLC0415  # builds on this

            return Fragmented(tops, moov, tracks, _picture(moov, tracks), source, limits)
        return cls(tops, moov, tracks, _picture(moov, tracks))

    def _read_slots(self) -> Slots:
        def get(kind: bytes) -> bytes:
            return self._picture.body(self._moov, kind)

        end = self._tops[-1].stop
        sizes = tables.sizes(get(b"stsz"), get(b"stz2"), end)
        offsets = tables.offsets(get(b"stco"), get(b"co64"))
        start = tables.starts(sizes, offsets, get(b"stsc"))
        if len(start) and (start.min() < 0 or int((start + sizes).max()) > end):
            raise film.damaged()
        decoded = tables.decoded(get(b"stts"), len(sizes))
        shown = decoded + tables.composition(get(b"ctts"), len(sizes))
        has_keys = b"stss" in self._picture.boxes
        return Slots(start, sizes, shown, tables.keys(get(b"stss"), len(sizes), has_keys), decoded)

    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        """See `Film.write`."""
        frames = list(frame_edits(self.slots, recoded))
        fixed = [*frames, *self._table_edits(recoded, setup.box)]
        for wide in (
            False,
            True,
        ):  # whether some chunk lies beyond 4 GiB is known only once all has its place
            edits = [*fixed, *self._offset_edits(None, wide=wide)]
            splice = self._spliced(edits)
            if wide or self._tops[-1].stop + splice.growth < _WIDE:
                break
        edits = [*fixed, *self._offset_edits(splice, wide=wide)]
        self._spliced(edits).write(source, spool, destination)

    def _spliced(self, edits: list[Edit], inner: list[Edit] | None = None) -> Splice:
        """The edits, and those of the headers of all boxes that `inner` ones, or all, make larger or smaller."""
        at, changed = self.moov_start, [box for box in self._tops if box.kind in {b"moov", b"mdat"}]
        for track in self._tracks:
            parents = [track.box, *(track.boxes[k] for k in _PARENTS if k in track.boxes)]
            changed += [Box(b.kind, b.start + at, b.body + at, b.stop + at) for b in parents]
        try:
            return Splice([*edits, *headers(changed, inner or edits)])
        except ValueError:
            raise film.variant("several frames share the same bytes") from None

    def _table_edits(self, recoded: Sequence[Recoded], setup: bytes) -> Iterator[Edit]:
        """The tables of the picture's track."""
        track, added = self._picture, b""
        for kind, data in self._made(recoded).items():
            box = track.boxes.get(kind)
            if box is None:
                added += data
            elif data != self._moov[box.start : box.stop]:
                yield self._edit(box.start, box.stop, data)
        for box in track.groups:
            if self._moov[box.body + 4 : box.body + 8] in _STALE_GROUPS:
                yield self._edit(box.start, box.stop, b"")
        if added:
            end = track.boxes[b"stbl"].stop
            yield self._edit(end, end, added)
        if setup:
            yield self._setup_edit(setup)

    def _made(self, recoded: Sequence[Recoded]) -> dict[bytes, bytes]:
        """The tables as they will be; empty for those that there will be no more."""
        new, there = self.merged(recoded), self._picture.boxes
        assert new.decoded is not None
        later = new.shown - new.decoded
        made = dict.fromkeys((*_STALE, b"stz2"), b"")
        made[b"stsz"] = tables.pack_sizes(new.size)
        made[b"ctts"] = tables.pack_composition(later, always=b"ctts" in there)
        made[b"stss"] = tables.pack_keys(new.key)
        if b"cslg" in there:
            made[b"cslg"] = b""  # a summary of `ctts`, optional
        if b"sdtp" in there:
            made[b"sdtp"] = pack(b"sdtp", bytes(4 + len(new)))  # nothing known of who needs whom
        return made

    def _setup_edit(self, setup: bytes) -> Edit:
        """The whole table of sample entries, with another decoder configuration."""
        box, moov = self._picture.boxes[b"stsd"], self._moov
        entry = self.entry
        kind = setup[4:8]
        old = next((child for child in _children(moov, entry) if child.kind == kind), None)
        if old is None:
            raise film.variant("it says nowhere how its frames are decoded")
        body = moov[entry.body : old.start] + setup + moov[old.stop : entry.stop]
        data = moov[box.body : entry.start] + pack(entry.kind, body) + moov[entry.stop : box.stop]
        return self._edit(box.start, box.stop, pack(b"stsd", data))

    def _offset_edits(self, splice: Splice | None, *, wide: bool) -> Iterator[Edit]:
        """The tables of chunks of all tracks."""
        for track in self._tracks:
            for kind in (b"stco", b"co64"):
                box = track.boxes.get(kind)
                if box is None:
                    continue
                body = self._moov[box.body : box.stop]
                offsets = (
                    tables.offsets(body, b"") if kind == b"stco" else tables.offsets(b"", body)
                )
                moved = splice.moved(offsets) if splice else offsets
                data = tables.pack_offsets(moved, wide=wide or kind == b"co64")
                yield self._edit(box.start, box.stop, data)

    def _edit(self, start: int, stop: int, data: bytes) -> Edit:
        return Edit(self.moov_start + start, self.moov_start + stop, data)


_NO_LIMIT = Limits(max_parts=1000)


def top_level(source: BinaryIO, limits: Limits) -> tuple[Box, ...]:
    """The boxes of the file itself, read one header at a time."""
    end = source.seek(0, io.SEEK_END)
    found: list[Box] = []
    start = 0
    while start + 8 <= end:
        source.seek(start)
        head = source.read(16)
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            raise film.damaged()
        found.append(Box(kind, start, body, start + size))
        if len(found) > min(limits.max_parts, _MAX_TOP):
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(found), limit=limits.max_parts
            )
        start += size
    if start != end and any(_rest(source, start)):
        raise film.damaged()
    return tuple(found)


def _rest(source: BinaryIO, start: int) -> bytes:
    source.seek(start)
    return source.read(8)


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
                if child.kind in _PARENTS and boxes[child.kind] is child:
                    waiting.append(child)
        yield Track(box, boxes, tuple(groups))


def _picture(moov: bytes, tracks: tuple[Track, ...]) -> Track:
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


def _movie_scale(moov: bytes) -> int:
    head = 16 if moov[:4] == b"\0\0\0\1" else 8
    inner = walk(moov, head, len(moov), _NO_LIMIT)
    box = next((one for one in inner if one.kind == b"mvhd"), None)
    return tables.timescale(moov[box.body : box.stop]) if box else 1


def _entry(moov: bytes, track: Track) -> Box:
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
    for child in _children(moov, entry):
        if child.kind == b"sinf":
            raise film.encrypted()
        if child.kind in _NEVER:
            raise film.variant(_NEVER[child.kind])
    if not inside(track.body(moov, b"dref")):
        raise film.variant("its frames are in another file")
    return entry


def _setup(moov: bytes, entry: Box) -> tuple[bytes, int]:
    """`avcC` or `hvcC`, and in how many bytes it says that lengths are stored."""
    for child in _children(moov, entry):
        at = {b"avcC": 4, b"hvcC": 21}.get(child.kind)
        if at is not None and child.stop - child.body > at:
            return moov[child.body : child.stop], (moov[child.body + at] & 3) + 1
    return b"", 0


def _children(moov: bytes, entry: Box) -> tuple[Box, ...]:
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


def headers(boxes: Sequence[Box], edits: Sequence[Edit]) -> Iterator[Edit]:
    """New headers for boxes in which edits lie."""
    starts = np.array([edit.start for edit in edits], np.int64)
    stops = np.array([edit.stop for edit in edits], np.int64)
    order = np.lexsort((stops, starts))
    starts, stops = starts[order], stops[order]
    growth = np.array([edit.growth for edit in edits], np.int64)[order]
    total = np.concatenate([[0], np.cumsum(growth)])
    for box in boxes:
        low = int(np.searchsorted(starts, box.body, side="left"))
        high = int(np.searchsorted(stops, box.stop, side="right"))
        grown = int(total[max(low, high)] - total[low])
        if grown:
            yield _header(box, box.stop - box.body + grown)


def _header(box: Box, payload: int) -> Edit:
    if box.body - box.start == 8 and payload + 8 < _WIDE:
        data = (payload + 8).to_bytes(4, "big") + box.kind
    else:
        data = b"\0\0\0\1" + box.kind + (payload + 16).to_bytes(8, "big")
    return Edit(box.start, box.body, data)


def frame_edits(slots: Slots, recoded: Sequence[Recoded]) -> Iterator[Edit]:
    """New frames in the places of old ones."""
    for run in recoded:
        old: Numbers = slots.start[run.where]
        stop: Numbers = old + slots.size[run.where]
        for begin, end, where, length in zip(
            old.tolist(), stop.tolist(), run.start.tolist(), run.size.tolist(), strict=True
        ):
            yield Edit(begin, end, b"", where, length)
