"""The sounds of a film as its container stores them, and the same film with other packets in some of their places."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from importlib import import_module
from typing import BinaryIO, Protocol

import numpy as np

from aikz_label.adapters.video.coding import Setup
from aikz_label.adapters.video.film import Numbers, Recoded, Slots
from aikz_label.formats import Format
from aikz_label.limits import Limits
from aikz_label.values import dataclass

_KINDS = {
    "mp4": "boxes",
    "mov": "boxes",
    "3gp": "boxes",
    "avi": "avi",
    "mkv": "matroska",
    "webm": "matroska",
    "m4a": "boxes",
    "mka": "matroska",
}


class Unspoken(ValueError):
    """A sound cannot get a notice.

    Attributes:
        why: A word of the group `word.unspoken`.
        detail: What is in the way, for the message.
    """

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


class Stored(Protocol):
    """A film of which the frames are the packets of one sound: see `Film`.

    Attributes:
        slots: The packets.
        pieces: They are not packets, but what a stream of bytes was cut into.
        fixed: Each must keep its length, because the container tells time by it.
        described: Where in the file it is told how the sound is coded: start and stop.
    """

    slots: Slots
    pieces: bool
    fixed: bool
    described: tuple[int, int]

    def write(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        spool: BinaryIO,
        recoded: Sequence[Recoded],
        setup: Setup,
    ) -> None:
        """See `Film.write`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One of the sounds of a film.

    Attributes:
        source: The film.
        stored: Where its packets lie.
    """

    source: BinaryIO
    stored: Stored

    def __len__(self) -> int:
        return len(self.stored.slots)

    def first(self, count: int) -> list[bytes]:
        """The first packets as they are stored."""
        return [self._read(*place) for place in self._places(0, count)]

    def digest(self, start: int) -> str:
        """Of all packets from a number on."""
        hashed = hashlib.sha256()
        for place in self._places(start, len(self)):
            hashed.update(self._read(*place))
        return hashed.hexdigest()

    def write(self, destination: BinaryIO, packets: Sequence[bytes]) -> None:
        """Write the film with other packets in the places of the first ones."""
        count, slots = len(packets), self.stored.slots
        sizes: Numbers = np.array([len(packet) for packet in packets], np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])[:count]
        run = Recoded(0, starts, sizes, slots.shown[:count], slots.key[:count])
        spool = io.BytesIO(b"".join(packets))
        self.stored.write(self.source, destination, spool, (run,), Setup(b"", b""))

    def redescribe(self, old: bytes, new: bytes) -> None:
        """Write other bytes of the same length into what decoders are told; `source` must be ours to write."""
        start, stop = self.stored.described
        at = self._read(start, stop - start).find(old)
        if at >= 0 and len(old) == len(new):
            self.source.seek(start + at)
            self.source.write(new)

    def _places(self, start: int, stop: int) -> list[tuple[int, int]]:
        slots = self.stored.slots
        found = zip(slots.start[start:stop].tolist(), slots.size[start:stop].tolist(), strict=True)
        return list(found)

    def _read(self, start: int, size: int) -> bytes:
        self.source.seek(start)
        return self.source.read(size)


def find(source: BinaryIO, row: Format, number: int, limits: Limits) -> Sound:
    """One of the sounds of a film.

    Args:
        source: The film.
        row: Its format.
        number: By which libav knows the track.
        limits: Caps.

    Raises:
        Unspoken: It is stored in a way in which no packets can be replaced.
        MediaProblem: The film is damaged.
        Refused: It holds what cannot be kept.
    """
    module = import_module(f"aikz_label.adapters.video.spoken.{_KINDS[row.name]}")
    return Sound(source, module.stored(source, number, limits))
