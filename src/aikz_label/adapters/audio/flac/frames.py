"""The frames of a FLAC file: where each is, and the same frame with another number.

A frame tells its number, and a check sum covers all of it. Both change for every frame behind a notice; because the check
sum is linear, the new one follows from the old one without reading the frame.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import crc, pieces
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.later import Later
from aikz_label.values import dataclass

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray
else:
    av = Later("av")
    np = Later("numpy")

_LONGEST_HEAD = 16


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames in a row.

    Attributes:
        starts: Where each one starts.
        firsts: Its first sample.
        numbers: The number that it tells.
        stop: Where the last one ends.
        total: How many samples they hold.
    """

    starts: NDArray[np.int64]
    firsts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    stop: int
    total: int

    def __len__(self) -> int:
        return len(self.starts)

    def end(self, number: int) -> int:
        """Where a frame ends."""
        return int(self.starts[number + 1]) if number + 1 < len(self.starts) else self.stop


def packets(source: BinaryIO, demuxer: str) -> Iterator[bytes]:
    """Each frame, as FFmpeg takes the stream apart.

    Raises:
        MediaProblem: It cannot.
    """
    source.seek(0)
    try:
        with av.open(source, "r", format=demuxer, metadata_errors="ignore") as container:
            for packet in container.demux(audio=0):
                if packet.size:
                    yield bytes(packet)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise MediaProblem("damaged", detail_word="decoder") from error


def listed(found: Iterable[bytes], start: int) -> Frames:
    """Where frames are that stand one behind the other.

    Raises:
        MediaProblem: One of them is none.
    """
    starts, firsts, numbers = array("q"), array("q"), array("q")
    at, sample = start, 0
    for frame in found:
        length = samples_of(frame)
        if not length:
            raise MediaProblem("damaged", detail_word="cut")
        starts.append(at)
        firsts.append(sample)
        numbers.append(flac_coding.read_number(frame)[0])
        at += len(frame)
        sample += length
    return Frames(np.array(starts), np.array(firsts), np.array(numbers), at, sample)


def samples_of(head: bytes) -> int:
    """How many samples a frame holds; 0 when it is none."""
    end = flac_coding.head_length(head)
    if not end or end > len(head) or crc.FLAC_HEAD.of(head[: end - 1]) != head[end - 1]:
        return 0
    code = head[2] >> 4
    _, width = flac_coding.read_number(head)
    told = head[4 + width :]
    if code == 1:
        return 192
    if 2 <= code <= 5:
        return 576 << code - 2
    if code == 6:
        return told[0] + 1
    if code == 7:
        return int.from_bytes(told[:2]) + 1
    return 256 << code - 8 if code else 0


def renumbered(source: BinaryIO, start: int, stop: int, more: int) -> tuple[Piece, ...]:
    """A frame of the source with a number that is so much higher."""
    head = pieces.read(source, start, min(_LONGEST_HEAD, stop - start))
    end = flac_coding.head_length(head)
    body = Span(start + end, stop - 2)
    fresh = new_head(head[:end], more)
    told = int.from_bytes(pieces.read(source, stop - 2, 2))
    return fresh, body, _check_sum(head[:end], fresh, len(body), told)


def renumbered_packet(packet: bytes, more: int) -> bytes:
    """The same for a frame at hand."""
    end = flac_coding.head_length(packet)
    fresh = new_head(packet[:end], more)
    body = packet[end:-2]
    return fresh + body + _check_sum(packet[:end], fresh, len(body), int.from_bytes(packet[-2:]))


def new_head(head: bytes, more: int) -> bytes:
    """A head with a higher number."""
    number, width = flac_coding.read_number(head)
    fresh = head[:4] + flac_coding.coded_number(number + more) + head[4 + width : -1]
    return fresh + bytes((crc.FLAC_HEAD.of(fresh),))


def _check_sum(old: bytes, new: bytes, length: int, told: int) -> bytes:
    """That of the whole frame: what changes in the head goes through the body without looking at it."""
    changed = crc.FLAC_FRAME.of(old) ^ crc.FLAC_FRAME.of(new)
    return (told ^ crc.FLAC_FRAME.joined(changed, 0, length)).to_bytes(2)
