"""Films as ffmpeg sees them: what marking changed besides the notice."""

from __future__ import annotations

import json
import math
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from support import require_tool

LEAST_PSNR = 28.0  # dB outside the badge, of the worst frame
_FRAMES = 30  # compared, from the start
_RIM = 18  # px around the badge: plates lie on a grid, and codecs smear
_STREAM = (
    *("index", "codec_type", "codec_name", "codec_tag_string", "width", "height", "pix_fmt"),
    *("sample_aspect_ratio", "field_order", "color_range", "color_space", "color_transfer"),
    *("color_primaries", "r_frame_rate", "time_base", "start_pts", "duration_ts", "sample_rate"),
    *("channels", "channel_layout", "disposition"),
)
_OURS = {"digitalsourcetype", "aisystemused", "aisystemversionused", "comment", "icmt"}
_WRITTEN = {"encoder", "duration"}  # what an encoder says of itself


def _run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False, timeout=300)


def _probe(path: Path) -> dict[str, Any]:
    shown = ("-show_streams", "-show_chapters", "-show_format")
    done = _run(require_tool("ffprobe"), "-v", "error", *shown, "-of", "json", path)
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    return found


def _picture(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The stream that is shown; a cover is none."""
    streams = found.get("streams", ())
    shown = (s for s in streams if s["codec_type"] == "video")
    return next((s for s in shown if not s["disposition"]["attached_pic"]), None)


def decodable(data: bytes) -> bool:
    """Whether ffmpeg finds a picture and decodes all of it without a complaint."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film")
        path.write_bytes(data)
        stream = _picture(_probe(path))
        if stream is None:
            return False
        chosen = ("-map", f"0:{stream['index']}", "-f", "null", "-")
        done = _run(require_tool("ffmpeg"), "-v", "error", "-xerror", "-i", path, *chosen)
        return done.returncode == 0 and not done.stderr


def losses(source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]) -> list[str]:
    """What is gone or changed besides the frames that carry the notice, one sentence each."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before"), Path(folder, "after")
        before.write_bytes(source)
        after.write_bytes(output)
        return list(_losses(before, after, placements))


def _losses(before: Path, after: Path, placements: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    was, now = _probe(before), _probe(after)
    picture = _picture(was)
    assert picture is not None
    first = picture["index"]
    for one, other in zip(was["streams"], now["streams"], strict=False):
        yield from _changed(one, other)
    if len(was["streams"]) != len(now["streams"]):
        yield f"there were {len(was['streams'])} streams and are {len(now['streams'])}"
    if was["chapters"] != now["chapters"]:
        yield "chapters changed"
    if gone := _tags(was["format"]) - _tags(now["format"]):
        yield f"tags of the film are gone: {sorted(gone)}"
    if _times(before, first) != _times(after, first):
        yield "the times of the frames changed"
    if _copied(before, first) != _copied(after, first):
        yield "packets of another stream changed"
    psnr = min(_likeness(before, after, first, placements), default=0.0)
    if psnr < LEAST_PSNR:
        yield f"outside the notice a frame has {psnr:.1f} dB"


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """What is said otherwise of a stream."""
    name = f"stream {one['index']}"
    for key in _STREAM:
        if one.get(key) != other.get(key):
            yield f"{name}: {key} was {one.get(key)} and is {other.get(key)}"
    if gone := _tags(one) - _tags(other):
        yield f"{name}: tags are gone: {sorted(gone)}"
    if _turn(one) != _turn(other):
        yield f"{name} is turned otherwise"


def _tags(found: Mapping[str, Any]) -> set[tuple[str, str]]:
    given = {(name.lower(), value) for name, value in found.get("tags", {}).items()}
    return {(n, v) for n, v in given if n not in _OURS | _WRITTEN}


def _turn(stream: Mapping[str, Any]) -> list[Any]:
    return [side.get("rotation") for side in stream.get("side_data_list", ())]


def _times(path: Path, index: int) -> list[str]:
    """When each frame is shown."""
    shown = ("-select_streams", str(index), "-show_entries", "packet=pts", "-of", "csv=p=0")
    done = _run(require_tool("ffprobe"), "-v", "error", *shown, path)
    return sorted(done.stdout.decode().split())


def _copied(path: Path, index: int) -> bytes:
    """Times, sizes and hashes of the packets of all other streams."""
    chosen = ("-map", "0", "-map", f"-0:{index}", "-c", "copy", "-copy_unknown")
    return _run(
        require_tool("ffmpeg"), "-v", "error", "-i", path, *chosen, "-f", "framemd5", "-"
    ).stdout


def _likeness(
    before: Path, after: Path, index: int, placements: tuple[Mapping[str, Any], ...]
) -> Iterator[float]:
    """PSNR of each frame outside the badges."""
    for was, now in zip(_frames(before, index), _frames(after, index), strict=False):
        height, width = was.shape
        kept = np.ones(was.shape, bool)
        for place in placements:
            if "width" in place:
                left, top = place["x"] * width - _RIM, place["y"] * height - _RIM
                right = (place["x"] + place["width"]) * width + _RIM
                bottom = (place["y"] + place["height"]) * height + _RIM
                kept[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1] = False
        if now.shape != was.shape:
            yield 0.0
        elif kept.any():
            error = float(((was[kept].astype(np.float32) - now[kept]) ** 2).mean())
            yield 10 * math.log10(255**2 / error) if error else math.inf


def _frames(path: Path, index: int) -> Iterator[np.ndarray]:
    """The first frames as people see them, grey."""
    form = (
        "-fps_mode",
        "passthrough",
        "-frames:v",
        str(_FRAMES),
        "-pix_fmt",
        "gray",
        "-c:v",
        "pgm",
        "-f",
        "image2pipe",
        "-",
    )
    data = _run(
        require_tool("ffmpeg"), "-v", "error", "-i", path, "-map", f"0:{index}", *form
    ).stdout
    while data:
        _, size, _, rest = data.split(b"\n", 3)
        width, height = map(int, size.split())
        yield np.frombuffer(rest[: width * height], np.uint8).reshape(height, width)
        data = rest[width * height :]
