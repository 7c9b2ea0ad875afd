"""JPEG drawn into without decoding: whatever the coding, every coefficient outside the notice is the source's."""

from __future__ import annotations

import io
import subprocess
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

import jpeg_files
from aikz_label import mark
from aikz_label.adapters.image.jpeg import Jpeg, coefficients, splice, units
from aikz_label.adapters.image.jpeg.coefficients import Frame, Unreadable
from aikz_label.adapters.image.jpeg.scan import Scan
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.limits import NO_LIMITS
from support import picture, require_tool

SIZE = (203, 171)  # no multiple of anything


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(levels)


def frame_of(data: bytes) -> Frame:
    """All coefficients, read one by one: another way than the one that is tested."""
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    header = next(s.data for s in file.header if s.code in {0xC0, 0xC1})
    tables = [s.data for s in file.header if s.code in {0xC4, 0xDD}]
    return coefficients.read(header, tables, data[file.scan : file.end])


def painted(data: bytes, box: tuple[int, int, int, int]) -> tuple[PillowPicture, bytes]:
    """A picture with stripes in a box, and its file with them."""
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    decoded = file.decode()
    assert isinstance(decoded, PillowPicture)
    mask = Image.new("L", box[2:])
    for left in range(5, box[2], 11):
        mask.paste(255, (left, 4, left + 4, box[3] - 4))
    decoded.paint(mask, box)
    tables, scans = splice.spliced(file.header, data[file.scan : file.end], decoded, None)
    return decoded, b"\xff\xd8" + b"".join(one.data for one in tables) + scans


def differing(before: Frame, after: Frame) -> list[set[tuple[int, int]]]:
    """Of every component the blocks that differ, by row and column."""
    pairs = zip(before.components, after.components, strict=True)
    return [
        {(int(r), int(c)) for r, c in np.argwhere((one.blocks != two.blocks).any(axis=2))}
        for one, two in pairs
    ]


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "4:2:0": ("RGB", {"subsampling": 2}),
    "4:2:2": ("RGB", {"subsampling": 1}),
    "4:4:4": ("RGB", {"subsampling": 0, "quality": 97}),
    "coarse": ("RGB", {"subsampling": 2, "quality": 5}),
    "grey": ("L", {}),
    "optimised": ("RGB", {"subsampling": 2, "optimize": True}),
    "optimised, finer": ("RGB", {"subsampling": 0, "quality": 92, "optimize": True}),
    "optimised, grey": ("L", {"optimize": True, "restart_marker_rows": 1}),
    "stored as RGB": ("RGB", {"keep_rgb": True}),
    "CMYK": ("CMYK", {}),
    "every unit for itself": ("RGB", {"restart_marker_blocks": 1}),
    "seven units": ("RGB", {"restart_marker_blocks": 7}),
    "two rows": ("RGB", {"restart_marker_rows": 2}),
    "all units": ("RGB", {"restart_marker_blocks": 10_000}),
}
BOXES = {
    "inside": (32, 48, 96, 64),
    "first": (0, 0, 48, 32),
    "right edge": (112, 16, 91, 48),
    "last": (112, 128, 91, 43),
    "whole rows": (0, 64, 203, 32),
    "all": (0, 0, 203, 171),
}
CASES = [(kind, "inside") for kind in KINDS]
CASES += [(kind, place) for kind in ("4:2:0", "seven units") for place in list(BOXES)[1:]]


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_no_coefficient_changes_but_those_under_the_notice(kind: str, place: str) -> None:
    mode, options = KINDS[kind]
    data = jpeg_files.jpeg(picture(size=SIZE).convert(mode), **options)
    box = BOXES[place]
    decoded, out = painted(data, box)
    before, after = frame_of(data), frame_of(out)
    most = [max(getattr(one, axis) for one in after.components) for axis in "hv"]
    for component, changed in zip(after.components, differing(before, after), strict=True):
        wide, high = 8 * most[0] // component.h, 8 * most[1] // component.v  # px of a block
        columns = range(box[0] // wide, (box[0] + box[2] - 1) // wide + 1)
        rows = range(box[1] // high, (box[1] + box[3] - 1) // high + 1)
        assert all(row in rows and column in columns for row, column in changed)
    with Image.open(io.BytesIO(out)) as again:
        again.draft(decoded.image.mode, again.size)
        levels, drawn = (
            np.asarray(again.convert("L"), int),
            np.asarray(decoded.image.convert("L"), int),
        )
    x, y, width, height = box
    inside = np.abs(levels - drawn)[y : y + height, x : x + width]
    assert inside.mean() < (40 if kind == "coarse" else 12)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(48, 120), st.integers(40, 120)),
    sampling=st.sampled_from([0, 1, 2]),
    quality=st.integers(1, 100),
    interval=st.integers(0, 9),
    place=st.tuples(st.integers(0, 1), st.integers(0, 1)),
)
@example(seed=1023, size=(48, 40), sampling=0, quality=32, interval=3, place=(0, 0))
@example(seed=7, size=(48, 40), sampling=0, quality=95, interval=0, place=(0, 0))
@settings(max_examples=20, deadline=None)
def test_any_noise(
    seed: int,
    size: tuple[int, int],
    sampling: int,
    quality: int,
    interval: int,
    place: tuple[int, int],
) -> None:
    options = {"restart_marker_blocks": interval} if interval else {}
    data = jpeg_files.jpeg(noise(seed, size), quality=quality, subsampling=sampling, **options)
    box = (16 * place[0], 16 * place[1], 32, 16)
    _, out = painted(data, box)
    before, after = frame_of(data), frame_of(out)
    assert all(len(changed) <= 8 for changed in differing(before, after))  # 32 × 16 px
    assert before.interval == after.interval
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    scan = Scan.read(file.header, data[file.scan : file.end])
    count = sum(
        len(units.Interval(part).blocks(scan.coding, scan.units_in(n))) - 1
        for n, part in enumerate(scan.parts)
    )
    assert count == scan.across * scan.down


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_outside_the_badge_are_the_same(orientation: int, config, label) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = picture(size=(501, 400))
    data = jpeg_files.jpeg(image, quality=85, subsampling=2, exif=exif)
    result = mark(data, None, label, config=config)
    assert result.data is not None
    first, second = (np.asarray(Image.open(io.BytesIO(d)), int) for d in (data, result.data))
    rows, columns = np.nonzero(np.abs(first - second).max(axis=2))
    area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 0 < area < first.shape[0] * first.shape[1] / 3


def test_readers_have_nothing_to_complain_of(tmp_path, config, label) -> None:
    """Whatever the number of bits by which the rest of the scan moves."""
    djpeg = require_tool("djpeg")
    for number in range(8):
        data = jpeg_files.jpeg(picture(size=(330 + 16 * number, 331)), quality=70 + number)
        result = mark(data, None, label, config=config)
        path = tmp_path / "marked.jpg"
        path.write_bytes(result.data or b"")
        done = subprocess.run([djpeg, path], capture_output=True, check=True)
        assert done.stderr == b""


def test_what_is_coded_otherwise_goes_another_way(config, label) -> None:
    data = jpeg_files.jpeg(picture(size=SIZE), progressive=True)
    with pytest.raises(Unreadable):
        painted(data, BOXES["inside"])
    assert mark(data, None, label, config=config).report.verdict == "labelled"


def test_a_box_between_the_units_and_damaged_data_are_left_to_others() -> None:
    data = jpeg_files.jpeg(picture(size=SIZE), subsampling=2)
    with pytest.raises(Unreadable, match="units"):
        painted(data, (8, 16, 32, 16))
    file = Jpeg.parse(data, NO_LIMITS, thorough=True)
    drawn, _ = painted(data, BOXES["last"])
    scans = data[file.scan : file.end]
    for broken in (
        scans[:200] + scans[-2:],
        scans[:9] + scans[-2:],
        scans[:-2] + b"\xff\xc4\0\2\xff\xd9",
        scans[:900] + b"\xff\xd3" + scans[900:],
        scans[:900] + b"\xff\xff\0" + scans[900:],
    ):
        with pytest.raises(Unreadable):
            splice.spliced(file.header, broken, drawn, None)


def test_no_more_is_read_than_there_is(monkeypatch) -> None:
    data = jpeg_files.jpeg(noise(3, (480, 480)), quality=95)
    monkeypatch.setattr(splice, "_MOST_BYTES", len(data))
    painted(data, (432, 432, 48, 48))
    monkeypatch.setattr(splice, "_MOST_BYTES", len(data) // 2)
    with pytest.raises(Unreadable, match="too long"):
        painted(data, (432, 432, 48, 48))


@pytest.mark.parametrize("seed", range(8))
def test_what_comes_after_the_notice_stays_on_its_bytes(seed: int) -> None:
    data = jpeg_files.jpeg(noise(seed, (96, 160)), quality=90, subsampling=0)
    _, out = painted(data, (0, 16, 64, 16))
    assert out[-4000:] == data[-4000:]
    assert len(out) != len(data)


def test_a_stray_marker_in_a_picture_too_large_to_compare_at_once(config, label) -> None:
    """Decoders wait for the next one there; Pillow codes what they show."""
    data = jpeg_files.jpeg(picture(size=(1700, 1300)), quality=60)
    middle = len(data) // 2
    damaged = data[:middle] + b"\xff\xd3" + data[middle:]
    assert mark(damaged, None, label, config=config).report.verdict == "labelled"
