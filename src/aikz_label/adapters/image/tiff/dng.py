"""DNG: a camera's raw data, which is signed as it is.

What a person will see is made from it later, by a program and a taste of their own, so there is nothing a notice could be
drawn into: the marker says so, and whoever develops the picture labels the result. No byte of the camera's changes.
"""

from __future__ import annotations

from typing import ClassVar, Self

from aikz_label.adapters.image.tiff import Tiff, check_whole, reading
from aikz_label.limits import Limits
from aikz_label.metadata import ifd

_RAW = (32803, 34892)  # colour filter array, linear raw
_PHOTOMETRIC, _SIZE = 262, (256, 257)


class Dng(Tiff):
    """A DNG file as its directories."""

    __slots__ = ()
    title: ClassVar[str] = "DNG"
    no_notice: ClassVar[str] = "camera raw data: people see what is developed from it"

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # no pixel is decoded
        """Follow the directories; pixels are not looked at."""
        with reading():
            tiff = ifd.Tiff.read(data)
            found = tuple(tiff.tree())
            if thorough:
                check_whole(tiff, found)
            numbers = (tiff.numbers(one.get(_PHOTOMETRIC)) for one in found)
            raw = next((i for i, n in enumerate(numbers) if n and n[0] in _RAW), 0)
            width, height = (tiff.numbers(found[raw].get(tag)) or (0,) for tag in _SIZE)
        return cls(data, (width[0], height[0]), tiff, (), 0)

    @property
    def count(self) -> int:
        """No picture of it gets a notice."""
        return 0

    def check_variant(self) -> None:
        """Every kind can be signed."""
