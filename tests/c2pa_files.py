"""C2PA markers written by hand, box by box, for what the engine would refuse to write (C2PA 2.4; RFC 8949, RFC 9052).

A `Manifest` is signed with a certificate of `pki` and put into a JPEG or PNG file. Everything a writer can get wrong, or
that older and other writers do in another way, is an argument.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from pki import Party

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_TAIL = bytes.fromhex("00110010800000AA00389B71")
_SOI = b"\xff\xd8"


def cbor(value: Any) -> bytes:
    """The few kinds of items that markers hold."""
    if isinstance(value, bool | None):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes | str):
        data = value.encode() if isinstance(value, str) else value
        return _head(3 if isinstance(value, str) else 2, len(data)) + data
    if isinstance(value, Tagged):
        return _head(6, value.tag) + cbor(value.value)
    if isinstance(value, Mapping):
        return _head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    return _head(4, len(value)) + b"".join(map(cbor, value))


@dataclass(frozen=True, slots=True)
class Tagged:
    """An item with a tag, such as 0 for a date."""

    tag: int
    value: Any


def _head(kind: int, value: int) -> bytes:
    if value < 24:
        return bytes((kind << 5 | value,))
    size = next(size for size in (1, 2, 4, 8) if value < 256**size)
    return bytes((kind << 5 | 24 + (1, 2, 4, 8).index(size),)) + value.to_bytes(size)


def box(kind: bytes, data: bytes) -> bytes:
    return (8 + len(data)).to_bytes(4) + kind + data


def superbox(kind: bytes, label: str, *content: bytes) -> bytes:
    """A JUMBF superbox: what it is, its label, what is in it."""
    description = box(b"jumd", kind + _TAIL + b"\x03" + label.encode() + b"\0")
    return box(b"jumb", description + b"".join(content))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What goes into a marker.

    Attributes:
        assertions: Label and data of each assertion, but for the binding.
        signer: Who signs.
        label: Name of the manifest.
        version: Of the claim, 1 or 2; others are written like 2.
        generator: Name of the program.
        algorithm: Name of the hash algorithm in the claim and in the binding.
        older: Manifests of files this one was made from, as whole boxes.
        binding: Whether there is an assertion that binds to the file.
        wider: By how many bytes the excluded range is longer than the marker.
        claim: More entries of the claim.
    """

    assertions: Sequence[tuple[str, Any]]
    signer: Party
    label: str = "urn:c2pa:11111111-2222-4333-8444-555555555555"
    version: int = 2
    generator: str = "Handmade"
    algorithm: str = "sha256"
    older: Sequence[bytes] = ()
    binding: bool = True
    wider: int = 0
    claim: Mapping[str, Any] = field(default_factory=dict)

    def box(self, digest: bytes, ranges: Sequence[tuple[int, int]]) -> bytes:
        """The manifest, bound to a file of which those ranges are left out."""
        assertions = list(self.assertions)
        if self.binding:
            data = {
                "exclusions": [{"start": start, "length": size} for start, size in ranges],
                "alg": self.algorithm,
                "hash": digest,
                "pad": b"",
            }
            assertions.append(("c2pa.hash.data", data))
        boxes = [assertion(name, data) for name, data in assertions]
        listed = [
            {
                "url": f"self#jumbf=c2pa.assertions/{name}",
                "hash": hashlib.sha256(made[8:]).digest(),
            }
            for (name, _), made in zip(assertions, boxes, strict=True)
        ]
        claim = cbor(self._claim(listed))
        signature = cbor(self._signature(claim))
        name = "c2pa.claim" if self.version == 1 else f"c2pa.claim.v{self.version}"
        return superbox(
            b"c2ma",
            self.label,
            superbox(b"c2as", "c2pa.assertions", *boxes),
            superbox(b"c2cl", name, box(b"cbor", claim)),
            superbox(b"c2cs", "c2pa.signature", box(b"cbor", signature)),
        )

    def _claim(self, listed: list[dict[str, Any]]) -> dict[str, Any]:
        signature = f"self#jumbf=/c2pa/{self.label}/c2pa.signature"
        common = {"signature": signature, "dc:title": "handmade", "alg": self.algorithm}
        common["instanceID"] = "xmp:iid:11111111-2222-4333-8444-666666666666"
        if self.version == 1:
            first = {"claim_generator": self.generator, "dc:format": "image/jpeg"}
            return {**first, **common, "assertions": listed, **self.claim}
        info = {"name": self.generator, "version": "1"}
        return {"claim_generator_info": info, **common, "created_assertions": listed, **self.claim}

    def _signature(self, claim: bytes) -> Tagged:
        chain = [one.public_bytes(serialization.Encoding.DER) for one in self.signer.chain]
        protected = cbor({1: -7, 33: chain if len(chain) > 1 else chain[0]})
        signed = cbor(["Signature1", protected, b"", claim])
        r, s = utils.decode_dss_signature(
            self.signer.key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        )
        return Tagged(18, [protected, {"pad": bytes(32)}, None, r.to_bytes(32) + s.to_bytes(32)])

    def store(self, digest: bytes, ranges: Sequence[tuple[int, int]]) -> bytes:
        """The whole store."""
        return superbox(b"c2pa", "c2pa", *self.older, self.box(digest, ranges))


def assertion(name: str, data: Any) -> bytes:
    """The box of an assertion."""
    return superbox(b"cbor", name, box(b"cbor", cbor(data)))


def in_jpeg(data: bytes, manifest: Manifest) -> bytes:
    """A JPEG file with the marker behind its first two bytes."""

    def framed(store: bytes) -> bytes:
        head, size = store[:8], 60_000
        pieces = [store[8:][at : at + size] for at in range(0, len(store) - 8, size)]
        framed = b""
        for number, piece in enumerate(pieces, 1):
            body = b"JP\0\1" + number.to_bytes(4) + head + piece
            framed += b"\xff\xeb" + (len(body) + 2).to_bytes(2) + body
        return framed

    return _bound(manifest, data[:2], framed, data[2:])


def in_png(data: bytes, manifest: Manifest) -> bytes:
    """A PNG file with the marker behind its header."""

    def framed(store: bytes) -> bytes:
        body = b"caBX" + store
        return len(store).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

    return _bound(manifest, data[:33], framed, data[33:])


def _bound(manifest: Manifest, before: bytes, framed: Any, after: bytes) -> bytes:
    """Hash everything but the marker; its length depends on numbers that depend on it, so it is tried until it stays."""
    length = 0
    for _ in range(5):
        ranges = [(len(before), length + manifest.wider)]
        whole = before + bytes(length) + after
        start, size = ranges[0]
        digest = hashlib.sha256(whole[:start] + whole[start + size :]).digest()
        marker: bytes = framed(manifest.store(digest, ranges))
        if len(marker) == length:
            return before + marker + after
        length = len(marker)
    raise AssertionError("its length does not settle")


def ingredient(relation: str, older: bytes, label: str, version: int = 2) -> tuple[str, Any]:
    """The assertion that takes an older manifest up, as writers of each claim version do it."""
    link = {"url": f"self#jumbf=/c2pa/{label}", "hash": hashlib.sha256(older[8:]).digest()}
    if version == 1:
        common = {"dc:title": "old", "dc:format": "image/jpeg", "relationship": relation}
        return "c2pa.ingredient", {**common, "instanceID": "xmp:iid:1", "c2pa_manifest": link}
    results = {"activeManifest": {"success": [], "informational": [], "failure": []}}
    return "c2pa.ingredient.v3", {
        "dc:title": "old",
        "dc:format": "image/jpeg",
        "relationship": relation,
        "activeManifest": link,
        "validationResults": results,
    }


def taken(action: dict[str, Any], name: str, data: Any) -> dict[str, Any]:
    """An action that names the ingredient it took."""
    link = {
        "url": f"self#jumbf=c2pa.assertions/{name}",
        "hash": hashlib.sha256(assertion(name, data)[8:]).digest(),
    }
    old = name == "c2pa.ingredient"
    return {**action, "parameters": {"ingredient": link} if old else {"ingredients": [link]}}


def actions(*listed: Mapping[str, Any], version: int = 2, **more: Any) -> tuple[str, Any]:
    """An actions assertion."""
    return "c2pa.actions" if version == 1 else "c2pa.actions.v2", {"actions": list(listed), **more}


def deed(name: str, source_type: str = "", **more: Any) -> dict[str, Any]:
    """One action."""
    return {
        "action": f"c2pa.{name}",
        **({"digitalSourceType": IPTC + source_type} if source_type else {}),
        **more,
    }
