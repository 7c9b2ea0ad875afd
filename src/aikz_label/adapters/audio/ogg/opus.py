"""Opus in Ogg: packets of a notice at the start and between others, with some that come twice so that decoders settle.

A decoder goes on from what it decoded before, and no packet tells all of that. But it forgets: behind a packet of the other
of its two ways to code it begins anew, and fed with some packets that came before a place it comes to the same state there,
or so near that no sample differs by more than half a step of 16 bits. How many it takes is tried out, with both decoders
there are (see `opus_settling`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, Insert, needs_recoding, refuse_variant
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.ogg import settling as opus_settling
from aikz_label.adapters.audio.ogg.packets import Paging
from aikz_label.adapters.audio.ogg.streams import Stream
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg.container import Ogg

_TITLE = "Ogg"
_RATE, _PACKET, _DELAY = 48000, 960, 312
_LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}
_USUAL = {"frame_duration": "20"}
_SPEECH = 12  # configurations below code speech alone; behind those of its narrowest band all others begin anew
_RESETTING = 2
_SETTLING = 6  # packets of silence behind which a decoder is as at its start, or nearly
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

    @property
    def gain(self) -> float:
        """By how much players make it louder."""
        return float(10 ** (int.from_bytes(self.head[16:18], "little", signed=True) / 256 / 20))

    def headers(self, head: bytes) -> int:  # noqa: ARG002
        """The head and the comments."""
        return 2

    def samples(self, packet: bytes) -> int:
        """What its first bytes tell."""
        return samples_of(packet)

    def check(self, source: Ogg) -> None:  # noqa: ARG002
        """Refuse a head that is not whole."""
        if len(self.head) < 19 or self.head[9] not in _LAYOUTS:
            raise refuse_variant(_TITLE, "its Opus has an unusual number of channels")

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
        number = opus_settling.nearest(self, source, numbers.tolist())
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
        before = max(self.skipped - _DELAY, 0)
        count = -(-(before + samples.shape[1] + _DELAY) // _PACKET) + _SETTLING
        after = (count + 2) * _PACKET - before - samples.shape[1]
        padded = np.pad(samples / np.float32(self.gain), ((0, 0), (before, after)))
        coder = self._coder(source)
        made = coder.extradata()
        if self.head[18] and made[18:] != self.head[18:]:
            raise refuse_variant(_TITLE, "its Opus is put together in an unusual way")
        packets = list(coder.packets(padded.astype(np.float32)))[: count - _RESETTING]
        first = next(source.read_packets(), None)
        packets += self.resetting(first.data if first else b"")
        return Coded(tuple(packets), count * _PACKET)

    def joined(self, source: Ogg, at: int, coded: Coded, instead: int) -> Coded:
        """Between packets, some of those before come again behind a decoder's new beginning."""
        number, behind = self._numbers(source, at, instead)
        if not at:
            return coded
        starts = source.timed().starts
        if behind == len(starts) - 1:  # behind what fills up the last packet
            return replace(coded, length=coded.length + int(starts[number]) - self.skipped - at)
        again = opus_settling.again(self, source, number, behind)
        if again is None:
            raise needs_recoding(_TITLE, "its decoder does not go on behind a notice as before")
        packets = (*coded.data[:-_RESETTING], *self.resetting(again[0]), *again)
        return Coded(packets, coded.length + sum(map(samples_of, again)))

    def resetting(self, following: bytes) -> tuple[bytes, ...]:
        """Silence in the other of the two ways in which Opus codes: a decoder begins anew when the way changes."""
        return _resetting(self.head, speech=following[:1] < bytes((_SPEECH << 3,)))

    def _coder(self, source: Ogg) -> Coder:
        channels = self.head[9]
        last = max((page.granule for page in source.sound_pages()), default=0)
        bits = int((source.size - source.start) * 8 / max(last / _RATE, 1.0))
        least, most = 48_000 * (channels + 1) // 2, 128_000 * (channels + 1) // 2
        return self._coder_of(min(max(bits, least), most))

    def _coder_of(self, bits: int) -> Coder:
        options = _USUAL | {"application": "audio", "vbr": "on"}
        if self.head[18]:
            options["mapping_family"] = str(self.head[18])
        return Coder(_TITLE, "libopus", _RATE, _LAYOUTS[self.head[9]], "flt", bits, options)

    def recoder(self, coding: Coding) -> Recoder:
        """See `SoundFile.recoder`."""
        channels = self.head[9]
        bits = min(max(coding.bits, 24_000 * channels), 256_000 * channels)
        return Muxed("ogg", self._coder_of(bits))

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


@lru_cache(maxsize=16)  # any head can come, and each is asked for often
def _resetting(head: bytes, *, speech: bool) -> tuple[bytes, ...]:
    other = {"application": "lowdelay"} if speech else {"application": "voip", "cutoff": "4000"}
    bits = 64_000 if speech else 8_000
    silent = Coder(_TITLE, "libopus", _RATE, _LAYOUTS[head[9]], "flt", bits, _USUAL | other)
    if not head[18]:
        return _silence(silent, silent.layout, head[9])
    streams, coupled = head[19:21]
    two, one = _silence(silent, "stereo", 2), _silence(silent, "mono", 1)
    each = [two if number < coupled else one for number in range(streams)]
    return tuple(
        b"".join(map(_delimited, moment[:-1])) + moment[-1] for moment in zip(*each, strict=True)
    )


def _silence(coder: Coder, layout: str, channels: int) -> tuple[bytes, ...]:
    silence = np.zeros((channels, 12 * _PACKET), np.float32)
    packets = list(replace(coder, layout=layout).packets(silence))
    return tuple(packets[6 : 6 + _RESETTING])


def _delimited(packet: bytes) -> bytes:
    """A packet of one frame that tells its own length (RFC 6716, appendix B)."""
    if packet[0] & 3 or len(packet) > 252:
        raise refuse_variant(_TITLE, "its Opus is put together in an unusual way")
    return packet[:1] + bytes((len(packet) - 1,)) + packet[1:]


def samples_of(packet: bytes) -> int:
    """Samples of a packet of Opus, at 48 kHz (RFC 6716, 3.1)."""
    if not packet:
        return 0
    config = packet[0] >> 3
    if config < 12:
        step = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        step = (480, 960)[config & 1]
    else:
        step = 120 << (config & 3)
    code = packet[0] & 3
    count = {0: 1, 1: 2, 2: 2}.get(code, packet[1] & 63 if len(packet) > 1 else 0)
    return count * step
