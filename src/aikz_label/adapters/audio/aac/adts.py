"""AAC in ADTS: a head before every packet, no tags of its own, and no place for a marker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import frames, pieces
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.aac.coding import Config
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    SoundFile,
    Text,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.frames import Frames, Once
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder
from aikz_label.adapters.audio.shifting import Shift, kept
from aikz_label.adapters.audio.tags.id3_file import Tagged
from aikz_label.limits import MIB
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.carriers.embedded import Place
    from aikz_label.label import Label
    from aikz_label.limits import Limits

_TITLE = "AAC"
_FIRST_REPEAT = 8  # frames that must stand before a repeated notice


@dataclass(frozen=True, slots=True)
class Adts(SoundFile):
    """An ADTS file.

    Attributes:
        source: The file.
        tagged: An ID3 tag before the sound.
        head: Head of the first frame.
        size: Bytes of the file.
        walked: The frames, for which the whole file is walked through, and whether every one holds a single packet.
    """

    source: BinaryIO
    tagged: Tagged
    head: bytes
    size: int
    walked: Once[tuple[Frames, bool]]

    demuxer: ClassVar[str] = "aac"
    embeds: ClassVar[bool] = False

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:
        """Read the tag and the first head; when thorough, its frame must be whole."""
        size = size_of(source, limits)
        tagged = Tagged.read(source)
        head = pieces.read(source, tagged.stop, 7)
        if not _length(head):
            raise MediaProblem("damaged", detail_word="no-sound")
        if thorough and tagged.stop + _length(head) > size:
            raise MediaProblem("damaged", detail_word="cut")
        walked = Once(lambda: _walked(source, tagged.stop, size, head))
        return cls(source, tagged, head, size, walked)

    @property
    def frames(self) -> Frames:
        """The frames."""
        return self.walked()[0]

    @property
    def config(self) -> Config:
        """What the head says of the packets."""
        kind, index = (self.head[2] >> 6) + 1, self.head[2] >> 2 & 15
        channels = (self.head[2] & 1) << 2 | self.head[3] >> 6
        return Config(kind, (*aac.RATES, 0, 0, 0)[index], channels)

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.config.rate

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        self.config.check(_TITLE)
        if not self.walked()[1]:
            raise refuse_variant(_TITLE, "its frames hold several packets")
        behind = pieces.read(self.source, self.frames.stop, 7)
        if behind and behind[:3] != b"TAG" and not _length(behind):  # a last frame can be cut
            raise refuse_variant(_TITLE, "something stands between or behind its frames")

    def check_decoded(self, rate: int) -> None:
        """Spectral band replication is not announced here."""
        if rate != self.rate:
            raise aac.high_efficiency(_TITLE)

    def markers(self) -> Iterator[Place]:
        """None: there is no place for one."""
        return iter(())

    def texts(self) -> Iterator[Text]:
        """Of the tag before the sound."""
        return self.tagged.texts()

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """The starts of frames that have frames before them."""
        found = [0]
        for second in seconds[1:]:
            number = round(second * self.config.rate / aac.FRAME)
            if number >= len(self.frames):
                found.append(total)
            elif number > _FIRST_REPEAT:
                found.append(number * aac.FRAME)
        return tuple(found)

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole frames can be taken out."""
        return not any(at % aac.FRAME for place in places for at in place)

    def encode(self, samples: Samples) -> Coded:
        """Frames with a head like those of the file."""
        seconds = len(self.frames) * aac.FRAME / self.config.rate
        bits = int(frames.total(self.frames.sizes) * 8 / seconds)
        made = aac.coded(_TITLE, self.config, samples, bits, 0)
        return Coded(tuple(self._framed(packet) for packet in made.data), made.length)

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """Between frames, the one before comes again, because the next one is laid over its end."""
        number = at // aac.FRAME
        if not number or number + instead // aac.FRAME >= len(self.frames):
            return coded
        place = self.frames.place(number - 1)
        again = pieces.read(self.source, place, int(self.frames.sizes[number - 1]))
        return Coded((*coded.data, again), coded.length + aac.FRAME)

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002  # everything can be written
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        yield from self.tagged.rewritten(label, Shift(inserts, self.config.rate), aac.FRAME)
        for (start, stop), insert in zip_longest(kept(inserts), inserts):
            yield Span(self._place(start), self._place(stop))
            if insert is not None:
                yield b"".join(insert.coded)
        yield Span(self.frames.stop, self.size)

    def recoder(self, coding: Coding) -> Recoder:
        """See `SoundFile.recoder`; nothing here tells how late a decoder is."""
        coder = aac.recoder(_TITLE, coding)
        options = {"write_id3v2": "0"}
        return Muxed("adts", coder, options, step=aac.FRAME, early=aac.CODER_DELAY)

    def dressed(
        self,
        fresh: Self,
        total: int,  # noqa: ARG002  # the fresh one tells it
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        yield from self.tagged.rewritten(label, Shift(inserts, fresh.rate), aac.FRAME)
        yield Span(fresh.frames.start, fresh.frames.stop, fresh.source)
        yield Span(self.frames.stop, self.size)

    def same_packets(self, painted: Self, inserts: Sequence[Insert]) -> bool:
        """See `SoundFile.same_packets`."""
        notices = ((i.at // aac.FRAME, i.instead // aac.FRAME, len(i.coded)) for i in inserts)
        return aac.same_packets(self._packets(), painted._packets(), notices)

    def _packets(self) -> Iterator[bytes]:
        at = self.frames.start
        for length in self.frames.sizes:
            yield pieces.read(self.source, at, int(length))
            at += int(length)

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        return self.tagged.parts()

    def _place(self, sample: int) -> int:
        return self.frames.place(sample // aac.FRAME) if sample >= 0 else self.frames.stop

    def _framed(self, packet: bytes) -> bytes:
        """A packet behind a head without a check sum."""
        length = len(packet) + 7
        first, second, third, fourth = self.head[:4]
        return (
            bytes((first, second | 1, third, fourth & 0xFC | length >> 11))
            + bytes((length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC))
            + packet
        )


def _length(head: bytes) -> int:
    """Bytes of the frame that begins here; 0 when none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else 0


def _walked(source: BinaryIO, start: int, size: int, first: bytes) -> tuple[Frames, bool]:
    """Walk from frame to frame."""
    several = 0

    def sizes() -> Iterator[int]:
        nonlocal several
        for head in _heads(source, start, size, first):
            several |= head[6] & 3
            yield _length(head)

    found = frames.sizes_of(sizes())
    return Frames(start, start + frames.total(found), found), not several


def _heads(source: BinaryIO, at: int, size: int, first: bytes) -> Iterator[bytes]:
    """Head of each frame, as long as they are of one stream."""
    window, base = b"", at
    while at + 7 <= size:
        if at + 7 > base + len(window):
            window, base = pieces.read(source, at, MIB), at
        head = window[at - base : at - base + 7]
        length = _length(head)
        alike = head[2] & 0xFD == first[2] & 0xFD and head[3] & 0xC0 == first[3] & 0xC0
        if not length or not alike or at + length > size:
            return
        yield head
        at += length
