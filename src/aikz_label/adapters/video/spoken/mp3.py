"""MP3 in a film: a frame may use bytes that stand in frames before it, so the last new ones hold what the old ones need.

The data of a frame go anywhere before its end, up to 511 bytes before its own place for them. New frames are coded with
fewer bits than they have room for, and their data moved forward, until at their end there is room for the bytes that the
old frame behind them takes from the frames before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np

from aikz_label.adapters.audio.mp3 import mpeg, vbr_header
from aikz_label.adapters.audio.mp3.mpeg import Head
from aikz_label.adapters.video.spoken.codings import Form, Overlapping
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.notice.sound import Samples
from aikz_label.values import dataclass

_LEAST_KBITS = 56  # for speech; the next lower one is taken
_LOOK = 12  # frames behind, some of which may reach back beyond the first of them
# Kinds of window: those that begin as long ones do, and those that end so.
_BEGIN_LONG, _END_LONG = frozenset({0, 1}), frozenset({0, 3})


class Mp3(Overlapping):
    """Frames of 1152 samples, or of 576 at low rates."""

    delay = 1105
    settles: ClassVar[int] = 3
    reach: ClassVar[int] = 40
    ahead: ClassVar[int] = _LOOK

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        self.step = 1152 if form.rate >= 32_000 else 576

    def packets(self, pieces: Sequence[bytes]) -> list[bytes]:
        """See `Coding.packets`."""
        stream, found, at = b"".join(pieces), [], 0
        while at + 4 <= len(stream):
            head = mpeg.head(stream[at : at + 4])
            if head is None or not head.size:
                raise Unspoken("codec", "MP3 with something between its frames")
            if at + head.size > len(stream):
                break
            found.append(stream[at : at + head.size])
            at += head.size
        return found

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        heads = [mpeg.head(packet[:4]) for packet in packets]
        for head, packet in zip(heads, packets, strict=True):
            if head is None or head.size != len(packet) or head.samples != self.step:
                raise Unspoken("codec", "MP3 in which not every packet is a frame")
        known = [head for head in heads if head is not None]
        kbits = _kbits(known, 0 if self.fixed else _LEAST_KBITS)
        options = {"reservoir": "0", "joint_stereo": str(int(known[0].joint))}
        coder = self.coder("libmp3lame", "fltp", kbits * 1000, options)
        made = self.aligned(coder, sound, count)
        frames = [Frame.read(one).within(old) for one, old in zip(made, packets, strict=False)]
        if vbr_header.find(packets[0], known[0]) is not None:
            return [packets[0], *(frame.stored for frame in frames[1:])]  # it tells of all others
        return [frame.stored for frame in frames]

    def joins(self, new: Sequence[bytes], behind: bytes) -> bool:
        """Only long windows fit each other whatever the encoders thought."""
        last, first = Frame.read(new[-1]).windows, Frame.read(behind).windows
        channels = 1 if self.form.channels == 1 else 2
        return set(last[-channels:]) <= _END_LONG and set(first[:channels]) <= _BEGIN_LONG

    def joined(self, new: Sequence[bytes], packets: Sequence[bytes]) -> list[bytes]:
        """See `Coding.joined`."""
        count = len(new)
        need = _reaching([Frame.read(packet) for packet in packets[count : count + _LOOK]])
        if not need:
            return list(new)
        before = b"".join(Frame.read(packet).area for packet in packets[:count])
        return list(_moved([Frame.read(one) for one in new], before[-need:].rjust(need, b"\0")))


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, read.

    Attributes:
        stored: Its bytes.
        head: Its head.
        begin: How many bytes before its own place its data begin.
        data: How many bytes they are.
        windows: Kind of the window of each part and channel.
    """

    stored: bytes
    head: Head
    begin: int
    data: int
    windows: tuple[int, ...]

    @classmethod
    def read(cls, stored: bytes) -> Self:
        """Read the side information (ISO/IEC 11172-3, 2.4.1.7; 13818-3, 2.4.1.7).

        Raises:
            Unspoken: It is no frame.
        """
        head = mpeg.head(stored[:4])
        if head is None or len(stored) < head.main:
            raise Unspoken("codec", "MP3 in which not every packet is a frame")
        first = head.version == 3
        channels = 1 if head.mono else 2
        bits = int.from_bytes(stored[head.main - head.side : head.main])
        total = 8 * head.side
        at = (18 if head.mono else 20) if first else (9 if head.mono else 10)
        step, skip = (59, 33) if first else (63, 38)
        lengths, windows = 0, []
        for _ in range((2 if first else 1) * channels):
            part = bits >> (total - at - step) & (1 << step) - 1
            lengths += part >> step - 12
            switched = part >> (step - skip - 1) & 1
            windows.append(part >> (step - skip - 3) & 3 if switched else 0)
            at += step
        begin = bits >> (total - (9 if first else 8))
        return cls(stored, head, begin, -(-lengths // 8), tuple(windows))

    @property
    def area(self) -> bytes:
        """Its own place for data."""
        return self.stored[self.head.main :]

    def within(self, old: bytes) -> Frame:
        """The same in a frame as long as an old one, or of its own length where that is shorter."""
        room = mpeg.head(old[:4])
        assert room is not None
        size = room.size - 4 - self.head.side
        third, fourth = self.stored[2], self.stored[3] & 0xFC | old[3] & 3
        if size < max(self.data, len(self.area)):
            size = len(self.area)
        else:
            third = old[2] & 0xF2 | third & 0x0D
        side = self.stored[self.head.main - self.head.side : self.head.main]
        stored = bytes((0xFF, self.stored[1] | 1, third, fourth)) + side
        area = self.stored[self.head.main :][: self.data]
        return Frame.read(stored + area.ljust(size, b"\0"))

    def beginning(self, begin: int) -> bytes:
        """Head and side information of a frame whose data begin so many bytes earlier."""
        side = self.stored[: self.head.main]
        at = self.head.main - self.head.side
        first, second = side[at], side[at + 1]
        if self.head.version == 3:
            first, second = begin >> 1, (begin & 1) << 7 | second & 0x7F
        else:
            first = begin
        return side[:at] + bytes((first, second)) + side[at + 2 :]


def _kbits(heads: Sequence[Head], least: int) -> int:
    """A rate for the notice below that of the frames, so that there is room in them."""
    usual = int(np.median([head.kbits for head in heads]))
    table = heads[0].all_kbits()
    below = [kbits for kbits in table if kbits < max(usual, least)]
    return below[-1] if below else table[0]


def _reaching(behind: Sequence[Frame]) -> int:
    """How many bytes these frames take from those before the first of them."""
    need = own = 0
    for frame in behind:
        need = max(need, frame.begin - own)
        own += len(frame.area)
    return need


def _moved(frames: Sequence[Frame], needed: bytes) -> Iterator[bytes]:
    """Frames that end with bytes which others need, their own data moved forward as far as it takes.

    Raises:
        Unspoken: There is no room.
    """
    starts = np.concatenate([[0], np.cumsum([len(frame.area) for frame in frames])]).tolist()
    stream = bytearray(b"".join(frame.area for frame in frames))
    begins = [frame.begin for frame in frames]
    end = len(stream) - len(needed)
    for index in range(len(frames) - 1, -1, -1):
        frame, start = frames[index], starts[index]
        if end >= start + frame.data:
            break
        at = end - frame.data
        begins[index] = start - at
        if at < 0 or begins[index] > frame.head.reach:
            raise Unspoken("codec", "its MP3 leaves no room for a notice")
        stream[at:end] = frame.area[: frame.data]
        end = at
    stream[len(stream) - len(needed) :] = needed
    for frame, begin, (start, stop) in zip(frames, begins, pairwise(starts), strict=True):
        yield frame.beginning(begin) + bytes(stream[start:stop])
