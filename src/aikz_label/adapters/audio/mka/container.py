"""One sound in Matroska or WebM: blocks of a notice in clusters of their own, and all later moments moved.

Mirrors and marker are written as into films, see `filmed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.container import Coded, Insert, OnlyOver, SoundFile, size_of
from aikz_label.adapters.audio.flac import sound as flac_sound
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.mka import blocks as mka_blocks
from aikz_label.adapters.audio.mka import track as mka_track
from aikz_label.adapters.audio.mka.blocks import Walked
from aikz_label.adapters.audio.mka.track import TITLE, Track
from aikz_label.adapters.audio.mka.writing import Stretch, Writing
from aikz_label.adapters.audio.packed.flac import Flac
from aikz_label.adapters.audio.packed.opus import Opus
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.video import structure
from aikz_label.carriers.ebml import Document
from aikz_label.errors import Refused
from aikz_label.limits import NO_LIMITS, Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.label import Label

_NANO = 10**9
_REACH = 2.0  # seconds around a moment in which places are tried
_LAST = 4  # packets at the end that may be partly silence, which is taken off
_HEAD = 16  # bytes of a packet that tell its length


@dataclass(frozen=True, slots=True)
class Mka(SoundFile):
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
    def coding(self) -> Packets:
        """How its packets are coded."""
        return self.walked().coding

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.coding.rate

    @property
    def exact(self) -> bool:
        """See `SoundFile.exact`."""
        return self.coding.exact

    @property
    def skipped(self) -> int:
        """How many samples a decoder takes off at the start: those of Opus are told by what sets it up."""
        coding = self.coding
        if isinstance(coding, Opus):
            return coding.skipped
        return round(self.track.delay * self.rate / _NANO)

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        if len(self.sounds) > 1:
            raise OnlyOver(TITLE, "it has several tracks of sound")
        if self.track.encoded:
            raise OnlyOver(TITLE, "its packets are encrypted, or packed once more")
        walked = self.walked()
        try:
            walked.coding.check()
        except Refused as refusal:
            if refusal.code != "needs-reencode":
                raise
            raise OnlyOver(TITLE, "no packets can go before those of its coding") from refusal
        if not (np.diff(walked.starts) > 0).all():
            raise OnlyOver(TITLE, "the length of a packet is not told")
        if walked.coding.numbered and not walked.blocks.single:
            raise OnlyOver(TITLE, "several packets share a block")

    def check_decoded(self, rate: int) -> None:
        """Spectral band replication need not be announced."""
        if rate != self.rate:
            raise OnlyOver(TITLE, "no packets can go before those of HE-AAC")

    # --- where ------------------------------------------------------------------------------------------------------

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:  # noqa: ARG002
        """The start, and near each moment a packet with which a block begins."""
        walked, found = self.walked(), [0]
        coding, firsts = walked.coding, walked.blocks.first[:-1]
        firsts = firsts[(firsts > coding.least) & (firsts <= len(walked.starts) - 1 - _LAST)]
        starts = walked.starts[firsts] - self.skipped
        for second in seconds[1:]:
            near = np.argsort(np.abs(starts - second * self.rate), kind="stable")
            within = np.abs(starts[near] - second * self.rate) <= _REACH * self.rate
            numbers = firsts[near[within] if within.any() else near[:1]]
            number = coding.nearest(self._read, numbers.tolist())
            if number is None:
                when = f"{int(second) // 60}:{int(second) % 60:02}"
                raise OnlyOver(
                    TITLE,
                    f"near {when} there is no moment from which its decoder goes on as before",
                )
            found.append(int(walked.starts[number]) - self.skipped)
        return tuple(dict.fromkeys(found))

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole blocks can be taken out."""
        walked = self.walked()
        bounds = set(walked.starts[walked.blocks.first].tolist())

        def held(start: int, stop: int) -> bool:
            first = start + self.skipped if start else 0
            return {first, first + stop - start} <= bounds

        return all(held(*place) for place in places)

    def same_packets(self, painted: Self, inserts: Sequence[Insert]) -> bool:
        """See `SoundFile.same_packets`."""
        if not self.coding.noisy:
            return False
        notices = []
        for insert in inserts:
            first, behind = self._numbers(insert.at, insert.instead)
            notices.append((first, behind - first, len(insert.coded)))
        return aac.same_packets(self._all(), painted._all(), notices)

    def _all(self) -> Iterator[bytes]:
        """Every packet."""
        found = self.walked().blocks
        for place, size in zip(found.place.tolist(), found.size.tolist(), strict=True):
            yield pieces.read(self.source, place, size)

    def _numbers(self, at: int, instead: int) -> tuple[int, int]:
        """Numbers of the packets before which a notice goes, and up to which it takes the place of an older one."""
        starts = self.walked().starts
        first = int(np.searchsorted(starts, at + self.skipped)) if at else 0
        behind = int(np.searchsorted(starts, int(starts[first]) + instead))
        return first, behind

    # --- what -------------------------------------------------------------------------------------------------------

    def encode(self, samples: Samples) -> Coded:
        """See `SoundFile.encode`."""
        walked = self.walked()
        bits = int(walked.blocks.size.sum()) * 8 * self.rate // int(walked.starts[-1])
        first = next(iter(self._read(0, 1)), b"")
        return walked.coding.encode(samples, bits, self.skipped, first)

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """See `SoundFile.joined`."""
        return self.coding.joined(coded, self._read, *self._numbers(at, instead))

    def _read(self, first: int, stop: int) -> list[bytes]:
        """The packets from one number up to another."""
        found = self.walked().blocks
        part = slice(max(first, 0), max(stop, 0))
        places = zip(found.place[part].tolist(), found.size[part].tolist(), strict=True)
        return [pieces.read(self.source, place, size) for place, size in places]

    # --- written ----------------------------------------------------------------------------------------------------

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,  # noqa: ARG002  # mirrors are written as into films
        said: list[str],
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        track, shift = self.track, Shift(inserts, self.rate)
        stretches = tuple(self._stretches(inserts))
        private = track.private
        if isinstance(self.coding, Flac) and stretches:
            info = self.coding.info
            md5 = flac_sound.md5(self.source, self.demuxer, info, inserts, said)
            sizes = [len(packet) for stretch in stretches for packet in stretch.notice]
            private = track.described(Flac(info.longer(shift, (min(sizes), max(sizes)), md5)))
        with structure.reading(NO_LIMITS):
            written = Writing(self.source, self.document, track, self.walked(), stretches)
            yield from written.pieces(private, shift)

    def _stretches(self, inserts: Sequence[Insert]) -> Iterator[Stretch]:
        """Each notice, with what it changes behind it."""
        coding, samples, more = self.coding, 0, 0
        for insert in inserts:
            first, behind = self._numbers(insert.at, insert.instead)
            like = self._read(first, first + 1)[0]
            notice = coding.stored(insert.coded, more, like)
            before, samples = samples, samples + insert.length - insert.instead
            if coding.numbered:
                by_sample = coding.numbers_samples(like)
                more += samples - before if by_sample else len(notice) - (behind - first)
            yield Stretch(first, behind, notice, before, samples, more)


def _walk(source: BinaryIO, document: Document, track: Track) -> Walked:
    with structure.reading(NO_LIMITS):
        found = mka_blocks.read(source, document, track.number)
    first = pieces.read(source, int(found.place[0]), min(int(found.size[0]), 1 << 16))
    coding = track.packets(first)
    lengths = [
        coding.length(pieces.read(source, place, min(size, _HEAD)), size)
        for place, size in zip(found.place.tolist(), found.size.tolist(), strict=True)
    ]
    starts = np.concatenate(([0], np.cumsum(np.array(lengths, np.int64))))
    return Walked(found, coding, starts)
