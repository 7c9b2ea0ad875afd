"""The tracks of a moving HEIF file: which samples they have, and when each is shown (ISO/IEC 14496-12, 8.3 to 8.7).

Read only; `movie` writes them. Every number is checked against the file before anything is read by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, Fields, cut, walk
from aikz_label.adapters.image.canvas import displayed_size
from aikz_label.adapters.image.heif.items import Property
from aikz_label.adapters.image.heif.sample_table import (
    Span,
    fields_of,
    places_of,
    sizes_of,
    sync_of,
    times_of,
)
from aikz_label.adapters.image.heif.tree import ALPHA, View, both, orientation_by
from aikz_label.limits import Limits
from aikz_label.values import dataclass, field

_VISUAL = 86  # bytes of a sample entry before the boxes in it
_ONE = 1 << 16  # in a matrix
_SHOWN = {b"pict", b"vide"}


@dataclass(frozen=True, slots=True)
class Track:
    """A track as its boxes say.

    Attributes:
        number: Its identifier in the file.
        handler: What it holds: `pict`, `vide`, `auxv`, `soun`, …
        box: The whole `trak`.
        table: The boxes of `stbl`, by type.
        speaks_of: Other tracks, by the kind of reference.
        entry: The first sample entry of pictures, without the boxes in it; empty for other tracks.
        entries: How many there are.
        described: The boxes in the sample entry.
        matrix: How pictures are turned, as EXIF numbers it; 0 for anything that it cannot say.
        chunks: Where the samples lie, as they are put together.
        samples: Where each sample lies, in the order of decoding.
        times: When each sample is shown and for how long, in the same order.
        sync: The samples that a player can begin with; `None` when all are.
        hidden: A sample is never shown.
        outside: Samples lie in another file.
    """

    number: int
    handler: bytes
    box: Box
    table: Mapping[bytes, Box]
    speaks_of: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    entry: bytes = b""
    entries: int = 1
    described: tuple[Property, ...] = ()
    matrix: int = 1
    chunks: tuple[Span, ...] = ()
    samples: tuple[Span, ...] = ()
    times: tuple[tuple[int, int], ...] = ()
    sync: frozenset[int] | None = None
    hidden: bool = False
    outside: bool = False
    whole: bytes = field(default=b"", repr=False, compare=False)

    @property
    def kind(self) -> bytes:
        """What its pictures are coded as."""
        return self.entry[4:8]

    @property
    def coded_size(self) -> tuple[int, int]:
        """Of its pictures as they are coded, px."""
        return int.from_bytes(self.entry[32:34]), int.from_bytes(self.entry[34:36])

    @property
    def view(self) -> View:
        """What is shown of its pictures."""
        view = View((0, 0, *self.coded_size))
        for found in self.described:
            view = view.then(found)
        return View(view.crop, both(view.orientation, self.matrix or 1))

    @property
    def size(self) -> tuple[int, int]:
        """Of its pictures as people see them, px."""
        view = self.view
        return displayed_size(view.crop[2:], view.orientation)

    def first(self, kind: bytes) -> bytes:
        """Payload of the first box of a kind in the sample entry, empty without one."""
        return next((found.body for found in self.described if found.kind == kind), b"")

    def targets(self, kind: bytes) -> tuple[int, ...]:
        """The tracks that it speaks of in one way."""
        return tuple(
            number for name, numbers in self.speaks_of if name == kind for number in numbers
        )

    def data(self) -> Iterator[bytes]:
        """Its samples."""
        return (self.whole[start:stop] for start, stop in self.samples)

    @property
    def is_alpha(self) -> bool:
        """Whether it says how opaque another track is."""
        return bool(self.targets(b"auxl")) and self.first(b"auxi")[4:].split(b"\0")[0] in ALPHA

    @property
    def is_shown(self) -> bool:
        """Whether it holds pictures that people see."""
        return self.handler in _SHOWN and not self.targets(b"auxl")


@dataclass(frozen=True, slots=True)
class Film:
    """A track that people see, and the one that says how opaque it is.

    Attributes:
        track: The pictures.
        alpha: Their opacity.
        preview: It repeats another track in fewer pixels.
    """

    track: Track
    alpha: Track | None = None
    preview: bool = False


def films(tracks: tuple[Track, ...]) -> tuple[Film, ...]:
    """The tracks that people see, those that repeat others in fewer pixels too."""
    alphas = {track.targets(b"auxl")[0]: track for track in reversed(tracks) if track.is_alpha}
    return tuple(
        Film(track, alphas.get(track.number), bool(track.targets(b"thmb")))
        for track in tracks
        if track.is_shown
    )


def read_tracks(data: bytes, movie: Box, limits: Limits) -> tuple[Track, ...]:
    """The tracks of `moov`.

    Raises:
        MediaProblem: It is damaged, points outside the file, or is over a limit.
    """
    boxes = walk(data, movie.body, movie.stop, limits)
    return tuple(_track(data, box, limits) for box in boxes if box.kind == b"trak")


def _children(data: bytes, box: Box | None, limits: Limits) -> dict[bytes, Box]:
    """The boxes in a box, the first of each type; none without one."""
    found = walk(data, box.body, box.stop, limits) if box else ()
    return {child.kind: child for child in reversed(found)}


def _track(data: bytes, box: Box, limits: Limits) -> Track:
    parts = _children(data, box, limits)
    media = _children(data, parts.get(b"mdia"), limits)
    inside = _children(data, media.get(b"minf"), limits)
    table = _children(data, inside.get(b"stbl"), limits)
    if b"tkhd" not in parts or not table.keys() >= {b"stsd", b"stts", b"stsc"}:
        raise MediaProblem("damaged", detail_word="no-header")
    number, matrix = _header(fields_of(data, parts[b"tkhd"]))
    handler = data[media[b"hdlr"].body + 8 : media[b"hdlr"].body + 12] if b"hdlr" in media else b""
    entry, described, entries = _entry(data, table[b"stsd"], handler, limits)
    sizes = sizes_of(data, table, limits)
    chunks, samples = places_of(data, table, sizes, limits)
    times, hidden = times_of(data, table, len(sizes))
    return Track(
        number, handler, box, table, tuple(_references(data, parts.get(b"tref"), limits)),
        entry, entries, described, matrix, chunks, samples, times, sync_of(data, table, len(sizes)), hidden,
        _outside(data, _children(data, inside.get(b"dinf"), limits).get(b"dref"), limits), data,
    )  # fmt: skip


def _header(fields: Fields) -> tuple[int, int]:
    """The number of a track, and how its matrix turns it."""
    version, _ = fields.version()
    fields.take(16 if version else 8)
    number = fields.number(4)
    fields.take((12 if version else 8) + 16)
    a, b, _, c, d, _, _, _, _ = (fields.signed(4) for _ in range(9))
    if not (a or b or c or d):  # left empty, which cannot be meant
        return number, 1
    return number, orientation_by((a / _ONE, c / _ONE, b / _ONE, d / _ONE))


def _references(
    data: bytes, box: Box | None, limits: Limits
) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    for child in walk(data, box.body, box.stop, limits) if box else ():
        fields = fields_of(data, child)
        yield child.kind, tuple(fields.number(4) for _ in range((child.stop - child.body) // 4))


def _entry(
    data: bytes, box: Box, handler: bytes, limits: Limits
) -> tuple[bytes, tuple[Property, ...], int]:
    """The first sample entry of pictures, the boxes in it, and how many entries there are."""
    entries = walk(data, box.body + 8, box.stop, limits)
    if handler not in _SHOWN | {b"auxv"}:
        return b"", (), len(entries)
    if not entries:
        raise MediaProblem("damaged", detail_word="no-header")
    entry = entries[0]
    if entry.body - entry.start != 8 or entry.stop - entry.start < _VISUAL:
        raise cut()
    inside = walk(data, entry.start + _VISUAL, entry.stop, limits)
    described = tuple(Property(data[one.start : one.stop], essential=True) for one in inside)
    return data[entry.start : entry.start + _VISUAL], described, len(entries)


def _outside(data: bytes, box: Box | None, limits: Limits) -> bool:
    """Whether samples may lie in another file."""
    entries = walk(data, box.body + 8, box.stop, limits) if box else ()
    return any(data[entry.body + 3 : entry.body + 4] != b"\1" for entry in entries)
