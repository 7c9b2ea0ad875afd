"""AAC-LC: what its configuration says, and a notice coded in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest

import numpy as np

from aikz_label.adapters.audio.container import Coded, needs_recoding, refuse_variant
from aikz_label.adapters.audio.decoding import Samples
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.recoders import Coding
from aikz_label.values import dataclass

FRAME = 1024  # samples of a packet
CODER_DELAY = 1024
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
LOW_COMPLEXITY, _SBR, _PS = 2, 5, 29
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "7.1"}
# Which elements a packet has, of one channel, of two, and of low frequencies.
_ONE, _TWO, _LOW = "000", "001", "011"
_ELEMENTS = {
    1: (_ONE,),
    2: (_TWO,),
    3: (_ONE, _TWO),
    4: (_ONE, _TWO, _ONE),
    5: (_ONE, _TWO, _TWO),
    6: (_ONE, _TWO, _TWO, _LOW),
    7: (_ONE, _TWO, _TWO, _TWO, _LOW),
}
_MAX_CONFIG = 512  # bytes; with a list of elements and a comment it has some three hundred
_CHANNELS = {layout: channels for channels, layout in _LAYOUTS.items()} | {"7.1": 8}
_RICH = 48_000  # bits per second and channel of 44.1 kHz at which AAC-LC is as good as HE-AAC of half of that
_LEAST = 64_000  # bits per second and channel pair at which speech is clear


@dataclass(frozen=True, slots=True)
class Config:
    """An AudioSpecificConfig.

    Attributes:
        kind: Number of the object type.
        rate: Samples per second of the core.
        channels: Number of the channel configuration.
        short: Packets of 960 samples.
        extended: Spectral band replication is announced.
    """

    kind: int
    rate: int
    channels: int
    short: bool = False
    extended: bool = False

    @classmethod
    def read(cls, stored: bytes) -> Config | None:
        """Read the stored form; `None` when it is too short."""
        if len(stored) < 2:
            return None
        stored = stored[:_MAX_CONFIG]
        take = _reader(stored)
        kind = _kind(take)
        rate = _rate(take)
        channels = take(4)
        extended = kind in {_SBR, _PS}
        if extended:
            _rate(take)
            kind = _kind(take)
        short = bool(take(1)) if kind == LOW_COMPLEXITY else False
        found, bits = 8 * len(stored), int.from_bytes(stored)
        for at in range(16, found - 16):  # the announcement of an extension can follow at any bit
            if bits >> (found - at - 16) & 0xFFFF == 0x56E5:
                extended = extended or bool(bits >> (found - at - 17) & 1)
        return cls(kind, rate, channels, short, extended)

    def check(self, title: str) -> None:
        """Refuse what is not AAC-LC.

        Raises:
            Refused: Packets of a notice cannot go before such ones.
        """
        if self.extended or self.kind in {_SBR, _PS}:
            raise high_efficiency(title)
        if self.kind != LOW_COMPLEXITY:
            raise needs_recoding(
                title, f"its sound is MPEG-4 audio of type {self.kind}, not AAC-LC"
            )
        if self.short:
            raise needs_recoding(title, "its packets have 960 samples, which no encoder here makes")
        if self.channels not in _LAYOUTS or self.rate not in RATES:
            raise refuse_variant(title, "its AAC has an unusual configuration")

    @property
    def layout(self) -> str:
        """FFmpeg's name of the channel layout."""
        return _LAYOUTS[self.channels]


def high_efficiency(title: str) -> Exception:
    """The refusal of HE-AAC."""
    return needs_recoding(title, "no packets can go before those of HE-AAC")


def coded(title: str, config: Config, samples: Samples, bits: int, early: int) -> Coded:
    """Packets of a notice that need nothing of those before them, with silence at their end.

    Args:
        title: Name of the format, for people.
        config: What the file says of its packets.
        samples: The notice.
        bits: Bits per second of the file.
        early: How many samples a player takes off at the start.
    """
    before = max(early - CODER_DELAY, 0)
    count = -(-(before + samples.shape[1] + CODER_DELAY) // FRAME) + 2
    after = (count + 2) * FRAME - before - samples.shape[1]
    # Noise that is made up would change that of the programme behind it. The fast way to code is also nearer to the sound.
    options = {"aac_pns": "0", "aac_coder": "fast"}
    most = 6144 * config.rate // FRAME * samples.shape[0]
    rate = min(max(bits, _LEAST * (samples.shape[0] + 1) // 2), most)
    coder = Coder(title, "aac", config.rate, config.layout, "fltp", rate, options)
    made = Config.read(coder.extradata())
    if made is None or (made.kind, made.rate, made.channels) != (
        config.kind,
        config.rate,
        config.channels,
    ):
        raise refuse_variant(title, "the encoder makes no packets like those of the file")
    packets = list(coder.packets(np.pad(samples, ((0, 0), (before, after)))))[: count - 1]
    return Coded((*packets, silence(config.channels)), count * FRAME)


def recoder(title: str, coding: Coding) -> Coder:
    """What codes sound anew: AAC-LC, since there is no free encoder of anything better."""
    channels = _CHANNELS.get(coding.layout, 0)
    if not channels or coding.rate not in RATES:
        raise refuse_variant(title, f"no encoder makes {coding.layout} AAC at {coding.rate} Hz")
    each = _RICH * coding.rate / 44100 * channels
    most = 6144 * coding.rate // FRAME * channels
    bits = round(min(max(coding.bits, each), most))
    options = {"aac_pns": "0", "aac_coder": "fast"}  # no noise in place of what was there
    return Coder(title, "aac", coding.rate, coding.layout, "fltp", bits, options)


def same_packets(
    before: Iterator[bytes], after: Iterator[bytes], notices: Iterable[tuple[int, int, int]]
) -> bool:
    """Whether packets are the same besides those of notices.

    A decoder makes up the noise that a packet only describes, and goes on with it behind a packet that comes again.

    Args:
        before: The packets of the source.
        after: Those of the finished file.
        notices: Of each its place, and how many packets it takes the place of and has.
    """
    number = 0
    for place, old, new in notices:
        pairs = zip(islice(before, place - number), islice(after, place - number), strict=True)
        if any(first != second for first, second in pairs):
            return False
        deque(islice(before, old), 0)
        deque(islice(after, new), 0)
        number = place + old
    return all(first == second for first, second in zip_longest(before, after))


def silence(channels: int) -> bytes:
    """A packet of silence that leaves a decoder as it is before its first packet.

    The window of a packet is half that of the one before it, and encoders use another one than decoders start with.
    """
    info = (
        "0" + "00" + "0" + "000000" + "0"
    )  # a long window of sine shape, without bands and prediction
    body = "0" * 8 + "%s" + "000"  # gain; neither pulses nor noise shaping nor gain control
    single = body % info
    pair = "1" + info + "00" + 2 * (body % "")
    bits, used = "", dict.fromkeys((_ONE, _TWO, _LOW), 0)
    for element in _ELEMENTS[channels]:
        bits += element + f"{used[element]:04b}" + (pair if element == _TWO else single)
        used[element] += 1
    bits += "111"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8)


def _reader(stored: bytes) -> Callable[[int], int]:
    bits, at = int.from_bytes(stored + bytes(8)), 0
    total = 8 * (len(stored) + 8)

    def take(count: int) -> int:
        nonlocal at
        at = min(at + count, total)
        return bits >> (total - at) & (1 << count) - 1

    return take


def _kind(take: Callable[[int], int]) -> int:
    kind = take(5)
    return 32 + take(6) if kind == 31 else kind


def _rate(take: Callable[[int], int]) -> int:
    index = take(4)
    return take(24) if index == 15 else (*RATES, 0, 0)[index]
