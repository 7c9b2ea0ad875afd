"""The published JSON Schemas say what reports and markers really hold, and nothing looser."""

from __future__ import annotations

import copy
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from PIL import Image

import video_files
from aikz_label import Label, engine, mark, rules, signing, verify
from aikz_label.config import Config
from aikz_label.label import Origin, Responsible
from aikz_label.manifest import marker
from aikz_label.report import SCHEMA, Report


def schema(name: str) -> Draft202012Validator:
    text = files("aikz_label").joinpath("data", "schemas", f"{name}.json").read_text("utf-8")
    content = json.loads(text)
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


REPORT, SYNTHETIC = schema("report-1"), schema("synthetic-1")


@pytest.fixture(scope="module")
def labelled(config: Config, photo: Path) -> bytes:
    label = Label(origin="created", system="PhotoGen/2.1", imitates=("appearance", "event"))
    data = mark(photo, None, label, config=config).data
    assert data is not None
    return data


def only_xmp(data: bytes) -> bytes:
    """The same picture saved by a program that keeps XMP and nothing else."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(buffer, "JPEG", xmp=image.info["xmp"])
    return buffer.getvalue()


def by_another_tool(photo: Path, config: Config) -> bytes:
    """A trusted C2PA marker that says AI and nothing more: no time, no party, no notice."""
    kind = marker.SOURCE_TYPE[Origin.ALTERED]
    actions = {"actions": [{"action": "c2pa.created", "digitalSourceType": kind}]}
    definition = {"assertions": [{"label": "c2pa.actions.v2", "created": True, "data": actions}]}
    signed = io.BytesIO()
    key = signing.load_signing_key(config.signer, config.folder)
    engine.sign(io.BytesIO(photo.read_bytes()), signed, "image/jpeg", definition, key)
    return signed.getvalue()


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.fixture(scope="module")
def reports(labelled: bytes, config: Config, photo: Path) -> dict[str, Report]:
    silent = mark(
        photo,
        None,
        Label(origin="altered", reserve_training=True),
        config=config,
        notice="none",
        notice_reason="the player shows it",
    )
    return {
        "labelled": verify(labelled, config=config),
        "labelled, measured": verify(labelled, config=config, measure=True),
        "incomplete, untrusted": verify(labelled, trust=[]),
        "incomplete, no notice": silent.report,
        "incomplete, another tool's": verify(by_another_tool(photo, config), config=config),
        "incomplete, claimed": verify(only_xmp(labelled), config=config),
        "invalid": verify(flipped(labelled), config=config),
        "unmarked": verify(photo, config=config),
        "unreadable, cut": verify(photo.read_bytes()[:5000], config=config),
        "unreadable, unknown": verify(b"\0\1\2\3", config=config),
        "unreadable, empty": verify(b"", config=config),
    }


CASES = (
    "labelled",
    "labelled, measured",
    "incomplete, untrusted",
    "incomplete, no notice",
    "incomplete, another tool's",
    "incomplete, claimed",
    "invalid",
    "unmarked",
    "unreadable, cut",
    "unreadable, unknown",
    "unreadable, empty",
)


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_report_follows_the_schema(reports: dict[str, Report], case: str) -> None:
    report = reports[case]
    assert report.verdict == case.partition(",")[0]
    REPORT.validate(report.to_dict())
    REPORT.validate(json.loads(report.to_json()))


def facts(data: bytes, config: Config, mime: str = "image/jpeg") -> dict[str, Any]:
    manifest = engine.read(io.BytesIO(data), mime, config.trust).manifest
    assert manifest is not None
    (found,) = (a["data"] for a in manifest["assertions"] if a["label"] == marker.ASSERTION)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "party",
    [
        None,
        Responsible(name="Жеке тұлға", role="holder"),
        Responsible(name="GmbH", role="owner", registration="HRB 1", country="DE"),
    ],
)
@pytest.mark.parametrize("system", [None, "PhotoGen", "PhotoGen/2.1"])
def test_the_marker_in_a_file_follows_the_schema(photo, config, party, system) -> None:
    result = mark(
        photo, None, Label(origin="created", responsible=party, system=system), config=config
    )
    assert result.data is not None
    SYNTHETIC.validate(facts(result.data, config))
    REPORT.validate(result.report.to_dict())


def test_a_marker_without_a_notice_follows_the_schema(photo: Path, config: Config) -> None:
    result = mark(
        photo,
        None,
        Label(origin="altered"),
        config=config,
        notice="none",
        notice_reason="the player shows it",
    )
    assert result.data is not None
    SYNTHETIC.validate(facts(result.data, config))


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every key inside a JSON value."""
    if isinstance(value, dict):
        inner = [(k, v) for k, v in value.items() if path[-1:] != ("measured",)]
        return [p for k, v in inner for p in ((*path, k), *paths(v, (*path, k)))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value[:1]) for p in paths(v, (*path, i))]
    return []


def without(value: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(value)
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return changed


# a report also covers markers by others, who declare less
OPTIONAL = {"system", "version", "responsible", "created"}


@pytest.mark.parametrize("case", ["labelled", "incomplete, claimed"])
def test_no_key_of_a_report_may_be_missing(reports: dict[str, Report], case: str) -> None:
    report = reports[case].to_dict()
    checked = 0
    for path in paths(report):
        if path[-1] not in OPTIONAL:
            checked += 1
            with pytest.raises(ValidationError):
                REPORT.validate(without(report, path))
    assert checked > 30


def test_no_key_of_a_marker_may_be_missing(labelled: bytes, config: Config) -> None:
    record = facts(labelled, config)
    for path in paths(record):
        if path[-1] not in {"system", "version"}:
            with pytest.raises(ValidationError):
                SYNTHETIC.validate(without(record, path))
    for name in record["notice"]["measured"]:
        with pytest.raises(ValidationError):
            SYNTHETIC.validate(without(record, ("notice", "measured", name)))


def changed(value: dict[str, Any], path: str, new: object) -> dict[str, Any]:
    result = copy.deepcopy(value)
    *steps, last = path.split(".")
    at: Any = result
    for step in steps:
        at = at[int(step) if step.isdigit() else step]
    at[last] = new
    return result


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("schema", "aikz-label/report/2"),
        ("verdict", "authentic"),
        ("verdict", True),
        ("profile", "kz"),
        ("marker.state", "valid"),
        ("marker.state", "untrusted"),  # never together with `labelled`
        ("marker.trust", "local"),
        ("notice.state", "visible"),
        ("notice.state", "unknown"),  # never together with `labelled`
        ("notice.how", "guessed"),
        ("notice.measured", {"contrast": "21"}),
        ("declared", None),  # never together with `labelled`
        ("declared.origin", "made"),
        ("declared.imitates", ["face"]),
        ("declared.created", "yesterday"),
        ("declared.responsible.role", "user"),
        ("declared.responsible.id", "123"),
        ("declared.responsible.id_kind", "none"),
        ("findings.0.status", "ok"),
        ("findings.0.clause", "kz.1.5.declared"),
        ("findings.0.text.de", "Erklärt."),
        ("score", 0.9),
    ],
)
def test_a_wrong_value_in_a_report_fails(reports: dict[str, Report], path: str, new: Any) -> None:
    with pytest.raises(ValidationError):
        REPORT.validate(changed(reports["labelled"].to_dict(), path, new))


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("schema", "aikz-label/synthetic/2"),
        ("law", "EU-2024-1689"),
        ("medium", "hologram"),
        ("origin", "made"),
        ("imitates", ["voice", "voice"]),
        ("responsible.country", "KZ"),
        ("notice.kind", "none"),
        ("notice.kind", "spoken"),
        ("notice.languages", []),
        ("notice.placements.0.x", 1.5),
        ("notice.placements.0.design", "badge/2"),
        ("notice.measured.contrast", 22),
        ("notice.reason", "both"),
        ("extra", 1),
    ],
)
def test_a_wrong_value_in_a_marker_fails(labelled, config, path: str, new: Any) -> None:
    with pytest.raises(ValidationError):
        SYNTHETIC.validate(changed(facts(labelled, config), path, new))


def test_names_and_clauses_are_those_of_the_code() -> None:
    assert REPORT.schema["properties"]["schema"]["const"] == SCHEMA
    assert SYNTHETIC.schema["properties"]["schema"]["const"] == marker.SCHEMA
    assert SYNTHETIC.schema["properties"]["law"]["const"] == marker.LAW
    finding = REPORT.schema["properties"]["findings"]["items"]
    assert tuple(finding["properties"]["clause"]["enum"]) == rules.clauses()


def described(schema: Any) -> list[str]:
    """Properties that have neither a description nor a definition elsewhere."""
    if isinstance(schema, list):
        return [name for item in schema for name in described(item)]
    if not isinstance(schema, dict):
        return []
    missing = [name for key, item in schema.items() if key != "allOf" for name in described(item)]
    for name, item in schema.get("properties", {}).items():
        if isinstance(item, dict) and not {"description", "$ref", "const"} & set(item):
            missing.append(name)
    return missing


def test_the_record_of_a_film_follows_the_schema_whether_it_says_its_notice_or_not(config: Config):
    source = video_files.film("mp4", frames=60, rate=10, audio="aac")
    label = Label(origin="created", imitates=("voice",))
    for aloud in (True, False):
        result = mark(source, None, label, languages="kk", config=config, spoken=aloud)
        assert result.data is not None
        record = facts(result.data, config, "video/mp4")
        SYNTHETIC.validate(record)
        designs = {place["design"] for place in record["notice"]["placements"]}
        assert ("spoken/1" in designs, "unspoken" in record["notice"]) == (aloud, not aloud)


@pytest.mark.parametrize("validator", [REPORT, SYNTHETIC])
def test_every_property_is_described(validator: Draft202012Validator) -> None:
    assert described(validator.schema) == []
