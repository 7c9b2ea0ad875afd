"""What tells positions in Matroska: the index of keyframes (`Cues`) and the table of contents (`SeekHead`).

Both are written anew with all positions in eight bytes, so that their own length does not depend on what they tell.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from typing import BinaryIO

from aikz_label.adapters.video import film
from aikz_label.adapters.video.splice import Splice
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CRC, SEEK, SEEK_POSITION, Element
from aikz_label.limits import MIB
from aikz_label.values import dataclass

_CUE_POINT, _CUE_TIME, _POSITIONS = 0xBB, 0xB3, 0xB7
_CUE_CLUSTER, _RELATIVE, _BLOCK_NUMBER = 0xF1, 0xF0, 0x5378
_PARENTS = frozenset({_CUE_POINT, _POSITIONS, SEEK})
_MOST = 64 * MIB
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Places:
    """What positions count from.

    Attributes:
        segment: Clusters and all the rest count from its body.
        clusters: In order; blocks count from the body of theirs.
        keys: Keyframes that lie elsewhere now: by time, the offset of the element and the number of its cluster.
    """

    segment: Element
    clusters: Sequence[Element]
    keys: dict[int, tuple[int, int]]


def rebuilt(source: BinaryIO, table: Element, places: Places, splice: Splice | None) -> bytes:
    """The table with positions as they will be; with none of worth before the splice is known."""
    if table.stop - table.body > _MOST:
        raise film.damaged()
    source.seek(table.start)
    data = source.read(table.stop - table.start)
    return _Rebuilding(data, table.start, places, splice).element(table, None, 0)


class _Rebuilding:
    def __init__(self, data: bytes, start: int, places: Places, splice: Splice | None) -> None:
        self._memory = io.BytesIO(data)
        self._data, self._start, self._places, self._splice = data, start, places, splice
        self._bodies = [cluster.start for cluster in places.clusters]

    def element(self, found: Element, time: int | None, depth: int) -> bytes:
        """A parent, and all within it."""
        if depth > _DEEPEST:
            raise film.damaged()
        local = Element(found.name, 0, found.body - self._start, found.stop - self._start)
        inner = list(ebml.children(self._memory, local, 10_000_000))
        values = {child.name: self._data[child.body : child.stop] for child in inner}
        time = int.from_bytes(values[_CUE_TIME]) if _CUE_TIME in values else time
        moved = self._positions(values, time)
        parts = []
        for child in inner:
            if child.name in moved:
                parts.append(ebml.pack(child.name, moved[child.name].to_bytes(8, "big")))
            elif child.name in _PARENTS:
                whole = Element(
                    child.name,
                    child.start + self._start,
                    child.body + self._start,
                    child.stop + self._start,
                )
                parts.append(self.element(whole, time, depth + 1))
            elif child.name not in {CRC, _BLOCK_NUMBER}:
                parts.append(self._data[child.start : child.stop])
        return ebml.pack(found.name, *parts, width=4)

    def _positions(self, values: dict[int, bytes], time: int | None) -> dict[int, int]:
        """New positions of one entry."""
        found: dict[int, int] = {}
        if SEEK_POSITION in values:
            old = self._places.segment.body + int.from_bytes(values[SEEK_POSITION])
            found[SEEK_POSITION] = self._from_segment(old)
        if _CUE_CLUSTER not in values:
            return found
        cluster = self._places.segment.body + int.from_bytes(values[_CUE_CLUSTER])
        block = None
        if _RELATIVE in values:
            body = self._body_of(cluster)
            block = body + int.from_bytes(values[_RELATIVE]) if body else None
        if time in self._places.keys:
            block, number = self._places.keys[time]
            cluster = self._places.clusters[number].start
        found[_CUE_CLUSTER] = self._from_segment(cluster)
        if _RELATIVE in values:
            body = self._body_of(cluster)
            new = self._new(block) - self._new(body) if block and body else 0
            found[_RELATIVE] = max(0, new)
        return found

    def _body_of(self, start: int) -> int:
        place = bisect_right(self._bodies, start) - 1
        clusters = self._places.clusters
        return clusters[place].body if place >= 0 and clusters[place].start == start else 0

    def _from_segment(self, offset: int) -> int:
        return max(0, self._new(offset) - self._new(self._places.segment.body))

    def _new(self, offset: int) -> int:
        return self._splice.moved_one(offset) if self._splice else offset
