"""What a TIFF directory says of its picture: size, samples, colours, and where the strips or tiles are."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, Self, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import check_pixels
from aikz_label.limits import Limits
from aikz_label.metadata.ifd import Directory, Tiff
from aikz_label.values import dataclass, replace

Role: TypeAlias = Literal["picture", "preview", "mask"]

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, WIDTH, HEIGHT, BITS, _COMPRESSION = 254, 255, 256, 257, 258, 259
_PHOTOMETRIC, _FILL_ORDER, _ORIENTATION, _SAMPLES, ROWS_PER_STRIP = 262, 266, 274, 277, 278
_PLANAR, T4_OPTIONS, T6_OPTIONS, _PREDICTOR, COLOUR_MAP = 284, 292, 293, 317, 320
_TILE_WIDTH, _TILE_HEIGHT, _INK_SET, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 322, 323, 332, 338, 339
_JPEG_TABLES, OLD_JPEG, OLD_JPEG_LENGTH, _SUBSAMPLING, _DEPTH = 347, 513, 514, 530, 32997
STRIPS, STRIP_LENGTHS, TILES, TILE_LENGTHS = 273, 279, 324, 325
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType
_PIECE = 4 << 20  # bytes of a strip that are decoded at once
MAX_SAMPLES = 64  # channels of one pixel; satellites have about a dozen


class Photometric(IntEnum):
    """Colour models that are handled."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    SEPARATED = 5
    YCBCR = 6
    CIELAB = 8
    ICCLAB = 9


class Coding(IntEnum):
    """Ways of compression that are handled."""

    NONE = 1
    CCITT_RLE = 2
    CCITT_3 = 3
    CCITT_4 = 4
    LZW = 5
    JPEG = 7
    DEFLATE = 8
    PACKBITS = 32773
    OLD_DEFLATE = 32946
    LZMA = 34925
    ZSTD = 50000
    WEBP = 50001


_OLD_JPEG_CODING = 6
_PREDICTED = (Coding.LZW, Coding.DEFLATE, Coding.OLD_DEFLATE, Coding.LZMA, Coding.ZSTD)
FAX = (Coding.CCITT_RLE, Coding.CCITT_3, Coding.CCITT_4)
_CHANNELS = {Photometric.RGB: 3, Photometric.SEPARATED: 4, Photometric.YCBCR: 3}
_CHANNELS |= {Photometric.CIELAB: 3, Photometric.ICCLAB: 3}
_SAMPLE_KIND = {1: "u", 2: "i", 3: "f", 4: "u"}  # 4 is undefined, which libtiff takes for 1


@dataclass(frozen=True, slots=True)
class Page:
    """One picture of a file.

    Attributes:
        directory: Where it is described.
        role: A mask says where another page is transparent, a preview repeats one in fewer pixels.
        size: Width and height as stored, px.
        bits: Of one sample.
        kind: `u`, `i` or `f`: unsigned, signed, floating-point.
        samples: Channels, further ones included.
        photometric: Colour model.
        coding: Compression.
        planar: Every channel has strips or tiles of its own.
        predictor: 1 none, 2 differences, 3 differences of floats.
        reversed: The lowest bit of a byte comes first.
        block: Width and height of a strip or tile, px.
        tiled: The blocks are tiles, which are all of one size.
        places: Where each block begins.
        lengths: How many bytes it has.
        extra: What the channels beyond the colours mean: 1 and 2 are opacity.
        ink_set: 1 for cyan, magenta, yellow and black.
        subsampling: Pixels that share one colour difference, across and down.
        orientation: As EXIF numbers it.
        colour_map: Red, green and blue of a palette, each of 16 bits.
        tables: What the JPEG streams of the blocks have in common.
        options: Of CCITT.
        split: The blocks are rows of one strip of the file, which is not compressed.
        whole_jpeg: The only block is a JPEG file, as TIFF 6.0 had it (section 22) before each block became a stream.
    """

    directory: Directory
    role: Role
    size: tuple[int, int]
    bits: tuple[int, ...]
    kind: tuple[str, ...]
    samples: int
    photometric: int
    coding: int
    planar: bool
    predictor: int
    reversed: bool
    block: tuple[int, int]
    tiled: bool
    places: tuple[int, ...]
    lengths: tuple[int, ...]
    extra: tuple[int, ...]
    ink_set: int
    subsampling: tuple[int, int]
    orientation: int
    colour_map: tuple[int, ...]
    tables: bytes
    options: int
    split: bool = False
    whole_jpeg: bool = False

    @classmethod
    def read(cls, tiff: Tiff, found: Directory, limits: Limits) -> Self:
        """Read a directory.

        Raises:
            MediaProblem: Its numbers make no picture, or too large a one.
        """

        def numbers(tag: int, *otherwise: int) -> tuple[int, ...]:
            return tiff.numbers(found.get(tag)) or otherwise

        def one(tag: int, otherwise: int) -> int:
            return numbers(tag, otherwise)[0]

        size = one(WIDTH, 0), one(HEIGHT, 0)
        check_pixels(size, limits)
        samples = one(_SAMPLES, 1)
        tiled = found.get(_TILE_WIDTH) is not None
        rows = min(one(ROWS_PER_STRIP, size[1]), size[1])
        block = (one(_TILE_WIDTH, 0), one(_TILE_HEIGHT, 0)) if tiled else (size[0], rows)
        if not 0 < samples <= MAX_SAMPLES or not all(0 < side < 1 << 24 for side in block):
            raise MediaProblem("damaged", detail_word="no-size")
        photometric, coding = one(_PHOTOMETRIC, -1), one(_COMPRESSION, Coding.NONE)
        tables = found.get(_JPEG_TABLES)
        across, down = (*numbers(_SUBSAMPLING, 2, 2), 1)[:2]
        places = numbers(TILES if tiled else STRIPS) or numbers(STRIPS)
        lengths = numbers(TILE_LENGTHS if tiled else STRIP_LENGTHS) or numbers(STRIP_LENGTHS)
        if not lengths and len(places) == 1:  # some writers thought one strip needs no length
            lengths = (max(0, len(tiff.data) - places[0]),)
        whole_jpeg = coding == _OLD_JPEG_CODING and _is_jpeg_file(tiff, found, places, lengths)
        if whole_jpeg and photometric == Photometric.RGB:  # as libtiff takes it, too
            photometric = Photometric.YCBCR
        return cls(
            directory=found,
            role=_role(one(_NEW_SUBFILE_TYPE, 0), one(_SUBFILE_TYPE, 0)),
            size=size,
            bits=numbers(BITS, 1),
            kind=tuple(_SAMPLE_KIND.get(code, "?") for code in numbers(_SAMPLE_FORMAT, 1)),
            samples=samples,
            photometric=photometric,
            coding=Coding.JPEG if whole_jpeg else coding,
            planar=one(_PLANAR, 1) == 2 and samples > 1,
            predictor=one(_PREDICTOR, 1) if coding in _PREDICTED else 1,
            reversed=one(_FILL_ORDER, 1) == 2,
            block=block,
            tiled=tiled,
            places=places,
            lengths=lengths,
            extra=numbers(_EXTRA_SAMPLES),
            ink_set=one(_INK_SET, 1),
            subsampling=(across, down) if photometric == Photometric.YCBCR else (1, 1),
            orientation=_orientation(one(_ORIENTATION, 1)),
            colour_map=numbers(COLOUR_MAP),
            tables=tiff.value(tables) if tables else b"",
            options=one(T4_OPTIONS if coding == Coding.CCITT_3 else T6_OPTIONS, 0),
            whole_jpeg=whole_jpeg,
        )

    def in_rows(self) -> Page:
        """The same picture, a large strip without compression cut into pieces: a notice needs few of its rows."""
        row = -(-self.size[0] * self.channels * self.depth // 8)
        rows = max(1, _PIECE // row)
        plain = self.coding == Coding.NONE and not self.tiled and self.subsampling == (1, 1)
        whole = len(self.places) >= self.planes and self.down == 1
        if not plain or not whole or rows >= self.size[1] or min(self.lengths) < row * self.size[1]:
            return self
        starts = range(0, self.size[1], rows)
        high = [min(rows, self.size[1] - start) for start in starts] * self.planes
        places = (at + row * start for at in self.places[: self.planes] for start in starts)
        return replace(
            self,
            block=(self.size[0], rows),
            places=tuple(places),
            lengths=tuple(row * count for count in high),
            split=True,
        )

    # --- what it amounts to -----------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Bits of every sample; `reasons` has seen that they are equal."""
        return self.bits[0]

    @property
    def colours(self) -> int:
        """How many channels are colours."""
        return _CHANNELS.get(Photometric(self.photometric), 1)

    @property
    def alpha(self) -> tuple[int, bool]:
        """Index of the channel of opacity, or -1, and whether the colours are multiplied by it."""
        beyond = self.samples - self.colours
        meanings = self.extra or ((2,) if beyond == 1 else ())  # many writers forget to say it
        for index, meaning in enumerate(meanings[:beyond]):
            if meaning in {1, 2}:
                return self.colours + index, meaning == 1
        return -1, False

    @property
    def across(self) -> int:
        """Blocks beside each other."""
        return -(-self.size[0] // self.block[0])

    @property
    def down(self) -> int:
        """Blocks below each other."""
        return -(-self.size[1] // self.block[1])

    @property
    def planes(self) -> int:
        """How often the picture is cut into blocks."""
        return self.samples if self.planar else 1

    @property
    def channels(self) -> int:
        """Channels of one block."""
        return 1 if self.planar else self.samples

    @property
    def decoded_bytes(self) -> int:
        """How much memory the samples take, roughly."""
        return self.size[0] * self.size[1] * self.samples * max(self.bits) // 8 + 1

    def rows(self, index: int) -> int:
        """Height of a block: the last strip may be lower, a tile never is."""
        if self.tiled:
            return self.block[1]
        row = index // self.across % self.down
        return min(self.block[1], self.size[1] - row * self.block[1])


def _is_jpeg_file(
    tiff: Tiff, found: Directory, places: tuple[int, ...], lengths: tuple[int, ...]
) -> bool:
    """Whether old-style JPEG is what nearly all of it is: one strip, which is a file from its first marker to its last."""
    if len(places) != 1 or len(lengths) != 1:
        return False
    start, stop = places[0], places[0] + lengths[0]
    said = tiff.numbers(found.get(OLD_JPEG)) or (start,)
    return said == (start,) and tiff.data[start : start + 3] == b"\xff\xd8\xff" and stop > start


def _role(new: int, old: int) -> Role:
    if new & _MASK:
        return "mask"
    return "preview" if new & _REDUCED or old == 2 else "picture"


def _orientation(value: int) -> int:
    return value if 1 <= value <= 8 else 1
