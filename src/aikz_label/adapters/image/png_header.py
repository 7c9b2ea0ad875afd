"""The header of PNG, and the rows that it promises."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from aikz_label.adapters import MediaProblem
from aikz_label.values import dataclass

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_ADAM7 = (  # first column and row, step across and down (PNG, 8.2)
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_WHOLE = ((0, 0, 1, 1),)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its length and check sum."""
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)


@dataclass(frozen=True, slots=True)
class Header:
    """What `IHDR` says.

    Attributes:
        size: Width and height, px.
        depth: Bits per sample or palette index.
        colour_type: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
        interlaced: In the seven passes of Adam7.
    """

    size: tuple[int, int]
    depth: int
    colour_type: int
    interlaced: bool

    @classmethod
    def read(cls, data: bytes) -> Header:
        """Read the thirteen bytes.

        Raises:
            MediaProblem: A value that the format does not know.
        """
        size = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        depth, kind, compression, filtering, interlace = data[8:13]
        depths = {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8)}.get(kind, (8, 16))
        known = kind in CHANNELS and depth in depths and interlace < 2
        if not known or compression or filtering:
            raise MediaProblem("damaged", detail_word="no-header")
        return cls(size, depth, kind, bool(interlace))

    @property
    def packed(self) -> bytes:
        """As it stands in the file."""
        width, height = self.size
        rest = bytes((self.depth, self.colour_type, 0, 0, self.interlaced))
        return width.to_bytes(4) + height.to_bytes(4) + rest

    @property
    def pixel_bits(self) -> int:
        """Size of a pixel."""
        return self.depth * CHANNELS[self.colour_type]

    def passes(self) -> Iterator[Pass]:
        """The pictures that the rows make up, one or seven of them; empty ones are left out."""
        offset = 0
        for x, y, across, down in _ADAM7 if self.interlaced else _WHOLE:
            width, height = -(-(self.size[0] - x) // across), -(-(self.size[1] - y) // down)
            if width > 0 and height > 0:
                stride = 1 + -(-width * self.pixel_bits // 8)
                yield Pass(x, y, across, down, height, stride, offset)
                offset += stride * height

    @property
    def length(self) -> int:
        """Bytes of all rows, with a filter byte before each."""
        return sum(one.stride * one.rows for one in self.passes())


@dataclass(frozen=True, slots=True)
class Pass:
    """Which pixels it takes, and where its rows are."""

    x: int
    y: int
    across: int
    down: int
    rows: int
    stride: int
    offset: int

    def row(self, y: int) -> int:
        """Its first row at or below a row of the picture."""
        return min(self.rows, max(0, -(-(y - self.y) // self.down)))
