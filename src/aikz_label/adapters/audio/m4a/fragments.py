"""M4A in fragments (ISO/IEC 14496-12, 8.8): a notice is fragments of its own, and the others begin later.

What is put right keeps its length, so everything else only moves. Mirrors are written as into films, see `filmed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Insert, OnlyOver
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.m4a import sound as m4a_sound
from aikz_label.adapters.audio.m4a import times as m4a_times
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.m4a.container import M4a
from aikz_label.adapters.audio.m4a.fragmenting import Fragmenting
from aikz_label.adapters.audio.packed.file import PacketFile, Table
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.video.spoken import tracks
from aikz_label.adapters.video.spoken.boxes import stored
from aikz_label.errors import Refused
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.label import Label
    from aikz_label.limits import Limits

_TITLE = "M4A"
_TOLD = (
    b"chpl",
    b"iTunSMPB",
)  # moments and lengths, which are never in fragments written as they come
_TIMED = {b"emsg", b"prft"}


@dataclass(frozen=True, slots=True)
class Fragments(PacketFile):
    """An M4A file in fragments.

    Attributes:
        source: The file.
        whole: Its boxes.
        walked: The packets of its sound.
    """

    source: BinaryIO
    whole: M4a
    walked: Once[Table]

    demuxer: ClassVar[str] = "mov"
    title: ClassVar[str] = _TITLE

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:
        """See `SoundFile.parse`."""
        whole = M4a.parse(source, limits, thorough=thorough)
        return cls(source, whole, Once(lambda: _walk(whole)))

    @property
    def table(self) -> Table:
        """See `PacketFile.table`."""
        return self.walked()

    @property
    def late(self) -> int:
        """See `PacketFile.late`: what an edit list takes off."""
        trak = self.whole.track()
        start = next((edit.start for edit in m4a_times.edits(trak) if edit.start != -1), 0)
        return round(start * self.rate / m4a_times.timescale(trak.need(b"mdia", b"mdhd")))

    @property
    def moofs(self) -> tuple[int, ...]:
        """Where fragments start."""
        return tuple(box.start for box in self.whole.boxes if box.name == b"moof")

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        moov = Box.parse(self.whole.moov)
        traks = list(moov.all(b"trak"))
        if len(traks) > 1:
            raise OnlyOver(_TITLE, "it has several tracks in fragments")
        listed = [edit for edit in m4a_times.edits(traks[0]) if edit.start != -1]
        if len(listed) > 1 or any(edit.start < 0 for edit in listed):
            raise OnlyOver(_TITLE, "its sound is cut together by an edit list")
        if any(name in self.whole.moov for name in _TOLD):
            raise OnlyOver(_TITLE, "its metadata tell of moments in fragments")
        if any(box.name in _TIMED for box in self.whole.boxes):
            raise OnlyOver(_TITLE, "events are told beside its fragments")
        self.check_packets()
        if (np.diff(self.table.place) <= 0).any():
            raise OnlyOver(_TITLE, "its fragments are in disorder")

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,  # noqa: ARG002  # mirrors are written as into films
        said: list[str],  # noqa: ARG002  # everything can be written
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        trak = self.whole.track()
        media = m4a_times.timescale(trak.need(b"mdia", b"mdhd"))
        stretches = tuple(self.stretches(inserts))
        yield from Fragmenting(
            self.source, self.moofs, self.table, stretches, (media, self.rate)
        ).pieces(Shift(inserts, self.rate))


def _walk(whole: M4a) -> Table:
    """The packets of the sound.

    Raises:
        OnlyOver: They are stored in an unusual way, or coded so that no others can go before them.
    """
    trak = whole.track()
    number = _number(trak)
    try:
        slots = stored(whole.source, number, NO_LIMITS).slots
    except (tracks.Unspoken, Refused) as problem:
        raise OnlyOver(_TITLE, str(problem)) from problem
    if not len(slots):
        raise MediaProblem("damaged", detail_word="no-sound")
    whole.source.seek(int(slots.start[0]))
    first = whole.source.read(min(int(slots.size[0]), 1 << 16))
    coding = m4a_sound.read(whole.entry(trak), lambda: first)
    moofs = [box.start for box in whole.boxes if box.name == b"moof"]
    firsts = np.unique(np.append(np.searchsorted(slots.start, moofs), len(slots)))
    return Table.of(whole.source, coding, slots.start, slots.size, firsts.astype(np.int64))


def _number(trak: Box) -> int:
    """By which fragments name a track."""
    head = trak.need(b"tkhd").content
    at = 20 if head[:1] == b"\1" else 12
    return int.from_bytes(head[at : at + 4])
