"""The codings of sound in Ogg: which packets come first, and how a notice goes before the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aikz_label.adapters.audio.container import Coded, Insert, needs_recoding, refuse_variant
from aikz_label.adapters.audio.ogg.packets import Paging
from aikz_label.adapters.audio.recoders import Coding, Recoder, Sndfile
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags.vorbis import Comments
from aikz_label.later import Later
from aikz_label.values import replace

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg.container import Ogg
    from aikz_label.label import Label
else:
    np = Later("numpy")

_TITLE = "Ogg"
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


class Stream:
    """A coding nobody here can put a notice into; it can be read, and marked without one.

    Args:
        head: The packet with which it begins.

    Attributes:
        exact: See `SoundFile.exact`.
        known: Its sound can be decoded.
        lossy: Coding it again loses something, so an encoder of it may do that where it is allowed.
        prefix: What stands before the comments in their packet.
    """

    exact = known = lossy = True
    prefix = b"\x03vorbis"

    def __init__(self, head: bytes) -> None:
        self.head = head

    @property
    def rate(self) -> int:
        """Samples per second."""
        return int.from_bytes(self.head[12:16], "little")

    @property
    def describes(self) -> bool:
        """It is no sound, and only tells where another stream has which moment: Ogg Skeleton."""
        return self.head.startswith(b"fishead\0")

    def headers(self, head: bytes) -> int:  # noqa: ARG002  # for those whose first packet tells
        """How many packets come before the sound."""
        return 3

    def check(self, source: Ogg) -> None:
        """Refuse what cannot be handled."""

    def goes_on(self, heads: Sequence[bytes], others: Sequence[bytes]) -> bool:
        """Whether a decoder goes on with a stream that has these packets before its sound: all but comments are alike."""
        return [heads[0], *heads[2:]] == [others[0], *others[2:]]

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

    def samples(self, packet: bytes) -> int:  # noqa: ARG002  # only some packets tell it themselves
        """How many samples a packet is decoded to."""
        return 0

    def places(self, source: Ogg, seconds: Sequence[float], total: int) -> tuple[int, ...]:  # noqa: ARG002
        """Only the start."""
        return (0,)

    def joined(self, source: Ogg, at: int, coded: Coded, instead: int) -> Coded:  # noqa: ARG002
        """See `SoundFile.joined`."""
        return coded

    def holds(self, source: Ogg, places: Sequence[tuple[int, int]]) -> bool:  # noqa: ARG002
        """Nothing is taken out."""
        return False

    def encode(self, source: Ogg, samples: Samples) -> Coded:  # noqa: ARG002
        """There is no way."""
        raise needs_recoding(_TITLE, "packets of Vorbis need the code books of their own encoder")

    def recoder(self, coding: Coding) -> Recoder | None:
        """The quality at which the file says it was made, else the one that takes as many bits."""
        channels = self.head[11]
        nominal = int.from_bytes(self.head[20:24], "little", signed=True)
        told = 0.5 < nominal / coding.bits < 4  # libvorbis tells what it needs of music
        bits = (nominal if told else coding.bits) / channels * min(44100 / coding.rate, 2.0)
        quality = np.interp(bits, _VORBIS_RATES, np.arange(11) / 10)
        return Sndfile(coding.rate, channels, ("OGG", "VORBIS"), round(float(quality), 2))

    def renewed(self, fresh: Sequence[bytes], comments: Comments) -> tuple[bytes, ...]:
        """The packets before sound that was coded anew, which tell of its encoder, with the comments of the file."""
        first, theirs, *others = fresh
        vendor = Comments.read(theirs[len(self.prefix) :]).vendor
        return (first, self.prefix + replace(comments, vendor=vendor).stored(), *others)

    def spliced(self, source: Ogg, inserts: Sequence[Insert], paging: Paging) -> Iterator[bytes]:
        """The pages of sound, with notices."""
        raise NotImplementedError


class Unknown(Stream):
    """Something else in Ogg: speech of older codecs, films."""

    known = False

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
        from aikz_label.adapters.audio.ogg.opus import Opus  # noqa: PLC0415  # each of these is rather long

        return Opus(head)
    if head.startswith(b"\x7fFLAC"):
        from aikz_label.adapters.audio.ogg.flac import FlacInOgg  # noqa: PLC0415

        return FlacInOgg(head)
    return Stream(head) if head.startswith(b"\x01vorbis") else Unknown(head)
