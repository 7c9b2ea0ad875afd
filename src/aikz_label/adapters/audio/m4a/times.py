"""Durations and edit lists of a `moov`: exact to the sample, in whatever units the file counts."""

from __future__ import annotations

import math

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.m4a import tables
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.values import dataclass

_UNKNOWN = {4: 0xFFFFFFFF, 8: (1 << 64) - 1}
_HEADS = {
    b"mvhd": (16, 24),
    b"mdhd": (16, 24),
    b"tkhd": (20, 28),
}  # where the duration is, by version


@dataclass(frozen=True, slots=True)
class Edit:
    """An entry of an edit list: how long, from which moment of the track (-1 for nothing), at which rate."""

    duration: int
    start: int
    rate: bytes


def timescale(box: Box) -> int:
    """Units per second of an `mvhd` or `mdhd`.

    Raises:
        MediaProblem: There is no such number.
    """
    at = 20 if box.content[:1] == b"\x01" else 12
    units = int.from_bytes(box.content[at : at + 4])
    if not units:
        raise MediaProblem("damaged", detail_word="cut")
    return units


def set_timescale(box: Box, units: int) -> None:
    """Write how many units per second an `mvhd` or `mdhd` counts."""
    at = 20 if box.content[:1] == b"\x01" else 12
    box.content = box.content[:at] + units.to_bytes(4) + box.content[at + 4 :]


def edits(trak: Box) -> list[Edit]:
    """The edit list of a track.

    Raises:
        MediaProblem: It goes beyond its end.
    """
    box = trak.first(b"edts", b"elst")
    if box is None:
        return []
    width = 8 if box.content[:1] == b"\x01" else 4
    step = 2 * width + 4
    count = int.from_bytes(box.content[4:8])
    if 8 + count * step > len(box.content):
        raise MediaProblem("damaged", detail_word="cut")
    found = []
    for at in range(8, 8 + count * step, step):
        duration = int.from_bytes(box.content[at : at + width])
        start = int.from_bytes(box.content[at + width : at + 2 * width], signed=True)
        found.append(Edit(duration, start, box.content[at + 2 * width : at + step]))
    return found


def set_edits(trak: Box, listed: list[Edit]) -> None:
    """Write an edit list; one is made where there is none."""
    box = trak.first(b"edts", b"elst")
    if box is None:
        box = Box(b"elst", bytes(8))
        assert trak.children is not None
        at = next((i for i, c in enumerate(trak.children) if c.name == b"tkhd"), -1) + 1
        trak.children.insert(at, Box(b"edts", b"", [box]))
    wide = any(max(e.duration, e.start) >= 1 << 31 for e in listed)
    width = 8 if wide or box.content[:1] == b"\x01" else 4
    stored = b"".join(
        e.duration.to_bytes(width) + e.start.to_bytes(width, signed=True) + e.rate for e in listed
    )
    box.content = bytes((width == 8, *box.content[1:4])) + len(listed).to_bytes(4) + stored


def make_exact(moov: Box, samples: int, rate: int) -> None:
    """Count the film's time in smaller units, so that a number of samples is a whole number of them."""
    units = timescale(moov.need(b"mvhd"))
    factor = rate // math.gcd(samples * units, rate)
    longest = max((duration(box) for box in _film_heads(moov)), default=0)
    if factor == 1 or units * factor >= 1 << 31 or longest * factor >= 1 << 31:
        return
    set_timescale(moov.need(b"mvhd"), units * factor)
    for box in _film_heads(moov):
        set_duration(box, duration(box) * factor)
    for trak in moov.all(b"trak"):
        listed = edits(trak)
        if listed:
            set_edits(trak, [Edit(e.duration * factor, e.start, e.rate) for e in listed])


def lengthen(box: Box, more: int) -> None:
    """Make the duration of an `mvhd`, `tkhd` or `mdhd` longer, if it tells one."""
    width = 8 if box.content[:1] == b"\x01" else 4
    found = duration(box)
    if found and found != _UNKNOWN[width]:
        set_duration(box, found + more)


def delay(trak: Box, shift: Shift, film: int) -> None:
    """Let a track of chapters begin behind the first notice, and make those longer in which another one goes."""
    media = trak.need(b"mdia", b"mdhd")
    units = timescale(media)
    stbl = trak.need(b"mdia", b"minf", b"stbl")
    table = tables.read(stbl)
    starts = np.concatenate(([0], np.cumsum(table.durations)))
    moved = [shift.units(int(at), units) for at in starts[:-1]]
    moved.append(shift.units(int(starts[-1]), units, end=True))
    fresh: tables.Numbers = np.diff(np.array(moved, np.int64)).astype(np.int64)
    first = shift.units(0, film)
    stbl.need(b"stts").content = tables.runs(fresh)
    lengthen(media, int(fresh.sum()) - int(starts[-1]))
    whole = round(int(fresh.sum()) * film / units)
    listed = edits(trak) or [Edit(whole, 0, b"\0\1\0\0")]
    if listed[0].start == -1:
        listed[0] = Edit(listed[0].duration + first, -1, listed[0].rate)
    else:
        listed.insert(0, Edit(first, -1, b"\0\1\0\0"))
    set_edits(trak, listed)
    lengthen(trak.need(b"tkhd"), round(shift.total * film / shift.rate))


def duration(box: Box) -> int:
    """The duration that an `mvhd`, `tkhd` or `mdhd` tells."""
    at, width = _where(box)
    return int.from_bytes(box.content[at : at + width])


def set_duration(box: Box, units: int) -> None:
    """Write it."""
    at, width = _where(box)
    if units >= 1 << 8 * width:
        raise MediaProblem("damaged", detail_word="too-long")
    box.content = box.content[:at] + units.to_bytes(width) + box.content[at + width :]


def _film_heads(moov: Box) -> list[Box]:
    """The boxes whose durations count in the film's time."""
    return [*moov.all(b"mvhd"), *moov.all(b"trak", b"tkhd")]


def _where(box: Box) -> tuple[int, int]:
    wide = box.content[:1] == b"\x01"
    at, width = _HEADS[box.name][wide], 8 if wide else 4
    if at + width > len(box.content):
        raise MediaProblem("damaged", detail_word="cut")
    return at, width
