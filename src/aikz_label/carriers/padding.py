"""A store of an exact size: the padding of its signature, zero bytes that nothing signs.

The binding of a carrier that we write ourselves names the bytes the marker will occupy, so their number must be known
before there is a signature, and signatures differ in length once they are encoded. C2PA lets a producer fill up the COSE
header that is not signed with zeros, under `pad` and `pad2` (2.4, 13.2 and 10.4). After signing we choose how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from aikz_label.errors import EngineError

_NAMES = (b"\x63pad", b"\x64pad2")
# Zeros in a store of the expected size. As selectors a zero takes three bytes and the head of a field, by its length, four
# or eight: around this number each remainder of three can be had, with `pad` alone, `pad2` alone, or both below 24.
_SPARE = 38
_SHORT = 24

Sizer = Callable[[bytes], int]
Zeros: TypeAlias = "tuple[int | None, int | None]"


def expected(store: bytes, size: Sizer) -> int:
    """The size to announce for the next store of the same definition, measured on this one."""
    return size(_Padded(store).with_zeros((_SPARE, None)))


def fitted(store: bytes, target: int, size: Sizer) -> bytes | None:
    """The same store, padded until `size` of it is `target`; `None` when no padding does that."""
    padded = _Padded(store)
    for zeros in _choices():
        found = padded.with_zeros(zeros)
        if size(found) == target:
            return found
    return None


def _choices() -> Iterator[Zeros]:
    for more in range(_SPARE):
        for count in (_SPARE + more, _SPARE - more):
            yield count, None
            yield None, count
            yield (count // 2, count - count // 2) if count < 2 * _SHORT - 1 else (count, None)


class _Padded:
    """A store, taken apart around the unsigned header of its last signature."""

    def __init__(self, store: bytes) -> None:
        try:
            self._boxes = tuple(_last_boxes(store))
            start = _skip(
                store, self._boxes[-1] + 8 + 2
            )  # box, tag 18, array of four: the protected header
            count, at = _head(store, start, 5)
            kept = []
            for _ in range(count):
                value = _skip(store, at)
                stop = _skip(store, value)
                if store[at:value] not in _NAMES:
                    kept.append(store[at:stop])
                at = stop
        except (IndexError, ValueError, RecursionError) as error:
            raise EngineError(
                "The C2PA engine made a store that cannot be padded.",
                code="engine-store",
                hint="pip install --upgrade 'c2pa-python>=0.38.1,<0.39'",
            ) from error
        self._before, self._kept, self._after = store[:start], kept, store[at:]
        self._size = len(store)

    def with_zeros(self, zeros: Zeros) -> bytes:
        """The store with so many zeros in `pad` and in `pad2`; a field that is `None` is left out."""
        fields = zip(_NAMES, zeros, strict=True)
        entries = self._kept + [name + _bytes(count) for name, count in fields if count is not None]
        header = bytes([5 << 5 | len(entries)]) + b"".join(entries)
        out = bytearray(self._before + header + self._after)
        for at in self._boxes:
            length = int.from_bytes(out[at : at + 4]) + len(out) - self._size
            out[at : at + 4] = length.to_bytes(4)
        return bytes(out)


def _last_boxes(store: bytes) -> Iterator[int]:
    """Where the boxes start that end where the store ends: store, manifest, signature, and its content."""
    start, stop = 0, len(store)
    while True:
        at = start
        while (after := at + int.from_bytes(store[at : at + 4])) < stop:
            if after <= at + 8:
                raise ValueError("a box without an end")
            at = after
        yield at
        if store[at + 4 : at + 8] != b"jumb":
            return
        start = at + 8


def _head(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """Number in a CBOR head of one kind, and what follows the head."""
    if data[at] >> 5 != kind:
        raise ValueError("another kind of CBOR item")
    short = data[at] & 31
    if short < 24:
        return short, at + 1
    width = 1 << short - 24
    if width > 8:
        raise ValueError("an item without a length")
    return int.from_bytes(data[at + 1 : at + 1 + width]), at + 1 + width


def _skip(data: bytes, at: int) -> int:
    """Where the next CBOR item starts."""
    kind = data[at] >> 5
    number, at = _head(data, at, kind)
    if kind in {2, 3}:
        return at + number
    items = {4: number, 5: 2 * number, 6: 1}.get(kind, 0)
    for _ in range(items):
        at = _skip(data, at)
    return at


def _bytes(count: int) -> bytes:
    """A CBOR byte string of zeros."""
    if count < 24:
        return bytes([2 << 5 | count]) + bytes(count)
    width = 1 if count < 256 else 2
    return bytes([2 << 5 | 24 + width - 1]) + count.to_bytes(width) + bytes(count)
