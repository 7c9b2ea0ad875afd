"""MP4, M4V, QuickTime and 3GP (ISO/IEC 14496-12): frames lie where the tables of their track say.

Every table is read with numpy, since a film of two hours has some hundred thousand frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from aikz_label.adapters.image.bmff import Box, pack
from aikz_label.adapters.video import film, isotracks, tables
from aikz_label.adapters.video.boxes import Tree
from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Film, Numbers, Recoded, Slots
from aikz_label.adapters.video.isotracks import Track
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.limits import Limits

_WIDE = 2**32
# What describes frames of the old coding, and cannot be true of the new one.
_STALE = (b"stps", b"stsh", b"subs")
_STALE_GROUPS = (b"rap ", b"sync", b"tele", b"roll", b"tsas", b"stsa", b"tscl", b"sap ")


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
        self.entry = isotracks.entry_of(moov, picture)
        self.tag = self.entry.kind.decode("latin-1")
        self.setup, self.lengths = isotracks.setup_of(moov, self.entry)
        self.slots = self._read_slots()
        edits = isotracks.edit_list(moov, picture)
        self.plain = tables.shows_all(
            edits, self.slots, self.time_base, isotracks.movie_scale(moov)
        )

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits) -> Film:
        """See `Film.parse`."""
        tops = Tree.read(source, limits).top
        kinds = {box.kind for box in tops}
        if b"moov" not in kinds:
            raise film.damaged()
        moov = isotracks.read_moov(source, tops)
        tracks = tuple(isotracks.read_tracks(moov, limits))
        if b"moof" in kinds:
            from aikz_label.adapters.video.fragments import Fragmented  # noqa: PLC0415  # builds on this

            return Fragmented(
                tops, moov, tracks, isotracks.picture_of(moov, tracks), source, limits
            )
        return cls(tops, moov, tracks, isotracks.picture_of(moov, tracks))

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
            parents = [track.box, *(track.boxes[k] for k in isotracks.PARENTS if k in track.boxes)]
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
        old = next((child for child in isotracks.children(moov, entry) if child.kind == kind), None)
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
