"""The one module that calls libavif: AV1 pictures to planes and back, at any depth.

Pillow's own plug-in turns every picture into 8-bit RGB. The library inside it does not have to, so it is called directly,
through the same file of the same package. libavif keeps the layout of these structures for the whole of version 1 and adds
fields at their ends only; what is below is the part that was there in 1.0.0. Pillow's copy encodes 8 bits and no more;
that of the package imagecodecs encodes 10 and 12 as well.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from functools import cache
from itertools import chain, count
from typing import Any

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.heif.planes import Coding, Planes
from aikz_label.errors import MissingDependency, Refused

_SPEED = 8
_SHIFTS: dict[int, tuple[int, int] | None] = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: None}
_FORMATS = {shifts: number for number, shifts in _SHIFTS.items()}
LOSSLESS = 100


class _Bytes(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Image(ctypes.Structure):
    """The first fields of `avifImage`."""

    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("depth", ctypes.c_uint32),
        ("format", ctypes.c_int),
        ("range", ctypes.c_int),
        ("chroma_position", ctypes.c_int),
        ("planes", ctypes.c_void_p * 3),
        ("row_bytes", ctypes.c_uint32 * 3),
        ("owns_planes", ctypes.c_int),
        ("alpha", ctypes.c_void_p),
        ("alpha_row_bytes", ctypes.c_uint32),
        ("owns_alpha", ctypes.c_int),
        ("premultiplied", ctypes.c_int),
        ("icc", _Bytes),
        ("primaries", ctypes.c_uint16),
        ("transfer", ctypes.c_uint16),
        ("matrix", ctypes.c_uint16),
    )


class _Encoder(ctypes.Structure):
    """The first fields of `avifEncoder`."""

    _fields_ = (
        ("codec", ctypes.c_int),
        ("threads", ctypes.c_int),
        ("speed", ctypes.c_int),
        ("key_interval", ctypes.c_int),
        ("timescale", ctypes.c_uint64),
        ("repetitions", ctypes.c_int),
        ("layers", ctypes.c_uint32),
        ("quality", ctypes.c_int),
        ("alpha_quality", ctypes.c_int),
    )


class _Decoder(ctypes.Structure):
    """The first fields of `avifDecoder`."""

    _fields_ = (
        ("codec", ctypes.c_int),
        ("threads", ctypes.c_int),
        ("source", ctypes.c_int),
        ("progressive", ctypes.c_int),
        ("incremental", ctypes.c_int),
        ("ignore_exif", ctypes.c_int),
        ("ignore_xmp", ctypes.c_int),
        ("most_pixels", ctypes.c_uint32),
        ("most_side", ctypes.c_uint32),
        ("most_images", ctypes.c_uint32),
        ("strict", ctypes.c_uint32),
        ("image", ctypes.POINTER(_Image)),
    )


_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "avifVersion": (ctypes.c_char_p, ()),
    "avifResultToString": (ctypes.c_char_p, (ctypes.c_int,)),
    "avifRWDataFree": (None, (ctypes.POINTER(_Bytes),)),
    "avifImageCreate": (ctypes.POINTER(_Image), (ctypes.c_uint32,) * 3 + (ctypes.c_int,)),
    "avifImageDestroy": (None, (ctypes.POINTER(_Image),)),
    "avifEncoderCreate": (ctypes.POINTER(_Encoder), ()),
    "avifEncoderDestroy": (None, (ctypes.POINTER(_Encoder),)),
    "avifEncoderAddImage": (
        ctypes.c_int,
        (ctypes.POINTER(_Encoder), ctypes.POINTER(_Image), ctypes.c_uint64, ctypes.c_uint32),
    ),
    "avifEncoderFinish": (ctypes.c_int, (ctypes.POINTER(_Encoder), ctypes.POINTER(_Bytes))),
    "avifDecoderCreate": (ctypes.POINTER(_Decoder), ()),
    "avifDecoderDestroy": (None, (ctypes.POINTER(_Decoder),)),
    "avifDecoderSetIOMemory": (
        ctypes.c_int,
        (ctypes.POINTER(_Decoder), ctypes.c_char_p, ctypes.c_size_t),
    ),
    "avifDecoderParse": (ctypes.c_int, (ctypes.POINTER(_Decoder),)),
    "avifDecoderNextImage": (ctypes.c_int, (ctypes.POINTER(_Decoder),)),
}
_ONE_PICTURE = 2  # flag of a frame that stands alone
_KEY_FRAME = 1
_THREADS = min(8, os.cpu_count() or 1)


@cache
def _library(*, deep: bool) -> Any:
    """libavif, loaded through the extension module that is linked to it."""
    if deep:
        try:
            from imagecodecs import _avif as module  # noqa: PLC0415  # optional
        except ImportError as error:
            raise MissingDependency("AVIF of 10 or 12 bits", "avif") from error
    else:
        from PIL import _avif as module  # noqa: PLC0415
    try:
        library = ctypes.CDLL(module.__file__)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise _unreachable() from error
    if not library.avifVersion().startswith(b"1."):
        raise _unreachable()
    return library


def _unreachable() -> Refused:
    return Refused(
        "The AVIF library of this Python environment cannot be reached.",
        code="no-codec",
        hint="Install Pillow from its own wheels, on Linux or macOS.",
    )


def decode(data: bytes, most_pixels: int) -> Planes:
    """The primary picture of a file as its codec has it.

    Args:
        data: A whole file.
        most_pixels: A larger picture is not decoded.

    Raises:
        MediaProblem: It cannot be decoded.
    """
    library = _library(deep=False)
    decoder = library.avifDecoderCreate()
    if not decoder:
        raise MemoryError
    try:
        settings = decoder.contents
        settings.threads, settings.strict = _THREADS, 0
        settings.ignore_exif = settings.ignore_xmp = 1
        settings.most_pixels, settings.most_side = min(most_pixels, 0xFFFFFFFF), 0xFFFF
        for result in (
            library.avifDecoderSetIOMemory(decoder, data, len(data)),
            library.avifDecoderParse(decoder),
            library.avifDecoderNextImage(decoder),
        ):
            if result:
                raise MediaProblem("damaged", detail_word="decoder")
        return _planes(settings.image.contents)
    finally:
        library.avifDecoderDestroy(decoder)


def _planes(image: _Image) -> Planes:
    """A copy of what the decoder holds."""
    shifts = _SHIFTS.get(image.format)
    sample = np.uint16 if image.depth > 8 else np.uint8
    planes = []
    for index in range(3 if shifts else 1):
        right, down = shifts if shifts and index else (0, 0)
        width, height = -(-image.width >> right), -(-image.height >> down)
        stride = image.row_bytes[index]
        address = image.planes[index]
        if not address:
            raise MediaProblem("damaged", detail_word="decoder")
        rows = np.frombuffer(ctypes.string_at(address, stride * height), np.uint8)
        rows = rows.reshape(height, stride)[:, : width * sample().itemsize]
        planes.append(rows.copy().view(sample))
    coding = Coding(
        image.depth, shifts, image.range == 1, image.primaries, image.transfer, image.matrix
    )
    return Planes(tuple(planes), coding)


def encode(planes: Planes, quality: int) -> bytes:
    """A file with one picture, still.

    Args:
        planes: The picture.
        quality: 0 to 100; 100 is without any loss.

    Raises:
        Refused: The encoder does not take it.
    """
    return _encode([(planes, _ONE_PICTURE)], quality)


def encode_all(pictures: Iterable[Planes], quality: int, keys: frozenset[int] | None) -> bytes:
    """A file with several pictures, each shown for as long as any other; with a still one when there is only one.

    Args:
        pictures: All of one size and coding.
        quality: 0 to 100; 100 is without any loss.
        keys: The pictures that a player can begin with, from 0; `None` for all of them.

    Raises:
        Refused: The encoder does not take them.
    """
    flags = (_KEY_FRAME * (keys is None or index in keys) for index in count())
    return _encode(zip(pictures, flags, strict=False), quality)


def _encode(pictures: Iterable[tuple[Planes, int]], quality: int) -> bytes:
    """A file with pictures, each with the flags that it is added with; their planes are copied at once."""
    left = iter(pictures)
    first, flag = next(left)
    library = _library(deep=first.coding.depth > 8)
    encoder = library.avifEncoderCreate()
    out = _Bytes()
    try:
        if not encoder:
            raise MemoryError
        settings = encoder.contents
        settings.threads, settings.speed, settings.quality = _THREADS, _SPEED, quality
        for planes, how in chain([(first, flag)], left):
            _succeed(library, _added(library, encoder, planes, how))
        _succeed(library, library.avifEncoderFinish(encoder, ctypes.byref(out)))
        return ctypes.string_at(out.data, out.size)
    finally:
        library.avifRWDataFree(ctypes.byref(out))
        if encoder:
            library.avifEncoderDestroy(encoder)


def _added(library: Any, encoder: Any, planes: Planes, how: int) -> int:
    """Give the encoder a picture; whether that went wrong."""
    coding = planes.coding
    arrays = [np.ascontiguousarray(plane) for plane in planes.planes]
    image = library.avifImageCreate(*planes.size, coding.depth, _FORMATS[coding.shifts])
    if not image:
        raise MemoryError
    try:
        picture = image.contents
        picture.range = int(coding.full)
        picture.primaries, picture.transfer = coding.primaries, coding.transfer
        picture.matrix = coding.matrix
        for index, array in enumerate(arrays):
            picture.planes[index] = array.ctypes.data
            picture.row_bytes[index] = array.strides[0]
        return int(library.avifEncoderAddImage(encoder, image, 1, how))
    finally:
        library.avifImageDestroy(image)


def _succeed(library: Any, result: int) -> None:
    if result:
        raise Refused(
            f"The AVIF encoder does not take this picture ({library.avifResultToString(result).decode()}).",
            code="unsupported-variant",
            hint="Save it in another format, or at 8 bits.",
        )
