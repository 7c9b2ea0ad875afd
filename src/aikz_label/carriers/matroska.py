"""The marker of Matroska and WebM: the C2PA store in a tag named `C2PA` (no annex of C2PA 2.4 covers these formats).

A Tags element at the end of the Segment holds one Tag about the whole file, with one SimpleTag: TagName `C2PA`, TagBinary
the store. Both formats have such tags; players do not look at them, and programs that write the file anew keep them. The
binding is a `c2pa.hash.data` over every byte of the file but those of the store itself.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.carriers import ebml, ebml_edit, padding
from aikz_label.carriers.ebml import Document, Simple
from aikz_label.carriers.patched import Copy, Digest
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.engine import Reading
from aikz_label.errors import Refused
from aikz_label.manifest.binding import MISMATCH, Binding
from aikz_label.manifest.jumbf import lengths_fit
from aikz_label.trust import TrustList
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

NAME = "C2PA"
MAX_STORE = 16 << 20
_MALFORMED = "assertion.dataHash.malformed"


def find(source: BinaryIO, document: Document, most: int) -> Iterator[Simple]:
    """Every tag that is named like the marker.

    Raises:
        Broken: The tags cannot be read.
    """
    for simple in ebml.simple_tags(source, document, most):
        if simple.name == NAME:
            yield simple


def read(source: BinaryIO, document: Document, most: int, trust: tuple[TrustList, ...]) -> Reading:
    """Validate the one marker of a file, and its binding; never raises on content.

    Args:
        source: The file.
        document: Its outline.
        most: Elements of its tags that are looked at.
        trust: Lists whose roots are believed.
    """
    try:
        found = tuple(find(source, document, most))
    except ebml.Broken:
        return Reading("failed")
    if len(found) != 1:
        several = Reading("invalid", "several", codes=("claim.multiple",))
        return several if found else Reading("absent")
    value = found[0].value
    whole = value is not None and value.name == ebml.TAG_BINARY and value.size <= MAX_STORE
    store = ebml.content(source, value, MAX_STORE) if value and whole else b""
    if value is None or not store or not lengths_fit(store):
        return Reading("invalid", "damaged", codes=("jumbf.length",))
    reading, binding = engine.read_unbound(store, trust)
    if reading.state in {"absent", "failed"}:
        return Reading("invalid", "damaged", codes=reading.codes)
    if reading.state in {"trusted", "untrusted"} or reading.problem == "expired":
        problem = _unbound(source, (value.body, value.size), binding)
        if problem:
            codes = (problem, *reading.codes)
            reading = replace(reading, state="invalid", problem="altered", codes=codes)
    return replace(reading, store=store, outside=True)


def _unbound(source: BinaryIO, place: tuple[int, int], binding: Binding | None) -> str:
    """The status code of a binding that does not hold; empty when it does."""
    if binding is None or binding.exclusions != (place,):
        return _MALFORMED
    return "" if binding.fits(source) else MISMATCH


def write(
    source: BinaryIO,
    destination: BinaryIO,
    document: Document,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """Sign `source`, which holds no marker, into `destination`; memory does not grow with the file.

    Raises:
        NoCarrier: Something in the file speaks against an addition.
        Refused: The marker cannot be made.
        SigningError: The key or certificate is not accepted.
    """
    first = document.parts[0] if document.parts else None
    if first is None or first.name == ebml.CRC:  # a checksum over the whole Segment
        raise NoCarrier
    # how long a marker is depends on what it says, and its signature by a few bytes
    length = padding.expected(_signed(manifest, 0, MAX_STORE, bytes(32), key, parent), len)
    destination.seek(0)
    destination.truncate()
    tags = tagged(bytes(length))
    try:
        at = ebml_edit.append(source, destination, document, tags) + len(tags) - length
    except ebml.Broken:
        raise NoCarrier from None
    digest = _digest(destination, at, length)
    store = padding.fitted(_signed(manifest, at, length, digest, key, parent), length, len)
    if store is None:
        raise Refused(
            "The marker of this file does not get the size that its binding names.",
            code="marker-size",
            hint="Try again; if it happens again, please report this.",
        )
    destination.seek(at)
    destination.write(store)


def tagged(store: bytes) -> bytes:
    """The element that holds a store, which are its last bytes."""
    simple = ebml.pack(
        ebml.SIMPLE_TAG,
        ebml.pack(ebml.TAG_NAME, NAME.encode(), width=1),
        ebml.pack(ebml.TAG_BINARY, store),
    )
    whole_file = ebml.pack(ebml.TARGETS, width=1)
    return ebml.pack(ebml.TAGS, ebml.pack(ebml.TAG, whole_file, simple))


def _signed(
    manifest: dict[str, Any],
    start: int,
    length: int,
    digest: bytes,
    key: SigningKey,
    parent: engine.Parent | None,
) -> bytes:
    """A marker bound to everything but its own place."""
    binding = {
        "exclusions": [{"start": start, "length": length}],
        "alg": "sha256",
        "hash": list(digest),
        "name": "jumbf manifest",
        "pad": [],
    }
    bound = {"label": "c2pa.hash.data", "created": True, "data": binding}
    whole = {**manifest, "assertions": [*manifest["assertions"], bound]}
    return engine.sign_detached(whole, key, parent)


def _digest(source: BinaryIO, start: int, length: int) -> bytes:
    """SHA-256 of a file but for one stretch."""
    digest, size = Digest(), source.seek(0, io.SEEK_END)
    copy = Copy(source, digest)
    copy.to(start)
    copy.between(start + length, size)
    return bytes.fromhex(digest.take())
