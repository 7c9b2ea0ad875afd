"""Markers that stand in a text: signed to an exact size, and their binding checked here.

The engine knows no text. It signs a definition that brings its own `c2pa.hash.data`, and validates everything of a store
but that. So the binding is checked here, strictly: one marker in the file, one exclusion, exactly the bytes of the marker,
nothing in them but the store and what the carrier's syntax asks for, and the hash of the rest. An exclusion that covers
more is refused, whoever signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

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

Buffer: TypeAlias = "bytes | memoryview"
_GUESS = 3000  # bytes of a store; the first signing says how large it is
TRIES = 4  # two are enough unless a time-stamp changes its size in between
MALFORMED = "assertion.dataHash.malformed"


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to take a marker out of its file.

    Attributes:
        start: Where the excluded bytes start.
        length: How many they are.
        rest: The file without them, as it is hashed; empty when the file itself is at hand.
    """

    start: int
    length: int
    rest: tuple[Buffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A marker found in a file.

    Attributes:
        start: Where its bytes start in the file.
        stop: Where they end.
        store: The store; `None` when it cannot be decoded, or is elsewhere.
        cuts: Exclusions that its carrier allows; the first one is what we write ourselves.
        code: C2PA status code that says why there is no store.
        remote: It only names an address, which is not followed.
    """

    start: int
    stop: int
    store: bytes | None = None
    cuts: tuple[Cut, ...] = ()
    code: str = ""
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a marker goes.

    Attributes:
        before: The bytes before it.
        after: The bytes after it.
        encode: Makes the bytes of a marker from its store.
        size: How many those will be.
    """

    before: Buffer
    after: Buffer
    encode: Callable[[bytes], bytes]
    size: padding.Sizer


def read(
    places: Sequence[Place],
    multiple: str,
    trust: tuple[TrustList, ...],
    source: BinaryIO | None = None,
) -> Reading:
    """Validate the one marker of a file, and its binding.

    Args:
        places: Every marker that was found.
        multiple: Status code for more than one.
        trust: Lists whose roots are believed.
        source: The file, where its bytes are not in the cuts: it is then hashed as it is read.
    """
    settled = _without_engine(places, multiple)
    if settled is not None:
        return settled
    (place,) = places
    assert place.store is not None
    reading, binding = engine.read_unbound(place.store, trust)
    if reading.state in {"absent", "failed"}:
        return Reading("invalid", "damaged", codes=reading.codes)
    problem = _unbound(place, binding, source) if reading.state in {"trusted", "untrusted"} else ""
    if problem:
        codes = (problem, *reading.codes)
        reading = replace(reading, state="invalid", problem="altered", codes=codes)
    return replace(reading, store=place.store, outside=True)


def _without_engine(places: Sequence[Place], multiple: str) -> Reading | None:
    """What can be said before the engine is asked; it gets no store whose lengths lie."""
    if not places:
        return Reading("absent")
    if len(places) > 1:
        return Reading("invalid", "several", codes=(multiple,))
    (place,) = places
    if place.remote:
        return Reading("absent", "remote")
    if place.store is None:
        return Reading("invalid", "damaged", codes=(place.code,))
    if not jumbf.lengths_fit(place.store):
        return Reading("invalid", "damaged", codes=("jumbf.length",))
    return None


def _unbound(place: Place, binding: Binding | None, source: BinaryIO | None) -> str:
    """The status code of a binding that does not hold; empty when it does."""
    if binding is None:
        return MALFORMED
    cut = next((c for c in place.cuts if ((c.start, c.length),) == binding.exclusions), None)
    if cut is None:
        return MALFORMED
    if source is not None:
        return "" if binding.fits(source) else MISMATCH
    found = hashlib.new(binding.algorithm)
    for part in cut.rest:
        found.update(part)
    return "" if found.digest() == binding.digest else MISMATCH


def sign(
    hole: Hole,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> bytes:
    """Make the bytes of a marker for one place in a file.

    The binding names their number, which depends on the signature. So one signature tells the size, and a second one is
    padded to exactly that.

    Args:
        hole: Where it goes.
        manifest: The definition, without a binding.
        key: Who signs.
        parent: A marked text that this one was made from.

    Raises:
        Refused: No size fits.
        SigningError: The engine does not take the key or the certificate.
    """
    digest = hashlib.sha256(hole.before)
    digest.update(hole.after)

    def signed(size: int) -> bytes:
        whole = bound(manifest, len(hole.before), size, digest.digest())
        return engine.sign_detached(whole, key, parent)

    store = signed(_GUESS)
    for _ in range(TRIES):
        target = padding.expected(store, hole.size)
        store = signed(target)
        exact = padding.fitted(store, target, hole.size)
        if exact is not None:
            return hole.encode(exact)
    raise no_size()


def no_size() -> Refused:
    """The refusal where padding reaches no size that was announced."""
    return Refused(
        "The marker of this file does not get the size that its binding names.",
        code="marker-size",
        hint="Try again; if it happens again, please report this.",
    )


def bound(manifest: dict[str, Any], start: int, length: int, digest: bytes) -> dict[str, Any]:
    """The definition with a binding to a whole file but for the bytes of the marker."""
    binding = {
        "exclusions": [{"start": start, "length": length}],
        "alg": "sha256",
        "hash": list(digest),
        "name": "jumbf manifest",
        "pad": [],
    }
    hard = {"label": "c2pa.hash.data", "created": True, "data": binding}
    return {**manifest, "assertions": [*manifest["assertions"], hard]}
