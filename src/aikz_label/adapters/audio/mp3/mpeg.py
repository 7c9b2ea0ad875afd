"""Frames of MPEG audio, layer III: how long each is, and what its head says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.frames import Frames, sizes_of
from aikz_label.limits import MIB
from aikz_label.values import dataclass, field

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
LAYER_2_KBITS = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_LAYER_3 = 1
_MONO = 3
_WINDOW = MIB
_MOST_JUNK = 64 * 1024  # between two frames
_MOST_PLACES = (
    500_000  # in all of it that are looked at there; of anything that is no run of ones, 128 MB
)
_MOST_TRIED = 20_000  # places in all of it at which frames might go on; real ones take a few


@dataclass(frozen=True, slots=True)
class Head:
    """The four bytes before each frame, read.

    Attributes:
        stored: The bytes.
        version: 3 for MPEG-1, 2 for MPEG-2, 0 for MPEG-2.5.
        rate: Samples per second.
        kbits: Kilobits per second; 0 for free format.
        mono: It has one channel.
        joint: Its two channels may be coded together.
        checked: A check sum follows.
        size: Bytes of the frame.
    """

    stored: bytes
    version: int
    rate: int
    kbits: int
    mono: bool
    joint: bool
    checked: bool
    size: int

    @property
    def samples(self) -> int:
        """Samples of a frame."""
        return 1152 if self.version == 3 else 576

    @property
    def side(self) -> int:
        """Bytes of side information."""
        if self.version == 3:
            return 17 if self.mono else 32
        return 9 if self.mono else 17

    @property
    def main(self) -> int:
        """Where the main data start in the frame."""
        return 4 + (2 if self.checked else 0) + self.side

    @property
    def remembered(self) -> int:
        """How many frames it takes until nothing that was before them is heard: two parts, of which MPEG-1 has two."""
        return 1 if self.version == 3 else 2

    @property
    def reach(self) -> int:
        """How many bytes of earlier frames a frame can use."""
        return 511 if self.version == 3 else 255

    def borrowed(self, frame: bytes) -> int:
        """How many bytes of earlier frames a frame says it uses."""
        own = head(frame[:4])
        at = 6 if own and own.checked else 4
        stored = int.from_bytes(frame[at : at + 2])
        return stored >> 7 if self.version == 3 else stored >> 8

    def with_kbits(self, kbits: int) -> Head:
        """The head of a frame of another rate, without a check sum and padding."""
        table = _KBITS_1 if self.version == 3 else _KBITS_2
        first, second, third, fourth = self.stored
        stored = bytes((first, second | 1, table.index(kbits) << 4 | third & 0x0D, fourth))
        found = head(stored)
        assert found is not None
        return found

    def all_kbits(self) -> tuple[int, ...]:
        """The rates there are, from the lowest."""
        return (_KBITS_1 if self.version == 3 else _KBITS_2)[1:]

    def alike(self, other: Head) -> bool:
        """Whether both can be frames of one stream."""
        return (self.version, self.rate) == (other.version, other.rate)


@lru_cache(maxsize=4096)  # any bytes can be asked about
def head(stored: bytes) -> Head | None:
    """Read four bytes; `None` when they begin no frame of layer III."""
    if len(stored) < 4 or stored[0] != 0xFF or stored[1] & 0xE0 != 0xE0:
        return None
    version, layer = stored[1] >> 3 & 3, stored[1] >> 1 & 3
    index, sampling = stored[2] >> 4, stored[2] >> 2 & 3
    if layer != _LAYER_3 or version == 1 or index == 15 or sampling == 3:
        return None
    rate = _RATES[version][sampling]
    kbits = (_KBITS_1 if version == 3 else _KBITS_2)[index]
    size = (144 if version == 3 else 72) * kbits * 1000 // rate + (stored[2] >> 1 & 1)
    mode = stored[3] >> 6
    return Head(stored, version, rate, kbits, mode == _MONO, mode == 1, not stored[1] & 1, size)


def other_head(stored: bytes) -> Head | None:
    """Read four bytes that begin a frame of layer I or II; nothing here tells how long it is."""
    if len(stored) < 4 or layer_of(stored) not in {1, 2}:
        return None
    version, index, sampling = stored[1] >> 3 & 3, stored[2] >> 4, stored[2] >> 2 & 3
    if version == 1 or index == 15 or sampling == 3:
        return None
    mono = stored[3] >> 6 == _MONO
    return Head(stored, version, _RATES[version][sampling], 0, mono, False, False, 0)


def layer_of(stored: bytes) -> int:
    """1, 2 or 3; 0 when the bytes begin no frame at all."""
    if len(stored) < 2 or stored[0] != 0xFF or stored[1] & 0xE0 != 0xE0:
        return 0
    return {3: 1, 2: 2, 1: 3}.get(stored[1] >> 1 & 3, 0)


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk from frame to frame found.

    Attributes:
        frames: The frames.
        head: Head of the first one.
        broken: Something stands between two of them.
        kbits: The rate of all, 0 when there are several.
    """

    frames: Frames
    head: Head | None
    broken: bool
    kbits: int


def walked(source: BinaryIO, start: int, size: int) -> Walked:
    """Walk from frame to frame, from the first one on."""
    walk = _Walk(source, start, size, stop=start)
    sizes = sizes_of(walk.sizes())
    kbits = walk.kbits.pop() if len(walk.kbits) == 1 else 0
    return Walked(Frames(start, walk.stop, sizes), walk.first, walk.broken, kbits)


@dataclass(slots=True)
class _Walk:
    """A walk, and what it found so far."""

    source: BinaryIO
    start: int
    size: int
    stop: int
    broken: bool = False
    first: Head | None = None
    kbits: set[int] = field(default_factory=set)
    places: int = 0
    tried: int = 0

    def sizes(self) -> Iterator[int]:
        """The length of each frame."""
        window, base, at = b"", self.start, self.start
        while True:
            if at + 4 > base + len(window):
                window, base = pieces.read(self.source, at, _WINDOW), at
            found = head(window[at - base : at - base + 4])
            if found is None or not found.size or (self.first and not found.alike(self.first)):
                after = self._next(at)
                if after is None:
                    break
                self.broken, at = True, after
                continue
            if at + found.size > self.size:
                break
            self.first = self.first or found
            self.kbits.add(found.kbits)
            yield found.size
            at += found.size
            self.stop = at

    def _next(self, at: int) -> int | None:
        """Where frames go on behind something else: at two heads of the same stream, one frame apart."""
        if self.first is None:
            return None
        window = pieces.read(self.source, at, _MOST_JUNK)
        place = window.find(b"\xff")
        while 0 <= place < len(window) - 4 and self.tried < _MOST_TRIED:
            self.places += 1
            if self.places > _MOST_PLACES:
                return None
            found = head(window[place : place + 4])
            if found is not None and found.size and found.alike(self.first):
                self.tried += 1
                second = head(pieces.read(self.source, at + place + found.size, 4))
                if second is not None and second.alike(self.first):
                    return at + place
            place = window.find(b"\xff", place + 1)
        return None


def first_frame(source: BinaryIO, at: int) -> int:
    """Where the first frame is, from some place on: at a head after which another one follows.

    Raises:
        MediaProblem: There is none.
    """
    window = pieces.read(source, at, _MOST_JUNK)
    place = window.find(b"\xff")
    while 0 <= place < len(window) - 3:
        found = head(window[place : place + 4])
        if found is not None and not found.size:  # free format: the caller refuses it
            return at + place
        if found is not None:
            following = pieces.read(source, at + place + found.size, 4)
            second = head(following)
            told = at and not place  # a tag leads exactly here
            if told or not following or following[:3] == b"TAG" or (second and second.alike(found)):
                return at + place
        place = window.find(b"\xff", place + 1)
    raise MediaProblem("damaged", detail_word="no-sound")
