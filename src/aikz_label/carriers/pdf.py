"""The marker of a PDF: a store whose binding leaves out exactly its own bytes (C2PA 2.4, A.4 and 18.5).

Where in the document it is attached is the adapter's business. Here is what holds for its bytes: the engine validates the
store, and that the rest of the file is what was signed is checked here, over the file as it stands. The engine's own way of
writing a PDF is never used: it writes the whole file anew, takes its encryption off and breaks its signatures.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aikz_label import engine
from aikz_label.carriers import padding
from aikz_label.engine import Reading
from aikz_label.errors import Refused
from aikz_label.manifest import jumbf
from aikz_label.manifest.binding import MISMATCH, Binding
from aikz_label.trust import TrustList
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

MAX_STORE = 64 << 20
_GUESS = 4096  # bytes of a store, before the first signing says how large it is
_TRIES = 6  # one is enough unless a time-stamp changes its size in between
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Attached:
    """A store that is attached to a document.

    Attributes:
        start: Where its bytes start in the file.
        store: Its bytes; `None` when they cannot be had.
        end: Where the file ended before something was appended behind the update that brought the store.
        detached: A later update took it away.
    """

    start: int
    store: bytes | None
    end: int = 0
    detached: bool = False


@dataclass(frozen=True, slots=True)
class Laid:
    """The end of a file with room for a store.

    Attributes:
        data: The bytes behind the part that stays.
        hole: Where in them the store goes.
    """

    data: bytes
    hole: int


def read(source: BinaryIO, found: Sequence[Attached], trust: tuple[TrustList, ...]) -> Reading:
    """Validate the marker of a document, and its binding to the file.

    Args:
        source: The file.
        found: Every store that is attached to it now.
        trust: Lists whose roots are believed.
    """
    if not found:
        return Reading("absent")
    if len(found) > 1:
        return Reading("invalid", "several-attached", codes=("manifest.multipleManifests",))
    (attached,) = found
    store = attached.store
    if store is None:
        return Reading("invalid", "damaged", codes=("pdf.stream",))
    if int.from_bytes(store[:4], "big") != len(store) or not jumbf.lengths_fit(store):
        return Reading("invalid", "damaged", codes=("jumbf.length",))
    reading, binding = engine.read_unbound(store, trust)
    if reading.state in {"absent", "failed"}:
        return Reading("invalid", "damaged", codes=reading.codes)
    if reading.state in {"trusted", "untrusted"} or reading.problem == "expired":
        problem = _unbound(source, attached, binding)
        if problem:
            codes = (MISMATCH, *reading.codes)
            reading = replace(reading, state="invalid", problem=problem, codes=codes)
    return replace(reading, store=store, outside=True)


def _unbound(source: BinaryIO, attached: Attached, binding: Binding | None) -> str:
    """Why the binding does not hold; empty when it does."""
    if binding is None:
        return "malformed"
    assert attached.store is not None
    exact = binding.exclusions == ((attached.start, len(attached.store)),)
    if not attached.detached and binding.fits(source):
        return "" if exact else "exclusion"
    if exact and binding.fits(_beginning(source, attached.end)):
        return "updated"
    return "altered"


def _beginning(source: BinaryIO, end: int) -> BinaryIO:
    return cast("BinaryIO", _Beginning(source, end))


class _Beginning(io.RawIOBase):
    """A file up to some offset."""

    def __init__(self, source: BinaryIO, end: int) -> None:
        self._source = source
        self._end = end
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read on, up to the end."""
        left = max(0, self._end - self._at)
        self._source.seek(self._at)
        data = self._source.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data


def write(
    source: BinaryIO,
    kept: int,
    destination: BinaryIO,
    lay: Callable[[int], Laid],
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """Sign a document into `destination`.

    Args:
        source: The document.
        kept: How many of its bytes stay; the rest is laid anew.
        destination: Empty stream.
        lay: Makes the end of the file for a store of a given size.
        manifest: The definition, without a binding.
        key: Who signs.
        parent: A marked file that this one was made from.

    Raises:
        Refused: The size of the store does not settle.
        SigningError: The key or certificate is not accepted.
    """
    first = lay(_GUESS)  # before anything is written: this file may have no place for a marker
    beginning = hashlib.sha256()
    source.seek(0)
    left = kept
    while left and (block := source.read(min(left, _BLOCK))):
        beginning.update(block)
        destination.write(block)
        left -= len(block)

    def signed(laid: Laid, size: int) -> bytes:
        digest = beginning.copy()
        digest.update(memoryview(laid.data)[: laid.hole])
        digest.update(memoryview(laid.data)[laid.hole + size :])
        return engine.sign_detached(
            _bound(manifest, kept + laid.hole, size, digest.digest()), key, parent
        )

    store = signed(first, _GUESS)
    for _ in range(_TRIES):
        size = padding.expected(store, len)
        laid = lay(size)
        store = signed(laid, size)
        exact = padding.fitted(store, size, len)
        if exact is not None:
            end = memoryview(laid.data)
            destination.writelines((end[: laid.hole], exact, end[laid.hole + size :]))
            return
    raise Refused(
        "The size of this document's marker does not settle.",
        code="marker-size",
        hint="Try again; if it happens again, please report this.",
    )


def _bound(manifest: dict[str, Any], start: int, length: int, digest: bytes) -> dict[str, Any]:
    binding = {
        "exclusions": [{"start": start, "length": length}],
        "alg": "sha256",
        "hash": list(digest),
        "name": "jumbf manifest",
        "pad": [],
    }
    hard = {"label": "c2pa.hash.data", "created": True, "data": binding}
    return {**manifest, "assertions": [*manifest["assertions"], hard]}
