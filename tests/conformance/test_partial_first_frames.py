"""Animations whose first frame is a part of the canvas: three decoders show above the strip what they showed before.

A browser decides what the canvas is around that frame: transparent. Pillow and ffmpeg have rules of their own there, so of
theirs counts what the browser shows, and where it is seen through, what is behind is nothing for them too.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import apng_files
import gif_files
import png_files
import webp_files
from aikz_label import Verdict, mark, verify
from aikz_label.config import Config
from aikz_label.label import Label
from browser import ask
from png_files import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA, chunk
from support import picture, require_tool

pytestmark = pytest.mark.timeout(180)

SIZE = (96, 72)
PART = {"size": (50, 40), "corner": (13, 8)}
ODD_TIME = (3, 40_000)  # nothing to give to a copy

SCRIPT = """
async function shown(data, type) {
  const decoder = new ImageDecoder({data: Uint8Array.from(atob(data), c => c.charCodeAt(0)), type});
  await decoder.tracks.ready;
  await decoder.completed;
  const frames = [];
  for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack.frameCount; frameIndex++) {
    const {image} = await decoder.decode({frameIndex});
    const pixels = new Uint8Array(image.displayWidth * image.displayHeight * 4);
    await image.copyTo(pixels, {format: 'RGBA'});
    let text = '';
    for (const value of pixels) text += String.fromCharCode(value);
    frames.push([image.displayWidth, image.displayHeight, image.duration, btoa(text)]);
  }
  return [decoder.tracks.selectedTrack.repetitionCount, frames];
}
(async () => {
  const found = {};
  for (const [name, [type, ...files]] of Object.entries(films)) {
    found[name] = [];
    for (const file of files) found[name].push(await shown(file, type).catch(error => String(error)));
  }
  await fetch('/shown', {method: 'POST', body: JSON.stringify(found)});
})();
"""


def gif_frame(shift: int, **options) -> gif_files.Image:
    width, height = options.pop("size", SIZE)
    rows = np.add.outer(np.arange(height) * 3, np.arange(width)) // 5 + 17 * shift
    return gif_files.Image((rows % options.pop("colours", 200)).astype(np.uint8), **options)


def gif(first: gif_files.Image) -> bytes:
    """A film with that first frame, whose later ones do not cover the screen either."""
    corner = gif_frame(1, size=(30, 30), corner=(66, 42))
    wiped = gif_frame(2, size=(90, 30), corner=(0, 9), disposal=2)
    back = gif_frame(3, size=(40, 40), corner=(50, 0), disposal=3, transparent=9)
    return gif_files.gif([first, corner, wiped, back, corner], SIZE)


def apng(kind: int, depth: int, before: Sequence[bytes] = (), **options) -> bytes:
    """Likewise; around its first frame Pillow shows the picture for viewers that know no animations."""

    def shot(shift: int, size: tuple[int, int], **more) -> apng_files.Shot:
        values = np.roll(png_files.photo(kind, depth, size), shift, axis=1)
        if kind == PALETTE:
            values = values % 4
        return apng_files.Shot(values, **more)

    shots = [
        shot(0, **PART, **options),
        shot(5, (30, 30), corner=(66, 42), blend=1),
        shot(9, (90, 30), corner=(0, 9), disposal=1),
        shot(3, (40, 40), corner=(50, 0), disposal=2),
        shot(5, (20, 30), corner=(6, 4)),
    ]
    unshown = shot(40, SIZE).values
    if kind in {GREY_ALPHA, RGB_ALPHA}:
        unshown = unshown * 0
    elif len(before) > 1:  # the last entry is seen through
        unshown = np.full_like(unshown, 2)
    return apng_files.apng(shots, kind, depth, before=before, unshown=unshown, plays=2)


def webp(**options) -> bytes:
    def shot(shift: int, **more) -> webp_files.Shot:
        image = picture("RGBA", more.pop("size"))
        return webp_files.Shot(Image.fromarray(np.roll(np.asarray(image), shift, axis=1)), **more)

    first = shot(0, size=(50, 40), corner=(12, 8), **options)
    later = [
        shot(5, size=(30, 30), corner=(66, 42), clears=True),
        shot(9, size=(90, 30), corner=(0, 8)),
    ]
    return webp_files.webp([first, *later], SIZE, plays=2)


COLOURS = bytes((200, 30, 40, 10, 90, 90, 3, 200, 77, 90, 90, 200))
FULL = np.random.default_rng(5).permutation(256).astype(np.uint8).repeat(8).reshape(32, 64)
FILMS = {
    "opaque.gif": gif(gif_frame(0, **PART)),
    "no control.gif": gif(gif_frame(0, time=None, **PART)),
    "local palette.gif": gif(gif_frame(0, palette=gif_files.RAMP[::-1], **PART)),
    "full palette.gif": gif(gif_files.Image(FULL, corner=(13, 8))),
    "full palette, no control.gif": gif(gif_files.Image(FULL, corner=(13, 8), time=None)),
    "cleared.gif": gif(gif_frame(0, disposal=2, **PART)),
    "restored.gif": gif(gif_frame(0, disposal=3, **PART)),
    "transparent.gif": gif(gif_frame(0, transparent=3, **PART)),
    "lower edge.gif": gif(gif_frame(0, size=(96, 40), corner=(0, 32))),
    "rgba.png": apng(RGB_ALPHA, 8),
    "rgba over.png": apng(RGB_ALPHA, 8, blend=1),
    "rgba cleared.png": apng(RGB_ALPHA, 8, disposal=1),
    "rgba restored.png": apng(RGB_ALPHA, 8, disposal=2, time=ODD_TIME),
    "grey alpha, 16 bits.png": apng(GREY_ALPHA, 16),
    "rgb.png": apng(RGB, 8),
    "rgb cleared.png": apng(RGB, 8, disposal=1),
    "rgb, 16 bits.png": apng(RGB, 16),
    "rgb with key.png": apng(RGB, 8, [chunk(b"tRNS", bytes((0, 77, 0, 7, 0, 9)))]),
    "grey.png": apng(GREY, 8),
    "palette.png": apng(PALETTE, 8, [chunk(b"PLTE", COLOURS)]),
    "palette cleared.png": apng(PALETTE, 4, [chunk(b"PLTE", COLOURS)], disposal=1),
    "palette with hole.png": apng(
        PALETTE, 8, [chunk(b"PLTE", COLOURS), chunk(b"tRNS", b"\xff\x80\0")]
    ),
    "lossless.webp": webp(),
    "lossy.webp": webp(options=(("quality", 80),)),
    "cleared.webp": webp(clears=True),
}
LOSSY = 8  # levels that a copy of a lossy first picture may differ by on average
# levels, where libwebp blends with a canvas of which it does not know that it is empty, and a browser rounds that
ROUNDED = 2.0
KINDS = {"gif": "image/gif", "png": "image/png", "webp": "image/webp"}


def pillow(data: bytes) -> list[np.ndarray]:
    """Every frame of the animation, RGBA."""
    found = []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(int(bool(image.info.get("default_image"))), image.n_frames):
            image.seek(number)
            found.append(np.asarray(image.convert("RGBA")))
    return found


def ffmpeg(data: bytes, folder: Path) -> list[np.ndarray]:
    """Likewise."""
    path = folder / "film.gif"
    path.write_bytes(data)
    width, height = pillow(data)[0].shape[1::-1]
    show = f"{require_tool('ffmpeg')} -v error -i {path}"
    shape = "-fps_mode passthrough -f rawvideo -pix_fmt rgba -"
    raw = subprocess.run([*show.split(), *shape.split()], capture_output=True, check=True).stdout
    return [*np.frombuffer(raw, np.uint8).reshape(-1, height, width, 4)]


def browsed(films: dict[str, list[str]], folder: Path) -> dict[str, list]:
    """How often a film is shown, its frames as a browser shows them, and their times."""
    page = f"<body><script>const films = {json.dumps(films)};{SCRIPT}</script>"
    found = {}
    for name, answers in ask(page, folder).items():
        assert all(isinstance(answer, list) for answer in answers), (name, answers)
        found[name] = [
            (
                plays,
                [
                    np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)
                    for width, height, _, data in frames
                ],
                [time for _, _, time, _ in frames],
            )
            for plays, frames in answers
        ]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_stays(kind: str, config: Config, label: Label, tmp_path: Path) -> None:
    films, lead = {}, {}
    for name, source in FILMS.items():
        if not name.endswith(kind):
            continue
        result = mark(source, None, label, config=config)
        assert result.report.verdict is Verdict.LABELLED
        assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
        undefined = any("undefined" in warning for warning in result.warnings)
        assert undefined is (kind == "gif" and name != "transparent.gif"), name
        lead[name] = len(pillow(result.data)) - len(pillow(source))
        films[name] = (source, result.data)
    asked = {
        name: [KINDS[kind], *(base64.b64encode(one).decode() for one in pair)]
        for name, pair in films.items()
    }
    for name, (before, after) in browsed(asked, tmp_path).items():
        assert after[0] == before[0], name
        extra = lead[name]
        assert extra == any(word in name for word in ("full", "cleared", "restored", "lossy")), name
        assert after[2][1 + extra :] == before[2][1:], name
        late = sum(after[2][: 1 + extra]) - before[2][0]
        assert late == 0 or (late <= 22_000 and before[2][0] < 40_000), (name, late)
        shows = [one[..., 3] > 0 for one in before[1]]
        assert not all(part.all() for part in shows), name
        check(name, before[1], after[1], extra, None)
        source, output = films[name]
        check(name, pillow(source), pillow(output), extra, shows)
        if (
            kind == "gif"
        ):  # ffmpeg shows neither moving WebP nor an APNG beside a picture of its own
            check(name, ffmpeg(source, tmp_path), ffmpeg(output, tmp_path), extra, shows)


def check(
    name: str,
    before: list[np.ndarray],
    after: list[np.ndarray],
    extra: int,
    shows: list[np.ndarray] | None,
) -> None:
    """The same pictures above, after a copy of the first if there is one, and one opaque strip below."""
    assert len(after) == len(before) + extra, name
    height = before[0].shape[0]
    strip = after[0][height:]
    assert strip.shape[0] >= 10, name
    assert (strip[..., 3] == 255).all(), name
    for number, shown in enumerate(after):
        assert (shown[height:] == strip).all(), (name, number)
        place = max(0, number - extra)
        was, now = (seen(one[:height]) for one in (before[place], shown))
        part = shows[place] if shows else np.ones(was.shape[:2], bool)
        if number < extra:
            assert np.abs(was[part] - now[part]).mean() <= LOSSY, (name, number)
        else:
            assert np.abs(was[part] - now[part]).max() <= ROUNDED * name.endswith("webp"), (
                name,
                number,
            )


def seen(picture: np.ndarray) -> np.ndarray:
    """As much of the colours as is not transparent, and how much that is."""
    return np.concatenate([picture[..., :3] * (picture[..., 3:] / 255), picture[..., 3:]], axis=2)
