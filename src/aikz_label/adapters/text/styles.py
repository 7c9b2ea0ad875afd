"""What hides a sentence in a page: attributes, inline styles, and plain rules of its own style sheets.

No browser: selectors with one tag, class or name are followed, and nothing that a script or another file does. So this
finds the known ways to hide a notice, and its silence proves nothing; reports say so.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from aikz_label.formats import markup
from aikz_label.formats.markup import Token
from aikz_label.values import dataclass

_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
_MAX_DEPTH = 500
_MAX_RULES = 5000
_MAX_SELECTORS, _MAX_DECLARATIONS = 2000, 5000  # characters of one rule
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_SELECTOR = re.compile(r"([a-zA-Z][\w-]*)?(?:([.#])([\w-]+))?")
_LENGTH = re.compile(r"(-?\d{0,9}\.?\d{1,9})(px|pt|em|rem|%)?")
_PX = {"px": 1.0, "pt": 96 / 72, "em": 16.0, "rem": 16.0, "%": 0.16, "": 1.0}
_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
}
# What can take a sentence out of sight; nothing else is kept, however much a page declares.
_AWAY = ("left", "right", "top", "bottom", "text-indent", "margin-left", "margin-top")
_SIZES = ("height", "max-height", "width", "max-width")
_KNOWN = frozenset(
    (
        "all",
        "display",
        "visibility",
        "content-visibility",
        "opacity",
        "overflow",
        "clip",
        "clip-path",
        "transform",
        "color",
        "background",
        "background-color",
        "font",
        "font-size",
        *_AWAY,
        *_SIZES,
    )
)
Colour = tuple[int, int, int]
# What a declaration comes before: important, in the element itself, by identifier, class, tag, and later in the page.
Rank = tuple[bool, bool, bool, bool, bool, int]
Ranked = dict[str, tuple[Rank, str]]
Rules = dict[tuple[str, str, str], Ranked]


@dataclass(frozen=True, slots=True)
class _Look:
    """How text inside an element appears, as far as can be told."""

    hidden: bool = False
    folded: bool = False
    colour: Colour = (0, 0, 0)
    ground: Colour = (255, 255, 255)
    font: float = 16.0


def concealment(page: str, wanted: list[str]) -> dict[str, float]:
    """Figures of what keeps people from seeing the sentences of a notice.

    Args:
        page: The HTML.
        wanted: The sentences.
    """
    text, looks = _appearance(page)
    found = [(at, _at(looks, at)) for at in map(text.find, wanted) if at >= 0]
    if not found:
        away = unseen(page)
        hidden = any(sentence in away for sentence in wanted)
        return {"match": 1.0, "commented_out": 1.0} if hidden else {}
    looks_of = [look for _, look in found]
    figures = {
        "contrast": round(min(_contrast(look.colour, look.ground) for look in looks_of), 2),
        "font_px": min(look.font for look in looks_of),
    }
    if any(look.hidden for look in looks_of):
        figures["hidden"] = 1.0
    if any(look.folded for look in looks_of):
        figures["folded"] = 1.0
    return figures


def unseen(page: str) -> str:
    """What stands where no reader looks: comments, scripts, templates."""
    pieces = [
        page[token.start : token.stop]
        for token in markup.tokens(page)
        if token.kind == "comment" or (token.kind == "raw" and token.name != "title")
    ]
    return html.unescape("\n".join(pieces))


def _appearance(page: str) -> tuple[str, list[tuple[int, _Look]]]:
    """The text of a page, and where in it the look changes."""
    rules = _rules(page)
    stack: list[tuple[str, _Look]] = [("", _Look())]
    pieces: list[str] = []
    looks: list[tuple[int, _Look]] = []
    length = 0
    for token in markup.tokens(page):
        if token.kind == "text":
            piece = html.unescape(page[token.start : token.stop])
            looks.append((length, stack[-1][1]))
            pieces.append(piece)
            length += len(piece)
        elif token.kind == "start" and token.name not in _VOID and len(stack) < _MAX_DEPTH:
            stack.append((token.name, _styled(stack[-1][1], token, rules)))
        elif token.kind == "end":
            open_ones = [name for name, _ in stack[-20:]]
            if token.name in open_ones[-20:]:
                while stack[-1][0] != token.name:
                    stack.pop()
                stack.pop()
                stack = stack or [("", _Look())]
    return "".join(pieces), looks


def _at(looks: list[tuple[int, _Look]], at: int) -> _Look:
    found = _Look()
    for start, look in looks:
        if start > at:
            break
        found = look
    return found


def _styled(around: _Look, token: Token, rules: Rules) -> _Look:
    """The look inside an element: rules of the page, and its own style over them."""
    found: Ranked = {}
    names = {("", ""), ("#", token.get("id")), *((".", c) for c in token.get("class").split())}
    for sign, name in names if rules else ():
        for tag in ("", token.name):
            _merge(found, rules.get((tag, sign, name), {}))
    for key, (important, value) in _declarations(token.get("style")).items():
        _merge(found, {key: ((important, True, False, False, False, 0), value)})
    declared = {key: value for key, (_, value) in found.items()}
    if declared.get("all") in {"initial", "unset"}:
        around = _Look(hidden=around.hidden, folded=around.folded)
    attributes = token.has("hidden") or token.get("aria-hidden").lower() == "true"
    closed = token.name in {"details", "dialog"} and not token.has("open")
    return _Look(
        hidden=around.hidden or attributes or token.name == "template" or _hides(declared),
        folded=around.folded or closed,
        colour=_colour(declared.get("color", "")) or around.colour,
        ground=_colour(declared.get("background-color", declared.get("background", "")))
        or around.ground,
        font=_font(declared, around.font),
    )


def _merge(found: Ranked, more: Ranked) -> None:
    """Keep of each property what comes before the others."""
    for key, ranked in more.items():
        found[key] = max(found.get(key, ranked), ranked)


def _declarations(style: str) -> dict[str, tuple[bool, str]]:
    """Properties of a style, and which are important; such a one is not overridden by a later one that is not."""
    found: dict[str, tuple[bool, str]] = {}
    for part in _COMMENT.sub(" ", style[:20_000]).split(";"):
        name, colon, value = part.partition(":")
        important = "!important" in value.lower()
        key = name.strip().lower()
        if colon and key in _KNOWN and (important or not found.get(key, (False, ""))[0]):
            found[key] = important, re.sub(r"!\s*important", "", value.lower()).strip()
    return found


def _hides(declared: dict[str, str]) -> bool:
    """The ways of style sheets to keep an element out of sight."""
    flat = any(_px(declared.get(key, "")) == 0 for key in _SIZES)
    return (
        declared.get("display") == "none"
        or declared.get("visibility") in {"hidden", "collapse"}
        or declared.get("content-visibility") == "hidden"
        or (_px(declared.get("opacity", "")) or 1) < 0.5
        or declared.get("opacity") == "0"
        or any((_px(declared.get(key, "")) or 0) <= -999 for key in _AWAY)
        or (flat and declared.get("overflow", "").startswith(("hidden", "clip")))
        or declared.get("clip", "").replace(" ", "").startswith("rect(0")
        or declared.get("clip-path", "").startswith(("inset(50%", "inset(100%", "circle(0"))
        or "scale(0" in declared.get("transform", "").replace("scale(0.", "")
    )


def _font(declared: dict[str, str], around: float) -> float:
    value = declared.get("font-size", "") or next(
        (
            part.partition("/")[0]
            for part in declared.get("font", "").split()
            if part[:1].isdigit() and "p" in part
        ),
        "",
    )
    size = _px(value)
    return around if size is None else size


def _px(value: str) -> float | None:
    found = _LENGTH.match(value.strip())
    return float(found[1]) * _PX[found[2] or ""] if found else None


def _rules(page: str) -> Rules:
    """Rules of the page's own style elements whose selector is one tag, class or name."""
    found: Rules = {}
    count = 0
    for selectors, style in _blocks(page):
        declared = _declarations(style)
        for selector in selectors.split(",") if declared else ():
            simple = _SELECTOR.fullmatch(selector.strip())
            if simple and simple[0] and count < _MAX_RULES:
                count += 1
                tag, sign, name = (simple[1] or "").lower(), simple[2] or "", simple[3] or ""
                by = sign == "#", sign == ".", bool(tag), count
                ranked = {k: ((important, False, *by), v) for k, (important, v) in declared.items()}
                _merge(found.setdefault((tag, sign, name), {}), ranked)
    return found


def _blocks(page: str) -> Iterator[tuple[str, str]]:
    """Innermost blocks of the page's style sheets: what stands before one, and in it."""
    for token in markup.tokens(page):
        if (token.kind, token.name) == ("raw", "style"):
            sheet = _COMMENT.sub(" ", page[token.start : token.stop])
            for block in sheet.split("}"):
                before, brace, style = block.rpartition("{")
                selectors = before.rpartition("{")[2].rpartition(";")[2]
                if brace and len(selectors) <= _MAX_SELECTORS and len(style) <= _MAX_DECLARATIONS:
                    yield selectors, style


def _colour(value: str) -> Colour | None:
    name = re.match(r"[a-z]{1,20}(?![\w(-])", value)
    if name and name[0] in _COLOURS:
        return _COLOURS[name[0]]
    digits = re.match(r"#([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-f])", value)
    if digits:
        code = digits[1] if len(digits[1]) == 6 else "".join(c * 2 for c in digits[1])
        return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)
    numbers = re.match(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})", value)
    if numbers:
        red, green, blue = (min(255, int(number)) for number in numbers.groups())
        return red, green, blue
    return None


def _contrast(first: Colour, second: Colour) -> float:
    """WCAG contrast ratio, 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = [c / 255 for c in colour]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
