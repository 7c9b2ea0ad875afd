"""How the picture of a film is coded again: same codec, profile, depth, sampling, colours and keyframes.

Which coders there are, and with which settings, is one table. What cannot be coded as it was is refused.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, cast

from aikz_label.adapters.packets import packet_of
from aikz_label.adapters.video import film, films, priority
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

KEYS = 300  # frames between two keyframes at most, where the source has none for longer


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be coded.

    Attributes:
        codec: As libav names it.
        profile: As libav names it; empty when the codec has none.
        frame: The first frame, whose size, depth and colours all others share.
        rate: Frames per second, on average.
        bits: Of the source, per second.
        reordered: The source shows frames in another order than it stores them.
        startcodes: Frames carry what the decoder needs in themselves.
        shape: Width of a pixel in heights of it.
        sets: Number of the parameter sets, where those of the source stay in use beside them.
        level: With them, the level that they promise, as `avcC` and `hvcC` store it; 0 for whatever fits.
        tag: Four letters by which the container knows the coding.
        threads: How many; 0 for as many as `films.threads` says.
    """

    codec: str
    profile: str
    frame: VideoFrame
    rate: Fraction
    bits: int
    reordered: bool
    startcodes: bool
    shape: Fraction | None
    sets: int = 0
    level: int = 0
    tag: str = ""
    threads: int = 0


Options: TypeAlias = dict[str, str]


class Encoder:
    """An encoder that is ready for frames.

    It belongs to a film in memory that only gets the first frame: so libav itself writes what a container has to store of
    an encoder (`avcC`, `hvcC`, `av1C`, `esds`).

    Raises:
        Refused: There is none for this codec, depth or sampling.
    """

    def __init__(self, task: Task) -> None:
        import av  # noqa: PLC0415

        self._task = task
        name, options = _coder(task)
        self._memory = io.BytesIO()
        self._apart = not task.startcodes and task.codec in _BOXES
        found = _common(task) | options(task)
        self._muxer = None
        if self._apart:
            self._muxer = av.open(self._memory, "w", format="mp4")
            stream = self._muxer.add_stream(name, rate=task.rate, options=found)
            self._stream = cast("VideoStream", stream)
            made = self._stream.codec_context
        else:
            made = cast("VideoCodecContext", av.CodecContext.create(name, "w"))
            made.framerate, made.options = task.rate, found
        frame = task.frame
        made.width, made.height, made.pix_fmt = frame.width, frame.height, frame.format.name
        self.unit = made.time_base = 1 / task.rate
        made.color_range, made.colorspace = frame.color_range, frame.colorspace
        made.color_primaries, made.color_trc = frame.color_primaries, frame.color_trc
        if task.shape:
            made.sample_aspect_ratio = task.shape
        made.thread_count = task.threads or films.threads()
        self._context = made

    def encode(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        """Frames that are finished now; `None` gives the rest."""
        quiet = contextlib.nullcontext() if self._context.is_open else priority.kept()
        try:
            with quiet:
                packets = self._context.encode(frame)
        except MemoryError:
            raise  # libav's own is among its errors, and says nothing of the film
        except films.errors():
            if films.is_walled_in():
                raise MemoryError from None
            raise film.variant(f"the encoder for {self._task.codec} here refuses it") from None
        if packets and self._muxer is not None and not self._memory.tell():
            first = copy_of(packets[0])
            first.stream = self._stream
            self._muxer.mux(first)
        return packets

    def setup(self) -> Setup:
        """What decoders need before the first frame; call it once all is encoded."""
        if self._muxer is None:
            return Setup(b"", b"")
        self._muxer.close()
        data, kind = self._memory.getvalue(), _BOXES[self._task.codec]
        at = data.rfind(kind)
        box = data[at - 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
        return Setup(box, bytes(self._context.extradata or b""))


@dataclass(frozen=True, slots=True)
class Setup:
    """What decoders need before the first frame: as MP4 stores it, and as the encoder gives it; empty for none."""

    box: bytes
    raw: bytes


_BOXES = {
    "h264": b"avcC",
    "hevc": b"hvcC",
    "av1": b"av1C",
    "mpeg4": b"esds",
}


def copy_of(packet: Packet[VideoStream]) -> Packet[VideoStream]:
    """A packet of the same bytes and times, for a muxer, which keeps what it gets."""
    made: Packet[VideoStream] = packet_of(bytes(packet))
    made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
    made.is_keyframe = packet.is_keyframe
    return made


def _coder(task: Task) -> tuple[str, Callable[[Task], Options]]:
    import av  # noqa: PLC0415

    known = _CODERS.get(task.codec)
    if known is None:
        raise film.variant(f"there is no encoder for {task.codec} here")
    if task.frame.interlaced_frame and task.codec not in _INTERLACED:
        raise film.variant(f"its pictures are interlaced {task.codec}")
    kinds = {kind.name for kind in av.Codec(known[0], "w").video_formats or ()}
    kind = task.frame.format.name
    if kinds and kind not in kinds:
        raise film.variant(f"the encoder for {task.codec} here cannot write {kind}")
    return known


def _common(task: Task) -> Options:
    """Options of every encoder."""
    flags = ""
    if task.frame.interlaced_frame:
        flags += "+ildct+ilme"
    found = {"g": str(KEYS)}
    if task.codec != "av1":
        found["b"] = str(task.bits)
    if flags:
        found["flags"] = flags
    return found


def _x264(task: Task) -> Options:
    profiles = {
        "Constrained Baseline": "baseline",
        "Baseline": "baseline",
        "Main": "main",
        "High": "high",
        "High 10": "high10",
        "High 4:2:2": "high422",
        "High 4:4:4 Predictive": "high444",
        "High 10 Intra": "high10",
        "High 4:2:2 Intra": "high422",
    }
    extra = [f"sps-id={task.sets}"] if task.sets else []
    extra += _light(task.frame)
    found = {"preset": "veryfast", "forced-idr": "1", "b-pyramid": "none", "qmax": "32"}
    found["bf"] = "2" if task.reordered and "baseline" not in task.profile.lower() else "0"
    if task.profile in profiles:
        found["profile"] = profiles[task.profile]
    if task.level:
        found["level"] = f"{task.level / 10:.1f}"
    if "Intra" in task.profile:
        found |= {"g": "1", "bf": "0"}
    if extra:
        found["x264-params"] = ":".join(extra)
    return found


def _x265(task: Task) -> Options:
    extra = ["log-level=error", "open-gop=0", "b-pyramid=0", "info=0", "qpmax=34"]
    extra.append(f"bframes={3 if task.reordered else 0}")
    if task.level:
        extra.append(f"level-idc={task.level / 30:.1f}")
    if task.startcodes:
        extra.append("repeat-headers=1")
    extra += _light(task.frame)
    return {"preset": "veryfast", "forced-idr": "1", "x265-params": ":".join(extra)}


def _vpx(task: Task) -> Options:
    found = {
        "deadline": "good",
        "cpu-used": "5",
        "auto-alt-ref": "0",  # a frame that is never shown has no place of its own
        "lag-in-frames": "0",
        "qmin": "2",
        "qmax": "50",
    }
    if task.codec == "vp9":
        found |= {"row-mt": "1", "tile-columns": "2"}
    return found


def _svt(task: Task) -> Options:
    os.environ.setdefault("SVT_LOG", "1")  # errors only: it writes to the terminal by itself
    found = {"preset": "9", "crf": "30", "maxrate": str(2 * task.bits)}
    extra = _light(task.frame)
    if extra:
        found["svtav1-params"] = ":".join(extra)
    return found


def _mpeg(task: Task) -> Options:
    found = {"qmin": "2", "qmax": "12", "bf": "2" if task.reordered else "0", "g": "15"}
    if task.codec == "mpeg4" and task.profile.startswith("Simple"):
        found["bf"] = "0"
    if task.codec == "mpeg2video":
        found |= {"maxrate": str(2 * task.bits), "bufsize": str(task.bits), "sc_threshold": "0"}
        if task.frame.format.name == "yuv422p":
            found["profile"] = "0"
    return found


def _mjpeg(task: Task) -> Options:  # noqa: ARG001
    return {"qmin": "1", "qmax": "8", "huffman": "optimal"}


def _prores(task: Task) -> Options:
    numbers = {"apco": "0", "apcs": "1", "apcn": "2", "apch": "3", "ap4h": "4", "ap4x": "5"}
    number = numbers.get(task.tag)
    if number is None:
        raise film.variant("its kind of ProRes is not known")
    return {"profile": number, "vendor": "apl0"}


def _plain(task: Task) -> Options:  # noqa: ARG001
    return {"g": "1"}


_CODERS: Mapping[str, tuple[str, Callable[[Task], Options]]] = {
    "h264": ("libx264", _x264),
    "hevc": ("libx265", _x265),
    "vp8": ("libvpx", _vpx),
    "vp9": ("libvpx-vp9", _vpx),
    "av1": ("libsvtav1", _svt),
    "mpeg4": ("mpeg4", _mpeg),
    "mpeg2video": ("mpeg2video", _mpeg),
    "mpeg1video": ("mpeg1video", _mpeg),
    "h263": ("h263", _mpeg),
    "mjpeg": ("mjpeg", _mjpeg),
    "prores": ("prores_ks", _prores),
    "ffv1": ("ffv1", _plain),
}
_INTERLACED = frozenset({"h264", "mpeg2video", "mpeg4", "prores"})


def _light(frame: VideoFrame) -> list[str]:
    """What an HDR film says of the display it was made on, in the words of x264, x265 and SVT-AV1."""
    found = []
    for kind, raw in films.side_data(frame):
        if kind == "MASTERING_DISPLAY_METADATA" and len(raw) >= 88:
            found += _mastering(raw)
        if kind == "CONTENT_LIGHT_LEVEL" and len(raw) >= 8:
            most, average = struct.unpack("=2I", raw[:8])
            found.append(f"max-cll={most},{average}")
    return found


def _mastering(raw: bytes) -> list[str]:
    """AVMasteringDisplayMetadata: red, green and blue, white, least and most light, as fractions."""
    numbers = struct.unpack("=20i2i", raw[:88])
    pairs = list(zip(numbers[0:20:2], numbers[1:20:2], strict=True))
    if any(not divisor for _, divisor in pairs):
        return []
    value = [Fraction(n, d) for n, d in pairs]
    colours = [round(v * 50000) for v in value[:8]]
    least, most = round(value[8] * 10000), round(value[9] * 10000)
    red, green, blue, white = (f"({colours[i]},{colours[i + 1]})" for i in (0, 2, 4, 6))
    return [f"master-display=G{green}B{blue}R{red}WP{white}L({most},{least})"]
