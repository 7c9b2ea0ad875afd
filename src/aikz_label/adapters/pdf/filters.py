"""Decoding of streams: what a stream expands to is capped, and what is left of a broken one is given."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable

from aikz_label.adapters.pdf.objects import Dict, Value

_MAX_FILTERS = 8
_MAX_ROWS = 2_000_000  # of a predictor; hardly any file has as many objects
_MAX_STEPS = 256 << 10  # bytes each of which needs the one before it; few files have any
_NOT_85 = re.compile(rb"[^!-u]+")
# the same digits with other letters, which the standard library reads group by group
_TO_BASE85 = bytes.maketrans(
    bytes(range(0x21, 0x76)),
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
)


class TooLarge(ValueError):
    """It would expand beyond the cap."""


class NotDecoded(ValueError):
    """A filter that is not known here, or one too many."""


def decoded(data: bytes, filters: list[tuple[str, Dict]], limit: int) -> bytes:
    """What a stream says.

    Args:
        data: Its bytes, decrypted.
        filters: Name and parameters of each filter, in order.
        limit: The most bytes it may expand to, in every step.

    Raises:
        TooLarge: It expands to more.
        NotDecoded: A filter is for pictures, or unknown.
    """
    if len(filters) > _MAX_FILTERS:
        raise NotDecoded("filters")
    for name, parameters in filters:
        work = _FILTERS.get(name)
        if work is None:
            raise NotDecoded(name)
        data = work(data, parameters, limit)
        if len(data) > limit:
            raise TooLarge(name)
    return data


def _inflate(data: bytes, parameters: Dict, limit: int) -> bytes:
    machine = zlib.decompressobj()
    try:
        out = machine.decompress(data, limit + 1)
    except zlib.error:
        out = _inflate_partly(data, limit)
    return _unpredicted(out, parameters)


def _inflate_partly(data: bytes, limit: int) -> bytes:
    """As far as it goes: byte by byte it stops at the right one; its checksum does not matter."""
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        machine, out = zlib.decompressobj(window), bytearray()
        piece = data[2:] if window < 0 else data
        try:
            for at in range(0, len(piece), 256):
                out += machine.decompress(piece[at : at + 256], limit + 1 - len(out))
                if len(out) > limit:
                    raise TooLarge("FlateDecode")
        except zlib.error:
            pass
        if out:
            return bytes(out)
    return b""


def _unpredicted(data: bytes, parameters: Dict) -> bytes:
    predictor = _number(parameters.get("Predictor"), 1)
    if predictor < 2 or not data:
        return data
    colours = _number(parameters.get("Colors"), 1)
    bits = _number(parameters.get("BitsPerComponent"), 8)
    columns = _number(parameters.get("Columns"), 1)
    if not (0 < colours <= 64 and bits in {1, 2, 4, 8, 16} and 0 < columns <= 1 << 24):
        raise NotDecoded("Predictor")
    width, row = max(1, colours * bits // 8), (colours * bits * columns + 7) // 8
    if len(data) > _MAX_ROWS * row:
        raise TooLarge("Predictor")
    if predictor == 2:
        if bits != 8:
            raise NotDecoded("Predictor")
        if len(data) > _MAX_STEPS:
            raise TooLarge("Predictor")
        return b"".join(_left(data[at : at + row], width) for at in range(0, len(data), row))
    return _png_rows(data, width, row)


def _left(row: bytes, width: int) -> bytes:
    out = bytearray(row)
    for at in range(width, len(out)):
        out[at] = out[at] + out[at - width] & 0xFF
    return bytes(out)


def _png_rows(data: bytes, width: int, row: int) -> bytes:
    if row > len(data):  # it may say two GiB
        raise NotDecoded("Predictor")
    out, before, steps = bytearray(), bytes(row), 0
    low, high = (int.from_bytes(bytes([bits]) * row) for bits in (0x7F, 0x80))
    for at in range(0, len(data), row + 1):
        kind, line = data[at], bytearray(data[at + 1 : at + 1 + row])
        line += bytes(row - len(line))
        if kind == 2:  # nearly every row of a cross-reference stream
            one, other = int.from_bytes(line), int.from_bytes(before)
            line = bytearray(((one & low) + (other & low) ^ (one ^ other) & high).to_bytes(row))
        elif kind in {1, 3, 4}:
            steps += row
            if steps > _MAX_STEPS:
                raise TooLarge("Predictor")
            _png_row(kind, line, before, width)
        out += line
        before = bytes(line)
    return bytes(out)


def _png_row(kind: int, line: bytearray, before: bytes, width: int) -> None:
    for at in range(len(line)):
        left = line[at - width] if at >= width else 0
        corner = before[at - width] if at >= width else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + before[at]) // 2
        else:
            guess = _paeth(left, before[at], corner)
        line[at] = line[at] + guess & 0xFF


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda one: abs(guess - one))


def _hex(data: bytes, _: Dict, __: int) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", data.partition(b">")[0])
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _ascii85(data: bytes, _: Dict, limit: int) -> bytes:
    data = data.lstrip(b"\x00\t\n\x0c\r ").removeprefix(b"<~").partition(b"~")[0]
    if data.count(b"z") > limit:  # each is four zeros
        raise TooLarge("ASCII85Decode")
    digits = _NOT_85.sub(b"", data.replace(b"z", b"!!!!!"))
    if len(digits) % 5 == 1:  # half of a byte
        digits = digits[:-1]
    try:
        return base64.b85decode(digits.translate(_TO_BASE85))
    except ValueError:  # a group that is more than four bytes
        return b""


def _run_length(data: bytes, _: Dict, limit: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(data) and data[at] != 128 and len(out) <= limit:
        length = data[at]
        if length < 128:
            out += data[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            out += data[at + 1 : at + 2] * (257 - length)
            at += 2
    return bytes(out)


def _lzw(data: bytes, parameters: Dict, limit: int) -> bytes:
    early = _number(parameters.get("EarlyChange"), 1)
    table: list[bytes] = []
    out, width, bits, held = bytearray(), 9, 0, 0
    before = b""
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        while bits >= width:
            code = held >> bits - width & (1 << width) - 1
            bits -= width
            held &= (1 << bits) - 1
            if code == 257 or len(out) > limit:
                return _unpredicted(bytes(out), parameters)
            if code == 256:
                table, width, before = [], 9, b""
                continue
            entry = _entry(code, table, before)
            if entry is None:
                return _unpredicted(bytes(out), parameters)
            out += entry
            if before and len(table) < 4096 - 258:
                table.append(before + entry[:1])
            before = entry
            size = len(table) + 258 + early
            width = 9 if size < 512 else 10 if size < 1024 else 11 if size < 2048 else 12
    return _unpredicted(bytes(out), parameters)


def _entry(code: int, table: list[bytes], before: bytes) -> bytes | None:
    if code < 256:
        return bytes([code])
    if code - 258 < len(table):
        return table[code - 258]
    return before + before[:1] if code - 258 == len(table) and before else None


def _same(data: bytes, _: Dict, __: int) -> bytes:
    return data


def _number(value: Value, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


_FILTERS: dict[str, Callable[[bytes, Dict, int], bytes]] = {
    "FlateDecode": _inflate,
    "Fl": _inflate,
    "ASCIIHexDecode": _hex,
    "AHx": _hex,
    "ASCII85Decode": _ascii85,
    "A85": _ascii85,
    "LZWDecode": _lzw,
    "LZW": _lzw,
    "RunLengthDecode": _run_length,
    "RL": _run_length,
    "Crypt": _same,  # whoever reads the bytes has seen to it
}
