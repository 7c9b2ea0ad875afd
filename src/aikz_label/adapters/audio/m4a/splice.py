"""The table of a track with packets of notices among its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.m4a import tables
from aikz_label.adapters.audio.m4a import times as m4a_times
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.m4a.tables import Numbers, Table


def spliced(trak: Box, inserts: Sequence[Insert], step: int, rate: int, skipped: int) -> Table:
    """The new table.

    The place of a packet of a notice is told as a negative number: -1 for the first byte of all notices, -2 for the next.

    Args:
        trak: The track; groups of its packets are changed.
        inserts: The notices.
        step: Samples of a packet.
        rate: Samples per second.
        skipped: Samples that are taken off at the start.
    """
    stbl = trak.need(b"mdia", b"minf", b"stbl")
    source = tables.read(stbl)
    media = m4a_times.timescale(trak.need(b"mdia", b"mdhd"))
    stretches, written, chunk = [], 0, 0
    origins: list[Numbers] = []
    first = 0
    for insert in (*inserts, None):
        last = len(source)
        if (
            insert is not None
        ):  # the first notice goes before all packets, those that are taken off too
            last = number_of(insert.at, insert.instead, step, skipped, len(source))
        part = _part(source, first, last, chunk)
        chunk += int(part.chunks[-1]) + 1 - chunk if len(part) else 0
        stretches.append(part)
        origins.append(np.arange(first, last))
        if insert is None:
            break
        first = last + insert.instead // step
        sizes = np.array([len(packet) for packet in insert.coded], np.int64)
        before = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        count = len(sizes)
        stretches.append(
            Table(
                sizes,
                np.diff(np.arange(count + 1) * step * media // rate),
                -1 - written - before,
                np.full(count, chunk, np.int64),
                np.ones(1, np.int64),
            )
        )
        origins.append(np.full(count, min(last, len(source) - 1)))
        written += int(sizes.sum())
        chunk += 1
    _regroup(stbl, np.concatenate(origins))
    whole = [np.concatenate([getattr(s, name) for s in stretches]) for name in _COLUMNS]
    return Table(*whole)


def number_of(at: int, instead: int, step: int, skipped: int, count: int) -> int:
    """Which packet starts at a sample; at the end of the programme, the one behind what fills up its last packets."""
    packets, number = instead // step, (at + skipped) // step if at else 0
    return count - packets if at and number + packets > count - LAST else number


LAST = 4  # packets at the end that may be partly silence, which is taken off
_COLUMNS = ("sizes", "durations", "places", "chunks", "kinds")


def _part(source: Table, first: int, last: int, chunk: int) -> Table:
    """Some packets, in chunks that are numbered from some number on."""
    chunks = source.chunks[first:last]
    if not len(chunks):
        return Table(*(np.zeros(0, np.int64) for _ in _COLUMNS))
    used, numbers = np.unique(chunks, return_inverse=True)
    return Table(
        source.sizes[first:last],
        source.durations[first:last],
        source.places[first:last],
        numbers + chunk,
        source.kinds[used],
    )


def _regroup(stbl: Box, origins: Numbers) -> None:
    """What other tables tell of single packets; those of a notice are like the packet behind them.

    Groups; by how much a packet is played later than it is decoded; what depends on it; and where players can begin.
    """
    for box in stbl.all(b"sbgp"):
        at = 12 if box.content[:1] == b"\x01" else 8
        groups = tables.read_runs(box.content[at - 4 :], tables.MOST_PACKETS)
        box.content = box.content[:at] + tables.runs(_taken(groups, origins))[4:]
    for box in stbl.all(b"ctts"):
        later = tables.read_runs(box.content, tables.MOST_PACKETS)
        box.content = box.content[:4] + tables.runs(_taken(later, origins))[4:]
    for box in stbl.all(b"sdtp"):
        depends = np.frombuffer(box.content[4:], np.uint8).astype(np.int64)
        box.content = box.content[:4] + _taken(depends, origins).astype(np.uint8).tobytes()
    for box in stbl.all(b"stss"):
        begins = np.zeros(int(origins.max()) + 2, np.int64)
        begins[np.minimum(tables.read_numbers(box.content), len(begins) - 1)] = 1
        numbers = np.flatnonzero(_taken(begins[1:], origins)) + 1
        box.content = bytes(4) + len(numbers).to_bytes(4) + numbers.astype(">u4").tobytes()


def _taken(values: Numbers, origins: Numbers) -> Numbers:
    """The value of each packet, 0 where a table ends before it."""
    padded = np.pad(values, (0, max(0, int(origins.max()) + 1 - len(values))))
    return np.asarray(padded[origins], np.int64)
