"""The mirror in EXIF and in texts, and the thumbnail: what is new is there, and nothing else moved."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import exif_files
import jpeg_files
import png_files
from aikz_label import Label, mark, verify
from aikz_label.adapters.image.exif_block import ExifBlock, ExifError
from aikz_label.label import Origin, System
from aikz_label.metadata import exif, mirror
from aikz_label.notice import badge
from aikz_label.notice.measure import Region, measure
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState, Verdict
from support import encoded, picture

KZ = load_profile("kz")
SMALL = jpeg_files.jpeg(picture(size=(160, 120)), quality=80)
ORDERS = ("little", "big")
LINE = (
    "DigitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia; "
    "AISystemUsed=PhotoGen; AISystemVersionUsed=2.1"
)


def commented(block: bytes, text: str) -> bytes:
    return ExifBlock(block).with_comment(text)


def said(block: bytes) -> str:
    return dict(exif.texts(block)).get("UserComment", "")


# --- the words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize(
    "system", [None, System("PhotoGen"), System("ҚазГен; 2", "3.1; beta"), System("=", "=")]
)
def test_line_is_read_as_it_was_written(origin: Origin, system: System | None) -> None:
    label = Label(origin=origin, system=system)
    assert mirror.parsed(mirror.line(label)) == dict(mirror.statements(label))


@pytest.mark.parametrize(
    "text", ["", "DigitalSourceType", "x DigitalSourceType=y", "AISystemUsed=x", "a photo\n" + LINE]
)
def test_other_texts_are_no_mirror(text: str) -> None:
    assert mirror.parsed(text) == {}


# --- the block ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "comment",
    [None, b"", b"ASCII\0\0\0", b"UNICODE\0\0 \0 \0\0", bytes(64), b"ASCII\0\0\0" + LINE.encode()],
)
@pytest.mark.parametrize("text", [LINE, "ҚазГен ӘҒҚҢӨҰҮҺІ"])
def test_comment_goes_where_nobody_wrote(order: str, comment: bytes | None, text: str) -> None:
    before = exif_files.block(order, thumbnail=SMALL, comment=comment)
    after = commented(before, text)
    assert said(after) == text
    assert kept(before, after)
    assert ExifBlock(after).thumbnail == SMALL
    if mirror.parsed(text):
        assert said(commented(after, "again")) == "again"


def kept(before: bytes, after: bytes) -> bool:
    """All but the comment is where it was."""
    was, now = (exif_files.entries(b, exif_files.first_of(b))[0] for b in (before, after))
    pointers = [d.pop(exif_files.CAMERA)[2] for d in (was, now)]
    inner = []
    for data, pointer in zip((before, after), pointers, strict=True):
        order = "little" if data[:2] == b"II" else "big"
        found, _ = exif_files.entries(data, int.from_bytes(pointer, order))
        found.pop(exif_files.COMMENT, None)
        inner.append(found)
    placed = [{tag: v for tag, v in d.items() if len(v[2]) > 4} for d in (was, now, *inner)]
    small = [{tag: (k, v) for tag, (k, _, v) in d.items()} for d in (was, now, *inner)]
    return placed[0] == placed[1] and placed[2:3] == placed[3:] and small[:1] == small[1:2]


@pytest.mark.parametrize("order", ORDERS)
def test_block_without_camera_data_gets_a_directory(order: str) -> None:
    after = commented(exif_files.block(order, camera=False), LINE)
    assert said(after) == LINE
    first, _ = exif_files.entries(after, exif_files.first_of(after))
    assert list(first) == sorted(first)
    assert first[exif_files.MAKE][2] == b"Some camera\0"


@pytest.mark.parametrize("comment", [b"ASCII\0\0\0my words", b"UNICODE\0m\0y\0", b"no code at all"])
def test_words_of_others_stay(comment: bytes) -> None:
    with pytest.raises(ExifError, match="somebody else"):
        commented(exif_files.block(comment=comment), LINE)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("more", [-500, 0, 500])
@pytest.mark.parametrize("after", [b"", b"behind" * 20])
def test_thumbnail_is_replaced_in_place_or_at_the_end(order: str, more: int, after: bytes) -> None:
    before = exif_files.block(order, thumbnail=SMALL, after=after)
    fresh = b"\xff\xd8" + b"n" * (len(SMALL) + more - 4) + b"\xff\xd9"
    done = ExifBlock(before).with_thumbnail(fresh)
    assert ExifBlock(done).thumbnail == fresh
    assert kept(before, done)
    assert SMALL[20:60] not in done, "the old one is gone"
    assert after in done
    assert len(done) == len(before) if more <= 0 else len(done) > len(before)


def test_thumbnail_can_be_left_out() -> None:
    done = ExifBlock(exif_files.block(thumbnail=SMALL)).without_thumbnail()
    assert not ExifBlock(done).has_thumbnail
    assert SMALL[20:60] not in done


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"Exif\0\0" + b"XX" + data[2:],
        lambda data: data + bytes(65_536 - len(data)),
        lambda data: data[:4] + b"\xff\xff\xff\x7f" + data[8:],
        lambda data: data[: exif_files.first_of(data) + 6],
    ],
    ids=["order", "no room", "place", "cut"],
)
def test_what_cannot_be_edited_is_said(spoil: Any) -> None:
    with pytest.raises(ExifError):
        commented(spoil(exif_files.block(thumbnail=SMALL)), LINE)


def test_thumbnail_over_other_values_is_not_wiped() -> None:
    data = exif_files.block(thumbnail=SMALL)
    at = data.index(b"Some camera")
    assert data[at - 200 : at].count(b"\xff\xd8") == 0
    small = data.index(SMALL)
    table = data.rindex((0x0201).to_bytes(2, "little"), 0, small)
    evil = bytearray(data)
    evil[table + 12 + 8 : table + 12 + 12] = (at + 4 - small).to_bytes(4, "little")
    done = ExifBlock(bytes(evil)).with_thumbnail(SMALL)
    assert b"Some camera" in done
    assert ExifBlock(done).thumbnail == SMALL
    assert b"Some camera" in ExifBlock(bytes(evil)).without_thumbnail()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_hostile_blocks_raise_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(exif_files.block(data.draw(st.sampled_from(ORDERS)), thumbnail=SMALL))
    for _ in range(data.draw(st.integers(1, 8))):
        near = st.one_of(st.integers(0, 8), st.integers(0x300, len(whole) - 1))
        whole[data.draw(near)] = data.draw(st.integers(0, 255))
    block = bytes(
        whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole
    )
    for work in (
        lambda found: found.with_comment(LINE),
        lambda found: found.has_thumbnail and found.with_thumbnail(SMALL + b"more"),
        lambda found: found.has_thumbnail and found.without_thumbnail(),
        lambda found: found.orientation,
    ):
        try:
            work(ExifBlock(block))
        except ExifError:
            continue


# --- whole files -------------------------------------------------------------------------------------------------------


def framed(kind: str, block: bytes) -> bytes:
    """A picture with that EXIF block."""
    image = picture()
    if kind == "PNG":
        return encoded(image, kind, exif=block)
    if kind == "WEBP":
        return encoded(image, kind, exif=b"Exif\0\0" + block)
    return jpeg_files.with_segments(
        jpeg_files.jpeg(image), jpeg_files.segment(0xE1, b"Exif\0\0" + block), at=1
    )


def block_of(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return bytes(image.info["exif"]).removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("turn", [1, 3, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_thumbnail_shows_a_notice_that_can_be_read(kind: str, turn: int, config, label) -> None:
    source = framed(kind, exif_files.block(thumbnail=SMALL, orientation=turn))
    result = mark(source, None, label, config=config)
    assert result.data is not None
    assert result.warnings == ()
    small = ExifBlock(block_of(result.data)).thumbnail
    assert small is not None
    with Image.open(io.BytesIO(small)) as stored:
        turned = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270}.get(turn)
        seen = stored.transpose(turned) if turned else stored.copy()
    placed = badge.plan(*seen.size, label.origin, ("kk", "ru", "en"), KZ.image)
    assert placed is not None
    box = (placed.x / seen.width, placed.y / seen.height)
    size = (placed.size[0] / seen.width, placed.size[1] / seen.height)
    found = measure(Picture(seen), placed.badge, Region(*box, *size), KZ.image)
    assert found.state is NoticeState.PERCEIVABLE, found.problems
    assert kept(block_of(source), block_of(result.data))


class Picture:
    """What measuring asks for."""

    def __init__(self, image: Image.Image) -> None:
        self.size = image.size
        self.crop = image.crop


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_mirrors_are_read_back_after_the_marker_is_gone(kind: str, config) -> None:
    label = Label(origin=Origin.ALTERED, system=System("ҚазГен", "1; 2"))
    source = framed(kind, exif_files.block(thumbnail=SMALL))
    out = mark(source, None, label, config=config).data
    assert out is not None
    assert said(block_of(out)) == mirror.line(label)
    report = verify(out, config=config)
    assert report.verdict is Verdict.LABELLED
    expected = {"xmp", "exif"} | ({"png-text"} if kind == "PNG" else set())
    assert {m.carrier for m in report.mirrors if m.origin is Origin.ALTERED} == expected
    again = mark(out, None, label, config=config, on_existing="replace")
    assert again.data is not None
    assert again.warnings == ()
    assert [m.value for m in verify(again.data, config=config).mirrors if m.carrier == "exif"] == [
        mirror.line(label)
    ]


def test_what_was_not_written_is_said(config, label) -> None:
    words = b"ASCII\0\0\0At the lake"
    source = framed("JPEG", exif_files.block(thumbnail=SMALL, comment=words))
    result = mark(source, None, label, config=config)
    assert result.data is not None
    assert "comment of somebody else" in " ".join(result.warnings)
    assert said(block_of(result.data)) == "At the lake"
    damaged = framed("JPEG", b"MM\0*" + bytes(20))
    result = mark(damaged, None, label, config=config)
    assert "EXIF block was left as it is" in " ".join(result.warnings)
    assert result.report.verdict is Verdict.LABELLED


def test_thumbnail_without_room_or_of_no_picture_is_left_out(config, label) -> None:
    for small in (jpeg_files.jpeg(picture(size=(20, 15))), b"\xff\xd8 no picture at all"):
        source = framed("JPEG", exif_files.block(thumbnail=small))
        out = mark(source, None, label, config=config).data
        assert out is not None
        assert not ExifBlock(block_of(out)).has_thumbnail


def test_file_without_notice_keeps_its_thumbnail(config, label) -> None:
    source = framed("JPEG", exif_files.block(thumbnail=SMALL))
    out = mark(source, None, label, config=config, notice="none", notice_reason="test").data
    assert out is not None
    assert ExifBlock(block_of(out)).thumbnail == SMALL


def test_file_without_exif_gets_none(config, label) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        out = mark(encoded(picture(), kind), None, label, config=config).data
        assert out is not None
        with Image.open(io.BytesIO(out)) as image:
            assert "exif" not in image.info


def test_texts_of_png_are_replaced_and_others_kept(config, label) -> None:
    texts = PngInfo()
    texts.add_text(
        "DigitalSourceType", "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    )
    texts.add_text("Title", "Бақбақ", zip=True)
    texts.add_itxt("AISystemUsed", "Other")
    source = encoded(picture(), "PNG", pnginfo=texts)
    out = mark(source, None, label, config=config).data
    assert out is not None
    with Image.open(io.BytesIO(out)) as image:
        assert image.text["Title"] == "Бақбақ"  # type: ignore[attr-defined]
        found = {name: str(image.text[name]) for name in mirror.PROPERTIES}  # type: ignore[attr-defined]
    assert found == dict(mirror.statements(label))
    assert png_files.without(out, b"iTXt").count(b"AISystemUsed") == 0


def test_mirror_that_says_something_else_makes_the_file_invalid(config, label) -> None:
    """Each carrier is read: when one was changed and the marker is gone, they contradict each other."""
    source = framed("PNG", exif_files.block())
    out = mark(source, None, label, config=config).data
    assert out is not None
    bare = png_files.without(out, b"caBX")
    report = verify(bare, config=config)
    assert report.verdict is Verdict.INCOMPLETE
    block = commented(exif_files.block(), LINE.replace("trainedAlgorithmicMedia", "digitalCapture"))
    with Image.open(io.BytesIO(bare)) as image:
        texts = PngInfo()
        texts.add_text("DigitalSourceType", LINE.split("=")[1].split(";", maxsplit=1)[0])
        mixed = encoded(image.convert("RGB"), "PNG", exif=block, pnginfo=texts)
    report = verify(mixed, config=config)
    assert report.verdict is Verdict.INVALID
    assert report.reason.code == "unambiguous.contradiction"
