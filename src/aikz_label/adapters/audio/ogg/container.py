"""Ogg: one stream of Opus, FLAC or Vorbis, and beside it one for the marker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    SoundFile,
    Text,
    needs_recoding,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.ogg.packets import Paging, Read, Timed, headers
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.carriers import ogg, oggpages
from aikz_label.carriers.embedded import MALFORMED, Cut, Place
from aikz_label.carriers.oggpages import BEGINS, Page
from aikz_label.carriers.room import Room
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg.streams import Stream
    from aikz_label.adapters.audio.recoders import Coding, Recoder
    from aikz_label.label import Label
    from aikz_label.limits import Limits

_TITLE = "Ogg"
_MOST_STREAMS = 100
_MOST_MARKER = 1 << 24
_MOST_CUT = 27 + 255 + 255 * 255  # bytes of a page
# One stream from its begin to its end, beside the marker; the same, the last page of which was cut off; several streams of
# the same coding, one behind the other; and what is none of these.
WHOLE, CUT, CHAINED, BROKEN = "whole", "cut", "chained", "broken"
_ALONE = "Take the sound out (ffmpeg -i IN -map 0:a:0 -c copy OUT.ogg), and mark that."


@dataclass(frozen=True, slots=True)
class Ogg(SoundFile):
    """An Ogg file.

    Attributes:
        source: The file.
        first: The pages with which its streams begin.
        heads: The packets before the sound, of the stream that is no marker.
        start: Where the first page of sound is.
        pages: How many pages those packets take.
        size: Bytes of the file.
        shape: What its pages are together, known when it was read thoroughly: one of the words below.
        timed: Its packets, for which the whole file is walked through.
    """

    source: BinaryIO
    first: tuple[Page, ...]
    heads: tuple[bytes, ...]
    start: int
    pages: int
    size: int
    shape: str
    timed: Once[Timed]

    demuxer: ClassVar[str] = "ogg"

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:
        """Read the packets before the sound; when thorough, also go from page to page."""
        size = size_of(source, limits)
        first: list[Page] = []
        for page in oggpages.walk(source, size):
            if not page.flags & BEGINS or len(first) == _MOST_STREAMS:
                break
            first.append(page)
        timed = Once(lambda: Timed.of(found.read_packets(), found.stream.samples))
        found = cls(source, tuple(first), (), 0, 0, size, "", timed)
        sound = found.sound
        packets, start, pages = headers(
            source, size, sound, lambda head: _stream(head).headers(head)
        )
        if not packets:
            raise MediaProblem("damaged", detail_word="cut")
        found = replace(found, heads=packets, start=start, pages=pages)
        return replace(found, shape=found.read_shape()) if thorough else found

    @property
    def sound(self) -> Page:
        """The page with which the stream of sound begins.

        Raises:
            MediaProblem: There is none.
        """
        found = self._streams()
        if not found:
            raise MediaProblem("damaged", detail_word="no-sound")
        return next((page for page in found if self._coding(page).known), found[0])

    def _streams(self) -> list[Page]:
        """The pages with which streams begin that are no marker."""
        return [page for page in self.first if not self._begins_marker(page)]

    def _goes_on(self, page: Page) -> bool:
        """Whether a stream that begins with a page goes on behind the sound: with the same code books, to begin with."""
        if type(self._coding(page)) is not type(self.stream):
            return False
        found, _, _ = headers(
            self.source, self.size, page, lambda head: _stream(head).headers(head), apart=True
        )
        return bool(found) and self.stream.goes_on(self.heads, found)

    def _coding(self, page: Page) -> Stream:
        """What is known of the stream that begins with a page."""
        return _stream(
            pieces.read(self.source, page.start + page.head, page.lacing[0] if page.lacing else 0)
        )

    @property
    def stream(self) -> Stream:
        """What is known of its coding."""
        return _stream(self.heads[0])

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.stream.rate

    @property
    def exact(self) -> bool:
        """See `SoundFile.exact`."""
        return self.stream.exact

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        self.stream.check(self)
        others = [page for page in self._streams() if page != self.sound]
        if any(not self._coding(page).describes for page in others):
            raise refuse_variant(_TITLE, "it has several streams", _ALONE)
        if self.shape == BROKEN:
            raise refuse_variant(
                _TITLE, "something stands between its pages, or they are of several codings"
            )
        if not self.stream.lossy and (others or self.shape == CHAINED):
            raise refuse_variant(_TITLE, "it is several files one behind the other")
        if others:
            raise needs_recoding(_TITLE, "a stream beside its sound tells where its packets are")
        if self.shape == CHAINED:
            raise needs_recoding(_TITLE, "it is several files one behind the other")

    def markers(self) -> Iterator[Place]:
        """The streams that begin as a marker does."""
        for page in self.first:
            if not self._begins_marker(page):
                continue
            pages, data, at = [], [], page.start
            for more in oggpages.walk(self.source, self.size, page.start):
                if more.serial != page.serial or more.stop - at > _MOST_MARKER:
                    break
                pages.append(more)
                data.append(pieces.read(self.source, more.start, more.stop - more.start))
            stop = pages[-1].stop
            store = ogg.store_of(pages, data)
            yield Place(at, stop, store, (Cut(at, stop - at),), MALFORMED)

    def texts(self) -> Iterator[Text]:
        """Of its comments."""
        return self.stream.comments(self.heads).read_texts()

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """See `SoundFile.places`."""
        return self.stream.places(self, seconds, total)

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """See `SoundFile.holds`."""
        return self.stream.holds(self, places)

    def encode(self, samples: Samples) -> Coded:
        """See `SoundFile.encode`."""
        return self.stream.encode(self, samples)

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """See `SoundFile.joined`."""
        return self.stream.joined(self, at, coded, instead)

    def assemble(self, inserts: Sequence[Insert], label: Label, said: list[str]) -> Iterator[Piece]:
        """Packets before the sound with new comments, and pages with other numbers behind them."""
        said += self._left_out()
        shift = Shift(inserts, self.rate)
        fresh = self.stream.changed(self, inserts, label, shift, said)
        paging = Paging(self.sound.serial)
        yield from paging.headers(fresh)
        if inserts:
            yield from self.stream.spliced(self, inserts, paging)
        else:
            yield from self.renumbered(paging, 0)

    def recoder(self, coding: Coding) -> Recoder | None:
        """See `SoundFile.recoder`."""
        return self.stream.recoder(coding)

    def dressed(
        self,
        fresh: Self,
        total: int,  # noqa: ARG002  # the fresh one tells it
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        said += self._left_out()
        shift = Shift(inserts, self.rate)
        comments = self.stream.comments(self.heads).moved(shift).with_mirror(label)
        paging = Paging(self.sound.serial)
        yield from paging.headers(self.stream.renewed(fresh.heads, comments))
        yield from fresh.renumbered(paging, 0)

    def _left_out(self) -> Iterator[str]:
        """What of the file is in no finished one, in sentences."""
        if self.shape == CUT:
            yield "The last page of the file was cut off in the middle, and was left out."
        if self.shape == CHAINED:
            yield "The file was several files one behind the other; the tags of the first are kept."
        if len(self._streams()) > 1:
            yield "The stream that described the places of the sound was left out."

    def renumbered(self, paging: Paging, later: int, start: int = 0) -> Iterator[bytes]:
        """The pages of sound with other numbers, at a later position."""
        for page in self.sound_pages(start):
            data = pieces.read(
                self.source, page.start + page.head, page.stop - page.start - page.head
            )
            granule = page.granule + later if page.granule >= 0 else page.granule
            yield paging.page(page.flags, granule, page.lacing, data)

    def sound_pages(self, start: int = 0) -> Iterator[Page]:
        """The pages of sound."""
        serial = self.sound.serial
        for page in oggpages.walk(self.source, self.size, start or self.start):
            if page.serial == serial:
                yield page

    def read_packets(self, first: int = 0) -> Iterator[Read]:
        """The packets of sound from some number on."""
        start, skipped = self.timed().before(first) if first else (self.start, 0)
        return islice(self._packets_from(start), first - skipped, None)

    def _packets_from(self, start: int) -> Iterator[Read]:
        """The packets that end in pages from some place on; the first one may have lost its beginning."""
        waiting = bytearray()
        for page in self.sound_pages(start):
            data = pieces.read(
                self.source, page.start + page.head, page.stop - page.start - page.head
            )
            at, ends = 0, [i for i, n in enumerate(page.lacing) if n < 255]
            done = 0
            for end in ends:
                length = sum(page.lacing[done : end + 1])
                packet = bytes(waiting + data[at : at + length])
                waiting, done, at = bytearray(), end + 1, at + length
                yield Read(packet, page.granule if end == ends[-1] else -1, page.start)
            waiting += data[at:]

    def room(self) -> Room:
        """A stream of its own behind the first page of the sound."""
        sound = self.sound
        taken = {page.serial for page in self.first}
        stream = ogg.Stream(ogg.serial(taken))
        after = Span(sound.stop, self.size)

        def layout(size: int) -> tuple[Iterator[bytes], Iterator[bytes]]:  # noqa: ARG001  # nothing tells of it
            before = Span(0, sound.stop)
            return pieces.blocks([before], self.source), pieces.blocks([after], self.source)

        return Room(layout, stream.encode, stream.size)

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        at = 0
        for place in self.markers():
            yield Span(at, place.start)
            at = place.stop
        yield Span(at, self.size)

    def _begins_marker(self, page: Page) -> bool:
        head = pieces.read(self.source, page.start + page.head, len(ogg.HEAD))
        return head == ogg.HEAD

    def read_shape(self) -> str:
        """Go from page to page."""
        known = {page.serial for page in self.first}
        firsts = {page.start for page in self.first}
        at, shape = 0, WHOLE
        for page in oggpages.walk(self.source, self.size):
            if page.flags & BEGINS and page.start not in firsts:
                if self._begins_marker(page) or not self._goes_on(page):
                    return BROKEN
                known.add(page.serial)
                shape = CHAINED
            elif page.serial not in known:
                return BROKEN
            at = page.stop
        behind = pieces.read(self.source, at, _MOST_CUT + 1)
        if behind.startswith(b"OggS") and len(behind) <= _MOST_CUT:
            return CUT if shape == WHOLE else shape
        return BROKEN if any(behind[:4096]) else shape


@lru_cache(maxsize=16)  # any bytes can be asked about
def _stream(head: bytes) -> Stream:
    """The class of a coding, by the packet with which it begins."""
    module = import_module("aikz_label.adapters.audio.ogg.streams")
    found: Stream = module.of(head)
    return found
