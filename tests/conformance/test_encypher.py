"""A second opinion: encypher-c2pa, a verifier of other authors and other code, must find our markers valid and trusted."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import apng_files
import corpus_files
import gif_files
import pdf_files
import png_files
import sound_anew_files
import sound_files
import svg_files
import tiff_files
import video_files
import webp_files
from aikz_label import Label, Refused, mark, sniff, verify
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.report import MarkerState, Verdict
from support import PHOTO, deep_avif, encoded, heic, jxl, missing, picture, require_corpus
from text_files import BESIDE, ON_REQUEST
from text_files import SAMPLES as TEXTS

pytestmark = pytest.mark.timeout(180)

# Files on which the two verifiers may differ: path in the corpus → why. Nothing else may.
EXPLAINED: dict[str, str] = {}
# What the Conformance Program wants beyond validity. A self-issued identity without a time-stamping authority has neither.
STRICT = {
    "com.encypher.conformance.revocationInformationMissing",
    "com.encypher.conformance.trustedTimeStampMissing",
}
# It wants the marker of a TIFF of several pages in a page without pixels, which other programs do not open (ADR 8).
NO_EMPTY_PAGE = {"book.tiff", "big.tiff"}
PER_FORMAT = {"jpeg": 20, "png": 13, "webp": 10}
"""How many files of the corpus are marked and shown to it."""

Opinion = Callable[..., Mapping[str, Any]]


@pytest.fixture
def opinion(identity_folder: Path) -> Opinion:
    """Ask it about bytes: offline, without telemetry, believing our own root and nobody else."""
    try:
        judge = importlib.import_module("encypher_c2pa")
    except ModuleNotFoundError:
        missing("the package encypher-c2pa")
    root = (identity_folder / "root.pem").read_text(encoding="ascii")

    def ask(data: bytes, **options: Any) -> Mapping[str, Any]:
        row = sniff(data)
        assert row is not None
        mime = options.pop("mime", row.mime)
        choices = {"trust_pem": root, "no_default_trust": True} | options
        answer: Mapping[str, Any] = judge.verify(
            data, mime, telemetry=False, online=False, **choices
        )
        assert answer["network"]["requests"] == []
        return answer

    return ask


def summary(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """State, integrity, signature, binding and every failure code."""
    words = (answer[key] for key in ("validation_state", "integrity", "signature", "hard_binding"))
    failures = (failure["code"] for failure in answer["validation_results"]["failure"])
    return (*words, *failures)


ACCEPTED = ("Trusted", "valid", "valid", "match")


def samples() -> dict[str, bytes]:
    """The photograph in every coding that marking tells apart."""
    photo, small = PHOTO.read_bytes(), picture()
    rotated = Image.Exif()
    rotated[274] = 6
    with Image.open(PHOTO) as image:
        cmyk = encoded(image.convert("CMYK"), "JPEG", quality=90)
        progressive = encoded(image, "JPEG", quality=85, progressive=True)
    return {
        "photograph": photo,
        "progressive": progressive,
        "cmyk": cmyk,
        "grey.jpg": encoded(picture("L"), "JPEG", quality=90),
        "rotated.jpg": encoded(small, "JPEG", quality=90, exif=rotated),
        "trailing.jpg": encoded(small, "JPEG", quality=90) + b"what follows the picture" * 9,
        "rgb.png": encoded(small, "PNG"),
        "rgba.png": encoded(picture("RGBA"), "PNG"),
        "palette.png": encoded(picture("P"), "PNG"),
        "bits.png": encoded(picture("1"), "PNG"),
        "grey-alpha.png": encoded(picture("LA"), "PNG"),
        "lossy.webp": encoded(small, "WEBP", quality=85),
        "lossless.webp": encoded(small, "WEBP", lossless=True),
        "alpha.webp": encoded(picture("RGBA"), "WEBP", quality=85),
        "moving.webp": webp_files.moving(),
        "moving.png": apng_files.moving(),
        "moving.gif": gif_files.moving(),
        "palette.gif": encoded(picture("P"), "GIF"),
        "deep.png": png_files.png(png_files.photo(png_files.RGB, 16), png_files.RGB, 16),
        "one.tiff": encoded(small, "TIFF", compression="tiff_lzw"),
        "book.tiff": tiff_files.book(byteorder=">"),
        "big.tiff": tiff_files.book(bigtiff=True),
        "raw.dng": tiff_files.raw_photo(),
        "plain.svg": svg_files.svg(),
        "metadata.svg": svg_files.svg(f"<metadata> <a/></metadata>{svg_files.SHAPES}"),
        "photo.avif": encoded(small, "AVIF"),
        "table.pdf": pdf_files.document(),
        "packed.pdf": pdf_files.packed(),
        "hybrid.pdf": pdf_files.hybrid(),
        "searched.pdf": pdf_files.document().partition(b"xref\n")[0],
    }


SAMPLES = samples()
# Made by optional libraries, so only when they are asked for.
MADE = {
    "deep.avif": lambda: deep_avif(picture("RGBA")),
    "photo.heic": lambda: heic(picture()),
    "grid.heic": lambda: heic(picture("RGB", (640, 480)), tile_size=256),
    "photo.jxl": lambda: jxl(picture()),
    **{f"tone.{name}": partial(sound_files.sample, name) for name in ("wav", "mp3", "flac", "m4a")},
    "tagged.mp3": lambda: sound_files.mp3(id3v2_version="3"),
    "tone.opus": sound_files.opus,
    "tone.oga": lambda: sound_files.encoded(("ogg", "flac", "s16"), sound_files.MONO),
    "film.mp4": lambda: video_files.film("mp4", frames=4, audio="aac"),
    "film.mov": lambda: video_files.film("mov", "mpeg4", frames=4),
    "film.avi": lambda: video_files.film("avi", "mpeg4", frames=4),
}


@pytest.fixture(params=[*SAMPLES, *MADE])
def marked(request: pytest.FixtureRequest, config: Config, label: Label) -> bytes:
    name = request.param
    source = SAMPLES[name] if name in SAMPLES else MADE[name]()
    data = mark(source, None, label, config=config).data
    assert data is not None
    return data


def test_marked_file_is_valid_and_trusted(marked: bytes, opinion: Opinion) -> None:
    assert summary(opinion(marked)) == ACCEPTED


@pytest.mark.parametrize("kind", ["vorbis-speech", "m4a-he"])
def test_sound_that_was_coded_anew_is_accepted(
    kind: str, opinion: Opinion, config: Config, label: Label
) -> None:
    source = sound_anew_files.KINDS[kind][0]()
    data = mark(source, None, label, config=config, languages=("en",), allow_reencode=True).data
    assert data is not None
    assert summary(opinion(data)) == ACCEPTED


def test_encrypted_document_is_beyond_it(opinion: Opinion, config: Config, label: Label) -> None:
    """It takes no filter on a marker's stream, not even the one that leaves it in clear, which A.4 asks for (ADR 16)."""
    data = mark(pdf_files.encrypted(256), None, label, config=config).data
    assert data is not None
    (failure,) = opinion(data)["validation_results"]["failure"]
    assert "filtered" in failure["explanation"]


def test_strict_conformance_misses_only_time_stamp_and_revocation(
    marked: bytes, opinion: Opinion, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["marked"] in NO_EMPTY_PAGE:
        failures = opinion(marked, strict_conformance=True)["validation_results"]["failure"]
        assert ["not the only entry" in failure["explanation"] for failure in failures] == [True]
        return
    state, *rest = summary(opinion(marked, strict_conformance=True))
    assert state == "Invalid"
    assert (*rest[:3], {*rest[3:]}) == ("valid", "valid", "match", STRICT)


def test_it_reads_what_we_declared(opinion: Opinion, config: Config, label: Label) -> None:
    data = mark(PHOTO, None, label, config=config).data
    assert data is not None
    manifests = opinion(data)["manifest_report"]["manifests"]
    (manifest,) = manifests.values()
    stated = {item["label"]: item["data"] for item in manifest["assertions"]}
    (action,) = stated["c2pa.actions.v2"]["actions"]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith("/digitalsourcetype/trainedAlgorithmicMedia")
    assert action["softwareAgent"] == {"name": "PhotoGen", "version": "2.1"}
    assert stated["c2pa.ai-disclosure"]["modelName"] == "PhotoGen"
    facts = stated["org.aikz.synthetic"]
    assert facts["imitates"] == ["appearance"]
    assert facts["responsible"]["name"] == "ЖШС «Үлгі»"
    assert facts["notice"]["languages"] == ["kk", "ru", "en"]


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("reserve", [False, True])
def test_every_kind_of_label_is_accepted(
    opinion: Opinion, config: Config, origin: Origin, *, reserve: bool
) -> None:
    label = Label(origin=origin, system=None, reserve_training=reserve)
    data = mark(picture(), None, label, config=config).data
    assert data is not None
    assert summary(opinion(data)) == ACCEPTED


def test_file_without_a_notice_is_accepted(opinion: Opinion, config: Config, label: Label) -> None:
    result = mark(
        PHOTO, None, label, config=config, notice="none", notice_reason="shown by the player"
    )
    assert result.data is not None
    assert summary(opinion(result.data)) == ACCEPTED


@pytest.mark.parametrize("on_existing", ["update", "replace"])
def test_second_mark_is_accepted(
    marked: bytes, on_existing: str, opinion: Opinion, config: Config
) -> None:
    label = Label(origin=Origin.ALTERED, system=System("Editor", "1"))
    again = mark(marked, None, label, config=config, on_existing=on_existing).data
    assert again is not None
    answer = opinion(again)
    assert summary(answer) == ACCEPTED
    assert len(answer["manifest_report"]["manifests"]) == {"update": 2, "replace": 1}[on_existing]


# --- the judge is awake: it refuses what we refuse --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_sidecar_is_accepted(opinion: Opinion, config: Config, label: Label, kind: str) -> None:
    """It takes a store from outside for the formats it knows, and finds the same binding to all bytes."""
    result = mark(encoded(picture(), kind), None, label, config=config, sidecar="always")
    assert result.data is not None
    answer = opinion(result.data, manifest_store=result.sidecar)
    assert summary(answer) == ACCEPTED
    changed = result.data[:-1] + bytes([result.data[-1] ^ 1])
    assert opinion(changed, manifest_store=result.sidecar)["hard_binding"] == "mismatch"


def test_changed_content_is_refused_by_both(
    marked: bytes, opinion: Opinion, config: Config
) -> None:
    position = (
        len(marked) // 2
    )  # in the picture: markers of these files are at the start or the end
    changed = marked[:position] + bytes([marked[position] ^ 1]) + marked[position + 1 :]
    if changed.startswith(b"OggS"):  # a page with a wrong check sum is no Ogg to it
        with pytest.raises(ValueError, match="checksum"):
            opinion(changed)
        assert verify(changed, config=config).verdict is Verdict.INVALID
        return
    state, integrity, _, binding, *codes = summary(opinion(changed))
    assert (state, integrity, binding) == ("Invalid", "invalid", "mismatch")
    assert {"assertion.dataHash.mismatch", "assertion.bmffHash.mismatch"} & set(codes)
    assert verify(changed, config=config).verdict is Verdict.INVALID


def test_stranger_is_trusted_by_neither(
    opinion: Opinion, config: Config, stranger: Config, label: Label
) -> None:
    data = mark(PHOTO, None, label, config=stranger).data
    assert data is not None
    answer = opinion(data)
    assert answer["validation_state"] != "Trusted"
    assert answer["integrity"] == "valid"
    report = verify(data, config=config)
    assert (report.verdict, report.marker_state) == (Verdict.INCOMPLETE, MarkerState.UNTRUSTED)


def test_unmarked_photograph_has_nothing(opinion: Opinion, config: Config) -> None:
    answer = opinion(PHOTO.read_bytes())
    assert (answer["present"], answer["validation_state"]) == (False, "None")
    assert verify(PHOTO, config=config).verdict is Verdict.UNMARKED


def test_truncated_marked_file_is_refused_by_both(
    marked: bytes, opinion: Opinion, config: Config
) -> None:
    cut = marked[: len(marked) // 2]
    with contextlib.suppress(ValueError):  # its way to say that the container is damaged
        assert opinion(cut)["validation_state"] in {"Invalid", "None"}
    allowed = {Verdict.INVALID, Verdict.UNREADABLE}
    if cut.startswith(b"%PDF-"):  # before an update it is the document as it was
        allowed |= {Verdict.INCOMPLETE, Verdict.UNMARKED}
    assert verify(cut, config=config).verdict in allowed


# --- texts ------------------------------------------------------------------------------------------------------------

# It knows markers in comments by the type of the file, and neither "source code" nor WebVTT as one.
COMMENTS = dict.fromkeys(("source", "vtt"), "text/x-python")


@pytest.mark.parametrize("kind", sorted(set(TEXTS) - BESIDE))
def test_marked_text_is_valid_and_trusted(kind: str, opinion: Opinion, config: Config) -> None:
    notice = "data" if kind in ON_REQUEST else "auto"
    text = TEXTS[kind].encode()
    data = mark(text, None, Label(origin="created"), notice=notice, config=config).data
    assert data is not None
    mime = {"mime": COMMENTS[kind]} if kind in COMMENTS else {}
    assert summary(opinion(data, **mime)) == ACCEPTED
    changed = data.replace(b"1", b"2", 1) if b"1" in data[:200] else b" " + data
    assert summary(opinion(changed, **mime)) != ACCEPTED


@pytest.mark.parametrize("kind", sorted(BESIDE))
def test_sidecar_of_a_text_is_accepted(kind: str, opinion: Opinion, config: Config) -> None:
    text = TEXTS[kind].encode()
    result = mark(
        text, None, Label(origin="created"), config=config, notice="none", notice_reason="x"
    )
    assert result.data == text
    answer = opinion(text, manifest_store=result.sidecar, mime="application/toml")
    assert summary(answer) == ACCEPTED


@pytest.mark.corpus
def test_marked_texts_of_the_corpus_are_valid_and_trusted(opinion: Opinion, config: Config) -> None:
    require_corpus()
    differing, agreed = {}, 0
    for row in corpus_files.rows("text", "html"):
        try:
            result = mark(row.file, None, Label(origin="created"), config=config)
        except Refused:
            continue
        if result.sidecar is not None or result.data is None:
            continue
        mime = {"mime": COMMENTS["source"]} if result.report.format in COMMENTS else {}
        answer = summary(opinion(result.data, **mime))
        if answer != ACCEPTED:
            differing[row.path] = answer
        agreed += 1
    assert differing == {}
    assert agreed > 20


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.corpus
@pytest.mark.parametrize("name", PER_FORMAT)
def test_marked_files_of_the_corpus_are_valid_and_trusted(
    name: str, opinion: Opinion, config: Config, label: Label
) -> None:
    require_corpus()
    agreed, differing = 0, {}
    for row in sorted(corpus_files.rows(name), key=lambda row: row.sha256):  # a fixed, fair sample
        if row.kind == "broken" or agreed == PER_FORMAT[name]:
            continue
        marked = io.BytesIO()
        try:
            mark(row.file, marked, label, config=config, on_existing="replace")
        except Refused:
            continue
        answer = summary(opinion(marked.getvalue()))
        if answer != ACCEPTED and row.path not in EXPLAINED:
            differing[row.path] = answer
        agreed += answer == ACCEPTED
    assert differing == {}
    assert agreed == PER_FORMAT[name]
