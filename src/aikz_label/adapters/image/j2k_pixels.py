"""The samples of a JPEG 2000 codestream, and tiles coded anew; apart from `j2k`, because it takes numpy and a decoder.

Pillow's codec (OpenJPEG) writes one channel of 16 bits, or colours of 8. The standard codes every channel by itself, and so
does this: the packets of each channel, written in the order that takes one channel after the other, are joined to one tile.
Samples of fewer bits are written around the middle of the 16, where a decoder that is told the true depth looks for them.
A tile is coded as a picture of its own: telling Pillow where it begins on the grid crashes it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import j2k
from aikz_label.adapters.image.refusals import damaged
from aikz_label.adapters.packets import packet_of
from aikz_label.limits import NO_LIMITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.j2k import Codestream

    Array = NDArray[Any]

_REVERSIBLE = 1
_LOSSY_DB = 52  # of what was lossy already; its own error is far larger
_COD, _QCD = 0xFF52, 0xFF5C
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def decode(stream: Codestream) -> Array:
    """Rows × columns × channels, each sample as it is stored."""
    depth = stream.components[0].depth
    if stream.beyond_pillow:
        return _by_ffmpeg(stream)
    image = Image.open(io.BytesIO(stream.data), formats=["JPEG2000"])
    image.load()
    samples = np.asarray(image)
    # Pillow stretches few bits to 8, and more than 8 to 16
    samples = samples >> (samples.dtype.itemsize * 8 - depth)
    return samples.reshape(*samples.shape[:2], -1)


def _by_ffmpeg(stream: Codestream) -> Array:
    """Colours of more than 8 bits, which Pillow would cut to 8, and those that pixels share, which it would mix."""
    import av  # noqa: PLC0415  # 50 ms that only these files pay

    codec = av.CodecContext.create("jpeg2000", "r")
    assert isinstance(codec, av.VideoCodecContext)
    frames = [*codec.decode(packet_of(bytes(stream.data))), *codec.decode(None)]
    if not frames:
        raise MediaProblem("damaged", detail_word="decoder")
    frame = frames[0]
    count = len(stream.components)
    if (frame.width, frame.height) != stream.size:
        raise MediaProblem("damaged", detail_word="decoder")
    samples = _channels(frame, count) if stream.steps == (1, 1) else _shared(frame, stream)
    shift = max(part.bits for part in frame.format.components) - stream.components[0].depth
    return samples >> shift


def _channels(frame: Any, count: int) -> Array:
    """A frame's samples in the order of the file: planes, or all channels together; green first where it is so."""
    name = frame.format.name
    if not name.endswith("le"):
        raise MediaProblem("damaged", detail_word="decoder")
    planes = [np.frombuffer(plane, "<u2").reshape(plane.height, -1) for plane in frame.planes]
    if len(planes) == 1:
        return planes[0][:, : frame.width * count].reshape(frame.height, frame.width, count)
    order = [2, 0, 1, 3] if name.startswith("gb") else [0, 1, 2, 3]
    return np.stack([planes[i][:, : frame.width] for i in order[:count]], axis=2)


def _shared(frame: Any, stream: Codestream) -> Array:
    """A frame's samples, of each channel one for every pixel."""
    depth, sides = stream.components[0].depth, zip(frame.planes, stream.components, strict=True)
    kind = np.dtype("<u2" if depth > 8 else np.uint8)
    if not frame.format.name.startswith("yuv") or (depth > 8) is not frame.format.name.endswith(
        "le"
    ):
        raise MediaProblem("damaged", detail_word="decoder")
    width, height = stream.size
    channels = []
    for plane, channel in sides:
        across, down = -(-width // channel.across), -(-height // channel.down)
        if plane.width < across or plane.height < down:
            raise MediaProblem("damaged", detail_word="decoder")
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)[:down, :across]
        spread = rows.repeat(channel.down, axis=0).repeat(channel.across, axis=1)
        channels.append(spread[:height, :width])
    return np.stack(channels, axis=2)


def encode_tile(stream: Codestream, tile: int, samples: Array, *, exact: bool) -> bytes:
    """A tile-part with new samples: lossless, unless the file itself is not.

    Args:
        stream: Where it will stand.
        tile: Its number.
        samples: Of the whole picture.
        exact: Lossless in any case: the samples are no brightnesses.
    """
    left, top, right, bottom = stream.bounds(tile)
    x, y = stream.area[:2]
    part = samples[top - y : bottom - y, left - x : right - x]
    style, (across, down) = stream.style(), stream.steps
    options = _options(style, min(-(-part.shape[0] // down), -(-part.shape[1] // across)))
    depth, count = stream.components[0].depth, part.shape[2]
    exact = exact or stream.steps != (1, 1)
    if not exact and style[9] != _REVERSIBLE and depth == 8 and count in {1, 3}:
        mode = _MODES[count]
        image = Image.fromarray(part[..., 0] if count == 1 else np.ascontiguousarray(part), mode)
        lossy = {"irreversible": True, "quality_mode": "dB", "quality_layers": [_LOSSY_DB]}
        single = _coded(image, mct=int(count == 3), **options, **lossy)
        return _joined(tile, [single], mixed=count == 3)
    mixed = count >= 3 and depth < 16 and style[4] == 1  # mixing needs a bit more
    planes = [
        plane[-top % channel.down :: channel.down, -left % channel.across :: channel.across]
        for plane, channel in zip(_planes(part, depth, mixed=mixed), stream.components, strict=True)
    ]
    coded = [
        _coded(Image.fromarray(np.ascontiguousarray(plane)), progression="CPRL", **options)
        for plane in planes
    ]
    return _joined(tile, coded, mixed=mixed)


def _planes(part: Array, depth: int, *, mixed: bool) -> list[Array]:
    """The channels around the middle of 16 bits; mixed, the first three are brightness and two differences (annex G.2)."""
    around = part.astype(np.int32) - (1 << (depth - 1))
    planes = [around[..., index] for index in range(part.shape[2])]
    if mixed:
        red, green, blue = planes[:3]
        planes[:3] = [(red + 2 * green + blue) >> 2, blue - green, red - green]
    return [(plane + 32768).astype(np.uint16) for plane in planes]


def _options(style: bytes, short: int) -> dict[str, Any]:
    """The file's own choices: how often it is halved, as far as that goes, and in which blocks and precincts."""
    options: dict[str, Any] = {
        "num_resolutions": min(style[5] + 1, short.bit_length()),
        "codeblock_size": (4 << style[6] % 16, 4 << style[7] % 16),
    }
    if style[0] & 1 and len(style) > 10:  # of the largest one; the smaller ones follow from it
        options["precinct_size"] = (1 << style[-1] % 16, 1 << (style[-1] >> 4))
    return options


def _coded(image: Image.Image, **options: Any) -> Codestream:
    buffer = io.BytesIO()
    try:
        image.save(buffer, "JPEG2000", no_jp2=True, **options)
    except (OSError, ValueError) as error:  # an OSError of the coder is no fault of a disk
        raise damaged("the encoder does not take its settings") from error
    return j2k.Codestream.parse(buffer.getvalue(), NO_LIMITS, thorough=True)


def _joined(tile: int, coded: list[Codestream], *, mixed: bool) -> bytes:
    """One tile of several codestreams with a channel each, or of one with all."""
    first = coded[0]
    header = b""
    for marker, start, stop in first.segments:
        segment = first.data[start:stop]
        if marker == _COD:
            header += segment[:8] + bytes([mixed]) + segment[9:]
        elif marker == _QCD:
            header += segment
    bodies = [j2k.body_of(one.data, part) for one in coded for part in one.parts]
    return j2k.tile_part(tile, header, b"".join(bodies))
