"""The notice as a group of paths that an SVG ends with: a function of a few numbers, which it names in an attribute.

Because the same numbers always give the same characters, a notice is checked by writing it again and comparing. Its own
declarations are marked important and stand in `style` attributes, which no style sheet outranks. All of it is ASCII, so it
can be written in any encoding.
"""

from __future__ import annotations

import math
from html import escape

from aikz_label.adapters.svg.document import NAMESPACE
from aikz_label.adapters.svg.edit import DATA, ID
from aikz_label.label import Origin
from aikz_label.notice import badge, outlines, strip, wording
from aikz_label.texts import LANGUAGES
from aikz_label.values import dataclass

DESIGN = "paths/1"
STRIP = "strip-paths/1"
_MAX_EM = 100_000

_SHOWN = (
    "display:inline;visibility:visible;opacity:1;clip:auto;clip-path:none;mask:none;filter:none;"
    "transform:none;translate:none;rotate:none;scale:none;offset-path:none;mix-blend-mode:normal;"
    "animation:none;transition:none;content-visibility:visible"
)
_FILLED = "fill:{};fill-opacity:1;fill-rule:nonzero;stroke:none;marker:none;shape-rendering:auto"


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything a notice is drawn from.

    Attributes:
        origin: What it says.
        languages: In which languages, in order.
        layout: Step of the layout ladder.
        em: Size of the text, px.
        icon_em: Size of the letters in the sign, px; 0 without one.
        x: Left edge, in units of the drawing.
        y: Upper edge.
        across: Units of the drawing in one px, from left to right.
        down: And from top to bottom.
        band: Width of a strip, px; 0 for a badge.
    """

    origin: Origin
    languages: tuple[str, ...]
    layout: str
    em: int
    icon_em: int
    x: float
    y: float
    across: float
    down: float
    band: int = 0

    def __str__(self) -> str:
        numbers = (_short(n) for n in (self.x, self.y, self.across, self.down))
        words = (self.design, str(self.origin), ",".join(self.languages), self.layout)
        band = (str(self.band),) if self.band else ()
        return " ".join((*words, str(self.em), str(self.icon_em), *numbers, *band))

    @classmethod
    def parse(cls, text: str) -> Spec | None:
        """What such an attribute says; `None` when nothing can be drawn from it."""
        parts = text.split(" ")
        if len(parts) != {DESIGN: 10, STRIP: 11}.get(parts[0]) or parts[1] not in set(Origin):
            return None
        try:
            em, icon_em, *band = map(int, (*parts[4:6], *parts[10:]))
            x, y, across, down = map(float, parts[6:10])
        except ValueError:
            return None
        drawn = Origin(parts[1]), tuple(parts[2].split(",")), parts[3], em, icon_em
        spec = cls(*drawn, x, y, across, down, *band)
        return spec if spec._can_be_drawn() and str(spec) == text else None

    def _can_be_drawn(self) -> bool:
        languages = self.languages
        if not set(languages) <= set(LANGUAGES) or len(set(languages)) != len(languages):
            return False
        step = self.step
        return (
            step is not None
            and step.icon == bool(self.icon_em)
            and 0 < self.em <= _MAX_EM
            and 0 <= self.icon_em <= _MAX_EM
            and 0 <= self.band <= _MAX_EM
            and all(map(math.isfinite, (self.x, self.y, self.across, self.down)))
            and min(self.across, self.down) > 1e-9
            and max(abs(self.x), abs(self.y), self.across, self.down) < 1e12
            # white letters beside the plate would be on whatever is there
            and (not self.band or self.band > strip.content(self.lines, self.em, self.icon_em))
        )

    @property
    def design(self) -> str:
        """Version of the rules that it is drawn by."""
        return STRIP if self.band else DESIGN

    @property
    def step(self) -> wording.Layout | None:
        """Its lines of text."""
        return wording.layout(self.layout, self.origin, self.languages)

    @property
    def lines(self) -> tuple[str, ...]:
        """What it says, line by line."""
        step = self.step
        return step.lines if step else ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        width, height = badge.size(self.lines, self.em, self.icon_em)
        return self.band or width, height

    @property
    def words(self) -> str:
        """The short text, for a title."""
        return " · ".join(self.lines)

    @property
    def sentence(self) -> str:
        """The whole sentences, for those who do not see."""
        return " ".join(wording.full(self.origin, language) for language in self.languages)


def text(spec: Spec, identity: str = ID) -> str:
    """The group."""

    def place(x: float, y: float) -> tuple[float, float]:
        return spec.x + x * spec.across, spec.y + y * spec.down

    unit = min(spec.across, spec.down)
    black, white = outlines.Pen(place, unit), outlines.Pen(place, unit)
    outlines.plate(black, spec.size)
    if spec.band:
        outlines.band(white, spec.lines, spec.em, spec.icon_em, spec.band)
    else:
        outlines.ink(white, spec.lines, spec.em, spec.icon_em)
    paths = "".join(
        f'<path fill="{colour}" style="{_style(_SHOWN + ";" + _FILLED.format(colour))}" d="{pen.data()}"/>'
        for colour, pen in (("#000", black), ("#fff", white))
    )
    return (
        f'<g xmlns="{NAMESPACE}" id="{identity}" {DATA}="{spec}" role="img" aria-label="{ascii_text(spec.sentence)}"'
        f' style="{_style(_SHOWN)}"><title id="{identity}-title">{ascii_text(spec.words)}</title>{paths}</g>'
    )


def ascii_text(words: str) -> str:
    """Text for an attribute or an element, every other letter as a reference."""
    return escape(words).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _style(properties: str) -> str:
    return properties.replace(";", "!important;") + "!important"


def _short(number: float) -> str:
    """Seven digits, which is a thousandth of a px on any picture; without an exponent where there need be none."""
    text = f"{number:.7g}"
    return text if "e" in text or "." not in text else text.rstrip("0").rstrip(".")
