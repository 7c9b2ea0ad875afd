"""A text file as characters, and back without a change."""

from __future__ import annotations

import re
import unicodedata

from aikz_label.adapters import MediaProblem
from aikz_label.limits import Limits
from aikz_label.values import dataclass, replace

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# Markup says where it can be edited in ASCII; its other bytes are kept as they are, whatever they mean.
_BYTES = "latin-1"
_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Insertion:
    """Something to write between two characters."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """Characters of a file, and how they were written.

    Attributes:
        text: All of them, without a byte order mark.
        bom: The byte order mark.
        encoding: Python's name of the encoding.
    """

    text: str
    bom: bytes = b""
    encoding: str = "utf-8"

    @property
    def newline(self) -> str:
        """What its first line ends with; a line feed when there is only one line."""
        found = _BREAK.search(self.text)
        return found[0] if found else "\n"

    @property
    def unicode(self) -> bool:
        """It can hold every letter."""
        return self.encoding != _BYTES

    @property
    def normal(self) -> bool:
        """It is in the one form that the marker of plain text is bound to: UTF-8, composed."""
        return self.encoding == "utf-8" and unicodedata.is_normalized("NFC", self.text)

    def bytes(self) -> bytes:
        """The file."""
        return self.bom + self.text.encode(self.encoding)

    def offset(self, at: int) -> int:
        """Bytes before a character."""
        return len(self.bom) + len(self.text[:at].encode(self.encoding))

    def cut(self, start: int, stop: int) -> Decoded:
        """The same without some characters."""
        return replace(self, text=self.text[:start] + self.text[stop:])

    def inserted(self, insertions: list[Insertion]) -> Decoded:
        """The same with more characters."""
        pieces, done = [], 0
        for item in sorted(insertions, key=lambda one: one.at):
            pieces += [self.text[done : item.at], item.text]
            done = item.at
        return replace(self, text="".join([*pieces, self.text[done:]]))


def decode(data: bytes, limits: Limits, *, markup: bool) -> Decoded:
    """Take a file apart.

    Args:
        data: The file.
        limits: Caps.
        markup: It is HTML or XML, which can be edited without knowing its encoding.

    Raises:
        MediaProblem: It is too large, or no text.
    """
    if len(data) > limits.max_text:
        raise MediaProblem("over-limit", what_word="bytes", found=len(data), limit=limits.max_text)
    bom, encoding = next(((b, e) for b, e in _BOMS if data.startswith(b)), (b"", "utf-8"))
    try:
        return Decoded(data[len(bom) :].decode(encoding), bom, encoding)
    except UnicodeDecodeError as error:
        if markup and not bom:
            return Decoded(data.decode(_BYTES), b"", _BYTES)
        raise MediaProblem("damaged", detail_word="encoding") from error
