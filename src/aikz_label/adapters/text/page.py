"""HTML: a note first in the body that the page's own styles cannot hide, metadata and marker in its head.

Everything is written in ASCII, letters as character references, so the page's encoding does not matter.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from aikz_label.adapters.text import statements
from aikz_label.adapters.text.decoded import Decoded, Insertion
from aikz_label.adapters.text.document import Document, Said
from aikz_label.carriers import script
from aikz_label.carriers.embedded import Hole
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.formats import markup
from aikz_label.label import Label, Origin
from aikz_label.report import Mirror

FONT_PX, CONTRAST = 16.0, 21.0  # of the note below: white on black
_FONT = f"font:700 {FONT_PX:g}px/1.4 Arial,'Noto Sans',sans-serif!important"
# Inline and important: no rule of the page's own comes before that. `initial` undoes what else the page says. A body that
# lays its children out in a row gets a narrow column at its start: `contain` keeps long lines from pushing the page away.
_NOTE = (
    "all:initial!important;display:block!important;position:relative!important;z-index:2147483647!important;"
    "flex:0 0 auto!important;order:-9999!important;align-self:stretch!important;max-height:max-content!important;"
    "grid-column:1/-1!important;contain:inline-size!important;min-width:min(14em,100%)!important;"
    "box-sizing:border-box!important;padding:12px 16px!important;border:2px solid #fff!important;"
    f"background:#000!important;color:#fff!important;{_FONT};text-align:left!important;direction:ltr!important;"
    "unicode-bidi:isolate!important;"
    "print-color-adjust:exact!important;-webkit-print-color-adjust:exact!important"
)
# A grid has no first letter: a page's drop capitals would take it apart.
_LINE = f"all:initial!important;display:grid!important;color:#fff!important;{_FONT}"
_LAST = "aikz-label-end"
_LD = "application/ld+json"
_OUR_META = re.compile(
    r'<meta name="ai-disclosure" content="[^"<>]{0,40}"/>'
    r'<meta name="digital-source-type" content="[^"<>]{0,200}"/>'
    r'(?:<meta name="ai-system" content="[^"<>]{0,4000}"/>)?'
    r'<script type="application/ld\+json">\{"@context": "https://schema\.org", "@type": "CreativeWork", '
    r'"digitalSourceType": "[^"<>]{0,200}"\}</script>'
)
_TRACE = re.compile(r"ai-disclosure|digital-?source-?type", re.IGNORECASE)
_MAX_MIRRORS = 20


class Page(Document):
    """HTML and XHTML, whole documents and fragments."""

    form = "aside"

    @cached_property
    def _page(self) -> markup.Page:
        return markup.page(self.text)

    def start(self) -> int:
        """See `Document.start`: the first content of the body."""
        return self._page.body

    def end(self) -> int:
        """See `Document.end`: before the end tag of the body, if nothing but the end follows it."""
        return self._reading[1]

    def compose(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose`."""
        return self._note(origin, languages, "aikz-label")

    def compose_last(self, origin: Origin, languages: Iterable[str]) -> str:
        """See `Document.compose_last`."""
        return self._note(origin, languages, _LAST)

    def spell(self, origin: Origin, language: str) -> str:
        """See `Document.spell`."""
        return _ascii(super().spell(origin, language))

    def _note(self, origin: Origin, languages: Iterable[str], name: str) -> str:
        lines = "".join(
            f'<p lang="{language}" style="{_LINE}">{self.spell(origin, language)}</p>'
            for language in languages
        )
        return f'<aside id="{name}" role="note" style="{_NOTE}">{lines}</aside>'

    def check_place(self) -> None:
        """See `Document.check_place`."""
        if self._page.frames:
            raise Refused(
                "This page is a set of frames: it shows other pages and has no text of its own.",
                code="no-place-for-notice",
                hint="Label the pages in its frames, or use --notice none --notice-reason TEXT.",
            )

    def last(self) -> Said | None:
        """See `Document.last`; most pages have none, and need not be read to their end."""
        return super().last() if _LAST in self.text else None

    def visible(self) -> str:
        """See `Document.visible`: text outside tags, comments, scripts and styles."""
        return self._reading[0]

    @cached_property
    def _reading(self) -> tuple[str, int]:
        """The text of the page, and where its body ends."""
        pieces, end, later = [], len(self.text), True
        for token in markup.tokens(self.text):
            if token.kind == "text":
                piece = self.text[token.start : token.stop]
                later = later or not piece.isspace()
                pieces.append(piece)
            elif token.kind == "start":
                pieces.append(" ")
                later = True
            elif token.kind == "end" and token.name == "body":
                end, later = token.start, False
        return html.unescape("".join(pieces)), len(self.text) if later else end

    # --- metadata -----------------------------------------------------------------------------------------------------

    def mirror(self, label: Label) -> tuple[list[Insertion], tuple[str, ...]]:
        """See `Document.mirror`: `meta` and schema.org in the head."""
        if any(mirror.carrier == "html" for mirror in self.mirrors()):
            return [], (
                "The page's own statements about AI were left as they are; ours were not added.",
            )
        meta = "".join(
            f'<meta name="{key}" content="{_ascii(value)}"/>'
            for key, value in statements.keys(label).items()
        )
        work = {
            "@context": "https://schema.org",
            "@type": "CreativeWork",
            "digitalSourceType": statements.schema_org(label),
        }
        text = f'{meta}<script type="{_LD}">{json.dumps(work)}</script>'
        warnings: tuple[str, ...] = ()
        if _forbids_styles(self._page.policy):
            warnings = (
                "The page's own policy turns inline styles off: the notice takes the page's own style.",
            )
        return [Insertion(self._page.head, text)], warnings

    def mirrors(self) -> Iterator[Mirror]:
        """See `Document.mirrors`."""
        if _TRACE.search(self.text, 0, self._page.body):
            yield from self._in_head()
        yield from super().mirrors()

    def _in_head(self) -> Iterator[Mirror]:
        data, count = False, 0
        for token in markup.tokens(self.text[: self._page.body]):
            found: Iterable[Mirror | None] = ()
            if token.kind == "start" and token.name == "meta":
                found = [statements.read("html", token.get("name"), token.get("content"))]
            elif token.kind == "raw" and data:
                found = _linked_data(self.text[token.start : token.stop])
            data = token.kind == "start" and token.name == "script" and token.get("type") == _LD
            for mirror in found:
                if mirror is not None and count < _MAX_MIRRORS:
                    count += 1
                    yield mirror

    def without_mirror(self) -> Decoded:
        """See `Document.without_mirror`."""
        found = _OUR_META.search(self.text, 0, self._page.body)
        return self.source.cut(found.start(), found.end()) if found else self.source

    # --- the marker ---------------------------------------------------------------------------------------------------

    def hole(self) -> Hole:
        """See `Document.hole`: the end of the head."""
        data = self.source.bytes()
        if self.source.encoding.startswith("utf-16") or script.mentioned(data):
            raise NoCarrier
        return script.hole(data, self.source.offset(self._page.head))


def _ascii(text: str) -> str:
    """Letters as character references, which every encoding holds."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _linked_data(text: str) -> list[Mirror | None]:
    """`digitalSourceType` in JSON-LD, at the outermost level or in a graph."""
    try:
        found = json.loads(text) if len(text) < 65_536 else None
    except (ValueError, RecursionError):
        return []
    nodes = found if isinstance(found, list) else [found]
    graph = [node for n in nodes if isinstance(n, dict) for node in (n.get("@graph") or (n,))]
    values = [node.get("digitalSourceType") for node in graph if isinstance(node, dict)]
    return [statements.read("html", "digitalSourceType", v) for v in values if isinstance(v, str)]


def _forbids_styles(policies: tuple[str, ...]) -> bool:
    """Whether a content security policy in the page ignores style attributes."""
    for policy in policies:
        rules = [part.split() for part in policy.lower().split(";") if part.strip()]
        stated = {rule[0]: rule[1:] for rule in rules}
        for name in ("style-src-attr", "style-src", "default-src"):
            if name in stated:
                if "'unsafe-inline'" not in stated[name]:
                    return True
                break
    return False
