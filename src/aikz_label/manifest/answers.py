"""The engine's answer, piece by piece: it is made from the file, so nothing in it is taken to have the right shape.

Its status codes are of three kinds: about the credential (who signed, and when), about an identity inside the marker (CAWG)
that cannot be checked offline, and all others, which mean that the marker does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aikz_label.report.provenance import Signer
from aikz_label.values import dataclass

TRUST_URI = "urn:aikz-label:trust:"
EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}
_CREDENTIAL = {"signingCredential.untrusted", *EXPIRED}
# Identity statements (CAWG) that need a network, a list of their own or a method the engine does not have.
UNCHECKED = {
    "cawg.ica.did_unavailable",
    "cawg.ica.untrusted_issuer",
    "cawg.identity.sig_type.unknown",
    "cawg.x509.algorithm.unsupported",
    "cawg.x509.credential.untrusted",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp on a signature, as the engine sees it.

    Attributes:
        state: `trusted`, `untrusted` or `invalid`.
        time: What it says, ISO 8601.
        trust: Index of the list that its authority was found on, or -1.
        authority: What its authority is called; untrusted text.
    """

    state: str
    time: str = ""
    trust: int = -1
    authority: str = ""


def mapping(value: object) -> Mapping[str, Any]:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or none for anything else."""
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def items(group: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Status entries of one kind: `success`, `informational` or `failure`."""
    return listed(group.get(kind))


def codes_of(group: Mapping[str, Any], kind: str) -> list[str]:
    """Their codes."""
    return [str(item.get("code", "")) for item in items(group, kind)]


def soft(code: str) -> bool:
    """A failure that says nothing about the bytes."""
    return code in _CREDENTIAL or code in UNCHECKED or code.startswith("timeStamp.")


def why(codes: list[str]) -> str:
    """Code of the group `marker` for failures that are not about the credential."""
    if any(code.endswith((".mismatch", ".unreferenced")) and "cawg." not in code for code in codes):
        return "altered"
    if any("revoked" in code for code in codes):
        return "revoked"
    if "signingCredential.invalid" in codes:
        return "profile"
    return "identity" if codes and all(c.startswith("cawg.") for c in codes) else "damaged"


def signer_of(manifest: Mapping[str, Any]) -> Signer | None:
    """Whom the certificate of a manifest names."""
    signature = manifest.get("signature_info")
    if not isinstance(signature, Mapping):
        return None
    return Signer(
        name=str(signature.get("common_name") or signature.get("issuer") or ""),
        organisation=str(signature.get("issuer") or ""),
        serial=str(signature.get("cert_serial_number") or ""),
        algorithm=str(signature.get("alg") or ""),
    )


def stamp_of(manifest: Mapping[str, Any], active: Mapping[str, Any]) -> Stamp | None:
    """The engine names the list that believed a time-stamp's authority only inside a sentence."""
    every = [
        item for kind in ("success", "informational", "failure") for item in items(active, kind)
    ]
    stamped = {str(item.get("code")): str(item.get("explanation")) for item in every}
    stamped = {code: text for code, text in stamped.items() if code.startswith("timeStamp.")}
    if not stamped:
        return None
    time = str(mapping(manifest.get("signature_info")).get("time") or "").replace("+00:00", "Z")
    if "timeStamp.trusted" in stamped:
        said, _, uri = stamped["timeStamp.trusted"].rpartition(", trust list: ")
        return Stamp("trusted", time, index_of(uri), said.partition(": ")[2])
    good = stamped.keys() <= {"timeStamp.validated", "timeStamp.untrusted"}
    if not good:
        return Stamp("invalid", time)
    return Stamp("untrusted", time, -1, stamped.get("timeStamp.untrusted", "").partition(": ")[2])


def index_of(uri: str) -> int:
    """Of which list an address speaks, or -1."""
    number = uri.removeprefix(TRUST_URI)
    return int(number) if number != uri and number.isdecimal() and len(number) < 6 else -1
