"""M4A: packets of a notice in a box of their own, and a `moov` that tells of them; everything else stays where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    OnlyOver,
    SoundFile,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.m4a import anew as m4a_anew
from aikz_label.adapters.audio.m4a import boxes, tables
from aikz_label.adapters.audio.m4a import layout as m4a_layout
from aikz_label.adapters.audio.m4a import sound as m4a_sound
from aikz_label.adapters.audio.m4a import times as m4a_times
from aikz_label.adapters.audio.m4a.boxes import Box, Placed
from aikz_label.adapters.audio.m4a.layout import Layout
from aikz_label.adapters.audio.m4a.splice import LAST, number_of, spliced
from aikz_label.adapters.audio.packed.mp3 import Mp3
from aikz_label.adapters.audio.packed.opus import Opus
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import ilst
from aikz_label.adapters.image.bmff import C2PA
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.label import Label
    from aikz_label.limits import Limits

_TITLE = "M4A"
_REACH = 2.0  # seconds around a moment in which places are tried
_CHAPTERS = {b"text", b"sbtl", b"subt", b"meta", b"tmcd", b"clcp"}


@dataclass(frozen=True, slots=True)
class M4a(SoundFile):
    """An M4A file.

    Attributes:
        source: The file.
        boxes: Its boxes.
        moov: The one that tells of all others, as it is stored.
        first: Its first packet, which is read once: nothing may read the file while it is decoded.
    """

    source: BinaryIO
    boxes: tuple[Placed, ...]
    moov: bytes
    first: Once[bytes]

    demuxer: ClassVar[str] = "mov"

    @classmethod
    def suited(cls, source: BinaryIO, limits: Limits) -> type[SoundFile]:
        """See `SoundFile.suited`."""
        if not any(
            box.name == b"moof" for box in boxes.walk(source, size_of(source, limits), limits)
        ):
            return cls
        from aikz_label.adapters.audio.m4a.fragments import Fragments  # noqa: PLC0415  # few are

        return Fragments

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always all boxes
        """Walk the boxes, and read the one that tells of the others."""
        size = size_of(source, limits)
        found = tuple(boxes.walk(source, size, limits))
        moov = next((box for box in found if box.name == b"moov"), None)
        if moov is None:
            raise MediaProblem("damaged", detail_word="no-sound")
        if moov.stop - moov.start > boxes.MOST:
            raise MediaProblem(
                "over-limit", what_word="bytes", found=moov.stop - moov.start, limit=boxes.MOST
            )
        stored = pieces.read(source, moov.start, moov.stop - moov.start)
        Box.parse(stored)
        return cls(source, found, stored, Once(lambda: _first(source, stored)))

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.sound(self.track()).rate

    @property
    def exact(self) -> bool:
        """See `SoundFile.exact`."""
        return self.sound(self.track()).exact

    def track(self, moov: Box | None = None) -> Box:
        """The one track of sound.

        Raises:
            MediaProblem: There is none.
        """
        return _sound_of(moov or Box.parse(self.moov))

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        moov = Box.parse(self.moov)
        kinds = [t.need(b"mdia", b"hdlr").content[8:12] for t in moov.all(b"trak")]
        if set(kinds) - _CHAPTERS - {b"soun"}:
            raise refuse_variant(_TITLE, "it has pictures that move with the sound")
        if moov.first(b"mvex"):
            raise OnlyOver(_TITLE, "it is in fragments")
        if kinds.count(b"soun") > 1:
            raise OnlyOver(_TITLE, "it has several tracks of sound")
        trak = self.track(moov)
        sound = self.sound(trak)
        stbl = trak.need(b"mdia", b"minf", b"stbl")
        if any(box.name in {b"saiz", b"saio"} for box in stbl.children or ()):
            raise refuse_variant(_TITLE, "its packets are encrypted")
        listed = [edit for edit in m4a_times.edits(trak) if edit.start != -1]
        if len(listed) > 1 or any(edit.start < 0 for edit in listed):
            raise refuse_variant(_TITLE, "its sound is cut together by an edit list")
        if not len(tables.read(stbl)):
            raise MediaProblem("damaged", detail_word="no-sound")
        self._check_told(trak, sound)
        sound.check()  # last: what it refuses can be coded anew, what is refused above cannot

    def _check_told(self, trak: Box, sound: m4a_sound.Coding) -> None:
        """Refuse what tells times otherwise than by packets of one length, of codings that allow several."""
        if not isinstance(sound, Opus | Mp3):
            return
        media = m4a_times.timescale(trak.need(b"mdia", b"mdhd"))
        durations = tables.read(trak.need(b"mdia", b"minf", b"stbl")).durations[:-1]
        if (np.abs(durations - sound.step * media / sound.rate) > 1).any():
            raise OnlyOver(_TITLE, "its packets are not all of the usual length")
        if isinstance(sound, Opus) and self.skipped(trak) != sound.skipped:
            raise OnlyOver(_TITLE, "where its sound starts is told in two ways")

    def check_decoded(self, rate: int) -> None:
        """Spectral band replication need not be announced."""
        if rate != self.rate:
            raise aac.high_efficiency(_TITLE)

    def is_marker(self, box: Placed) -> bool:
        """Whether a box holds a marker."""
        return box.name == b"uuid" and pieces.read(self.source, box.body, 16) == C2PA

    # --- writing ----------------------------------------------------------------------------------------------------

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """The starts of packets that have packets before them."""
        trak = self.track()
        sound = self.sound(trak)
        count = len(tables.read(trak.need(b"mdia", b"minf", b"stbl")))
        found = [0]
        for second in seconds[1:]:
            number = round((second * sound.rate + self.skipped(trak)) / sound.step)
            if number > count - LAST and sound.ends:
                found.append(total)
            elif number > sound.least:
                found.append(self._place(sound, number, count) * sound.step - self.skipped(trak))
        return tuple(found)

    def _place(self, sound: m4a_sound.Coding, number: int, count: int) -> int:
        """Of the packets around one, the one before which a notice goes best."""
        reach = round(_REACH * sound.rate / sound.step)
        near = sorted(
            range(max(number - reach, sound.least + 1), min(number + reach, count - LAST) + 1),
            key=lambda other: abs(other - number),
        )
        found = sound.nearest(self._read, near)
        if found is None:
            second = number * sound.step // sound.rate
            raise OnlyOver(
                _TITLE, f"near {second // 60}:{second % 60:02} there is no place for one"
            )
        return found

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole packets can be taken out."""
        trak = self.track()
        step = self.sound(trak).step
        skipped, count = self.skipped(trak), len(tables.read(trak.need(b"mdia", b"minf", b"stbl")))

        def held(start: int, stop: int) -> bool:
            at_end = (stop + skipped) / step > count - LAST
            whole = not start or at_end or not (start + skipped) % step
            return whole and not (stop - start) % step

        return all(held(*place) for place in places)

    def encode(self, samples: Samples) -> Coded:
        """Packets like those of the file."""
        trak = self.track()
        sound = self.sound(trak)
        table = tables.read(trak.need(b"mdia", b"minf", b"stbl"))
        bits = int(table.sizes.sum() * 8 * sound.rate / (len(table) * sound.step))
        return sound.encode(samples, bits, self.skipped(trak), self.first())

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:
        """Between packets of AAC, the one before comes again, because the next one is laid over its end."""
        trak = self.track()
        sound = self.sound(trak)
        count = len(tables.read(trak.need(b"mdia", b"minf", b"stbl")))
        number = number_of(at, instead, sound.step, self.skipped(trak), count)
        return sound.joined(coded, self._read, number, number + instead // sound.step)

    def _read(self, first: int, stop: int) -> list[bytes]:
        """The packets from one number up to another."""
        table = tables.read(self.track().need(b"mdia", b"minf", b"stbl"))
        part = slice(max(first, 0), max(stop, 0))
        places = zip(table.places[part].tolist(), table.sizes[part].tolist(), strict=True)
        return [pieces.read(self.source, place, size) for place, size in places]

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002  # everything can be written
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        moov = Box.parse(self.moov)
        ilst.write(moov, label)
        notices: list[bytes] = []
        if inserts:
            trak = self.track(moov)
            sound = self.sound(trak)
            shift = Shift(inserts, sound.rate)
            ilst.move(moov, shift)
            self._lengthen(moov, trak, shift)
            notices = [packet for insert in inserts for packet in insert.coded]
        box = Box(b"mdat", b"".join(notices)).stored() if notices else b""
        stay = [placed for placed in self.boxes if not self.is_marker(placed)]
        offsets = [tables.chunk_offsets(one) for one in _tables(moov)]
        if inserts:
            table = spliced(trak, inserts, sound.step, sound.rate, self.skipped(self.track()))
            stbl = trak.need(b"mdia", b"minf", b"stbl")
            tables.write(stbl, table)
            fresh = [*offsets]
            mine = [one is stbl for one in _tables(moov)].index(True)
            fresh[mine] = table.places[np.flatnonzero(np.diff(table.chunks, prepend=-1))]
            gone = m4a_layout.unused(stay, offsets, fresh)
            stay, offsets = [placed for placed in stay if placed not in gone], fresh
        layout = Layout(stay, len(moov.stored()), len(box))
        for one, where in zip(_tables(moov), offsets, strict=True):
            tables.set_chunk_offsets(one, layout.moved(where))
        yield from layout.pieces(moov.stored(), box)

    def played(self, decoded: int, rate: int) -> int:
        """See `SoundFile.played`: the last packet is filled up."""
        moov = Box.parse(self.moov)
        trak = self.track(moov)
        listed = [edit.duration for edit in m4a_times.edits(trak) if edit.start != -1]
        if not sum(listed):
            return decoded
        film = m4a_times.timescale(moov.need(b"mvhd"))
        return min(round(sum(listed) * rate / film), decoded)

    def recoder(self, coding: Coding) -> Recoder | None:
        """See `SoundFile.recoder`; decoders give what fills up the last packet too, so nothing may."""
        if coding.codec == "alac":  # which loses nothing
            return None
        return Muxed("ipod", aac.recoder(_TITLE, coding), step=aac.FRAME)

    def dressed(
        self,
        fresh: Self,
        total: int,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        return m4a_anew.dressed(self, fresh, total, Shift(inserts, fresh.rate), label)

    def same_packets(self, painted: Self, inserts: Sequence[Insert]) -> bool:
        """See `SoundFile.same_packets`."""
        trak = self.track()
        step, skipped = self.sound(trak).step, self.skipped(trak)
        count = len(tables.read(trak.need(b"mdia", b"minf", b"stbl")))
        notices = (
            (number_of(i.at, i.instead, step, skipped, count), i.instead // step, len(i.coded))
            for i in inserts
        )
        return aac.same_packets(self._packets(), painted._packets(), notices)

    def _packets(self) -> Iterator[bytes]:
        table = tables.read(self.track().need(b"mdia", b"minf", b"stbl"))
        for place, size in zip(table.places.tolist(), table.sizes.tolist(), strict=True):
            yield pieces.read(self.source, place, size)

    def skipped(self, trak: Box) -> int:
        """How many samples the edit list takes off at the start."""
        media = m4a_times.timescale(trak.need(b"mdia", b"mdhd"))
        start = next((e.start for e in m4a_times.edits(trak) if e.start != -1), 0)
        return round(start * self.rate / media)

    def sound(self, trak: Box) -> m4a_sound.Coding:
        """How its packets are coded."""
        return m4a_sound.read(self.entry(trak), self.first)

    def entry(self, trak: Box) -> Box:
        """The description of the sound."""
        stsd = trak.need(b"mdia", b"minf", b"stbl", b"stsd").content
        if int.from_bytes(stsd[4:8]) != 1 or len(stsd) < 24:
            raise refuse_variant(_TITLE, "its sound changes its coding")
        return Box(stsd[12:16], stsd[16:])

    def _lengthen(self, moov: Box, trak: Box, shift: Shift) -> None:
        """Everything that tells how long something is."""
        m4a_times.make_exact(moov, shift.total, shift.rate)
        head, media = moov.need(b"mvhd"), trak.need(b"mdia", b"mdhd")
        film = m4a_times.timescale(head)
        more = round(shift.total * film / shift.rate)
        m4a_times.lengthen(head, more)
        m4a_times.lengthen(trak.need(b"tkhd"), more)
        in_media = round(shift.total * m4a_times.timescale(media) / shift.rate)
        m4a_times.lengthen(media, in_media)
        listed = m4a_times.edits(trak)
        if listed:
            last = listed[-1]
            duration = last.duration + more if last.duration else 0
            m4a_times.set_edits(trak, [*listed[:-1], replace(last, duration=duration)])
        for other in moov.all(b"trak"):
            if other is not trak:
                m4a_times.delay(other, shift, film)


def _sound_of(moov: Box) -> Box:
    """The track of sound."""
    for trak in moov.all(b"trak"):
        if trak.need(b"mdia", b"hdlr").content[8:12] == b"soun":
            return trak
    raise MediaProblem("damaged", detail_word="no-sound")


def _first(source: BinaryIO, moov: bytes) -> bytes:
    """The first packet."""
    table = tables.read(_sound_of(Box.parse(moov)).need(b"mdia", b"minf", b"stbl"))
    return pieces.read(source, int(table.places[0]), int(table.sizes[0])) if len(table) else b""


def _tables(moov: Box) -> list[Box]:
    """The tables of all tracks."""
    return [trak.need(b"mdia", b"minf", b"stbl") for trak in moov.all(b"trak")]
