"""How long a film or a sound lasts, by its header alone: what a deadline is reckoned from.

The header may lie, so this is no more than a hint: it is read in a few steps, and whoever uses it sets a bound.
"""

from __future__ import annotations

import io
import math
import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from aikz_label.carriers import ebml
from aikz_label.formats.tracks import boxes
from aikz_label.limits import MIB

_MOST_PARTS = 50  # of a Segment, before what says how long it lasts
_DURATION, _SCALE = 0x4489, 0x2AD7B1
_NANOSECONDS = 1_000_000  # in a unit of Matroska's time, when it does not say
_AVIH, _MICROSECONDS, _FRAMES = 24, 32, 48  # offsets in an AVI file

_LONGEST = 6 * 3600.0  # seconds that are believed


def marking_deadline(source: str | Path) -> float:
    """Seconds for marking a file: a minute, one more for every MiB, and four seconds for each that it lasts.

    An hour of film at a low rate has a hundred MiB; of slides that stand still, a few.
    """
    try:
        found = os.stat(source)  # noqa: PTH116  # takes any name
        if not stat.S_ISREG(found.st_mode):
            return 60.0
        with open(source, "rb") as file:  # noqa: PTH123
            lasts = seconds(file)
    except (OSError, ValueError):
        return 60.0
    return 60.0 + 60.0 * found.st_size / MIB + 4.0 * min(lasts, _LONGEST)


def seconds(source: BinaryIO) -> float:
    """What the header says; 0 where it says nothing that can be read so."""
    source.seek(0)
    head = source.read(64)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}:
        found = _boxes(source)
    elif head[:4] == ebml.HEADER.to_bytes(4, "big"):
        found = _matroska(source)
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI " and head[_AVIH : _AVIH + 4] == b"avih":
        found = _avi(head)
    elif head[:4] == b"fLaC":
        found = _flac(head)
    else:
        found = 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


def _boxes(source: BinaryIO) -> float:
    """The header of the movie, or of its fragments."""
    size = source.seek(0, io.SEEK_END)
    for moov in boxes(source, 0, size, b"moov"):
        for start, stop in boxes(source, *moov, b"mvhd"):
            source.seek(start)
            body = source.read(min(stop - start, 32))
            at, width = (20, 8) if body[:1] == b"\1" else (12, 4)
            scale = int.from_bytes(body[at : at + 4], "big") or 1
            lasts = int.from_bytes(body[at + 4 : at + 4 + width], "big")
            for mvex in boxes(source, *moov, b"mvex"):
                lasts = max(
                    [lasts, *(_length(source, *mehd) for mehd in boxes(source, *mvex, b"mehd"))]
                )
            return 0.0 if lasts == (1 << 8 * width) - 1 else lasts / scale
    return 0.0


def _length(source: BinaryIO, start: int, stop: int) -> int:
    source.seek(start)
    body = source.read(min(stop - start, 12))
    return int.from_bytes(body[4 : 12 if body[:1] == b"\1" else 8], "big")


def _matroska(source: BinaryIO) -> float:
    size = source.seek(0, io.SEEK_END)
    try:
        segment = ebml.head(source, ebml.head(source, 0, size).stop, size)
        for part in ebml.children(source, segment, _MOST_PARTS):
            if part.name == ebml.INFO:
                told = {one.name: one for one in ebml.children(source, part, _MOST_PARTS)}
                return _told(source, told) if _DURATION in told else 0.0
    except ebml.Broken:
        pass
    return 0.0


def _told(source: BinaryIO, told: dict[int, ebml.Element]) -> float:
    data = ebml.content(source, told[_DURATION], 8)
    if len(data) not in {4, 8}:
        return 0.0
    scale = ebml.number(source, told[_SCALE]) if _SCALE in told else _NANOSECONDS
    return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0]) * scale / 1e9


def _avi(head: bytes) -> float:
    if len(head) < _FRAMES + 4:
        return 0.0
    (each,), (frames,) = (struct.unpack_from("<I", head, at) for at in (_MICROSECONDS, _FRAMES))
    return float(each * frames / 1e6)


def _flac(head: bytes) -> float:
    """STREAMINFO, which comes first: 20 bits of rate, 36 of the number of samples."""
    rate = int.from_bytes(head[18:21], "big") >> 4
    samples = int.from_bytes(head[21:26], "big") & (1 << 36) - 1
    return samples / rate if rate else 0.0
