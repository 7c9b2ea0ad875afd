"""Unsigned statements about AI, our own and other tools': the text of one metadata field in, what it claims out.

A statement is recognised by its shape, never by a word somewhere in a text: a file that is accused wrongly is worse than
one that is missed. Text and JSON of a hostile file cost no more than their length, which has a limit. The origin of a claim
is `True` where a tool says that AI was used and not how: a photograph that was retouched holds parameters too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from aikz_label.label import Origin
from aikz_label.limits import MIB
from aikz_label.manifest.assertions import origin_of
from aikz_label.metadata import exif, iim, mirror
from aikz_label.report import Mirror

_MAX_FIELD = MIB  # a workflow of some hundred nodes has 200 kB
_MAX_VALUE = 2000  # of a mirror
_MAX_FIELDS = 50  # of one file, with known keywords
_MAX_TOTAL = 2 * MIB  # of one file and one kind of metadata

# What GB 45438-2025, annex E says with `Label`: 1 is AI, 2 is possibly AI, 3 is suspected to be AI.
_AIGC_LABELS: Mapping[str, tuple[str, bool | None]] = {
    "1": ("", True),
    "2": (" (possibly AI)", None),
    "3": (" (suspected AI)", None),
}
_UNWRAPPED = re.compile(r'"?AIGC"?\s*[:=]?\s*(?=\{)')  # the label without braces around it
_AIGC_OTHERS = {"ContentProducer", "ProduceID", "ContentPropagator", "PropagateID"}

# XMP properties and texts named `Software` that hold exactly this and nothing else.
_XMP_VALUES = {
    "photoshop:Credit": {"Made with Google AI", "Edited with Google AI"},
    "xmp:CreatorTool": {"Draw Things"},
}
_SOFTWARE = {"NovelAI"}
_MAKERS = {"Ideogram AI"}
# Datasets of IPTC-IIM, which programs fill from XMP.
_IPTC_VALUES = {
    "Credit": _XMP_VALUES["photoshop:Credit"],
    "OriginatingProgram": {*_SOFTWARE, *_XMP_VALUES["xmp:CreatorTool"]},
}

# `ai-disclosure` of the W3C community group, and `mode` of the IETF draft for a header of that name.
_DISCLOSURES: Mapping[str, Origin | bool] = {
    "none": False,
    "ai-assisted": True,
    "ai-generated": Origin.CREATED,
    "ai-modified": Origin.ALTERED,
    "ai-originated": Origin.CREATED,
    "autonomous": Origin.CREATED,
    "machine-generated": Origin.CREATED,
    "mixed": True,
}

# ComfyUI can also be used to crop and save a photograph: nodes that run no model, alone, claim nothing.
_PLAIN_NODES = {
    "EmptyImage",
    "ImageBatch",
    "ImageCrop",
    "ImageInvert",
    "ImagePadForOutpaint",
    "ImageScale",
    "ImageScaleBy",
    "LoadImage",
    "LoadImageMask",
    "MarkdownNote",
    "Note",
    "PreviewImage",
    "PrimitiveNode",
    "Reroute",
    "SaveImage",
}
_INVOKE_KEYS = {"app_version", "generation_mode", "positive_prompt"}
_MAX_DREAM = 20_000
_DREAM_OPTIONS = ("-s", "-S", "-W", "-H", "-C", "-A")
_HEX = set("0123456789abcdef")
_SIGNED = re.compile(r"Signature: *[A-Za-z0-9+/]{64,}={0,2}")  # xAI's, beside a picture's number
# Together they are of Easy Diffusion, and of Tensor.Art.
_EASY_KEYS = {"num_inference_steps", "use_stable_diffusion_model"}
_TENSOR_KEYS = {"baseModel", "prompt"}


def in_xmp(name: str, value: str) -> Mirror | None:
    """What one top-level property of an XMP packet claims."""
    if name == "TC260:AIGC":
        return _aigc("xmp", name, value, own_field=True)
    if name == "Iptc4xmpExt:AIPromptInformation":
        return Mirror("xmp", name, value[:_MAX_VALUE], origin=True)
    return Mirror("xmp", name, value, origin=True) if value in _XMP_VALUES.get(name, ()) else None


def in_texts(fields: Iterable[tuple[str, str, str]]) -> Iterator[Mirror]:
    """What texts with a keyword claim, such as those of a PNG file; only keywords of `KEYWORDS` say anything.

    Args:
        fields: Of each text its carrier, its keyword and itself.
    """
    for carrier, keyword, text in _bounded(islice(fields, _MAX_FIELDS)):
        if found := _in_text(carrier, keyword, text.strip()):
            yield found


def _bounded(fields: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """The fields up to a total length, without those that are too long by themselves."""
    spent = 0
    for carrier, name, text in fields:
        spent += len(text)
        if spent > _MAX_TOTAL:
            return
        if len(text) <= _MAX_FIELD:
            yield carrier, name, text


def _in_text(carrier: str, keyword: str, text: str) -> Mirror | None:
    if keyword == "AIGC":
        return _aigc(carrier, keyword, text, own_field=True)
    if keyword in mirror.PROPERTIES:
        return _property(carrier, keyword, text)
    if keyword in _DISCLOSURE:
        return _disclosure(carrier, keyword, text)
    if keyword == "Comment":
        return _in_caption(carrier, keyword, text) or _line(carrier, keyword, text)
    recognise = _GENERATORS.get(keyword)
    if recognise is None or not recognise(text):
        return None
    return Mirror(carrier, keyword, text[:_MAX_VALUE], origin=True)


def _in_caption(carrier: str, name: str, text: str) -> Mirror | None:
    """A field for people's words, into which generators write theirs."""
    found = _aigc(carrier, name, text, own_field=False)
    if found is not None or not (_is_parameters(text) or _is_job(text)):
        return found
    return Mirror(carrier, name, text[:_MAX_VALUE], origin=True)


def in_iptc(record: bytes) -> Iterator[Mirror]:
    """What the texts of an IPTC-IIM record claim."""
    for carrier, name, text in _bounded(("iptc", *field) for field in iim.texts(record)):
        if name == "Caption":
            found = _in_caption(carrier, name, text)
        elif text in _IPTC_VALUES.get(name, ()):
            found = Mirror(carrier, name, text, origin=True)
        else:
            found = None
        if found:
            yield found


def in_exif(block: bytes) -> Iterator[Mirror]:
    """What the texts of an EXIF block claim."""
    seen: dict[str, str] = {}
    for _, name, text in _bounded(("exif", *field) for field in exif.texts(block)):
        seen.setdefault(name, text)
        if found := _in_exif(name, text):
            yield found
    description = seen.get("ImageDescription", "")
    if _SIGNED.fullmatch(description) and _is_uuid(seen.get("Artist", "")):  # neither alone
        yield Mirror("exif", "ImageDescription", description[:_MAX_VALUE], origin=True)


def _in_exif(name: str, text: str) -> Mirror | None:
    if name == "Artist":
        return None
    if text in {"Software": _SOFTWARE, "Make": _MAKERS}.get(name, ()):
        return Mirror("exif", name, text, origin=True)
    if name == "Software":
        return None
    if name in {"UserComment", "ImageDescription"}:
        found = _in_caption("exif", name, text) or _line("exif", name, text)
        if found is not None:
            return found
    # ComfyUI and its kin write `prompt:` and `workflow:` into the maker, model and description of WebP files
    kind, _, rest = text.partition(":")
    recognise = {"prompt": _is_prompt, "workflow": _is_workflow}.get(kind.lower())
    claims = recognise is not None and recognise(rest.strip())
    return Mirror("exif", name, text[:_MAX_VALUE], origin=True) if claims else None


def _property(carrier: str, name: str, value: str) -> Mirror | None:
    """A property of IPTC, as our own mirrors hold it."""
    origin = origin_of(value) if name == mirror.SOURCE else None
    return Mirror(carrier, name, value[:_MAX_VALUE], origin) if value else None


def _line(carrier: str, name: str, text: str) -> Mirror | None:
    """Our own mirror where one field holds all of it."""
    source = mirror.parsed(text).get(mirror.SOURCE)
    return Mirror(carrier, name, text[:_MAX_VALUE], origin_of(source)) if source else None


def _aigc(carrier: str, name: str, text: str, *, own_field: bool) -> Mirror | None:
    """China's implicit label, wrapped in `AIGC` or bare.

    Args:
        carrier: Where it was found.
        name: The field.
        text: Its text.
        own_field: The field is meant for this label alone, so that `Label` needs no company.
    """
    if "Label" not in text:  # spares most texts the parser
        return None
    bare = _UNWRAPPED.match(text)
    whole = {"AIGC": text[bare.end() :].strip()} if bare else _object(text)
    inner = whole.get("AIGC", whole)
    found = _object(inner) if isinstance(inner, str) else _dict(inner)
    if not (own_field or "AIGC" in whole or _AIGC_OTHERS & found.keys()):
        return None
    meaning = _AIGC_LABELS.get(str(found.get("Label")))
    if meaning is None:
        return None
    return Mirror(carrier, name + meaning[0], text[:_MAX_VALUE], meaning[1])


def _disclosure(carrier: str, keyword: str, text: str) -> Mirror | None:
    """One word, or the first parameter of the header: `mode=ai-originated, model="x"`."""
    word = text.partition(",")[0].partition(";")[0].strip().lower().removeprefix("mode=")
    origin = _DISCLOSURES.get(word)
    return None if origin is None else Mirror(carrier, keyword, text[:_MAX_VALUE], origin)


def _object(text: str) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    if not text.startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_parameters(text: str) -> bool:
    """Generation parameters: the line of Stable Diffusion web UI, or the JSON of SwarmUI, Fooocus and Easy Diffusion."""
    if text.startswith("{"):
        keys = _object(text).keys()
        kinds = {"sui_image_params"}, {"prompt", "sampler", "steps"}, _EASY_KEYS
        return any(kind <= keys for kind in kinds)
    return any(
        line.startswith("Steps: ") and line[7:8].isdigit() and "Sampler: " in line
        for line in text.splitlines()
    )


def _is_prompt(text: str) -> bool:
    """A graph as ComfyUI runs it: nodes by number, at least one of which may run a model."""
    nodes = _object(text).values()
    kinds = {_kind(node, "class_type") for node in nodes if "inputs" in _dict(node)}
    return bool(kinds - _PLAIN_NODES - {""})


def _is_workflow(text: str) -> bool:
    """A graph as ComfyUI draws it."""
    found = _object(text)
    nodes = found.get("nodes")
    if not isinstance(nodes, list) or not {"links", "last_node_id"} & found.keys():
        return False
    kinds = {_kind(node, "type") for node in nodes if "id" in _dict(node)}
    return bool(kinds - _PLAIN_NODES - {""})


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(node: object, key: str) -> str:
    kind = _dict(node).get(key)
    return kind if isinstance(kind, str) else ""


def _is_invoke(text: str) -> bool:
    return bool(_INVOKE_KEYS & _object(text).keys())


def _is_invoke_2(text: str) -> bool:
    found = _object(text)
    return "image" in found and bool({"model", "model_weights"} & found.keys())


def _is_dream(text: str) -> bool:
    """A command line: a quoted prompt and options such as `-s 50` or `-W512`."""
    prompt, quote, options = text[:_MAX_DREAM].rpartition('"')
    words = options.split()
    given = sum(any(word.startswith(option) for word in words) for option in _DREAM_OPTIONS)
    return bool(quote) and prompt.startswith('"') and given >= 3


def _is_job(text: str) -> bool:
    """A prompt that ends with the number of a job, a UUID."""
    return text[-44:-36] == "Job ID: " and _is_uuid(text[-36:])


def _is_uuid(text: str) -> bool:
    groups = text.split("-", 5)
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and set("".join(groups)) <= _HEX


def _is_tensor(text: str) -> bool:
    """What Tensor.Art writes, with a zero byte at its end."""
    return _object(text.rstrip("\0")).keys() >= _TENSOR_KEYS


_DISCLOSURE = {"ai-disclosure", "AI-Disclosure"}
# The generator writes each of these fields itself, in this shape.
_GENERATORS = {
    "parameters": _is_parameters,  # Stable Diffusion web UI and its kin, SwarmUI, Fooocus
    "prompt": _is_prompt,  # ComfyUI
    "workflow": _is_workflow,
    "invokeai_metadata": _is_invoke,  # InvokeAI 3 and later, 2, 1
    "sd-metadata": _is_invoke_2,
    "Dream": _is_dream,
    "Software": _SOFTWARE.__contains__,
    "Description": _is_job,  # Midjourney
    "generation_data": _is_tensor,
    "use_stable_diffusion_model": bool,  # Easy Diffusion, which writes a text for each parameter
}
KEYWORDS = frozenset({"AIGC", "Comment", *mirror.PROPERTIES, *_DISCLOSURE, *_GENERATORS})
"""Keywords that can hold a statement."""
