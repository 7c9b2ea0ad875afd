"""What the engine's answer means: its JSON, turned into one value. Pure: no engine, no clock, no file.

The engine's one word is not used alone. It calls a file "valid" when only an earlier signer is unknown here, and "trusted"
when the file it was made from was tampered with. So the status codes decide, each manifest by itself:

* codes about the *credential* (who signed, and when) say what a signer is worth;
* codes about an *identity* inside the marker (CAWG) that cannot be checked offline say just that;
* every other failure means that the marker does not hold.

An "invalid" that no code explains stays invalid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aikz_label.manifest.ancestry import Ancestor, ancestors_of, torn
from aikz_label.manifest.answers import (
    EXPIRED,
    UNCHECKED,
    Stamp,
    codes_of,
    index_of,
    items,
    mapping,
    signer_of,
    soft,
    stamp_of,
    why,
)
from aikz_label.manifest.cose import Signature
from aikz_label.report.provenance import NOT_CHECKED, Revocation, Signer
from aikz_label.texts import Message
from aikz_label.values import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reading:
    """What the engine says about one file.

    Attributes:
        state: `trusted`, `untrusted`, `invalid`, `absent` or `failed`.
        problem: For `invalid` and `absent`: code of the group `marker`; empty when there is nothing more to say.
        manifest: The active manifest as JSON, when there is one.
        label: Its name in the store.
        codes: C2PA status codes of failures and information, verbatim.
        signer: Names from the certificate.
        trust: For `trusted`: index of the list that the engine found the signer on.
        stamp: The time-stamp on the signature, when there is one.
        identity: What is known of an identity statement inside the marker: `unchecked`, `failed`, or empty for none.
        ancestors: Markers of the files this one was made from, nearest first, each before its own ancestors.
        store: The C2PA store as the engine read it; empty when it gives none.
        signature: The signature of the active manifest, where it was read already and there is no other manifest.
        results: The engine's validation results, verbatim.
        outside: The engine does not find the store in the file by itself: it is in a sidecar, or in a carrier of ours.
        revocation: What is known about certificates that were called back; filled by `credentials`.
        notes: What else is to be said of the signer, codes of the group `signer`; filled by `credentials`.
    """

    state: str
    problem: str = ""
    manifest: dict[str, Any] | None = None
    label: str = ""
    codes: tuple[str, ...] = ()
    signer: Signer | None = None
    trust: int = -1
    stamp: Stamp | None = None
    identity: str = ""
    ancestors: tuple[Ancestor, ...] = ()
    store: bytes = b""
    signature: Signature | None = None
    results: Mapping[str, Any] | None = None
    outside: bool = False
    revocation: Revocation = NOT_CHECKED
    notes: tuple[Message, ...] = ()

    @property
    def signed_at(self) -> str:
        """Time of a trusted time-stamp, or empty."""
        return self.stamp.time if self.stamp and self.stamp.state == "trusted" else ""

    @property
    def parents(self) -> tuple[dict[str, Any], ...]:
        """Manifests of the files this one was made from, nearest first: parents of parents, no components."""
        line: list[dict[str, Any]] = []
        at = -1
        for index, ancestor in enumerate(self.ancestors):
            if ancestor.of == at and ancestor.relation == "parent":
                line.append(ancestor.manifest)
                at = index
        return tuple(line)

    @property
    def parts(self) -> tuple[dict[str, Any], ...]:
        """Manifests of files that were put into this one or into its parents, and hold; what was only looked at is none."""
        found: list[dict[str, Any]] = []
        within: dict[int, bool] = {
            -1: False
        }  # whether an ancestor is a part; missing for inputs and what leads to them
        for index, ancestor in enumerate(self.ancestors):
            if ancestor.of not in within or ancestor.relation == "input" or ancestor.hard:
                continue
            within[index] = within[ancestor.of] or ancestor.relation == "component"
            if within[index]:
                found.append(ancestor.manifest)
        return tuple(found)


def from_store(
    found: Mapping[str, Any], store: bytes = b"", signature: Signature | None = None
) -> Reading:
    """Judge the engine's JSON.

    Args:
        found: What the engine's reader gives.
        store: The bytes it was read from.
        signature: That of the active manifest, where it is read already.
    """
    results = mapping(found.get("validation_results"))
    active = mapping(results.get("activeManifest"))
    failed = codes_of(active, "failure")
    label = str(found.get("active_manifest") or "")
    manifest = mapping(found.get("manifests")).get(label)
    codes = tuple(failed + codes_of(active, "informational"))
    if not isinstance(manifest, dict):
        return Reading("invalid", "damaged", codes=codes)
    ancestors = tuple(ancestors_of(found, label, manifest))
    reading = Reading(
        state="",
        manifest=manifest,
        label=label,
        codes=codes,
        signer=signer_of(manifest),
        stamp=stamp_of(manifest, active),
        identity=_identity(codes),
        ancestors=ancestors,
        store=store,
        signature=signature,
        results=results,
    )
    hard = [code for code in failed if not soft(code)]
    broken = [a for a in ancestors if a.hard and a.relation == "parent"]
    now_torn = torn(results)
    if broken or now_torn:
        more = tuple(dict.fromkeys([*now_torn, *(code for a in broken for code in a.codes)]))
        return replace(reading, state="invalid", problem="parent", codes=codes + more)
    if hard or not _explained(found, failed, ancestors):
        return replace(reading, state="invalid", problem=_why_invalid(hard, active))
    if EXPIRED & set(failed):
        return replace(reading, state="invalid", problem="expired")
    if "signingCredential.trusted" not in codes_of(active, "success"):
        return replace(reading, state="untrusted")
    return replace(reading, state="trusted", trust=index_of(str(results.get("trustListUri") or "")))


def _explained(
    found: Mapping[str, Any], failed: list[str], ancestors: tuple[Ancestor, ...]
) -> bool:
    """Whether an "invalid" of the engine comes from a code that was looked at."""
    if found.get("validation_state") in {"Trusted", "Valid"}:
        return True
    every = {*failed, *(code for ancestor in ancestors for code in ancestor.codes)}
    return bool(every - {"signingCredential.untrusted"})


def _why_invalid(codes: list[str], active: Mapping[str, Any]) -> str:
    """The same for the file's own marker, of which the engine says more than a code.

    A mismatch is no sign of tampering where nothing could be compared. And where the signature over the claim holds, what
    is wrong without a mismatch was signed so: the writer did not follow the rules, and nobody changed anything since.
    """
    failures = items(active, "failure")
    said = [str(i.get("explanation")) for i in failures if str(i.get("code")).endswith(".mismatch")]
    if any(code.startswith("algorithm.") for code in codes) or any(
        re.search(_UNKNOWN, text) for text in said
    ):
        return "algorithm"
    if any(re.search(_LEFT_OUT, text) for text in said):
        return "exclusion"
    reason = why(codes)
    if reason == "damaged" and codes and "claimSignature.validated" in codes_of(active, "success"):
        return "malformed"
    return reason


_UNKNOWN = r"(?i)unsupported|unknown alg"
_LEFT_OUT = r"(?i)exclusion does not match the manifest"


def _identity(codes: tuple[str, ...]) -> str:
    cawg = [code for code in codes if code.startswith("cawg.")]
    if not cawg:
        return ""
    return "unchecked" if set(cawg) <= UNCHECKED else "failed"
