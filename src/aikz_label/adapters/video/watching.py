"""A film that is looked at: frames at given times, decoded within a budget of pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.video import film, films
from aikz_label.limits import Limits

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_SHARE = 0.75  # of the pixels of an animation that is marked, since a verification has less time
SEEK = 2  # frames that one search for a keyframe costs as much as
_PACKET = 2_000  # pixels that reading a packet costs as much as, also of a frame that decoders then pass over
AT_ONCE = 0.002  # seconds by which a frame may be earlier than its record, which is rounded
_LATE = (
    1.0  # seconds without the frame that is due, after which frames are decoded that no other needs
)
_WITHIN = 0.618  # how much later in its second each look is than the one before
_MOST_PACKETS = 5000  # of all streams, before the keyframe that was sought


class Watched:
    """One film.

    Attributes:
        stream: The picture.
        zero: When its first frame is shown, in the container's time.
        pixels: Of a frame.
        left: Pixels that may still be decoded.
    """

    def __init__(self, container: InputContainer, limits: Limits) -> None:
        self._container = container
        self.stream = picture(container, limits)
        self.left = int(limits.max_shown * _SHARE)
        self._due = 0.0
        first = next(frames(container, self.stream), None)
        if first is None:
            raise film.damaged()
        self.zero = _time(first, self.stream)
        self.pixels = first.width * first.height

    @property
    def rate(self) -> float:
        """Frames a second, as the file says."""
        return float(self.stream.average_rate or 30)

    def every(self, start: float, end: float) -> Iterator[tuple[VideoFrame, float]]:
        """The first frame, one in each second, and the last, with their times."""
        number, seen, last = 0, -1.0, None
        self._due = start
        for frame, seconds in self._between(start, end):
            last = frame
            if seconds < self._due - AT_ONCE:
                continue
            yield frame, seconds
            seen = seconds
            number = max(number + 1, int(seconds - start) + 1)
            self._due = start + number + number * _WITHIN % 1
        if last is not None and self._seconds(last) > seen:
            yield last, self._seconds(last)

    def _between(self, start: float, end: float) -> Iterator[tuple[VideoFrame, float]]:
        """Frames that are shown within a time, and when."""
        for frame in self._decoded(start):
            self.left -= frame.width * frame.height
            if self.left < 0:
                return
            seconds = self._seconds(frame)
            if seconds >= end - AT_ONCE:
                return
            if seconds >= start - AT_ONCE:
                yield frame, seconds

    def _decoded(self, start: float) -> Iterator[VideoFrame]:
        """Frames from the keyframe before a time on, without those that no other needs as long as enough are left."""
        base = float(self.stream.time_base or 0)
        seek(self._container, self.stream, self.zero + start)
        for packet in self._container.demux(self.stream):
            when = packet.dts if packet.pts is None else packet.pts
            late = when is not None and when * base - self.zero > self._due + _LATE
            self.stream.codec_context.skip_frame = "DEFAULT" if late else "NONREF"
            yield from packet.decode()

    def at(self, seconds: float, most: int) -> tuple[VideoFrame, float] | None:
        """The frame that is shown at a time, or an earlier one where it is far from its keyframe.

        Args:
            seconds: When.
            most: How many frames may be decoded; with one, it is the keyframe.
        """
        context = self.stream.codec_context
        context.skip_frame = "NONREF" if most > 1 else "NONKEY"
        self.left -= SEEK * self.pixels
        found = None
        for count, frame in enumerate(self._from_key(seconds, most), 1):
            self.left -= frame.width * frame.height
            if found is not None and self._seconds(frame) > seconds:
                break
            found = frame
            if count == most or self.left < 0:
                break
        context.flush_buffers()
        return (found, self._seconds(found)) if found is not None else None

    def _from_key(self, seconds: float, most: int) -> Iterator[VideoFrame]:
        """Frames from the keyframe before a time on; no more packets are decoded than frames are wanted."""
        context, fed = self.stream.codec_context, 0
        seek(self._container, self.stream, self.zero + seconds)
        for count, packet in enumerate(self._container.demux()):
            ours = packet.stream_index == self.stream.index
            self.left -= _PACKET
            if self.left < 0 or count > _MOST_PACKETS + most or (ours and not packet.size):
                break
            if ours and (fed or packet.is_keyframe):
                yield from context.decode(packet)
                fed += 1
            if fed >= most:
                break
        yield from context.decode(None)

    def _seconds(self, frame: VideoFrame) -> float:
        return _time(frame, self.stream) - self.zero

    def end(self, promised: float) -> float:
        """When the film ends: by its packets, whatever its header says.

        Args:
            promised: Until when it should last; what comes before is passed over where that is possible.
        """
        base = float(self.stream.time_base or 0)
        seek(self._container, self.stream, self.zero + max(0.0, promised - 1))
        end = 0.0
        for packet in self._container.demux(self.stream):
            end = max(end, self._stop(packet, base))
        return end

    def _stop(self, packet: Packet[VideoStream], base: float) -> float:
        if packet.pts is None:
            return 0.0
        lasts = packet.duration * base if packet.duration else 1 / self.rate
        return packet.pts * base + lasts - self.zero


def _time(frame: VideoFrame, stream: VideoStream) -> float:
    """When a frame is shown; it does not know by itself when it comes from the end of what a decoder was given."""
    if frame.pts is None or stream.time_base is None:
        raise film.damaged()
    return float(frame.pts * stream.time_base)


@contextmanager
def decoding() -> Iterator[None]:
    """While libav decodes: what it cannot is a problem with the content."""
    try:
        yield
    except films.errors() as error:
        raise film.damaged() from error


def picture(container: InputContainer, limits: Limits) -> VideoStream:
    """The stream that is shown, before anything of it is decoded.

    Raises:
        MediaProblem: Its frames are too large.
    """
    stream = films.picture(container)
    check_pixels(stream.width, stream.height, limits.max_pixels)
    return stream


def check_pixels(width: int, height: int, most: int) -> None:
    """Stop before a frame that is too large.

    Raises:
        MediaProblem: It is.
    """
    if width * height > most:
        raise MediaProblem("over-limit", what_word="pixels", found=width * height, limit=most)


def frames(
    container: InputContainer, stream: VideoStream, start: float | None = None
) -> Iterator[VideoFrame]:
    """Decoded frames, from the keyframe before a time on."""
    if start is not None:
        seek(container, stream, start)
    yield from container.decode(stream)


def seek(container: InputContainer, stream: VideoStream, seconds: float) -> None:
    """Go to the keyframe before a time; a film that cannot be sought in is read from its start."""
    base = stream.time_base
    place = int(seconds / base) if base else 0
    try:
        container.seek(place, stream=stream)
    except films.errors():
        container.seek(0)
