"""Players of other authors: a marked animation shows the same film above its strip, and the strip in every frame."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import apng_files
import gif_files
import png_files
import webp_files
from aikz_label import mark
from browser import ask
from gif_files import LOOP, gif
from support import picture, require_tool

pytestmark = pytest.mark.timeout(180)

SIZE = (96, 72)


def numbers(shift: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    rows = np.add.outer(np.arange(size[1]) * 3, np.arange(size[0])) // 5 + 17 * shift
    return (rows % 200).astype(np.uint8)


def gif_of(*frames: gif_files.Image) -> bytes:
    return gif(frames, SIZE, extensions=LOOP % b"\x03\0")


def apng_of(kind: int, depth: int, **first: Any) -> bytes:
    shots = [png_files.photo(kind, depth, size) for size in (SIZE, SIZE, (40, 30))]
    frames = [
        apng_files.Shot(shots[0], **first),
        apng_files.Shot(shots[1][::-1]),
        apng_files.Shot(shots[2], (9, 9)),
    ]
    return apng_files.apng(frames, kind, depth, plays=3, interlaced=depth == 16)


def webp_of(*options: tuple[tuple[str, Any], ...], mode: str = "RGB", **first: Any) -> bytes:
    image = picture(mode, SIZE)
    shots = [
        webp_files.Shot(image, options[0], **first),
        webp_files.Shot(image.rotate(180), options[-1]),
    ]
    return webp_files.webp(shots, plays=3)


LOSSY, LOSSLESS = (("quality", 80),), (("lossless", True),)
FILMS = {
    "plain.gif": gif_of(gif_files.Image(numbers(0)), gif_files.Image(numbers(1))),
    "cleared.gif": gif_of(
        gif_files.Image(numbers(0), disposal=2, transparent=5),
        gif_files.Image(numbers(1, (30, 20)), (50, 40), transparent=7, disposal=3),
        gif_files.Image(numbers(2), palette=gif_files.RAMP[::-1], time=3),
    ),
    "partial.gif": gif_of(
        gif_files.Image(numbers(0, (40, 30)), (9, 8), transparent=3),
        gif_files.Image(numbers(1), transparent=4, interlaced=True),
    ),
    "rgb.png": apng_of(png_files.RGB, 8),
    "deep.png": apng_of(png_files.RGB_ALPHA, 16),
    "wiped.png": apng_of(png_files.GREY_ALPHA, 8, disposal=1),
    "lossy.webp": webp_of(LOSSY),
    "lossless.webp": webp_of(LOSSLESS),
    "alpha.webp": webp_of(LOSSY, LOSSLESS, mode="RGBA"),
    "cleared.webp": webp_of(LOSSLESS, mode="RGBA", clears=True),
}
LEADS = {"cleared.gif", "wiped.png", "lossy.webp", "alpha.webp", "cleared.webp"}


@pytest.fixture(scope="module")
def marked(tmp_path_factory, identity_folder) -> dict[str, bytes]:
    from aikz_label import Label
    from aikz_label.config import load_config

    own = load_config(identity_folder / "aikz-label.toml")
    done = {}
    for name, data in FILMS.items():
        result = mark(data, None, Label(origin="created"), config=own)
        assert result.data is not None
        done[name] = result.data
    return done


def with_ffmpeg(data: bytes, kind: str, folder: Path) -> np.ndarray:
    """Frames × rows × columns × RGBA."""
    path = folder / f"film.{kind}"
    path.write_bytes(data)
    demuxer = {"gif": ["-f", "gif", "-ignore_loop", "1"], "png": ["-f", "apng"]}[kind]
    asked = [require_tool("ffmpeg"), "-v", "error", *demuxer, "-i", path, "-vsync", "0"]
    done = subprocess.run(
        [*asked, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], capture_output=True, check=True
    )
    width, height = size_of(data, kind)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 4)


def size_of(data: bytes, kind: str) -> tuple[int, int]:
    if kind == "gif":
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


@pytest.mark.parametrize("name", [name for name in FILMS if not name.endswith("webp")])
def test_ffmpeg_shows_the_same_film(name, marked, tmp_path):
    kind = name[-3:]
    before, after = (with_ffmpeg(one[name], kind, tmp_path) for one in (FILMS, marked))
    lead = name in LEADS
    assert len(after) == len(before) + lead
    for was, now in zip(before, after[lead:], strict=True):
        same = (was == now[: SIZE[1]]) | ((was[..., 3:] == 0) & (now[: SIZE[1], :, 3:] == 0))
        assert same.all()
    assert (after[:, SIZE[1] :] == after[0, SIZE[1] :]).all()
    assert (after[:, SIZE[1] :, :, 3] == 255).all()


@pytest.mark.parametrize("name", [name for name in FILMS if name.endswith("gif")])
def test_gifsicle_finds_nothing_wrong(name, marked, tmp_path):
    path = tmp_path / name
    path.write_bytes(marked[name])
    done = subprocess.run(
        [require_tool("gifsicle"), "--info", path], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "loop count 3" in done.stdout
    frames = re.findall(r"\+ image #", done.stdout)
    shown = sum(block[:1] == b"," for block in gif_files.blocks(FILMS[name]))
    assert len(frames) == shown + (name in LEADS)


@pytest.mark.parametrize("name", [name for name in FILMS if name.endswith("webp")])
def test_webpmux_sees_the_same_frames(name, marked, tmp_path):
    def listed(data: bytes) -> tuple[str, list[list[str]]]:
        path = tmp_path / name
        path.write_bytes(data)
        done = subprocess.run(
            [require_tool("webpmux"), "-info", path], capture_output=True, text=True, check=True
        )
        rows = re.findall(r"^ +\d+: (.*)$", done.stdout, re.MULTILINE)
        return re.search(r"Loop Count : (\d+)", done.stdout)[1], [row.split() for row in rows]

    (loops, before), (also, after) = listed(FILMS[name]), listed(marked[name])
    lead = name in LEADS
    assert loops == also == "3"
    assert len(after) == len(before) + lead
    assert after[lead + 1 :] == before[1:]
    assert sum(int(row[5]) for row in after) == sum(int(row[5]) for row in before)


SCRIPT = """
async function film(data, type, top) {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const decoder = new ImageDecoder({data: bytes, type});
  await decoder.tracks.ready; await decoder.completed;
  const track = decoder.tracks.selectedTrack;
  const found = {loops: track.repetitionCount, frames: []};
  for (let i = 0; i < track.frameCount; i++) {
    const frame = (await decoder.decode({frameIndex: i})).image;
    const canvas = new OffscreenCanvas(frame.displayWidth, frame.displayHeight);
    const context = canvas.getContext('2d');
    context.drawImage(frame, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const end = canvas.width * (top || canvas.height) * 4;
    let above = 0, band = 0, opaque = true;
    for (let k = 0; k < end; k++)
      if (k % 4 == 3 || pixels[k - k % 4 + 3]) above = (Math.imul(above, 31) + pixels[k]) | 0;
    for (let k = end; k < pixels.length; k++) {
      band = (Math.imul(band, 31) + pixels[k]) | 0;
      if (k % 4 == 3 && pixels[k] != 255) opaque = false;
    }
    found.frames.push({time: frame.duration, above, band, opaque});
    frame.close();
  }
  return found;
}
(async () => {
  const shown = {};
  for (const [name, [was, now, type]] of Object.entries(films))
    shown[name] = [await film(was, type, 0), await film(now, type, TOP)];
  await fetch('/shown', {method: 'POST', body: JSON.stringify(shown)});
})();
"""


def test_a_browser_shows_the_same_film(marked, tmp_path):
    films = {
        name: [
            *(base64.b64encode(data).decode() for data in (FILMS[name], marked[name])),
            f"image/{name.rpartition('.')[2]}",
        ]
        for name in FILMS
    }
    script = f"const films = {json.dumps(films)}, TOP = {SIZE[1]};{SCRIPT}"
    shown = ask(f"<body><script>{script}</script>", tmp_path)
    for name, (before, after) in shown.items():
        lead = name in LEADS
        assert after["loops"] == before["loops"], name
        assert len(after["frames"]) == len(before["frames"]) + lead, name
        assert sum(f["time"] for f in after["frames"]) == sum(f["time"] for f in before["frames"])
        for was, now in zip(before["frames"], after["frames"][lead:], strict=True):
            assert was["above"] == now["above"], name
        assert len({frame["band"] for frame in after["frames"]}) == 1, name
        assert all(frame["opaque"] for frame in after["frames"]), name
