"""Packets of Ogg, out of pages and into pages."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.carriers import oggpages
from aikz_label.carriers.oggpages import BEGINS, CONTINUES, ENDS, Page
from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Later("numpy")

_FULL = 4096  # bytes of a page of sound, about
_MOST_HEADERS = 1 << 26
_MOST_PACKETS = 200


@dataclass(frozen=True, slots=True)
class Read:
    """A packet.

    Attributes:
        data: It.
        granule: The position that its page tells if it is the last one that ends there, else -1.
        page: Where that page starts.
    """

    data: bytes
    granule: int
    page: int


@dataclass(frozen=True, slots=True)
class Timed:
    """When each packet is heard, and where it is.

    Attributes:
        starts: How many samples come before each packet, and before the end.
        pages: Where each page starts in which a packet ends.
        firsts: Number of the first packet that ends there.
    """

    starts: NDArray[np.int64]
    pages: NDArray[np.int64]
    firsts: NDArray[np.int64]

    @classmethod
    def of(cls, packets: Iterable[Read], samples: Callable[[bytes], int]) -> Self:
        """Walk through packets, of which one tells its samples."""
        starts, pages, firsts = array("q", [0]), array("q"), array("q")
        for number, packet in enumerate(packets):
            if not pages or pages[-1] != packet.page:
                pages.append(packet.page)
                firsts.append(number)
            starts.append(starts[-1] + samples(packet.data))
        return cls(*(np.array(kept, np.int64) for kept in (starts, pages, firsts)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def before(self, number: int) -> tuple[int, int]:
        """Where a page starts in which no packet from some number on begins before it, and its first packet's number.

        Raises:
            MediaProblem: There are no packets.
        """
        if not len(self.pages):
            raise MediaProblem("damaged", detail_word="no-sound")
        at = max(int(np.searchsorted(self.firsts, number, "left")) - 1, 0)
        return int(self.pages[at]), int(self.firsts[at])


def headers(
    source: BinaryIO,
    size: int,
    first: Page,
    count: Callable[[bytes], int],
    *,
    apart: bool = False,
) -> tuple[tuple[bytes, ...], int, int]:
    """The packets before the sound, where the page behind them starts, and how many pages they take.

    Args:
        source: The file.
        size: Its length.
        first: The page with which the stream begins.
        count: How many packets there are, by the first one; 0 when only the packets themselves tell.
        apart: No page of another stream may be among theirs. Whoever asks of many streams must not walk far for each.

    Raises:
        MediaProblem: They do not end with a page, or are longer than any.
    """
    found: list[bytes] = []
    waiting, spent, pages = bytearray(), 0, 0
    for page in oggpages.walk(source, size, first.start):
        if apart and (page.serial != first.serial or (page.flags & BEGINS and pages)):
            break
        if page.serial != first.serial:
            continue
        data = pieces.read(source, page.start + page.head, page.stop - page.start - page.head)
        spent += len(data)
        pages += 1
        if spent > _MOST_HEADERS or len(found) > _MOST_PACKETS:
            raise MediaProblem("over-limit", what_word="bytes", found=spent, limit=_MOST_HEADERS)
        at = done = 0
        for end in (i for i, n in enumerate(page.lacing) if n < 255):
            length = sum(page.lacing[done : end + 1])
            found.append(bytes(waiting + data[at : at + length]))
            waiting, done, at = bytearray(), end + 1, at + length
        waiting += data[at:]
        wanted = count(found[0]) if found else 1
        last = wanted == 0 and len(found) > 1 and found[-1][:1] and found[-1][0] & 0x80
        if not waiting and found and (len(found) == wanted or last):
            return tuple(found), page.stop, pages
        if wanted and len(found) >= wanted:
            raise MediaProblem("damaged", detail_word="cut")
    return (), 0, 0


class Paging:
    """Pages of a stream, numbered as they come.

    Args:
        serial: Number of the stream.
    """

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._number = 0
        self._packets: list[bytes] = []
        self._granule = 0

    def page(self, flags: int, granule: int, lacing: bytes, data: bytes) -> bytes:
        """A page with the next number.

        Raises:
            MediaProblem: No page can tell such a position.
        """
        if granule >= 1 << 63:
            raise MediaProblem("damaged", detail_word="too-long")
        number, self._number = self._number, self._number + 1
        return oggpages.stored(flags, granule, self._serial, number, lacing, data)

    def headers(self, packets: Sequence[bytes]) -> Iterator[bytes]:
        """The first packet on a page of its own, and pages for the others."""
        yield from self._pages(packets[:1], 0, BEGINS)
        if packets[1:]:
            yield from self._pages(packets[1:], 0, 0)

    def add(self, packet: bytes, granule: int, *, last: bool = False) -> Iterator[bytes]:
        """One packet more, and pages as they become full; `granule` is the position at its end."""
        self._packets.append(packet)
        self._granule = granule
        if sum(map(len, self._packets)) >= _FULL or len(self._packets) == 50 or last:
            yield from self.flush(ends=last)

    def flush(self, *, ends: bool = False) -> Iterator[bytes]:
        """Pages for the packets that wait."""
        if self._packets:
            yield from self._pages(self._packets, self._granule, 0, ends=ends)
            self._packets = []

    def _pages(
        self, packets: Sequence[bytes], granule: int, flags: int, *, ends: bool = False
    ) -> Iterator[bytes]:
        lacing = b"".join(b"\xff" * (len(p) // 255) + bytes((len(p) % 255,)) for p in packets)
        data = b"".join(packets)
        at = 0
        for start in range(0, len(lacing), 255):
            part = lacing[start : start + 255]
            last = start + 255 >= len(lacing)
            continued = CONTINUES if start and lacing[start - 1] == 255 else 0
            told = granule if last else (0 if any(n < 255 for n in part) and not granule else -1)
            end = ENDS if last and ends else 0
            yield self.page(flags | continued | end, told, part, data[at : at + sum(part)])
            at += sum(part)
