"""What AVIF and HEIC share: still pictures as items of ISO-BMFF, painted and put together anew.

The picture is encoded again; every other item (Exif, XMP) and every property that says how to show it (colours, rotation)
is the source's own. The file is written in one plain layout, because the C2PA engine moves what follows the marker and
does not find its way through the odd ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.bmff import Box, Fields, Item, Meta, Property, Reference
from aikz_label.adapters.image.container import Container, Tags, check_pixels, refuse_variant
from aikz_label.errors import MissingDependency
from aikz_label.limits import MIB, NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image

    from aikz_label.adapters.image.picture import Picture

# The quality is the first that keeps 44 dB (notices: q90 gives 44 to 46).
_QUALITIES = (90, 95, 100)
_WANTED_PSNR = 44.0
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
# Boxes that the C2PA binding leaves out, wherever they stand at the top level (C2PA 2.4, BMFF-based hash).
_UNPROTECTED = (b"ftyp", b"free", b"skip", b"mfra")
_BLOCK = 1 << 20
_TOP = {b"ftyp", b"meta", b"mdat", b"free", b"skip"}
# Properties of the picture that go over to the new one; those that the encoder makes are taken from it.
_KEPT = (b"pasp", b"clli", b"mdcv", b"crtt", b"mdft", b"udes", b"altt", b"irot", b"imir")
_MADE = (b"ispe", b"pixi", b"av1C", b"hvcC", b"colr", b"auxC", b"clap")
_TURNS = (b"irot", b"imir")
# EXIF orientation of (quarter turns anti-clockwise, then the mirror's axis or -1): ISO/IEC 23008-12, 6.5.10 and 6.5.12.
_ORIENTATION = {
    (0, -1): 1,
    (1, -1): 8,
    (2, -1): 3,
    (3, -1): 6,
    (0, 0): 4,
    (0, 1): 2,
    (1, 0): 5,
    (1, 1): 7,
    (2, 0): 2,
    (2, 1): 4,
    (3, 0): 7,
    (3, 1): 5,
}
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True, slots=True)
class Heif(Container):
    """A file as its boxes and items."""

    data: bytes
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    meta: Meta

    title: ClassVar[str]
    coded: ClassVar[bytes]
    configuration: ClassVar[bytes]
    least_configuration: ClassVar[int]
    moving: ClassVar[tuple[bytes, ...]]
    grid = (16, 16)
    least_psnr = 40.0
    relocated = True

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the boxes and read `meta`."""
        boxes = bmff.walk(data, 0, len(data), limits)
        found = next((box for box in boxes if box.kind == b"meta"), None)
        meta = bmff.read_meta(data, found, limits) if found else Meta()
        primary = next((item for item in meta.items if item.number == meta.primary), None)
        extent = primary.first(b"ispe") if primary else b""
        if primary is None or not extent:
            if any(box.kind == b"moov" for box in boxes):
                raise MediaProblem("unsupported-format", format=f"{cls.title} (moving)")
            raise MediaProblem("damaged", detail_word="no-header")
        size = extent_of(primary)
        check_pixels(size, limits)
        return cls(data, cls.shown(primary, size), boxes, meta)

    @classmethod
    def shown(cls, item: Item, size: tuple[int, int]) -> tuple[int, int]:  # noqa: ARG003  # others crop
        """What the decoder gives of a picture of this size."""
        return size

    @property
    def primary(self) -> Item:
        """The picture."""
        return next(item for item in self.meta.items if item.number == self.meta.primary)

    @property
    def has_marker(self) -> bool:
        """Whether there is a `uuid` box of C2PA."""
        return any(bmff.is_marker(self.data, box) for box in self.boxes)

    def stores(self) -> Iterator[bytes]:
        """What follows the purpose and the eight bytes of the Merkle offset in each `uuid` box (C2PA 2.4, A.5)."""
        for box in self.boxes:
            if bmff.is_marker(self.data, box):
                body = self.data[box.body + 16 + 4 : box.stop]
                purpose, _, rest = body.partition(b"\0")
                if purpose in {b"manifest", b"original", b"update"}:
                    yield rest[8:]

    @property
    def exif(self) -> bytes | None:
        """The Exif item without the offset it begins with, if it is of a usual size."""
        item = next((i for i in self.meta.items if i.kind == b"Exif"), None)
        if item is None or sum(stop - start for start, stop in item.extents) > MIB:
            return None
        return item.data[4 + int.from_bytes(item.data[:4]) :]

    @property
    def xmp(self) -> bytes | None:
        """The data of the XMP item."""
        item = self._xmp_item
        return item.data if item else None

    @property
    def _xmp_item(self) -> Item | None:
        return next((i for i in self.meta.items if i.content_type == bmff.XMP_TYPE), None)

    @property
    def _alpha(self) -> Item | None:
        """The item that holds the opacity of the picture."""
        spoken = {r.source for r in self.meta.references if self._of_primary(r, b"auxl")}
        return next((i for i in self.meta.items if i.number in spoken and _is_alpha(i)), None)

    @property
    def orientation(self) -> int:
        """How the stored picture is turned to be seen; Exif has no say in these formats."""
        turns = [found for found in self.primary.properties if found.kind in _TURNS]
        angle = next((t.body[0] & 3 for t in turns if t.kind == b"irot" and t.body), 0)
        axis = next((t.body[0] & 1 for t in turns if t.kind == b"imir" and t.body), -1)
        return _ORIENTATION[angle, axis]

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

    # --- variants ---------------------------------------------------------------------------------------------------

    def check_variant(self) -> None:
        """Refuse what is more than one still picture with 8 bits per channel, or holds what would be lost."""
        reason = next(self._reasons(), "")
        if reason:
            raise refuse_variant(self.title, reason)

    def _reasons(self) -> Iterator[str]:
        if any(box.kind == b"moov" for box in self.boxes) or self.data[8:12] in self.moving:
            yield "it is a sequence of pictures"
        if self.meta.protected:
            yield "a part of it is encrypted or lies in another file"
        yield from self._reasons_of_items()
        yield from self._reasons_of_picture(self.primary)
        alpha = self._alpha
        if alpha is not None and _depth(alpha) > 8:
            yield "its opacity has more than 8 bits"
        for box in self.boxes:
            if box.kind not in _TOP and not bmff.is_marker(self.data, box):
                yield f"its box {_name(box.kind)} would be lost"
        for box in self.meta.children:
            if box.kind not in {
                b"hdlr",
                b"pitm",
                b"iloc",
                b"iinf",
                b"iref",
                b"iprp",
                b"idat",
                b"dinf",
                b"free",
            }:
                yield f"its box {_name(box.kind)} would be lost"

    def _reasons_of_items(self) -> Iterator[str]:
        kinds = {item.kind for item in self.meta.items}
        if b"tmap" in kinds:
            yield "it holds a gain map"
        if self.primary.kind in {b"grid", b"iovl", b"iden"}:
            yield f"its picture is put together from others ({_name(self.primary.kind)})"
        if any(r.kind == b"prem" for r in self.meta.references):
            yield "its colours are multiplied by its opacity"
        alpha = self._alpha
        described = {r.source for r in self.meta.references if self._of_primary(r, b"cdsc")}
        small = self._thumbnails
        for item in self.meta.items:
            known = item.number in {self.primary.number, alpha.number if alpha else 0} | small
            if not known and not (item.number in described and item.kind in {b"Exif", b"mime"}):
                yield f"it holds more than one picture and its metadata (an item {_name(item.kind)})"
        if not bmff.writable(list(self.meta.items)) or any(
            i.entry[8] != 2 for i in self.meta.items
        ):
            yield "its items have unusual numbers"
        if sum(b - a for i in self.meta.items for a, b in i.extents) > 2 * len(self.data):
            yield "its items share their bytes"

    def _reasons_of_picture(self, item: Item) -> Iterator[str]:
        if item.kind != self.coded:
            yield f"its picture is coded as {_name(item.kind)}"
        elif len(item.first(self.configuration)) < self.least_configuration:
            yield "its picture has no configuration"
        if _depth(item) > 8:
            yield "it has more than 8 bits per channel"
        kinds = [found.kind for found in item.properties]
        if b"clap" in kinds and self.size == extent_of(item):
            yield "it is cropped by a property"
        for kind in kinds:
            if kind not in (*_KEPT, *_MADE):
                yield f"its property {_name(kind)} would be lost"
        turns = [kind for kind in kinds if kind in _TURNS]
        if turns != sorted(set(turns), reverse=True):  # decoders disagree about any other order
            yield "it is turned and mirrored in an unusual order"
        yield from self._reasons_of_colours()

    def _reasons_of_colours(self) -> Iterator[str]:
        colours = self._colours()
        if colours is None:
            yield "its colours are not described"
        elif colours[1] in _HDR:
            yield f"its brightness is HDR ({_HDR[colours[1]]})"
        elif colours[2] == 0:
            yield "it is coded without loss, which the encoder here cannot keep"

    @property
    def _thumbnails(self) -> set[int]:
        return {r.source for r in self.meta.references if self._of_primary(r, b"thmb")}

    def _of_primary(self, reference: Reference, kind: bytes) -> bool:
        return reference.kind == kind and self.meta.primary in reference.targets

    def _colours(self) -> tuple[int, int, int] | None:
        """Primaries, transfer and matrix as ITU-T H.273 numbers them; `None` when nothing can be found out."""
        for found in self.primary.properties:
            if found.kind == b"colr" and found.body[:4] == b"nclx" and len(found.body) >= 11:
                fields = Fields(found.body[4:])
                return fields.number(2), fields.number(2), fields.number(2)
        return self._coded_colours()

    def _coded_colours(self) -> tuple[int, int, int] | None:
        """What the coded picture says of its colours where no property does."""
        return 2, 2, 2

    # --- writing ----------------------------------------------------------------------------------------------------

    def with_tags(self, tags: Tags) -> bytes:
        """The same items with other metadata."""
        brands = self.data[self.boxes[0].start : self.boxes[0].stop]
        return self._assemble(brands, list(self.meta.items), list(self.meta.references), tags.xmp)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The picture at the first quality that is good enough, with the source's metadata; no thumbnails."""
        from aikz_label.adapters.image.picture import PillowPicture, only  # noqa: PLC0415

        image = only(pictures)
        wanted = PillowPicture(image)
        for quality in _QUALITIES:
            try:
                coded = self._coded(image, quality)
            except (MissingDependency, MemoryError):
                raise
            except Exception as error:  # encoders raise what they like
                raise refuse_variant(self.title, "the encoder here does not take it") from error
            fresh = self.parse(coded, NO_LIMITS, thorough=False)
            if quality == _QUALITIES[-1]:
                break
            if wanted.difference(fresh.decode(), None) >= _WANTED_PSNR:
                break
        return self._with_picture(fresh, tags.xmp)

    def parts(self) -> Iterator[bytes]:
        """Every top-level box but the marker, offsets of items replaced by what they point to."""
        for box in self.boxes:
            if box.kind != b"meta":
                if not bmff.is_marker(self.data, box):
                    yield self.data[box.start : box.stop]
                continue
            for child in self.meta.children:
                if child.kind != b"iloc":
                    yield self.data[child.start : child.stop]
            for item in self.meta.items:
                yield item.entry
                yield item.data

    def _coded(self, image: Image, quality: int) -> bytes:
        """A file of the encoder with nothing but the picture."""
        raise NotImplementedError

    def _with_picture(self, fresh: Heif, xmp: bytes | None) -> bytes:
        """The encoder's picture among the source's own items."""
        picture = fresh.primary
        opacity = fresh._alpha
        made = tuple(p for p in picture.properties if p.kind in _MADE and p.kind != b"colr")
        kept = tuple(p for p in self.primary.properties if p.kind in _KEPT)
        turns = tuple(p for p in kept if p.kind in _TURNS)
        colours = tuple(self._colour_properties(picture))
        items = [replace(picture, properties=made + colours + kept)]
        references = []
        if opacity is not None:
            own = tuple(p for p in opacity.properties if p.kind in _MADE)
            items.append(replace(opacity, properties=own + turns))
            references.append(Reference(b"auxl", opacity.number, (picture.number,)))
        free = max(item.number for item in items)
        for item in self.meta.items:
            if item.kind in {b"Exif", b"mime"}:
                free += 1
                items.append(item.numbered(free))
                references.append(Reference(b"cdsc", free, (picture.number,)))
        brands = fresh.data[fresh.boxes[0].start : fresh.boxes[0].stop]
        return self._assemble(brands, items, references, xmp, primary=picture.number)

    def _colour_properties(self, picture: Item) -> Iterator[Property]:
        """The source's colours; matrix and range are those the new picture was coded with."""
        nclx = next((p.body for p in picture.properties if p.body[:4] == b"nclx"), b"")
        for found in self.primary.properties:
            if found.kind == b"colr" and found.body[:4] != b"nclx":
                yield found
        colours = self._colours()
        if nclx and colours:
            numbers = b"".join(value.to_bytes(2, "big") for value in colours[:2])
            yield Property(bmff.pack(b"colr", b"nclx", numbers, nclx[8:]), essential=False)

    def _assemble(
        self,
        brands: bytes,
        items: list[Item],
        references: list[Reference],
        xmp: bytes | None,
        primary: int = 0,
    ) -> bytes:
        primary = primary or self.meta.primary
        if xmp is not None:
            old = next((i for i in items if i.content_type == bmff.XMP_TYPE), None)
            if old is not None:
                items = [item.holding(xmp) if item is old else item for item in items]
            else:
                number = max(item.number for item in items) + 1
                entry = bmff.metadata_entry(number, bmff.XMP_TYPE)
                new = Item(number, b"mime", bmff.XMP_TYPE, entry, (), b"").holding(xmp)
                items = [*items, new]
                references = [*references, Reference(b"cdsc", number, (primary,))]
        if not bmff.writable(items):
            raise refuse_variant(self.title, "its items have unusual numbers")
        return bmff.assemble(brands, self.meta.handler, primary, items, references)


def extent_of(item: Item) -> tuple[int, int]:
    """Width and height of `ispe`."""
    fields = Fields(item.first(b"ispe"))
    fields.version()
    return fields.number(4), fields.number(4)


def _is_alpha(item: Item) -> bool:
    return item.first(b"auxC")[4:].split(b"\0")[0] in _ALPHA


def _depth(item: Item) -> int:
    """Bits per channel, the most that any property admits."""
    pixi, av1, hevc = item.first(b"pixi"), item.first(b"av1C"), item.first(b"hvcC")
    depths: list[int] = [8, *pixi[5:]]
    if len(av1) > 2 and av1[2] & 0x40:
        depths.append(10)
    depths += [8 + (value & 7) for value in hevc[17:19]]
    return max(depths)


def _name(kind: bytes) -> str:
    return kind.decode("ascii", errors="replace")
