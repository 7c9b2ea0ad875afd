"""The stamp as PDF objects: one form that every page draws, with live text in a font that goes with it.

The same words, ladder and proportions as the badge on a picture, in thousandths of the text's size, so that everything here
is a whole number and a function of the words alone: a reader draws the same form again and compares it with the file.
Changing anything needs a new `DESIGN`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import cache

from aikz_label.adapters.pdf.objects import Dict, Name, Ref, Stream, Value
from aikz_label.errors import Refused
from aikz_label.label import Origin
from aikz_label.notice import truetype, wording
from aikz_label.notice.wording import Layout
from aikz_label.values import dataclass

DESIGN = "stamp/1"
FONT = "NotoSans-Bold-stamp.ttf"
UNIT = 1000  # the text's size, and the unit of everything below
CAP = 714  # height of a capital letter
SIGN = 1600  # size of the letters in the sign
_LINE, _PAD, _FLAT_PAD, _BORDER = 1280, 536, 357, 79  # as the badge has them
_DESCENT = 95  # room under text that stands without a sign
_SUBSET = "AIKZLB+NotoSans-Bold"
_KAPPA = 0.5523  # control points of a quarter of a circle
Add = Callable[[Value | Stream], Ref]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a form shows, laid out.

    Attributes:
        layout: Step of the ladder.
        lines: The text, with the language of each line where it has one.
        width: Of the form.
        height: Of the form.
        sign: Left, bottom, width and height of the sign; `None` without one.
        text: Left end of each line and its baseline.
    """

    layout: Layout
    lines: tuple[tuple[str, str], ...]
    width: int
    height: int
    sign: tuple[int, int, int, int] | None
    text: tuple[tuple[int, int], ...]


@cache
def drawing(name: str, origin: Origin, languages: tuple[str, ...]) -> Drawing | None:
    """Lay out one step of the ladder, or `None` when there is none of that name."""
    layout = wording.layout(name, origin, languages)
    if layout is None:
        return None
    font = truetype.bundled(FONT)
    spoken = languages if len(layout.lines) == len(languages) else ("",) * len(layout.lines)
    pad, height = (_PAD if layout.icon else _FLAT_PAD), _LINE * (len(layout.lines) - 1) + CAP
    left, inner, sign = pad + _BORDER, height, None
    if layout.icon:
        cap = SIGN * CAP // UNIT
        inner = max(height, 17 * cap // 10)
        wide = max(inner, font.width("AI") * SIGN // UNIT + 6 * cap // 10)
        sign = (left, 0, wide, inner)
        left += wide + 9 * pad // 10
    total = 2 * (85 * pad // 100 + _BORDER) + inner + (0 if layout.icon else _DESCENT)
    base = (total + height) // 2 - CAP
    if sign:
        sign = (sign[0], (total - inner) // 2, *sign[2:])
    return Drawing(
        layout,
        tuple(zip(layout.lines, spoken, strict=True)),
        left + max(map(font.width, layout.lines)) + pad + _BORDER,
        total,
        sign,
        tuple((left, base - _LINE * index) for index in range(len(layout.lines))),
    )


def content(drawn: Drawing) -> bytes:
    """The operators of the form."""
    return "\n".join(_operators(drawn)).encode("ascii") + b"\n"


def _operators(drawn: Drawing) -> Iterator[str]:
    width, height, edge = drawn.width, drawn.height, _BORDER
    yield f"0 g 0 0 {width} {height} re f"
    # the line around it shows the plate on dark pages
    yield f"1 g 0 0 {width} {height} re {edge} {edge} {width - 2 * edge} {height - 2 * edge} re f*"
    if drawn.sign:
        yield from _sign(*drawn.sign)
    yield "1 g"
    for (line, language), (x, y) in zip(drawn.lines, drawn.text, strict=True):
        shown = f"BT /F {UNIT} Tf {x} {y} Td <{_glyphs(line)}> Tj ET"
        yield f"/Span <</Lang ({language})>> BDC {shown} EMC" if language else shown


def _sign(left: int, bottom: int, width: int, height: int) -> Iterator[str]:
    """The rounded square and its letters."""
    right, top, bend = left + width, bottom + height, 22 * height // 100
    near = round(bend * (1 - _KAPPA))
    yield (
        f"{left + bend} {bottom} m {right - bend} {bottom} l "
        f"{right - near} {bottom} {right} {bottom + near} {right} {bottom + bend} c "
        f"{right} {top - bend} l {right} {top - near} {right - near} {top} {right - bend} {top} c "
        f"{left + bend} {top} l {left + near} {top} {left} {top - near} {left} {top - bend} c "
        f"{left} {bottom + bend} l {left} {bottom + near} {left + near} {bottom} "
        f"{left + bend} {bottom} c f"
    )
    x = left + (width - truetype.bundled(FONT).width("AI") * SIGN // UNIT) // 2
    y = bottom + (height - SIGN * CAP // UNIT) // 2
    yield f"0 g BT /F {SIGN} Tf {x} {y} Td <{_glyphs('AI')}> Tj ET"


def _glyphs(text: str) -> str:
    """The letters as the font counts them; one that is missing would be an empty box, which is no notice."""
    font = truetype.bundled(FONT)
    numbers = [font.glyph(character) for character in text]
    if 0 in numbers:
        missing = text[numbers.index(0)]
        raise Refused(
            f"The stamp's font has no letter {missing!r} (U+{ord(missing):04X}).",
            code="missing-glyph",
            hint="Use the wording that comes with the package.",
        )
    return "".join(f"{number:04x}" for number in numbers)


def form(drawn: Drawing, font: Ref) -> Stream:
    """The form XObject of a drawing; one of its units is a thousandth of what it is drawn in."""
    return _stream(
        {
            "Type": Name("XObject"),
            "Subtype": Name("Form"),
            "BBox": [0, 0, drawn.width, drawn.height],
            "Matrix": [0.001, 0, 0, 0.001, 0, 0],
            "Resources": {
                # black and white whatever a file takes grey for; PDF/A asks for it where no output intent says
                "ColorSpace": {"DefaultGray": [Name("CalGray"), {"WhitePoint": [1, 1, 1]}]},
                "Font": {"F": font},
            },
        },
        content(drawn),
    )


def write_font(add: Add) -> Ref:
    """Add the font's objects."""
    font = truetype.bundled(FONT)
    data = font.data
    box: list[Value] = [
        int.from_bytes(font.tables["head"][at : at + 2], signed=True) for at in (36, 38, 40, 42)
    ]
    up, down = (int.from_bytes(font.tables["hhea"][at : at + 2], signed=True) for at in (4, 6))
    every = (1 << font.count) - 1 << (-font.count % 8)
    descriptor = add(
        {
            "Type": Name("FontDescriptor"),
            "FontName": Name(_SUBSET),
            "Flags": 4,
            "FontBBox": box,
            "ItalicAngle": 0,
            "Ascent": up,
            "Descent": down,
            "CapHeight": CAP,
            "StemV": 140,
            "FontFile2": add(_stream({"Length1": len(data)}, data)),
            "CIDSet": add(_stream({}, every.to_bytes(-(-font.count // 8)))),
        }
    )
    widths: list[Value] = [font.advance(number) for number in range(font.count)]
    descendant = add(
        {
            "Type": Name("Font"),
            "Subtype": Name("CIDFontType2"),
            "BaseFont": Name(_SUBSET),
            "CIDSystemInfo": {"Registry": b"Adobe", "Ordering": b"Identity", "Supplement": 0},
            "CIDToGIDMap": Name("Identity"),
            "FontDescriptor": descriptor,
            "DW": 1000,
            "W": [0, widths],
        }
    )
    return add(
        {
            "Type": Name("Font"),
            "Subtype": Name("Type0"),
            "BaseFont": Name(_SUBSET),
            "Encoding": Name("Identity-H"),
            "DescendantFonts": [descendant],
            "ToUnicode": add(_stream({}, _to_unicode())),
        }
    )


def _to_unicode() -> bytes:
    """Which letter each glyph is, so that the text can be searched and copied."""
    characters = sorted((glyph, ord(c)) for c, glyph in truetype.bundled(FONT).characters.items())
    rows = "\n".join(f"<{glyph:04x}> <{code:04x}>" for glyph, code in characters)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
        f"{len(characters)} beginbfchar\n{rows}\nendbfchar\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


def _stream(entries: Dict, data: bytes) -> Stream:
    return Stream({**entries, "Filter": Name("FlateDecode")}, zlib.compress(data, 9))
