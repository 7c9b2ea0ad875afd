"""AVIF and HEIC: what is kept, what is refused, and the bytes that the C2PA binding leaves out."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest
from PIL import Image, ImageOps

from aikz_label import Label, Limits, Refused, Verdict, engine, mark, marker, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import av1, bmff
from aikz_label.adapters.image.avif import Avif
from aikz_label.adapters.image.heic import Heic
from aikz_label.adapters.image.modes import difference_outside
from aikz_label.errors import MissingDependency
from aikz_label.report import Notice
from aikz_label.signing import load_signing_key
from support import encoded, heic, picture, pixels, require_heif

ICC = bytes(range(128)) + b"not a real profile, but bytes to keep"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="here"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def exif(orientation=1):
    tags = Image.Exif()
    tags[274] = orientation
    tags[271] = "Camera"
    return tags.tobytes()


def make(kind, image, **options):
    if kind == "avif":
        return encoded(image, "avif", **{"quality": 90, **options})
    return heic(image, **options)


def parse(data, limits=None):
    kind = Avif if data[8:12] == b"avif" else Heic
    return kind.parse(data, limits or Limits(), thorough=True)


def outside(result, shown):
    """The badge's box in displayed pixels, grown to the grid and once around it."""
    place = result.report.marker.notice.placements[0]
    left, top = int(place["x"] * shown[0]) - 32, int(place["y"] * shown[1]) - 32
    right = int((place["x"] + place["width"]) * shown[0]) + 33
    bottom = int((place["y"] + place["height"]) * shown[1]) + 33
    return left, top, right - left, bottom - top


CASES = [(k, m, s) for k in ("avif", "heic") for m in ("RGB", "RGBA", "L") for s in ((480, 320), (321, 241))]  # fmt: skip


@pytest.mark.parametrize(("kind", "mode", "size"), CASES)
def test_modes_keep_their_pixels(kind, mode, size, label, config):
    source = make(kind, picture(mode, size))
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    before, after = pixels(source), pixels(result.data)
    assert (after.mode, after.size) == (before.mode, before.size)
    assert difference_outside(before, after, outside(result, before.size)) >= 40
    again = mark(result.data, None, label, config=config, on_existing="update")
    assert again.report.verdict is Verdict.LABELLED


@pytest.mark.parametrize("kind", ["avif", "heic"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_badge_stands_upright_in_the_displayed_corner(kind, orientation, label, config):
    source = make(kind, picture("RGB", (480, 300)), exif=exif(orientation))
    result = mark(source, None, label, config=config)
    shown = ImageOps.exif_transpose(pixels(result.data))
    before = ImageOps.exif_transpose(pixels(source))
    assert shown.size == before.size
    box = outside(result, shown.size)
    assert box[0] + box[2] > shown.width - 32
    assert difference_outside(before, shown, box) >= 40
    assert parse(result.data).orientation == orientation
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_metadata_stay_byte_for_byte(kind, label, config):
    source = make(kind, picture("RGB"), exif=exif(6), xmp=XMP, icc_profile=ICC)
    for options in ({}, {"notice": "none", "notice_reason": "shown beside it"}):
        result = mark(source, None, label, config=config, **options)
        before, after = parse(source), parse(result.data)

        def item(container, name):
            return next(i.data for i in container.meta.items if i.kind == name)

        assert item(after, b"Exif") == item(before, b"Exif")
        assert b'dc:source="here"' in after.xmp
        kept = {b"colr", b"irot", b"imir"}
        had = [p.box for p in before.primary.properties if p.kind in kept and b"nclx" not in p.box]
        has = [p.box for p in after.primary.properties if p.kind in kept and b"nclx" not in p.box]
        assert had == has
        assert any(ICC in box for box in has)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:0:0"])
def test_the_sampling_of_colours_stays(subsampling, label, config):
    source = encoded(picture("RGB"), "avif", subsampling=subsampling, quality=90)
    result = mark(source, None, label, config=config)
    before, after = (parse(d).primary.first(b"av1C")[2] for d in (source, result.data))
    assert before & 0x1C == after & 0x1C


def test_without_a_notice_the_picture_is_not_encoded_again(label, config):
    source = encoded(picture(), "avif")
    result = mark(source, None, label, config=config, notice="none", notice_reason="beside it")
    assert parse(result.data).primary.data == parse(source).primary.data


def test_a_generated_picture(tmp_path, label, config):
    result = mark(picture(), tmp_path / "new.avif", label, config=config)
    assert (result.report.verdict, result.report.format) == (Verdict.LABELLED, "avif")


# --- what the binding leaves out -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def marked(config):
    label = Label(origin="created", system="PhotoGen/2.1", imitates=("appearance",))
    return mark(encoded(picture(), "avif"), None, label, config=config).data


def box(kind, payload=b""):
    return bmff.pack(kind, payload)


@pytest.mark.parametrize(
    "added",
    [box(b"free"), box(b"free", b"data"), box(b"skip", bytes(9)), box(b"mfra", b"x")],
    ids=["empty free", "free", "skip", "mfra"],
)
def test_an_appended_box_is_noticed(marked, added, config):
    report = verify(marked + added, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.altered")
    with pytest.raises(Refused) as refusal:
        mark(marked + added, None, Label(origin="created"), config=config, on_existing="update")
    assert refusal.value.code == "existing-invalid"


def test_every_byte_of_ftyp_is_noticed(marked, config):
    stop = int.from_bytes(marked[:4])
    for position in range(4, stop):
        changed = bytearray(marked)
        changed[position] ^= 1
        assert verify(bytes(changed), config=config).verdict in {
            Verdict.INVALID,
            Verdict.UNREADABLE,
        }, position


def test_a_second_marker_box_is_noticed(marked, config):
    extra = box(b"uuid", bmff.C2PA + b"anything")
    assert verify(marked + extra, config=config).verdict is Verdict.INVALID


def signed_by_another(source, config, label):
    """A marker that says nothing of the bytes it does not cover."""
    label = replace(label, responsible=config.responsible)
    notice = Notice("none", profile="kz/1", reason="test")
    definition = marker.definition(label, notice, "image", with_parent=False)
    out = io.BytesIO()
    key = load_signing_key(config.signer, config.folder)
    engine.sign(io.BytesIO(source), out, "image/avif", definition, key)
    return out.getvalue()


@pytest.mark.parametrize(("payload", "told"), [(b"data", True), (bytes(4), False)])
def test_padding_in_files_of_others_is_information(payload, told, config, label):
    data = signed_by_another(encoded(picture(), "avif"), config, label)
    report = verify(data + box(b"free", payload), config=config)
    found = [f for f in report.findings if f.clause == "kz.22.2.bound"]
    assert found[0].message.code == "bound.yes"
    assert [f.message.code for f in found[1:]] == ["bound.unprotected"] * told
    assert all(str(f.status) == "unknown" for f in found[1:])
    assert report.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize("digest", ["", 7, "A" * 64, "0" * 63, ["0" * 64]])
def test_a_digest_that_is_none_is_malformed(digest, config, label):
    facts = marker.definition(
        replace(label, responsible=config.responsible),
        Notice("none", profile="kz/1", reason="test"),
        "image",
        with_parent=False,
        unprotected="0" * 64,
    )["assertions"]
    for assertion in facts:
        if assertion["label"] == marker.ASSERTION:
            assertion["data"]["unprotected"] = digest
    content = marker.Content({"assertions": facts})
    assert content.malformed == (digest != "")


# --- variants and damage ---------------------------------------------------------------------------------------------


def changed(source, **parts):
    """The file put together anew with other items, references or brands."""
    found = parse(source)
    items = parts.get("items", list(found.meta.items))
    references = parts.get("references", list(found.meta.references))
    primary = found.meta.primary
    return bmff.assemble(source[: found.boxes[0].stop], found.meta.handler, primary, items, references)  # fmt: skip


def with_property(source, *boxes, drop=()):
    item = parse(source).primary
    kept = tuple(p for p in item.properties if p.kind not in drop)
    return changed(
        source,
        items=[
            replace(item, properties=kept + tuple(bmff.Property(b, essential=False) for b in boxes))
        ],
    )


def nclx(*numbers):
    return box(b"colr", b"nclx" + b"".join(n.to_bytes(2) for n in numbers) + b"\x80")


AVIF = encoded(picture(size=(320, 240)), "avif")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (with_property(AVIF, nclx(9, 16, 9), drop=(b"colr",)), "PQ"),
        (with_property(AVIF, nclx(9, 18, 9), drop=(b"colr",)), "HLG"),
        (with_property(AVIF, nclx(1, 13, 0), drop=(b"colr",)), "without loss"),
        (with_property(AVIF, box(b"pixi", bytes(4) + b"\3\x0a\x0a\x0a"), drop=(b"pixi",)), "8 bits"),
        (with_property(AVIF, box(b"clap", bytes(32))), "cropped"),
        (with_property(AVIF, box(b"a1lx", bytes(7))), "a1lx"),
        (with_property(AVIF, box(b"imir", b"\0"), box(b"irot", b"\1")), "order"),
        (AVIF + box(b"moov"), "sequence"),
        (AVIF + box(b"uuid", bytes(20)), "uuid"),
        (AVIF.replace(b"avif", b"avis", 1), "sequence"),
        (encoded(picture(), "avif", save_all=True, append_images=[picture()]), "sequence"),
        (AVIF.replace(b"infe\x02\0\0\0\0\1\0\0av01", b"infe\x02\0\0\0\0\1\0\0grid"), "grid"),
        (AVIF.replace(b"infe\x02\0\0\0\0\1\0\0av01", b"infe\x02\0\0\0\0\1\0\1av01"), "encrypted"),
    ],
)  # fmt: skip
def test_variants_that_would_lose_something_are_refused(data, words, label, config):
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert words in str(refusal.value)
    assert verify(data, config=config).verdict is Verdict.UNMARKED


def test_colours_that_only_the_stream_names(label, config):
    plain = with_property(AVIF, drop=(b"colr",))
    assert av1.colours(parse(plain).primary.data) == av1.Colours(1, 13, 6)
    result = mark(plain, None, label, config=config)
    assert nclx(1, 13, 6) in [p.box for p in parse(result.data).primary.properties]
    assert av1.colours(b"\x0a\1\0") is None
    assert av1.colours(b"\x0a" + b"\xff" * 9) is None


@pytest.mark.parametrize(
    "data",
    [
        AVIF[:-1],
        AVIF + b"\0\0\0",
        AVIF + b"\0\0\0\7free",
        AVIF + b"\0\0\0\1free" + bytes(7) + b"\x0f",
        AVIF + b"\0\0\0\1free" + b"\xff" * 8,
        AVIF.replace(b"iloc\0\0\0\0\x44", b"iloc\0\0\0\0\xff"),
        AVIF.replace(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\2"),
        AVIF.replace(b"ispe", b"ispX"),
        AVIF.replace(b"\0\0\0\1\x40\0\0\0\xf0", b"\0\0\0\0\0\0\0\0\0"),
    ],
)
def test_damage_is_unreadable(data, label, config):
    assert data != AVIF
    assert verify(data, config=config).verdict is Verdict.UNREADABLE
    with pytest.raises(Refused):
        mark(data, None, label, config=config)


def test_numbers_that_multiply_are_stopped():
    rows = b"".join(
        n.to_bytes(2) + bytes(2) + b"\xff\xff" + (bytes(7) + b"\1") * 65_535 for n in range(3)
    )
    table = box(b"iloc", bytes(4) + b"\x44\0\0\3" + rows)
    data = AVIF[:32] + box(b"meta", bytes(4) + table) + AVIF[32:]
    with pytest.raises(MediaProblem, match="over-limit"):
        parse(data)
    with pytest.raises(MediaProblem, match="over-limit"):
        parse(AVIF + box(b"free") * 200_000)


def test_a_box_may_have_a_long_size_and_the_last_one_none(label, config):
    found = parse(AVIF).boxes[-1]
    last = AVIF[found.body : found.stop]
    data = AVIF[: found.start] + b"\0\0\0\0mdat" + last
    assert mark(data, None, label, config=config).report.verdict is Verdict.LABELLED
    assert parse(AVIF + b"\0\0\0\1free" + (20).to_bytes(8) + b"abcd").unprotected()[1]


def test_without_the_library_heic_is_recognised(monkeypatch, label, config):
    source = heic(picture())
    labelled = mark(source, None, label, config=config).data
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDependency) as error:
        mark(source, None, label, config=config)
    assert "aikz-label[heif]" in error.value.hint
    assert verify(source, config=config).verdict is Verdict.UNMARKED
    assert verify(labelled, config=config).verdict is Verdict.LABELLED
    measured = verify(labelled, config=config, measure=True)
    assert (measured.verdict, measured.reason.code) == (Verdict.INCOMPLETE, "notice.unknown")


@pytest.fixture(autouse=True)
def _needs_heif(request):
    if "heic" in request.node.name:
        require_heif()
