"""BMP: a file header, and a bitmap whose painted rows are written where they were."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bare import Bare
from aikz_label.adapters.image.container import Tags, check_pixels, decoding
from aikz_label.adapters.image.dib import OS2, WINDOWS, WINDOWS_5, Dib
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture

_HEADER = 14
_SIZE, _PIXELS = 2, 10  # fields of the file header: length of the file, where the pixels are


@dataclass(frozen=True, slots=True)
class Bmp(Bare):
    """A BMP file."""

    data: bytes
    size: tuple[int, int]
    dib: Dib

    least_psnr = math.inf

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Read both headers; when thorough, see that the pixels are all there."""
        if data[:2] != b"BM":
            raise MediaProblem("damaged", detail_word="no-header")
        dib = Dib.read(data, _HEADER, int.from_bytes(data[_PIXELS : _PIXELS + 4], "little"))
        check_pixels((dib.width, dib.height), limits)
        if thorough:
            dib.check_pixels(data)
        return cls(data, (dib.width, dib.height), dib)

    def check_variant(self) -> None:
        """Refuse the rare codes."""
        self.dib.check_variant("BMP")

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # there is one
        """See `Container.decode`."""
        from aikz_label.adapters.image import dib_pixels  # noqa: PLC0415

        with decoding():
            self.dib.check_pixels(self.data)
            self.dib.check_variant("BMP")
            return dib_pixels.decode(self.dib, self.data)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:  # noqa: ARG002  # no place
        """The painted rows in the source's file; a palette that grew and codes of another length move what follows."""
        from aikz_label.adapters.image import dib_pixels  # noqa: PLC0415

        (picture,) = pictures
        before = self.dib
        after, palette, pixels = dib_pixels.encode(before, self.data, picture)
        colours_end = before.palette_at + before.entries * before.entry
        old_end = min(len(self.data), before.pixels_at + self._pixel_bytes())
        grown = max(0, len(palette) - before.entries * before.entry) if palette else 0
        head = bytearray(self.data[: before.palette_at])
        parts = [
            palette or self.data[before.palette_at : colours_end],
            self.data[colours_end : before.pixels_at],
            pixels,
            self.data[old_end:],
        ]
        moved = grown + len(pixels) - (old_end - before.pixels_at)
        self._mend_head(head, after, grown, moved, len(pixels), len(palette))
        return bytes(head) + b"".join(parts)

    def _pixel_bytes(self) -> int:
        """How long the pixels are in the source; what follows them stays."""
        if not self.dib.run_length:
            return self.dib.plain_size
        at = _HEADER + 20
        return int.from_bytes(self.data[at : at + 4], "little") or len(self.data)

    def _mend_head(
        self, head: bytearray, after: Dib, grown: int, moved: int, pixels: int, palette: int
    ) -> None:
        """Write what changed into the headers, and only that.

        Args:
            head: Everything before the palette.
            after: The bitmap as it is now.
            grown: By how many bytes the palette grew.
            moved: By how many bytes what follows the pixels moved.
            pixels: How many bytes the pixels take.
            palette: How many bytes the palette takes.
        """
        _add(head, _SIZE, moved)
        _add(head, _PIXELS, grown)
        word = (
            2 if after.header == OS2 else 4
        )  # of width and height, the planes and the depth follow
        height = -after.height if after.top_down else after.height
        for at, value, was, size in (
            (4, after.width, self.dib.width, word),
            (4 + word, height, -self.dib.height if after.top_down else self.dib.height, word),
            (6 + 2 * word, after.depth, self.dib.depth, 2),
        ):
            if value != was:
                _put(head, _HEADER + at, value & (256**size - 1), size)
        if after.header < WINDOWS:
            return
        _put(head, _HEADER + 16, after.compression)
        if moved != grown:
            _put(head, _HEADER + 20, pixels)
        if grown:
            _put(head, _HEADER + 32, palette // after.entry)
            _put(head, _HEADER + 36, 0)  # all of them matter
        profile = _HEADER + 112
        if after.header == WINDOWS_5 and int.from_bytes(head[profile : profile + 4], "little") >= (
            self.dib.pixels_at - _HEADER
        ):
            _add(head, profile, moved)


def _put(head: bytearray, at: int, value: int, size: int = 4) -> None:
    head[at : at + size] = value.to_bytes(size, "little")


def _add(head: bytearray, at: int, more: int) -> None:
    if value := int.from_bytes(head[at : at + 4], "little"):  # 0 says nothing and stays
        _put(head, at, max(0, value + more))
