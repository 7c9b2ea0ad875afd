"""One sound in Matroska or WebM: blocks of a notice in clusters of their own, and all later moments moved.

Mirrors and marker are written as into films, see `filmed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import Insert, OnlyOver, size_of
from aikz_label.adapters.audio.flac import sound as flac_sound
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.mka import blocks as mka_blocks
from aikz_label.adapters.audio.mka import track as mka_track
from aikz_label.adapters.audio.mka.blocks import Walked
from aikz_label.adapters.audio.mka.track import TITLE, Track
from aikz_label.adapters.audio.mka.writing import Writing
from aikz_label.adapters.audio.packed.file import PacketFile, Table
from aikz_label.adapters.audio.packed.flac import Flac
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.video import structure
from aikz_label.carriers.ebml import Document
from aikz_label.limits import NO_LIMITS, Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.label import Label

_NANO = 10**9


@dataclass(frozen=True, slots=True)
class Mka(PacketFile):
    """A Matroska or WebM file with one sound.

    Attributes:
        source: The file.
        document: Its parts.
        sounds: Its tracks of sound.
        walked: Its blocks, for which the whole file is walked through.
    """

    source: BinaryIO
    document: Document
    sounds: tuple[Track, ...]
    walked: Once[Walked]

    demuxer: ClassVar[str] = "matroska"
    title: ClassVar[str] = TITLE

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # the walk comes when it is asked for
        """Read the outline and the tracks."""
        size_of(source, limits)
        with structure.reading(limits):
            document = Document.read(source, limits.max_parts)
            sounds = tuple(mka_track.find(source, document))
        if not sounds:
            raise MediaProblem("damaged", detail_word="no-sound")
        return cls(source, document, sounds, Once(lambda: _walk(source, document, sounds[0])))

    @property
    def track(self) -> Track:
        """That of the sound."""
        return self.sounds[0]

    @property
    def table(self) -> Table:
        """See `PacketFile.table`."""
        return self.walked().table

    @property
    def late(self) -> int:
        """See `PacketFile.late`."""
        return round(self.track.delay * self.rate / _NANO)

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        if len(self.sounds) > 1:
            raise OnlyOver(TITLE, "it has several tracks of sound")
        if self.track.encoded:
            raise OnlyOver(TITLE, "its packets are encrypted, or packed once more")
        self.check_packets()
        if self.late > self.rate:  # a notice would need as much silence before it
            raise OnlyOver(TITLE, "more than a second is taken off at its start")
        if self.coding.numbered and not self.walked().blocks.single:
            raise OnlyOver(TITLE, "several packets share a block")

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,  # noqa: ARG002  # mirrors are written as into films
        said: list[str],
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        track, shift = self.track, Shift(inserts, self.rate)
        stretches = tuple(self.stretches(inserts))
        private = track.private
        if isinstance(self.coding, Flac) and stretches:
            info = self.coding.info
            md5 = flac_sound.md5(self.source, self.demuxer, info, inserts, said)
            sizes = [len(packet) for stretch in stretches for packet in stretch.notice]
            private = track.described(Flac(info.longer(shift, (min(sizes), max(sizes)), md5)))
        with structure.reading(NO_LIMITS):
            written = Writing(self.source, self.document, track, self.walked(), stretches)
            yield from written.pieces(private, shift)


def _walk(source: BinaryIO, document: Document, track: Track) -> Walked:
    with structure.reading(NO_LIMITS):
        found = mka_blocks.read(source, document, track.number)
    first = pieces.read(source, int(found.place[0]), min(int(found.size[0]), 1 << 16))
    table = Table.of(source, track.packets(first), found.place, found.size, found.first)
    return Walked(found, table)
