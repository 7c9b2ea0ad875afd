"""Decoding a stretch of a film, drawing into its frames and coding them again, one frame at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.packets import packet_of
from aikz_label.adapters.video import film, films, units
from aikz_label.adapters.video.coding import KEYS, Encoder, Setup, Task
from aikz_label.adapters.video.film import Film, Recoded
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from aikz_label.adapters.video.stamping import Stamp

_LEAST_BITS = (
    0.01  # per pixel and frame, so that a notice on a still picture has letters and not blocks
)
_FEWEST_BITS = 10_000  # a second, for encoders that count in thousands
_BADGE_BITS = 1.5  # per pixel of the badge and keyframe
_SHOWN = 0x10  # of the first byte of a frame of VP8
_DELIMITER = b"\x12\x00"  # of AV1, which containers leave out
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of slots that starts where decoding can start, and ends where it can start again."""

    first: int
    stop: int


class Decoder:
    """The picture of a film, frame by frame.

    Args:
        source: The file; nobody else may read it meanwhile.
        taken: The same, taken apart.
        container: The same, as libav opened it.
    """

    def __init__(self, source: BinaryIO, taken: Film, container: InputContainer) -> None:
        self._source, self._film = source, taken
        self.stream: VideoStream = films.picture(container, taken.track)
        self.has_sound = bool(container.streams.audio)
        self._context = self.stream.codec_context
        self._context.thread_type = "AUTO"
        self._context.thread_count = films.threads()
        self._context.options = {"flags": "+output_corrupt", "flags2": "+showall"}
        self._rank = taken.slots.rank
        self.hidden: set[int] = set()  # ranks of frames that are only there for others

    @property
    def codec(self) -> str:
        """The name of the codec, whatever decodes it."""
        name = self._context.name
        return {"libdav1d": "av1", "libaom-av1": "av1"}.get(name, name)

    def frames(self, stretch: Stretch) -> Iterator[tuple[int, VideoFrame]]:
        """Frames in the order in which they are shown, with their place among all.

        Raises:
            MediaProblem: Not all of them can be decoded.
        """
        wanted = np.sort(self._rank[stretch.first : stretch.stop])
        found = 0
        self.hidden.clear()
        for frame in self._decoded(stretch):
            while found < len(wanted) and int(wanted[found]) in self.hidden:
                found += 1
            told = frame.pts if self._film.reorders else None  # else only the order says when
            if found == len(wanted) or told not in {None, wanted[found]}:
                raise undecodable()
            yield int(wanted[found]), frame
            found += 1
        if any(int(rank) not in self.hidden for rank in wanted[found:]):
            raise undecodable()

    def near(self, rank: int, count: int) -> Iterator[tuple[int, VideoFrame]]:
        """A few frames from a keyframe on, as far as they can be decoded without what follows."""
        slot = int(np.flatnonzero(self._rank == rank)[0])
        first = int(np.flatnonzero(self._film.slots.key[: slot + 1])[-1])
        for frame in self._decoded(Stretch(first, min(slot + count, len(self._rank)))):
            if frame.pts is not None:
                yield frame.pts, frame

    def _decoded(self, stretch: Stretch) -> Iterator[VideoFrame]:
        try:
            for packet in self._packets(stretch):
                yield from self._context.decode(packet)
            yield from self._context.decode(None)
        except films.errors() as error:
            raise undecodable() from error
        finally:
            # at rest before it is freed: its threads give packets back, for which they need Python
            self._context.flush_buffers()

    def _packets(self, stretch: Stretch) -> Iterator[Packet[VideoStream]]:
        slots = self._film.slots
        for slot in range(stretch.first, stretch.stop):
            self._source.seek(int(slots.start[slot]))
            data = self._film.load(self._source.read(int(slots.size[slot])))
            if self.codec == "vp8" and data and not data[0] & _SHOWN:
                self.hidden.add(int(self._rank[slot]))
            packet: Packet[VideoStream] = packet_of(data)
            packet.pts, packet.dts = int(self._rank[slot]), slot
            packet.is_keyframe = bool(slots.key[slot])
            yield packet


def undecodable() -> MediaProblem:
    """Some frames give no picture."""
    return MediaProblem("undecodable")


# What comes with every frame and would be lost; captions pass where the encoder writes them.
_RECTILINEAR = 4  # libav's number of pictures of a sphere that are flat
_MOVING = frozenset({"DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID", "DOVI_METADATA", "DOVI_RPU_BUFFER"})
_CAPTIONED = frozenset({"h264", "hevc", "mpeg2video"})


def _check_whole(frame: VideoFrame, codec: str) -> None:
    """Refuse what no encoder here can write."""
    found = dict(films.side_data(frame))
    kinds = found.keys()
    if kinds & _MOVING:
        raise film.variant("its HDR metadata change from frame to frame")
    if "A53_CC" in kinds and codec not in _CAPTIONED:
        raise film.variant("its captions are inside its frames")
    if _first_number(found.get("STEREO3D", b"")):
        raise film.variant("it holds pictures for two eyes")
    if "SPHERICAL" in kinds and _first_number(found["SPHERICAL"]) != _RECTILINEAR:
        raise film.variant("it is shown all around people, where a flat notice would be bent")


def _first_number(data: bytes) -> int:
    """The kind that a structure of libav's begins with."""
    return int.from_bytes(data[:4], sys.byteorder)


class Recoder:
    """Codes stretches of one film again.

    Attributes:
        setup: What decoders need for the new frames; there once all is encoded.
        bits: Bits a second that were aimed at.
        stamp: What is drawn; there once the first frame was seen.
    """

    def __init__(
        self, decoder: Decoder, taken: Film, spool: BinaryIO, plan: Callable[[VideoFrame], Stamp]
    ) -> None:
        self._decoder, self._film, self._spool, self._plan = decoder, taken, spool, plan
        self.stamp: Stamp | None = None
        self._shown = np.sort(taken.slots.shown, kind="stable")
        self._keys = set(taken.slots.rank[taken.slots.key].tolist())
        self.setup = Setup(b"", b"")
        self.bits = self._done = 0

    def recode(self, stretch: Stretch, told: Told, sets: int = 0) -> Recoded:
        """Code a stretch again; the frames go to the spool.

        Args:
            stretch: Which slots.
            told: Called with the number of frames done.
            sets: Number of the parameter sets, where those of the source stay in use beside them.

        Raises:
            MediaProblem: It cannot be decoded.
            Refused: It cannot be coded as it was.
        """
        encoder: Encoder | None = None
        made: list[tuple[int, int, int, bool]] = []
        for rank, frame in self._decoder.frames(stretch):
            shape = (frame.width, frame.height, frame.format.name)
            if encoder is None:
                _check_whole(frame, self._decoder.codec)
                self.stamp = self.stamp or self._plan(frame)
                encoder, same = Encoder(self._task(frame, stretch, sets)), shape
            elif shape != same:
                raise film.variant("its size changes on the way")
            made += self._store(encoder.encode(self._drawn(frame, rank, encoder)), sets)
            told(self._done + len(made))
        if encoder is None:
            raise undecodable()
        made += self._store(encoder.encode(None), sets)
        setup = encoder.setup()
        if self.setup.box not in {b"", setup.box}:
            raise film.variant("its encoder gives other parameter sets for every stretch")
        self.setup = setup
        self._done += len(made)
        return self._recoded(stretch, made)

    def _drawn(self, frame: VideoFrame, rank: int, encoder: Encoder) -> VideoFrame:
        from av.video.frame import PictureType  # noqa: PLC0415

        frame.make_writable()
        assert self.stamp is not None
        self.stamp.draw(frame)
        frame.pict_type = PictureType.I if rank in self._keys else PictureType.NONE
        frame.pts, frame.time_base = rank, encoder.unit
        return frame

    def _store(
        self, packets: list[Packet[VideoStream]], sets: int
    ) -> Iterator[tuple[int, int, int, bool]]:
        for packet in packets:
            data = bytes(packet)
            if self._film.lengths:
                data = units.with_lengths(self._decoder.codec, data, self._film.lengths, sets)
            if self._decoder.codec == "av1":
                data = data.removeprefix(_DELIMITER)
            data = self._film.store(data)
            at = self._spool.tell()
            self._spool.write(data)
            yield at, len(data), int(packet.pts or 0), packet.is_keyframe

    def _recoded(self, stretch: Stretch, made: list[tuple[int, int, int, bool]]) -> Recoded:
        ranks = self._film.slots.rank[stretch.first : stretch.stop].tolist()
        places = [i for i, rank in enumerate(ranks) if rank not in self._decoder.hidden]
        if len(made) != len(places):
            raise film.variant("its encoder gives another number of frames")
        start, size, rank, key = (np.array(column) for column in zip(*made, strict=True))
        columns = np.zeros((3, len(ranks)), np.int64)
        columns[2] = self._film.slots.shown[stretch.first : stretch.stop]
        columns[:, places] = start, size, self._shown[rank.astype(np.int64)]
        keys = np.zeros(len(ranks), np.bool_)
        keys[places] = key
        return Recoded(stretch.first, columns[0], columns[1], columns[2], keys)

    def _task(self, frame: VideoFrame, stretch: Stretch, sets: int) -> Task:
        slots, taken = self._film.slots, self._film
        rate = self._rate()
        count = stretch.stop - stretch.first
        seconds = float(count / rate)
        total = int(slots.size[stretch.first : stretch.stop].sum()) * 8
        # the badge is new, and costs most where it is coded without what was before
        keys = max(1, int(slots.key[stretch.first : stretch.stop].sum()), count // KEYS)
        assert self.stamp is not None
        total += round(_BADGE_BITS * self.stamp.box[2] * self.stamp.box[3] * keys)
        least = _LEAST_BITS * frame.width * frame.height * float(rate)
        self.bits = round(max(total / seconds, least, _FEWEST_BITS))
        delayed = bool(
            (
                slots.rank[stretch.first : stretch.stop] != np.arange(stretch.first, stretch.stop)
            ).any()
        )
        return Task(
            codec=self._decoder.codec,
            profile=str(self._decoder.stream.codec_context.profile or ""),
            frame=frame,
            rate=rate,
            bits=self.bits,
            reordered=delayed and taken.reorders and not sets,
            startcodes=not taken.lengths and self._decoder.codec in {"h264", "hevc"},
            shape=self._decoder.stream.codec_context.sample_aspect_ratio,
            sets=sets,
            level=self._level() if sets else 0,
            tag=taken.tag,
        )

    def _level(self) -> int:
        """What the setup of the source promises: for H.264 ten times the level, for HEVC thirty times."""
        at = {"h264": 3, "hevc": 12}.get(self._decoder.codec, 0)
        setup = self._film.setup
        return setup[at] if at and len(setup) > at else 0

    def _rate(self) -> Fraction:
        """Frames a second, on average; a likely number where times say nothing."""
        lasts = int(self._shown[-1] - self._shown[0])
        count = len(self._shown) - 1
        if lasts <= 0 or count <= 0:
            return Fraction(25)
        found = count / (lasts * self._film.time_base)
        return min(max(found, Fraction(1, 100)), Fraction(1000)).limit_denominator(100_000)
