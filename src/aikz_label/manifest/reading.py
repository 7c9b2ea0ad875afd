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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aikz_label.manifest.cose import Signature
from aikz_label.report.provenance import NOT_CHECKED, Revocation, Signer
from aikz_label.texts import Message
from aikz_label.values import dataclass, replace

TRUST_URI = "urn:aikz-label:trust:"
_MAX_ANCESTORS = 50
_EXPIRED = {"signingCredential.expired", "claimSignature.outsideValidity"}
_CREDENTIAL = {"signingCredential.untrusted", *_EXPIRED}
# Identity statements (CAWG) that need a network, a list of their own or a method the engine does not have.
_UNCHECKED = {
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


@dataclass(frozen=True, slots=True)
class Ancestor:
    """An earlier marker in the same store: of a file this one was made from.

    Attributes:
        label: Name of the manifest in the store; empty when it is missing there.
        of: Index of the ancestor that took it up, or -1 for the file's own marker.
        relation: `parent`, `component` or `input`.
        state: `untrusted` or `invalid`; whom to believe, `credentials` decides: the engine says only what differs from the
            records in the file, and these are other people's words.
        problem: For `invalid`: code of the group `marker`.
        manifest: The manifest as JSON.
        signer: Names from the certificate.
        codes: C2PA status codes of failures: what its taker recorded, and what shows now.
        hard: It does not hold for another reason than its signer's certificate.
        stamp: The time-stamp on its signature, where that was looked at.
    """

    label: str
    of: int
    relation: str
    state: str
    problem: str
    manifest: dict[str, Any]
    signer: Signer | None
    codes: tuple[str, ...]
    hard: bool
    stamp: Stamp | None = None


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
    failed = _codes(active, "failure")
    label = str(found.get("active_manifest") or "")
    manifest = mapping(found.get("manifests")).get(label)
    codes = tuple(failed + _codes(active, "informational"))
    if not isinstance(manifest, dict):
        return Reading("invalid", "damaged", codes=codes)
    ancestors = tuple(_ancestors(found, label, manifest))
    reading = Reading(
        state="",
        manifest=manifest,
        label=label,
        codes=codes,
        signer=_signer(manifest),
        stamp=_stamp(manifest, active),
        identity=_identity(codes),
        ancestors=ancestors,
        store=store,
        signature=signature,
        results=results,
    )
    hard = [code for code in failed if not _soft(code)]
    broken = [a for a in ancestors if a.hard and a.relation == "parent"]
    torn = _torn(results)
    if broken or torn:
        more = tuple(dict.fromkeys([*torn, *(code for a in broken for code in a.codes)]))
        return replace(reading, state="invalid", problem="parent", codes=codes + more)
    if hard or not _explained(found, failed, ancestors):
        return replace(reading, state="invalid", problem=_why_invalid(hard, active))
    if _EXPIRED & set(failed):
        return replace(reading, state="invalid", problem="expired")
    if "signingCredential.trusted" not in _codes(active, "success"):
        return replace(reading, state="untrusted")
    return replace(reading, state="trusted", trust=_index(str(results.get("trustListUri") or "")))


def _soft(code: str) -> bool:
    """A failure that says nothing about the bytes."""
    return code in _CREDENTIAL or code in _UNCHECKED or code.startswith("timeStamp.")


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
    why = _why(codes)
    if why == "damaged" and codes and "claimSignature.validated" in _codes(active, "success"):
        return "malformed"
    return why


_UNKNOWN = r"(?i)unsupported|unknown alg"
_LEFT_OUT = r"(?i)exclusion does not match the manifest"


def _why(codes: list[str]) -> str:
    """Code of the group `marker` for failures that are not about the credential."""
    if any(code.endswith((".mismatch", ".unreferenced")) and "cawg." not in code for code in codes):
        return "altered"
    if any("revoked" in code for code in codes):
        return "revoked"
    if "signingCredential.invalid" in codes:
        return "profile"
    return "identity" if codes and all(c.startswith("cawg.") for c in codes) else "damaged"


def _identity(codes: tuple[str, ...]) -> str:
    cawg = [code for code in codes if code.startswith("cawg.")]
    if not cawg:
        return ""
    return "unchecked" if set(cawg) <= _UNCHECKED else "failed"


def _signer(manifest: Mapping[str, Any]) -> Signer | None:
    signature = manifest.get("signature_info")
    if not isinstance(signature, Mapping):
        return None
    return Signer(
        name=str(signature.get("common_name") or signature.get("issuer") or ""),
        organisation=str(signature.get("issuer") or ""),
        serial=str(signature.get("cert_serial_number") or ""),
        algorithm=str(signature.get("alg") or ""),
    )


def _stamp(manifest: Mapping[str, Any], active: Mapping[str, Any]) -> Stamp | None:
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
        return Stamp("trusted", time, _index(uri), said.partition(": ")[2])
    good = stamped.keys() <= {"timeStamp.validated", "timeStamp.untrusted"}
    if not good:
        return Stamp("invalid", time)
    return Stamp("untrusted", time, -1, stamped.get("timeStamp.untrusted", "").partition(": ")[2])


def _index(uri: str) -> int:
    number = uri.removeprefix(TRUST_URI)
    return int(number) if number != uri and number.isdecimal() and len(number) < 6 else -1


# --- the chain of marking ---------------------------------------------------------------------------------------------

_RELATIONS = {"parentOf": "parent", "componentOf": "component", "inputTo": "input"}


def _ancestors(
    found: Mapping[str, Any], label: str, manifest: Mapping[str, Any]
) -> Iterator[Ancestor]:
    """Walk the ingredients, nearest first; a chain that is long or bites its tail ends."""
    manifests = mapping(found.get("manifests"))
    deltas = [_deltas(mapping(found.get("validation_results")))]
    seen, todo = {label}, [(-1, manifest)]
    count = 0
    while todo:
        of, taker = todo.pop(0)
        for ingredient in _list(taker.get("ingredients")):
            deltas.append(_deltas(mapping(ingredient.get("validation_results"))))
            name = str(ingredient.get("active_manifest") or "")
            if not name or name in seen or count == _MAX_ANCESTORS:
                continue
            seen.add(name)
            said = [delta[name] for delta in deltas if name in delta]
            ancestor = _ancestor(name, of, ingredient, manifests.get(name), said)
            yield ancestor
            todo.append((count, ancestor.manifest))
            count += 1


def _ancestor(
    name: str,
    of: int,
    ingredient: Mapping[str, Any],
    manifest: object,
    said: Sequence[Mapping[str, Any]],
) -> Ancestor:
    """One ingredient: what its taker recorded when it was taken up, and what differed later and differs now.

    Whoever takes up a file records only what differs from the records in it, as the engine says only what differs from
    all of them. So a fault that was there when a file was taken up can stand in no other place than that record.
    """
    recorded = mapping(mapping(ingredient.get("validation_results")).get("activeManifest"))
    failed = [code for group in (recorded, *said) for code in _codes(group, "failure")]
    failed += [str(item.get("code", "")) for item in _list(ingredient.get("validation_status"))]
    wrong = [code for code in failed if not _soft(code)]
    state, problem = "untrusted", ""
    if not isinstance(manifest, dict):
        state, problem, wrong = "invalid", "damaged", ["ingredient.manifest.missing"]
    elif wrong:
        state, problem = "invalid", _why(wrong)
    elif _EXPIRED & set(failed):
        state, problem = "invalid", "expired"
    known = manifest if isinstance(manifest, dict) else {}
    return Ancestor(
        label=name if known else "",
        of=of,
        relation=_RELATIONS.get(str(ingredient.get("relationship")), "input"),
        state=state,
        problem=problem,
        manifest=known,
        signer=_signer(known),
        codes=tuple(dict.fromkeys(failed)),
        hard=any(_tampering(code) for code in wrong),
    )


def _deltas(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs from the records, by the manifest that each code is about."""
    found: dict[str, dict[str, Any]] = {}
    for delta in _list(results.get("ingredientDeltas")):
        group = mapping(delta.get("validationDeltas"))
        for kind in ("success", "failure"):
            for item in items(group, kind):
                name = str(item.get("url", "")).partition("/c2pa/")[2].partition("/")[0]
                found.setdefault(name, {}).setdefault(kind, []).append(item)
    return found


def _torn(results: Mapping[str, Any]) -> list[str]:
    """Failures that show now anywhere among the ingredients, whatever they are about."""
    groups = [mapping(d.get("validationDeltas")) for d in _list(results.get("ingredientDeltas"))]
    return [code for group in groups for code in _codes(group, "failure") if _tampering(code)]


def _tampering(code: str) -> bool:
    """Who signed an earlier marker may be unknown or gone by now without anything being wrong with this one."""
    return not _soft(code) and not code.startswith("signingCredential.")


# --- the engine's JSON is made from the file: nothing in it is taken to have the right shape ---------------------------


def mapping(value: object) -> Mapping[str, Any]:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def items(group: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Status entries of one kind: `success`, `informational` or `failure`."""
    return _list(group.get(kind))


def _codes(group: Mapping[str, Any], kind: str) -> list[str]:
    return [str(item.get("code", "")) for item in items(group, kind)]
