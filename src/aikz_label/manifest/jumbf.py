"""A look at a C2PA store before the engine reads it: do its lengths fit?

One changed byte can make a CBOR text claim gigabytes, and the engine then asks for that memory (measured: a 33 KB file,
2.7 GB and ten seconds). So every length in the boxes is compared with what is there. Nothing else is decided here: what the
store means, and whether it holds, is the engine's business. Compressed stores are passed on as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

_MAX_BOXES = 100_000  # the engine's own cap on assertions
_MAX_DEPTH = 32
_BREAK = 0xFF


def lengths_fit(store: bytes) -> bool:
    """Whether every box and every CBOR string of a JUMBF store lies within what holds it."""
    pending = [(0, len(store), 0)]
    boxes = 0
    while pending:
        at, end, depth = pending.pop()
        while at < end:
            boxes += 1
            size, kind, head = _box(store, at, end)
            if not head or size < head or at + size > end or boxes > _MAX_BOXES:
                return False
            if kind == b"jumb":
                if depth == _MAX_DEPTH:
                    return False
                pending.append((at + head, at + size, depth + 1))
            elif kind == b"cbor" and not _cbor_fits(store, at + head, at + size):
                return False
            at += size
    return True


def manifests(store: bytes, only: str = "") -> Iterator[tuple[str, dict[str, bytes]]]:
    """The manifests of a store: the name of each, and the CBOR of its direct parts by their names; of all, or of one.

    What does not fit is left out; `lengths_fit` says whether that can be.
    """
    for _, whole in _children(store, 0, len(store)):
        for name, manifest in _children(store, *whole):
            if only not in {"", name}:
                continue
            parts: dict[str, bytes] = {}
            for label, part in _children(store, *manifest):
                content = _first(store, *part, b"cbor")
                if content is not None:
                    parts.setdefault(label, content)
            yield name, parts


_Span: TypeAlias = tuple[int, int]


def _children(store: bytes, at: int, end: int) -> Iterator[tuple[str, _Span]]:
    """Name and content of every superbox."""
    for _ in range(_MAX_BOXES):
        size, kind, head = _box(store, at, end)
        if not head or size < head or at + size > end:
            return
        if kind == b"jumb":
            label = _first(store, at + head, at + size, b"jumd") or b""
            # 16 bytes of type and one of flags, then the name, which ends with a zero byte
            yield label[17:].partition(b"\0")[0].decode("utf-8", "replace"), (at + head, at + size)
        at += size


def _first(store: bytes, at: int, end: int, wanted: bytes) -> bytes | None:
    """Content of the first box of a type."""
    for _ in range(_MAX_BOXES):
        size, kind, head = _box(store, at, end)
        if not head or size < head or at + size > end:
            return None
        if kind == wanted:
            return store[at + head : at + size]
        at += size
    return None


def _box(store: bytes, at: int, end: int) -> tuple[int, bytes, int]:
    """Size, type and header length of a box; a header length of 0 when there is no room for one."""
    if at + 8 > end:
        return 0, b"", 0
    size, kind = int.from_bytes(store[at : at + 4]), store[at + 4 : at + 8]
    if size == 0:  # to the end
        return end - at, kind, 8
    if size != 1:
        return size, kind, 8
    return int.from_bytes(store[at + 8 : at + 16]), kind, 16


def _cbor_fits(store: bytes, at: int, end: int) -> bool:
    """Walk the heads of CBOR items (RFC 8949); contents of strings are skipped, containers need no nesting for this."""
    while at < end:
        head = store[at]
        at += 1
        value = _SHORT[head]
        if value >= 0:
            at += value
            continue
        kind, value = head >> 5, head & 31
        if value >= 24:
            if head == _BREAK or value == 31:  # indefinite: its parts are items of their own
                continue
            if value > 27:
                return False
            width = 1 << (value - 24)
            value = int.from_bytes(store[at : at + width])
            at += width
        if kind in {2, 3}:  # bytes, text
            at += value
        elif kind in {4, 5} and value > end - at:  # an item takes at least a byte
            return False
    return at == end


def _content(head: int) -> int:
    """Bytes after a head that is all of its item, or of a short string; -1 for any other."""
    kind, value = head >> 5, head & 31
    if value >= 24 or kind in {4, 5}:
        return -1
    return value if kind in {2, 3} else 0


_SHORT = tuple(map(_content, range(256)))
