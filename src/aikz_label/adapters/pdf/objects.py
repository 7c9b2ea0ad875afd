"""What a PDF is made of: names, references, numbers, strings, arrays, dictionaries and streams; and their written form.

A dictionary is a `dict` with plain text keys, an array a `list`, a string `bytes`. What is read and written again keeps its
spelling: a name its escapes, a number its digits, a word that means nothing its letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, Union

from aikz_label.values import dataclass

Cipher: TypeAlias = "Callable[[bytes], bytes]"
_REGULAR = frozenset(range(0x21, 0x7F)) - frozenset(b"#%()<>[]{}/")
_PLAIN = re.compile(rb"[\x20-\x27\x2a-\x5b\x5d-\x7e]*")


class Name(str):
    """A name without its slash.

    Attributes:
        token: How it is written, where that is not the usual way.
    """

    __slots__ = ("token",)
    token: bytes


class Ref(NamedTuple):
    """A reference to an object, `12 0 R`."""

    num: int
    gen: int


class Real(float):
    """A number with a fraction, or one that is only meant to be a number.

    Attributes:
        token: How it is written.
    """

    __slots__ = ("token",)
    token: bytes


class Odd(NamedTuple):
    """A word where a value should be; it is kept."""

    token: bytes


Value: TypeAlias = Union[
    "Name", "Ref", "Odd", bytes, int, float, bool, "list[Value]", "dict[str, Value]", None
]
Dict: TypeAlias = "dict[str, Value]"


@dataclass(frozen=True, slots=True)
class Stream:
    """A new stream.

    Attributes:
        dict: Its dictionary; `Length` is added when it is written.
        data: Its bytes, as its filters left them.
        plain: It is never encrypted.
    """

    dict: Dict
    data: bytes
    plain: bool = False


Content: TypeAlias = "Value | Stream"


@dataclass(frozen=True, slots=True)
class Extent:
    """A stream that was found in a file.

    Attributes:
        dict: Its dictionary.
        start: Where its bytes start in the file.
        length: How many there are.
        ref: Which object it is; the key of its bytes may depend on it.
    """

    dict: Dict
    start: int
    length: int
    ref: Ref


def text(value: str) -> bytes:
    """A text string: ASCII as it is, everything else as UTF-16."""
    if value.isascii() and value.isprintable():
        return value.encode("ascii")
    return b"\xfe\xff" + value.encode("utf-16-be")


def as_text(value: object) -> str:
    """What a text string says; empty for anything else. Letters of the old code page are taken for Latin-1."""
    if not isinstance(value, bytes):
        return ""
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    if value.startswith(b"\xff\xfe"):
        return value[2:].decode("utf-16-le", "replace")
    if value.startswith(b"\xef\xbb\xbf"):
        return value[3:].decode("utf-8", "replace")
    return value.decode("latin-1")


def written(value: Value, cipher: Cipher | None = None) -> bytes:
    """The value as it stands in a file.

    Args:
        value: What to write; its depth is that of what was read, which is bounded.
        cipher: Encrypts strings.
    """
    if isinstance(value, dict):
        inside = b"".join(
            b"%b %b" % (_name(key), written(item, cipher)) for key, item in value.items()
        )
        return b"<<%b>>" % inside
    if isinstance(value, list):
        return b"[%b]" % b" ".join(written(item, cipher) for item in value)
    if isinstance(value, Ref):
        return b"%d %d R" % value
    if isinstance(value, bytes):
        return _string(cipher(value) if cipher else value)
    return _atom(value)


def _atom(value: Name | Odd | float | None) -> bytes:
    if isinstance(value, Name):
        return _name(value)
    if isinstance(value, Real | Odd):
        return value.token
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    return f"{value:.5f}".rstrip("0").rstrip(".").encode() or b"0"


def _name(name: str) -> bytes:
    token = getattr(name, "token", None)
    if token is not None:
        return bytes(token)
    spelled = "".join(
        chr(byte) if byte in _REGULAR else f"#{byte:02x}" for byte in name.encode("latin-1")
    )
    return b"/" + spelled.encode()


def _string(value: bytes) -> bytes:
    if _PLAIN.fullmatch(value):
        return b"(%b)" % value
    return b"<%b>" % value.hex().encode()
