r"""The carrier of plain text: variation selectors that draw nothing, at its end (C2PA 2.4, A.8).

U+FEFF, then one selector for each byte of `"C2PATXT\0", version, length, store`. Nothing is padded: other
implementations disagree on how, so the store gets the exact size instead (see `padding`).
"""

from __future__ import annotations

import re

from aikz_label.values import dataclass

MARK = "\ufeff"
_MAGIC = b"C2PATXT\0"
_HEADER = len(_MAGIC) + 1 + 4
_VERSION = 1
MAX_STORE = 16 * 1024 * 1024
_PADDING = b"\x00\x10\xff"  # what other implementations fill up with
_SELECTOR = [chr(0xFE00 + n) if n < 16 else chr(0xE0100 + n - 16) for n in range(256)]
_MORE = bytes(16 if n == 0x01 else 0 for n in range(256))
_RUN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]*")
_LOW = bytes(range(16))  # their selectors take three bytes of UTF-8, all others four
START = (MARK + "".join(map(_SELECTOR.__getitem__, _MAGIC))).encode()  # of any wrapper, in UTF-8


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One wrapper in a text.

    Attributes:
        start: Where it starts, in characters.
        stop: Where it ends, as its length says.
        padded: Where the selectors end that follow it, if they are padding; else the same as `stop`.
        store: The store; `None` when the wrapper is damaged.
    """

    start: int
    stop: int
    padded: int
    store: bytes | None


def wrap(store: bytes) -> str:
    """The wrapper of a store."""
    return MARK + "".join(map(_SELECTOR.__getitem__, _framed(store)))


def size(store: bytes) -> int:
    """Bytes of UTF-8 that the wrapper of a store takes."""
    framed = _framed(store)
    return 3 + 3 * len(framed) + len(framed.translate(None, _LOW))


def find(text: str) -> list[Wrapper]:
    """Every wrapper in a text, damaged ones too; linear in the text."""
    found, at = [], text.find(MARK)
    while at >= 0:
        run = _RUN.match(text, at + 1)
        assert run is not None
        if run.end() - at > len(_MAGIC) and _decoded(text, at + 1, len(_MAGIC)) == _MAGIC:
            found.append(_wrapper(text, at, run.end()))
        at = text.find(MARK, max(run.end(), at + 1))
    return found


def _framed(store: bytes) -> bytes:
    return _MAGIC + bytes([_VERSION]) + len(store).to_bytes(4) + store


def _decoded(text: str, start: int, count: int) -> bytes:
    """The bytes of so many selectors, all at once: the low byte of each, and 16 more for those of the second block."""
    units = text[start : start + count].encode("utf-32-le")
    low, more = int.from_bytes(units[::4]), int.from_bytes(units[1::4].translate(_MORE))
    return (low + more).to_bytes(len(units) // 4)


def _wrapper(text: str, start: int, run_end: int) -> Wrapper:
    damaged = Wrapper(start, run_end, run_end, None)
    if run_end - start - 1 < _HEADER:
        return damaged
    header = _decoded(text, start + 1, _HEADER)
    length = int.from_bytes(header[-4:])
    stop = start + 1 + _HEADER + length
    if header[len(_MAGIC)] != _VERSION or stop > run_end or length > MAX_STORE:
        return damaged
    rest = _decoded(text, stop, run_end - stop) if run_end - stop <= MAX_STORE else b"x"
    padded = stop if rest.strip(_PADDING) else run_end
    return Wrapper(start, stop, padded, _decoded(text, start + 1 + _HEADER, length))
