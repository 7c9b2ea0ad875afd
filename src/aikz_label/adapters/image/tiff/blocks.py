"""The strips and tiles of a page as numbers: decoded one at a time, changed ones encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.tiff import codec, jpeg
from aikz_label.adapters.image.tiff.page import Coding, Page, Photometric
from aikz_label.metadata.ifd import Tiff
from aikz_label.values import replace

Array = NDArray[Any]


class Blocks:
    """The samples of one page: rows × columns × channels, decoded where somebody looks.

    L*a*b* is given as if its colours counted from the middle, whichever of the two ways the file has.

    Args:
        tiff: The file.
        page: The page.
        template: A JPEG stream that shows how new blocks are to be coded.
    """

    def __init__(self, tiff: Tiff, page: Page, template: bytes = b"") -> None:
        self._tiff = tiff
        self.page = page
        self._template = template
        self.changed: dict[int, Array] = {}
        self._last: tuple[int, Array] = (-1, np.empty(0))

    def __iter__(self) -> Iterator[Array]:
        """Every block, cut to the picture."""
        for index in range(len(self)):
            yield self._inside(index, self._current(index))

    def __len__(self) -> int:
        return self.page.across * self.page.down * self.page.planes

    def stored(self, index: int) -> bytes:
        """A block as the file holds it.

        Raises:
            MediaProblem: It is not in the file.
        """
        return bytes(self._view(index))

    def _view(self, index: int) -> memoryview:
        """The same without a copy: a strip may be the whole picture."""
        start, length = self.page.places[index], self.page.lengths[index]
        if start + length > len(self._tiff.data):
            raise MediaProblem("damaged", detail_word="cut")
        return memoryview(self._tiff.data)[start : start + length]

    def region(self, x: int, y: int, width: int, height: int) -> Array:
        """The samples of a box."""
        page = self.page
        out: Array | None = None
        for index, plane, (left, top), (wide, high) in self._touching(x, y, width, height):
            block = self._current(index)
            if out is None:
                out = np.zeros((height, width, page.samples), block.dtype)
            x0, y0 = max(x, left), max(y, top)
            x1, y1 = min(x + width, left + wide), min(y + height, top + high)
            part = block[y0 - top : y1 - top, x0 - left : x1 - left]
            out[y0 - y : y1 - y, x0 - x : x1 - x, plane] = part
        assert out is not None
        return out

    def put(self, x: int, y: int, samples: Array) -> None:
        """Change the samples of a box."""
        height, width = samples.shape[:2]
        for index, plane, (left, top), (wide, high) in self._touching(x, y, width, height):
            if index not in self.changed:
                self.changed[index] = self._decoded(index).copy()
            x0, y0 = max(x, left), max(y, top)
            x1, y1 = min(x + width, left + wide), min(y + height, top + high)
            part = samples[y0 - y : y1 - y, x0 - x : x1 - x, plane]
            self.changed[index][y0 - top : y1 - top, x0 - left : x1 - left] = part

    def remap(self, table: Array) -> None:
        """Give every index of a palette another one."""
        for index in range(len(self)):
            block = self._current(index)
            moved = block.copy()
            moved[..., 0] = table[block[..., 0]]
            if (moved != block).any():
                self.changed[index] = moved

    def read_through(self) -> None:
        """Decode every block that was not changed, so that none is delivered that cannot be.

        Raises:
            MediaProblem: One cannot.
        """
        for index in range(len(self)):
            if index not in self.changed:
                self._decoded(index)

    def cut(self, x: int, y: int, width: int, height: int) -> Blocks:
        """Another piece of the plane in blocks of the same kind, all of them new; beyond this picture there are zeros."""
        across = self.page.block[0] if self.page.tiled else width
        other = self._blank(size=(width, height), block=(across, self.page.block[1]))
        left, top = max(0, x), max(0, y)
        right, bottom = (min(self.page.size[i], (x, y)[i] + (width, height)[i]) for i in (0, 1))
        part = self.region(left, top, right - left, bottom - top)
        other.put(left - x, top - y, part)
        return other

    def deeper(self, depth: int) -> Blocks:
        """The same picture with more bits for every sample, all of its blocks new."""
        other = self._blank(bits=(depth,) * len(self.page.bits))
        other.put(0, 0, self.region(0, 0, *self.page.size))
        return other

    def _blank(self, **changes: Any) -> Blocks:
        """New blocks of zeros, of the same kind but for what changes."""
        page = replace(self.page, **changes)
        nowhere = (0,) * (page.across * page.down * page.planes)
        page = replace(page, places=nowhere, lengths=nowhere)
        template = next(filter(None, map(self.stored, range(len(self)))), b"")
        other = Blocks(self._tiff, page, template)
        kind = np.dtype(np.uint8) if page.coding == Coding.JPEG else other._kind
        for index in range(len(nowhere)):
            other.changed[index] = np.zeros((page.rows(index), page.block[0], page.channels), kind)
        return other

    def encoded(self) -> Iterator[tuple[int, bytes]]:
        """Number and new bytes of every changed block."""
        for index, block in self.changed.items():
            yield index, self._packed(index, block)

    def box(self, index: int) -> tuple[int, int, int, int]:
        """Left, top, width and height of a block within the picture."""
        page = self.page
        place = index % (page.across * page.down)
        left, top = place % page.across * page.block[0], place // page.across * page.block[1]
        return (
            left,
            top,
            min(page.block[0], page.size[0] - left),
            min(page.rows(index), page.size[1] - top),
        )

    def _touching(
        self, x: int, y: int, width: int, height: int
    ) -> Iterator[tuple[int, slice, tuple[int, int], tuple[int, int]]]:
        """Of every block that a box touches: number, channels, place and size within the picture."""
        page = self.page
        columns = range(x // page.block[0], (x + width - 1) // page.block[0] + 1)
        rows = range(y // page.block[1], (y + height - 1) // page.block[1] + 1)
        for number in range(page.planes):
            plane = slice(number, number + 1) if page.planar else slice(None)
            for row in rows:
                for column in columns:
                    index = (number * page.down + row) * page.across + column
                    left, top, wide, high = self.box(index)
                    yield index, plane, (left, top), (wide, high)

    def _inside(self, index: int, block: Array) -> Array:
        _, _, width, height = self.box(index)
        return block[:height, :width]

    # --- one block --------------------------------------------------------------------------------------------------

    def _current(self, index: int) -> Array:
        """A whole block as it is now."""
        block = self.changed.get(index)
        return self._decoded(index) if block is None else block

    def _decoded(self, index: int) -> Array:
        """A whole block, what a tile has outside the picture included; the last one is kept."""
        if self._last[0] != index:
            self._last = (index, self._unpacked(index))
        return self._last[1]

    def _unpacked(self, index: int) -> Array:
        page, rows = self.page, self.page.rows(index)
        if not self.page.lengths[index]:  # sparse: nothing is stored for a block of zeros
            return self._centred(index, np.zeros((rows, page.block[0], page.channels), self._kind))
        data = self._view(index)
        if page.coding == Coding.JPEG:
            return jpeg.decoded(bytes(data), page, rows)
        if page.subsampling != (1, 1):
            return self._subsampled(data, rows)
        row_bytes = -(-page.block[0] * page.channels * page.depth // 8)
        raw = codec.unpack(data, page, page.block[0], rows, row_bytes)
        return self._centred(index, self._numbers(raw, rows, row_bytes))

    def _packed(self, index: int, block: Array) -> bytes:
        page, rows = self.page, self.page.rows(index)
        if page.whole_jpeg:
            return jpeg.edited(block, self.stored(index) or self._template)
        if page.coding == Coding.JPEG:
            return jpeg.encoded(block, self.stored(index) or self._template, page)
        if page.subsampling != (1, 1):
            raw = self._subsampled_bytes(block)
            return codec.pack(raw, page, len(raw), 1, len(raw))
        row_bytes = -(-page.block[0] * page.channels * page.depth // 8)
        raw = self._bytes(self._centred(index, block), rows)
        return codec.pack(raw, page, page.block[0], rows, row_bytes)

    @property
    def _kind(self) -> np.dtype[Any]:
        """How a sample is held, in the machine's byte order."""
        page = self.page
        width = next(n for n in (8, 16, 32, 64) if page.depth <= n)
        lab = page.photometric in {Photometric.CIELAB, Photometric.ICCLAB}
        kind = "u" if lab and page.kind[0] == "i" else page.kind[0]
        return np.dtype(f"{kind}{width // 8}")

    @property
    def _stored_kind(self) -> np.dtype[Any]:
        return self._kind.newbyteorder("<" if self._tiff.order == "little" else ">")

    def _centred(self, index: int, block: Array) -> Array:
        """Turn the colours of CIELab between signed and unsigned, which is the same both ways."""
        page = self.page
        if page.photometric != Photometric.CIELAB or block.dtype.kind == "f":
            return block
        plane = index // (page.across * page.down)
        if page.planar and plane not in {1, 2}:
            return block
        block = block.copy()
        block[..., slice(None) if page.planar else slice(1, 3)] ^= 1 << (page.depth - 1)
        return block

    def _numbers(self, raw: bytes | memoryview, rows: int, row_bytes: int) -> Array:
        page = self.page
        columns, channels = page.block[0], page.channels
        if page.predictor == 3:
            return _float_restored(raw, rows, columns, channels, self._kind)
        if page.depth in {8, 16, 32, 64}:
            block = np.frombuffer(raw, self._stored_kind).reshape(rows, columns, channels)
            block = block.astype(self._kind, copy=page.predictor == 2)
            if page.predictor == 2:
                unsigned = block.view(f"u{block.dtype.itemsize}")
                np.cumsum(unsigned, axis=1, dtype=unsigned.dtype, out=unsigned)
            return block
        if page.depth == 24:
            parts = np.frombuffer(raw, np.uint8).reshape(rows, columns, channels, 3)
            parts = parts if self._tiff.order == "big" else parts[..., ::-1]
            wide = parts.astype(np.uint32)
            return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]
        bits = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(rows, row_bytes), axis=1)
        bits = bits[:, : columns * channels * page.depth]
        bits = bits.reshape(rows, columns, channels, page.depth)
        out = np.zeros(bits.shape[:3], self._kind)
        for bit in range(page.depth):
            out = out << 1 | bits[..., bit]
        return out.astype(self._kind)

    def _bytes(self, block: Array, rows: int) -> bytes:
        page = self.page
        if page.predictor == 3:
            return _float_differences(block)
        if page.depth in {8, 16, 32, 64}:
            if page.predictor == 2:
                unsigned = np.ascontiguousarray(block).view(f"u{block.dtype.itemsize}")
                block = np.diff(unsigned, axis=1, prepend=unsigned.dtype.type(0)).view(block.dtype)
            return block.astype(self._stored_kind).tobytes()
        if page.depth == 24:
            parts = (
                np.ascontiguousarray(block, ">u4").view(np.uint8).reshape(*block.shape, 4)[..., 1:]
            )
            return (parts if self._tiff.order == "big" else parts[..., ::-1]).tobytes()
        shifts = np.arange(page.depth - 1, -1, -1, dtype=np.uint16)
        bits = (block[..., None].astype(np.uint16) >> shifts & 1).astype(np.uint8)
        return np.packbits(bits.reshape(rows, -1), axis=1).tobytes()

    def _subsampled(self, data: memoryview, rows: int) -> Array:
        """Units of some brightnesses and two colours that they share (TIFF 6.0, 21), every pixel given its own."""
        page = self.page
        (across, down), columns = page.subsampling, page.block[0]
        wide, high = -(-columns // across), -(-rows // down)
        unit = across * down + 2
        raw = codec.unpack(data, page, 0, 1, wide * high * unit)
        units = np.frombuffer(raw, np.uint8).reshape(high, wide, unit)
        luma = units[..., :-2].reshape(high, wide, down, across).swapaxes(1, 2)
        out = np.empty((high * down, wide * across, 3), np.uint8)
        out[..., 0] = luma.reshape(high * down, wide * across)
        for channel in (1, 2):
            shared = units[..., channel - 3]
            out[..., channel] = shared.repeat(down, axis=0).repeat(across, axis=1)
        return out

    def _subsampled_bytes(self, block: Array) -> bytes:
        across, down = self.page.subsampling
        high, wide = block.shape[0] // down, block.shape[1] // across
        luma = block[..., 0].reshape(high, down, wide, across).swapaxes(1, 2)
        units = np.empty((high, wide, across * down + 2), np.uint8)
        units[..., :-2] = luma.reshape(high, wide, across * down)
        for channel in (1, 2):
            units[..., channel - 3] = block[::down, ::across, channel]
        return units.tobytes()


def _float_restored(
    raw: bytes | memoryview, rows: int, columns: int, channels: int, kind: np.dtype[Any]
) -> Array:
    """Bytes of floats, the highest ones of a row first, each the difference to the one before (Adobe, note 3)."""
    width = kind.itemsize
    sums = np.frombuffer(raw, np.uint8).reshape(rows, -1, channels)
    sums = np.cumsum(sums, axis=1, dtype=np.uint8)
    planes = sums.reshape(rows, width, columns * channels).swapaxes(1, 2)
    floats = np.ascontiguousarray(planes).view(kind.newbyteorder(">"))
    return floats.reshape(rows, columns, channels).astype(kind)


def _float_differences(block: Array) -> bytes:
    rows, columns, channels = block.shape
    parts = np.ascontiguousarray(block, block.dtype.newbyteorder(">")).view(np.uint8)
    planes = parts.reshape(rows, columns * channels, -1).swapaxes(1, 2)
    flat = planes.reshape(rows, -1, channels)
    return np.diff(flat, axis=1, prepend=np.uint8(0)).tobytes()
