"""Real files that nobody in this project wrote: no crash, no damage, a reason for every refusal.

`tools/corpus_table.py` writes what is measured here into the documentation.
"""

from __future__ import annotations

import collections
import hashlib
import io
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

import corpus_files
import fidelity
from aikz_label import verify
from aikz_label.config import Config
from aikz_label.report import MarkerState, Verdict
from corpus_files import PICTURES, Row
from support import encoded, picture, require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

# Floors: the share of the decodable pictures of the corpus that is marked. A change may raise them, never lower them.
# What is missing are tiny lossy pictures of noise, which no codec keeps beside a strip, and files that are cut off.
LEAST_MARKED = {
    "jpeg": Fraction(62, 73),
    "png": Fraction(45, 45),
    "webp": Fraction(23, 25),
    "gif": Fraction(24, 24),
}
# Of the decodable pictures, those that `verify` calls unreadable: all of them are cut off, and Pillow fills in the rest.
MOST_UNREADABLE = Fraction(4, 167)
# These codes say that the package is wrong, not the file.
BUGS = {"self-check", "refused", "error"}

EVERYTHING = corpus_files.rows()
BROKEN = [row for row in EVERYTHING if row.format in PICTURES and row.kind == "broken"]
SOUND = [row for row in EVERYTHING if row.format in PICTURES and row.kind != "broken"]


def each(rows: list[Row]) -> pytest.MarkDecorator:
    """One test per file; without the corpus one that says so."""
    return pytest.mark.parametrize("row", rows or [None], ids=str)


@pytest.fixture(autouse=True)
def _corpus(request: pytest.FixtureRequest) -> None:
    if "row" in request.fixturenames or "config" in request.fixturenames:
        require_corpus()


def unchanged(row: Row) -> bool:
    return hashlib.sha256(row.file.read_bytes()).hexdigest() == row.sha256


@each(EVERYTHING)
def test_verify_answers_for_every_file(row: Row, config: Config) -> None:
    report = verify(row.file, config=config)
    assert report.verdict in set(Verdict) - {Verdict.LABELLED}, "nobody here believes its signer"
    text = report.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["verdict"] == str(report.verdict)
    for language in ("kk", "ru", "en"):
        assert report.reason.text(language).strip()
    assert verify(row.file.read_bytes(), config=config) == report.at("")
    assert unchanged(row)


@each(SOUND)
def test_sound_picture_is_marked_without_a_loss_or_refused(
    row: Row, config: Config, tmp_path: Path
) -> None:
    destination = tmp_path / f"out{row.file.suffix}"
    had_marker = verify(row.file, config=config).marker_state is not MarkerState.ABSENT
    outcome = corpus_files.attempt(row, destination, config, on_existing="refuse")
    if had_marker:
        assert outcome.code, "a marker that is there is never dropped without being asked"
        assert not list(tmp_path.iterdir())
        outcome = corpus_files.attempt(row, destination, config, on_existing="replace")
    assert unchanged(row)
    if outcome.result is None:
        assert_refused(outcome.code, tmp_path)
        assert outcome.code != "already-marked"
        return
    assert_marked(outcome, destination, config)


@each(BROKEN)
def test_broken_picture_is_refused_unless_it_decodes(
    row: Row, config: Config, tmp_path: Path
) -> None:
    destination = tmp_path / f"out{row.file.suffix}"
    outcome = corpus_files.attempt(row, destination, config)
    assert unchanged(row)
    if outcome.result is None:
        assert_refused(outcome.code, tmp_path)
    else:
        assert_marked(outcome, destination, config)


def assert_refused(code: str, folder: Path) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
    assert code not in BUGS
    assert not list(folder.iterdir()), "a refusal leaves nothing behind"


def assert_marked(outcome: corpus_files.Outcome, destination: Path, config: Config) -> None:
    assert outcome.losses == ()
    assert list(destination.parent.iterdir()) == [destination]
    assert outcome.result is not None
    assert outcome.result.path == destination
    attested = verify(destination, config=config)
    assert attested == outcome.result.report
    assert attested.verdict is Verdict.LABELLED
    measured = verify(destination, config=config, measure=True)
    assert measured.verdict is Verdict.LABELLED, measured.reason.text("en")


@pytest.mark.timeout(600)  # hundreds of files, on a machine that may be busy
def test_enough_pictures_are_marked_and_read(config: Config, tmp_path: Path) -> None:
    require_corpus()
    marked: collections.Counter[str] = collections.Counter()
    decodable: collections.Counter[str] = collections.Counter()
    refused: collections.Counter[str] = collections.Counter()
    unreadable = []
    for number, row in enumerate(SOUND):
        outcome = corpus_files.attempt(row, tmp_path / str(number), config)
        if not outcome.decodable:
            continue
        decodable[row.format] += 1
        marked[row.format] += outcome.result is not None
        refused[outcome.code] += bool(outcome.code)
        if verify(row.file, config=config).verdict is Verdict.UNREADABLE:
            unreadable.append(row.path)
    shares = {name: Fraction(marked[name], decodable[name]) for name in PICTURES}
    assert all(shares[name] >= LEAST_MARKED[name] for name in PICTURES), (marked, refused)
    assert Fraction(len(unreadable), decodable.total()) <= MOST_UNREADABLE, unreadable


# --- the comparison itself: it must notice what it is there to notice --------------------------------------------------

BOX = {"x": 0.25, "y": 0.25, "width": 0.25, "height": 0.25}
INSIDE, OUTSIDE = (200, 120), (20, 300)  # of 480 × 320
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>{}</dc:format>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> bytes:
    tags = Image.Exif()
    tags[271], tags[274] = "Maker", orientation
    return tags.tobytes()


def sample(kind: str, image: Image.Image | None = None, **changes: Any) -> bytes:
    """A picture with every kind of metadata; a change to `None` leaves one out."""
    options: dict[str, Any] = {
        "exif": exif(),
        "icc_profile": ICC,
        "xmp": XMP.format("x").encode(),
        "dpi": (72, 72),
    }
    options |= {"quality": 95} | changes
    if kind == "PNG":
        text, packet = PngInfo(), options.pop("xmp")
        if packet:
            text.add_itxt("XML:com.adobe.xmp", packet.decode())
        options["pnginfo"] = text
    kept = {name: value for name, value in options.items() if value is not None}
    return encoded(image or picture(), kind, **kept)


def touched(where: tuple[int, int], mode: str = "RGB") -> Image.Image:
    image = picture(mode)
    old = image.getpixel(where)
    assert isinstance(old, tuple)
    image.putpixel(where, tuple(level ^ 0x80 for level in old))
    return image


@pytest.mark.parametrize(
    ("kind", "after", "loss"),
    [
        ("PNG", {}, ""),
        ("JPEG", {}, ""),
        ("WEBP", {}, ""),
        ("PNG", {"image": touched(INSIDE)}, ""),
        ("PNG", {"image": touched(OUTSIDE)}, "1 of"),
        ("WEBP", {"image": touched(OUTSIDE), "lossless": True}, "1 of"),
        ("JPEG", {"quality": 20}, "dB outside"),
        ("WEBP", {"quality": 5}, "dB outside"),
        ("PNG", {"icc_profile": None}, "icc_profile"),
        ("JPEG", {"icc_profile": None}, "icc_profile"),
        ("WEBP", {"exif": None}, "EXIF"),
        ("JPEG", {"exif": exif(3)}, "EXIF"),
        ("PNG", {"xmp": None}, "XMP"),
        ("WEBP", {"xmp": XMP.format("y").encode()}, "XMP lost"),
        ("JPEG", {"xmp": b"no XMP at all"}, "XMP"),
        ("PNG", {"dpi": None}, "dpi"),
        ("JPEG", {"comment": b"new"}, "comment was added"),
        ("JPEG", {"progressive": True}, "progressive"),
        ("JPEG", {"quality": 94}, "tables"),
        ("JPEG", {"subsampling": "4:2:2"}, "sampled"),
        ("PNG", {"image": picture("L")}, "mode"),
        ("JPEG", {"image": picture(size=(479, 320))}, "size"),
    ],
)
def test_comparison_notices(kind: str, after: dict[str, Any], loss: str) -> None:
    source = sample(kind, lossless=after.get("lossless"))
    found = fidelity.losses(source, sample(kind, **after), BOX)
    assert (loss in " ".join(found)) if loss else not found, found


def test_comparison_notices_another_format_and_no_format() -> None:
    source = sample("PNG")
    assert "format" in fidelity.losses(source, sample("JPEG"), BOX)[0]
    assert "decode" in fidelity.losses(source, source[:1000], BOX)[0]


def test_comparison_notices_opacity_and_bytes_after_the_picture() -> None:
    source, change = picture("RGBA"), picture("RGBA")
    change.putalpha(200)
    found = fidelity.losses(sample("WEBP", source), sample("WEBP", change), BOX)
    assert "the opacity changed" in found
    photo = sample("JPEG")
    assert fidelity.losses(photo + b"film" * 9, photo, BOX) == [
        "the bytes after the picture are gone"
    ]


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_comparison_looks_where_the_badge_is_seen(turn: int, kind: str) -> None:
    """A turned picture: the record speaks of what is seen, the file stores something else."""
    shown = picture(size=(480, 320))
    drawn = shown.copy()
    drawn.paste((0, 0, 0), (120, 80, 240, 160))
    back = fidelity.STORED_FROM_SHOWN.get(turn)
    before, after = (image if back is None else image.transpose(back) for image in (shown, drawn))
    options = {"exif": exif(turn), "subsampling": 0} if kind == "JPEG" else {"exif": exif(turn)}
    seen = ImageOps.exif_transpose(Image.open(io.BytesIO(sample("PNG", after, **options))))
    assert ImageChops.difference(seen.convert("RGB"), drawn).getbbox() is None
    assert (
        fidelity.losses(sample(kind, before, **options), sample(kind, after, **options), BOX) == []
    )
    elsewhere = BOX | {"x": 0.6}
    assert fidelity.losses(
        sample(kind, before, **options), sample(kind, after, **options), elsewhere
    )
