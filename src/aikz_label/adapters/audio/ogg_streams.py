"""The codings of sound in Ogg: which packets come first, and how a notice goes before the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, Insert, needs_recoding, refuse_variant
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.ogg_packets import Paging
from aikz_label.adapters.audio.recoders import Coding, Recoder, Vorbis
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags.vorbis import Comments

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg import Ogg
    from aikz_label.label import Label

_TITLE = "Ogg"
_OPUS_RATE, _OPUS_PACKET, _OPUS_DELAY = 48000, 960, 312
_OPUS_LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "quad",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}
# Bits per second and channel that libvorbis takes for its eleven qualities, at 44.1 kHz.
_VORBIS_RATES = (
    32_000,
    40_000,
    48_000,
    56_000,
    64_000,
    80_000,
    96_000,
    112_000,
    128_000,
    160_000,
    250_000,
)
_SPEECH = 12  # configurations below code speech alone, those above also or only music
_RESETTING = 2
_SETTLING = 6  # packets of silence behind which a decoder is as at its start, or nearly


class Stream:
    """A coding nobody here can put a notice into; it can be read, and marked without one.

    Args:
        head: The packet with which it begins.

    Attributes:
        exact: See `SoundFile.exact`.
        prefix: What stands before the comments in their packet.
    """

    exact = True
    prefix = b"\x03vorbis"

    def __init__(self, head: bytes) -> None:
        self.head = head

    @property
    def rate(self) -> int:
        """Samples per second."""
        return int.from_bytes(self.head[12:16], "little")

    def headers(self, head: bytes) -> int:  # noqa: ARG002  # for those whose first packet tells
        """How many packets come before the sound."""
        return 3

    def check(self, source: Ogg) -> None:
        """Refuse what cannot be handled."""

    def comments(self, packets: Sequence[bytes]) -> Comments:
        """The comments."""
        if len(packets) < 2 or not packets[1].startswith(self.prefix):
            return Comments()
        return Comments.read(packets[1][len(self.prefix) :])

    def changed(
        self,
        source: Ogg,
        inserts: Sequence[Insert],  # noqa: ARG002  # for those that tell a length
        label: Label,
        shift: Shift,
        said: list[str],  # noqa: ARG002
    ) -> tuple[bytes, ...]:
        """The packets before the sound, with mirrors and moved moments."""
        comments = self.comments(source.heads).moved(shift).with_mirror(label)
        first, _, *others = source.heads
        return (first, self.prefix + comments.stored(), *others)

    def places(self, source: Ogg, seconds: Sequence[float]) -> tuple[int, ...]:  # noqa: ARG002
        """Only the start."""
        return (0,)

    def holds(self, source: Ogg, places: Sequence[tuple[int, int]]) -> bool:  # noqa: ARG002
        """Nothing is taken out."""
        return False

    def encode(self, source: Ogg, samples: Samples) -> Coded:  # noqa: ARG002
        """There is no way."""
        raise needs_recoding(_TITLE, "packets of Vorbis need the code books of their own encoder")

    def recoder(self, coding: Coding) -> Recoder:
        """The quality at which the file says it was made, else the one that takes as many bits."""
        channels = self.head[11]
        nominal = int.from_bytes(self.head[20:24], "little", signed=True)
        told = 0.5 < nominal / coding.bits < 4  # libvorbis tells what it needs of music
        bits = (nominal if told else coding.bits) / channels * min(44100 / coding.rate, 2.0)
        quality = np.interp(bits, _VORBIS_RATES, np.arange(11) / 10)
        return Vorbis(coding.rate, channels, round(float(quality), 2))

    def renewed(self, fresh: Sequence[bytes], comments: Comments) -> tuple[bytes, ...]:
        """The packets before sound that was coded anew, which tell of its encoder, with the comments of the file."""
        first, theirs, *others = fresh
        vendor = Comments.read(theirs[len(self.prefix) :]).vendor
        return (first, self.prefix + replace(comments, vendor=vendor).stored(), *others)

    def spliced(self, source: Ogg, inserts: Sequence[Insert], paging: Paging) -> Iterator[bytes]:
        """The pages of sound, with notices."""
        raise NotImplementedError


class Opus(Stream):
    """Opus: packets of a notice in the same stream, at its start."""

    exact = False
    prefix = b"OpusTags"

    @property
    def rate(self) -> int:
        """Always this one."""
        return _OPUS_RATE

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

    def check(self, source: Ogg) -> None:  # noqa: ARG002
        """Refuse a head that is not whole."""
        if len(self.head) < 19 or self.head[9] not in _OPUS_LAYOUTS:
            raise refuse_variant(_TITLE, "its Opus has an unusual number of channels")

    def encode(self, source: Ogg, samples: Samples) -> Coded:
        """Packets of 20 ms, of the same streams within the stream, with silence at both ends."""
        before = max(self.skipped - _OPUS_DELAY, 0)
        count = -(-(before + samples.shape[1] + _OPUS_DELAY) // _OPUS_PACKET) + _SETTLING
        after = (count + 2) * _OPUS_PACKET - before - samples.shape[1]
        padded = np.pad(samples / np.float32(self.gain), ((0, 0), (before, after)))
        coder = self._coder(source, samples.shape[0])
        made = coder.extradata()
        if self.head[18] and made[18:] != self.head[18:]:
            raise refuse_variant(_TITLE, "its Opus is put together in an unusual way")
        packets = list(coder.packets(padded.astype(np.float32)))[: count - _RESETTING]
        packets += self._resetting(source, coder, samples.shape[0])
        return Coded(tuple(packets), count * _OPUS_PACKET)

    def _resetting(self, source: Ogg, coder: Coder, channels: int) -> list[bytes]:
        """Silence in the other of the two ways in which Opus codes: a decoder begins anew when the way changes."""
        first = next(source.read_packets(), None)
        speech = first is None or first.data[:1] < bytes((_SPEECH << 3,))
        other = {"application": "lowdelay"} if speech else {"application": "voip", "cutoff": "4000"}
        bits = 64_000 if speech else 8_000
        options = {k: v for k, v in coder.options.items() if k != "mapping_family"} | other
        silent = replace(coder, bits=bits, options=options)
        if not self.head[18]:
            return self._silence(silent, coder.layout, channels)
        streams, coupled = self.head[19:21]
        two, one = self._silence(silent, "stereo", 2), self._silence(silent, "mono", 1)
        each = [two if number < coupled else one for number in range(streams)]
        return [
            b"".join(map(_delimited, moment[:-1])) + moment[-1]
            for moment in zip(*each, strict=True)
        ]

    def _silence(self, coder: Coder, layout: str, channels: int) -> list[bytes]:
        silence = np.zeros((channels, 12 * _OPUS_PACKET), np.float32)
        packets = list(replace(coder, layout=layout).packets(silence))
        return packets[6 : 6 + _RESETTING]

    def holds(self, source: Ogg, places: Sequence[tuple[int, int]]) -> bool:
        """Only an old notice at the start, in pages of its own."""
        ((start, stop), *others) = places
        return start == 0 and not others and self._page_behind(source, stop) is not None

    def spliced(self, source: Ogg, inserts: Sequence[Insert], paging: Paging) -> Iterator[bytes]:
        """Pages of the notice, and those of the sound at a later position."""
        (insert,) = inserts
        position = self._before(source)
        for packet in insert.coded:
            position += _OPUS_PACKET
            yield from paging.add(packet, position)
        yield from paging.flush()
        start = self._page_behind(source, insert.instead) if insert.instead else source.start
        yield from source.renumbered(paging, insert.length - insert.instead, start or 0)

    def _coder(self, source: Ogg, channels: int) -> Coder:
        seconds = max(self._seconds(source), 1.0)
        bits = int((source.size - source.start) * 8 / seconds)
        least, most = 48_000 * (channels + 1) // 2, 128_000 * (channels + 1) // 2
        options = {"application": "audio", "frame_duration": "20", "vbr": "on"}
        if self.head[18]:
            options["mapping_family"] = str(self.head[18])
        layout = _OPUS_LAYOUTS[self.head[9]]
        return Coder(
            _TITLE, "libopus", _OPUS_RATE, layout, "flt", min(max(bits, least), most), options
        )

    def _seconds(self, source: Ogg) -> float:
        last = max((page.granule for page in source.sound_pages()), default=0)
        return last / _OPUS_RATE

    def _before(self, source: Ogg) -> int:
        """The position at which the sound starts: 0, but for a piece of a longer recording."""
        found = 0
        for packet in source.read_packets():
            found += samples_of(packet.data)
            if packet.granule >= 0:
                return max(packet.granule - found, 0)
        raise MediaProblem("damaged", detail_word="no-sound")

    def _page_behind(self, source: Ogg, samples: int) -> int | None:
        """Where the page starts that comes behind so many samples."""
        wanted = samples + self._before(source)
        for page in source.sound_pages():
            if page.granule == wanted:
                return page.stop
            if page.granule > wanted:
                return None
        return None


class Unknown(Stream):
    """Something else in Ogg: speech of older codecs, films."""

    def check(self, source: Ogg) -> None:  # noqa: ARG002
        """Refuse it."""
        raise refuse_variant(_TITLE, "its sound is not Opus, FLAC or Vorbis")

    def headers(self, head: bytes) -> int:  # noqa: ARG002
        """The first packet is enough to know that."""
        return 1

    def comments(self, packets: Sequence[bytes]) -> Comments:  # noqa: ARG002
        """Nobody knows where they are."""
        return Comments()


def of(head: bytes) -> Stream:
    """What is known of a stream by its first packet."""
    if head.startswith(b"OpusHead"):
        return Opus(head)
    if head.startswith(b"\x7fFLAC"):
        from aikz_label.adapters.audio.ogg_flac import FlacInOgg  # noqa: PLC0415  # few files have it

        return FlacInOgg(head)
    return Stream(head) if head.startswith(b"\x01vorbis") else Unknown(head)


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
