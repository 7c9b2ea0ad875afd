"""What standard C2PA assertions say about AI, whoever wrote them.

A manifest speaks through its actions first, then through metadata in it, then through the files it was made from. An AI
statement about the whole makes it `created`; one about a part, or about a file that became a part, makes it `altered`.
C2PA 2.4, 18.13 (actions), 18.28 (AI disclosure); IPTC NewsCodes of the digital source type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from aikz_label.checked import parse_time
from aikz_label.errors import InvalidLabel
from aikz_label.label import Label, Origin, System
from aikz_label.values import dataclass, replace

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = {
    Origin.CREATED: _IPTC + "trainedAlgorithmicMedia",
    Origin.ALTERED: _IPTC + "compositeWithTrainedAlgorithmicMedia",
}
# IPTC Digital Source Type NewsCodes. `algorithmicMedia` and `dataDrivenMedia` need no training and are not AI here;
# `algorithmicallyEnhanced` can be either, so it decides nothing.
_AI = {
    "trainedAlgorithmicMedia": Origin.CREATED,
    "compositeWithTrainedAlgorithmicMedia": Origin.ALTERED,
    "compositeSynthetic": Origin.ALTERED,
}
_NOT_AI = {
    "algorithmicMedia",
    "compositeCapture",
    "computationalCapture",
    "dataDrivenMedia",
    "digitalArt",
    "digitalCapture",
    "digitalCreation",
    "humanEdits",
    "minorHumanEdits",
    "negativeFilm",
    "positiveFilm",
    "print",
    "screenCapture",
    "softwareImage",
    "virtualRecording",
}
_SCHEMA_ORG = "DigitalSource"  # ends the names that schema.org gives the same types
_INSTANCE = re.compile(r"__\d{1,3}$")
_ACTIONS = {"c2pa.actions", "c2pa.actions.v2"}
_DISCLOSURE = "c2pa.ai-disclosure"
_METADATA = {
    "c2pa.metadata",
    "cawg.metadata",
    "stds.iptc",
    "stds.iptc.photo-metadata",
    "stds.schema-org.CreativeWork",
}
_WHOLE = "c2pa.created"
# The words of Azure OpenAI and Bing, which came without a digital source type at first.
_DESCRIPTION = "AI Generated Image"


def origin_of(source_type: str) -> Origin | bool | None:
    """What a digital source type says: an AI origin, `False` for "not AI", `None` for neither."""
    code = source_type.strip().rpartition("/")[2]
    if code.endswith(_SCHEMA_ORG) and code != _SCHEMA_ORG:
        code = code[0].lower() + code.removesuffix(_SCHEMA_ORG)[1:]
    if code in _AI:
        return _AI[code]
    return False if code in _NOT_AI else None


@dataclass(frozen=True, slots=True)
class Said:
    """What one manifest says.

    Attributes:
        label: What it declares of AI; `None` when nothing, or nothing exact.
        not_ai: It states an origin that is known not to be AI, and nothing of AI.
        ai_used: It says that AI was used, and not how.
        metadata: What metadata inside it say beside its actions: where, and which origin.
        stated: The AI origins as its actions state them, of the whole or of parts.
        of_part: The label follows from a part that AI created, so the whole is at least altered.
    """

    label: Label | None = None
    not_ai: bool = False
    ai_used: bool = False
    metadata: tuple[tuple[str, Origin | bool], ...] = ()
    stated: frozenset[Origin] = frozenset()
    of_part: bool = False

    def after(self, parents: Sequence[Mapping[str, Any]]) -> Label | None:
        """The label, for a file with these parents: a part by AI in a file that AI created alters nothing."""
        if self.label is None or not self.of_part:
            return self.label
        before = inherited(parents, ())
        created = before is not None and before.origin is Origin.CREATED
        return replace(self.label, origin=Origin.CREATED) if created else self.label


def read(manifest: Mapping[str, Any]) -> Said:
    """What a manifest, as the engine's JSON gives it, says by itself."""
    found, disclosed = _Found(), False
    metadata: list[tuple[str, Origin | bool]] = []
    for name, data, _ in listed(manifest):
        if name in _ACTIONS:
            for action in _each(data):
                found.take(action)
        elif name == _DISCLOSURE:
            disclosed = True
        elif name in _METADATA:
            metadata += ((name, origin) for origin in _source_types(data))
    label = found.whole or found.part
    for _, origin in metadata:
        if label is None and not found.denied and isinstance(origin, Origin):
            label = Label(origin=origin)
    denied = found.denied or any(origin is False for _, origin in metadata)
    ai_used = disclosed and label is None
    return Said(
        label,
        not_ai=denied and label is None and not ai_used,
        ai_used=ai_used,
        metadata=tuple(metadata[:_MOST]),
        stated=frozenset(found.stated),
        of_part=found.whole is None and found.by_ai,
    )


_MOST = 10  # statements of metadata that are compared


def listed(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Each assertion: name without its instance number, data, and whether the signer of the claim created it."""
    assertions = manifest.get("assertions")
    for item in assertions if isinstance(assertions, list) else ():
        if isinstance(item, Mapping):
            name, data = item.get("label"), item.get("data")
            if isinstance(name, str) and isinstance(data, Mapping):
                yield _INSTANCE.sub("", name), data, item.get("created") is True


def inherited(
    parents: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]]
) -> Label | None:
    """What the files that one was made from make of it.

    Args:
        parents: Manifests of what it was before, nearest first: editing a picture does not make it less AI's.
        parts: Manifests of what was put into it: a part by AI alters the whole.
    """
    for parent in parents:
        label = read(parent).label
        if label is not None:
            return label
    for part in parts:
        label = read(part).label
        if label is not None:
            return replace(label, origin=Origin.ALTERED)
    return None


class _Found:
    """What actions say, one after another; the first statement of each kind counts.

    Attributes:
        whole: What is said of the whole.
        part: What is said of a part: the whole is altered then.
        by_ai: That part was created by AI.
        denied: Another origin is stated.
        stated: The AI origins as they are stated.
    """

    def __init__(self) -> None:
        self.whole: Label | None = None
        self.part: Label | None = None
        self.by_ai = self.denied = False
        self.stated: set[Origin] = set()

    def take(self, action: Mapping[str, Any]) -> None:
        """One more action."""
        origin = _origin(action)
        self.denied = self.denied or origin is False
        if not isinstance(origin, Origin):
            return
        self.stated.add(origin)
        if action.get("action") == _WHOLE:
            self.whole = self.whole or _label(origin, action)
        elif self.part is None:
            self.part = _label(Origin.ALTERED, action)
            self.by_ai = origin is Origin.CREATED


def _each(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The actions, filled in from the templates that stand for all actions of a name."""
    actions, templates = (
        [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
        for found in (data.get("actions"), data.get("templates"))
    )
    known = {str(one.get("action")): one for one in templates}
    for action in actions:
        yield {**known.get(str(action.get("action")), known.get("*", {})), **action}


def _origin(action: Mapping[str, Any]) -> Origin | bool | None:
    kind = action.get("digitalSourceType")
    if isinstance(kind, str):
        return origin_of(kind)
    by_words = action.get("action") == _WHOLE and action.get("description") == _DESCRIPTION
    return Origin.CREATED if by_words else None


def _label(origin: Origin, action: Mapping[str, Any]) -> Label:
    return Label(origin=origin, system=_agent(action), created=_when(action))


def _agent(action: Mapping[str, Any]) -> System | None:
    agent = action.get("softwareAgent")
    name, version = (
        (agent.get("name"), agent.get("version")) if isinstance(agent, Mapping) else (agent, "")
    )
    try:
        return System(name, version if isinstance(version, str) else "") if name else None
    except InvalidLabel:
        return None


def _when(action: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_time(action.get("when"))
    except InvalidLabel:
        return None


def _source_types(data: Mapping[str, Any]) -> Iterator[Origin | bool]:
    """Digital source types in metadata as JSON-LD, under whatever prefix."""
    for key, value in data.items():
        if key.rpartition(":")[2].lower() != "digitalsourcetype":
            continue
        text = value.get("@id") if isinstance(value, Mapping) else value
        origin = origin_of(text) if isinstance(text, str) else None
        if origin is not None:
            yield origin
