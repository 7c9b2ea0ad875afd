"""Opus in Ogg: packets of a notice at the start and between others, with some that come twice so that decoders settle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, Insert, needs_recoding
from aikz_label.adapters.audio.ogg.packets import Paging
from aikz_label.adapters.audio.ogg.streams import Stream
from aikz_label.adapters.audio.packed import opus as coding
from aikz_label.adapters.audio.packed.opus import samples_of
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder
from aikz_label.later import Later
from aikz_label.values import replace

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg.container import Ogg
else:
    np = Later("numpy")

_TITLE = "Ogg"
_RATE = coding.RATE
_REACH = 96_000  # samples around a moment in which places are tried
_FIRST_REPEAT = 48_000  # samples that must stand before a repeated notice


class Opus(Stream):
    """Opus: packets of a notice in the same stream."""

    exact = False

    def goes_on(self, heads: Sequence[bytes], others: Sequence[bytes]) -> bool:
        """See `Stream.goes_on`: the same channels, as loud."""
        first, second = heads[0], others[0]
        return (first[9:10], first[16:]) == (second[9:10], second[16:])

    prefix = b"OpusTags"

    @property
    def rate(self) -> int:
        """Always this one."""
        return _RATE

    @property
    def skipped(self) -> int:
        """How many samples are taken off at the start."""
        return int.from_bytes(self.head[10:12], "little")

    def headers(self, head: bytes) -> int:  # noqa: ARG002
        """The head and the comments."""
        return 2

    def samples(self, packet: bytes) -> int:
        """What its first bytes tell."""
        return samples_of(packet)

    def check(self, source: Ogg) -> None:  # noqa: ARG002
        """Refuse a head that is not whole."""
        self._coding().check()

    # --- where ------------------------------------------------------------------------------------------------------

    def places(self, source: Ogg, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """The start, the end, and near each moment the place at which the fewest packets come twice."""
        found = [0]
        for second in seconds[1:]:
            at = round(second * _RATE)
            if at >= total:
                found.append(total)
            elif at > _FIRST_REPEAT:
                found.append(self._place(source, at))
        return tuple(found)

    def _place(self, source: Ogg, at: int) -> int:
        starts = source.timed().starts - self.skipped
        reach = slice(*np.searchsorted(starts, (at - _REACH, at + _REACH)))
        numbers = np.arange(len(starts))[reach]
        numbers = numbers[np.argsort(np.abs(starts[reach] - at), kind="stable")]
        number = self._coding().nearest(partial(_read, source), numbers.tolist())
        if number is None:
            when = f"{at // _RATE // 60}:{at // _RATE % 60:02}"
            raise needs_recoding(
                _TITLE, f"near {when} there is no moment from which its decoder goes on as before"
            )
        return int(starts[number])

    def holds(self, source: Ogg, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole packets can be taken out."""
        starts = source.timed().starts
        known = set(starts.tolist())
        for start, stop in places:
            number, behind = self._numbers(source, start, stop - start)
            at_end = number < behind == len(starts) - 1
            whole = not start or at_end or start + self.skipped in known
            ends = at_end or stop + (self.skipped if start else 0) in known
            if not (whole and ends):
                return False
        return True

    def _numbers(self, source: Ogg, at: int, instead: int) -> tuple[int, int]:
        """Numbers of the packets before which a notice goes, and up to which it takes the place of an older one."""
        starts = source.timed().starts
        first = int(np.searchsorted(starts, at + self.skipped)) if at else 0
        stop = at + instead + (self.skipped if at else 0)
        behind = int(np.searchsorted(starts, stop)) if instead else first
        last = len(starts) - 1
        return min(first, last), min(behind, last)

    # --- what -------------------------------------------------------------------------------------------------------

    def encode(self, source: Ogg, samples: Samples) -> Coded:
        """Packets of 20 ms, of the same streams within the stream, with silence at both ends."""
        last = max((page.granule for page in source.sound_pages()), default=0)
        bits = int((source.size - source.start) * 8 / max(last / _RATE, 1.0))
        first = next(source.read_packets(), None)
        return self._coding().encode(samples, bits, self.skipped, first.data if first else b"")

    def joined(self, source: Ogg, at: int, coded: Coded, instead: int) -> Coded:
        """Between packets, some of those before come again behind a decoder's new beginning."""
        number, behind = self._numbers(source, at, instead)
        if not at:
            return coded
        starts = source.timed().starts
        if behind == len(starts) - 1:  # behind what fills up the last packet
            return replace(coded, length=coded.length + int(starts[number]) - self.skipped - at)
        return self._coding().joined(coded, partial(_read, source), number, behind)

    def _coding(self) -> coding.Opus:
        return coding.Opus(_TITLE, self.head)

    def recoder(self, coding: Coding) -> Recoder:
        """See `SoundFile.recoder`."""
        channels = self.head[9]
        bits = min(max(coding.bits, 24_000 * channels), 256_000 * channels)
        return Muxed("ogg", self._coding().coder(bits))

    # --- written ----------------------------------------------------------------------------------------------------

    def spliced(self, source: Ogg, inserts: Sequence[Insert], paging: Paging) -> Iterator[bytes]:
        """All packets in their order, in pages of their own."""
        base, trimmed = self._ends(source)
        position = base
        held: tuple[bytes, int] | None = None
        for packet, last in self._listed(source, inserts):
            if held:
                yield from paging.add(*held)
            position += samples_of(packet)
            held = (packet, max(position - (trimmed if last else 0), 0))
        if held:
            yield from paging.add(*held, last=True)

    def _listed(self, source: Ogg, inserts: Sequence[Insert]) -> Iterator[tuple[bytes, bool]]:
        """Every packet, and whether it is the last one of the source."""
        count, at = len(source.timed()), 0
        packets = (packet.data for packet in source.read_packets())
        for insert in inserts:
            first, behind = self._numbers(source, insert.at, insert.instead)
            for packet in islice(packets, first - at):
                yield packet, False
            for packet in insert.coded:
                yield packet, False
            for _ in islice(packets, behind - first):
                pass
            at = behind
        for number, packet in enumerate(packets, at + 1):
            yield packet, number == count

    def _ends(self, source: Ogg) -> tuple[int, int]:
        """The position at which the sound starts: 0, but for a piece of a longer recording; and what its end lacks."""
        timed, first, last = source.timed(), -1, -1
        found = 0
        for page in source.sound_pages():
            if page.granule >= 0 and first < 0:
                packet = int(np.searchsorted(timed.pages, page.start))
                after = (
                    int(timed.firsts[packet + 1]) if packet + 1 < len(timed.firsts) else len(timed)
                )
                found = max(page.granule - int(timed.starts[after]), 0)
                first = page.granule
            last = max(last, page.granule)
        if first < 0:
            raise MediaProblem("damaged", detail_word="no-sound")
        return found, max(found + int(timed.starts[-1]) - last, 0)


def _read(source: Ogg, first: int, stop: int) -> list[bytes]:
    """The packets from one number up to another."""
    return [packet.data for packet in islice(source.read_packets(first), max(stop - first, 0))]
