"""What libav says of a film, and its frames as people see them.

The same functions serve drawing and measuring, so that both mean the same place.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from aikz_label.adapters.image import canvas
from aikz_label.adapters.video import cutting, film
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL import Image

_TRANSFERS = {16: "pq", 18: "hlg"}  # ITU-T H.273
_FULL_RANGE = 2  # libav's number
# How the stored picture is turned by the four numbers of a display matrix, as EXIF numbers the turns.
_TURNS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


def threads() -> int:
    """How many threads a codec may start; 0 for as many as there are processors.

    Each takes memory for frames of its own, and the children of `mark` of many have little. The environment tells them, by
    the variable that other libraries go by as well.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(told), _MOST_THREADS) if told.isascii() and told.isdecimal() else 0


_MOST_THREADS = 64


def is_walled_in() -> bool:
    """Whether this process may take so much address space only, and has been near it: encoders do not say why they fail."""
    try:
        import resource  # noqa: PLC0415  # not on Windows, which has no such walls

        wall, _ = resource.getrlimit(resource.RLIMIT_AS)
        told = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except (ImportError, OSError):
        return False
    peak = re.search(r"^VmPeak:\s+(\d+) kB$", told, re.MULTILINE)
    return wall != resource.RLIM_INFINITY and peak is not None and int(peak[1]) * 1024 > 0.7 * wall


@dataclass(frozen=True, slots=True)
class View:
    """How stored frames become what people see.

    Attributes:
        stored: Width and height of the stored frame, px.
        shape: Width of one stored pixel in heights of it.
        turn: How it is turned, as EXIF numbers it.
    """

    stored: tuple[int, int]
    shape: float
    turn: int

    @property
    def square(self) -> tuple[int, int]:
        """The stored frame in square pixels."""
        return max(1, round(self.stored[0] * self.shape)), self.stored[1]

    @property
    def size(self) -> tuple[int, int]:
        """The displayed frame."""
        return canvas.displayed_size(self.square, self.turn)


def open_film(source: BinaryIO) -> InputContainer:
    """The file as libav reads it; close it.

    Raises:
        MediaProblem: It cannot.
    """
    import av  # noqa: PLC0415  # costs more start-up than the rest of a verification

    source.seek(0)
    try:
        return cast("InputContainer", av.open(_Lent(source), metadata_errors="replace"))
    except (av.FFmpegError, ValueError, AttributeError, OverflowError) as error:
        raise film.damaged() from error


class _Lent:
    """A stream that libav may read and not close."""

    def __init__(self, source: BinaryIO) -> None:
        self.read, self.seek, self.tell = source.read, source.seek, source.tell


def picture(container: InputContainer, number: int = 0) -> VideoStream:
    """The stream that is shown; of a given number, where the container numbers its tracks.

    Raises:
        Refused: There is none, or nobody here knows how it is coded.
    """
    from av.stream import Disposition  # noqa: PLC0415

    shown = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    chosen = [stream for stream in shown if number and stream.id == number] or shown
    if not chosen:
        raise film.no_picture()
    if chosen[0].codec_context is None:
        raise film.variant("nobody here knows how its picture is coded")
    return chosen[0]


def view(stream: VideoStream, frame: VideoFrame) -> View:
    """How frames of a stream are shown.

    Raises:
        Refused: They are turned by an angle at which nothing can stand upright.
    """
    ratio = stream.sample_aspect_ratio
    shape = float(ratio) if ratio else 1.0
    if not 0.1 <= shape <= 10:
        shape = 1.0
    return View((frame.width, frame.height), shape, turn_of(frame))


def turn_of(frame: VideoFrame) -> int:
    """How a frame is turned before it is shown, as EXIF numbers it."""
    for kind, data in side_data(frame):
        if kind == "DISPLAYMATRIX":
            a, b, _, c, d = struct.unpack("=5i", data[:20])
            largest = max(map(abs, (a, b, c, d)))
            if not largest:
                return 1  # it would show nothing; players take it for none
            found = _TURNS.get(tuple(round(n / largest) for n in (a, b, c, d)))
            if found is None:
                raise film.variant("it is turned by an angle at which nothing stands upright")
            return found
    return 1


def side_data(frame: VideoFrame) -> Iterator[tuple[str, bytes]]:
    """What comes with a frame, by name; not to be asked once the frame was made writable, which moves it."""
    for data in cast("Any", frame.side_data):
        yield data.type.name, bytes(data)


def transfer(frame: VideoFrame) -> str:
    """`sdr`, `pq` or `hlg`."""
    return _TRANSFERS.get(int(frame.color_trc), "sdr")


def full_range(frame: VideoFrame) -> bool:
    """Black is 0 and not 16."""
    name = frame.format.name
    return int(frame.color_range) == _FULL_RANGE or name.startswith(("yuvj", "rgb", "bgr", "gbr"))


def displayed(frame: VideoFrame, seen: View) -> Image.Image:
    """A frame as people see it: upright, in square pixels, HDR as on a display whose white is 203 nit."""
    from PIL import Image  # noqa: PLC0415

    image = _tone_mapped(frame) if transfer(frame) != "sdr" else cast("Any", frame).to_image()
    if image.size != seen.square:
        image = image.resize(seen.square, Image.Resampling.BILINEAR)
    return canvas.displayed(image, seen.turn)


class Shown:
    """A frame as people see it, of which no more is converted than is looked at."""

    def __init__(self, frame: VideoFrame, seen: View) -> None:
        self._frame, self._seen = frame, seen

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self._seen.size

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """What lies between left, top, right and bottom."""
        seen = self._seen
        left, top, right, bottom = edges
        part = None
        if seen.square == seen.stored:
            shown = (left, top, right - left, bottom - top)
            part = cutting.cut(self._frame, canvas.stored_box(shown, seen.size, seen.turn))
        if part is None:
            return displayed(self._frame, seen).crop(edges)
        image = displayed(part.frame, View((part.frame.width, part.frame.height), 1.0, seen.turn))
        x, y, _, _ = canvas.shown_box(part.box, seen.size, seen.turn)
        return image.crop((left - x, top - y, right - x, bottom - y))


def _tone_mapped(frame: VideoFrame) -> Image.Image:
    """Signal levels, so that the ink of diffuse white becomes white; colours stay what they roughly are."""
    from PIL import Image  # noqa: PLC0415

    from aikz_label.adapters.image.samples import INK  # noqa: PLC0415

    deep = frame.to_ndarray(format="rgb48le").astype(np.float32)
    levels = deep * (255 / 65535 / INK[transfer(frame)])
    return Image.fromarray(np.clip(levels.round(), 0, 255).astype(np.uint8))


def errors() -> tuple[type[BaseException], ...]:
    """What libav raises on content that it cannot decode."""
    import av  # noqa: PLC0415

    return (av.FFmpegError, ValueError)
