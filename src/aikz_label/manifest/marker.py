"""The marker's content: which assertions a label becomes, and what a manifest says.

C2PA 2.4. Every assertion is `created` (listed in `created_assertions`). Our own facts are the assertion
`org.aikz.synthetic`, whose JSON schema is published in the documentation. It holds text, numbers, booleans, objects and
lists of objects or text only: the engine's JSON reader turns a list of numbers into something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aikz_label
from aikz_label.errors import InvalidLabel
from aikz_label.formats import FORMATS
from aikz_label.label import Label
from aikz_label.manifest import assertions, recoding
from aikz_label.manifest.assertions import SOURCE_TYPE
from aikz_label.report import Notice
from aikz_label.texts import LANGUAGES

ASSERTION = "org.aikz.synthetic"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MEDIA = {row.family for row in FORMATS.values()}
# Figures of a notice that a record may hold, and the largest each can be; others are not looked at.
_FIGURES = {
    "background_db": 60.0,
    "before": 1e9,
    "cap_px": 1e5,
    "clip": 1.0,
    "closing_s": 1e6,
    "contrast": 21.0,
    "covered": 1.0,
    "duration_s": 1e6,
    "earcon": 1.0,
    "first_s": 1e6,
    "font_px": 1e5,
    "frames": 1e6,
    "gap_s": 1e6,
    "icon_cap_px": 1e5,
    "languages": 10.0,
    "languages_heard": 10.0,
    "late_s": 1e6,
    "listened_s": 1e6,
    "longest_gap_s": 1e6,
    "looked_s": 1e6,
    "lost": 1.0,
    "louder_by": 200.0,
    "match": 1.0,
    "opening_s": 1e6,
    "outside": 1.0,
    "plate_luminance": 1.0,
    "pages": 1e7,
    "programme_lufs": 20.0,
    "rendered": 1e7,
    "repeats": 1e5,
    "seconds": 1e6,
    "short_side_pt": 1e10,
    "short_side_px": 1e5,
    "spoken_lufs": 20.0,
    "stamped": 1e7,
    "tempo": 10.0,
    "text_match": 1.0,
    "text_pt": 1e5,
    "whole": 1.0,
    "without": 1e7,
    "words": 1e9,
}
_LEAST = {"louder_by": -200.0, "programme_lufs": -100.0, "spoken_lufs": -100.0}  # the others: -1
SCHEMA = "aikz-label/synthetic/1"
LAW = "KZ-230-VIII"


def definition(
    label: Label, notice: Notice, medium: str, *, with_parent: bool, unprotected: str = ""
) -> dict[str, Any]:
    """The manifest definition for a label and the notice that was measured.

    Args:
        label: What is declared; `responsible` is set.
        notice: The notice, with its figures.
        medium: Family of the format.
        with_parent: The input carries a marker and becomes the parent ingredient.
        unprotected: Digest of the bytes that the binding leaves out; empty when it leaves out none.
    """
    when = label.to_json()["created"]
    deed: dict[str, Any] = {"digitalSourceType": SOURCE_TYPE[label.origin], "when": when}
    if label.system:
        deed["softwareAgent"] = {"name": label.system.name}
        if label.system.version:
            deed["softwareAgent"]["version"] = label.system.version
    if with_parent:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT]}}
        actions = [opened, {"action": "c2pa.edited", **deed}]
    else:
        actions = [{"action": "c2pa.created", **deed}]
    disclosure = {"modelType": "c2pa.types.model"}
    if label.system:
        disclosure["modelName"] = label.system.name
    assertions = [
        ("c2pa.actions.v2", {"actions": actions, "allActionsIncluded": True}),
        ("c2pa.ai-disclosure", disclosure),
        (ASSERTION, _facts(label, notice, medium, unprotected)),
    ]
    if label.reserve_training:
        assertions.append(("cawg.training-mining", _RESERVATION))
    return {
        "claim_generator_info": [{"name": "aikz-label", "version": aikz_label.__version__}],
        "assertions": [{"label": name, "created": True, "data": data} for name, data in assertions],
    }


PARENT = "parent"
_RESERVATION = {
    "entries": {
        name: {"use": "notAllowed"}
        for name in ("cawg.ai_training", "cawg.ai_generative_training", "cawg.data_mining")
    }
}


def _facts(label: Label, notice: Notice, medium: str, unprotected: str) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": notice.kind}
    if notice.kind == "none":
        record["reason"] = notice.reason
    else:
        record |= {
            "languages": list(notice.languages),
            "wording": notice.wording,
            "placements": [dict(place) for place in notice.placements],
            "measured": dict(notice.figures),
        }
        if notice.recoding is not None:
            record["recoding"] = recoding.stored(notice.recoding)
        if notice.unspoken:
            record["unspoken"] = notice.unspoken
    facts = {
        "schema": SCHEMA,
        "law": LAW,
        "medium": medium,
        **label.to_json(),
        "profile": notice.profile,
        "notice": record,
    }
    return facts | {"unprotected": unprotected} if unprotected else facts


class Content:
    """What a manifest, as the engine's JSON gives it, says to us.

    Args:
        manifest: The active manifest.
        parents: Manifests of the files it was made from, nearest first; they speak where it says nothing itself.
        parts: Manifests of files that were put into it; they speak where nobody else does.

    Attributes:
        ours: It holds our assertion.
        malformed: Our assertion does not follow its schema, is there twice, or quarrels with the C2PA action.
        label: What it declares; `None` when nothing or malformed.
        not_ai: It states an origin known not to be AI.
        ai_used: It says that AI was used, and not how.
        metadata: What metadata inside it say, beside its actions: where, and which origin.
        notice: The notice our assertion records.
        reserves_training: It declares a reservation against training.
        unprotected: Digest that our assertion records of the bytes the binding leaves out; empty without one.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        parents: Sequence[Mapping[str, Any]] = (),
        parts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.ours = self.malformed = self.reserves_training = False
        self.label: Label | None = None
        self.notice: Notice | None = None
        self.unprotected = ""
        for name, data, created in assertions.listed(manifest):
            match name:
                case "org.aikz.synthetic":
                    self._read_ours(data, created=created)
                case "cawg.training-mining" | "c2pa.training-mining":
                    self.reserves_training = self.reserves_training or _reserves(data)
        said = assertions.read(manifest)
        if not self.ours:
            self.label = said.after(parents) or assertions.inherited(parents, parts)
        elif not said.stated or (self.label and self.label.origin not in said.stated):
            self.malformed = True
        self.not_ai = said.not_ai and self.label is None
        self.ai_used = said.ai_used and self.label is None
        self.metadata = said.metadata
        if self.malformed:
            self.label = self.notice = None

    def covers(self, digest: str) -> bool:
        """Whether the bytes that the binding leaves out have the digest on record, if there is one."""
        return not self.unprotected or self.unprotected == digest

    def _read_ours(self, data: Mapping[str, Any], *, created: bool) -> None:
        """Only one assertion, written by the signer of the claim, speaks for the file."""
        known = (data.get("schema"), data.get("law")) == (SCHEMA, LAW)
        if self.ours or not created or not known or data.get("medium") not in _MEDIA:
            self.ours = self.malformed = True
            return
        self.ours = True
        try:
            self.label = Label.from_json(data)
            self.notice = _read_notice(data)
            self.unprotected = _read_digest(data)
        except InvalidLabel:
            self.malformed = True


def generator(manifest: Mapping[str, Any]) -> str:
    """The program that wrote a manifest, by its own words: untrusted text."""
    listed = manifest.get("claim_generator_info")
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, Mapping):
        return str(manifest.get("claim_generator") or "")[:200]
    words = (first.get("name"), first.get("version"))
    return " ".join(word[:100] for word in words if isinstance(word, str))


def _reserves(data: Mapping[str, Any]) -> bool:
    entries = data.get("entries")
    values = entries.values() if isinstance(entries, Mapping) else ()
    return any(isinstance(v, Mapping) and v.get("use") == "notAllowed" for v in values)


def _read_digest(data: Mapping[str, Any]) -> str:
    digest = data.get("unprotected", "")
    if not isinstance(digest, str) or (digest and not _DIGEST.fullmatch(digest)):
        raise InvalidLabel("`unprotected` is not a digest.")
    return digest


def _read_notice(data: Mapping[str, Any]) -> Notice:
    record, profile = data.get("notice"), data.get("profile")
    if not isinstance(record, Mapping) or not isinstance(profile, str):
        raise InvalidLabel("`notice` or `profile` is missing.")
    kind, reason = record.get("kind"), record.get("reason", "")
    if not isinstance(kind, str) or not isinstance(reason, str):
        raise InvalidLabel("`notice.kind` is missing.")
    if kind == "none":
        return Notice("none", profile=profile, reason=reason)
    languages, places = record.get("languages"), record.get("placements")
    figures, wording = record.get("measured"), record.get("wording")
    if (
        not isinstance(languages, list)
        or not isinstance(places, list)
        or not isinstance(figures, Mapping)
        or not isinstance(wording, str)
        or len(places) > _MAX_PLACES
        or not set(map(str, languages)) <= set(LANGUAGES)
        or not all(isinstance(item, Mapping) for item in places)
    ):
        raise InvalidLabel("`notice` does not follow its schema.")
    return Notice(
        kind,
        tuple(dict.fromkeys(map(str, languages))),
        wording,
        profile,
        tuple(dict(place) for place in places),
        tuple(
            (name, recoding.number(figures[name], _LEAST.get(name, -1.0), most))
            for name, most in _FIGURES.items()
            if name in figures
        ),
        recoding=recoding.read(record.get("recoding")),
        unspoken=next((why for why in UNSPOKEN if why == record.get("unspoken")), ""),
    )


# Why a film whose label declares an imitated voice says nothing aloud.
UNSPOKEN = ("requested", "no-sound", "too-short", "codec", "structure")
_MAX_PLACES = 1000  # pages, repeats
