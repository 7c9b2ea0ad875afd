"""Bindings that are checked here: a store that was validated without its file, and what it says of the file's bytes.

The engine looks for a store where it would have put it, and refuses to believe one that is elsewhere: in a sidecar of a
large file it is slow, and in carriers of ours it never finds any. So it is asked about the store alone, fails for one
reason that was to be expected, and whoever knows the carrier checks the rest.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any, BinaryIO

from aikz_label.manifest import cbor
from aikz_label.manifest.answers import items, mapping
from aikz_label.manifest.cose import Signature
from aikz_label.manifest.known import Signed
from aikz_label.manifest.reading import Reading, from_store
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Binding:
    """A `c2pa.hash.data`: which bytes a store is bound to.

    Attributes:
        digest: Of all bytes but the exclusions.
        algorithm: Its name, as C2PA writes it; `hashlib` knows it by the same one.
        exclusions: Start and length of each part that is left out, in order.
    """

    digest: bytes
    algorithm: str
    exclusions: tuple[tuple[int, int], ...]

    def fits(self, source: BinaryIO) -> bool:
        """Whether the bytes of a file have this digest, without the exclusions as they stand."""
        import hashlib  # noqa: PLC0415  # and with it OpenSSL

        hashed, at = hashlib.new(self.algorithm), 0
        end = source.seek(0, io.SEEK_END)
        for start, length in (*self.exclusions, (end, 0)):
            if not at <= start <= end or length < 0:
                return False
            source.seek(at)
            while at < start:
                piece = source.read(min(start - at, _BLOCK))
                if not piece:
                    return False
                hashed.update(piece)
                at += len(piece)
            at = start + length
        return at >= end and hashed.digest() == self.digest


_BLOCK = 1 << 20
_ALGORITHMS = {"sha256", "sha384", "sha512"}
MISMATCH = "assertion.dataHash.mismatch"
UNTRUSTED = "signingCredential.untrusted"


def without_file(
    found: Mapping[str, Any],
    binding: Binding | None,
    store: bytes,
    signature: Signature | None = None,
) -> Reading:
    """What a store that was read without its file comes to, apart from its binding.

    Args:
        found: The engine's JSON.
        binding: That of its active manifest.
        store: The store.
        signature: That of its manifest, where it is read already.
    """
    if binding is None:
        return from_store(found, store, signature)
    results = mapping(found.get("validation_results"))
    active = mapping(results.get("activeManifest"))
    others = [item for item in items(active, "failure") if item.get("code") != MISMATCH]
    met = {**results, "activeManifest": {**active, "failure": others}}
    hard = {item.get("code") for item in others} - {UNTRUSTED}
    state = "Invalid" if hard else "Valid"
    judged = {**found, "validation_results": met, "validation_state": state}
    return from_store(judged, store, signature)


def is_whole(found: Mapping[str, Any]) -> bool:
    """Whether a store that was read without its file has no other fault than that."""
    active = mapping(mapping(found.get("validation_results")).get("activeManifest"))
    return {item.get("code") for item in items(active, "failure")} <= {MISMATCH, UNTRUSTED}


def binding_in(signed: Signed) -> Binding | None:
    """The binding of a store that can be read in one way; `None` also where it is written in another way than ours."""
    if not signed.bound:
        return None
    try:
        data = cbor.decode(signed.bound)
        digest, algorithm = data["hash"], data["alg"]
        exclusions = tuple((part["start"], part["length"]) for part in data.get("exclusions", ()))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    known = algorithm in _ALGORITHMS and isinstance(digest, bytes)
    if not known or any(type(number) is not int for pair in exclusions for number in pair):
        return None
    return Binding(digest, algorithm, exclusions)


def binding_of(details: Mapping[str, Any]) -> Binding | None:
    """The one binding of the active manifest, if it is to the bytes of a file."""
    label = str(details.get("active_manifest") or "")
    manifest = mapping(mapping(details.get("manifests")).get(label))
    listed = mapping(manifest.get("assertion_store"))
    names = [name for name in listed if name.startswith("c2pa.hash.")]
    data = listed.get("c2pa.hash.data")
    if names != ["c2pa.hash.data"] or not isinstance(data, Mapping):
        return None
    algorithm = data.get("alg") or mapping(manifest.get("claim")).get("alg")
    try:
        digest = base64.b64decode(data["hash"], validate=True)
        exclusions = tuple(
            (int(part["start"]), int(part["length"])) for part in data.get("exclusions") or ()
        )
    except (KeyError, TypeError, ValueError):
        return None
    return Binding(digest, algorithm, exclusions) if algorithm in _ALGORITHMS else None
