"""The start of a sound: the packets that a notice goes into, and a few behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from aikz_label.adapters.video.spoken.codings import Coding
from aikz_label.adapters.video.spoken.tracks import Sound, Stored, Unspoken
from aikz_label.notice.sound import Composed, Samples
from aikz_label.values import dataclass

_RISE = 0.06  # seconds behind the notice in which the programme comes back
_GRAIN = 64  # pieces that are read at a time
_MOST_BYTES = 128 << 20  # that are read of a sound; several times as much is in memory then


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """The start of a sound.

    Attributes:
        coding: How it is coded.
        pieces: As it is stored.
        packets: The same as packets.
        skipped: Samples that players take off at the start.
        least: How many packets must be new, so that the notice is in them.
        whole: There are no packets behind these.
    """

    coding: Coding
    pieces: tuple[bytes, ...]
    packets: tuple[bytes, ...]
    skipped: int
    least: int
    whole: bool

    @classmethod
    def read(
        cls, sound: Sound, coding: Coding, skipped: int, made: Composed, until: int = 0
    ) -> Opening:
        """Read as much as a notice needs.

        Args:
            sound: Where it is stored.
            coding: How it is coded.
            skipped: Samples that players take off at the start.
            made: The notice.
            until: Sample of the programme up to which it must be new at least.

        Raises:
            Unspoken: The sound ends before the notice, or takes too many bytes until then.
        """
        spoken = skipped + max(made.samples.shape[1], until)
        wanted = spoken + round(_RISE * made.rate)
        fit = int(np.searchsorted(np.cumsum(sound.stored.slots.size), _MOST_BYTES, side="right"))
        count = _GRAIN
        while True:
            pieces = sound.first(min(count, fit))
            packets = coding.packets(pieces) if sound.stored.pieces else pieces
            lengths = [coding.samples_of(packet) for packet in packets]
            ends = np.cumsum(lengths)
            if not all(lengths):
                raise Unspoken("codec", "one of its packets is empty")
            least = int(np.searchsorted(ends, wanted)) + 1
            whole = len(pieces) == len(sound)
            if least + coding.reach < len(packets) or whole:
                break
            if count >= fit:
                raise Unspoken("structure", "its packets are too long")
            count *= 2
        if not len(ends) or int(ends[-1]) < spoken:
            raise Unspoken("too-short", "it ends before the notice would")
        kept = min(least + coding.reach, len(packets))
        whole = whole and kept == len(packets)
        return cls(coding, tuple(pieces), tuple(packets[:kept]), skipped, min(least, kept), whole)

    def replaced(self, sound: Samples, stored: Stored) -> tuple[list[bytes], int]:
        """What is stored instead of the first pieces, and the sample, as played, from which on all is as it was.

        Args:
            sound: What these packets are to sound like.
            stored: How they are stored.

        Raises:
            Unspoken: No such packets can be made.
        """
        new = self._new(sound)
        pairs = zip(new, self.packets, strict=False)
        if self.coding.fixed and any(len(one) != len(two) for one, two in pairs):
            raise Unspoken("codec", "its packets would become longer, by which its film tells time")
        last = len(new) + self.coding.settles
        after = sum(map(self.coding.samples_of, self.packets[:last])) - self.skipped
        return (list(self._cut(new)) if stored.pieces else new), after

    def _new(self, sound: Samples) -> list[bytes]:
        """New packets, up to one behind which the old ones go on well."""
        coding, total = self.coding, len(self.packets)
        most = total if self.whole else max(self.least, total - coding.ahead)
        made = coding.encode(sound, self.packets, most)
        for count in range(self.least, most + 1):
            if count == total:
                return made
            if coding.joins(made[:count], self.packets[count]):
                break
        else:
            count = self.least
        return coding.joined(made[:count], self.packets)

    def _cut(self, new: Sequence[bytes]) -> Iterator[bytes]:
        """A stream cut where it was; the last piece goes on as before."""
        stream, at = b"".join(new), 0
        for piece in self.pieces:
            if at >= len(stream):
                return
            part = stream[at : at + len(piece)]
            yield part + piece[len(part) :]
            at += len(piece)
