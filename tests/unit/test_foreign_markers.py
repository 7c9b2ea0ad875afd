"""Markers that other programs write, made by hand in their structure: what they declare, and why some do not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import c2pa_files
import jpeg_files
import pki
from aikz_label import verify
from aikz_label.label import Origin
from aikz_label.report import MarkerState, Status, Verdict
from c2pa_files import Manifest, actions, deed, ingredient
from support import encoded, picture

ROOT = pki.root("Test Root")
SIGNER = ROOT.issue("OpenAI")
PHOTO = jpeg_files.jpeg(picture(size=(320, 200)), quality=60)
OLD = "urn:c2pa:99999999-2222-4333-8444-555555555555"

AI, PART, CAPTURE = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "digitalCapture",
)
IPTC = c2pa_files.IPTC


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust") / "root.pem"
    path.write_text(ROOT.pem, encoding="ascii")
    return path


def simple(*assertions: tuple[str, Any], **changes: Any) -> Manifest:
    return replace(Manifest(assertions, SIGNER), **changes)


def taking(relation: str, old: tuple[str, Any], *own: dict[str, Any], version: int = 2) -> Manifest:
    """A manifest that takes up an older one, whose only assertion is given."""
    before = simple(old, label=OLD, version=version).box(bytes(32), [(0, 0)])
    name, data = ingredient(relation, before, OLD, version)
    deeds = [
        c2pa_files.taken(one, name, data)
        if one["action"] in {"c2pa.opened", "c2pa.placed"}
        else one
        for one in own
    ]
    return simple((name, data), actions(*deeds, version=version), older=[before], version=version)


OPENED = deed("opened")
# Name → marker, then what it declares and of which system.
DECLARED: dict[str, tuple[Manifest, Origin, str]] = {
    "DALL-E of 2024: version 1, an agent in words": (
        simple(
            actions(deed("created", AI, softwareAgent="DALL·E"), deed("converted"), version=1),
            version=1,
        ),
        Origin.CREATED,
        "DALL·E",
    ),
    "ChatGPT of 2024: says nothing itself, made from what DALL-E made": (
        taking(
            "parentOf",
            actions(deed("created", AI, softwareAgent="DALL·E"), version=1),
            OPENED,
            version=1,
        ),
        Origin.CREATED,
        "DALL·E",
    ),
    "ChatGPT of 2025: version 2, an agent with a name": (
        simple(actions(deed("created", AI, softwareAgent={"name": "GPT-4o"}), deed("converted"))),
        Origin.CREATED,
        "GPT-4o",
    ),
    "Gemini: a description, and an edit that adds a mark": (
        simple(
            actions(
                deed("created", AI, description="Created by Google Generative AI."),
                deed("edited", AI, description="Applied imperceptible SynthID watermark."),
            ),
            generator="Google C2PA Core Generator Library",
        ),
        Origin.CREATED,
        "",
    ),
    "Firefly: version 1": (
        simple(
            actions(
                deed("created", AI, softwareAgent={"name": "Adobe Firefly", "version": "1"}),
                version=1,
            ),
            version=1,
        ),
        Origin.CREATED,
        "Adobe Firefly",
    ),
    "Photoshop: a photograph with a generated part": (
        taking(
            "parentOf",
            actions(deed("created", CAPTURE)),
            OPENED,
            deed("edited", PART, softwareAgent={"name": "Adobe Firefly"}),
        ),
        Origin.ALTERED,
        "Adobe Firefly",
    ),
    "Bing of 2023: words instead of a source type": (
        simple(
            actions(
                deed(
                    "created", description="AI Generated Image", softwareAgent="Bing Image Creator"
                ),
                version=1,
            ),
            version=1,
        ),
        Origin.CREATED,
        "Bing Image Creator",
    ),
    "a photograph into which a generated picture was put": (
        taking(
            "componentOf",
            actions(deed("created", AI, softwareAgent="Gen")),
            deed("created", CAPTURE),
            deed("placed"),
        ),
        Origin.ALTERED,
        "Gen",
    ),
    "a photograph with an action on a part": (
        simple(actions(deed("created", CAPTURE), deed("edited", AI, softwareAgent="Filler"))),
        Origin.ALTERED,
        "Filler",
    ),
    "a generated picture, edited by AI again": (
        taking(
            "parentOf",
            actions(deed("created", AI)),
            OPENED,
            deed("edited", AI, softwareAgent="Editor"),
        ),
        Origin.CREATED,
        "Editor",
    ),
    "several source types": (
        simple(actions(deed("created", "compositeSynthetic"), deed("edited", "humanEdits"))),
        Origin.ALTERED,
        "",
    ),
    "templates for actions": (
        simple(
            actions(
                deed("created"),
                templates=[{"action": "c2pa.created", "digitalSourceType": IPTC + AI}],
                version=1,
            ),
            version=1,
        ),
        Origin.CREATED,
        "",
    ),
    "metadata in the marker": (
        simple(
            actions(deed("created", ""), version=1),
            ("stds.iptc", {"@context": {}, "Iptc4xmpExt:DigitalSourceType": IPTC + PART}),
            version=1,
        ),
        Origin.ALTERED,
        "",
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declaration_of_another_program_is_recognised(name: str, trust: Path) -> None:
    manifest, origin, system = DECLARED[name]
    report = verify(c2pa_files.in_jpeg(PHOTO, manifest), trust=trust)
    assert report.marker_state is MarkerState.TRUSTED, report.marker.codes
    assert report.declared is not None
    assert report.declared.origin is origin
    assert (report.declared.system.name if report.declared.system else "") == system
    assert report.verdict is Verdict.INCOMPLETE, "the other half, the notice, is missing"
    assert report.reason.code == "notice.unrecorded"
    by_clause = {f.clause: f.status for f in report.findings}
    assert by_clause["kz.21.2.marker"] is Status.PASS
    assert by_clause["kz.22.1.recognised"] is Status.PASS


SILENT: dict[str, Manifest] = {
    "a camera": simple(actions(deed("created", CAPTURE), deed("edited"))),
    "a program that draws": simple(actions(deed("created", "digitalCreation"))),
    "a photograph that a model only looked at": taking(
        "inputTo", actions(deed("created", AI)), deed("created", CAPTURE)
    ),
    "a photograph with a photograph in it": taking(
        "componentOf", actions(deed("created", CAPTURE)), deed("created", CAPTURE), deed("placed")
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_declares_nothing_of_ai_is_unmarked(name: str, trust: Path) -> None:
    report = verify(c2pa_files.in_png(encoded(picture(), "PNG"), SILENT[name]), trust=trust)
    assert report.marker_state is MarkerState.TRUSTED
    assert report.declared is None
    assert (report.verdict, report.reason.code) == (Verdict.UNMARKED, "verdict.silent")


DISCLOSURE = ("c2pa.ai-disclosure", {"modelType": "c2pa.types.model", "modelName": "Gen"})


def test_disclosure_alone_says_that_ai_was_used_and_not_how(trust: Path) -> None:
    manifest = simple(actions(deed("created"), version=1), DISCLOSURE, version=1)
    report = verify(c2pa_files.in_jpeg(PHOTO, manifest), trust=trust)
    assert (report.verdict, report.reason.code) == (Verdict.INCOMPLETE, "declared.unspecified")
    by_clause = {f.clause: f for f in report.findings}
    assert by_clause["kz.22.1.recognised"].status is Status.PASS
    assert by_clause["kz.22.2.unambiguous"].status is Status.PASS
    exact = simple(actions(deed("created", AI)), DISCLOSURE)
    report = verify(c2pa_files.in_jpeg(PHOTO, exact), trust=trust)
    assert report.declared is not None
    assert report.reason.code == "notice.unrecorded"


# Name → marker, and why it does not hold. None of these is tampering, and no sentence may say so.
WRONG: dict[str, tuple[Manifest, str]] = {
    "a certificate that ended": (
        simple(actions(deed("created", AI)), signer=ROOT.issue("Old", days=(-30, -10))),
        "marker.expired",
    ),
    "an exclusion wider than the marker, as in 2023": (
        simple(actions(deed("created", AI)), wider=64),
        "marker.exclusion",
    ),
    "an unknown hash algorithm": (
        simple(actions(deed("created", AI)), algorithm="sha3-256"),
        "marker.algorithm",
    ),
    "a claim of a later version": (
        simple(actions(deed("created", AI)), version=3),
        "marker.version",
    ),
    "no binding at all": (simple(actions(deed("created", AI)), binding=False), "marker.malformed"),
    "no source type": (simple(actions(deed("created"))), "marker.malformed"),
    "no actions": (simple(), "marker.malformed"),
    "a certificate for something else": (
        simple(
            actions(deed("created", AI)), signer=ROOT.issue("Web", purposes=["1.3.6.1.5.5.7.3.1"])
        ),
        "marker.profile",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_failures_that_are_no_tampering_are_told_apart(name: str, trust: Path) -> None:
    manifest, code = WRONG[name]
    report = verify(c2pa_files.in_jpeg(PHOTO, manifest), trust=trust)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, code), report.marker.codes
    assert report.declared is None
    for language, words in (("en", "was altered"), ("ru", "файл изменён"), ("kk", "өзгертілген")):
        said = report.reason.text(language)
        denied = ("does not mean", "не значит", "білдірмейді")
        assert words not in said or any(word in said for word in denied), said


def test_tampering_is_called_so(trust: Path) -> None:
    good = c2pa_files.in_jpeg(PHOTO, simple(actions(deed("created", AI))))
    changed = good[:-100] + bytes([good[-100] ^ 1]) + good[-99:]
    wide = c2pa_files.in_jpeg(PHOTO, simple(actions(deed("created", AI)), wider=64))
    other = wide[:-100] + bytes([wide[-100] ^ 1]) + wide[-99:]
    for data in (changed, other, jpeg_files.with_segments(good, jpeg_files.segment(0xFE, b"x"))):
        report = verify(data, trust=trust)
        assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.altered")


@pytest.mark.parametrize(
    ("marker", "inside", "beside"),
    [
        (AI, None, CAPTURE),
        (AI, None, PART),
        (CAPTURE, None, AI),
        (AI, CAPTURE, None),
        (CAPTURE, AI, None),
    ],
)
def test_carriers_that_contradict_each_other_make_the_file_invalid(
    marker: str, inside: str | None, beside: str | None, trust: Path
) -> None:
    """The actions, metadata inside the marker, and XMP beside it."""
    photo = PHOTO
    if beside:
        packet = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
            f'e:DigitalSourceType="{IPTC}{beside}"/></rdf:RDF></x:xmpmeta>'
        )
        xmp = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
        photo = jpeg_files.with_segments(PHOTO, jpeg_files.segment(0xE1, xmp), at=1)
    more = [("stds.iptc", {"Iptc4xmpExt:DigitalSourceType": IPTC + inside})] if inside else []
    manifest = simple(actions(deed("created", marker)), *more)
    report = verify(c2pa_files.in_jpeg(photo, manifest), trust=trust)
    assert (report.verdict, report.reason.code) == (
        Verdict.INVALID,
        "unambiguous.contradiction",
    )
    assert {f.clause: f.status for f in report.findings}["kz.22.2.unambiguous"] is Status.FAIL


def test_signature_of_an_unknown_signer_is_intact_and_not_believed(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(pki.root("Another").pem, encoding="ascii")
    report = verify(c2pa_files.in_jpeg(PHOTO, simple(actions(deed("created", AI)))), trust=other)
    assert (report.verdict, report.reason.code) == (Verdict.INCOMPLETE, "marker.untrusted")
