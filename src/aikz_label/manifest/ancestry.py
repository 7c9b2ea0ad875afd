"""The chain of marking: the markers of the files that one was made from, and what each is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aikz_label.manifest.answers import (
    EXPIRED,
    Stamp,
    codes_of,
    items,
    listed,
    mapping,
    signer_of,
    soft,
    why,
)
from aikz_label.report.provenance import Signer
from aikz_label.values import dataclass

_MAX_ANCESTORS = 50
_RELATIONS = {"parentOf": "parent", "componentOf": "component", "inputTo": "input"}


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


def ancestors_of(
    found: Mapping[str, Any], label: str, manifest: Mapping[str, Any]
) -> Iterator[Ancestor]:
    """Walk the ingredients, nearest first; a chain that is long or bites its tail ends."""
    manifests = mapping(found.get("manifests"))
    deltas = [_deltas(mapping(found.get("validation_results")))]
    seen, todo = {label}, [(-1, manifest)]
    count = 0
    while todo:
        of, taker = todo.pop(0)
        for ingredient in listed(taker.get("ingredients")):
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
    failed = [code for group in (recorded, *said) for code in codes_of(group, "failure")]
    failed += [str(item.get("code", "")) for item in listed(ingredient.get("validation_status"))]
    wrong = [code for code in failed if not soft(code)]
    state, problem = "untrusted", ""
    if not isinstance(manifest, dict):
        state, problem, wrong = "invalid", "damaged", ["ingredient.manifest.missing"]
    elif wrong:
        state, problem = "invalid", why(wrong)
    elif EXPIRED & set(failed):
        state, problem = "invalid", "expired"
    known = manifest if isinstance(manifest, dict) else {}
    return Ancestor(
        label=name if known else "",
        of=of,
        relation=_RELATIONS.get(str(ingredient.get("relationship")), "input"),
        state=state,
        problem=problem,
        manifest=known,
        signer=signer_of(known),
        codes=tuple(dict.fromkeys(failed)),
        hard=any(_tampering(code) for code in wrong),
    )


def _deltas(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What differs from the records, by the manifest that each code is about."""
    found: dict[str, dict[str, Any]] = {}
    for delta in listed(results.get("ingredientDeltas")):
        group = mapping(delta.get("validationDeltas"))
        for kind in ("success", "failure"):
            for item in items(group, kind):
                name = str(item.get("url", "")).partition("/c2pa/")[2].partition("/")[0]
                found.setdefault(name, {}).setdefault(kind, []).append(item)
    return found


def torn(results: Mapping[str, Any]) -> list[str]:
    """Failures that show now anywhere among the ingredients, whatever they are about."""
    groups = [mapping(d.get("validationDeltas")) for d in listed(results.get("ingredientDeltas"))]
    return [code for group in groups for code in codes_of(group, "failure") if _tampering(code)]


def _tampering(code: str) -> bool:
    """Who signed an earlier marker may be unknown or gone by now without anything being wrong with this one."""
    return not soft(code) and not code.startswith("signingCredential.")
