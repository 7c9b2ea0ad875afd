"""Elements of Matroska written anew: what stands in some becomes something else, and all others stay as they are."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CRC, Element

# What stands in an element of a name, and what will; the same where nothing changes, and nothing of one that is left out.
Change: TypeAlias = "Callable[[int, bytes], bytes | None]"
_MOST = 5_000_000
_DEEPEST = 12


def rebuilt(data: bytes, parents: AbstractSet[int], change: Change, depth: int = 0) -> bytes:
    """An element with changes in it, and nothing of one that is left out.

    Args:
        data: All of it.
        parents: Names of elements that hold those which change.
        change: Says how.
        depth: In how many others it is.

    Raises:
        Broken: It is.
        MediaProblem: It holds too much within itself.
    """
    whole = ebml.head(io.BytesIO(data), 0, len(data))
    stored = data[whole.body : whole.stop]
    parent = whole.name in parents
    fresh = within(stored, parents, change, depth) if parent else change(whole.name, stored)
    return b"" if fresh is None else packed(data, whole, fresh)


def within(stored: bytes, parents: AbstractSet[int], change: Change, depth: int = 0) -> bytes:
    """What is in such an element."""
    if depth > _DEEPEST:
        raise MediaProblem("damaged", detail_word="loop")
    source = io.BytesIO(stored)
    summed, parts = False, []
    for child in ebml.children(source, Element(0, 0, 0, len(stored)), _MOST):
        if child.name == CRC:
            summed = True
        else:
            parts.append(rebuilt(stored[child.start : child.stop], parents, change, depth + 1))
    inside = b"".join(parts)
    return (check_sum(inside) if summed else b"") + inside


def packed(data: bytes, whole: Element, inside: bytes) -> bytes:
    """An element with something else in it, its length told in as many bytes as before if that fits."""
    if inside == data[whole.body : whole.stop]:
        return data
    name = ebml.packed_name(whole.name)
    return name + length(len(inside), whole.body - len(name)) + inside


def check_sum(inside: bytes) -> bytes:
    """The element that holds the CRC-32 of those behind it."""
    return ebml.pack(CRC, zlib.crc32(inside).to_bytes(4, "little"), width=1)


def length(size: int, width: int = 1) -> bytes:
    """A length in so many bytes, or in as many as it needs."""
    while size >= (1 << 7 * width) - 1:
        width += 1
    return ebml.packed_size(size, width)


def number(value: int, least: int = 1) -> bytes:
    """An unsigned number in as many bytes as it needs."""
    return value.to_bytes(max((value.bit_length() + 7) // 8, least))
