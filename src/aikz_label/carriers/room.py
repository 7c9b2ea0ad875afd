"""A marker at a place of its own in a file of any length: the file is written once, and hashed on its way.

As in `embedded`, the binding names the bytes that the marker will occupy; so one signature tells its size, the file is
written with zeros of that size, and a second signature is padded to exactly that and put in their place.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from aikz_label import engine
from aikz_label.carriers import embedded, padding
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

Layout: TypeAlias = "Callable[[int], tuple[Iterable[bytes], Iterable[bytes]]]"
_FAR = 1 << 31  # a place for the first signature; its number takes as many bytes as most


def _plain(store: bytes) -> bytes:
    return store


@dataclass(frozen=True, slots=True)
class Room:
    """Where a marker goes.

    Attributes:
        layout: What stands before and after a marker that takes so many bytes.
        encode: Makes the bytes of a marker from its store.
        size: How many those will be.
        even: The format asks for an even number of them.
    """

    layout: Layout
    encode: Callable[[bytes], bytes] = _plain
    size: padding.Sizer = len
    even: bool = False


def sign(
    room: Room,
    destination: BinaryIO,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """Write a file with a signed marker; memory does not grow with the file.

    Args:
        room: The file, and where the marker goes.
        destination: Empty stream that reads, writes and seeks.
        manifest: The definition, without a binding.
        key: Who signs.
        parent: A marked file that this one was made from.

    Raises:
        Refused: No size fits.
        SigningError: The engine does not take the key or the certificate.
    """

    def signed(start: int, size: int, digest: bytes) -> bytes:
        return engine.sign_detached(embedded.bound(manifest, start, size, digest), key, parent)

    store = signed(_FAR, _FAR, bytes(32))
    for _ in range(embedded.TRIES):
        target = padding.expected(store, room.size)
        target += target & 1 if room.even else 0
        start, digest = _written(room.layout, target, destination)
        store = signed(start, target, digest)
        exact = padding.fitted(store, target, room.size)
        if exact is not None:
            destination.seek(start)
            destination.write(room.encode(exact))
            destination.seek(0, io.SEEK_END)
            return
    raise embedded.no_size()


def _written(layout: Layout, size: int, destination: BinaryIO) -> tuple[int, bytes]:
    """Write the file with zeros for its marker; where they start, and the digest of everything else."""
    before, after = layout(size)
    hashed = hashlib.sha256()
    destination.seek(0)
    destination.truncate()
    for block in before:
        hashed.update(block)
        destination.write(block)
    start = destination.tell()
    destination.write(bytes(size))
    for block in after:
        hashed.update(block)
        destination.write(block)
    return start, hashed.digest()
