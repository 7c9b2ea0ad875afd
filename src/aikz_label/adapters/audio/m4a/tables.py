"""The tables of a track: how many packets of which size and duration, and where each chunk of them stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.values import dataclass

Numbers = NDArray[np.int64]
MOST_PACKETS = 1 << 24


@dataclass(frozen=True, slots=True)
class Table:
    """The packets of a track.

    Attributes:
        sizes: Bytes of each.
        durations: Of each, in units of the track.
        places: Where each stands in the file.
        chunks: Number of the chunk each is in.
        kinds: Of each chunk: which description of the track it follows.
    """

    sizes: Numbers
    durations: Numbers
    places: Numbers
    chunks: Numbers
    kinds: Numbers

    def __len__(self) -> int:
        return len(self.sizes)


def read(stbl: Box) -> Table:
    """Read the tables.

    Raises:
        MediaProblem: They do not fit each other.
    """
    sizes = _sizes(stbl)
    durations = read_runs(stbl.need(b"stts").content, len(sizes))
    offsets = chunk_offsets(stbl)
    per_chunk, kinds = _per_chunk(stbl.need(b"stsc").content, len(offsets))
    if int(per_chunk.sum()) < len(sizes) or len(durations) < len(sizes):
        raise MediaProblem("damaged", detail_word="cut")
    chunks = np.repeat(np.arange(len(offsets)), per_chunk)[: len(sizes)]
    before = np.concatenate(([0], np.cumsum(sizes)[:-1])) if len(sizes) else sizes
    firsts = np.concatenate(([0], np.cumsum(per_chunk)[:-1])) if len(offsets) else per_chunk
    starts = before[np.minimum(firsts, max(len(sizes) - 1, 0))] if len(sizes) else firsts
    places = offsets[chunks] + before - starts[chunks] if len(sizes) else sizes
    return Table(sizes, durations, places, chunks, kinds)


def chunk_offsets(stbl: Box) -> Numbers:
    """Where each chunk stands."""
    box = stbl.first(b"stco") or stbl.need(b"co64")
    return read_numbers(box.content, 4 if box.name == b"stco" else 8)


def set_chunk_offsets(stbl: Box, offsets: Numbers) -> None:
    """Write them, in as many bytes as before.

    Raises:
        MediaProblem: They do not fit.
    """
    box = stbl.first(b"stco") or stbl.need(b"co64")
    width = 4 if box.name == b"stco" else 8
    if len(offsets) and int(offsets.max()) >= 1 << 8 * width:
        raise MediaProblem("damaged", detail_word="too-long")
    box.content = bytes(4) + len(offsets).to_bytes(4) + offsets.astype(f">u{width}").tobytes()


def write(stbl: Box, table: Table) -> None:
    """Put another table in; packets of a chunk stand one behind the other."""
    firsts = np.flatnonzero(np.diff(table.chunks, prepend=-1))
    counts = np.diff(np.append(firsts, len(table)))
    kinds = table.kinds[table.chunks[firsts]]
    set_chunk_offsets(stbl, table.places[firsts])
    stbl.need(b"stsc").content = _coded_runs(
        [(i + 1, int(c), int(k)) for i, (c, k) in enumerate(zip(counts, kinds, strict=True))]
    )
    for box in stbl.children or ():
        if box.name in {b"stsz", b"stz2"}:
            box.name = b"stsz"
            stored = table.sizes.astype(">u4").tobytes()
            box.content = bytes(8) + len(table).to_bytes(4) + stored
    stbl.need(b"stts").content = runs(table.durations)


def runs(values: Numbers) -> bytes:
    """A table of how often a value comes in a row."""
    if not len(values):
        return bytes(8)
    firsts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    counts = np.diff(np.append(firsts, len(values)))
    pairs = np.stack((counts, values[firsts]), axis=1).astype(">u4")
    return bytes(4) + len(pairs).to_bytes(4) + pairs.tobytes()


def _coded_runs(rows: list[tuple[int, int, int]]) -> bytes:
    """Chunks with as many packets as the one before need no row."""
    kept = [
        row for row, last in zip(rows, [(0, -1, -1), *rows], strict=False) if row[1:] != last[1:]
    ]
    stored = np.array(kept, ">u4").tobytes()
    return bytes(4) + len(kept).to_bytes(4) + stored


def read_numbers(content: bytes, width: int = 4, skip: int = 8) -> Numbers:
    """A list of numbers behind how many they are.

    Raises:
        MediaProblem: It goes beyond its end.
    """
    count = int.from_bytes(content[skip - 4 : skip])
    if count > MOST_PACKETS or skip + count * width > len(content):
        raise MediaProblem("damaged", detail_word="cut")
    return np.frombuffer(content, f">u{width}", count, skip).astype(np.int64)


def _sizes(stbl: Box) -> Numbers:
    box = stbl.first(b"stsz")
    if box is not None:
        same, count = (int.from_bytes(box.content[i : i + 4]) for i in (4, 8))
        if count > MOST_PACKETS:
            raise MediaProblem("damaged", detail_word="cut")
        return np.full(count, same, np.int64) if same else read_numbers(box.content, 4, 12)
    content = stbl.need(b"stz2").content
    bits, count = int.from_bytes(content[7:8]), int.from_bytes(content[8:12])
    fits = count <= MOST_PACKETS and 12 + -(-count * bits // 8) <= len(content)
    if bits not in {4, 8, 16} or not fits:
        raise MediaProblem("damaged", detail_word="cut")
    if bits == 4:
        pairs = np.frombuffer(content, np.uint8, -(-count // 2), 12)
        return np.stack((pairs >> 4, pairs & 15), axis=1).reshape(-1)[:count].astype(np.int64)
    return np.frombuffer(content, f">u{bits // 8}", count, 12).astype(np.int64)


def read_runs(content: bytes, most: int) -> Numbers:
    """Values of a table of runs, one by one.

    Raises:
        MediaProblem: It goes beyond its end, or tells of more packets than any track has.
    """
    count = int.from_bytes(content[4:8])
    if 8 + count * 8 > len(content):
        raise MediaProblem("damaged", detail_word="cut")
    pairs = np.frombuffer(content, ">u4", 2 * count, 8).astype(np.int64).reshape(-1, 2)
    if int(pairs[:, 0].sum()) > 2 * MOST_PACKETS:
        raise MediaProblem("damaged", detail_word="cut")
    return np.repeat(pairs[:, 1], pairs[:, 0])[:most]


def _per_chunk(content: bytes, chunks: int) -> tuple[Numbers, Numbers]:
    """How many packets each chunk has, and which description they follow."""
    count = int.from_bytes(content[4:8])
    if 8 + count * 12 > len(content):
        raise MediaProblem("damaged", detail_word="cut")
    rows = np.frombuffer(content, ">u4", 3 * count, 8).astype(np.int64).reshape(-1, 3)
    firsts = np.minimum(np.append(rows[:, 0] - 1, chunks), chunks)
    lengths = np.diff(firsts)
    bad = (lengths < 0).any() or (count and firsts[0] != 0) or (chunks and not count)
    if bad or int((lengths * rows[:, 1]).sum()) > 2 * MOST_PACKETS:
        raise MediaProblem("damaged", detail_word="cut")
    return np.repeat(rows[:, 1], lengths), np.repeat(rows[:, 2], lengths)
