"""Marking again: the input is the parent, its state is told, and no badge stands on another."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import c2pa_files
import jpeg_files
import pki
from aikz_label import Label, Refused, engine, mark, verify
from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.config import Config
from aikz_label.limits import NO_LIMITS
from aikz_label.report import MarkerState, Verdict
from aikz_label.signing import load_signing_key
from c2pa_files import Manifest, actions, deed
from support import picture

PHOTO = jpeg_files.jpeg(picture(size=(960, 640)))
AI = deed("created", "trainedAlgorithmicMedia", softwareAgent={"name": "Gen"})


def by_another_program(data: bytes, config: Config) -> bytes:
    """The same picture, opened and signed by an editor that knows nothing of ours."""
    bare = Jpeg.parse(data, NO_LIMITS, thorough=True).with_tags(Tags())
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["old"]}}
    definition = {
        "claim_generator_info": [{"name": "Editor"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [opened, {"action": "c2pa.edited"}]}}
        ],
    }
    stream, out = io.BytesIO(data), io.BytesIO()
    parent = engine.Parent(stream, "image/jpeg", "old", engine.read(stream, "image/jpeg", ()))
    key = load_signing_key(config.signer, config.folder)
    engine.sign(io.BytesIO(bare), out, "image/jpeg", definition, key, parent)
    return out.getvalue()


def boxes(report: Any) -> list[tuple[float, ...]]:
    return [
        tuple(place[key] for key in ("x", "y", "width", "height"))
        for place in report.marker.notice.placements
    ]


def below(old: tuple[float, ...], new: tuple[float, ...]) -> tuple[float, ...]:
    """The part of the old box that lies under the new one, without the plate's rim."""
    top = new[1] + new[3] + 0.01
    return old[0] + 0.01, top, old[2] - 0.02, old[1] + old[3] - top


def ink(data: bytes, box: tuple[float, ...]) -> int:
    """The lightest pixel in a part of the picture."""
    with Image.open(io.BytesIO(data)) as image:
        x, y, w, h = (round(s * side) for s, side in zip(box, image.size * 2, strict=True))
        part = image.convert("L").crop((x, y, x + w, y + h))
    return int(part.getextrema()[1])


def test_badge_of_an_earlier_marking_is_covered_after_an_editor_took_the_file(
    config: Config, stranger: Config
) -> None:
    """Three languages, then an editor's marker without a record, then one language: nothing of the first shows."""
    first = mark(PHOTO, None, Label(origin="created"), config=config, languages="kk,ru,en")
    assert first.data is not None
    edited = by_another_program(first.data, stranger)
    between = verify(edited, config=config)
    assert between.marker.notice is None
    assert between.marker.intact
    last = mark(
        edited, None, Label(origin="created"), config=config, languages="ru", on_existing="update"
    )
    assert last.data is not None
    (old,), (new,) = boxes(first.report), boxes(last.report)
    strip = below(old, new)
    assert strip[3] > 0.01, "the new badge is lower, or this shows nothing"
    assert ink(first.data, strip) > 200
    assert ink(last.data, strip) < 60
    assert [step.state for step in last.report.marker.history] == [
        MarkerState.UNTRUSTED,
        MarkerState.TRUSTED,
    ]


def test_record_of_a_badge_that_is_gone_covers_nothing(config: Config, stranger: Config) -> None:
    """An editor cut the badge away: what is there now is the picture."""
    first = mark(PHOTO, None, Label(origin="created"), config=config)
    assert first.data is not None
    with Image.open(io.BytesIO(PHOTO)) as image:
        clean = jpeg_files.jpeg(image.convert("RGB"))
    stream, out = io.BytesIO(first.data), io.BytesIO()
    parent = engine.Parent(stream, "image/jpeg", "old", engine.read(stream, "image/jpeg", ()))
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["old"]}}
    definition = {
        "claim_generator_info": [{"name": "Editor"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [opened]}}],
    }
    key = load_signing_key(stranger.signer, stranger.folder)
    engine.sign(io.BytesIO(clean), out, "image/jpeg", definition, key, parent)
    small = mark(
        out.getvalue(),
        None,
        Label(origin="created"),
        config=config,
        languages="ru",
        on_existing="update",
    )
    assert small.data is not None
    (old,), (new,) = boxes(first.report), boxes(small.report)
    strip = below(old, new)
    assert ink(small.data, strip) > 100, "it was not blackened"


@pytest.fixture
def trust(tmp_path: Path) -> tuple[pki.Party, Path]:
    root = pki.root()
    path = tmp_path / "root.pem"
    path.write_text(root.pem, encoding="ascii")
    return root, path


@pytest.mark.parametrize(
    ("signer", "state", "problem"),
    [
        ({}, MarkerState.UNTRUSTED, ""),
        ({"days": (-30, -10)}, MarkerState.INVALID, "expired"),
    ],
    ids=["unknown signer", "expired"],
)
def test_parent_by_another_program_is_told_with_its_own_state(
    signer: dict[str, Any], state: MarkerState, problem: str, trust, config: Config
) -> None:
    root, _ = trust
    source = c2pa_files.in_jpeg(PHOTO, Manifest((actions(AI),), root.issue("OpenAI", **signer)))
    with pytest.raises(Refused) as refusal:
        mark(source, None, Label(origin="created"), config=config)
    assert refusal.value.code == "already-marked"
    result = mark(source, None, Label(origin="created"), config=config, on_existing="update")
    assert result.report.verdict is Verdict.LABELLED
    (step,) = result.report.marker.history
    assert (step.state, step.problem, step.relation) == (state, problem, "parent")
    assert step.signer is not None
    assert step.signer.name == "OpenAI"
    dropped = mark(source, None, Label(origin="created"), config=config, on_existing="replace")
    assert dropped.report.marker.history == ()


@pytest.mark.parametrize("change", ["content", "marker", "exclusion", "actions"])
def test_parent_that_does_not_hold_is_never_taken_up(change: str, trust, config: Config) -> None:
    """Neither what was tampered with nor what cannot be confirmed becomes respectable by a new signature."""
    root, _ = trust
    manifest = Manifest((actions(AI),), root.issue("OpenAI"))
    if change == "exclusion":
        manifest = Manifest((actions(AI),), root.issue("OpenAI"), wider=64)
    if change == "actions":
        manifest = Manifest((), root.issue("OpenAI"))
    source = bytearray(c2pa_files.in_jpeg(PHOTO, manifest))
    if change == "content":
        source[-100] ^= 1
    if change == "marker":
        source[source.index(b"trainedAlgorithmicMedia")] ^= 1
    with pytest.raises(Refused) as refusal:
        mark(bytes(source), None, Label(origin="created"), config=config, on_existing="update")
    assert refusal.value.code == "existing-invalid"
    result = mark(
        bytes(source), None, Label(origin="created"), config=config, on_existing="replace"
    )
    assert result.report.marker.history == ()


def test_parent_that_was_tampered_with_later_shows_through_every_signature(
    trust, config: Config, stranger: Config
) -> None:
    root, _ = trust
    source = bytearray(c2pa_files.in_jpeg(PHOTO, Manifest((actions(AI),), root.issue("OpenAI"))))
    source[-100] ^= 1
    laundered = by_another_program(bytes(source), stranger)
    report = verify(laundered, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.parent")
    with pytest.raises(Refused) as refusal:
        mark(laundered, None, Label(origin="created"), config=config, on_existing="update")
    assert refusal.value.code == "existing-invalid"
