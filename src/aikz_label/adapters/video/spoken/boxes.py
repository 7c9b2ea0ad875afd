"""The sounds of MP4 and QuickTime: their packets lie where the tables of their track say, or the runs of fragments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, pack, walk
from aikz_label.adapters.video import film, isotracks, tables
from aikz_label.adapters.video.boxes import Tree
from aikz_label.adapters.video.film import Numbers, Recoded, Slots
from aikz_label.adapters.video.fragments import Fragmented, Run
from aikz_label.adapters.video.isobmff import IsoFilm
from aikz_label.adapters.video.isotracks import Track
from aikz_label.adapters.video.splice import Edit, Splice
from aikz_label.adapters.video.spoken.tracks import Stored, Unspoken
from aikz_label.limits import Limits
from aikz_label.values import replace

# Bytes of a number in sample entries of PCM; 0 where the entry tells it.
_PCM = {
    b"raw ": 1,
    b"ulaw": 1,
    b"alaw": 1,
    b"in24": 3,
    b"in32": 4,
    b"fl32": 4,
    b"fl64": 8,
    b"twos": 0,
    b"sowt": 0,
    b"lpcm": 0,
    b"ipcm": 0,
    b"fpcm": 0,
}
_FEW = Limits(max_parts=1000)
_EACH = {0x100: "duration", 0x200: "size", 0x400: "flags", 0x800: "later"}  # columns of a run
_EACH_SIZE, _FIRST_FLAGS = 0x200, 0x4


def stored(source: BinaryIO, number: int, limits: Limits) -> Stored:
    """The track of a number.

    Raises:
        Unspoken: It is stored in an unusual way.
        MediaProblem: The film is damaged.
    """
    tops = Tree.read(source, limits).top
    moov = isotracks.read_moov(source, tops)
    tracks = tuple(isotracks.read_tracks(moov, limits))
    for track in tracks:
        if tables.track_id(track.body(moov, b"tkhd")) == number:
            break
    else:
        raise Unspoken("structure", "a track without a number")
    if any(top.kind == b"moof" for top in tops):
        return FragmentedSound(tops, moov, tracks, track, source, limits)
    return IsoSound(tops, moov, tracks, track)


class IsoSound(IsoFilm):
    """A sound of a file whose tables are in one `moov`."""

    fixed = False

    def __init__(
        self, tops: tuple[Box, ...], moov: bytes, tracks: tuple[Track, ...], chosen: Track
    ) -> None:
        self._tops, self._moov, self._tracks, self._picture = tops, moov, tracks, chosen
        self.moov_start = next(box.start for box in tops if box.kind == b"moov")
        self.track = tables.track_id(chosen.body(moov, b"tkhd"))
        self.entry = _entry(moov, chosen)
        self.pieces = self.entry.kind in _PCM
        box = chosen.boxes[b"stsd"]
        self.described = (self.moov_start + box.start, self.moov_start + box.stop)
        self.slots = self._read_slots()

    def _read_slots(self) -> Slots:
        return self._read_chunks() if self.pieces else super()._read_slots()

    def _read_chunks(self) -> Slots:
        """Of PCM whole chunks, because a table of its moments would be longer than the sound."""

        def get(kind: bytes) -> bytes:
            return self._picture.body(self._moov, kind)

        starts = tables.offsets(get(b"stco"), get(b"co64"))
        held = tables.per_chunk(get(b"stsc"), len(starts))
        size = held * _moment(self._moov, self.entry)
        if len(starts) and int((starts + size).max()) > self._tops[-1].stop:
            raise film.damaged()
        shown = np.concatenate([[0], np.cumsum(held)])[: len(held)]
        return Slots(starts, size, shown, np.ones(len(starts), np.bool_), shown)

    def _table_edits(self, recoded: Sequence[Recoded], setup: bytes) -> Iterator[Edit]:  # noqa: ARG002  # as before
        """The lengths of the packets; all else that is told of them stays true."""
        sizes = self.merged(recoded).size
        if self.pieces or np.array_equal(sizes, self.slots.size):
            return
        there = self._picture.boxes
        box = there.get(b"stsz") or there[b"stz2"]
        yield self._edit(box.start, box.stop, tables.pack_sizes(sizes))


class FragmentedSound(Fragmented, IsoSound):
    """A sound of a file of fragments."""

    def __init__(
        self,
        tops: tuple[Box, ...],
        moov: bytes,
        tracks: tuple[Track, ...],
        chosen: Track,
        source: BinaryIO,
        limits: Limits,
    ) -> None:
        if _entry(moov, chosen).kind in _PCM:
            raise Unspoken("structure", "PCM in fragments")
        super().__init__(tops, moov, tracks, chosen, source, limits)
        self._gone = []  # what is told of packets stays true

    def _run_edit(self, run: Run, new: Slots, splice: Splice | None) -> Edit:
        """A run with other lengths, and nothing else of it changed but where it begins."""
        moved = super()._run_edit(replace(run, first=-1), new, splice)
        if run.first < 0:
            return moved
        where = slice(run.first, run.first + run.count)
        if np.array_equal(new.size[where], self.slots.size[where]):
            return moved
        return replace(moved, data=_resized(moved.data, new.size[where]))


def _resized(trun: bytes, sizes: Numbers) -> bytes:
    """A `trun` that tells these lengths."""
    flags = int.from_bytes(trun[9:12])
    rows = 24 if flags & _FIRST_FLAGS else 20
    there = [bit for bit in _EACH if flags & bit]
    told = np.frombuffer(trun, ">u4", len(sizes) * len(there), rows).reshape(len(sizes), len(there))
    columns = {bit: told[:, i] for i, bit in enumerate(there)} | {_EACH_SIZE: sizes}
    table = np.stack([columns[bit] for bit in sorted(columns)], 1).astype(">u4").tobytes()
    head = trun[8:9] + (flags | _EACH_SIZE).to_bytes(3) + trun[12:rows]
    return pack(b"trun", head, table)


def _entry(moov: bytes, track: Track) -> Box:
    """The one sample entry of a track.

    Raises:
        Unspoken: There are several, or the packets are elsewhere or encrypted.
    """
    box = track.boxes.get(b"stsd")
    if box is None:
        raise film.damaged()
    entries = walk(moov, box.body + 8, box.stop, _FEW)
    if len(entries) != 1:
        raise Unspoken("structure", "its coding changes on the way")
    if entries[0].kind in {b"enca", b"drms"}:
        raise Unspoken("structure", "its packets are encrypted")
    if not isotracks.inside(track.body(moov, b"dref")):
        raise Unspoken("structure", "its packets are in another file")
    if not _plays_through(moov, track):
        raise Unspoken("structure", "an edit list puts it together from pieces")
    return entries[0]


def _plays_through(moov: bytes, track: Track) -> bool:
    """Whether an edit list plays one stretch at its own speed, at most after a pause."""
    elst = isotracks.edit_list(moov, track)
    wide = elst[:1] == b"\1"
    half, size = (8, 20) if wide else (4, 12)
    count = int.from_bytes(elst[4:8])
    if count > 2:
        return False
    entries = [elst[at : at + size] for at in range(8, min(len(elst), 8 + size * count), size)]
    played = [one for one in entries if one[half : 2 * half] != b"\xff" * half]
    return len(played) <= 1 and all(one[2 * half :] == b"\0\1\0\0" for one in played)


def _moment(moov: bytes, entry: Box) -> int:
    """Bytes of one moment of PCM, of all its channels.

    Raises:
        MediaProblem: The entry does not tell.
    """
    fields = moov[entry.body : entry.stop]
    if len(fields) < 28:
        raise film.damaged()
    version = int.from_bytes(fields[8:10])
    if version == 2 and len(fields) >= 64:  # of QuickTime
        found = int.from_bytes(fields[56:60])
    elif version == 1 and len(fields) >= 44 and entry.kind in _PCM:
        found = int.from_bytes(fields[36:40])
    else:
        bits = int.from_bytes(fields[18:20])
        found = int.from_bytes(fields[16:18]) * (_PCM[entry.kind] or -(-bits // 8))
    if not 0 < found <= 4096:
        raise MediaProblem("damaged", detail_word="cut")
    return found
