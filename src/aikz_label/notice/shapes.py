"""What a badge may look like that nobody recorded: its shapes, its words, and how they are drawn to be compared.

Both looks of the search share this, see `search`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from aikz_label.label import Origin
from aikz_label.notice import badge, wording
from aikz_label.notice.correlate import Array
from aikz_label.values import dataclass

_RATIOS = (
    2.0,
    1.63,
)  # letters of the sign to those of the text, in nearly all badges that `plan` makes
_SMALL_RATIOS = (1.25,)  # the same in the smallest pictures
_EM, _CODE_EM = (
    4.0,
    8.0,
)  # of the text in a template of the first look, px; codes have no sign to be told by
DRAWN_EM = 40  # templates are drawn this large and reduced; nothing is measured much larger


@dataclass(frozen=True, slots=True)
class Wording:
    """One thing a badge may say."""

    origin: Origin | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Badges of one shape, which the first look does not tell apart.

    Attributes:
        wordings: What they may say.
        ratio: Letters of the sign to those of the text, 0 without a sign.
        em: Size of the text in the first look's template, px.
    """

    wordings: tuple[Wording, ...]
    ratio: float
    em: float


@lru_cache(maxsize=8)
def families(languages: tuple[str, ...], *, small: bool) -> tuple[Family, ...]:
    """Every shape that is looked for, each language of the profile alone and some together; more in a small picture."""
    sets = tuple(dict.fromkeys((languages, languages[:2], *((one,) for one in languages))))
    shapes: dict[tuple[str, int], list[Wording]] = {}
    for chosen in sets:
        for origin in Origin:
            for layout in wording.ladder(origin, chosen):
                if layout.name == "ai" or (layout.small and not small):
                    continue  # "AI" alone in a box is too easily something else
                told = None if layout.small else origin
                shape = ("code", len(shapes)) if layout.small else ("words", len(layout.lines))
                same = shapes.setdefault(shape, [])
                if all(layout.lines != known.lines for known in same):
                    same.append(Wording(told, layout.lines))
    ratios = _RATIOS + _SMALL_RATIOS * small
    return tuple(
        Family(tuple(same), ratio, _CODE_EM if kind == "code" else _EM)
        for (kind, _), same in _unlike(shapes).items()
        for ratio in ((0.0,) if kind == "code" else ratios)
    )


def _unlike(shapes: dict[tuple[str, int], list[Wording]]) -> dict[tuple[str, int], list[Wording]]:
    """Without codes that are there already: both origins have the same ones."""
    seen: set[tuple[str, ...]] = set()
    kept = {}
    for shape, same in shapes.items():
        new = [one for one in same if one.lines not in seen]
        seen.update(one.lines for one in new)
        if new:
            kept[shape] = new
    return kept


@lru_cache(maxsize=1024)
def reduced_badge(lines: tuple[str, ...], em: int, ratio: float, seen: float) -> Array:
    """A badge drawn in one size of text, smoothly reduced to another."""
    mask = badge.draw(lines, em, round(em * ratio)).mask
    factor = seen / em
    size = (max(1, round(mask.width * factor)), max(1, round(mask.height * factor)))
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(mask.resize(size, method), np.float32)


def is_plain(picture: Image.Image) -> bool:
    """Whether its pixels can be averaged as they are."""
    return picture.mode in {"L", "RGB"} and "transparency" not in picture.info


def in_grey(picture: Image.Image) -> Image.Image:
    """Grey, on black where it is transparent: a badge is opaque, so the ground does not matter."""
    if is_plain(picture):
        return picture.convert("L")
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB").convert("L")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "black"), layer).convert("L")
