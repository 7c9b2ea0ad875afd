"""The pixels of a bitmap as a picture, and painted pictures back in the file; apart from `dib`, because it takes numpy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from aikz_label.adapters.image import canvas, rle
from aikz_label.adapters.image.dib import WINDOWS
from aikz_label.adapters.image.picture import Picture, PillowPicture
from aikz_label.adapters.image.samples import Colours, SamplePicture
from aikz_label.values import replace

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.dib import Dib

    Array = NDArray[Any]

_STRIP = 128  # rows


class MaskedPicture(Picture):
    """A picture whose pixels are words with some bits for each colour.

    Attributes:
        words: Rows × columns, top row first.
        masks: Which bits are red, green, blue and opacity; 0 for none.
    """

    __slots__ = ("_spare", "masks", "words")

    def __init__(self, words: Array, masks: tuple[int, int, int, int]) -> None:
        super().__init__((words.shape[1], words.shape[0]), 1)
        self.words = words
        self.masks = masks
        spare = ~sum(set(masks)) & (256**words.itemsize - 1)
        # bits that mean nothing are empty, as a rule; where a program fills them, some read them as opacity
        self._spare = spare if spare and (words & words.dtype.type(spare)).any() else 0

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        x, y, width, height = box
        levels = np.asarray(mask, np.float64) / 255
        words = np.full(levels.shape, self.masks[3] | self._spare, self.words.dtype)
        for bits in self.masks[:3]:
            low = bits & -bits
            if bits:
                words |= (np.rint(levels * (bits // low)) * low).astype(words.dtype)
        self.words[y : y + height, x : x + width] = words
        self.painted = canvas.around(box, self.painted)

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        left, top, right, bottom = edges
        piece = np.zeros((bottom - top, right - left), self.words.dtype)
        here = self.words[top:bottom, left:right]
        piece[: here.shape[0], : here.shape[1]] = here
        return MaskedPicture(piece, self.masks)

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        left, top, right, bottom = edges
        used = self.masks if self.masks[3] else self.masks[:3]
        seen = np.empty((bottom - top, right - left, len(used)), np.uint8)
        for start in range(top, bottom, _STRIP):
            part = self.words[start : min(bottom, start + _STRIP), left:right]
            for channel, bits in enumerate(used):
                low = max(bits & -bits, 1)
                values = (part & part.dtype.type(bits)) // part.dtype.type(low)
                level = np.rint(values * (255 / max(bits // low, 1)))
                seen[start - top : start - top + len(part), :, channel] = level
        return Image.fromarray(seen)

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`: every bit counts."""
        if not isinstance(other, MaskedPicture) or other.masks != self.masks:
            return 0.0
        return math.inf if same_outside(self.words, other.words, box) else 0.0


def same_outside(first: Array, second: Array, box: Box | None) -> bool:
    """Whether two arrays are equal outside a box."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    for top in range(0, len(first), _STRIP):
        changed = first[top : top + _STRIP] != second[top : top + _STRIP]
        if box is not None:
            x, y, width, height = box
            changed[max(0, y - top) : max(0, y + height - top), x : x + width] = False
        if changed.any():
            return False
    return True


def decode(dib: Dib, data: bytes) -> Picture:
    """The picture, every bit as it is stored."""
    if dib.depth <= 8:
        return _with_palette(dib, data)
    rows = _rows(dib, data)
    if dib.depth == 24:
        pixels = rows[:, : dib.width * 3].reshape(dib.height, dib.width, 3)[..., ::-1]
        return SamplePicture(pixels, Colours("rgb", 0, 255))
    words = rows[:, : dib.width * dib.depth // 8].view(f"<u{dib.depth // 8}")
    return MaskedPicture(words, dib.masks)


def _with_palette(dib: Dib, data: bytes) -> PillowPicture:
    if dib.run_length:
        indices, _ = rle.decode(dib, data)
    else:
        indices = unpacked(_rows(dib, data)[:, : dib.row], dib.depth, dib.width)
    colours = list(dib.colours(data))
    # a pixel without a colour is black, as in every viewer
    colours += [(0, 0, 0)] * (int(indices.max()) + 1 - len(colours))
    image = Image.frombytes("P", (dib.width, dib.height), indices.tobytes())
    image.putpalette([level for colour in colours for level in colour])
    return PillowPicture(image)


def _rows(dib: Dib, data: bytes) -> Array:
    """Every row with its padding, top row first; a copy that can be written."""
    stored = data[dib.pixels_at : dib.pixels_at + dib.plain_size]
    whole = np.zeros(dib.plain_size, np.uint8)
    whole[: len(stored)] = np.frombuffer(stored, np.uint8)
    rows = whole.reshape(dib.height, dib.stride)
    return rows if dib.top_down else rows[::-1]


def unpacked(rows: Array, depth: int, width: int) -> Array:
    """Indices, one byte each, of rows with several in a byte."""
    if depth == 8:
        return rows[:, :width]
    bits = np.unpackbits(rows, axis=1)
    weights = 1 << np.arange(depth - 1, -1, -1, dtype=np.uint8)
    grouped = bits.reshape(len(rows), -1, depth)
    return np.asarray((grouped * weights).sum(axis=2, dtype=np.uint8))[:, :width]


def packed(indices: Array, depth: int) -> Array:
    """The reverse of `unpacked`; the last byte of a row is filled with zeros."""
    if depth == 8:
        return indices
    shifts = np.arange(depth - 1, -1, -1, dtype=np.uint8)
    bits = indices[..., None] >> shifts & 1
    return np.packbits(bits.reshape(len(indices), -1), axis=1)


def encode(dib: Dib, data: bytes, picture: Picture) -> tuple[Dib, bytes, bytes]:
    """A painted picture as it is stored.

    Returns:
        The bitmap, with wider indices if its palette grew beyond them, its palette, and its pixels.
    """
    if isinstance(picture, PillowPicture):
        return _encode_indices(dib, data, picture)
    source = dib
    dib, rows = _room_for(picture, source, data)
    x, y, width, height = picture.painted or (0, 0, 0, 0)
    if isinstance(picture, MaskedPicture):
        words = rows[:, : dib.width * dib.depth // 8].view(f"<u{dib.depth // 8}")
        words[y : y + height, x : x + width] = picture.words[y : y + height, x : x + width]
    else:
        assert isinstance(picture, SamplePicture)
        pixels = rows[:, : dib.width * 3].reshape(dib.height, dib.width, 3)[..., ::-1]
        pixels[y : y + height, x : x + width] = picture.samples[y : y + height, x : x + width]
    return dib, b"", _stored(source, dib, data, rows)


def _room_for(picture: Picture, dib: Dib, data: bytes) -> tuple[Dib, Array]:
    """The bitmap in the size of a picture that has a strip below it, and its rows."""
    rows, (width, height) = _rows(dib, data), picture.stored
    if (width, height) == (dib.width, dib.height):
        return dib, rows
    grown = replace(dib, width=width, height=height)
    higher = np.zeros((height, grown.stride), np.uint8)
    kept = rows[:height]
    higher[: len(kept), : dib.stride] = kept
    if width > dib.width:
        higher[:, dib.row :] = 0  # what was padding is not
    return grown, higher


def _encode_indices(dib: Dib, data: bytes, picture: PillowPicture) -> tuple[Dib, bytes, bytes]:
    colours = picture.image.getpalette("RGB") or []
    count = len(colours) // 3
    palette = b"".join(
        data[dib.palette_at + i * dib.entry :][: dib.entry]
        if i < dib.entries and bytes(data[dib.palette_at + i * dib.entry :][:3][::-1]) == rgb
        else rgb[::-1].ljust(dib.entry, b"\0")
        for i in range(count)
        for rgb in [bytes(colours[3 * i : 3 * i + 3])]
    )
    depth = dib.depth if count <= 2**dib.depth else 8
    if count > dib.entries and dib.header < WINDOWS:  # which has no number of colours: all of them
        palette += bytes((2**depth - count) * dib.entry)
    indices = np.asarray(picture.image)
    if dib.run_length:
        _, gaps = rle.decode(dib, data)
        left_out = np.zeros(indices.shape, bool)
        left_out[: len(gaps), : gaps.shape[1]] = gaps[: len(left_out)]
        dib = replace(dib, width=indices.shape[1], height=len(indices))
        x, y, width, height = picture.painted or (0, 0, 0, 0)
        left_out[y : y + height, x : x + width] = False
        wider = dib if count <= 2**dib.depth else dib.with_depth(8)
        return wider, palette, rle.encode(indices, left_out, wider.depth)
    source = dib
    dib, rows = _room_for(picture, source, data)
    if count > 2**dib.depth:
        dib = dib.with_depth(8)
        rows = np.zeros((dib.height, dib.stride), np.uint8)
        rows[:, : dib.width] = indices
        return dib, palette, (rows if dib.top_down else rows[::-1]).tobytes()
    fresh = packed(indices, dib.depth)
    spare = 8 * dib.row - dib.width * dib.depth  # the last byte's own padding
    if spare:
        fresh[:, -1] |= rows[:, dib.row - 1] & ((1 << spare) - 1)
    rows[:, : dib.row] = fresh
    return dib, palette, _stored(source, dib, data, rows)


def _stored(source: Dib, dib: Dib, data: bytes, rows: Array) -> bytes:
    """Rows in the order of the file, without padding that the file does not have either."""
    whole = (rows if dib.top_down else rows[::-1]).tobytes()
    missing = dib.pixels_at + source.plain_size - len(data)
    return whole[: len(whole) - max(0, missing)]
