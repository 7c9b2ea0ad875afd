"""Rebuild the bundled font: a static Bold subset of Noto Sans.

    python -m pip install --group font && python tools/build_font.py [--check]

Takes the variable font from the package `fontpkg-noto-sans`, fixes its axes at weight 700 and width 100, and keeps the
characters the notices and their neighbours need. `--check` compares the result with the bundled file instead of writing it.
"""

import argparse
import hashlib
import io
import sys
from importlib.metadata import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

TARGET = Path(__file__).parents[1] / "src/aikz_label/notice/fonts"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    check = parser.parse_args().check
    data, path = build(), TARGET / "NotoSans-Bold.ttf"
    digest = hashlib.sha256(data).hexdigest()
    if check:
        sys.exit(0 if path.read_bytes() == data else f"{path.name} differs from a fresh build")
    path.write_bytes(data)
    print(f"{path.name}: {len(data)} bytes, sha256 {digest}, {len(characters())} characters")


if __name__ == "__main__":
    main()
