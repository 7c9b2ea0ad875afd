"""Pages of Ogg: read, and written with their check sums."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from aikz_label.values import dataclass

CONTINUES, BEGINS, ENDS = 1, 2, 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_WINDOW = 1 << 16


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a file.

    Attributes:
        start: Where it starts.
        flags: Whether it goes on with a packet, and begins or ends its stream.
        granule: Position at the end of its last packet; -1 when none ends here.
        serial: Number of its stream.
        number: Of the page in its stream.
        lacing: Lengths of pieces of packets; one below 255 ends a packet.
    """

    start: int
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes

    @property
    def head(self) -> int:
        """Bytes before its content."""
        return 27 + len(self.lacing)

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + self.head + sum(self.lacing)


def walk(source: BinaryIO, size: int, start: int = 0) -> Iterator[Page]:
    """The pages from some place on, up to the first bytes that are none."""
    window, base, at = b"", start, start
    while True:
        if at + 27 + 255 > base + len(window):
            source.seek(at)
            window, base = source.read(_WINDOW), at
        head = window[at - base : at - base + 27]
        if len(head) < 27 or head[:5] != b"OggS\0":
            return
        lacing = window[at - base + 27 : at - base + 27 + head[26]]
        page = Page(
            at,
            head[5],
            int.from_bytes(head[6:14], "little", signed=True),
            int.from_bytes(head[14:18], "little"),
            int.from_bytes(head[18:22], "little"),
            lacing,
        )
        if len(lacing) < head[26] or page.stop > size:
            return
        yield page
        at = page.stop


def stored(
    flags: int, granule: int, serial: int, number: int, lacing: bytes, content: bytes
) -> bytes:
    """A page as it stands in a file."""
    head = b"".join(
        (
            b"OggS\0",
            bytes((flags,)),
            granule.to_bytes(8, "little", signed=True),
            serial.to_bytes(4, "little"),
            (number & 0xFFFFFFFF).to_bytes(4, "little"),
        )
    )
    tail = bytes((len(lacing),)) + lacing + content
    return head + check_sum(head + bytes(4) + tail).to_bytes(4, "little") + tail


def check_sum(data: bytes) -> int:
    """Ogg's CRC-32 is zlib's with every bit the other way round, and from zero."""
    found = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)
