"""Icons: every size gets its notice, as PNG or as a bitmap with a mask, or the file is refused."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from aikz_label import Refused, mark, sniff, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.ico import Ico
from aikz_label.limits import DEFAULT
from aikz_label.report import Verdict
from support import picture
from unit.test_bmp import RAMP, rows


def icon(*entries: bytes, kind: int = 1, between: bytes = b"") -> bytes:
    """An icon of PNG files and bitmaps, with something between them."""
    head = bytes([0, 0, kind, 0]) + len(entries).to_bytes(2, "little")
    start, table, body = 6 + 16 * len(entries), b"", b""
    for entry in entries:
        place = (start + len(body)).to_bytes(4, "little")
        with_size = len(entry) > 8 and entry[:4] != b"\x89PNG"
        size = entry[4] if with_size else int.from_bytes(entry[16:20]) % 256
        table += bytes([size, size, 0, 0, 1, 0, 32, 0]) + len(entry).to_bytes(4, "little") + place
        body += entry + between
    return head + table + body


def png(size: int) -> bytes:
    buffer = io.BytesIO()
    picture("RGBA", (size, size)).save(buffer, "PNG")
    return buffer.getvalue()


def bitmap(size: int, depth: int, *, opacity: str = "used", mask: bool = True) -> bytes:
    """A bitmap of an icon: a quarter of it is a hole."""
    header = np.array([40, size, 2 * size], "<i4").tobytes() + b"\1\0" + depth.to_bytes(2, "little")
    header += bytes(24)
    colours = b""
    if depth == 32:
        values = np.asarray(picture("RGBA", (size, size)))[..., [2, 1, 0, 3]].copy()
        if opacity == "empty":
            values[..., 3] = 0
        body = values[::-1].tobytes()
    elif depth == 24:
        values = np.asarray(picture("RGB", (size, size)))[..., ::-1]
        body = rows(values.reshape(size, -1), 8)
    else:
        grey = np.asarray(picture("L", (size, size))).astype(np.uint16)
        body = rows((grey * 2**depth // 256).astype(np.uint8), depth)
        colours = b"".join(bytes([b, g, r, 0]) for r, g, b in RAMP[: 2**depth])
    holes = np.zeros((size, size), np.uint8)
    holes[: size // 2, size // 2 :] = 1  # where the notice comes
    return header + colours + body + (rows(holes, 1) if mask else b"")


ICONS = {
    "png": icon(png(256), png(48)),
    "mixed": icon(bitmap(48, 8), png(64), bitmap(32, 4), between=b"free"),
    "holes": icon(bitmap(64, 24), bitmap(48, 1), bitmap(40, 8)),
    "opacity": icon(bitmap(64, 32), bitmap(48, 32, mask=False)),
    "empty-opacity": icon(bitmap(64, 32, opacity="empty")),
    "cursor": icon(bitmap(32, 32), kind=2),
}


@pytest.mark.parametrize("name", ICONS)
def test_every_size_has_its_notice(name, label, config):
    source = ICONS[name]
    result = mark(source, None, label, config=config)
    before, after = parsed(source), parsed(result.data)
    places = result.report.marker.notice.placements
    assert len(places) == before.count == after.count
    for index, place in enumerate(places):
        first, second = before.decode(index), after.decode(index)
        width, height = first.stored
        box = (
            round(place["x"] * width),
            round(place["y"] * height),
            round(place["width"] * width),
            round(place["height"] * height),
        )
        assert first.difference(second, box) == math.inf
        seen = np.asarray(second.seen().convert("RGBA"))
        x, y, w, h = box
        if name != "empty-opacity" or index:
            assert (seen[y : y + h, x : x + w, 3] == 255).all(), "the notice is in a hole"
    measured = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
    assert measured.verdict is Verdict.LABELLED


def parsed(data: bytes) -> Ico:
    return Ico.parse(data, DEFAULT, thorough=True)


def test_pillow_opens_it(label, config):
    result = mark(ICONS["mixed"], None, label, config=config)
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info["sizes"] == {(48, 48), (64, 64), (32, 32)}
        for size in image.info["sizes"]:
            image.size = size
            image.load()
    assert result.data.count(b"free") == 3


def test_empty_opacity_stays_empty(label, config):
    """Where all of it is empty the mask decides; one opaque pixel would hide all others."""
    result = mark(ICONS["empty-opacity"], None, label, config=config)
    (entry,) = parsed(result.data).entries
    body = result.data[entry.kind.pixels_at :][: 64 * 64 * 4]
    assert not any(body[3::4])


def test_small_sizes_are_named(label, config):
    with pytest.raises(Refused) as refusal:
        mark(icon(png(16), png(48), png(24)), None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    assert "2 of the 3 sizes" in refusal.value.message
    assert "16 × 16, 24 × 24" in refusal.value.message


SMALL = {
    "png": icon(png(16), png(8), png(48)),
    "bitmaps": icon(bitmap(16, 32), bitmap(24, 24), bitmap(16, 4), bitmap(24, 1), between=b"free"),
    "no-mask": icon(bitmap(16, 32, mask=False)),
    "cursor": icon(bitmap(16, 8), kind=2),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_sizes_get_a_strip_on_request(name, label, config):
    """Higher than wide, and what is drawn in it stays where it was, so does a cursor's point."""
    source = SMALL[name]
    result = mark(source, None, label, config=config, when_too_small="strip")
    before, after = parsed(source), parsed(result.data)
    places = result.report.marker.notice.placements
    assert [place.get("picture", 1) for place in places] == list(range(1, before.count + 1))
    for index, place in enumerate(places):
        (width, height), grown = before.sizes[index], after.sizes[index]
        row = result.data[6 + 16 * index :][:16]
        assert tuple(row[:2]) == grown
        if name == "cursor":
            assert row[4:8] == source[6 + 16 * index :][4:8]
        was, now = (one.decode(index).seen().convert("RGBA") for one in (before, after))
        if place["design"] == "strip/1":
            assert grown[1] > height
            assert np.array_equal(np.asarray(was), np.asarray(now.crop((0, 0, width, height))))
            assert (np.asarray(now)[height:, :, 3] == 255).all()
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info.get("sizes", {image.size}) == set(after.sizes)
    assert result.report.verdict is Verdict.LABELLED
    measured = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
    assert measured.verdict is Verdict.LABELLED


def test_a_size_that_would_be_too_long_is_refused(label, config):
    buffer = io.BytesIO()
    picture("RGBA", (10, 250)).save(buffer, "PNG")
    with pytest.raises(Refused) as refusal:
        mark(icon(buffer.getvalue()), None, label, config=config, when_too_small="strip")
    assert refusal.value.code == "unsupported-variant"


def test_without_a_notice_nothing_changes(label, config):
    source = icon(png(16), png(48))
    result = mark(source, None, label, config=config, notice="none", notice_reason="favicon")
    assert result.data == source


def test_sizes_that_share_their_bytes(label, config):
    """All of them are two names for one picture; some of them are nothing that anybody means."""
    whole = bytearray(icon(png(48), png(48)))
    whole[6 + 16 + 12 : 6 + 16 + 16] = whole[6 + 12 : 6 + 16]
    result = mark(bytes(whole), None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    first, second = (parsed(result.data).decode(index).seen() for index in (0, 1))
    assert np.array_equal(np.asarray(first), np.asarray(second))
    whole = bytearray(icon(bitmap(48, 32), bitmap(48, 32)))
    whole[6 + 16 + 8 : 6 + 32] = whole[6 + 8 : 6 + 16]
    whole[6 + 8 : 6 + 12] = (len(bitmap(48, 32)) + 4).to_bytes(4, "little")
    with pytest.raises(Refused) as refusal:
        mark(bytes(whole), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\1\0\0\0",
        b"\0\0\1\0\x01\0" + bytes(16),
        ICONS["mixed"][:100],
        ICONS["mixed"][:4] + b"\xff\xff" + ICONS["mixed"][6:],
        ICONS["holes"][:-3000],
    ],
)
def test_broken_icons(data):
    with pytest.raises(MediaProblem):
        parsed(data)


def test_other_files_that_begin_alike():
    """Resource forks of old Macintoshes, and Targa pictures."""
    assert sniff(b"\0\0\1\0" + b"\0\0\4\0" + bytes(200)) is None
    assert sniff(b"\0\0\2\0" + bytes(8) + b"\x10\0\x10\0\x18\0" + bytes(800)) is None
