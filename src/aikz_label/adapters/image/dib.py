"""Device-independent bitmaps: the header, the palette and the pixels that BMP files and icons share.

Pixels are edited in place where they are stored plainly: the painted rows are written into a copy of the file, and nothing
else changes. Run-length codes are written anew, the pixels they leave out stay left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import refuse_variant
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

# Header lengths: OS/2 1.x, OS/2 2.x short, Windows 3, two of Adobe's, OS/2 2.x, Windows 4 and 5.
OS2, OS2_SHORT, WINDOWS, OS2_LONG, WINDOWS_5 = 12, 16, 40, 64, 124
HEADERS = (OS2, OS2_SHORT, WINDOWS, 52, 56, OS2_LONG, 108, WINDOWS_5)
PLAIN, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_DEPTHS = (1, 2, 4, 8, 16, 24, 32)
_DEFAULT_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


@dataclass(frozen=True, slots=True)
class Dib:
    """What a bitmap's header says.

    Attributes:
        at: Where the header begins in the file.
        header: Its length.
        width: In px.
        height: In px.
        top_down: The first row stored is the top one.
        depth: Bits per pixel.
        compression: One of the constants above, or a kind that is not handled.
        masks: For 16 and 32 bits: which bits are red, green, blue and opacity.
        palette_at: Where the palette begins.
        entries: How many colours it has.
        pixels_at: Where the pixels begin.
    """

    at: int
    header: int
    width: int
    height: int
    top_down: bool
    depth: int
    compression: int
    masks: tuple[int, int, int, int]
    palette_at: int
    entries: int
    pixels_at: int

    @classmethod
    def read(cls, data: bytes, at: int, pixels_at: int = 0) -> Self:
        """Read a header.

        Args:
            data: The whole file.
            at: Where the header begins.
            pixels_at: Where the pixels are; 0 for right after the palette.

        Raises:
            MediaProblem: No bitmap has such a header.
        """
        header = _number(data, at, 4)
        if header not in HEADERS or at + header > len(data):
            raise MediaProblem("damaged", detail_word="no-header")
        wide = 2 if header == OS2 else 4
        width = _number(data, at + 4, wide, signed=header >= WINDOWS and header != OS2_LONG)
        height = _number(data, at + 4 + wide, wide, signed=wide == 4)
        depth = _number(data, at + 6 + 2 * wide, 2)
        compression = _number(data, at + 16, 4) if header >= WINDOWS else PLAIN
        if compression in {BITFIELDS, 4} and header == OS2_LONG:
            compression = -1  # there these mean other codes
        after = at + header
        masks = _DEFAULT_MASKS.get(depth, (0, 0, 0, 0))
        if compression in {BITFIELDS, ALPHA_BITFIELDS} and depth in {16, 32}:
            count = 4 if header >= 56 or compression == ALPHA_BITFIELDS else 3
            given = [_number(data, at + WINDOWS + 4 * i, 4) for i in range(count)] + [0]
            masks = (given[0], given[1], given[2], given[3])
            if header == WINDOWS:
                after += 4 * count
        entries = 0
        if depth in {1, 2, 4, 8}:
            used = _number(data, at + 32, 4) if header >= WINDOWS else 0
            entries = min(used or 2**depth, 2**depth)
            if pixels_at:  # a palette that reaches into the pixels ends there
                entries = min(entries, (pixels_at - after) // _entry_size(header))
            if entries <= 0:
                raise MediaProblem("damaged", detail_word="no-header")
        dib = cls(
            at,
            header,
            width,
            abs(height),
            height < 0,
            depth,
            compression,
            masks,
            after,
            entries,
            pixels_at or after + entries * _entry_size(header),
        )
        dib._check(data)
        return dib

    def _check(self, data: bytes) -> None:
        if self.width <= 0 or not self.height or self.depth > 64:
            raise MediaProblem("damaged", detail_word="no-size")
        if not self.palette_at <= self.pixels_at <= len(data):
            raise MediaProblem("damaged", detail_word="cut")

    @property
    def entry(self) -> int:
        """Bytes of one colour in the palette."""
        return _entry_size(self.header)

    @property
    def run_length(self) -> bool:
        """Whether the pixels are run-length coded."""
        return self.compression in {RLE4, RLE8}

    @property
    def row(self) -> int:
        """Bytes of one row that hold pixels."""
        return (self.width * self.depth + 7) // 8

    @property
    def stride(self) -> int:
        """Bytes from one row to the next."""
        return (self.width * self.depth + 31) // 32 * 4

    @property
    def plain_size(self) -> int:
        """Bytes of all rows as they are stored plainly."""
        return self.stride * self.height

    def check_pixels(self, data: bytes) -> None:
        """Make sure that plain pixels are all there; the padding of the last row may be missing.

        Raises:
            MediaProblem: They are not.
        """
        plain = self.compression in {PLAIN, BITFIELDS, ALPHA_BITFIELDS}
        if plain and self.pixels_at + self.plain_size - self.stride + self.row > len(data):
            raise MediaProblem("damaged", detail_word="cut")

    def check_variant(self, title: str) -> None:
        """Refuse what is not handled.

        Raises:
            Refused: It is not.
        """
        known = {
            PLAIN: _DEPTHS,
            RLE8: (8,),
            RLE4: (4,),
            BITFIELDS: (16, 32),
            ALPHA_BITFIELDS: (16, 32),
        }
        if self.depth not in known.get(self.compression, ()):
            what = f"{self.depth} bits per pixel, compression {self.compression}"
            raise refuse_variant(title, f"its pixels are stored in a rare way ({what})")
        if self.run_length and self.top_down:
            raise refuse_variant(title, "it is run-length coded and upside down")

    def colours(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """The palette as red, green and blue."""
        for index in range(self.entries):
            blue, green, red = data[self.palette_at + index * self.entry :][:3]
            yield red, green, blue

    def halved(self) -> Self:
        """The bitmap of an icon, whose height counts a mask as well."""
        if self.height % 2:
            raise MediaProblem("damaged", detail_word="no-size")
        return replace(self, height=self.height // 2)

    def with_depth(self, depth: int) -> Self:
        """The same bitmap with wider indices."""
        plain = RLE8 if self.run_length else PLAIN
        return replace(self, depth=depth, compression=plain)


def _entry_size(header: int) -> int:
    return 3 if header == OS2 else 4


def _number(data: bytes, at: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "little", signed=signed)
