"""Run-length codes of bitmaps, RLE8 and RLE4 (Windows SDK, "Bitmap Compression")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters import MediaProblem

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from aikz_label.adapters.image.dib import Dib

    Array = NDArray[Any]

_MAX_CODES = 8_000_000  # five seconds
_END_OF_ROW, _END, _MOVE = 0, 1, 2


def decode(dib: Dib, data: bytes) -> tuple[Array, Array]:
    """Indices, top row first, and which of them the codes leave out; those are 0, as in most viewers.

    Raises:
        MediaProblem: The codes run out, there are too many, or they leave a row in a way that viewers take differently.
    """
    width, height = dib.width, dib.height
    flat = bytearray(width * height)
    known = bytearray(width * height)
    codes, at = data[dib.pixels_at :], 0
    x = y = count = 0
    while y < height:
        if at + 2 > len(codes):
            raise MediaProblem("damaged", detail_word="cut")
        first, second = codes[at], codes[at + 1]
        at += 2
        count += 1
        if count > _MAX_CODES:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MAX_CODES)
        if first:
            run = _run(second, first, dib.depth)
        elif second == _END_OF_ROW:
            x, y = 0, y + 1
            continue
        elif second == _END:
            break
        elif second == _MOVE:
            right, up = _taken(codes, at, 2)
            x, y, at = x + right, y + up, at + 2
            _check_inside(x <= width and y <= height)
            continue
        else:
            size = second if dib.depth == 8 else (second + 1) // 2
            literal = _taken(codes, at, size)
            run = literal if dib.depth == 8 else _nibbles(literal)[:second]
            at += size + size % 2
            _check_inside(x + second <= width)
        run = run[: max(0, width - x)]  # what sticks out of a row is cut off by every viewer
        start = y * width + x
        flat[start : start + len(run)] = run
        known[start : start + len(run)] = b"\1" * len(run)
        x += len(run)
    indices = np.frombuffer(flat, np.uint8).reshape(height, width)[::-1]
    left_out = np.frombuffer(known, np.uint8).reshape(height, width)[::-1] == 0
    return indices, left_out


def _taken(codes: bytes, at: int, length: int) -> bytes:
    found = codes[at : at + length]
    if len(found) < length:
        raise MediaProblem("damaged", detail_word="cut")
    return found


def _check_inside(inside: bool) -> None:  # the whole question
    """Where pixels leave their row, some viewers go on in the next one, and others cut."""
    if not inside:
        raise MediaProblem("damaged", detail_word="row-overrun")


def _run(value: int, length: int, depth: int) -> bytes:
    if depth == 8:
        return bytes([value]) * length
    return (bytes([value >> 4, value & 15]) * (length // 2 + 1))[:length]


def _nibbles(packed: bytes) -> bytes:
    return bytes(half for byte in packed for half in (byte >> 4, byte & 15))


def encode(indices: Array, left_out: Array, depth: int) -> bytes:
    """The codes of indices, top row first, with some left out."""
    out = bytearray()
    rows = [(row.tobytes(), gaps) for row, gaps in zip(indices[::-1], left_out[::-1], strict=True)]
    for row, gaps in rows:
        if gaps.all():  # the end of an empty row is passed over by some
            out += bytes([0, _MOVE, 0, 1])
            continue
        # where the value changes, or a gap begins or ends
        values = np.where(gaps, -1, np.frombuffer(row, np.uint8).astype(np.int16))
        edges = np.flatnonzero(np.diff(values)) + 1
        starts = [0, *edges.tolist(), len(row)]
        _encode_row(out, row, values, starts, depth)
        out += bytes([0, _END_OF_ROW])
    out += bytes([0, _END])
    return bytes(out)


def _encode_row(out: bytearray, row: bytes, values: Array, starts: list[int], depth: int) -> None:
    """Runs as runs; what lies between two long runs as it is."""
    index, last = 0, len(starts) - 1
    while index < last:
        start, stop = starts[index], starts[index + 1]
        if values[start] < 0:
            if index + 1 < last:  # a gap at the end of a row needs no code
                for at in range(start, stop, 255):
                    out += bytes([0, _MOVE, min(255, stop - at), 0])
            index += 1
            continue
        if stop - start >= 3:
            value = row[start] if depth == 8 else row[start] * 17
            for at in range(start, stop, 255):
                out += bytes([min(255, stop - at), value])
            index += 1
            continue
        while index < last and starts[index + 1] - starts[index] < 3 and values[starts[index]] >= 0:
            index += 1
        _literal(out, row[start : starts[index]], depth)


def _literal(out: bytearray, values: bytes, depth: int) -> None:
    for at in range(0, len(values), 254):
        part = values[at : at + 254]
        if len(part) < 3:  # lengths below 3 are commands
            for value in part:
                out += bytes([1, value if depth == 8 else value * 17])
            continue
        body = part
        if depth == 4:
            even = part + b"\0" * (len(part) % 2)
            body = bytes(a << 4 | b for a, b in zip(even[::2], even[1::2], strict=True))
        out += bytes([0, len(part)]) + body + b"\0" * (len(body) % 2)
