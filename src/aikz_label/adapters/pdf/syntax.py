"""Reading values of PDF from bytes: lenient as viewers are, bounded in depth and count, and never recursive without end.

What a viewer would still make sense of is read; what nothing can be made of raises `Malformed`. A value that ends where the
bytes end raises `Short`, so that the caller can bring more of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aikz_label.adapters.pdf.objects import Dict, Name, Odd, Real, Ref, Value

MAX_DEPTH = 100
_SPACE = rb"(?:[\x00\t\n\x0c\r ]|%[^\r\n]*(?=[\r\n]))*+"
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_TOKEN = re.compile(
    _SPACE
    + rb"(?:(?P<ref>(?P<num>\d{1,10})[\x00\t\n\x0c\r ]+(?P<gen>\d{1,5})[\x00\t\n\x0c\r ]+R(?!"
    + _REGULAR
    + rb"))|(?P<int>[+-]?\d{1,18}(?!"
    + _REGULAR
    + rb"))|(?P<real>[+\-.\d]"
    + _REGULAR
    + rb"*)|(?P<name>/"
    + _REGULAR
    + rb"*)|(?P<open><<|\[)|(?P<close>>>|\])|(?P<hex><[^<>]*>)|(?P<string>\()|(?P<word>"
    + _REGULAR
    + rb"+|[<>{})]))"
)
_HEADER = re.compile(_SPACE + rb"(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,10})[\x00\t\n\x0c\r ]*obj")
_STREAM = re.compile(_SPACE + rb"stream(\r\n|\n|\r|)")
_ESCAPES = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|[\r\n])|(.))|\r\n?", re.DOTALL)
_NESTING = re.compile(rb"[()]|\\.", re.DOTALL)
_SHORT_FORMS = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
}
_ENDS = {b"endobj", b"stream", b"endstream", b"xref", b"trailer", b"startxref", b"obj"}
_WORDS: dict[bytes, Value] = {b"true": True, b"false": False, b"null": None}
_HEX = re.compile(rb"[^0-9A-Fa-f]+")
_HEX_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")


class Malformed(ValueError):
    """These bytes are no value."""


class Short(Malformed):
    """The bytes end within a value."""


class Parser:
    """Reads values from one piece of a file, one after the other.

    Attributes:
        data: The piece.
        at: Where the next value is read.
        whole: The file ends where the piece ends.
        garbled: Something in a dictionary was passed over; written again, it would be lost.
    """

    __slots__ = ("_closing", "at", "data", "garbled", "whole")

    def __init__(self, data: bytes, at: int = 0, *, whole: bool = True) -> None:
        self.data = data
        self.at = at
        self.whole = whole
        self.garbled = False
        self._closing = b""

    def header(self) -> Ref | None:
        """Number and generation where an object starts."""
        found = _HEADER.match(self.data, self.at)
        if found is None:
            return None
        self.at = found.end()
        return Ref(int(found[1]), int(found[2]))

    def stream(self) -> int | None:
        """Where the bytes of a stream start, if one follows."""
        found = _STREAM.match(self.data, self.at)
        if found is None:
            if not self.whole and len(self.data) - self.at < 64:
                raise Short
            return None
        if not self.whole and found.end() + 2 > len(self.data):
            raise Short
        return found.end()

    def value(self, depth: int = 0) -> Value:
        """The next value.

        Raises:
            Malformed: There is none, or it is nested too deep.
            Short: It goes on beyond the piece.
        """
        if depth > MAX_DEPTH:
            raise Malformed("nested too deep")
        found = _TOKEN.match(self.data, self.at)
        kind = found.lastgroup if found else None
        if found is None or kind is None:
            raise Short if not self.whole else Malformed("no value")
        # a word at the very end may go on
        if found.end() + 24 > len(self.data) and not self.whole:
            raise Short
        self.at = found.end()
        return self._made(kind, found, depth)

    def _made(self, kind: str, found: re.Match[bytes], depth: int) -> Value:
        token = found[kind]
        simple = _SIMPLE.get(kind)
        if simple is not None:
            return simple(token)
        if kind == "ref":
            return Ref(int(found["num"]), int(found["gen"]))
        if kind == "open":
            return self._dict(depth) if token == b"<<" else self._list(depth)
        if kind == "string":
            return self._string()
        if kind == "close" or token in _ENDS:
            self._closing = token
            raise _Closed
        return _WORDS[token] if token in _WORDS else Odd(token)

    def _list(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while True:
            start = self.at
            try:
                items.append(self.value(depth + 1))
            except _Closed:
                if self._closing not in {b"]", b">>"}:
                    self.at = start
                return items

    def _dict(self, depth: int) -> Dict:
        entries: Dict = {}
        while True:
            start = self.at
            try:
                key = self.value(depth + 1)
                if not isinstance(key, Name):
                    self.garbled = True
                    continue
                start = self.at
                entries[key] = None
                entries[key] = self.value(depth + 1)
            except _Closed:
                if self._closing not in {b">>", b"]"}:
                    self.at = start
                elif self._closing == b"]":
                    continue
                return entries

    def _string(self) -> bytes:
        depth, start = 1, self.at
        for found in _NESTING.finditer(self.data, self.at):
            if found[0] == b"(":
                depth += 1
            elif found[0] == b")":
                depth -= 1
                if depth == 0:
                    self.at = found.end()
                    return _unescaped(self.data[start : found.start()])
        raise Malformed("a string without an end") if self.whole else Short


class _Closed(Malformed):
    """A bracket or a word ended what was being read."""


def name(token: bytes) -> Name:
    """A name from how it is written, slash and all."""
    if b"#" not in token and token.isascii():
        return Name(token[1:].decode("ascii"))
    spelled = _HEX_NAME.sub(lambda found: bytes.fromhex(found[1].decode()), token[1:])
    made = Name(spelled.decode("latin-1"))
    made.token = token
    return made


def _real(token: bytes) -> Real:
    try:
        made = Real(token)
    except ValueError:
        made = Real(0.0)
    if made != made or made in {float("inf"), float("-inf")}:  # noqa: PLR0124
        made = Real(0.0)
    made.token = token
    return made


def _unescaped(inside: bytes) -> bytes:
    if b"\\" not in inside and b"\r" not in inside:
        return inside
    return _ESCAPES.sub(_escape, inside)


def _escape(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes([int(found[1], 8) & 0xFF])
    if found[2] is not None:
        return b""
    if found[3] is not None:
        return _SHORT_FORMS.get(found[3], found[3])
    return b"\n"  # an end of line, however it is written


def _hex(token: bytes) -> bytes:
    digits = _HEX.sub(b"", token)
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


_SIMPLE: dict[str, Callable[[bytes], Value]] = {
    "int": int,
    "name": name,
    "hex": _hex,
    "real": _real,
}
