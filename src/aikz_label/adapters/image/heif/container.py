"""HEIF files: AVIF, HEIC and their kin, painted where they are coded and written in one plain layout.

Only the coded items under a notice are coded again. Everything else is the source's own, byte for byte: the other tiles of
a grid, depth and gain maps, Exif, XMP, colour profiles, and every property that says how the pictures are shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.canvas import Box
from aikz_label.adapters.image.container import Container, Tags, check_pixels, refuse_variant
from aikz_label.adapters.image.frames import check_shown
from aikz_label.adapters.image.heif import layout
from aikz_label.adapters.image.heif.items import XMP_TYPE, Item, Meta, Reference, read_meta
from aikz_label.adapters.image.heif.movie import Movie
from aikz_label.adapters.image.heif.tracks import Film, Track, films, read_tracks
from aikz_label.adapters.image.heif.tree import Tree, View, extent_of
from aikz_label.limits import MIB, NO_LIMITS, Limits
from aikz_label.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aikz_label.adapters.image.heif.stream import Coded
    from aikz_label.adapters.image.picture import Picture

# Boxes that the C2PA binding leaves out, wherever they stand at the top level (C2PA 2.4, BMFF-based hash).
_UNPROTECTED = (b"ftyp", b"free", b"skip", b"mfra")
_BLOCK = 1 << 20
_REWRITTEN = {b"ftyp", b"meta", b"moov", b"mdat", b"free", b"skip"}
# Where XMP is in a file without items (XMP specification, part 3).
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@dataclass(frozen=True, slots=True)
class Heif(Container):
    """A file as its boxes and items.

    Attributes:
        boxes: At the top level.
        meta: The items.
        shown: Numbers of the still pictures that are shown, the primary one first.
        movie: The box of the tracks.
        tracks: What moves, and what comes with it.
        limits: Caps while reading.
        lost: What `encode` could not keep, one sentence each.
        edited: While `encode` runs, the items coded anew: pictures may share them.
        layers: Among those, new ones, and the overlay that each lies on.
        marks: Where items were drawn on.
    """

    data: bytes
    size: tuple[int, int]
    boxes: tuple[bmff.Box, ...]
    meta: Meta
    shown: tuple[int, ...]
    movie: bmff.Box | None
    tracks: tuple[Track, ...]
    limits: Limits
    lost: list[str] = field(default_factory=list, compare=False)
    edited: dict[int, Item] = field(default_factory=dict, compare=False)
    layers: dict[int, int] = field(default_factory=dict, compare=False)
    marks: dict[int, list[Box]] = field(default_factory=dict, compare=False)

    title: ClassVar[str]
    grid = (16, 16)
    least_psnr = 40.0

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the boxes and read `meta`."""
        boxes = bmff.walk(data, 0, len(data), limits)
        by_kind = {box.kind: box for box in reversed(boxes)}  # the first of each counts
        meta = read_meta(data, by_kind[b"meta"], limits) if b"meta" in by_kind else Meta()
        movie = by_kind.get(b"moov")
        tracks = read_tracks(data, movie, limits) if movie else ()
        tree = Tree(meta, limits)
        shown = tree.pictures() if meta.item(meta.primary) else ()
        sizes = [extent_of(tree.item(number)) for number in shown]
        sizes += [film.track.coded_size for film in films(tracks)]
        for size in sizes:
            check_pixels(size, limits)
        if not sizes:
            raise MediaProblem("damaged", detail_word="no-header")
        size = View.of(tree.item(shown[0])).crop[2:] if shown else sizes[0]
        return cls(data, size, boxes, meta, shown, movie, tracks, limits)

    @property
    def films(self) -> tuple[Film, ...]:
        """The tracks that people see; they are counted as pictures, after the still ones."""
        return films(self.tracks)

    @property
    def count(self) -> int:
        """See `Container`."""
        return len(self.shown) + len(self.films)

    def is_preview(self, index: int) -> bool:
        """See `Container.is_preview`."""
        return index >= len(self.shown) and self.films[index - len(self.shown)].preview

    @property
    def losses(self) -> tuple[str, ...]:
        """See `Container.losses`."""
        return tuple(self.lost)

    @property
    def primary(self) -> Item:
        """The picture."""
        return next(item for item in self.meta.items if item.number == self.meta.primary)

    @property
    def has_marker(self) -> bool:
        """Whether there is a `uuid` box of C2PA."""
        return any(bmff.is_marker(self.data, box) for box in self.boxes)

    def stores(self) -> Iterator[bytes]:
        """See `Container.stores`."""
        yield from bmff.stores(self.data, self.boxes)

    @property
    def exif(self) -> bytes | None:
        """The Exif item without the offset it begins with, if it is of a usual size."""
        item = next(self._describing(b"Exif"), None)
        if item is None or sum(stop - start for start, stop in item.extents) > MIB:
            return None
        return item.data[4 + int.from_bytes(item.data[:4]) :]

    @property
    def xmp(self) -> bytes | None:
        """The data of the XMP item, or of the box that stands for one where there are no items."""
        item = self._xmp_item
        if item is not None:
            return item.data
        box = next((box for box in self.boxes if self._is_xmp(box)), None)
        return self.data[box.body + 16 : box.stop] if box else None

    def _is_xmp(self, box: bmff.Box) -> bool:
        return box.kind == b"uuid" and self.data[box.body : box.body + 16] == _XMP_BOX

    @property
    def _xmp_item(self) -> Item | None:
        found = self._describing(b"mime")
        return next((item for item in found if item.content_type == XMP_TYPE), None)

    def _describing(self, kind: bytes) -> Iterator[Item]:
        """The items of a kind that describe the picture, then those that describe nothing in particular."""
        listed = [item for item in self.meta.items if item.kind == kind]
        for wanted in ((self.meta.primary,), ()):
            for item in listed:
                targets = self.meta.targets(item.number, b"cdsc")
                if (wanted and wanted[0] in targets) or not (wanted or targets):
                    yield item

    # --- unprotected bytes ------------------------------------------------------------------------------------------

    def unprotected(self) -> tuple[str, bool]:
        """The digest of the boxes that the binding leaves out, and whether padding among them holds anything.

        Whole boxes count, in order, so that an empty one more is noticed too. The binding knows one marker; any
        further box of that type is left out like these.
        """
        digest, hidden, markers = sha256(), False, 0
        for box in self.boxes:
            marker = bmff.is_marker(self.data, box)
            markers += marker
            if box.kind in _UNPROTECTED or (marker and markers > 1):
                for start in range(box.start, box.stop, _BLOCK):
                    block = self.data[start : min(box.stop, start + _BLOCK)]
                    digest.update(block)
                    inside = block[max(0, box.body - start) :]
                    hidden = hidden or (box.kind != b"ftyp" and any(inside))
        return digest.hexdigest(), hidden

    def parts(self) -> Iterator[bytes]:
        """Every top-level box but the marker, offsets of items replaced by what they point to."""
        for box in self.boxes:
            if box == self.movie:
                movie = Movie(self.data, box, self.tracks, {})
                yield movie.written(0)
                yield from movie.contents
                continue
            if box.kind != b"meta":
                if not bmff.is_marker(self.data, box):
                    yield self.data[box.start : box.stop]
                continue
            for child in bmff.walk(self.data, box.body + 4, box.stop, NO_LIMITS):
                if child.kind != b"iloc":
                    yield self.data[child.start : child.stop]
            for item in self.meta.items:
                yield item.number.to_bytes(4)
                yield item.data

    # --- pictures ---------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what cannot be drawn on, or would be lost."""
        from aikz_label.adapters.image.heif.variants import reasons  # noqa: PLC0415  # for marking only

        reason = next(reasons(self), "")
        if reason:
            raise refuse_variant(self.title, reason)
        check_shown(
            sum(len(film.track.samples) * math.prod(film.track.coded_size) for film in self.films),
            self.limits,
        )

    def decode(self, index: int = 0) -> Picture:
        """See `Container.decode`."""
        from aikz_label.adapters.image.heif.coders import MOST_PIXELS  # noqa: PLC0415
        from aikz_label.adapters.image.heif.picture import HeifPicture  # noqa: PLC0415

        most = min(self.limits.max_pixels, MOST_PIXELS)
        if index >= len(self.shown):
            from aikz_label.adapters.image.heif.moving import MovingPicture  # noqa: PLC0415

            return MovingPicture(self.films[index - len(self.shown)], most)
        tree = Tree(self._with_edits(), self.limits)
        return HeifPicture(tree, self.shown[index], most, self.marks)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The coded items that were drawn on, coded anew, among the source's own."""
        from aikz_label.adapters.image.heif.moving import MovingPicture  # noqa: PLC0415
        from aikz_label.adapters.image.heif.picture import HeifPicture  # noqa: PLC0415

        unlabelled: set[int] = set()
        coded: dict[int, Coded] = {}
        self.marks.clear()
        try:
            for picture in pictures:
                if isinstance(picture, MovingPicture):
                    coded.update(picture.coded())
                    continue
                assert isinstance(picture, HeifPicture)
                self.edited.update(picture.edited())
                self.layers.update(picture.layers)
                unlabelled |= picture.unlabelled
            parts = Tree(self.meta, self.limits).parts()
            meta = _hiding(self._with_edits(), parts)
        finally:
            self.edited.clear()
            self.layers.clear()
        if unlabelled:
            self.lost.append("A thumbnail that could not be labelled was left out.")
            meta = _without(meta, unlabelled)
        if any(item.number in parts and not item.hidden for item in self.meta.items):
            self.lost.append(
                "Tiles of a picture are now marked as such, so that no program shows one by itself, without the notice."
            )
        return self._written(meta, tags, coded)

    def _with_edits(self) -> Meta:
        if not self.edited:
            return self.meta
        items = [self.edited.get(item.number, item) for item in self.meta.items]
        references = self.meta.references
        from aikz_label.adapters.image.heif.layers import with_layer  # noqa: PLC0415  # needs numpy

        for number, overlay in self.layers.items():
            items.append(self.edited[number])
            references = with_layer(references, overlay, number)
        return replace(self.meta, items=tuple(items), references=references)

    def with_tags(self, tags: Tags) -> bytes:
        """The same items with other metadata."""
        return self._written(self.meta, tags, {})

    def _written(self, meta: Meta, tags: Tags, coded: Mapping[int, Coded]) -> bytes:
        """The file in the plain layout."""
        exif = next(self._describing(b"Exif"), None)
        if tags.exif is not None and exif is not None:  # after the offset, and what it skips
            head = exif.data[: 4 + int.from_bytes(exif.data[:4])]
            meta = _with_item(meta, exif.holding(head + tags.exif))
        xmp = self._xmp_item
        if tags.xmp is not None and xmp is not None:
            meta = _with_item(meta, xmp.holding(tags.xmp))
        elif tags.xmp is not None and self.shown:
            number = max(item.number for item in meta.items) + 1
            new = layout.metadata_item(number, XMP_TYPE, tags.xmp)
            spoken = (*meta.references, Reference(b"cdsc", number, (meta.primary,)))
            meta = replace(meta, items=(*meta.items, new), references=spoken)
        brands = bmff.packed(self.data, self.boxes[0])
        others = [
            bmff.packed(self.data, box)
            for box in self.boxes
            if box.kind not in _REWRITTEN
            and not bmff.is_marker(self.data, box)
            and not (tags.xmp is not None and self._is_xmp(box))
        ]
        if tags.xmp is not None and not self.shown:
            others.append(bmff.pack(b"uuid", _XMP_BOX, tags.xmp))
        movie = Movie(self.data, self.movie, self.tracks, coded) if self.movie else None
        return layout.assemble(brands, meta, others, movie)


def _with_item(meta: Meta, new: Item) -> Meta:
    """The items, one of them in the place of its namesake."""
    return replace(meta, items=tuple(new if i.number == new.number else i for i in meta.items))


def _hiding(meta: Meta, parts: set[int]) -> Meta:
    """Parts of pictures marked as such, so that no viewer shows them by themselves, where they have no notice."""
    items = tuple(replace(i, hidden=i.hidden or i.number in parts) for i in meta.items)
    return replace(meta, items=items)


def _without(meta: Meta, numbers: set[int]) -> Meta:
    """The items but some, and what is said but of them."""
    return replace(
        meta,
        items=tuple(item for item in meta.items if item.number not in numbers),
        references=tuple(
            replace(r, targets=tuple(t for t in r.targets if t not in numbers))
            for r in meta.references
            if r.source not in numbers and set(r.targets) - numbers
        ),
    )


class Avif(Heif):
    """A HEIF file by a brand of AVIF."""

    __slots__ = ()
    title = "AVIF"


class Heic(Heif):
    """Every other HEIF file; most hold HEVC."""

    __slots__ = ()
    title = "HEIC"
