"""Moments of a WAV file's sound that its chunks tell: cues, loops, peaks, lengths, and the time of day of its start."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from aikz_label.adapters.audio.shifting import Shift

_UNKNOWN = {0, 0xFFFFFFFF}


def moved(name: bytes, content: bytes, shift: Shift) -> bytes | None:
    """The content of a chunk with its moments moved; `None` when it stays as it is."""
    if not shift.total:
        return None
    stored = bytearray(content)
    MOVED[name](stored, shift)
    return bytes(stored)


def cues(content: bytes) -> dict[int, int]:
    """The moment of each point of a `cue ` chunk."""
    found = {}
    for at in range(4, len(content) - 23, 24):
        number, place = struct.unpack_from("<II", content, at)
        found[number] = place
    return found


def stretched(name: bytes, content: bytes, points: Mapping[int, int], shift: Shift) -> bytes | None:
    """A chunk that tells lengths of stretches which begin at points: one with a notice in it becomes longer.

    `None` when it stays as it is.
    """
    if not shift.total:
        return None
    stored = bytearray(content)
    if name == b"plst":  # a list for playing: point, length, how often
        places = list(range(4, len(stored) - 11, 12))
    elif content[:4] == b"adtl":
        places = _labelled(content)
    else:
        return None
    for at in places:
        number, length = struct.unpack_from("<II", stored, at)
        start = points.get(number)
        if start is not None and length:
            last = shift.samples(start + length, end=True)
            struct.pack_into("<I", stored, at + 4, min(last - shift.samples(start), 0xFFFFFFFF))
    return bytes(stored)


def _labelled(content: bytes) -> list[int]:
    """Where in a list of labels those of stretches are."""
    found, at = [], 4
    while at + 8 <= len(content):
        if content[at : at + 4] == b"ltxt" and at + 16 <= len(content):
            found.append(at + 8)
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return found


def _fact(stored: bytearray, shift: Shift) -> None:
    """How many moments there are."""
    if len(stored) >= 4 and int.from_bytes(stored[:4], "little") not in _UNKNOWN:
        _move(stored, 0, lambda at: at + shift.total)


def _cues(stored: bytearray, shift: Shift) -> None:
    """Points in the sound: twice as a moment, in between as places in the file, which are 0 for such sound."""
    for at in range(4, len(stored) - 23, 24):
        if stored[at + 8 : at + 12] == b"data":
            _move(stored, at + 4, shift.samples)
            _move(stored, at + 20, shift.samples)


def _loops(stored: bytearray, shift: Shift) -> None:
    """Of a sampler: the first and the last moment of each loop."""
    count = int.from_bytes(stored[28:32], "little")
    for at in range(36, min(len(stored) - 23, 36 + 24 * count), 24):
        _move(stored, at + 8, shift.samples)
        _move(stored, at + 12, shift.samples)


def _peaks(stored: bytearray, shift: Shift) -> None:
    """Of each channel: how high the highest peak is, and where."""
    for at in range(8, len(stored) - 7, 8):
        _move(stored, at + 4, shift.samples)


def _markers(stored: bytearray, shift: Shift) -> None:
    """EBU's markers, of 320 bytes each."""
    for at in range(0, len(stored) - 319, 320):
        low, high = struct.unpack_from("<II", stored, at + 4)
        place = shift.samples(high << 32 | low)
        struct.pack_into("<II", stored, at + 4, place & 0xFFFFFFFF, place >> 32)


def _time_of_day(stored: bytearray, shift: Shift) -> None:
    """Broadcast WAV: when the first sample was recorded. The programme keeps its time, so the file starts earlier."""
    if len(stored) >= 346:
        (since_midnight,) = struct.unpack_from("<Q", stored, 338)
        before = shift.samples(0)
        if since_midnight >= before:
            struct.pack_into("<Q", stored, 338, since_midnight - before)


def _move(stored: bytearray, at: int, place: Callable[[int], int]) -> None:
    (found,) = struct.unpack_from("<I", stored, at)
    struct.pack_into("<I", stored, at, min(place(found), 0xFFFFFFFF))


MOVED: Mapping[bytes, Callable[[bytearray, Shift], None]] = {
    b"fact": _fact,
    b"cue ": _cues,
    b"smpl": _loops,
    b"PEAK": _peaks,
    b"r64m": _markers,
    b"bext": _time_of_day,
}
"""Chunks that tell moments."""
