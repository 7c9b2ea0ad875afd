"""Frames of Matroska that are packed once more (RFC 9559, 5.1.4.1.31): without what all begin with, or by zlib."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from aikz_label.adapters.video import film
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CONTENT_ENCRYPTION, Element
from aikz_label.limits import MIB
from aikz_label.values import dataclass

_ENCODING, _SCOPE, _COMPRESSION, _ALGORITHM, _SETTINGS = 0x6240, 0x5032, 0x5034, 0x4254, 0x4255
_FRAMES = 1  # of the scope: not what decoders are set up with
_ZLIB, _STRIPPED = 0, 3
_LONGEST = 256 * MIB  # of a frame; RGB of 8K are 100
_MOST_PARTS = 100


@dataclass(frozen=True, slots=True)
class Packing:
    """How the frames of a track are packed.

    Attributes:
        element: Says so in the file.
        start: What every frame begins with, where that is left out; `None` where frames are compressed by zlib.
    """

    element: Element
    start: bytes | None

    def unpacked(self, data: bytes) -> bytes:
        """A stored frame as it was.

        Raises:
            MediaProblem: It is damaged, or becomes too long.
        """
        if self.start is not None:
            return self.start + data
        stream = zlib.decompressobj()
        try:
            found = stream.decompress(data, _LONGEST)
        except zlib.error as error:
            raise film.damaged() from error
        if not stream.eof:
            raise film.damaged()
        return found


def of(source: BinaryIO, encodings: Element) -> Packing:
    """The packing of a track.

    Raises:
        Refused: It is encrypted, or packed in a way that is not known here.
    """
    layers = [c for c in ebml.children(source, encodings, _MOST_PARTS) if c.name == _ENCODING]
    parts = {
        part.name: part for layer in layers for part in ebml.children(source, layer, _MOST_PARTS)
    }
    if CONTENT_ENCRYPTION in parts:
        raise film.encrypted()
    scope = ebml.number(source, parts[_SCOPE]) if _SCOPE in parts else _FRAMES
    if len(layers) != 1 or scope != _FRAMES or _COMPRESSION not in parts:
        raise film.variant("its frames are packed more than once, or not they alone")
    told = {part.name: part for part in ebml.children(source, parts[_COMPRESSION], _MOST_PARTS)}
    algorithm = ebml.number(source, told[_ALGORITHM]) if _ALGORITHM in told else _ZLIB
    if algorithm == _ZLIB:
        return Packing(encodings, None)
    if algorithm != _STRIPPED:
        raise film.variant("its frames are compressed by bzip2 or LZO")
    start = ebml.content(source, told[_SETTINGS]) if _SETTINGS in told else b""
    return Packing(encodings, start)
