"""What a JPEG XL codestream says of the whole image, before its frames (ISO/IEC 18181-1, annex A, D and E)."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jxl.bits import ENUM, Choices, Reader, Writer
from aikz_label.adapters.image.jxl.entropy import Stream
from aikz_label.values import dataclass, replace

SIGNATURE = b"\xff\x0a"
_SIZE: Choices = ((9, 1), (13, 1), (18, 1), (30, 1))
_PREVIEW_EIGHTHS: Choices = ((0, 16), (0, 32), (5, 1), (9, 33))
_PREVIEW: Choices = ((6, 1), (8, 65), (10, 321), (12, 1345))
_TICKS: Choices = ((0, 100), (0, 1000), (10, 1), (30, 1))
_TICK_PARTS: Choices = ((0, 1), (0, 1001), (8, 1), (10, 1))
_LOOPS: Choices = ((0, 0), (3, 0), (16, 0), (32, 0))
_INTEGER: Choices = ((0, 8), (0, 10), (0, 12), (6, 1))
_FLOAT: Choices = ((0, 32), (0, 16), (0, 24), (6, 1))
_CHANNELS: Choices = ((0, 0), (0, 1), (4, 2), (12, 1))
_SHIFT: Choices = ((0, 0), (0, 3), (0, 4), (3, 1))
_FILTER: Choices = ((0, 1), (2, 0), (4, 3), (8, 19))
_POINT: Choices = ((19, 0), (19, 524288), (20, 1048576), (21, 2097152))
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_CONTEXTS_OF_PROFILE = 41
_LARGEST_PROFILE = 4 << 20  # bytes as they are coded
_GREY, _XYB = 1, 2  # spaces
_CUSTOM = 2  # of white and of primaries
_TRANSFERS: dict[int, Literal["pq", "hlg", "linear"]] = {16: "pq", 18: "hlg", 8: "linear"}


class Extra(IntEnum):
    """Kinds of channels beside the colours that marking has to know; all others are left alone."""

    ALPHA = 0
    SPOT = 2
    BLACK = 4


@dataclass(frozen=True, slots=True)
class Depth:
    """Bits of a sample, of which so many are its exponent; integers have none."""

    bits: int = 8
    exponent: int = 0


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel beside the colours.

    Attributes:
        kind: As ISO/IEC 18181-1 numbers them.
        depth: Of its samples.
        shift: How often it is halved.
        premultiplied: Colours are multiplied by this opacity.
    """

    kind: int
    depth: Depth
    shift: int
    premultiplied: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The image.

    Attributes:
        size: Stored width and height, px.
        orientation: How it is turned to be seen, as EXIF numbers it.
        depth: Of the colours.
        channels: Those beside the colours.
        xyb: Colours are coded as eyes see them, which is not exact.
        grey: There is one colour.
        transfer: How light becomes numbers.
        peak: Light of the brightest white, nit.
        preview: A small picture comes first.
        animated: Frames have durations.
        timecodes: Frames have times besides.
        own_matrix: XYB is not the usual one.
        profile: A colour profile stands before the frames.
        sized: It is to be shown in a size of its own.
        rest: The bit after the size.
        stop: The bit where the frames begin, before they are aligned.
    """

    size: tuple[int, int]
    orientation: int = 1
    depth: Depth = Depth()
    channels: tuple[Channel, ...] = ()
    xyb: bool = True
    grey: bool = False
    transfer: Literal["sdr", "linear", "pq", "hlg"] = "sdr"
    peak: float = 255.0
    preview: bool = False
    animated: bool = False
    timecodes: bool = False
    own_matrix: bool = False
    profile: bool = False
    sized: bool = False
    rest: int = 0
    stop: int = 0

    @classmethod
    def read(cls, codestream: bytes) -> Header:
        """Take the header apart, up to a colour profile if there is one.

        Raises:
            MediaProblem: It is damaged.
        """
        if codestream[:2] != SIGNATURE:
            raise MediaProblem("damaged", detail_word="no-header")
        bits = Reader(codestream, 16)
        found = replace(cls(_size(bits)), rest=bits.at)
        if not bits.flag():
            found = _metadata(bits, found)
        own = _transform(bits, xyb=found.xyb)
        return replace(found, own_matrix=own, stop=bits.at)


def _size(bits: Reader) -> tuple[int, int]:
    small = bits.flag()
    height = 8 * (bits.take(5) + 1) if small else bits.number(_SIZE)
    ratio = bits.take(3)
    if ratio:
        above, below = _RATIOS[ratio - 1]
        return height * above // below, height
    return 8 * (bits.take(5) + 1) if small else bits.number(_SIZE), height


def _preview_size(bits: Reader) -> None:
    eighths = bits.flag()
    choices = _PREVIEW_EIGHTHS if eighths else _PREVIEW
    bits.number(choices)
    if not bits.take(3):
        bits.number(choices)


def _metadata(bits: Reader, header: Header) -> Header:
    more = bits.flag()
    if more:
        header = _more(bits, header)
    depth = _depth(bits)
    bits.flag()  # 16 bits are enough for a decoder
    channels = tuple(_channel(bits) for _ in range(bits.number(_CHANNELS)))
    xyb = bits.flag()
    header = _colours(bits, replace(header, depth=depth, channels=channels, xyb=xyb))
    if more and not bits.flag():
        header = replace(header, peak=bits.half())
        bits.half()
        bits.flag()
        bits.half()
    bits.extensions()
    return header


def _more(bits: Reader, header: Header) -> Header:
    """What few images have."""
    orientation = bits.take(3) + 1
    sized = bits.flag()
    if sized:
        _size(bits)
    preview = bits.flag()
    if preview:
        _preview_size(bits)
    animated, timecodes = bits.flag(), False
    if animated:
        bits.number(_TICKS)
        bits.number(_TICK_PARTS)
        bits.number(_LOOPS)
        timecodes = bits.flag()
    return replace(
        header,
        orientation=orientation,
        sized=sized,
        preview=preview,
        animated=animated,
        timecodes=timecodes,
    )


def _depth(bits: Reader) -> Depth:
    if bits.flag():
        size = bits.number(_FLOAT)
        return Depth(size, bits.take(4) + 1)
    return Depth(bits.number(_INTEGER))


def _channel(bits: Reader) -> Channel:
    if bits.flag():
        return Channel(Extra.ALPHA, Depth(), 0)
    kind, depth, shift = bits.number(ENUM), _depth(bits), bits.number(_SHIFT)
    bits.name()
    premultiplied = kind == Extra.ALPHA and bits.flag()
    if kind == Extra.SPOT:
        for _ in range(4):
            bits.half()
    if kind == 5:  # part of a colour filter
        bits.number(_FILTER)
    return Channel(kind, depth, shift, premultiplied)


def _colours(bits: Reader, header: Header) -> Header:
    if bits.flag():
        return header
    profile, space = bits.flag(), bits.number(ENUM)
    header = replace(header, grey=space == _GREY, profile=profile)
    if profile:
        return header
    if space != _XYB:
        if bits.number(ENUM) == _CUSTOM:
            _points(bits, 1)
        if space != _GREY and bits.number(ENUM) == _CUSTOM:
            _points(bits, 3)
        if bits.flag():
            bits.take(24)
        else:
            header = replace(header, transfer=_TRANSFERS.get(bits.number(ENUM), "sdr"))
    bits.number(ENUM)  # intent
    return header


def _points(bits: Reader, count: int) -> None:
    for _ in range(2 * count):
        bits.number(_POINT)


def _transform(bits: Reader, *, xyb: bool) -> bool:
    """Matrices and filters of its own; whether XYB is another than usual."""
    if bits.flag():
        return False
    own = xyb and not bits.flag()
    if own:
        for _ in range(9 + 3 + 4):
            bits.half()
    weights = bits.take(3)
    for bit, count in ((1, 15), (2, 55), (4, 210)):
        if weights & bit:
            for _ in range(count):
                bits.half()
    return own


def frames_start(codestream: bytes, header: Header) -> int:
    """The byte where the frames begin.

    Raises:
        MediaProblem: The colour profile before them is damaged or far too large.
    """
    return -(-_stop(codestream, header) // 8)


def with_size(codestream: bytes, header: Header, size: tuple[int, int]) -> bytes:
    """Everything before the frames, with another size."""
    out = Writer().copy(codestream, 0, 8 * len(SIGNATURE))
    out.put(0, 1).number(size[1], _SIZE).put(0, 3).number(size[0], _SIZE)
    return out.copy(codestream, header.rest, _stop(codestream, header)).align().bytes()


def _stop(codestream: bytes, header: Header) -> int:
    """The bit after a colour profile, which is read only to find its end.

    Raises:
        MediaProblem: The profile is damaged or far too large.
    """
    bits = Reader(codestream, header.stop)
    if header.profile:
        size = bits.long()
        if size > _LARGEST_PROFILE:
            raise MediaProblem("over-limit", what_word="bytes", found=size, limit=_LARGEST_PROFILE)
        stream = Stream(bits, _CONTEXTS_OF_PROFILE)
        last, before = 0, 0
        for index in range(size):
            context = 0 if index <= 128 else 1 + _KIND[last] + 8 * _FORMER_KIND[before]
            last, before = stream.read(context) & 255, last
        stream.close()
    return bits.at


def _kinds(byte: int) -> tuple[int, int]:
    """What sort of byte of a colour profile it is, as the last one and as the one before."""
    if chr(byte) in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        return 0, 0
    if chr(byte) in "0123456789.,":
        return 1, 1
    if byte < 16:
        return (2, 3)[byte] if byte < 2 else 4, 2
    return (6, 3) if byte == 255 else (5, 3) if byte > 240 else (7, 4)


_KIND = [_kinds(byte)[0] for byte in range(256)]
_FORMER_KIND = [_kinds(byte)[1] for byte in range(256)]
