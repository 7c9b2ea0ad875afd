"""The codecs that pictures in HEIF are coded with: an item to planes, and planes to an item that takes its place."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.container import Tags
from aikz_label.adapters.image.heif import av1
from aikz_label.adapters.image.heif.items import Item, Meta, read_meta
from aikz_label.adapters.image.heif.layout import assemble
from aikz_label.adapters.image.heif.planes import Coding, Planes
from aikz_label.adapters.image.heif.uncompressed import Uncompressed
from aikz_label.limits import NO_LIMITS
from aikz_label.values import replace

# The quality is the first that keeps 44 dB; the last one loses nothing.
QUALITIES = (90, 95, 100)
LOSSLESS = 100
_WANTED_PSNR = 44.0
IDENTITY = 0
MOST_PIXELS = 1 << 28  # what the libraries take at the most


class Coder(Protocol):
    """One codec."""

    def decode(self, item: Item, most_pixels: int) -> Planes:
        """The picture of an item.

        Raises:
            MediaProblem: It cannot be decoded, or is larger.
        """

    def encode(self, item: Item, planes: Planes, *, lossless: bool) -> Item:
        """The same item with another picture, coded in the same way.

        Raises:
            Refused: The encoder does not take it.
            MissingDependency: The encoder is not installed.
        """


class _Av1:
    """AV1, by libavif."""

    def decode(self, item: Item, most_pixels: int) -> Planes:
        """See `Coder.decode`."""
        from aikz_label.adapters.image.heif import libavif  # noqa: PLC0415  # loads the library

        kept = tuple(p for p in item.properties if p.kind in {b"ispe", b"av1C", b"a1op", b"lsel"})
        alone = replace(item, number=1, kind=b"av01", hidden=False, tail=b"\0", properties=kept)
        handler = bmff.pack(b"hdlr", bytes(8), b"pict", bytes(13))
        brands = bmff.pack(b"ftyp", b"avif", bytes(4), b"avifmif1miaf")
        whole = assemble(brands, Meta(handler, 1, (alone,)))
        return libavif.decode(whole, most_pixels)

    def encode(self, item: Item, planes: Planes, *, lossless: bool) -> Item:
        """See `Coder.encode`."""
        from aikz_label.adapters.image.heif import libavif  # noqa: PLC0415

        lossless = lossless or planes.coding.matrix == IDENTITY or av1.is_lossless(item.data)
        for quality in (LOSSLESS,) if lossless else QUALITIES:
            whole = libavif.encode(planes, quality)
            if quality == LOSSLESS or near(planes, libavif.decode(whole, MOST_PIXELS)):
                break
        boxes = bmff.walk(whole, 0, len(whole), NO_LIMITS)
        meta = read_meta(whole, next(b for b in boxes if b.kind == b"meta"), NO_LIMITS)
        (fresh,) = (one for one in meta.items if one.kind == b"av01")
        data, box = fresh.data, fresh.first(b"av1C")[:4]
        old = item.first(b"av1C")[:4]
        if old[1:2] != box[1:2] and old[1] >> 5 == box[1] >> 5 and old[2:3] == box[2:3]:
            # only the level differs, and the tiles of a grid must be of one
            data, box = av1.with_level(data, old[1] & 31), old
        layered = item.without(b"a1op", b"a1lx", b"lsel")
        return layered.holding(data).described(bmff.pack(b"av1C", box))


class _Hevc:
    """HEVC, by PyAV."""

    def decode(self, item: Item, most_pixels: int) -> Planes:
        """See `Coder.decode`."""
        from aikz_label.adapters.image.heif import hevc  # noqa: PLC0415

        return hevc.decode(item.first(b"hvcC"), item.data, most_pixels)

    def encode(self, item: Item, planes: Planes, *, lossless: bool) -> Item:
        """See `Coder.encode`."""
        from aikz_label.adapters.image.heif import hevc  # noqa: PLC0415

        lossless = lossless or planes.coding.matrix == IDENTITY
        for quality in (LOSSLESS,) if lossless else QUALITIES:
            configuration, data = hevc.encode(planes, quality)
            box = configuration.box
            if quality == LOSSLESS or near(planes, hevc.decode(box[8:], data, MOST_PIXELS)):
                break
        return item.without(b"lhvC", b"oinf", b"tols").holding(data).described(box)


class _Jpeg:
    """JPEG, as some cameras write their thumbnails; the tables of the file are kept."""

    def decode(self, item: Item, most_pixels: int) -> Planes:
        """See `Coder.decode`."""
        from aikz_label.adapters.image.jpeg import Jpeg  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        container = Jpeg.parse(item.data, replace(NO_LIMITS, max_pixels=most_pixels), thorough=True)
        picture = container.decode()
        if not isinstance(picture, PillowPicture) or picture.image.mode not in {"L", "YCbCr"}:
            raise MediaProblem("damaged", detail_word="decoder")
        samples = np.asarray(picture.image)
        if samples.ndim == 2:
            return Planes((samples.copy(),), Coding(shifts=None))
        planes = tuple(np.ascontiguousarray(samples[..., index]) for index in range(3))
        return Planes(planes, Coding(shifts=(0, 0), primaries=1, transfer=13, matrix=6))

    def encode(self, item: Item, planes: Planes, *, lossless: bool) -> Item:  # noqa: ARG002  # cannot
        """See `Coder.encode`."""
        from PIL import Image  # noqa: PLC0415

        from aikz_label.adapters.image.jpeg import Jpeg  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        bands = [Image.fromarray(plane) for plane in planes.planes]
        image = bands[0] if len(bands) == 1 else Image.merge("YCbCr", bands)
        container = Jpeg.parse(item.data, NO_LIMITS, thorough=True)
        return item.holding(container.encode([PillowPicture(image)], Tags()))


def one_configuration(tiles: list[Item], edited: dict[int, Item]) -> dict[int, Item]:
    """The tiles of a grid of HEVC after some were coded anew: all with one configuration, where that can be.

    Args:
        tiles: As they were.
        edited: Those that were coded anew, by number, among others.
    """
    changed = [tile for tile in tiles if tile.number in edited]
    boxes = {tile.first(b"hvcC") for tile in tiles}
    if not changed or len(boxes) != 1 or boxes == {b""} or len(tiles) == 1:
        return {}
    from aikz_label.adapters.image.heif import hevc, hevc_sets  # noqa: PLC0415

    shared = hevc_sets.Configuration.read(boxes.pop())
    found = {}
    for tile in changed:
        new = edited[tile.number]
        wanted = hevc.decode(new.first(b"hvcC"), new.data, MOST_PIXELS)
        joined = shared.with_others(hevc_sets.Configuration.read(new.first(b"hvcC")))
        if joined is None:
            return {}
        shared, number = joined
        for data in hevc_sets.slices(new.data, number):
            if _same(wanted, shared.box[8:], data):
                found[tile.number] = new.holding(data)
                break
        else:
            return {}
    return {tile.number: found.get(tile.number, tile).described(shared.box) for tile in tiles}


def _same(wanted: Planes, configuration: bytes, data: bytes) -> bool:
    from aikz_label.adapters.image.heif import hevc  # noqa: PLC0415

    try:
        errors = wanted.errors(hevc.decode(configuration, data, MOST_PIXELS), ())
    except MediaProblem:
        return False
    return errors is not None and errors[0] == 0


def near(wanted: Planes, found: Planes) -> bool:
    """Whether a coded picture is as good as it should be."""
    return wanted.likeness(found) >= _WANTED_PSNR


CODERS: dict[bytes, Coder] = {
    b"av01": _Av1(),
    b"hvc1": _Hevc(),
    b"hev1": _Hevc(),
    b"jpeg": _Jpeg(),
    b"unci": Uncompressed(),
}
