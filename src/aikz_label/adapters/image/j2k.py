"""JPEG 2000 codestreams (ITU-T T.800, annex A): the main header and the tiles, which can be exchanged one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import refuse_variant
from aikz_label.errors import Refused
from aikz_label.limits import Limits
from aikz_label.values import dataclass, replace

START = b"\xff\x4f\xff\x51"
_SIZ, _CAP, _COD, _RGN, _POC, _PPM = 0xFF51, 0xFF50, 0xFF52, 0xFF5E, 0xFF5F, 0xFF60
_TLM, _PLM, _SOT, _SOD, _END = 0xFF55, 0xFF57, 0xFF90, 0xFF93, b"\xff\xd9"
_TITLE = "JPEG 2000"
_PART_15 = 1 << 32 - 15  # of the parts that `CAP` announces


@dataclass(frozen=True, slots=True)
class Component:
    """One channel: bits, whether it is signed, and every how many columns and rows it has a sample."""

    depth: int
    signed: bool
    across: int
    down: int


@dataclass(frozen=True, slots=True)
class TilePart:
    """A part of a tile: which tile, and where it lies in the codestream."""

    tile: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Codestream:
    """A codestream taken apart without decoding it.

    Attributes:
        data: All of it.
        capabilities: The profile that it claims, `Rsiz`.
        area: Left, top, right and bottom of the picture on the reference grid.
        tile: Left and top of the first tile, width and height of each.
        components: The channels.
        segments: Marker and span of every segment of the main header, each with its marker.
        parts: The tile-parts, in order.
        stop: Where the last of them ends.
    """

    data: bytes
    capabilities: int
    area: tuple[int, int, int, int]
    tile: tuple[int, int, int, int]
    components: tuple[Component, ...]
    segments: tuple[tuple[int, int, int], ...]
    parts: tuple[TilePart, ...]
    stop: int

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Read the main header and, when thorough, the headers of all tile-parts.

        Raises:
            MediaProblem: It is none, or it is cut.
        """
        if data[:4] != START or len(data) < 51:
            raise MediaProblem("damaged", detail_word="no-header")
        right, bottom, left, top, *tile = (_number(data, 8 + 4 * i, 4) for i in range(8))
        width, height, x, y = tile
        if not (x <= left < right and y <= top < bottom and width and height):
            raise MediaProblem("damaged", detail_word="no-size")
        count = _number(data, 40, 2)
        listed = data[42 : 42 + 3 * count]
        if not count or len(listed) < 3 * count or _number(data, 4, 2) != 38 + 3 * count:
            raise MediaProblem("damaged", detail_word="no-header")
        components = tuple(
            Component((bits & 127) + 1, bits > 127, across, down)
            for bits, across, down in zip(listed[::3], listed[1::3], listed[2::3], strict=True)
        )
        segments, at = _main_header(data, limits)
        parts: tuple[TilePart, ...] = ()
        if thorough:
            parts, at = _tile_parts(data, at, limits)
        area, first = (left, top, right, bottom), (x, y, width, height)
        return cls(data, _number(data, 6, 2), area, first, components, segments, parts, at)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, px."""
        left, top, right, bottom = self.area
        return right - left, bottom - top

    def check_variant(self) -> None:
        """Refuse what would lose something.

        Raises:
            Refused: This would.
        """
        names = {marker for marker, _, _ in self.segments}
        first = self.components[0]
        if self._is_high_throughput():
            raise Refused(
                "This is High-Throughput JPEG 2000 (HTJ2K), which is read here and not written.",
                code="unsupported-variant",
                hint="Code it as JPEG 2000 Part 1: opj_decompress to TIFF, then opj_compress; neither loses anything.",
            )
        if self.capabilities > 2 or _CAP in names:
            raise refuse_variant(_TITLE, "it promises a profile that an ordinary coder breaks")
        if self.steps != (1, 1) and not self._shares_colours():
            raise refuse_variant(_TITLE, "its channels differ in size in an unusual way")
        if self.beyond_pillow and self._has_lone_samples():
            raise refuse_variant(_TITLE, "the decoder here misreads its smallest tiles")
        if any((c.depth, c.signed) != (first.depth, first.signed) for c in self.components):
            raise refuse_variant(_TITLE, "its channels differ in depth")
        if first.signed or first.depth > 16 or len(self.components) > 4:
            raise refuse_variant(
                _TITLE, "its channels are signed, deeper than 16 bits, or more than four"
            )
        if len(self.components) == 2 and 8 < first.depth < 16:
            raise refuse_variant(_TITLE, "no decoder here reads grey with opacity of that depth")
        if names & {_PPM, _POC, _RGN}:
            raise refuse_variant(
                _TITLE, "its header orders or shifts data of all tiles (PPM, POC or RGN)"
            )

    def _is_high_throughput(self) -> bool:
        """Whether it announces the coder of ITU-T T.814."""
        announced = (start for marker, start, _ in self.segments if marker == _CAP)
        return any(_number(self.data, start + 4, 4) & _PART_15 for start in announced)

    @property
    def steps(self) -> tuple[int, int]:
        """Every how many columns and rows the smallest channel has a sample."""
        return max(c.across for c in self.components), max(c.down for c in self.components)

    def _shares_colours(self) -> bool:
        """Whether it is brightness, and two colours that some pixels share, counted from the origin."""
        sizes = [(c.across, c.down) for c in self.components]
        begins = (*self.area[:2], *self.tile[:2])
        return sizes == [(1, 1), self.steps, self.steps] and not any(begins)

    @property
    def beyond_pillow(self) -> bool:
        """Whether Pillow would lose something, so that FFmpeg has to decode it."""
        return self.steps != (1, 1) or (self.components[0].depth > 8 and len(self.components) > 1)

    def _has_lone_samples(self) -> bool:
        """Whether halving a tile leaves a single sample at an odd place, which FFmpeg takes for half of what it is."""
        for axis, count in enumerate((self.across, self.down)):
            step, origin, side = self.steps[axis], self.tile[axis], self.tile[2 + axis]
            for number in range(count):
                start = max(self.area[axis], origin + number * side)
                stop = min(self.area[2 + axis], origin + (number + 1) * side)
                for divisor in {1, step}:
                    if _halves_to_one(-(-start // divisor), -(-stop // divisor), self.style()[5]):
                        return True
        return False

    def style(self) -> bytes:
        """The default coding style, without its marker and length.

        Raises:
            MediaProblem: There is none.
        """
        for marker, start, stop in self.segments:
            if marker == _COD and stop - start >= 14:
                return self.data[start + 4 : stop]
        raise MediaProblem("damaged", detail_word="no-header")

    def tiles_in(self, box: tuple[int, int, int, int]) -> Iterator[int]:
        """Numbers of the tiles that a box of the picture touches: left, top, width, height in px."""
        left, top, _, _ = self.area
        x, y, width, height = self.tile
        first_x, first_y = box[0] + left, box[1] + top
        across = self.across
        for row in range((first_y - y) // height, (first_y + box[3] - 1 - y) // height + 1):
            for column in range((first_x - x) // width, (first_x + box[2] - 1 - x) // width + 1):
                yield row * across + column

    @property
    def across(self) -> int:
        """How many tiles there are in a row."""
        return -(-(self.area[2] - self.tile[0]) // self.tile[2])

    @property
    def down(self) -> int:
        """How many rows of tiles there are."""
        return -(-(self.area[3] - self.tile[1]) // self.tile[3])

    def bounds(self, tile: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a tile on the reference grid."""
        row, column = divmod(tile, self.across)
        x, y, width, height = self.tile
        left, top, right, bottom = self.area
        return (
            max(left, x + column * width),
            max(top, y + row * height),
            min(right, x + (column + 1) * width),
            min(bottom, y + (row + 1) * height),
        )

    @property
    def separable(self) -> bool:
        """Whether each tile can be coded as if it were a picture of its own.

        Blocks are laid out from the origin of the grid. Only where tiles begin at multiples of a power of two does a tile
        have the same blocks as a picture that begins at the origin.
        """
        left, top, right, bottom = self.area
        x, y, width, height = self.tile
        if (left, top, x, y) != (0, 0, 0, 0):
            return False
        least = max(self.steps) << self.style()[5]
        alone = width >= right and height >= bottom
        return alone or all(n >= least and n & (n - 1) == 0 for n in (width, height))

    def as_one_tile(self, width: int, height: int) -> Self:
        """The main header of a picture in one tile at the origin, of any size; its tile-part has to be written anew."""
        area = tile = (0, 0, width, height)
        grid = (width, height, 0, 0, width, height, 0, 0)
        data = self.data[:8] + b"".join(value.to_bytes(4) for value in grid) + self.data[40:]
        return replace(self, data=data, area=area, tile=tile)

    def with_tiles(self, fresh: Mapping[int, bytes]) -> bytes:
        """The codestream with other tile-parts for some tiles, each in one piece with its own coding style.

        What the main header says of the place and length of tile-parts is left out, which decoders do not need.
        """
        out = [self.data[:2]]
        for marker, start, stop in self.segments:
            if marker not in {_TLM, _PLM}:
                out.append(self.data[start:stop])
        done = set()
        for part in self.parts:
            if part.tile not in fresh:
                out.append(self._closed(part))
            elif part.tile not in done:
                out.append(fresh[part.tile])
                done.add(part.tile)
            if len(done) == self.across * self.down:
                break
        return b"".join(out) + (self.data[self.stop :] or _END)

    def _closed(self, part: TilePart) -> bytes:
        """A tile-part with its length, which the last one may leave open."""
        whole = self.data[part.start : part.stop]
        return whole[:6] + len(whole).to_bytes(4) + whole[10:]


def _halves_to_one(start: int, stop: int, times: int) -> bool:
    """Whether a span that is halved so many times is a single odd number before the last of them."""
    for _ in range(times):
        if stop - start == 1 and start % 2:
            return True
        start, stop = -(-start // 2), -(-stop // 2)
    return False


def tile_part(tile: int, header: bytes, body: bytes) -> bytes:
    """A whole tile in one tile-part."""
    length = 12 + len(header) + 2 + len(body)
    start = _SOT.to_bytes(2) + (10).to_bytes(2) + tile.to_bytes(2) + length.to_bytes(4) + b"\0\1"
    return start + header + _SOD.to_bytes(2) + body


def body_of(data: bytes, part: TilePart) -> bytes:
    """The packets of a tile-part."""
    at = part.start + 12
    while _number(data, at, 2) != _SOD:
        at += 2 + _number(data, at + 2, 2)
        if at + 2 > part.stop:
            raise MediaProblem("damaged", detail_word="cut")
    return data[at + 2 : part.stop]


def _main_header(data: bytes, limits: Limits) -> tuple[tuple[tuple[int, int, int], ...], int]:
    segments: list[tuple[int, int, int]] = []
    at = 2
    while (marker := _number(data, at, 2)) != _SOT:
        length = _number(data, at + 2, 2)
        if marker < 0xFF30 or length < 2 or at + 2 + length > len(data):
            raise MediaProblem("damaged", detail_word="cut")
        segments.append((marker, at, at + 2 + length))
        if len(segments) > limits.max_parts:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(segments), limit=limits.max_parts
            )
        at += 2 + length
    return tuple(segments), at


def _tile_parts(data: bytes, at: int, limits: Limits) -> tuple[tuple[TilePart, ...], int]:
    parts: list[TilePart] = []
    while _number(data, at, 2) == _SOT:
        length = _number(data, at + 6, 4)
        end = at + length if length else len(data) - 2 * data.endswith(_END)
        if not at + 14 <= end <= len(data):
            raise MediaProblem("damaged", detail_word="cut")
        parts.append(TilePart(_number(data, at + 4, 2), at, end))
        if len(parts) > limits.max_parts:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(parts), limit=limits.max_parts
            )
        at = end
    if not parts:
        raise MediaProblem("damaged", detail_word="cut")
    return tuple(parts), at


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])
