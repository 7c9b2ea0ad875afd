"""ICO and CUR: one picture in several sizes, each a PNG file or a bitmap with a mask of what is transparent."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bare import Bare
from aikz_label.adapters.image.container import (
    Tags,
    check_pixels,
    decoding,
    refuse_variant,
)
from aikz_label.adapters.image.dib import Dib
from aikz_label.adapters.image.png import Png
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.picture import Picture

_MAX_ENTRIES = 100  # Windows asks for five sizes, at three depths
_PNG = b"\x89PNG"
_HEAD, _ROW = 6, 16
_CURSOR = 2
_LARGEST = 256  # px, which the directory counts as 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One size.

    Attributes:
        start: Where its data begin in the file.
        stop: Where they end.
        kind: What they are.
    """

    start: int
    stop: int
    kind: Png | Dib

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.kind.size if isinstance(self.kind, Png) else (self.kind.width, self.kind.height)


@dataclass(frozen=True, slots=True)
class Ico(Bare):
    """An icon or a cursor."""

    data: bytes
    entries: tuple[Entry, ...]
    limits: Limits

    least_psnr = math.inf

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:
        """Read the directory and the headers of all sizes."""
        count = int.from_bytes(data[4:6], "little")
        if not count or len(data) < _HEAD + count * _ROW:
            raise MediaProblem("damaged", detail_word="no-header")
        if count > _MAX_ENTRIES:
            raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MAX_ENTRIES)
        entries = []
        for index in range(count):
            length, start = _span(data, index)
            if start < _HEAD + count * _ROW or start + length > len(data):
                raise MediaProblem("damaged", detail_word="cut")
            entries.append(_entry(data, start, start + length, limits, thorough=thorough))
            check_pixels(entries[-1].size, limits)
        return cls(data, tuple(entries), limits)

    @property
    def size(self) -> tuple[int, int]:  # type: ignore[override]  # computed
        """Of the first one."""
        return self.entries[0].size

    @property
    def count(self) -> int:
        """Every size needs a notice."""
        return len(self.entries)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """See `Container.sizes`."""
        return tuple(entry.size for entry in self.entries)

    def check_variant(self) -> None:
        """Refuse what would lose something."""
        spans = sorted({(entry.start, entry.stop) for entry in self.entries})
        if any(first[1] > second[0] for first, second in pairwise(spans)):
            raise refuse_variant("ICO", "two of its sizes share some of their bytes")
        for entry in self.entries:
            if isinstance(entry.kind, Png):
                entry.kind.check_variant()
            else:
                entry.kind.check_variant("ICO")
                if entry.kind.run_length:
                    raise refuse_variant("ICO", "one of its sizes is run-length coded")

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`."""
        from aikz_label.adapters.image import ico_pixels  # noqa: PLC0415

        entry = self.entries[index]
        if isinstance(entry.kind, Png):
            return entry.kind.decode()
        with decoding():
            return ico_pixels.decode(entry.kind, self.data[: entry.stop])

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:  # noqa: ARG002  # no place
        """Every size painted, where it was; what grew moves what follows."""
        from aikz_label.adapters.image import ico_pixels  # noqa: PLC0415

        fresh: dict[int, bytes] = {}
        head = bytearray(self.data[: _HEAD + len(self.entries) * _ROW])
        for index, (entry, picture) in enumerate(zip(self.entries, pictures, strict=True)):
            at = _HEAD + index * _ROW
            if picture.stored != entry.size:
                head[at : at + 2] = bytes(map(_side, picture.stored))
            if isinstance(entry.kind, Png):
                fresh[index] = entry.kind.encode([picture], Tags())
                continue
            after, fresh[index] = ico_pixels.encode(entry.kind, self.data[: entry.stop], picture)
            if after.depth != entry.kind.depth and self.data[2] != _CURSOR:
                head[at + 2] = 0  # 256 colours
                head[at + 6 : at + 8] = after.depth.to_bytes(2, "little")
        return self._assemble(head, fresh)

    def _assemble(self, head: bytearray, fresh: dict[int, bytes]) -> bytes:
        """The file with other data for its sizes; bytes between them stay."""
        body = bytearray()
        base = at = len(head)
        order = sorted(range(len(self.entries)), key=lambda index: self.entries[index].start)
        for index in order:
            entry, place = self.entries[index], _HEAD + index * _ROW
            body += self.data[at : entry.start]
            head[place + 8 : place + 12] = len(fresh[index]).to_bytes(4, "little")
            head[place + 12 : place + 16] = (base + len(body)).to_bytes(4, "little")
            body += fresh[index]
            at = entry.stop
        return bytes(head + body + self.data[at:])


def _side(pixels: int) -> int:
    """A width or height as the directory has it.

    Raises:
        Refused: It has no number for it.
    """
    if pixels > _LARGEST:
        raise refuse_variant(
            "ICO", f"with a strip one of its sizes is longer than {_LARGEST} pixels"
        )
    return pixels % _LARGEST


def _span(data: bytes, index: int) -> tuple[int, int]:
    """Length and start of one size's data."""
    row = data[_HEAD + index * _ROW :][:_ROW]
    return int.from_bytes(row[8:12], "little"), int.from_bytes(row[12:16], "little")


def _entry(data: bytes, start: int, stop: int, limits: Limits, *, thorough: bool) -> Entry:
    if data[start : start + 4] == _PNG:
        return Entry(start, stop, Png.parse(data[start:stop], limits, thorough=thorough))
    dib = Dib.read(data, start).halved()
    if thorough:
        dib.check_pixels(data[:stop])
    return Entry(start, stop, dib)
