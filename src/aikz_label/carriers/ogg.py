"""The carrier of Ogg: a logical stream of its own, whose one packet is the marker (C2PA 2.4 profile of encypher).

Its pages stand behind the first page of the sound. Everything in them follows from the marker and the number of the stream,
so nothing can hide in the bytes that the binding leaves out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aikz_label.carriers import oggpages
from aikz_label.carriers.oggpages import BEGINS, CONTINUES, ENDS, Page
from aikz_label.values import dataclass

HEAD = b"\0c2pa"
_SERIAL = 0xC2FAC2FA
_MOST = 255 * 255  # bytes of a page


def serial(taken: Collection[int]) -> int:
    """A number for the stream that no other stream has."""
    return next(n for n in range(_SERIAL, _SERIAL + len(taken) + 1) if n not in taken)


@dataclass(frozen=True, slots=True)
class Stream:
    """The pages of a marker.

    Attributes:
        serial: Number of its stream.
    """

    serial: int

    def encode(self, store: bytes) -> bytes:
        """The pages."""
        return b"".join(self._pages(HEAD + store))

    def size(self, store: bytes) -> int:
        """How many bytes those take."""
        length = len(HEAD) + len(store)
        pages = length // _MOST + 1
        return length + 27 * pages + length // 255 + 1

    def _pages(self, packet: bytes) -> Iterator[bytes]:
        count = len(packet) // _MOST + 1
        for number in range(count):
            part = packet[number * _MOST : (number + 1) * _MOST]
            last = number == count - 1
            lacing = bytes((255,)) * (len(part) // 255)
            lacing += bytes((len(part) % 255,)) if last else b""
            flags = (CONTINUES if number else BEGINS) | (ENDS if last else 0)
            yield oggpages.stored(flags, 0, self.serial, number, lacing, part)


def store_of(pages: list[Page], data: list[bytes]) -> bytes | None:
    """The marker in the pages of a stream, taken apart; `None` when they are not exactly as they are written."""
    packet = b"".join(one[page.head :] for page, one in zip(pages, data, strict=True))
    store = packet.removeprefix(HEAD)
    whole = b"".join(data)
    return store if Stream(pages[0].serial).encode(store) == whole else None
