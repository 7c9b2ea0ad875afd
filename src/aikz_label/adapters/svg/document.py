"""An SVG file as text, with the places of what matters in it; edited only by writing between what is there.

The text is walked once, token by token; `source` has seen to it that it is well-formed and that no entity holds markup.
Everything is bounded and linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.svg import source
from aikz_label.limits import MIB
from aikz_label.values import dataclass, field

Edit = tuple[int, int, str]
"""Start and stop of a part of the text, and what comes there."""

NAMESPACE = "http://www.w3.org/2000/svg"
MAX_BYTES = 32 * MIB  # the largest of the reference corpora has 3
_MAX_TAGS = 2_000_000
_MAX_DEPTH = 2000

_TOKEN = re.compile(
    rf"{source.COMMENT}|<!\[CDATA\[.*?\]\]>|(?P<instruction>{source.INSTRUCTION})"
    rf"|<(?P<end>/?)(?P<name>[^\s/>!?][^\s/>]*)(?P<rest>(?:[^\"'>]++|{source.QUOTED})*+)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rf"([^\s=/]+)\s*=\s*({source.QUOTED})")
_REFERENCE = re.compile(r"&(#x[0-9A-Fa-f]{1,8}|#\d{1,8}|[^;&\s]{1,100});")
_HANDLER = re.compile(r"(?:^|[\s:])on\w+\s*=")
_MAY_RUN = re.compile(
    r"&|s\s*c\s*r\s*i\s*p\s*t\s*:", re.IGNORECASE
)  # an address, perhaps in references
_RUNS = re.compile(r"javascript:|vbscript:", re.IGNORECASE)
_IGNORED = re.compile(r"[\0- ]+")  # in addresses
_MARKUP = re.compile(r"(<!\[CDATA\[.*?\]\]>|<!--.*?-->|<[^>]*>)", re.DOTALL)
# Elements that can hide or carry something wherever they stand.
_KEPT = {
    "animate",
    "animateColor",
    "animateMotion",
    "animateTransform",
    "discard",
    "embed",
    "handler",
    "iframe",
    "link",
    "listener",
    "manifest",
    "meta",
    "object",
    "script",
    "set",
    "style",
    "xmpmeta",
}
_PREDEFINED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name as it is written, its value with references resolved, and where the value stands."""

    name: str
    value: str
    start: int
    stop: int


@dataclass(slots=True)
class Element:
    """An element and its places in the text.

    Attributes:
        name: Without prefix.
        prefix: Empty without one.
        depth: How many elements it stands in.
        start: Of its start tag.
        inside: Behind its start tag; that of an empty tag is behind the element.
        close: Of its end tag; behind an empty tag.
        stop: Behind the element.
    """

    name: str
    prefix: str
    depth: int
    start: int
    inside: int
    close: int = -1
    stop: int = -1

    @property
    def empty(self) -> bool:
        """Written as one tag."""
        return self.stop == self.inside


@dataclass(slots=True)
class Document:
    """A file taken apart.

    Attributes:
        text: All of it, without a byte order mark.
        encoding: How it is stored.
        mark: The byte order mark, or empty.
        entities: What the document type declares.
        elements: The root first, its children, and others whose names matter.
        instructions: Processing instructions.
        handlers: Some attribute anywhere runs a program, as a handler or behind a link.
    """

    text: str
    encoding: str
    mark: bytes
    entities: Mapping[str, str] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)
    instructions: list[str] = field(default_factory=list)
    handlers: bool = False

    @classmethod
    def parse(cls, data: bytes, *, thorough: bool) -> Document:
        """Take a file apart; when thorough, have a parser see that it is well-formed.

        Raises:
            MediaProblem: It is no SVG, not well-formed, or over a limit.
        """
        if len(data) > MAX_BYTES:
            raise MediaProblem("over-limit", what_word="bytes", found=len(data), limit=MAX_BYTES)
        document = cls(*source.decoded(data))
        document.entities = source.entities(document.text)
        if thorough:
            source.check_markup(document.text)
        document._take_apart()
        return document

    @classmethod
    def of_text(cls, text: str) -> Document:
        """The same for text that was decoded before."""
        document = cls(text, "utf-8", b"")
        document._take_apart()
        return document

    def _take_apart(self) -> None:
        _Walk(self).run()
        if not self.elements or self.root.name != "svg":
            raise MediaProblem("damaged", detail_word="no-header")

    def opened(self) -> Document:
        """The same with a root of two tags, so that something can be written into it."""
        root = self.root
        if not root.empty:
            return self
        name = f"{root.prefix}:{root.name}" if root.prefix else root.name
        return self.rewritten([(root.inside - 2, root.inside, f"></{name}>")])

    def rewritten(self, edits: Iterable[Edit]) -> Document:
        """The same with parts of its text replaced, taken apart anew."""
        fresh = Document(self._replaced(edits), self.encoding, self.mark, self.entities)
        fresh._take_apart()
        return fresh

    @property
    def root(self) -> Element:
        """The outermost element."""
        return self.elements[0]

    @property
    def children(self) -> list[Element]:
        """Elements directly in the root."""
        return [element for element in self.elements if element.depth == 1]

    def named(self, *names: str) -> list[Element]:
        """Elements of these names, anywhere; see `_KEPT` for those that are known."""
        return [element for element in self.elements if element.name in names]

    def attributes(self, element: Element) -> Iterator[Attribute]:
        """What stands in its start tag."""
        for match in _ATTRIBUTE.finditer(self.text[element.start : element.inside]):
            value = self.resolved(match[2][1:-1])
            first, last = match.span(2)
            yield Attribute(match[1], value, element.start + first + 1, element.start + last - 1)

    def attribute(self, element: Element, name: str) -> Attribute | None:
        """One of them."""
        return next((one for one in self.attributes(element) if one.name == name), None)

    def content(self, element: Element) -> str:
        """Text in an element, CDATA sections and references resolved, comments and tags left out."""
        inside = self.text[element.inside : element.close]
        return "".join(
            part[9:-3] if part.startswith("<![CDATA[") else self.resolved(part)
            for part in _MARKUP.split(inside)
            if not part.startswith("<") or part.startswith("<![CDATA[")
        )

    def resolved(self, text: str) -> str:
        """References replaced by what they stand for."""
        return _REFERENCE.sub(self._resolve, text) if "&" in text else text

    def _resolve(self, match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("#"):
            return source.character(name)
        return _PREDEFINED.get(name) or self.entities.get(name, "")

    def namespaces(self) -> dict[str, str]:
        """Namespaces that the root declares, by prefix."""
        return {
            one.name.partition(":")[2]: one.value
            for one in self.attributes(self.root)
            if one.name == "xmlns" or one.name.startswith("xmlns:")
        }

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The file with parts of its text replaced; letters that its encoding has not become references."""
        return self.mark + self._replaced(edits).encode(self.encoding, "xmlcharrefreplace")

    def _replaced(self, edits: Iterable[Edit]) -> str:
        out, at = [], 0
        for start, stop, fresh in sorted(edits, key=lambda edit: edit[:2]):
            out += [self.text[at:start], fresh]
            at = stop
        return "".join([*out, self.text[at:]])


class _Walk:
    """Notes the root, its children, and every element of a known name."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: list[Element] = []
        self._depth = 0

    def run(self) -> None:
        document = self._document
        declared = source.document_type(document.text)
        count = 0
        for match in _TOKEN.finditer(document.text, declared.end() if declared else 0):
            if match["instruction"]:
                document.instructions.append(match["instruction"])
            if match["name"] is None:
                continue
            count += 1
            if match["end"]:
                self._end(match)
            else:
                self._start(match)
            if count > _MAX_TAGS:
                raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MAX_TAGS)
            if self._depth > _MAX_DEPTH:
                raise MediaProblem(
                    "over-limit", what_word="levels", found=self._depth, limit=_MAX_DEPTH
                )
        if self._depth or self._open:
            raise MediaProblem("damaged", detail_word="markup")

    def _start(self, match: re.Match[str]) -> None:
        document, rest = self._document, match["rest"]
        if not document.handlers and (_HANDLER.search(rest) or _MAY_RUN.search(rest)):
            document.handlers = any(
                self._runs(one[1], one[2][1:-1]) for one in _ATTRIBUTE.finditer(rest)
            )
        prefix, _, name = match["name"].rpartition(":")
        empty = rest.endswith("/")
        if self._depth < 2 or name in _KEPT:
            element = Element(name, prefix, self._depth, match.start(), match.end())
            document.elements.append(element)
            if empty:
                element.close = element.stop = match.end()
            else:
                self._open.append(element)
        self._depth += not empty

    def _runs(self, name: str, raw: str) -> bool:
        """Whether an attribute holds a program: a handler that is not empty, or an address that is one."""
        value = _IGNORED.sub("", self._document.resolved(raw))
        return bool((value and name.rpartition(":")[2].startswith("on")) or _RUNS.search(value))

    def _end(self, match: re.Match[str]) -> None:
        self._depth -= 1
        if self._depth < 0:
            raise MediaProblem("damaged", detail_word="markup")
        if self._open and self._open[-1].depth == self._depth:
            element = self._open.pop()
            element.close, element.stop = match.start(), match.end()
