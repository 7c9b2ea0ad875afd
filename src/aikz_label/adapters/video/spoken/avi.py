"""The sounds of AVI: chunks that hold packets, or what a stream of bytes was cut into."""

from __future__ import annotations

from fractions import Fraction
from typing import BinaryIO, ClassVar

from aikz_label.adapters.video import film
from aikz_label.adapters.video.avi import Avi
from aikz_label.adapters.video.riff import Chunk
from aikz_label.adapters.video.spoken.tracks import Stored
from aikz_label.limits import Limits

# Numbers of codecs (RFC 2361) whose packets chunks need not keep apart: PCM of all kinds, MP3, AC-3.
_STREAMS = frozenset({1, 3, 6, 7, 0xFFFE, 0x55, 0x2000})
_HEAD = 48  # bytes of a stream's head as far as the length of a sample


def stored(source: BinaryIO, number: int, limits: Limits) -> Stored:  # noqa: ARG001  # as of the other containers
    """The stream of a number.

    Raises:
        Refused: There is none.
        MediaProblem: The film is damaged.
    """
    return AviSound(source, number)


class AviSound(Avi):
    """One of the sounds."""

    suffixes: ClassVar[frozenset[bytes]] = frozenset({b"wb"})
    described = (0, 0)

    def __init__(self, source: BinaryIO, number: int) -> None:
        self._wanted = number
        self.pieces = self.fixed = False
        super().__init__(source)

    def _take_head(self, source: BinaryIO, chunk: Chunk, number: int) -> None:
        if number != self._wanted:
            return
        source.seek(chunk.body)
        data = source.read(min(_HEAD, chunk.stop - chunk.body))
        source.seek(chunk.stop + (chunk.stop & 1))
        form = source.read(10)
        if data[:4] != b"auds" or len(data) < _HEAD or form[:4] != b"strf" or len(form) < 10:
            raise film.damaged()
        self._head, self._name = chunk, b"%02d" % number
        self.time_base = Fraction(1)
        self.fixed = any(data[44:48])
        self.pieces = int.from_bytes(form[8:10], "little") in _STREAMS
