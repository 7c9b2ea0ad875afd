"""Golden sheets: strips of every shape, and finished pictures of every kind, as people looked at them.

Regenerate with `PYTHONPATH=tests python tests/golden/test_sheets.py`, then look.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops

import films
import gif_files
from aikz_label import Label, mark
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.notice import strip
from aikz_label.profile import load_profile
from support import encoded

HERE = Path(__file__).parent
SHAPES = [
    ((1000, 40), ("kk", "ru", "en")),
    ((640, 360), ("kk", "ru", "en")),
    ((480, 360), ("ru", "kk")),
    ((400, 400), ("kk", "ru", "en")),
    ((200, 200), ("kk", "ru", "en")),
    ((200, 200), ("kk",)),
    ((128, 128), ("kk", "ru", "en")),
    ((64, 64), ("kk", "ru", "en")),
    ((40, 1000), ("kk", "ru", "en")),
    ((24, 24), ("en",)),
    ((16, 16), ("kk", "ru", "en")),
]
# Mode, format, size; too small ones get a strip.
KINDS = [
    ("1", "PNG", (160, 120)),
    ("L", "PNG", (160, 120)),
    ("LA", "PNG", (160, 120)),
    ("P", "PNG", (160, 120)),
    ("RGB", "PNG", (160, 120)),
    ("RGBA", "PNG", (160, 120)),
    ("I;16", "PNG", (160, 120)),
    ("CMYK", "JPEG", (160, 120)),
    ("RGB", "JPEG", (160, 120)),
    ("RGBA", "WEBP", (160, 120)),
    ("P", "GIF", (160, 120)),
    ("P", "GIF", (96, 96)),
    ("P", "GIF", (48, 48)),
    ("P", "GIF", (32, 32)),
    ("P", "GIF", (20, 20)),
    ("RGB", "PNG", (20, 20)),
    ("P", "GIF", (400, 40)),
    ("RGB", "PNG", (400, 12)),
    ("RGB", "PNG", (40, 200)),
]


def strips() -> Image.Image:
    """Every strip, one below the other."""
    drawn = []
    for size, languages in SHAPES:
        band = strip.plan(*size, Origin.CREATED, languages, load_profile("kz").image)
        assert band is not None
        drawn.append(band.mask())
    sheet = Image.new("L", (1020, 10 + sum(one.height + 10 for one in drawn)), 128)
    top = 10
    for one in drawn:
        sheet.paste(one, (10, top))
        top += one.height + 10
    return sheet


def smooth(mode: str, size: tuple[int, int]) -> Image.Image:
    """A picture that codes to little, in a mode."""
    ramp = Image.linear_gradient("L").resize(size)
    across = ramp.resize((size[1], size[0])).transpose(Image.Transpose.ROTATE_90)
    image = Image.merge("RGB", (ramp, across.resize(size), Image.new("L", size, 90)))
    if mode in {"LA", "RGBA"}:
        image.putalpha(ramp)
    if mode == "I;16":
        return ramp.convert("I").point(lambda level: level * 257).convert("I;16")
    return image.quantize(64) if mode == "P" else image.convert(mode)


def pictures(config: Config) -> Image.Image:
    """Finished files of every kind, decoded and laid on blue; of an animation every frame."""
    shown = []
    for mode, kind, size in KINDS:
        data = encoded(smooth(mode, size), kind)
        label = Label(origin="created")
        done = mark(data, None, label, config=config, when_too_small="strip").data
        with Image.open(io.BytesIO(done)) as image:
            seen = image.point(lambda level: level / 257).convert("L") if mode == "I;16" else image
            shown.append(seen.convert("RGBA"))
    film = mark(gif_files.moving(), None, Label(origin="altered"), config=config).data
    shown += [Image.fromarray(shot.pixels) for shot in films.shots(film)]
    sheet, (left, top, row) = Image.new("RGB", (1020, 760), (60, 90, 160)), (10, 10, 0)
    for one in shown:
        if left + one.width > sheet.width:
            left, top, row = 10, top + row + 10, 0
        sheet.paste(one, (left, top), one)
        left, row = left + one.width + 10, max(row, one.height)
    return sheet


def same(name: str, drawn: Image.Image) -> None:
    """FreeType and codecs may differ by a shade; a changed letter moves hundreds of pixels far."""
    with Image.open(HERE / f"{name}.png") as golden:
        assert drawn.size == golden.size
        difference = ImageChops.difference(drawn, golden.convert(drawn.mode)).convert("L")
        assert sum(difference.histogram()[64:]) <= drawn.width * drawn.height * 0.002


def test_strips_look_as_they_did():
    same("strips", strips())


def test_pictures_look_as_they_did(config):
    same("pictures", pictures(config))


if __name__ == "__main__":
    import tempfile

    from aikz_label import identity
    from aikz_label.config import load_config
    from aikz_label.label import Responsible, Role

    with tempfile.TemporaryDirectory() as name:
        party = Responsible(name="Golden", role=Role.HOLDER)
        own = load_config(identity.create(Path(name), party).config)
        strips().save(HERE / "strips.png", optimize=True)
        pictures(own).quantize(128).save(HERE / "pictures.png", optimize=True)
