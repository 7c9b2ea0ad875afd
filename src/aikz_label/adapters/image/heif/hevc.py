"""HEVC pictures to planes and back, by PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.heif.hevc_sets import PPS, SPS, VPS, Configuration, kind_of, plain
from aikz_label.adapters.image.heif.planes import Coding, Planes
from aikz_label.adapters.packets import packet_of
from aikz_label.errors import MissingDependency, Refused

_SETS = (VPS, SPS, PPS)
_FORMATS = {(1, 1): "yuv420p", (1, 0): "yuv422p", (0, 0): "yuv444p", None: "gray"}
_SHIFTS = {name: shifts for shifts, name in _FORMATS.items()} | {"gbrp": (0, 0)}
_CHROMA = {None: 0, (1, 1): 1, (1, 0): 2, (0, 0): 3}
_FULL = 2  # range, as FFmpeg numbers it
_QUALITIES = {75: "crf=24", 90: "crf=17", 95: "crf=10", 100: "lossless=1"}
# One slice, nothing that depends on the machine.
_PARAMETERS = (
    "log-level=none:info=0:annexb=1:no-wpp=1:pools=none:frame-threads=1:no-sao=1:hrd=0:aud=0"
)
_ALONE = "keyint=1"
_FOLLOWING = "keyint=-1:scenecut=0:bframes=0"  # shown in the order in which they are decoded
_PRESET = (
    "ultrafast"  # as good as slower ones at this quality, four times as fast, and a little larger
)


def decode(configuration: bytes, data: bytes, most_pixels: int) -> Planes:
    """A picture.

    Args:
        configuration: Payload of `hvcC`.
        data: The item's bytes.
        most_pixels: A larger picture is not decoded.

    Raises:
        MediaProblem: It cannot be decoded.
    """
    av = _library()
    try:
        decoder = av.CodecContext.create("hevc", "r")
        decoder.extradata = configuration
        decoder.options = {"max_pixels": str(most_pixels)}
        decoder.thread_count = 1
        frames = [*decoder.decode(packet_of(data)), *decoder.decode(None)]
        if frames:
            return planes_of(frames[0])
    except MemoryError:
        raise MediaProblem("damaged", detail_word="decoder") from None
    except Exception as error:  # decoders raise whatever they like on hostile bytes
        raise MediaProblem("damaged", detail_word="decoder") from error
    raise MediaProblem("damaged", detail_word="decoder")


def planes_of(frame: Any) -> Planes:
    """A copy of what a decoder of FFmpeg holds."""
    name = frame.format.name
    depth = int(name.removesuffix("le")[-2:]) if name.endswith("le") else 8
    base = name.removesuffix("le").removesuffix(str(depth)).replace("yuvj", "yuv")
    shifts, sample = _SHIFTS[base], np.uint16 if depth > 8 else np.uint8
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        rows = rows[: plane.height, : plane.width * sample().itemsize]
        planes.append(rows.copy().view(sample))
    full = frame.color_range == _FULL or "yuvj" in name
    coding = Coding(
        depth, shifts, full, frame.color_primaries, frame.color_trc, int(frame.colorspace)
    )
    return Planes(tuple(planes), coding)


def encode(planes: Planes, quality: int) -> tuple[Configuration, bytes]:
    """A picture's configuration and its bytes, as an item has them.

    Args:
        planes: The picture.
        quality: 75, 90, 95 or 100; 100 is without any loss.

    Raises:
        Refused: The encoder does not take it.
    """
    configuration, (data,) = encode_all([planes], quality, None)
    return configuration, data


def encode_all(
    pictures: Iterable[Planes], quality: int, keys: frozenset[int] | None
) -> tuple[Configuration, tuple[bytes, ...]]:
    """The configuration of several pictures and the bytes of each, in the order in which they are shown.

    Args:
        pictures: All of one size and coding.
        quality: 75, 90, 95 or 100; 100 is without any loss.
        keys: The pictures that a player can begin with, from 0; `None` for all of them.

    Raises:
        Refused: The encoder does not take them.
    """
    av = _library()
    left = iter(pictures)
    first = next(left)
    name = _FORMATS[first.coding.shifts] + (
        f"{first.coding.depth}le" if first.coding.depth > 8 else ""
    )
    packets = []
    encoder = _encoder(av, first, name, quality, keys)
    for index, planes in enumerate(chain([first], left)):
        frame = _frame(av, planes, name)
        frame.pts = index
        if keys is not None and index in keys:
            frame.pict_type = 1  # a picture that needs no other
        packets += _taken(encoder, frame)
    packets += _taken(encoder, None)
    coded = [list(_units(packet)) for packet in packets]
    sets = tuple(dict.fromkeys(u for units in coded for u in units if kind_of(u) in _SETS))
    data = (b"".join(len(u).to_bytes(4) + u for u in units if kind_of(u) < VPS) for units in coded)
    return Configuration(_head(sets, first.coding), sets), tuple(data)


def _taken(encoder: Any, frame: Any) -> list[bytes]:
    """What the encoder gives when it gets a picture, or no more of them."""
    try:
        return [bytes(packet) for packet in encoder.encode(frame)]
    except Exception as error:
        raise _not_taken() from error


def _not_taken() -> Refused:
    return Refused(
        "The HEVC encoder does not take this picture.",
        code="unsupported-variant",
        hint="Save it in another format.",
    )


def _encoder(av: Any, first: Planes, name: str, quality: int, keys: frozenset[int] | None) -> Any:
    """An encoder for pictures like the first."""
    coding = first.coding
    how = _ALONE if keys is None else _FOLLOWING
    try:
        encoder = av.CodecContext.create("libx265", "w")
        encoder.width, encoder.height = first.size
        encoder.pix_fmt = name
        encoder.framerate, encoder.time_base = Fraction(1), Fraction(1)
        encoder.color_range = _FULL if coding.full else 1
        encoder.color_primaries, encoder.color_trc = coding.primaries, coding.transfer
        encoder.colorspace = coding.matrix
        encoder.options = {
            "preset": _PRESET,
            "forced-idr": "1",
            "x265-params": f"{_PARAMETERS}:{how}:{_QUALITIES[quality]}",
        }
    except Exception as error:
        raise _not_taken() from error
    return encoder


def _frame(av: Any, planes: Planes, name: str) -> Any:
    frame = av.VideoFrame(*planes.size, name)
    for plane, samples in zip(frame.planes, planes.planes, strict=True):
        rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        packed = np.ascontiguousarray(samples).view(np.uint8)
        rows[: packed.shape[0], : packed.shape[1]] = packed
        plane.update(rows.tobytes())
    return frame


def _units(stream: bytes) -> Iterator[bytes]:
    """The units of a byte stream, which start codes part."""
    for piece in stream.split(b"\0\0\1")[1:]:
        yield piece.rstrip(b"\0")


def _head(sets: tuple[bytes, ...], coding: Coding) -> bytes:
    """The fixed part of `hvcC`; profile, tier and level are those of the sequence."""
    sequence = next(unit for unit in sets if kind_of(unit) == SPS)
    profile = plain(sequence)[3:15]
    depths = bytes([0xF8 | coding.depth - 8]) * 2
    chroma = bytes([0xFC | _CHROMA[coding.shifts]])
    return b"\1" + profile + b"\xf0\0\xfc" + chroma + depths + b"\0\0\x0f"


def _library() -> Any:
    try:
        import av  # noqa: PLC0415  # optional
    except ImportError as error:
        raise MissingDependency("HEIC/HEIF", "heif") from error
    return av
