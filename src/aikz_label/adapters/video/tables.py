"""The tables of a track in an ISO base media file (ISO/IEC 14496-12, 8.6 and 8.7), read and written with numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters.image.bmff import pack
from aikz_label.adapters.video import film
from aikz_label.adapters.video.film import Numbers, Slots

_MOST = 20_000_000  # frames: a week of film


def timescale(mdhd: bytes) -> int:
    """Units of a track's times in a second."""
    at = 20 if mdhd[:1] == b"\1" else 12
    found = int.from_bytes(mdhd[at : at + 4], "big")
    if not found:
        raise film.damaged()
    return found


def track_id(tkhd: bytes) -> int:
    """The number of a track."""
    at = 20 if tkhd[:1] == b"\1" else 12
    return int.from_bytes(tkhd[at : at + 4], "big")


def sizes(stsz: bytes, stz2: bytes, file_size: int) -> Numbers:
    """Length of every frame."""
    if stsz:
        constant, count = _u4(stsz, 4), _u4(stsz, 8)
        if constant:
            _check_count(count, file_size // constant)
            return np.full(count, constant, np.int64)
        return _column(stsz, 12, count, ">u4")
    bits, count = stz2[7] if len(stz2) > 7 else 0, _u4(stz2, 8)
    if bits == 4:
        packed = _column(stz2, 12, (count + 1) // 2, "u1")
        return np.stack([packed >> 4, packed & 15], 1).reshape(-1)[:count]
    if bits not in {8, 16}:
        raise film.damaged()
    return _column(stz2, 12, count, ">u2" if bits == 16 else "u1")


def offsets(stco: bytes, co64: bytes) -> Numbers:
    """Offset of every chunk."""
    body = co64 or stco
    return _column(body, 8, _u4(body, 4), ">u8" if co64 else ">u4")


def starts(sizes: Numbers, chunks: Numbers, stsc: bytes) -> Numbers:
    """Offset of every frame: chunks hold so many of them, one after another."""
    count = len(sizes)
    if not count:
        return np.zeros(0, np.int64)
    held = np.minimum(per_chunk(stsc, len(chunks)), count)
    ends = np.cumsum(held)
    if int(ends[-1]) < count:
        raise film.damaged()
    chunk = np.searchsorted(ends, np.arange(count), side="right")
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    leading = np.concatenate([[0], ends])[chunk]
    return np.asarray(chunks[chunk] + before - before[leading], np.int64)


def per_chunk(stsc: bytes, chunks: int) -> Numbers:
    """How many frames each of so many chunks holds."""
    table = _rows(stsc, 3)
    if not len(table) or not chunks:
        raise film.damaged()
    first, held = table[:, 0] - 1, table[:, 1]
    if first[0] != 0 or np.any(np.diff(first) <= 0) or np.any(held < 0):
        raise film.damaged()
    if np.any(table[:, 2] != 1):
        raise film.variant("its frames are coded in several ways")
    run = np.diff(np.append(first[first < chunks], chunks))
    return np.repeat(held[: len(run)], run)


def decoded(stts: bytes, count: int) -> Numbers:
    """When every frame is decoded."""
    table = _rows(stts, 2)
    step = _expanded(table[:, 0], table[:, 1], count)
    return np.concatenate([[0], np.cumsum(step)])[:count]


def composition(ctts: bytes, count: int) -> Numbers:
    """How much later than decoded every frame is shown; signed, as all readers take it whatever the version says."""
    if not ctts:
        return np.zeros(count, np.int64)
    table = _rows(ctts, 2)
    signed = table[:, 1].astype(np.uint32).view(np.int32).astype(np.int64)
    return _expanded(table[:, 0], signed, count)


def shows_all(elst: bytes, slots: Slots, time_base: Fraction, movie_scale: int) -> bool:
    """Whether an edit list shows the whole track, once and at its own speed, at most after a pause."""
    wide = elst[:1] == b"\1"
    count, size = _u4(elst, 4), 20 if wide else 12
    if not count or not len(slots):
        return True
    shown = np.sort(slots.shown)
    step = int(shown[-1] - shown[-2]) if len(shown) > 1 else 0
    pieces = []
    for at in range(8, min(len(elst), 8 + size * min(count, 3)), size):
        half = 8 if wide else 4
        length = int.from_bytes(elst[at : at + half], "big")
        start = int.from_bytes(elst[at + half : at + 2 * half], "big", signed=True)
        if start != -1:
            pieces.append((start, length, elst[at + 2 * half : at + size]))
    if len(pieces) != 1 or count > 2:
        return False
    start, length, speed = pieces[0]
    lasts = float(int(shown[-1]) + step - start) * float(time_base)
    cut = lasts - length / movie_scale
    frame = step * float(time_base)
    return start <= int(shown[0]) and (not length or cut < 1.5 * frame) and speed == b"\0\1\0\0"


def keys(stss: bytes, count: int, there: bool) -> NDArray[np.bool_]:
    """Which frames decoding can start at; without a table, all."""
    found = np.full(count, not there)
    if there:
        numbers = _column(stss, 8, _u4(stss, 4), ">u4") - 1
        found[numbers[(numbers >= 0) & (numbers < count)]] = True
    return found


def pack_sizes(found: Numbers) -> bytes:
    """`stsz`."""
    return pack(b"stsz", bytes(8), len(found).to_bytes(4, "big"), found.astype(">u4").tobytes())


def pack_offsets(found: Numbers, *, wide: bool) -> bytes:
    """`co64` or `stco`."""
    kind, dtype = (b"co64", ">u8") if wide else (b"stco", ">u4")
    return pack(kind, bytes(4), len(found).to_bytes(4, "big"), found.astype(dtype).tobytes())


def pack_composition(found: Numbers, *, always: bool) -> bytes:
    """`ctts`, run by run; none where all frames are shown as decoded, unless there must be one."""
    if not always and not found.any():
        return b""
    first = np.flatnonzero(np.concatenate([[True], found[1:] != found[:-1]]))
    run = np.diff(np.append(first, len(found)))
    rows = np.stack([run, found[first].astype(np.int32).view(np.uint32).astype(np.int64)], 1)
    version = b"\1" if found.size and found.min() < 0 else b"\0"
    return pack(
        b"ctts",
        version + bytes(3),
        len(rows).to_bytes(4, "big"),
        rows.astype(">u4").tobytes(),
    )


def pack_keys(key: NDArray[np.bool_]) -> bytes:
    """`stss`; none where decoding can start anywhere."""
    if key.all():
        return b""
    numbers = np.flatnonzero(key) + 1
    return pack(b"stss", bytes(4), len(numbers).to_bytes(4, "big"), numbers.astype(">u4").tobytes())


def _u4(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 4], "big")


def _check_count(count: int, most: int) -> None:
    if count > min(most, _MOST):
        raise film.damaged()


def _column(body: bytes, at: int, count: int, dtype: str) -> Numbers:
    """Numbers of a table, which must all be there."""
    kind = np.dtype(dtype)
    _check_count(count, max(0, len(body) - at) // kind.itemsize)
    return np.frombuffer(body, kind, count, at).astype(np.int64) if count else np.zeros(0, np.int64)


def _rows(body: bytes, width: int) -> Numbers:
    return _column(body, 8, _u4(body, 4) * width, ">u4").reshape(-1, width)


def _expanded(run: Numbers, value: Numbers, count: int) -> Numbers:
    """Values of runs, one for each of so many frames."""
    ends = np.cumsum(np.minimum(run, count))
    if count and (not len(ends) or int(ends[-1]) < count):
        raise film.damaged()
    which = np.searchsorted(ends, np.arange(count), side="right")
    return value[which] if count else np.zeros(0, np.int64)
