"""AVIF and HEIC: what is kept, what is refused, and the bytes that the C2PA binding leaves out."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

import heif_fidelity
from aikz_label import Label, Limits, Refused, Verdict, engine, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.heif import layout, uncompressed
from aikz_label.adapters.image.heif.coders import near
from aikz_label.adapters.image.heif.container import Avif, Heic
from aikz_label.adapters.image.heif.items import Item, Meta, Property
from aikz_label.adapters.image.heif.picture import HeifPicture
from aikz_label.adapters.image.heif.planes import Planes, decibels
from aikz_label.adapters.image.heif.tree import Tree, extent_of
from aikz_label.adapters.image.modes import difference_outside
from aikz_label.errors import MissingDependency
from aikz_label.manifest import marker
from aikz_label.report import Notice
from aikz_label.signing import load_signing_key
from support import encoded, heic, picture, pixels, require_heif, require_tool

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
    assert parse(result.data).decode().orientation == orientation
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_metadata_stay_byte_for_byte(kind, label, config):
    source = make(kind, picture("RGB"), exif=exif(6), xmp=XMP, icc_profile=ICC)
    for options in ({}, {"notice": "none", "notice_reason": "shown beside it"}):
        result = mark(source, None, label, config=config, **options)
        before, after = parse(source), parse(result.data)

        def item(container, name):
            return next(i.data for i in container.meta.items if i.kind == name)

        was, now = Image.Exif(), Image.Exif()
        was.load(item(before, b"Exif")[4:])
        now.load(item(after, b"Exif")[4:])
        assert {tag: now[tag] for tag in was} == dict(was)  # ours is a comment beside them
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
    meta = replace(
        found.meta, **{k: tuple(v) for k, v in parts.items() if k in {"items", "references"}}
    )
    return layout.assemble(source[: found.boxes[0].stop], meta)


def with_property(source, *boxes, drop=()):
    item = parse(source).primary
    kept = tuple(p for p in item.properties if p.kind not in drop)
    added = tuple(Property(b, essential=b[4:8] in {b"clap", b"irot", b"imir"}) for b in boxes)
    return changed(source, items=[replace(item, properties=kept + added)])


def nclx(*numbers):
    return box(b"colr", b"nclx" + b"".join(n.to_bytes(2) for n in numbers) + b"\x80")


AVIF = encoded(picture(size=(320, 240)), "avif")


def twice(data, kind):
    """A file with a box in it twice, in boxes that say how long they are and no offsets behind them."""
    at = data.index(kind) - 4
    again = data[at : at + int.from_bytes(data[at : at + 4])]
    whole = bytearray(data[:at] + again + data[at:])
    for holder in (b"meta", b"iprp"):
        start = whole.index(holder) - 4
        size = int.from_bytes(whole[start : start + 4]) + len(again)
        whole[start : start + 4] = size.to_bytes(4)
    return bytes(whole)


TWICE = twice(AVIF, b"ipma")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (AVIF.replace(b"infe\x02\0\0\0\0\1\0\0av01", b"infe\x02\0\0\0\0\1\0\0j2k1"), "j2k1"),
        (AVIF.replace(b"infe\x02\0\0\0\0\1\0\0av01", b"infe\x02\0\0\0\0\1\0\1av01"), "encrypted"),
    ],
)  # fmt: skip
def test_variants_that_would_lose_something_are_refused(data, words, label, config):
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert words in str(refusal.value)
    assert verify(data, config=config).verdict is Verdict.UNMARKED


@pytest.mark.parametrize(
    "data",
    [
        AVIF[:-1],
        TWICE,
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
    monkeypatch.setitem(sys.modules, "av", None)
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


# --- pictures put together from others ------------------------------------------------------------------------------


def item_data(container):
    return {item.number: item.data for item in container.meta.items}


def test_only_the_tiles_under_the_badge_are_coded_anew(label, config):
    source = heic(picture("RGB", (1280, 960)), tile_size=256)
    result = mark(source, None, label, config=config)
    before, after = parse(source), parse(result.data)
    was, now = item_data(before), item_data(after)
    same = [number for number in was if was[number] == now[number]]
    assert 1 <= len(was) - len(same) <= 6
    tiles = [item for item in after.meta.items if item.kind == b"hvc1"]
    assert len({tile.first(b"hvcC") for tile in tiles}) == 1, (
        "the tiles of a grid share a configuration"
    )
    shown, seen = pixels(source), pixels(result.data)
    assert difference_outside(shown, seen, outside(result, shown.size)) >= 40


def avif_grid(tmp_path, size, *, columns, rows):
    """A grid as avifenc writes one."""
    names = []
    whole = picture("RGB", (size[0] * columns, size[1] * rows))
    for row in range(rows):
        for column in range(columns):
            left, top = column * size[0], row * size[1]
            name = tmp_path / f"{row}-{column}.png"
            whole.crop((left, top, left + size[0], top + size[1])).save(name)
            names.append(str(name))
    target = tmp_path / "grid.avif"
    program = require_tool("avifenc")
    grid = ["--grid", f"{columns}x{rows}"]
    subprocess.run([program, "-s", "10", *grid, *names, target], check=True, capture_output=True)
    return target.read_bytes()


def test_a_grid_of_avif(tmp_path, label, config):
    source = avif_grid(tmp_path, (256, 256), columns=4, rows=3)
    result = mark(source, None, label, config=config)
    was, now = item_data(parse(source)), item_data(parse(result.data))
    assert 1 <= sum(was[number] != now[number] for number in was) <= 4
    assert len({i.first(b"av1C") for i in parse(result.data).meta.items if i.kind == b"av01"}) == 1
    before, after = pixels(source), pixels(result.data)
    assert difference_outside(before, after, outside(result, before.size)) >= 40


@pytest.mark.parametrize("hidden", [False, True])
def test_tiles_that_could_be_shown_by_themselves_are_hidden_and_that_is_said(
    hidden, tmp_path, label, config
):
    flags = (b"infe\2\0\0" + bytes([number]) for number in (not hidden, hidden))
    source = avif_grid(tmp_path, (256, 256), columns=4, rows=3).replace(*flags)
    if not hidden:
        assert not any(item.hidden for item in parse(source).meta.items)
    result = mark(source, None, label, config=config)
    tiles = [item for item in parse(result.data).meta.items if item.kind == b"av01"]
    assert len(tiles) == 12
    assert all(item.hidden for item in tiles)
    assert any("Tiles" in warning for warning in result.warnings) is not hidden


def avif_of(tmp_path, *options, mode="RGB", size=(480, 320)):
    """A file of avifenc, which knows depths and samplings that Pillow does not write."""
    source, target = tmp_path / "a.png", tmp_path / "a.avif"
    picture(mode, size).save(source)
    program = require_tool("avifenc")
    subprocess.run([program, "-s", "10", *options, source, target], check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize("depth", ["8", "10", "12"])
@pytest.mark.parametrize("sampling", ["444", "422", "420", "400"])
@pytest.mark.parametrize("value_range", ["full", "limited"])
def test_depth_sampling_and_range_stay(depth, sampling, value_range, tmp_path, label, config):
    source = avif_of(tmp_path, "-d", depth, "-y", sampling, "-r", value_range, "--min", "5", "--max", "20")  # fmt: skip
    result = mark(source, None, label, config=config)
    before, after = (heif_fidelity.decode(data, "avif") for data in (source, result.data))
    places = result.report.marker.notice.placements
    assert before is not None
    assert heif_fidelity.losses(before, after, places, (480, 320)) == []
    assert (
        parse(source).primary.first(b"av1C")[1:3] == parse(result.data).primary.first(b"av1C")[1:3]
    )


@pytest.mark.parametrize(("transfer", "most"), [("16", 0.62), ("18", 0.8)])
def test_hdr_ink_is_diffuse_white(transfer, most, tmp_path, label, config):
    source = avif_of(tmp_path, "-d", "10", "-y", "444", "--cicp", f"9/{transfer}/9")
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    place = result.report.marker.notice.placements[0]
    luma = heif_fidelity.decode(result.data, "avif")[0][0]
    left, top = int(place["x"] * 480), int(place["y"] * 320)
    badge = luma[top : top + int(place["height"] * 320), left : left + int(place["width"] * 480)]
    assert 0.5 < badge.max() / 1023 < most
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_what_is_lossless_stays_so(tmp_path, label, config):
    for options in (("--lossless",), ("-d", "8", "-y", "420", "--min", "0", "--max", "0")):
        source = avif_of(tmp_path, *options)
        result = mark(source, None, label, config=config)
        before, after = parse(source).decode(), parse(result.data).decode()
        places = result.report.marker.notice.placements[0]
        x, y, w, h = (int(places[k] * s) for k, s in (("x", 480), ("y", 320), ("width", 480), ("height", 320)))  # fmt: skip
        left, top = x - x % 16, y - y % 16
        box = (left, top, min(480, x + w + 16) - left, min(320, y + h + 16) - top)
        assert before.difference(after, box) == math.inf


def test_opacity_under_the_badge_is_whole_and_elsewhere_the_same(label, config):
    source = encoded(picture("RGBA", (480, 320)), "avif")
    result = mark(source, None, label, config=config)
    before, after = pixels(source).getchannel("A"), pixels(result.data).getchannel("A")
    x, y, w, h = outside(result, before.size)
    for image in (before, after):
        image.paste(0, (x, y, x + w, y + h))
    assert before.tobytes() == after.tobytes()


def test_a_thumbnail_gets_the_badge_too(label, config):
    source = make("heic", picture("RGB", (960, 640)), thumbnails=[240])
    found = parse(source)
    (small,) = found.meta.sources(found.meta.primary, b"thmb")
    result = mark(source, None, label, config=config)
    assert result.warnings == ()
    tree = parse(result.data)
    thumbnail = HeifPicture(Tree(tree.meta, Limits()), small, 10**7, {}).seen()
    place = result.report.marker.notice.placements[0]
    x, y = place["x"] * thumbnail.width, place["y"] * thumbnail.height
    w, h = place["width"] * thumbnail.width, place["height"] * thumbnail.height
    badge = thumbnail.crop((int(x + 1), int(y + 1), int(x + w - 1), int(y + h - 1))).convert("L")
    assert badge.getextrema()[0] < 40
    assert badge.getextrema()[1] > 150


@pytest.mark.parametrize("crop", [(0, 0, 400, 300), (40, 10, 320, 240), (81, 21, 301, 201)])
def test_a_clean_aperture_moves_the_badge_into_what_is_shown(crop, label, config):
    left, top, width, height = crop
    numbers = (width, 1, height, 1, 2 * left + width - 480, 2, 2 * top + height - 320, 2)
    aperture = box(b"clap", b"".join((n % (1 << 32)).to_bytes(4) for n in numbers))
    source = with_property(encoded(picture(), "avif"), aperture)
    result = mark(source, None, label, config=config)
    shown = parse(result.data).decode()
    assert shown.size == (width, height)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    seen, before = pixels(result.data), pixels(source)
    place = result.report.marker.notice.placements[0]
    x, y = left + int(place["x"] * width), top + int(place["y"] * height)
    area = (x - 32, y - 32, int(place["width"] * width) + 64, int(place["height"] * height) + 64)
    assert difference_outside(before, seen, area) >= 40


@pytest.mark.parametrize("kind", ["avif", "heic"])
@pytest.mark.parametrize(
    ("mode", "size", "orientation"),
    [("RGB", (16, 16), 1), ("RGBA", (24, 20), 1), ("L", (28, 18), 1), ("RGB", (1000, 16), 6)],
)
def test_a_strip_makes_a_small_picture_higher(kind, mode, size, orientation, label, config):
    """What is coded becomes larger; what the encoder takes in even sizes only is cut by a clean aperture."""
    source = make(kind, picture(mode, size), exif=exif(orientation))
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert result.report.marker.notice.kind == "strip"
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    before, after = (ImageOps.exif_transpose(pixels(data)) for data in (source, result.data))
    assert (after.mode, after.width) == (before.mode, before.width)
    assert after.height > before.height
    above = after.crop((0, 0, *before.size))
    # colours of the last row are shared with the strip where they are stored smaller
    assert difference_outside(before, above, (0, before.height - 2, before.width, 2)) >= 40
    again = mark(result.data, None, label, config=config, on_existing="update")
    assert pixels(again.data).size == pixels(result.data).size


def test_a_strip_takes_thumbnails_along_and_nothing_else_that_shows_the_picture(label, config):
    source = make("heic", picture("RGB", (300, 20)), thumbnails=[64])
    result = mark(
        source, None, label, config=config, when_too_small="strip", languages=("kk", "ru")
    )
    assert parse(source).meta.sources(parse(source).meta.primary, b"thmb")
    assert result.report.marker.notice.kind == "strip"
    found = parse(result.data).meta
    assert not found.sources(found.primary, b"thmb")
    assert any("thumbnail" in warning for warning in result.warnings)


@pytest.mark.parametrize("turns", [(b"irot", b"imir"), (b"imir", b"irot"), (b"irot", b"irot")])
def test_transformations_are_followed_in_their_order(turns, label, config):
    boxes = [box(kind, b"\1") for kind in turns]
    source = with_property(encoded(picture("RGB", (480, 300)), "avif"), *boxes)
    result = mark(source, None, label, config=config)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_data_in_other_places_is_found_and_put_in_order(label, config):
    """`idat`, pieces, and pieces of another item's data: constructions 1, 0 and 2 of `iloc`."""
    found = parse(AVIF)
    item, data = found.primary, found.primary.data
    half = len(data) // 2
    for way in ("idat", "pieces", "item"):
        source = odd_layout(found, item, data, half, way)
        result = mark(source, None, label, config=config)
        assert result.report.verdict is Verdict.LABELLED, way
        assert parse(source).primary.data == data, way
        before, after = pixels(AVIF), pixels(result.data)
        assert difference_outside(before, after, outside(result, before.size)) >= 40


def odd_layout(found, item, data, half, way):
    """The file with the picture's data somewhere else; the boxes after `meta` begin where offsets count."""
    plain = layout.assemble(AVIF[: found.boxes[0].stop], found.meta)
    boxes = bmff.walk(plain, 0, len(plain), Limits())
    meta = next(b for b in boxes if b.kind == b"meta")
    children = bmff.walk(plain, meta.body + 4, meta.stop, Limits())
    kept = [bmff.packed(plain, c) for c in children if c.kind != b"iloc"]
    one = item.number.to_bytes(2)
    if way == "item":
        entry = bmff.pack(b"infe", b"\2\0\0\1\0\x63\0\0data\0")
        old = next(k for k in kept if k[4:8] == b"iinf")
        kept[kept.index(old)] = bmff.pack(b"iinf", bytes(4), b"\0\2", old[14:], entry)
        kept.append(bmff.pack(b"iref", bytes(4), bmff.pack(b"iloc", one, b"\0\1\0\x63")))

    def located(at):
        if way == "idat":
            row = one + b"\0\1\0\0\0\1" + bytes(4) + len(data).to_bytes(4)
            return bmff.pack(b"iloc", b"\1\0\0\0\x44\0\0\1", row)
        if way == "pieces":
            pieces = ((at + 7, half), (at + 7 + half + 5, len(data) - half))
            body = b"".join(a.to_bytes(4) + n.to_bytes(4) for a, n in pieces)
            return bmff.pack(b"iloc", bytes(4), b"\x44\0\0\1", one + b"\0\0\0\2" + body)
        whole = b"\0\x63" + bytes(4) + b"\0\1" + at.to_bytes(4) + len(data).to_bytes(4)
        parts = ((0, half), (half, len(data) - half))
        body = b"".join(a.to_bytes(4) + n.to_bytes(4) for a, n in parts)
        rows = whole + one + b"\0\2\0\0\0\2" + body
        return bmff.pack(b"iloc", b"\1\0\0\0\x44\0\0\2", rows)

    if way == "idat":
        kept.append(bmff.pack(b"idat", data))
    head = AVIF[: found.boxes[0].stop]
    size = len(head) + 12 + sum(map(len, kept)) + len(located(0)) + 8
    payload = b"".join((bytes(7), data[:half], bytes(5), data[half:])) if way == "pieces" else data
    return head + bmff.pack(b"meta", bytes(4), *kept, located(size)) + bmff.pack(b"mdat", payload)


def test_large_numbers_and_unknown_boxes_are_kept(label, config):
    found = parse(AVIF)
    items = [replace(found.primary, number=70_000)]
    meta = replace(found.meta, items=tuple(items), primary=70_000, others=(box(b"grpl", b""),))
    source = layout.assemble(
        AVIF[: found.boxes[0].stop], meta, [box(b"free"), box(b"uuid", bytes(20))]
    )
    result = mark(source, None, label, config=config)
    again = parse(result.data)
    assert again.meta.primary == 70_000
    assert again.meta.others == (box(b"grpl", b""),)
    assert box(b"uuid", bytes(20)) in result.data
    assert pixels(result.data).size == (320, 240)


def test_every_picture_that_is_shown_gets_a_badge(label, config):
    library = require_heif()
    file = library.from_pillow(picture("RGB", (640, 480)))
    file.add_from_pillow(picture("L", (480, 320)))
    buffer = io.BytesIO()
    file.save(buffer, quality=90)
    result = mark(buffer.getvalue(), None, label, config=config)
    places = result.report.marker.notice.placements
    assert [place["picture"] for place in places] == [1, 2]
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


# --- plain samples ----------------------------------------------------------------------------------------------------

PIXELS = np.asarray(picture("RGB", (320, 240)))
PLAIN = {  # interleave, components, tiles across and down, bits, and how tiles, components, rows and columns follow
    "by component": (0, (4, 5, 6), (1, 1), 8, "rcnhw"),
    "by pixel": (1, (6, 5, 4), (1, 1), 8, "rchwn"),
    "by row": (3, (4, 5, 6), (2, 3), 8, "rchnw"),
    "by component of all tiles": (4, (4, 5, 6), (4, 2), 8, "nrchw"),
    "grey": (0, (0,), (2, 2), 8, "rcnhw"),
    "luma and chroma": (1, (1, 2, 3), (1, 1), 8, "rchwn"),
    "twelve bits": (0, (4, 5, 6), (1, 1), 12, "rcnhw"),
}


def plain(interleave, kinds, tiles, depth, order, flags=0, size=(320, 240)):
    """A file of plain samples, and how it holds them."""
    wide, high = size
    pixels = PIXELS[:high, :wide]
    samples = np.stack([pixels[..., n % 3] for n, _ in enumerate(kinds)]).astype(">u2")
    samples = (samples << depth - 8).astype(np.uint8 if depth == 8 else ">u2")
    across, down = tiles
    tiled = samples.reshape(len(kinds), down, high // down, across, wide // across)
    data = tiled.transpose(["nrhcw".index(letter) for letter in order]).tobytes()
    rows = b"".join(n.to_bytes(2) + bytes((depth - 1, 0, 2 * (depth > 8))) for n, _ in enumerate(kinds))  # fmt: skip
    counts = b"".join((side - 1).to_bytes(4) for side in tiles)
    boxes = (
        bmff.pack(b"ispe", bytes(4), wide.to_bytes(4), high.to_bytes(4)),
        bmff.pack(b"cmpd", len(kinds).to_bytes(4), *(kind.to_bytes(2) for kind in kinds)),
        bmff.pack(b"uncC", bytes(8), len(kinds).to_bytes(4), rows, bytes((0, interleave, 0, flags)), bytes(12), counts),
    )  # fmt: skip
    properties = tuple(Property(one, essential=True) for one in boxes)
    item = Item(1, b"unci", properties=properties).holding(data)
    handler = bmff.pack(b"hdlr", bytes(8), b"pict", bytes(13))
    brands = bmff.pack(b"ftyp", b"mif1", bytes(4), b"mif1")
    return layout.assemble(brands, Meta(handler, 1, (item,))), samples


@pytest.mark.parametrize("name", PLAIN)
def test_plain_samples_change_only_under_the_badge(name, label, config):
    *_, order = PLAIN[name]
    source, samples = plain(*PLAIN[name])
    result = mark(source, None, label, config=config)
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    count, across, down = len(samples), *PLAIN[name][2]
    sides = {"r": down, "c": across, "n": count, "h": 240 // down, "w": 320 // across}
    data = parse(result.data).meta.items[0].data
    stored = np.frombuffer(data, samples.dtype).reshape([sides[letter] for letter in order])
    found = stored.transpose([order.index(letter) for letter in "nrhcw"]).reshape(samples.shape)
    left, top, width, height = outside(result, (320, 240))
    rows, columns = slice(max(0, top), top + height), slice(max(0, left), left + width)
    assert (found[:, rows, columns] != samples[:, rows, columns]).any()
    found = found.copy()
    found[:, rows, columns] = samples[:, rows, columns]
    assert (found == samples).all()


@pytest.mark.parametrize("name", PLAIN)
def test_a_small_picture_of_plain_samples_gets_a_strip(name, label, config):
    source, _ = plain(*PLAIN[name], size=(24, 12))
    result = mark(source, None, label, config=config, when_too_small="strip")
    assert result.report.marker.notice.kind == "strip"
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    item = parse(result.data).meta.items[0]
    found = uncompressed.Layout.of(item).planes(item.data, extent_of(item)).planes
    before = uncompressed.Layout.of(parse(source).meta.items[0])
    kept = before.planes(parse(source).meta.items[0].data, (24, 12)).planes
    assert before.tiles == PLAIN[name][2]
    for old, new in zip(kept, found, strict=True):
        assert (new[:12, :24] == old).all()


@pytest.mark.parametrize("changed", [{"kinds": (4, 5, 6, 7)}, {"interleave": 5}, {"flags": 0x10}])
def test_odd_layouts_of_plain_samples_are_refused(changed, label, config):
    usual = dict(zip(("interleave", "kinds", "tiles", "depth", "order"), PLAIN["by component"], strict=True))  # fmt: skip
    source, _ = plain(**(usual | changed))
    with pytest.raises(Refused, match="odd way") as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def test_plain_samples_that_are_compressed_are_refused(label, config):
    file = parse(plain(*PLAIN["by pixel"])[0])
    (item,) = file.meta.items
    packed = item.described(bmff.pack(b"cmpC", bytes(4), b"zlib", b"\2"))
    brands = bmff.pack(b"ftyp", b"mif1", bytes(4), b"mif1")
    source = layout.assemble(brands, replace(file.meta, items=(packed,)))
    with pytest.raises(Refused, match="odd way"):
        mark(source, None, label, config=config)


def test_too_few_plain_samples_are_damage(label, config):
    source, _ = plain(*PLAIN["by pixel"])
    short = source.replace(
        (320).to_bytes(4) + (240).to_bytes(4), (320).to_bytes(4) + (241).to_bytes(4)
    )
    with pytest.raises(Refused) as refusal:
        mark(short, None, label, config=config)
    assert refusal.value.code == "damaged"


def test_luma_does_not_make_up_for_colours_that_came_out_badly():
    noise = np.random.default_rng(1).integers(118, 138, (64, 64), np.uint8)
    luma, flat = np.full((128, 128), 90, np.uint8), np.full((64, 64), 128, np.uint8)
    wanted, found = Planes((luma, noise, flat)), Planes((luma, flat, flat))
    errors = wanted.errors(found, ())
    assert errors is not None
    assert decibels(*errors) > 38
    assert not near(wanted, found)
    assert near(wanted, wanted)


def test_of_two_reasons_the_one_is_given_that_can_be_seen(label, config):
    """A picture too small for a notice is that first, however it is coded."""
    source = AVIF.replace(b"infe\x02\0\0\0\0\1\0\0av01", b"infe\x02\0\0\0\0\1\0\0j2k1")
    file = parse(source)
    ispe = bmff.pack(b"ispe", bytes(4), *(side.to_bytes(4) for side in file.size))
    small = source.replace(ispe, bmff.pack(b"ispe", bytes(4), *((20).to_bytes(4),) * 2))
    assert parse(small).size == (20, 20)
    for when, code in (("refuse", "not-perceptible"), ("strip", "unsupported-variant")):
        with pytest.raises(Refused) as refusal:
            mark(small, None, label, config=config, when_too_small=when)
        assert refusal.value.code == code
