"""Rebuild the bundled fonts: a static Bold subset of Noto Sans, and of that the letters of the stamp in PDF files.

    python -m pip install --group font && python tools/build_font.py [--check]

Takes the variable font from the package `fontpkg-noto-sans`, fixes its axes at weight 700 and width 100, and keeps the
characters the notices and their neighbours need. The stamp's font goes into every PDF file that is marked, so it holds only
the letters of the wording. `--check` compares the results with the bundled files instead of writing them.
"""

import argparse
import hashlib
import io
import sys
import tomllib
from importlib.metadata import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

PACKAGE = Path(__file__).parents[1] / "src/aikz_label"
TARGET = PACKAGE / "notice/fonts"
STAMP_TABLES = {"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name"}
KAZAKH_CYRILLIC = "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
KAZAKH_LATIN = "äğñŋöüūşıi\u0307"
LATIN = "abcdefghijklmnopqrstuvwxyz"
MARKS = " !\"#$%&'()*+,-./0123456789:;<=>?@[]_|~\u00a0«»“”‘’„–—…•·©®№€₸×°§"


def characters() -> str:
    letters = KAZAKH_CYRILLIC + KAZAKH_LATIN + LATIN
    return "".join(sorted(set(letters + letters.upper() + "İ" + MARKS)))


def build() -> bytes:
    listed = files("fontpkg-noto-sans") or []
    source = next(p for p in listed if p.name == "NotoSans[wdth,wght].ttf").locate()
    font = instantiateVariableFont(
        TTFont(source, recalcTimestamp=False), {"wght": 700, "wdth": 100}, updateFontNames=True
    )
    options = Options(
        layout_features=[], glyph_names=False, hinting=True, notdef_outline=True, name_IDs=["*"]
    )
    subsetter = Subsetter(options)
    subsetter.populate(text=characters())
    subsetter.subset(font)
    missing = {ord(c) for c in characters()} - set(font.getBestCmap())
    if missing:
        sys.exit(f"the font lacks {sorted(map(chr, missing))}")
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


def stamp_characters() -> str:
    wording = tomllib.loads((PACKAGE / "data/wording.toml").read_text("utf-8"))
    words = [wording[origin]["short"].values() for origin in ("created", "altered")]
    return "".join(sorted(set(" ·").union(*map("".join, [*words, wording["code"].values()]))))


def build_stamp(font_data: bytes) -> bytes:
    font = TTFont(io.BytesIO(font_data), recalcTimestamp=False)
    options = Options(
        layout_features=[], glyph_names=False, hinting=False, notdef_outline=True, name_IDs=[0]
    )
    options.drop_tables += [tag for tag in font if tag not in STAMP_TABLES]
    subsetter = Subsetter(options)
    subsetter.populate(text=stamp_characters())
    subsetter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    check = parser.parse_args().check
    whole = build()
    for name, data in (
        ("NotoSans-Bold.ttf", whole),
        ("NotoSans-Bold-stamp.ttf", build_stamp(whole)),
    ):
        path, digest = TARGET / name, hashlib.sha256(data).hexdigest()
        if not check:
            path.write_bytes(data)
        elif path.read_bytes() != data:
            sys.exit(f"{name} differs from a fresh build")
        print(f"{name}: {len(data)} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
