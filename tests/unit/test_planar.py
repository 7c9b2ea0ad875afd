"""Pictures as planes: they look, and differ, as the images do that Pillow makes of them."""

from __future__ import annotations

import io
import resource
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

import jpeg_files
from aikz_label import mark, verify
from aikz_label.adapters.image import jpeg, modes, planar
from aikz_label.adapters.image.container import Container
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.adapters.image.planar import PlanarPicture
from aikz_label.adapters.image.squares import squares
from aikz_label.adapters.image.webp import WebP
from aikz_label.limits import NO_LIMITS
from aikz_label.report import Verdict
from support import picture

SIZE = (301, 217)  # no multiple of anything
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "4:2:0": ("JPEG", "RGB", {"subsampling": 2}),
    "4:2:2": ("JPEG", "RGB", {"subsampling": 1}),
    "4:4:4": ("JPEG", "RGB", {"subsampling": 0, "progressive": True}),
    "grey": ("JPEG", "L", {}),
    "WebP": ("WEBP", "RGB", {}),
}


def coded(kind: str, quality: int = 95, orientation: int = 1) -> bytes:
    form, mode, options = KINDS[kind]
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    picture(size=SIZE).convert(mode).save(buffer, form, quality=quality, exif=exif, **options)
    return buffer.getvalue()


def container(data: bytes) -> Container:
    kind = WebP if data.startswith(b"RIFF") else Jpeg
    return kind.parse(data, NO_LIMITS, thorough=True)


def planes_of(data: bytes) -> PlanarPicture:
    file = container(data)
    found = planar.of(file, "webp" if isinstance(file, WebP) else "mjpeg")
    assert found is not None
    return found


@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_part_looks_as_pillow_shows_it(kind: str, orientation: int) -> None:
    data = coded(kind, orientation=orientation)
    one = planes_of(data)
    edges = (41, 33, 132, 120)
    seen = one.crop(edges).convert("RGB")
    whole = one.crop((0, 0, *one.size)).convert("RGB")  # of this much, Pillow makes an image
    assert seen.size == (91, 87)
    delta = np.abs(np.asarray(seen, int) - np.asarray(whole.crop(edges), int))
    assert delta.mean() < 2.5


@pytest.mark.parametrize("kind", KINDS)
def test_planes_and_images_differ_by_as_much(kind: str) -> None:
    first, second = coded(kind), coded(kind, quality=60)
    box = (96, 48, 80, 64)
    by_planes = planes_of(first).difference(planes_of(second), box)
    images = [Image.open(io.BytesIO(data)).convert("RGB") for data in (first, second)]
    assert abs(by_planes - modes.difference_outside(images[0], images[1], box)) < 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_one_changed_sample_is_found_and_one_in_the_box_is_not(kind: str) -> None:
    data = coded(kind)
    one, other = planes_of(data), planes_of(data)
    box = (64, 48, 81, 64)
    assert one.difference(other, None) == float("inf")
    other.frame.make_writable()
    for plane in planar.planes(other.frame):
        plane[50 * plane.shape[0] // SIZE[1], 70 * plane.shape[1] // SIZE[0]] ^= 1
    assert one.difference(other, box) == float("inf")
    assert one.difference(other, None) < 120
    planar.planes(other.frame)[-1][-1, -1] ^= 1
    assert one.difference(other, box) < 120


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_painted_is_in_planes_image_and_patch(kind: str) -> None:
    data, mask = coded(kind), Image.new("L", (32, 16))
    mask.paste(255, (8, 0, 24, 16))
    one, again = planes_of(data), planes_of(data)
    again.crop((0, 0, *again.size))  # so that the image is there before
    patches = []
    for each in (one, again):
        each.paint(mask, (48, 32, 32, 16))
        patches.append(each.patch().tobytes())
        for seen in (each.crop((48, 32, 80, 48)), each.image.crop((48, 32, 80, 48))):
            grey = np.asarray(seen.convert("L"), int)
            assert np.abs(grey - np.asarray(mask, int)).max() <= 2
    assert patches[0] == patches[1]
    assert one.painted == (48, 32, 32, 16)
    assert one.difference(planes_of(data), one.painted) == float("inf")


def test_other_kinds_are_left_to_pillow() -> None:
    image = picture(size=SIZE)
    for other in (jpeg_files.jpeg(image, keep_rgb=True), jpeg_files.jpeg(image.convert("CMYK"))):
        assert planar.of(container(other), "mjpeg") is None
    assert planar.decoded("mjpeg", b"\xff\xd8 nothing", SIZE) is None
    assert planar.decoded("mjpeg", coded("4:2:0"), (SIZE[0] + 1, SIZE[1])) is None


def test_what_is_damaged_is_left_to_pillow() -> None:
    """The two decoders do not go on alike behind damage, and only one of them says what viewers show."""
    for kind in ("4:2:0", "4:4:4", "grey"):
        data = coded(kind)
        middle = len(data) // 2
        for damaged in (data[:middle], data[:middle] + b"\xff\xd9"):
            assert planar.decoded("mjpeg", damaged, SIZE) is None
        assert planar.decoded("mjpeg", data, SIZE) is not None


def most_memory() -> int:
    """Bytes that this process ever held."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held


def test_no_later_header_makes_a_picture_larger() -> None:
    data = coded("4:4:4")
    frame, scan = data.index(b"\xff\xc2"), data.index(b"\xff\xda")
    header = data[frame : frame + 19]
    later = header[:5] + (8000).to_bytes(2) * 2 + header[9:]
    code = data.index(b"\xff\xc4", scan)
    before = most_memory()
    assert (
        planar.decoded("mjpeg", data[:code] + later + data[scan:code] + b"\xff\xd9", SIZE) is None
    )
    assert most_memory() - before < 100_000_000


def test_pictures_of_different_kinds_are_compared_as_images() -> None:
    one, other = planes_of(coded("4:2:0")), planes_of(coded("4:4:4"))
    assert one.apart(other.frame, None) == 0.0
    plain = Container.decode(container(coded("4:2:0")))
    assert one.difference(plain, None) == float("inf")


def test_a_large_picture_is_marked_by_its_planes(monkeypatch, config, label) -> None:
    monkeypatch.setattr(jpeg, "_LARGE", 1)
    for options in ({}, {"progressive": True}, {"optimize": True}):
        data = jpeg_files.jpeg(picture(size=(640, 480)), **options)
        assert isinstance(container(data).decode(), PlanarPicture)
        result = mark(data, None, label, config=config)
        assert verify(result.data or b"", config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_squares_are_summed_without_what_is_hidden(kind: Any) -> None:
    numbers, most = np.random.default_rng(5), np.iinfo(kind).max
    first = numbers.integers(0, most, (301, 40), kind, endpoint=True)
    second = first.copy()
    second[10:290] = numbers.integers(0, most, (280, 40), kind, endpoint=True)
    delta = first.astype(float) - second
    assert squares(first, second) == int(np.square(delta).sum())
    delta[60:200, 7:9] = 0
    assert squares(first, second, [(slice(60, 200), slice(7, 9))]) == int(np.square(delta).sum())
    assert squares(first, first) == 0
