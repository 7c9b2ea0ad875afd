"""The signature of a manifest (COSE_Sign1, RFC 9052) taken out of a C2PA store: certificates, time-stamps, what was signed.

The engine checks all of this, but tells nobody the certificates. Nothing is judged here; what cannot be read is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aikz_label.manifest import cbor, jumbf

ALGORITHMS = {
    -7: "es256",
    -35: "es384",
    -36: "es512",
    -37: "ps256",
    -38: "ps384",
    -39: "ps512",
    -8: "ed25519",
}
_ALGORITHM, _CHAIN = 1, 33
_MAX_TOKENS = 8
MAX_CHAIN = (
    128 * 1024
)  # bytes of certificates: what was read of each is remembered for the next file


class Signature(NamedTuple):
    """One manifest's signature.

    Attributes:
        algorithm: C2PA name, such as `es256`; empty when it is none of C2PA's.
        chain: Certificates, DER, leaf first.
        protected: The protected header, as signed.
        value: The signature itself.
        claim: What it signs: the claim, as stored.
        tokens: Time-stamp tokens (RFC 3161), DER.
        stamps_value: The tokens stamp the signature (`sigTst2`), not what was signed (`sigTst`).
    """

    algorithm: str
    chain: tuple[bytes, ...]
    protected: bytes
    value: bytes
    claim: bytes
    tokens: tuple[bytes, ...]
    stamps_value: bool

    def signed(self) -> bytes:
        """The bytes that the signature is over (RFC 9052, 4.4)."""
        return _structure("Signature1", self.protected, self.claim)

    def stamped(self) -> bytes:
        """The bytes that the time-stamps are over (C2PA 2.4, 10.3.2.5)."""
        payload = _string(2, self.value) if self.stamps_value else self.claim
        return _structure("CounterSignature", self.protected, payload)


def signatures(store: bytes, only: str = "") -> dict[str, Signature]:
    """Signatures by the names of their manifests: of all, or of one."""
    found: dict[str, Signature] = {}
    for name, parts in jumbf.manifests(store, only):
        claim = parts.get("c2pa.claim.v2") or parts.get("c2pa.claim")
        box = parts.get("c2pa.signature")
        if claim and box and name not in found:
            signature = _signature(box, claim)
            if signature is not None:
                found[name] = signature
    return found


def _signature(box: bytes, claim: bytes) -> Signature | None:
    try:
        protected, unprotected, _, value = cbor.decode(box)
        header = cbor.decode(protected)
        if not isinstance(header, dict) or not isinstance(unprotected, dict):
            return None
        chain: Any = next(
            (
                part[key]
                for part in (header, unprotected)
                for key in (_CHAIN, "x5chain")
                if key in part
            ),
            [],
        )
        certificates = tuple(_bytes(chain if isinstance(chain, list) else [chain]))
        if sum(map(len, certificates)) > MAX_CHAIN:
            return None
        second = unprotected.get("sigTst2")
        stamps = second if second is not None else unprotected.get("sigTst")
        return Signature(
            algorithm=ALGORITHMS.get(header.get(_ALGORITHM, 0), ""),
            chain=certificates,
            protected=protected,
            value=value if isinstance(value, bytes) else b"",
            claim=claim,
            tokens=tuple(_tokens(stamps)),
            stamps_value=second is not None,
        )
    except (ValueError, TypeError):
        return None


def _bytes(values: list[Any]) -> Iterator[bytes]:
    return (value for value in values if isinstance(value, bytes))


def _tokens(stamps: object) -> Iterator[bytes]:
    listed = stamps.get("tstTokens") if isinstance(stamps, Mapping) else None
    for item in (listed if isinstance(listed, list) else [])[:_MAX_TOKENS]:
        value = item.get("val") if isinstance(item, Mapping) else None
        if isinstance(value, bytes):
            yield value


def _structure(context: str, protected: bytes, payload: bytes) -> bytes:
    parts = (
        _string(3, context.encode()),
        _string(2, protected),
        _string(2, b""),
        _string(2, payload),
    )
    return b"\x84" + b"".join(parts)


def _string(kind: int, data: bytes) -> bytes:
    """A CBOR byte string (2) or text (3)."""
    size = len(data)
    for limit, head, width in ((24, 0, 0), (1 << 8, 24, 1), (1 << 16, 25, 2), (1 << 32, 26, 4)):
        if size < limit:
            first = kind << 5 | (head or size)
            return bytes([first]) + (size.to_bytes(width) if width else b"") + data
    raise ValueError("too long")
