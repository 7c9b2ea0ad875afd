"""What a Matroska file tells of moments and of its own length: all of it moves with the notices."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Sequence

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.mka import elements
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CHAPTERS, INFO, SEEK, SEEK_HEAD, SEEK_POSITION, TAGS
from aikz_label.values import dataclass

_DURATION = 0x4489
_EDITION, _ATOM, _CHAPTER_START, _CHAPTER_END = 0x45B9, 0xB6, 0x91, 0x92
_POINT, _CUE_TIME, _POSITIONS, _CUE_TRACK, _CUE_CLUSTER = 0xBB, 0xB3, 0xB7, 0xF7, 0xF1
_RELATIVE, _BLOCK_NUMBER = 0xF0, 0x5378
_MOST = 5_000_000
_NANO = 10**9
_NEVER = 1 << 64
_STATISTICS = {"NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "BPS", "DURATION"}


@dataclass(frozen=True, slots=True)
class Statistics:
    """What tags of a track tell of it.

    Attributes:
        uid: Of the track.
        packets: How many there are more.
        size: How many bytes they have.
        seconds: How long they last.
        old: How many bytes, and seconds, there were.
    """

    uid: int
    packets: int
    size: int
    seconds: float
    old: tuple[int, float]

    def changed(self, name: str, told: str) -> str:
        """What a tag tells now; as it was where it told something strange."""
        if name == "DURATION":
            return _later(told, self.seconds)
        if not told.isdecimal() or len(told) > 18:
            return told
        if name == "NUMBER_OF_FRAMES":
            return str(int(told) + self.packets)
        size, seconds = self.old[0] + self.size, self.old[1] + self.seconds
        if name == "NUMBER_OF_BYTES":
            return str(int(told) + self.size)
        return str(int(size * 8 / seconds)) if seconds > 0 else told


def info(data: bytes, ticks: int) -> bytes:
    """The length of everything, where it is told."""

    def change(name: int, stored: bytes) -> bytes:
        kind = {4: ">f", 8: ">d"}.get(len(stored))
        if name != _DURATION or kind is None:
            return stored
        return struct.pack(">d", struct.unpack(kind, stored)[0] + ticks)

    return elements.rebuilt(data, {INFO}, change)


def chapters(data: bytes, shift: Shift) -> bytes:
    """Where chapters start and end."""

    def change(name: int, stored: bytes) -> bytes:
        if name not in {_CHAPTER_START, _CHAPTER_END} or len(stored) > 8:
            return stored
        moved = shift.units(int.from_bytes(stored), _NANO, end=name == _CHAPTER_END)
        return elements.number(moved, len(stored))

    return elements.rebuilt(data, {CHAPTERS, _EDITION, _ATOM}, change)


def tags(data: bytes, told: Statistics) -> bytes:
    """What programs counted of the track."""

    def change(name: int, stored: bytes) -> bytes:
        return _tag(stored, told) if name == ebml.TAG else stored

    return elements.rebuilt(data, {TAGS}, change)


def _tag(stored: bytes, told: Statistics) -> bytes:
    """What is in a tag; only one about this very track changes."""
    found: list[int] = []

    def look(name: int, value: bytes) -> bytes:
        if name == ebml.TRACK_UID:
            found.append(int.from_bytes(value))
        return value

    elements.within(stored, {ebml.TARGETS}, look)
    if found != [told.uid]:
        return stored
    kept = ""

    def change(name: int, value: bytes) -> bytes:
        nonlocal kept
        if name == ebml.TAG_NAME:
            kept = value.rstrip(b"\0").decode("utf-8", "replace")
        if name != ebml.TAG_STRING or kept not in _STATISTICS:
            return value
        return told.changed(kept, value.rstrip(b"\0").decode("utf-8", "replace")).encode()

    return elements.within(stored, {ebml.SIMPLE_TAG}, change)


def _later(told: str, seconds: float) -> str:
    """`00:00:02.000000000`, and so many seconds more."""
    parts = told.split(":")
    try:
        hours, minutes = int(parts[0]), int(parts[1])
        whole = hours * 3600 + minutes * 60 + float(parts[2])
        nanos = round((whole + seconds) * _NANO)
    except (ValueError, IndexError, OverflowError):  # not a number, or without end
        return told
    if not 0 <= nanos < 1 << 62:
        return told
    left, rest = divmod(nanos, _NANO)
    return f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}.{rest:09}"


def seek_head(data: bytes, place: Callable[[int], int]) -> bytes:
    """Where the other parts are, in eight bytes each, so that its own length does not depend on it."""

    def change(name: int, stored: bytes) -> bytes:
        if name != SEEK_POSITION or len(stored) > 8:
            return stored
        return place(int.from_bytes(stored)).to_bytes(8)

    return elements.rebuilt(data, {SEEK_HEAD, SEEK}, change)


def cues(
    data: bytes,
    later: Callable[[int], int],
    place: Callable[[int, int], int | None],
    fresh: Sequence[tuple[int, int, int]],
) -> bytes:
    """Where a player can begin.

    Args:
        data: The index.
        later: When what was at a moment is played now.
        place: Where the cluster is that began at a place, of the part of it with a moment; `None` of one that is gone.
        fresh: Moment, track and place of each new cluster.
    """
    points = [(one[0], _point(*one)) for one in fresh]
    others = []
    whole = ebml.head(io.BytesIO(data), 0, len(data))
    for child in ebml.children(io.BytesIO(data), whole, _MOST):
        stored = data[child.start : child.stop]
        if child.name == _POINT:
            points.extend(_moved(stored, later, place))
        elif child.name != ebml.CRC:
            others.append(stored)
    summed = data[whole.body : whole.body + 1] == ebml.packed_name(ebml.CRC)
    inside = b"".join((*others, *(point for _, point in sorted(points))))
    return elements.packed(data, whole, (elements.check_sum(inside) if summed else b"") + inside)


def _point(time: int, track: int, place: int) -> bytes:
    positions = ebml.pack(_CUE_TRACK, elements.number(track), width=1)
    positions += ebml.pack(_CUE_CLUSTER, place.to_bytes(8), width=1)
    told = ebml.pack(_CUE_TIME, _moment(time), width=1)
    return ebml.pack(_POINT, told, ebml.pack(_POSITIONS, positions, width=1), width=1)


def _moment(time: int) -> bytes:
    """A moment of the index.

    Raises:
        MediaProblem: It is beyond all that a file can tell.
    """
    if time >= _NEVER:
        raise MediaProblem("damaged", detail_word="too-long")
    return time.to_bytes(8)


def _moved(
    point: bytes, later: Callable[[int], int], place: Callable[[int, int], int | None]
) -> Iterator[tuple[int, bytes]]:
    """An entry of the index, and when it is played; none that leads to a cluster that is gone."""
    time, gone = 0, False

    def change(name: int, stored: bytes) -> bytes | None:
        nonlocal time, gone
        if name == _CUE_TIME and len(stored) <= 8:
            time = int.from_bytes(stored)
            return _moment(later(time))
        if name == _CUE_CLUSTER and len(stored) <= 8:
            found = place(int.from_bytes(stored), time)
            gone = gone or found is None
            return (found or 0).to_bytes(8)
        # within a cluster, which can be another one now
        return None if name in {_RELATIVE, _BLOCK_NUMBER} else stored

    written = elements.rebuilt(point, {_POINT, _POSITIONS}, change)
    if not gone:
        yield later(time), written
