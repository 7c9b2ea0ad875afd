"""A reader of DER (X.690), as much as certificates and time-stamps need. Pure, bounded, and quick to import.

Only definite lengths in their shortest form and single-byte tags: everything here is signed or hashed byte for byte, so
nothing else is ever right.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

INTEGER, BIT_STRING, OCTET_STRING, OID = 0x02, 0x03, 0x04, 0x06
SEQUENCE, SET = 0x30, 0x31
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_MAX_CHILDREN = 10_000


class Malformed(ValueError):
    """The bytes are not what they should be."""


class Item:
    """One value with its tag. Hundreds are made for one certificate, so it is a plain class.

    Attributes:
        data: What it lies in.
        tag: Its first byte.
        start: Where the tag stands.
        body: Where its content begins.
        end: Where it ends.
    """

    __slots__ = ("body", "data", "end", "start", "tag")

    def __init__(self, data: bytes, tag: int, start: int, body: int, end: int) -> None:
        self.data = data
        self.tag = tag
        self.start = start
        self.body = body
        self.end = end

    @property
    def content(self) -> bytes:
        """The content without tag and length."""
        return self.data[self.body : self.end]

    @property
    def whole(self) -> bytes:
        """All of it."""
        return self.data[self.start : self.end]

    def children(self) -> list[Item]:
        """The values inside a sequence, a set or an explicit tag."""
        if not self.tag & 0x20:
            raise Malformed("not constructed")
        return list(_items(self.data, self.body, self.end))

    def expect(self, tag: int) -> Item:
        """The item itself, if it has this tag."""
        if self.tag != tag:
            raise Malformed(f"tag {self.tag:#x} instead of {tag:#x}")
        return self

    def integer(self) -> int:
        """The value of an INTEGER."""
        content = self.expect(INTEGER).content
        if not content:
            raise Malformed("empty integer")
        return int.from_bytes(content, signed=True)

    def oid(self) -> str:
        """The value of an OBJECT IDENTIFIER, dotted."""
        content = self.expect(OID).content
        if not content or content[-1] & 0x80 or len(content) > 64:
            raise Malformed("object identifier")
        numbers, value = [], 0
        for byte in content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))

    def time(self) -> datetime:
        """The value of a UTCTime or a GeneralizedTime, which DER writes in UTC."""
        text = self.content.decode("ascii", "replace")
        if self.tag == _UTC_TIME and len(text) == 13:
            text = ("19" if text >= "50" else "20") + text
        elif self.tag != _GENERALIZED_TIME:
            raise Malformed("time")
        whole, point, fraction = text.removesuffix("Z").partition(".")
        if not text.endswith("Z") or len(whole) != 14 or not (whole + fraction).isdecimal():
            raise Malformed("time")
        if bool(point) != bool(fraction):
            raise Malformed("time")
        try:
            moment = datetime.fromisoformat(f"{whole[:8]}T{whole[8:]}").replace(tzinfo=UTC)
        except ValueError as error:
            raise Malformed("time") from error
        return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)


def encode(tag: int, content: bytes) -> bytes:
    """A value with its tag and length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    width = (size.bit_length() + 7) // 8
    return bytes((tag, 0x80 | width)) + size.to_bytes(width) + content


def encode_oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER.

    Raises:
        Malformed: The text is none.
    """
    try:
        first, second, *rest = map(int, dotted.split("."))
    except ValueError:
        raise Malformed("object identifier") from None
    if (
        not (0 <= first <= 2 and 0 <= second < (40 if first < 2 else 1 << 32))
        or min(rest, default=0) < 0
    ):
        raise Malformed("object identifier")
    return encode(OID, b"".join(map(_base128, (40 * first + second, *rest))))


def _base128(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def parse(data: bytes) -> Item:
    """The one value that fills the data.

    Raises:
        Malformed: It does not.
    """
    item = _item(data, 0, len(data))
    if item.end != len(data):
        raise Malformed("bytes after the end")
    return item


def _items(data: bytes, at: int, end: int) -> Iterator[Item]:
    count = 0
    while at < end:
        item = _item(data, at, end)
        at = item.end
        count += 1
        if count > _MAX_CHILDREN:
            raise Malformed("too many parts")
        yield item


def _item(data: bytes, at: int, end: int) -> Item:
    if at + 2 > end or data[at] & 0x1F == 0x1F:
        raise Malformed("tag")
    length, body = data[at + 1], at + 2
    if length & 0x80:
        width = length & 0x7F
        if not 1 <= width <= 4 or body + width > end:
            raise Malformed("length")
        length = int.from_bytes(data[body : body + width])
        if length < 0x80 or length >> (8 * (width - 1)) == 0:
            raise Malformed("length")
        body += width
    if body + length > end:
        raise Malformed("length")
    return Item(data, data[at], at, body, body + length)
