"""MP3: frames of a notice before and between the frames of the programme, which are copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import crc, frames, pieces
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    SoundFile,
    Text,
    needs_recoding,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.frames import Frames, Once, Sizes
from aikz_label.adapters.audio.mp3 import drained, mpeg, vbr_header
from aikz_label.adapters.audio.mp3.mpeg import Head, Walked
from aikz_label.adapters.audio.mp3.vbr_header import VbrHeader
from aikz_label.adapters.audio.packed import mp3 as packed
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import lyrics3
from aikz_label.adapters.audio.tags.id3_file import Tagged
from aikz_label.later import Later
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.carriers.embedded import Place
    from aikz_label.carriers.room import Room
    from aikz_label.label import Label
    from aikz_label.limits import Limits
else:
    np = Later("numpy")

_LONGEST_TAIL = 1 << 20  # bytes behind the sound in which lyrics are looked for
_FIRST_REPEAT = 8  # frames that must stand before a repeated notice
_LAST = 4  # frames at the end that may be partly silence, which is taken off
_LAYER_2_FRAME, _LAYER_2_DELAY = 1152, 481  # samples
_OLD_TAG = 128  # bytes, at the very end
_FOOT = 32  # bytes with which an APE tag ends


@dataclass(frozen=True, slots=True)
class Mp3(SoundFile):
    """An MP3 file.

    Attributes:
        source: The file.
        tagged: The tags before the sound.
        first: Head of the first frame, which may be no sound.
        header: That frame, if it counts the others.
        size: Bytes of the file.
        walked: The frames of sound, for which the whole file is walked through.
    """

    source: BinaryIO
    tagged: Tagged
    first: Head
    header: VbrHeader | None
    size: int
    walked: Once[Walked]

    demuxer: ClassVar[str] = "mp3"

    @property
    def native(self) -> bool:
        """See `SoundFile.native`."""
        return True

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.first.rate

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # no frame is missed by those behind it
        """Read the tags and the first frame."""
        size = size_of(source, limits)
        tagged = Tagged.read(source)
        at = tagged.stop
        head = mpeg.other_head(pieces.read(source, at, 4))
        if head is None:
            at = mpeg.first_frame(source, tagged.stop)
            head = mpeg.head(pieces.read(source, at, 4))
        assert head is not None
        frame = pieces.read(source, at, head.size)
        header = vbr_header.find(frame, head) if head.size and len(frame) == head.size else None
        start = at + head.size if header else at
        tagged = replace(tagged, lead=Span(tagged.stop, at))
        walked = Once(lambda: mpeg.walked(source, start, size))
        return cls(source, tagged, head, header, size, walked)

    @property
    def frames(self) -> Frames:
        """The frames of sound."""
        return self.walked().frames

    @property
    def head(self) -> Head:
        """Head of the first frame of sound."""
        return self.walked().head or self.first

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        if layer := self._other_layer:
            raise needs_recoding("MPEG sound", f"its frames are of layer {'I' * layer}")
        if not self.first.size:
            raise refuse_variant(
                "MP3",
                "its frames have a free format, whose length nothing tells",
                "Decode it with a program that knows it (mpg123 -w OUT.wav IN.mp3), and mark the WAV.",
            )
        if not len(self.frames):
            raise MediaProblem("damaged", detail_word="no-sound")

    def markers(self) -> Iterator[Place]:
        """The objects of type C2PA in the first tag."""
        return self.tagged.markers()

    def texts(self) -> Iterator[Text]:
        """See `SoundFile.texts`."""
        return self.tagged.texts()

    def packets(self) -> Iterator[bytes]:
        """See `SoundFile.packets`."""
        return self.tagged.packets()

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """The start, and frames that have frames before them; only the start when something stands between them."""
        each, skipped = self.head.samples, self._skipped
        found = [0]
        for second in () if self.walked().broken else seconds[1:]:
            number = round((second * self.head.rate + skipped) / each)
            if number > len(self.frames) - _LAST:
                found.append(total)
            elif number > _FIRST_REPEAT:
                found.append(number * each - skipped)
        return tuple(found)

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole frames can be taken out."""
        return all(self._holds(*place) for place in places)

    def _holds(self, start: int, stop: int) -> bool:
        each = self.head.samples
        if self.walked().broken or (stop - start) % each:
            return False
        at_end = (stop + self._skipped) / each > len(self.frames) - _LAST
        return start == 0 or at_end or not (start + self._skipped) % each

    def encode(self, samples: Samples) -> Coded:
        """Frames that need nothing of those before them, with silence at both ends."""
        return packed.coded(self.head, self._notice_kbits, samples)

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """Between frames, those behind need the bytes and the state that they had: so those before come again."""
        number = self._number(at, instead)
        first = instead // self.head.samples
        if not number and first < len(self.frames) and self.head.borrowed(self._frame(first)):
            # it begins in the middle of a longer one, whose bytes its decoder must miss as before
            emptied = drained.frame(self.head, self._notice_kbits)
            return Coded((*coded.data, emptied), coded.length + self.head.samples)
        if number in {0, len(self.frames) - instead // self.head.samples}:
            return coded  # nothing is before it, or behind it
        first = number - self.head.remembered
        before = [self._frame(n) for n in range(max(first - packed.CARRIED, 0), number)]
        again = before[first - number :]
        more = (packed.carrier(self.head, before[: first - number]), *again)
        return Coded((*coded.data, *more), coded.length + len(more) * self.head.samples)

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002  # everything can be written
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        shift = Shift(inserts, self.head.rate)
        listed, sizes = self._frames(inserts)
        yield from self.tagged.rewritten(label, shift, self.head.samples)
        yield self.tagged.lead
        if self.header is not None:
            constant = len(np.unique(sizes)) <= 2 and self.walked().kbits == self._notice_kbits
            music = self._music(listed)
            behind = self.size - self.frames.start + len(self.header.frame)
            yield self.header.rebuilt(
                sizes,
                music,
                constant=constant or not inserts,
                filled=self.header.fills_last(self.frames.sizes, behind),
            )
        yield from listed
        yield from self._tail(shift)

    def _tail(self, shift: Shift) -> Iterator[Piece]:
        """What follows the sound."""
        tail = Span(self.frames.stop, self.size)
        if len(tail) > _LONGEST_TAIL:
            yield tail
        else:
            yield lyrics3.moved(pieces.read(self.source, tail.start, len(tail)), shift)

    def recoder(self, coding: Coding) -> Recoder | None:
        """See `SoundFile.recoder`: layer II, of layer I too, which nothing codes; nothing tells how late a decoder is."""
        if not self._other_layer:
            return None
        allowed = mpeg.LAYER_2_KBITS if self.first.version == 3 else self.first.all_kbits()
        each = round(coding.bits / 1000)
        kbits = next((k for k in allowed if k >= each), allowed[-1])
        layout = "mono" if self.first.mono else "stereo"
        coder = Coder("MPEG sound", "mp2", self.first.rate, layout, "s16", kbits * 1000)
        rates = tuple(1000 * k for k in allowed)
        return Muxed("mp2", coder, rates=rates, step=_LAYER_2_FRAME, early=_LAYER_2_DELAY)

    def dressed(
        self,
        fresh: Self,
        total: int,  # noqa: ARG002  # whole frames
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        yield from self.tagged.rewritten(label, Shift(inserts, fresh.rate), _LAYER_2_FRAME)
        yield Span(0, fresh.size, fresh.source)
        last = Span(max(self.size - _OLD_TAG, 0), self.size)
        tagged = pieces.read(self.source, last.start, 3) == b"TAG"
        end = last.start if tagged else self.size
        behind = pieces.read(self.source, max(end - _FOOT, 0), min(_FOOT, end))
        if behind.startswith(b"APETAGEX") or behind.endswith((b"LYRICSEND", b"LYRICS200")):
            said.append("The APE or Lyrics3 tag behind the sound was left out.")
        if tagged:
            yield last

    @property
    def _other_layer(self) -> int:
        """1 or 2 where it is that of all frames."""
        layer = mpeg.layer_of(self.first.stored)
        return layer if layer < 3 else 0

    def room(self) -> Room:
        """An object in the first tag, behind its other frames."""
        return self.tagged.room()

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        return self.tagged.parts()

    @property
    def _skipped(self) -> int:
        return self.header.skipped if self.header else 0

    @property
    def _notice_kbits(self) -> int:
        """The rate of the file where it has one that must stay; else one at which speech is clear."""
        kbits = self.walked().kbits
        if kbits and (self.header is None or kbits >= packed.LEAST):
            return kbits
        typical = (
            int(np.median(self.frames.sizes)) * 8 * self.head.rate // self.head.samples // 1000
        )
        return packed.clear(self.head, typical)

    def _number(self, at: int, instead: int) -> int:
        """Which frame starts at a sample; at the end of the programme, the one behind what fills up its last frames."""
        frames = instead // self.head.samples
        number = round((at + self._skipped) / self.head.samples) if at else 0
        at_end = at and number + frames > len(self.frames) - _LAST
        return len(self.frames) - frames if at_end else number

    def _frames(self, inserts: Sequence[Insert]) -> tuple[list[Piece], Sizes]:
        """The frames of the finished file, and how long each is."""
        listed: list[Piece] = []
        sizes: list[Sizes] = []
        first = 0
        for insert in (*inserts, None):
            last = (
                self._number(insert.at, insert.instead) if insert is not None else len(self.frames)
            )
            listed.append(Span(self.frames.place(first), self.frames.place(last)))
            sizes.append(self.frames.sizes[first:last])
            if insert is not None:
                first = last + insert.instead // self.head.samples
                listed.append(b"".join(insert.coded))
                sizes.append(frames.sizes_of(map(len, insert.coded)))
        return listed, np.concatenate(sizes)

    def _frame(self, number: int) -> bytes:
        size = int(self.frames.sizes[number])
        return pieces.read(self.source, self.frames.place(number), size)

    def _music(self, listed: list[Piece]) -> tuple[int, int]:
        """LAME's check sum of all frames of sound."""
        if self.header is None or self.header.music is None:
            return 0, 0
        found, length = 0, 0
        for block in pieces.blocks(listed, self.source):
            found = crc.MP3.of(block, found)
            length += len(block)
        return found, length
