"""The box `moov` written anew: the same tracks, some of them with other samples, and all samples in another place.

Everything that is not said of samples stays byte for byte: when they are shown, how often the whole is repeated, names,
languages, edit lists, references between tracks, and every box that is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from aikz_label.adapters.image.bmff import Box, cut, pack, walk
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.image.heif.stream import Coded
    from aikz_label.adapters.image.heif.tracks import Track

_HOLDERS = {b"trak", b"mdia", b"minf", b"stbl"}
# What is said of samples, and written anew with them.
_REWRITTEN = {b"stsd", b"stsz", b"stz2", b"stsc", b"stco", b"co64", b"stts", b"ctts", b"stss"}
# What is said of how samples depend on each other, and of parts of them: no longer true of others.
_OUTDATED = {b"sdtp", b"stsh", b"subs", b"cslg", b"stps", b"padb", b"stdp"}
_GROUPS = {b"sbgp", b"sgpd", b"csgp"}
_CODING = {b"refs", b"sync", b"rap ", b"roll", b"prol", b"tele", b"tsas", b"stsa", b"tscl", b"scif"}


@dataclass(frozen=True, slots=True)
class Movie:
    """A `moov` box and its tracks.

    Attributes:
        whole: The file that both lie in.
        box: The whole box.
        tracks: All of them.
        coded: What takes the place of samples, by track.
    """

    whole: bytes
    box: Box
    tracks: tuple[Track, ...]
    coded: Mapping[int, Coded]

    @property
    def contents(self) -> Iterator[bytes]:
        """The samples of all tracks, chunk by chunk."""
        for track in self.tracks:
            if track.number in self.coded:
                yield b"".join(self.coded[track.number].samples)
            else:
                yield from (self.whole[start:stop] for start, stop in track.chunks)

    def written(self, at: int) -> bytes:
        """The box, for samples that lie one after another; its size does not depend on where.

        Args:
            at: Where they begin in the file.
        """
        tracks = {track.box.start: track for track in self.tracks}
        out = []
        for box in walk(self.whole, self.box.body, self.box.stop, NO_LIMITS):
            track = tracks.get(box.start)
            if track is None:
                out.append(self.whole[box.start : box.stop])
                continue
            coded = self.coded.get(track.number)
            out.append(self._holder(box, track, coded, at))
            chunks = track.chunks
            at += sum(map(len, coded.samples)) if coded else sum(b - a for a, b in chunks)
        return pack(b"moov", *out)

    def _holder(self, box: Box, track: Track, coded: Coded | None, at: int) -> bytes:
        """A box of boxes, what is said of samples in it anew."""
        out = []
        for child in walk(self.whole, box.body, box.stop, NO_LIMITS):
            body = self.whole[child.body : child.stop]
            if child.kind in _HOLDERS:
                out.append(self._holder(child, track, coded, at))
            elif box.kind == b"stbl" and child.kind in {b"stco", b"co64"}:
                out.append(_offsets(child.kind, track, coded, at))
            elif box.kind == b"stbl" and coded and child.kind == b"stsd":
                out.append(_description(body, track, coded))
            elif not (box.kind == b"stbl" and coded and _is_outdated(child.kind, body)):
                out.append(self.whole[child.start : child.stop])
        if box.kind == b"stbl" and coded:
            out += _tables(track, coded)
        return pack(box.kind, *out)


def _is_outdated(kind: bytes, body: bytes) -> bool:
    if kind in _GROUPS:
        return body[4:8] in _CODING
    return kind in _REWRITTEN or kind in _OUTDATED


def _offsets(kind: bytes, track: Track, coded: Coded | None, at: int) -> bytes:
    """Where the chunks of a track lie; new samples are a single one."""
    wide = 4 if kind == b"stco" else 8
    starts = [at]
    for start, stop in () if coded else track.chunks:
        starts.append(starts[-1] + stop - start)
    starts = starts[:1] if coded else starts[:-1]
    return pack(
        kind, bytes(4), len(starts).to_bytes(4), *(start.to_bytes(wide) for start in starts)
    )


def _description(body: bytes, track: Track, coded: Coded) -> bytes:
    """The sample entry with another configuration; pictures may now depend on others in any way."""
    inside = []
    for found in track.described:
        if found.kind == coded.configuration[4:8]:
            inside.append(coded.configuration)
        elif found.kind == b"ccst":
            word = int.from_bytes(found.body[4:8]) & ~(1 << 31) | 0x1F << 26
            inside.append(pack(b"ccst", found.body[:4], word.to_bytes(4)))
        elif found.kind not in {b"lhvC", b"btrt"}:
            inside.append(found.box)
    fixed = track.entry[8:]
    return pack(b"stsd", body[:8], pack(track.kind, fixed, *inside))


def _tables(track: Track, coded: Coded) -> list[bytes]:
    """Sizes, times and places to begin of the new samples, which are decoded in the order in which they are shown."""
    times = sorted(track.times)
    total = sum(length for _, length in track.times)
    starts = [start for start, _ in times]
    lengths = [after - start for start, after in pairwise(starts)]
    lengths.append(max(0, total - sum(lengths)))
    if not -(1 << 31) <= starts[0] < 1 << 31 or max(lengths) >> 32:
        raise cut()  # no film lasts as long
    runs = [(len(list(same)), length) for length, same in groupby(lengths)]
    count = len(coded.samples).to_bytes(4)
    boxes = [
        pack(b"stts", _full(len(runs)), *(a.to_bytes(4) + b.to_bytes(4) for a, b in runs)),
        pack(b"stsc", _full(1), (1).to_bytes(4), count, (1).to_bytes(4)),
        pack(b"stsz", bytes(8), count, *(len(one).to_bytes(4) for one in coded.samples)),
    ]
    if starts[0]:  # when the first is shown
        signed = b"\1" + _full(1)[1:]
        boxes.append(pack(b"ctts", signed, count, starts[0].to_bytes(4, signed=True)))
    if coded.sync is not None:
        numbers = (number + 1 for number in sorted(coded.sync))
        boxes.append(pack(b"stss", _full(len(coded.sync)), *(n.to_bytes(4) for n in numbers)))
    return boxes


def _full(count: int) -> bytes:
    """Version, flags and the number of rows."""
    return bytes(4) + count.to_bytes(4)
