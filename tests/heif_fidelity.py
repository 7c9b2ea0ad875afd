"""Is a marked HEIF file still the same? Answered at full depth by avifdec, libheif and, where it moves, FFmpeg.

`decode` gives every picture that a viewer would show, as arrays of numbers; `losses` says what marking changed besides the
badge, one sentence each. `compared` asks both of two files.
"""

from __future__ import annotations

import io
import itertools
import math
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from support import require_heif, require_tool

LEAST_PSNR = 40.0  # dB outside the badge
_NOISE, _MOST = 6, 0.75  # levels of 8 bits; share of the pixels
_GRID = 16  # px, to which a plate may be grown
_COLOURS = {"mono": (), "420": (1, 1), "422": (1, 0), "444": (0, 0)}


def decode(data: bytes, kind: str) -> list[list[np.ndarray]] | None:
    """Pictures, the primary one first, each a list of planes in one size each; `None` when the decoder refuses the file."""
    if moves(data):
        return _by_ffmpeg(data)
    if kind == "avif":
        return _by_avifdec(data)
    heif = require_heif()
    try:
        file = heif.open_heif(data, convert_hdr_to_8bit=False, bgr_mode=False)
        order = sorted(range(len(file)), key=lambda index: index != file.primary_index)
        return [[np.asarray(file[index])] for index in order]
    except (ValueError, RuntimeError, EOFError, OSError, SyntaxError):
        return None


def moves(data: bytes) -> bool:
    """Whether viewers show a sequence of pictures."""
    return data[8:12] in {b"avis", b"hevc", b"hevx", b"msf1"}


def _by_ffmpeg(data: bytes) -> list[list[np.ndarray]] | None:
    """Every picture of the first track that is shown, in luma and chroma, or in grey."""
    import av

    found = []
    try:
        with av.open(io.BytesIO(data), format="mp4") as film:
            for frame in film.decode(video=0):
                assert not frame.is_corrupt
                found.append([_rows(plane, frame.format) for plane in frame.planes])
    except (av.FFmpegError, AssertionError):
        return None
    return found or None


def _rows(plane: Any, form: Any) -> np.ndarray:
    wide = 2 if form.components[0].bits > 8 else 1
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return (
        rows[: plane.height, : plane.width * wide].copy().view(np.uint16 if wide > 1 else np.uint8)
    )


def _by_avifdec(data: bytes) -> list[list[np.ndarray]] | None:
    """Luma, chroma and opacity as they are coded, at their own depth."""
    program = require_tool("avifdec")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.avif"), Path(folder, "a.y4m")
        source.write_bytes(data)
        done = subprocess.run(
            [program, "--no-strict", "--raw-color", str(source), str(target)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        return None if done.returncode else [_y4m(target.read_bytes())]


def _by_pillow(data: bytes) -> list[list[np.ndarray]] | None:
    """The first picture in colours of 8 bits, by a newer version of the library in avifdec."""
    try:
        with Image.open(io.BytesIO(data), formats=["AVIF"]) as image:
            return [[np.asarray(image.convert("RGBA"))]]
    except (OSError, ValueError, SyntaxError):
        return None


def _y4m(data: bytes) -> list[np.ndarray]:
    head, _, rest = data.partition(b"\n")
    fields = {word[:1]: word[1:] for word in head.decode().split(" ")[1:]}
    width, height, name = int(fields["W"]), int(fields["H"]), fields["C"]
    base = next(key for key in _COLOURS if name.startswith(key))
    deep = "p1" in name or name in {"mono10", "mono12", "mono16"}
    raw = np.frombuffer(rest.partition(b"\n")[2], np.uint16 if deep else np.uint8)
    sizes = [(height, width)]
    if _COLOURS[base]:
        across, down = _COLOURS[base]
        sizes += [(-(-height >> down), -(-width >> across))] * 2
    if "alpha" in name:
        sizes.append((height, width))
    found = []
    for rows, columns in sizes:
        found.append(raw[: rows * columns].reshape(rows, columns))
        raw = raw[rows * columns :]
    return found


def losses(
    before: list[list[np.ndarray]],
    after: list[list[np.ndarray]] | None,
    placements: tuple[Mapping[str, Any], ...],
    shown: tuple[int, int] | None,
    *,
    film: bool = False,
) -> list[str]:
    """What changed outside the badges.

    Args:
        before: The source, decoded.
        after: The result, decoded.
        placements: Where the marker says the badges are, as shares of the pictures as shown.
        shown: Size of the first picture as people see it, where the decoder does not turn it.
        film: The pictures are those of a track.
    """
    if after is None:
        return ["it does not decode any more"]
    badges = tuple(p for p in placements if not str(p.get("design", "")).startswith("strip/"))
    if len(badges) < len(placements):
        after = [_beside_strip(was, now) for was, now in zip(before, after, strict=True)]
    shapes = [[[p.shape for p in planes] for planes in pictures] for pictures in (before, after)]
    if shapes[0] != shapes[1]:
        return [f"{shapes[0]} became {shapes[1]}"]
    found = []
    for index, (was, now) in enumerate(zip(before, after, strict=True)):
        places = [place for place in badges if place.get("picture", 1) == index + 1]
        if film:  # a single place for all of its pictures
            places = [placements[-1]]
        psnr = _psnr(was, now, places, shown)
        if psnr < LEAST_PSNR:
            found.append(f"{psnr:.1f} dB outside the badge of picture {index + 1}")
        if all(place.get("picture", 1) != index + 1 for place in placements) and not film:
            found.append(f"picture {index + 1} has no badge")
    return found


def _beside_strip(was: list[np.ndarray], now: list[np.ndarray]) -> list[np.ndarray]:
    """The planes without a strip: in which corner the picture is depends on how it is turned."""
    corners = (
        [
            plane[
                slice(rows) if top else slice(-rows, None),
                slice(columns) if left else slice(-columns, None),
            ]
            for plane, (rows, columns) in zip(now, (one.shape[:2] for one in was), strict=True)
        ]
        for top, left in itertools.product((True, False), repeat=2)
    )
    return max(corners, key=lambda planes: _psnr(was, planes, [], None))


def _psnr(
    was: list[np.ndarray],
    now: list[np.ndarray],
    places: list[Mapping[str, Any]],
    shown: tuple[int, int] | None,
) -> float:
    total, count = 0.0, 0
    depth = max(int(plane.max(initial=1)) for plane in (*was, *now))  # a dark picture uses few
    peak = next(limit for limit in (255, 1023, 4095, 65535) if depth <= limit)
    for first, second in zip(was, now, strict=True):
        area = np.ones(first.shape[:2], bool)
        for place in places:
            _hide(area, place, shown, was[0].shape)
        delta = (first.astype(np.float64) - second)[area]
        total, count = total + float(np.square(delta).sum()), count + delta.size
    return 10 * math.log10(peak**2 * count / total) if total else math.inf


def _hide(
    area: np.ndarray,
    place: Mapping[str, Any],
    shown: tuple[int, int] | None,
    stored: tuple[int, ...],
) -> None:
    """Take a badge out of what is compared, in every way in which the picture may be turned when that is not known.

    Whether it lies on its side, its first plane tells: colours of half the width would mislead.
    """
    height, width = area.shape
    turned = shown is not None and (shown[0] > shown[1]) != (stored[1] > stored[0])
    ways = [(place["x"], place["y"], place["width"], place["height"])]
    if shown is not None:
        x, y, w, h = ways[0]
        ways += [(1 - x - w, y, w, h), (x, 1 - y - h, w, h), (1 - x - w, 1 - y - h, w, h)]
        if turned or shown[0] == shown[1]:
            turned_ways = [(y, x, h, w) for x, y, w, h in ways]
            ways = turned_ways if turned else ways + turned_ways
    rim = 2 * _GRID
    for x, y, w, h in ways:
        left, top = int(x * width) - rim, int(y * height) - rim
        right, bottom = math.ceil((x + w) * width) + rim, math.ceil((y + h) * height) + rim
        area[max(0, top) : bottom, max(0, left) : right] = False


class Comparison:
    """What `corpus_files` asks of a module, for the files of one brand."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def decodable(self, data: bytes) -> bool:
        """Whether the reference decoder reads it."""
        by_pillow = _by_pillow if self._kind == "avif" else lambda _: None
        return decode(data, self._kind) is not None or by_pillow(data) is not None

    def losses(
        self, source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]
    ) -> list[str]:
        """What changed outside the badges, which avifdec shows as they are stored: in any of the four corners."""
        before, after = (decode(data, self._kind) for data in (source, output))
        if self._kind == "avif" and (before is None or after is None):  # a newer library reads more
            before, after = _by_pillow(source), _by_pillow(output)
        assert before is not None, "only a picture that decodes can be compared"
        if after is not None and self._kind == "heic" and not moves(source) and len(before) > 1:
            return _losses_of_several(before, after, placements)
        film, shown = moves(source), None
        if self._kind == "avif":
            # Pillow refuses an empty EXIF block, and some sequences
            with suppress(ValueError, OSError), Image.open(io.BytesIO(source)) as image:
                shown = ImageOps.exif_transpose(image).size
        return losses(before, after, placements, shown, film=film)


def _losses_of_several(
    before: list[list[np.ndarray]],
    after: list[list[np.ndarray]],
    placements: tuple[Mapping[str, Any], ...],
) -> list[str]:
    """What changed in pictures that may share pixels: a grid shows the badges of its tiles, a turned copy those of another.

    Tiles that were shown by themselves are hidden now, so there may be fewer pictures than before.
    """
    found = []
    for number, now in enumerate(after, 1):
        shape = now[0].shape[:2]
        places = [
            way
            for place in placements
            for way in _ways(place, after[place.get("picture", 1) - 1][0].shape[:2], shape)
        ]
        alike = [was for was in before if [p.shape for p in was] == [p.shape for p in now]]
        if not any(
            _psnr(was, now, places, None) >= LEAST_PSNR or _mostly(was[0], now[0]) for was in alike
        ):
            found.append(f"picture {number} is none of those that were there")
    return found


def _mostly(was: np.ndarray, now: np.ndarray) -> bool:
    """An overlay shows the badges of what lies on it as well, anywhere: most of its pixels are what they were."""
    delta = np.abs(was.astype(np.int32) - now)
    return bool((delta <= _NOISE).mean() >= _MOST)


def _ways(
    place: Mapping[str, Any], own: tuple[int, ...], shape: tuple[int, ...]
) -> Iterator[dict[str, float]]:
    """Where a place of one picture may be seen in another: in a copy, turned or not, or in every tile of a grid."""
    x, y, width, height = (place[key] for key in ("x", "y", "width", "height"))
    if own in {shape, shape[::-1]}:
        mirrored = {
            (x, y),
            (1 - x - width, y),
            (x, 1 - y - height),
            (1 - x - width, 1 - y - height),
        }
        for left, top in mirrored:
            if own == shape:
                yield {"x": left, "y": top, "width": width, "height": height}
            if own == shape[::-1]:
                yield {"x": top, "y": left, "width": height, "height": width}
        return
    down, across = own[0] / shape[0], own[1] / shape[1]
    for row in range(shape[0] // own[0]):
        for column in range(shape[1] // own[1]):
            left, top = (column + x) * across, (row + y) * down
            yield {"x": left, "y": top, "width": width * across, "height": height * down}
