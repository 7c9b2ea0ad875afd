"""The tables of a track: where its samples lie, when they are shown, where to begin (ISO/IEC 14496-12, 8.6 and 8.7).

Every number is checked against the file, and every list against a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, pairwise, repeat

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import Box, Fields, cut, too_many
from aikz_label.limits import Limits

Span = tuple[int, int]
"""Start and stop in the file."""
_NEVER = -(1 << 31)  # a composition offset: the sample only serves others


def fields_of(data: bytes, box: Box) -> Fields:
    """The payload of a box."""
    return Fields(data[box.body : box.stop])


def sizes_of(data: bytes, table: Mapping[bytes, Box], limits: Limits) -> list[int]:
    """The size of every sample."""
    box = table.get(b"stsz") or table.get(b"stz2")
    if box is None:
        raise MediaProblem("damaged", detail_word="no-header")
    fields = fields_of(data, box)
    fields.version()
    same, count = fields.number(4), fields.number(4)
    if count > limits.max_parts:
        raise too_many(count, limits)
    if box.kind == b"stsz":
        return [same] * count if same else [fields.number(4) for _ in range(count)]
    if same == 4:  # bits
        halves = ((byte >> 4, byte & 15) for byte in fields.take(-(-count // 2)))
        return list(chain.from_iterable(halves))[:count]
    return [fields.number(2 if same == 16 else 1) for _ in range(count)]


def places_of(
    data: bytes, table: Mapping[bytes, Box], sizes: list[int], limits: Limits
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Where each chunk and each sample lies."""
    box = table.get(b"stco") or table.get(b"co64")
    if box is None:
        raise MediaProblem("damaged", detail_word="no-header")
    fields, wide = fields_of(data, box), 4 if box.kind == b"stco" else 8
    fields.version()
    count = fields.number(4)
    if count > limits.max_parts:
        raise too_many(count, limits)
    chunks: list[Span] = []
    samples: list[Span] = []
    if sum(sizes) > len(data):
        raise cut()
    for most in _fill(fields_of(data, table[b"stsc"]), count, limits):
        mine = sizes[len(samples) : len(samples) + most]
        stops = list(accumulate(mine, initial=fields.number(wide)))
        samples += pairwise(stops)
        chunks.append((stops[0], stops[-1]))
        if stops[-1] > len(data):
            raise cut()
    if len(samples) < len(sizes):
        raise cut()
    return tuple(chunks), tuple(samples)


def _fill(fields: Fields, chunks: int, limits: Limits) -> Iterator[int]:
    """How many samples each chunk holds."""
    fields.version()
    count = fields.number(4)
    if count > limits.max_parts:
        raise too_many(count, limits)
    rows = [(fields.number(4), fields.number(4), fields.number(4)) for _ in range(count)]
    ends = [first - 1 for first, _, _ in rows[1:]] + [chunks]
    at = 0
    for (_, samples, _), end in zip(rows, ends, strict=False):
        for _ in range(at, min(end, chunks)):
            yield samples
        at = max(at, end)


def times_of(
    data: bytes, table: Mapping[bytes, Box], count: int
) -> tuple[tuple[tuple[int, int], ...], bool]:
    """When each sample is shown and for how long, and whether one never is."""
    lengths = list(_runs(fields_of(data, table[b"stts"]), count, signed=False))
    offsets = [0] * count
    if b"ctts" in table:
        fields = fields_of(data, table[b"ctts"])
        version, _ = fields_of(data, table[b"ctts"]).version()
        offsets = list(_runs(fields, count, signed=version > 0))
    if len(lengths) < count or len(offsets) < count:
        raise cut()
    starts = accumulate(lengths, initial=0)
    times = (
        (start + offset, length)
        for start, offset, length in zip(starts, offsets, lengths, strict=False)
    )
    return tuple(times), _NEVER in offsets


def _runs(fields: Fields, most: int, *, signed: bool) -> Iterator[int]:
    """A number for each sample, from runs of equal ones."""
    fields.version()
    for _ in range(fields.number(4)):
        count = min(fields.number(4), most)
        value = fields.signed(4) if signed else fields.number(4)
        most -= count
        yield from repeat(value, count)
        if not most:
            return


def sync_of(data: bytes, table: Mapping[bytes, Box], count: int) -> frozenset[int] | None:
    """The samples that a player can begin with, from 0; `None` when all are."""
    if b"stss" not in table:
        return None
    fields = fields_of(data, table[b"stss"])
    fields.version()
    return frozenset(fields.number(4) - 1 for _ in range(min(fields.number(4), count)))
