"""The track of a sound in Matroska: how it says that its packets are coded (RFC 9559, 5.1.4)."""

from __future__ import annotations

import struct
from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.aac.coding import Config
from aikz_label.adapters.audio.container import OnlyOver
from aikz_label.adapters.audio.flac.blocks import StreamInfo
from aikz_label.adapters.audio.mp3 import mpeg
from aikz_label.adapters.audio.packed.aac import Aac
from aikz_label.adapters.audio.packed.alac import Alac
from aikz_label.adapters.audio.packed.flac import Flac
from aikz_label.adapters.audio.packed.mp3 import Mp3
from aikz_label.adapters.audio.packed.opus import Opus
from aikz_label.adapters.audio.packed.packets import Packets
from aikz_label.adapters.audio.packed.pcm import Pcm
from aikz_label.adapters.audio.waves import pcm
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import TRACKS, Document, Element
from aikz_label.values import dataclass

TITLE = "Matroska"
ENTRY, PRIVATE = 0xAE, 0x63A2
_NUMBER, _UID, _TYPE, _CODEC, _ENCODINGS, _DELAY = 0xD7, 0x73C5, 0x83, 0x86, 0x6D80, 0x56AA
_AUDIO, _RATE, _CHANNELS, _BITS = 0xE1, 0xB5, 0x9F, 0x6264
_SOUND = 2  # type of a track
_USUAL_RATE, _HIGHEST = (
    8000.0,
    1 << 24,
)  # samples per second: where none are told, and that nobody has
_MOST = 10_000
_PCM = {
    "A_PCM/INT/LIT": (pcm.SIGNED, False),
    "A_PCM/INT/BIG": (pcm.SIGNED, True),
    "A_PCM/FLOAT/IEEE": (pcm.FLOAT, False),
}
_FLAC = b"fLaC"
_INFO_AT = 8  # behind the name of the format, and the head of its first block


@dataclass(frozen=True, slots=True)
class Track:
    """A track.

    Attributes:
        number: By which its blocks name it.
        uid: By which its tags do; 0 where it has none.
        codec: The name of its coding.
        private: What decoders are set up with.
        encoded: Its packets are encrypted, or packed once more.
        delay: Nanoseconds that its decoder is late.
        rate: Samples per second, as far as the container tells.
        channels: How many.
        bits: Of a sample; 0 where nothing tells.
    """

    number: int
    uid: int
    codec: str
    private: bytes
    encoded: bool
    delay: int
    rate: int
    channels: int
    bits: int

    def packets(self, first: bytes) -> Packets:
        """Its coding.

        Args:
            first: Its first packet.

        Raises:
            OnlyOver: No packets can go before those of such a coding.
            MediaProblem: It does not say enough.
        """
        if self.codec == "A_OPUS":
            return Opus(TITLE, self.private)
        if self.codec == "A_AAC":
            return Aac(TITLE, Config.read(self.private))
        if self.codec == "A_MPEG/L3":
            return Mp3(TITLE, mpeg.head(first[:4]))
        if self.codec == "A_FLAC" and self.private.startswith(_FLAC):
            return Flac(StreamInfo.read(self.private[_INFO_AT:]))
        if self.codec == "A_ALAC":
            return Alac.read(TITLE, self.private)
        if self.codec in _PCM:
            return self._samples()
        raise OnlyOver(TITLE, f"its sound is of the kind {self.codec[:40]!r}")

    def described(self, packets: Packets) -> bytes:
        """What decoders are set up with where a coding tells something else now."""
        if not isinstance(packets, Flac):
            return self.private
        info = packets.info.stored()
        return self.private[:_INFO_AT] + info + self.private[_INFO_AT + len(info) :]

    def _samples(self) -> Pcm:
        kind, big = _PCM[self.codec]
        width = self.bits // 8
        usual = {4, 8} if kind == pcm.FLOAT else {1, 2, 3, 4}
        if self.bits % 8 or width not in usual or not 1 <= self.channels <= 64 or self.rate < 1:
            raise OnlyOver(TITLE, f"its samples have {self.bits} bits")
        if width == 1:
            kind = pcm.UNSIGNED
        return Pcm(self.rate, self.channels, pcm.Coding(kind, width, self.bits, big=big))


def find(source: BinaryIO, document: Document) -> list[Track]:
    """Every track of sound.

    Raises:
        Broken: The list of tracks is.
        MediaProblem: A track has no number.
    """
    return [
        _read(source, parts)
        for tracks in document.all(TRACKS)
        for child in ebml.children(source, tracks, _MOST)
        if child.name == ENTRY
        for parts in [_parts(source, child)]
        if _number(source, parts, _TYPE) == _SOUND
        and _content(source, parts, _CODEC).startswith(b"A")  # FFmpeg counts no others
    ]


def _read(source: BinaryIO, parts: dict[int, Element]) -> Track:
    number = _number(source, parts, _NUMBER)
    if not number:
        raise MediaProblem("damaged", detail_word="no-sound")
    audio = _parts(source, parts[_AUDIO]) if _AUDIO in parts else {}
    return Track(
        number,
        _number(source, parts, _UID),
        _content(source, parts, _CODEC).rstrip(b"\0").decode("ascii", "replace"),
        _content(source, parts, PRIVATE),
        _ENCODINGS in parts,
        _number(source, parts, _DELAY),
        _rate(_content(source, audio, _RATE)),
        _number(source, audio, _CHANNELS) or 1,
        _number(source, audio, _BITS),
    )


def _rate(stored: bytes) -> int:
    """A number of samples, stored as a real number."""
    kind = {4: ">f", 8: ">d"}.get(len(stored))
    told: float = struct.unpack(kind, stored)[0] if kind else _USUAL_RATE
    return round(told) if 0 < told < _HIGHEST else 0


def _parts(source: BinaryIO, parent: Element) -> dict[int, Element]:
    return {child.name: child for child in ebml.children(source, parent, _MOST)}


def _content(source: BinaryIO, parts: dict[int, Element], name: int) -> bytes:
    return ebml.content(source, parts[name]) if name in parts else b""


def _number(source: BinaryIO, parts: dict[int, Element], name: int) -> int:
    return ebml.number(source, parts[name]) if name in parts else 0
