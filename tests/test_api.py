"""The two verbs as a program uses them."""

from __future__ import annotations

import io
import os
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from aikz_label import Label, Limits, Refused, Verdict, mark, verify, verify_many
from aikz_label.errors import (
    InvalidLabel,
    OutputExists,
    SigningError,
    SourceError,
    TrustError,
    UsageError,
)
from aikz_label.label import Origin
from support import encoded, picture, pixels

MODES = {
    "png": ("RGB", "RGBA", "L", "LA", "P", "1"),
    "jpeg": ("RGB", "L", "CMYK"),
    "webp": ("RGB", "RGBA"),
}
CASES = [(kind, mode) for kind, modes in MODES.items() for mode in modes]


def box_of(result, size):
    """The badge's box in pixels, grown to the grid of blocks around it."""
    place = result.report.marker.notice.placements[0]
    left, top = int(place["x"] * size[0]), int(place["y"] * size[1])
    right = int((place["x"] + place["width"]) * size[0]) + 1
    bottom = int((place["y"] + place["height"]) * size[1]) + 1
    return left // 16 * 16, top // 16 * 16, -(-right // 16) * 16, -(-bottom // 16) * 16


@pytest.mark.parametrize(("kind", "mode"), CASES)
def test_modes_keep_their_pixels(kind, mode, label, config):
    options = {"lossless": True, "exact": True} if kind == "webp" else {}
    source = encoded(picture(mode), kind, **options)
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    before, after = pixels(source), pixels(result.data)
    assert (after.mode, after.size) == (before.mode, before.size)
    space = "RGBA" if mode in {"P", "LA", "RGBA"} else "RGB"
    first, second = before.convert(space), after.convert(space)
    box = box_of(result, before.size)
    for image in (first, second):
        image.paste(0, box)
    if kind == "jpeg":
        histogram = first.histogram()
        assert sum(histogram) == sum(second.histogram())
        from PIL import ImageChops, ImageStat

        difference = ImageStat.Stat(ImageChops.difference(first, second))
        assert max(difference.rms) < 2.0
    elif mode == "P":
        from PIL import ImageChops

        assert max(high for _, high in ImageChops.difference(first, second).getextrema()) <= 16
    else:
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_badge_stands_upright_in_the_displayed_corner(kind, orientation, label, config):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = orientation
    exif[271] = "Camera"
    source = encoded(picture("RGB", (480, 300)), kind, exif=exif)
    result = mark(source, None, label, config=config)
    shown = ImageOps.exif_transpose(pixels(result.data))
    left, top, right, bottom = box_of(result, shown.size)
    assert right > shown.width - 32
    assert top < 16
    # the sign is at the left of the badge: bright on average there, dark plate with thin text at the right
    grey = shown.convert("L")
    sign = grey.crop((left + 16, top + 24, left + 48, bottom - 24)).resize(
        (1, 1), Image.Resampling.BOX
    )
    assert sign.getpixel((0, 0)) > 110
    after = pixels(result.data).getexif()
    assert (after[274], after[271]) == (orientation, "Camera")
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_a_generated_picture_in_one_call(tmp_path, label, config):
    for suffix, kind in ((".png", "png"), (".jpg", "jpeg"), (".webp", "webp")):
        result = mark(picture(), tmp_path / f"new{suffix}", label, config=config)
        assert (result.report.verdict, result.report.format) == (Verdict.LABELLED, kind)
    assert mark(picture(), None, label, config=config).report.format == "png"
    assert mark(picture(), tmp_path / "new.tiff", label, config=config).report.format == "tiff"
    for suffix in (".gif", ".txt", ".svg"):
        with pytest.raises(UsageError, match=rf"\{suffix}"):
            mark(picture(), tmp_path / f"new{suffix}", label, config=config)
    with pytest.raises(UsageError, match="RGBA"):
        mark(picture("RGBA"), tmp_path / "alpha.jpg", label, config=config)


def test_a_picture_that_was_turned_stays_so(tmp_path, label, config):
    exif = Image.Exif()
    exif[274] = 6
    for kind in ("jpeg", "png", "webp"):
        with Image.open(io.BytesIO(encoded(picture(), kind, exif=exif))) as image:
            for suffix in ("jpg", "png", "webp", "avif", "tiff"):
                path = tmp_path / f"{kind}.{suffix}"
                mark(image, path, label, config=config)
                with Image.open(path) as written:
                    assert written.getexif()[274] == 6


def informed(mode, **info):
    image = picture(mode)
    image.info |= info
    return image


@pytest.mark.parametrize(
    ("suffix", "image"),
    [
        (".webp", picture("I;16")),
        (".avif", picture("I")),
        (".webp", picture("CMYK")),
        (".bmp", picture("RGBA")),
        (".bmp", informed("RGB", icc_profile=b"profile")),
        (".tiff", informed("P", transparency=3)),
        (".jpg", informed("L", transparency=3)),
        (".webp", Image.new("RGB", (0, 0))),
        (".avif", Image.new("RGB", (70_000, 40))),
    ],
)
def test_a_generated_picture_is_not_reduced(suffix, image, tmp_path, label, config):
    with pytest.raises(UsageError, match=f"mode {image.mode}"):
        mark(image, tmp_path / f"new{suffix}", label, config=config)
    assert not list(tmp_path.iterdir())


def test_of_an_animation_not_only_one_frame_is_marked(label, config):
    frames = [picture("L", (100, 80)).rotate(angle) for angle in (0, 9)]
    data = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as image:
        with pytest.raises(UsageError, match="frames"):
            mark(image, None, label, config=config)
        assert mark(image.copy(), None, label, config=config).report.verdict is Verdict.LABELLED


def test_every_kind_of_source_and_destination(tmp_path, photo, label, config):
    data = photo.read_bytes()
    target = io.BytesIO()
    assert mark(data, target, label, config=config).data is None
    assert verify(target.getvalue(), config=config).verdict is Verdict.LABELLED
    stream = io.BytesIO(data)
    stream.seek(10)
    path = tmp_path / "a.jpg"
    result = mark(stream, str(path), label, config=config)
    assert (result.path, result.data) == (path, None)
    assert result.report.path == str(path)
    with path.open("rb") as opened:
        assert verify(opened, config=config).verdict is Verdict.LABELLED
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(encoded(picture(size=(100, 100)), "png"))
    with os.fdopen(reader, "rb") as pipe:
        assert mark(pipe, None, label, config=config).report.verdict is Verdict.LABELLED
    with pytest.raises(UsageError, match="int"):
        mark(7, None, label, config=config)


def test_the_label_is_completed_from_the_configuration(photo, config):
    result = mark(photo, None, Label(origin="created"), config=config)
    assert result.report.declared.responsible == config.responsible
    nobody = replace(config, responsible=None)
    with pytest.raises(InvalidLabel) as error:
        mark(photo, None, Label(origin="created"), config=nobody)
    assert error.value.code == "no-responsible"


def test_what_is_declared_comes_back(photo, config):
    label = Label(
        origin="altered", imitates=("event", "voice"), system="Ә/9", reserve_training=True
    )
    report = mark(photo, None, label, config=config, languages=("ru",)).report
    assert report.declared.origin is Origin.ALTERED
    assert report.declared.imitates == ("voice", "event")
    assert report.marker.reserves_training
    assert report.marker.notice.languages == ("ru",)
    status = {finding.clause: finding.status for finding in report.findings}
    assert status["kz.23.5.reservation"] == "pass"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"languages": ("de",)}, UsageError),
        ({"notice": "maybe"}, UsageError),
        ({"notice": "none"}, UsageError),
        ({"notice_reason": "why"}, UsageError),
        ({"profile_name": "eu"}, UsageError),
        ({"on_existing": "stack"}, UsageError),
        ({"signer": "kms:x"}, SigningError),
        ({"signer": "file:/nowhere.pem"}, FileNotFoundError),
    ],
)
def test_mistakes_in_the_call_leave_nothing(tmp_path, photo, label, config, arguments, error):
    with pytest.raises(error):
        mark(photo, tmp_path / "out.jpg", label, config=config, **arguments)
    assert os.listdir(tmp_path) == []


def test_without_an_identity_nothing_is_marked(tmp_path, photo, label, config):
    with pytest.raises(SigningError) as error:
        mark(photo, tmp_path / "out.jpg", label, config=replace(config, signer=""))
    assert error.value.code == "no-identity"
    assert "init" in error.value.hint
    assert os.listdir(tmp_path) == []


def test_source_and_destination(tmp_path, photo, label, config):
    path = tmp_path / "a.jpg"
    path.write_bytes(photo.read_bytes())
    with pytest.raises(UsageError, match="source itself"):
        mark(path, path, label, config=config, overwrite=True)
    other = tmp_path / "b.jpg"
    other.write_bytes(b"precious")
    with pytest.raises(OutputExists):
        mark(path, other, label, config=config)
    assert other.read_bytes() == b"precious"
    mark(path, other, label, config=config, overwrite=True)
    assert path.read_bytes() == photo.read_bytes()
    assert verify(other, config=config).verdict is Verdict.LABELLED
    with pytest.raises(SourceError):
        verify(tmp_path)
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "none.png")


def test_a_folder_without_the_right_to_write_is_named_not_a_hidden_file(
    tmp_path, photo, label, config, monkeypatch
):
    original = os.open

    def opened(name, *rest, **more):
        if str(name).startswith(str(tmp_path)):
            raise PermissionError(13, "Permission denied", str(name))
        return original(name, *rest, **more)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(PermissionError) as error:
        mark(photo, tmp_path / "out.jpg", label, config=config)
    assert error.value.filename == str(tmp_path / "out.jpg")


def test_what_is_no_destination_and_what_is_no_list(photo, label, config):
    with pytest.raises(UsageError, match="write to int"):
        mark(photo, 1, label, config=config)
    with pytest.raises(UsageError, match="no list"):
        verify_many(str(photo), config=config)


def flat(size):
    return encoded(Image.new("L", size), "png")


@pytest.mark.parametrize(
    ("data", "code", "verdict"),
    [
        (b"", "empty", "unreadable"),
        (b"\x00\x01\x02\x03" * 9, "unknown-format", "unreadable"),
        (b"GIF89a" + bytes(40), "damaged", "unreadable"),
        (b"%PDF-1.7\n", "damaged", "unreadable"),
        (b"PK\x03\x04" + bytes(40), "unsupported-format", "unreadable"),
        (flat((300, 300))[:100], "damaged", "unreadable"),
        (encoded(picture(), "jpeg")[:2000], "damaged", "unreadable"),
        (encoded(picture(), "webp")[:5000], "damaged", "unreadable"),
        (flat((20, 20)), "not-perceptible", "unmarked"),
        (flat((9000, 9000)), "over-limit", "unreadable"),
    ],
)
def test_content_that_cannot_be_marked(tmp_path, data, code, verdict, label, config):
    with pytest.raises(Refused) as refusal:
        mark(data, tmp_path / "out.png", label, config=config)
    assert refusal.value.code == code
    assert refusal.value.hint
    assert os.listdir(tmp_path) == []
    report = verify(data, config=config)
    assert report.verdict == verdict
    assert report.declared is None


def test_a_bomb_is_never_decoded(label, config):
    header = bytearray(flat((64, 64)))
    header[16:24] = (100_000).to_bytes(4) * 2
    import zlib

    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4)
    assert verify(bytes(header)).reason.code == "unreadable.over-limit"
    with pytest.raises(Refused) as refusal:
        mark(bytes(header), None, label, config=config)
    assert refusal.value.code == "over-limit"


def test_a_wrong_extension_does_not_matter(tmp_path, label, config):
    path = tmp_path / "really.png"
    path.write_bytes(encoded(picture(), "webp"))
    result = mark(path, tmp_path / "out.jpg", label, config=config)
    assert result.report.format == "webp"


def test_a_file_that_changes_while_it_is_read(tmp_path, photo, label, config, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(photo.read_bytes())
    from aikz_label import engine

    real = engine.read

    def meddling(*arguments, **more):
        os.utime(path, ns=(1, 1))
        return real(*arguments, **more)

    monkeypatch.setattr(engine, "read", meddling)
    with pytest.raises(SourceError, match="changed"):
        mark(path, tmp_path / "out.jpg", label, config=config)
    assert os.listdir(tmp_path) == ["a.jpg"]
    os.utime(path, ns=(2, 2))
    assert verify(path, config=config).reason.code == "unreadable.changed"


@pytest.fixture(scope="module")
def pair(config):
    made = {}
    for kind in ("jpeg", "png", "webp"):
        for name, size in (("a", (320, 240)), ("b", (400, 300))):
            source = encoded(picture(size=size), kind)
            made[kind, name] = mark(source, None, Label(origin="created"), config=config).data
    return made


def transplant(kind, giver, taker):
    """The taker with the giver's marker in place of its own, with plain byte surgery."""
    from aikz_label.adapters.image.jpeg import Jpeg
    from aikz_label.adapters.image.png import Png
    from aikz_label.adapters.image.png import _pack as pack_png
    from aikz_label.adapters.image.webp import WebP
    from aikz_label.adapters.image.webp_chunks import packed as pack_webp

    limits = Limits()
    if kind == "jpeg":
        a, b = (Jpeg.parse(d, limits, thorough=True) for d in (giver, taker))
        new = next(s.data for s in a.header if s.is_c2pa)
        old = next(s.data for s in b.header if s.is_c2pa)
        return taker.replace(old, new)
    if kind == "png":
        a, b = (Png.parse(d, limits, thorough=True) for d in (giver, taker))
        new = next(c for c in a.chunks if c.name == b"caBX")
        old = next(c for c in b.chunks if c.name == b"caBX")
        return taker.replace(pack_png(old), pack_png(new))
    a, b = (WebP.parse(d, limits, thorough=True) for d in (giver, taker))
    new = next(c for c in a.chunks if c.name == b"C2PA")
    old = next(c for c in b.chunks if c.name == b"C2PA")
    data = taker.replace(pack_webp(old), pack_webp(new))
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_marker_on_another_file_is_invalid(kind, pair, config):
    for giver, taker in (("a", "b"), ("b", "a")):
        report = verify(transplant(kind, pair[kind, giver], pair[kind, taker]), config=config)
        assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.altered")
        assert report.declared is None


def test_signed_by_somebody_is_not_trusted(photo, label, config, stranger):
    result = mark(photo, None, label, config=stranger, languages=("kk",))
    report = verify(result.data, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INCOMPLETE, "marker.untrusted")
    assert report.marker.signer.name == "OpenAI"
    assert "trusted" not in report.reason.text("en")
    assert verify(result.data, config=stranger).verdict is Verdict.LABELLED


def test_trust_lists_are_named(photo, tmp_path, label, config, identity_folder):
    company = tmp_path / "company.pem"
    company.write_bytes((identity_folder / "root.pem").read_bytes())
    data = mark(photo, None, label, config=config).data
    report = verify(data, trust=[company])
    assert (report.verdict, report.marker.trust) == (Verdict.LABELLED, "company")
    assert not report.marker.self_issued
    assert verify(data, config=config).marker.self_issued
    (tmp_path / "empty.pem").write_bytes(b"")
    with pytest.raises(TrustError):
        verify(data, trust=[tmp_path / "empty.pem"])


def test_an_expiring_certificate_is_a_warning(photo, label, config, monkeypatch):
    from aikz_label import identity

    monkeypatch.setattr(identity, "LIFETIME", 30)
    folder = config.folder.parent / f"short{os.getpid()}"
    identity.create(folder, config.responsible)
    from aikz_label.config import load_config

    result = mark(photo, None, label, config=load_config(folder / "aikz-label.toml"))
    end = datetime.now(UTC) + timedelta(days=30)
    assert any(f"{end:%Y-%m-%d}" in warning for warning in result.warnings)


def test_updating_keeps_the_parent_and_never_stacks_badges(photo, config):
    first = mark(photo, None, Label(origin="created"), config=config)
    second = mark(first.data, None, Label(origin="created"), config=config, on_existing="update")
    assert second.report.verdict is Verdict.LABELLED
    assert b"c2pa.opened" in second.data
    places = [r.report.marker.notice.placements for r in (first, second)]
    assert places[0] == places[1]
    replaced = mark(first.data, None, Label(origin="created"), config=config, on_existing="replace")
    assert b"c2pa.opened" not in replaced.data


def test_an_unsigned_claim_is_incomplete(photo, label, config):
    from aikz_label.metadata import xmp

    source = encoded(picture(), "png", pnginfo=_png_text(xmp.write(None, label)))
    report = verify(source, config=config)
    assert (report.verdict, report.marker_state) == (Verdict.INCOMPLETE, "claimed")
    assert report.declared is None
    assert "Nobody signed" in " ".join(f.message.text("en") for f in report.findings)


def _png_text(packet):
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def test_nothing_connects_anywhere(photo, label, config, monkeypatch):
    """A marker that points to a server is reported, not followed."""
    import json

    import c2pa  # to write what we never would

    from aikz_label.signing import load_signing_key

    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.5)
    key = load_signing_key(config.signer, config.folder)
    info = c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None)
    action = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    definition = {
        "assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}}]
    }
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(definition)) as builder:
        builder.set_no_embed()
        builder.set_remote_url(f"http://127.0.0.1:{server.getsockname()[1]}/x.c2pa")
        builder.sign(signer, "image/jpeg", io.BytesIO(photo.read_bytes()), out)
    report = verify(out.getvalue(), config=config)
    assert report.verdict is Verdict.UNMARKED
    assert "marker.remote" in {finding.message.code for finding in report.findings}
    with pytest.raises(TimeoutError):
        server.accept()
    server.close()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(("scale", "quality"), [(1.0, 60), (0.7, 75), (0.5, 70)])
def test_a_messenger_takes_the_marker_but_not_the_badge(kind, scale, quality, label, config):
    """Re-encoded and reduced: nothing is declared any more, but who kept the record still finds the badge."""
    from aikz_label.adapters.image import ADAPTER
    from aikz_label.formats import FORMATS
    from aikz_label.limits import DEFAULT
    from aikz_label.profile import load_profile

    result = mark(encoded(picture(size=(1280, 800)), kind), None, label, config=config)
    small = pixels(result.data).convert("RGB").resize((round(1280 * scale), round(800 * scale)))
    small.info.clear()
    sent = encoded(small, "jpeg", quality=quality)
    assert verify(sent, config=config).verdict is Verdict.UNMARKED
    record = result.report.marker.notice
    measured = ADAPTER.measure(
        io.BytesIO(sent), FORMATS["jpeg"], record, Origin.CREATED, load_profile("kz"), DEFAULT
    )
    assert (measured.state, measured.problems) == ("perceivable", ())
