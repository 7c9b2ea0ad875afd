"""Is a marked TIFF or DNG still the same? Answered by tifffile and Pillow, with none of the package's code.

`decodable` says whether one of them reads every page; `losses` says what marking changed besides the badges, one sentence
each. What can be compared exactly is: every sample of every page outside its badge, and every tag with its value.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from fidelity import GRID, LEAST_PSNR, STORED_FROM_SHOWN

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # of odd files it tells much

_PLACES = {273, 279, 288, 289, 324, 325, 513, 514}  # where image data is and how much of it
_OURS = {700, 52545}  # XMP and C2PA
_EXIF = 34665
_POINTERS = {330, _EXIF, 34853, 40965}  # to directories, which tifffile reads itself
_COLOUR_MAP, _BITS = 320, 258
_SIZES = {256, 257, 278}  # of a page that got a strip
_JPEG = {6, 7}
_MASK, _PREVIEW = 4, 1


def decodable(data: bytes) -> bool:
    """Whether a reference decoder reads every page."""
    return any(_read(data, reader) is not None for reader in _READERS)


def losses(source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]) -> list[str]:
    """What marking changed besides drawing the badges; empty when nothing.

    Args:
        source: The file before.
        output: The file after.
        placements: Where the marker says the badges are, as shares of the pages as shown; none in a DNG.
    """
    if not placements:
        return [] if _kept(source, output) else ["bytes of the camera changed"]
    reader = next(one for one in _READERS if _read(source, one) is not None)  # one for both files
    before, after = (_read(data, reader) for data in (source, output))
    assert before is not None
    if after is None:
        return ["it does not decode any more"]
    if len(before) != len(after):
        return [f"{len(before)} pages became {len(after)}"]
    found = []
    pages = list(zip(_directories(source), _directories(output), strict=True))
    places = _of_pages([first for first, _ in pages], placements)
    after = [
        _above_strip(samples, first, second, place)
        for samples, (first, second), place in zip(after, pages, places, strict=True)
    ]
    if [a.shape for a in before] != [a.shape for a in after]:
        return [f"{[a.shape for a in before]} became {[a.shape for a in after]}"]
    for number, (was, now, (first, second), place) in enumerate(
        zip(before, after, pages, places, strict=True), 1
    ):
        grown = _SIZES if _is_strip(place) else set()
        found += [f"page {number}: {text}" for text in _tags_lost(first, second, grown)]
        found += [f"page {number}: {text}" for text in _pixels_lost(was, now, first, place)]
    return found


def _read(data: bytes, reader: Callable[[bytes], list[np.ndarray]]) -> list[np.ndarray] | None:
    """Rows × columns × channels of every page, and of every picture beside one; `None` when it cannot be read."""
    with warnings.catch_warnings(), contextlib.suppress(Exception):  # both raise whatever they like
        warnings.simplefilter("ignore")
        return reader(data)
    return None


def _by_tifffile(data: bytes) -> list[np.ndarray]:
    return [_samples(page) for page in _directories(data)]


def _by_pillow(data: bytes) -> list[np.ndarray]:
    found = []
    with Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            image.load()
            found.append(np.atleast_3d(np.asarray(image)))
    return found


_READERS = (_by_tifffile, _by_pillow)


def _directories(data: bytes) -> Iterator[tifffile.TiffPage]:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for page in file.pages:
            if page.imagewidth:
                yield page
            yield from page.pages or ()


def _samples(page: tifffile.TiffPage) -> np.ndarray:
    samples = page.asarray()
    if page.planarconfig == 2 and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, 2)
    if page.photometric == 3 and page.colormap is not None:
        samples = np.moveaxis(page.colormap[:, samples], 0, -1)
    return samples if samples.ndim == 3 else samples[..., None]


def _of_pages(
    pages: list[tifffile.TiffPage], placements: tuple[Mapping[str, Any], ...]
) -> list[Mapping[str, Any] | None]:
    """The record of each page; none for masks, nor for the smallest previews when there are too few."""
    numbers = [i for i, page in enumerate(pages) if not page.subfiletype & _MASK]
    previews = [i for i in numbers if pages[i].subfiletype & _PREVIEW]
    previews.sort(key=lambda i: pages[i].imagewidth * pages[i].imagelength)
    left = set(previews[: len(numbers) - len(placements)])
    numbers = [i for i in numbers if i not in left]
    assert len(numbers) == len(placements), "a page without a badge"
    found: list[Mapping[str, Any] | None] = [None] * len(pages)
    for number, place in zip(numbers, placements, strict=True):
        found[number] = place
    return found


def _is_strip(place: Mapping[str, Any] | None) -> bool:
    return place is not None and place.get("design") == "strip/1"


def _above_strip(
    samples: np.ndarray,
    before: tifffile.TiffPage,
    page: tifffile.TiffPage,
    place: Mapping[str, Any] | None,
) -> np.ndarray:
    """A page without the strip that was put below it, and without what that has beside a narrow one."""
    if not _is_strip(place):
        return samples
    was, now = (one.imagewidth if _turn(one) < 5 else one.imagelength for one in (before, page))
    above = {"x": 0.0, "y": 0.0, "width": was / now, "height": place["y"]}
    rows, columns = np.nonzero(_area(page, above, 1))
    return samples[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _turn(page: tifffile.TiffPage) -> int:
    tag = page.tags.get(274)
    return tag.value if tag and 1 <= tag.value <= 8 else 1


def _kept(source: bytes, output: bytes) -> bool:
    """Whether all bytes are what they were but for the XMP packet and the numbers that lead to directories."""
    before = np.frombuffer(source, np.uint8).copy()
    after = np.frombuffer(output, np.uint8)[: len(source)].copy()
    before[:8] = after[:8] = 0
    with tifffile.TiffFile(io.BytesIO(source)) as file:
        tags = file.pages[0].tags
        for tag in filter(None, (tags.get(700), tags.get(_EXIF))):
            for start, length in ((tag.offset, 12), (tag.valueoffset, tag.valuebytecount)):
                before[start : start + length] = after[start : start + length] = 0
    return bool((before == after).all())


def _tags_lost(
    first: tifffile.TiffPage, second: tifffile.TiffPage, grown: set[int]
) -> Iterator[str]:
    own = _PLACES | _OURS | _POINTERS | {_COLOUR_MAP} | grown
    own |= (
        {_BITS} if first.photometric == 3 else set()
    )  # of an index: a palette may need more of them
    was, now = (
        {t.code: t.value for t in page.tags if t.code not in own} for page in (first, second)
    )
    for code in was.keys() | now.keys():
        if code not in now or code not in was or not _alike(was[code], now[code]):
            yield f"tag {code}: {str(was.get(code))[:60]!r} became {str(now.get(code))[:60]!r}"
    before, after = (_camera(page) for page in (first, second))
    for name in before.keys() | after.keys():
        if name not in after or name not in before or not _alike(before[name], after[name]):
            yield f"{name}: {str(before.get(name))[:60]!r} became {str(after.get(name))[:60]!r}"


def _camera(page: tifffile.TiffPage) -> dict[str, Any]:
    """What the camera's directory says, but for the comment where nobody had one or we did."""
    tag = page.tags.get(_EXIF)
    found = dict(tag.value) if tag and isinstance(tag.value, dict) else {}
    said = found.get("UserComment", b"")
    text = bytes(said)[8:] if isinstance(said, bytes) else b""
    ours = b"DigitalSourceType" in text.replace(b"\0", b"")
    if ours or not text.strip(b"\0 "):
        found.pop("UserComment", None)
    return found


def _alike(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray):
        return bool(np.array_equal(first, second))
    return first == second or (first != first and second != second)  # noqa: PLR0124  # NaN


def _pixels_lost(
    was: np.ndarray, now: np.ndarray, page: tifffile.TiffPage, place: Mapping[str, Any] | None
) -> Iterator[str]:
    lossy, shared = page.compression in _JPEG, page.photometric == 6
    outside = ~_area(page, place, GRID * 2 if lossy else 4 if shared else 1)
    if _is_strip(place):
        outside[:] = True
    if (
        place is not None
        and not _is_strip(place)
        and np.array_equal(was, now, equal_nan=was.dtype.kind == "f")
    ):
        yield "there is no badge"
    first, second = was[outside].astype(np.float64), now[outside].astype(np.float64)
    delta = first - second
    delta[(first == second) | (np.isnan(first) & np.isnan(second))] = 0
    if lossy:
        error = float(np.mean(np.square(delta))) if delta.size else 0.0
        psnr = 10 * math.log10(255**2 / error) if error else math.inf
        if psnr < LEAST_PSNR:
            yield f"{psnr:.1f} dB outside the badge"
    elif delta.any() and page.photometric != 3:
        yield f"{(delta != 0).any(axis=1).sum()} pixels changed outside the badge"
    elif np.abs(delta).max(initial=0) > 40 * 257:
        yield "a colour of the palette is gone"


def _area(page: tifffile.TiffPage, place: Mapping[str, Any] | None, grid: int) -> np.ndarray:
    """True where the badge and its plate lie in the stored page."""
    size = page.imagewidth, page.imagelength
    turn = _turn(page)
    shown = Image.new("L", size if turn < 5 else size[::-1])
    if place is not None:
        left, top = place["x"] * shown.width, place["y"] * shown.height
        right, bottom = left + place["width"] * shown.width, top + place["height"] * shown.height
        shown.paste(255, (round(left), round(top), round(right), round(bottom)))
    stored = shown.transpose(STORED_FROM_SHOWN[turn]) if turn in STORED_FROM_SHOWN else shown
    area = np.zeros(size[::-1], bool)
    box = stored.getbbox()
    if box is not None:
        rows = slice(box[1] // grid * grid, -(-box[3] // grid) * grid)
        area[rows, box[0] // grid * grid : -(-box[2] // grid) * grid] = True
    return area
