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
