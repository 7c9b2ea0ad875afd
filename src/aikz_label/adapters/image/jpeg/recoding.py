"""Coding the painted picture as the file was coded: with Pillow, or block by block where that keeps more.

Pillow decodes and encodes in YCbCr where the file stores YCbCr, which spares it a colour round trip: 64 to 72 dB instead of
60 to 63 on photographs. It knows three kinds of sampling, and colours that are stored smaller lose a little whenever they
are enlarged and reduced, and strong ones where a decoder cut them off. What it cannot write, what is small, and what came
out too far from the source is edited in place instead: see `exact`. Where the tables of the source are too coarse for
blocks that the notice shares with the picture, it gets finer ones. A picture whose lightness is stored smaller than itself,
which blurs letters, becomes one that is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from PIL import Image, JpegImagePlugin

from aikz_label.adapters.image import canvas
from aikz_label.adapters.image.container import decoding
from aikz_label.adapters.image.jpeg import exact, splice
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.segments import (
    APP0,
    APP14,
    DHT,
    DQT,
    DRI,
    SOF,
    Segment,
    made,
    walk_header,
)
from aikz_label.adapters.image.refusals import damaged
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.image.jpeg import Jpeg
    from aikz_label.adapters.image.picture import PillowPicture

# counts and first symbols of the luminance AC table, ITU-T T.81, table K.5
_STANDARD_AC = bytes.fromhex("0002010303020403050504040000017d01020300041105122131410613516107")
_CHEAP = 32 * 1024  # of entropy-coded data, bytes: edited in place in less than a tenth of a second
_AFFORDABLE = 8 * 1024 * 1024  # the same in some 20 seconds, where there is no other way
_MOST_PIXELS = 24_000_000  # edited in place: the coefficients take some 20 bytes for each
_SMALL = 2_000_000  # pixels: a picture up to here is compared at once, which costs little
_WANTED_PSNR = 44.0
_WHOLE_PSNR = 54.0  # of a picture coded anew everywhere; below it the blocks of the notice alone may keep more
_SAMPLINGS = {(1, 1): 0, (2, 1): 1, (2, 2): 2}  # of colours, in Pillow's numbers


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture as it goes into the file.

    Attributes:
        header: Segments that say how it is coded, before the first scan.
        scans: From the first scan to the end marker.
        adobe: What must stand in place of the source's Adobe segments; `None` where they still hold.
        whole: All of it was coded anew, not only the blocks of the notice.
    """

    header: tuple[Segment, ...]
    scans: bytes
    adobe: Segment | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the source is coded.

    Attributes:
        layers: Of every component its name, sampling across and down, and number of its quantisation table.
        tables: The quantisation tables.
        progressive: Whether it comes in several passes.
        transform: What the Adobe segment says of its colours; `None` without one.
    """

    layers: list[Any]
    tables: dict[int, list[int]]
    progressive: bool
    transform: int | None

    @property
    def ratios(self) -> list[tuple[float, float]]:
        """By how much each component is smaller than the picture, across and down."""
        widest, highest = (max(layer[axis] for layer in self.layers) for axis in (1, 2))
        return [(widest / layer[1], highest / layer[2]) for layer in self.layers]

    @property
    def sharp(self) -> bool:
        """Whether the first component, which holds the lightness, is as large as the picture."""
        return self.ratios[0] == (1, 1)

    def sampling(self, mode: str) -> int | None:
        """What Pillow calls it; `None` when it cannot write that, nor such colours."""
        first, *others = self.ratios
        if mode == "CMYK" and self.transform == 2:
            return None
        if all(one == first for one in others):
            return 0
        if mode != "YCbCr" or others[0] != others[1]:
            return None
        return _SAMPLINGS.get((int(others[0][0]), int(others[0][1])))


def recoded(source: Jpeg, picture: PillowPicture) -> Coded:
    """The painted picture, coded like the source.

    Raises:
        Refused: It is turned and became larger to the left or above, where its blocks cannot stay, and it lost too much.
    """
    kind, size = _kind(source), source.end - source.scan
    sampling, grown = kind.sampling(picture.mode), picture.stored != source.size
    in_place = kind.sharp and picture.painted is not None
    if grown:
        in_place &= canvas.at_one_corner(source.size, picture.stored, picture.orientation)
    own, finest = (
        _edits(source, picture, kind, finest=finest) if in_place else iter(())
        for finest in (False, True)
    )
    encodings = _encodings(source, picture, kind, sampling or 0)
    cheap = size <= _CHEAP and _pixels(picture) <= _SMALL
    if not in_place or not (grown or sampling is None or cheap):
        own, finest = chain(islice(encodings, 1), own), chain(finest, encodings)
    if in_place and not grown:
        own = chain(_spliced(source, picture, kind, exactly=cheap), own)
    edited = _nearest(source, picture, (own, finest))
    found, likeness = edited or _nearest(source, picture, (encodings,)) or (None, 0.0)
    assert found is not None  # one way to encode it there always is
    if grown and not in_place and likeness < _WANTED_PSNR:
        raise damaged("a strip beside it would blur a picture this small")
    return found


def _nearest(
    source: Jpeg, picture: PillowPicture, groups: Iterable[Iterator[Coded]]
) -> tuple[Coded, float] | None:
    """The first that is near enough to the source, or the nearest, and its PSNR; later groups cost the picture more."""
    best, most = None, -math.inf
    for ways in groups:
        for coded in ways:
            likeness = _likeness(source, picture, coded)
            if likeness > most:
                best, most = coded, likeness
            if most >= (_WHOLE_PSNR if coded.whole else _WANTED_PSNR):
                break
        if most >= _WANTED_PSNR:
            break
    return None if best is None else (best, most)


def _kind(source: Jpeg) -> _Kind:
    with decoding(), Image.open(BytesIO(source.data), formats=["JPEG"]) as opened:
        assert isinstance(opened, JpegImagePlugin.JpegImageFile)
        progressive = bool(opened.info.get("progressive"))
        transform = opened.info.get("adobe_transform")
        return _Kind(opened.layer, opened.quantization, progressive, transform)


def _spliced(
    source: Jpeg, picture: PillowPicture, kind: _Kind, *, exactly: bool
) -> Iterator[Coded]:
    """With all bits of the source but those under the notice; nothing when that cannot be."""
    data = source.data[source.scan : source.end]
    try:
        tables = [segment for segment in source.header if not segment.is_metadata]
        coded = Coded(*splice.spliced(tables, data, picture, kind.transform, exactly=exactly))
    except Unreadable:
        return
    yield coded


def _edits(source: Jpeg, picture: PillowPicture, kind: _Kind, *, finest: bool) -> Iterator[Coded]:
    """Edited in place, in both ways; nothing when that cannot be.

    If much outside the notice changes, a rim of the old colours stays around it; if that is not enough, the picture gets
    the finest tables of quantisation, with which the blocks under the edge of the notice keep what they show beside it.
    """
    if source.end - source.scan > _AFFORDABLE or _pixels(picture) > _MOST_PIXELS:
        return
    data, header = source.data[source.scan : source.end], source.header
    tables = [s for s in header if not s.is_metadata and s.code not in {DHT, DRI}]
    for rim in (False, True):
        try:
            scans = exact.edited(header, data, picture, kind.transform, rim=rim, finest=finest)
        except Unreadable:
            return
        yield Coded(tuple(_fitting(s, picture.stored, finest=finest) for s in tables), scans)


def _fitting(segment: Segment, size: tuple[int, int], *, finest: bool) -> Segment:
    """A segment before the first scan, for a picture of that size and with tables of ones, if so wanted."""
    payload = segment.payload
    if segment.code in SOF:
        sides = size[1].to_bytes(2) + size[0].to_bytes(2)
        return made(segment.code, payload[:1] + sides + payload[5:])
    if segment.code != DQT or not finest:
        return segment
    numbers = []
    while payload:
        numbers.append(payload[0] & 15)
        payload = payload[1 + 64 * (1 + (payload[0] >> 4)) :]
    return made(DQT, b"".join(bytes([number]) + b"\1" * 64 for number in numbers))


def _encodings(source: Jpeg, picture: PillowPicture, kind: _Kind, sampling: int) -> Iterator[Coded]:
    """Encoded by Pillow with the tables of the source, and with the finest."""
    image = picture.image
    settings = _settings(source, image.mode, kind)
    for finest in (False, True):
        if finest:
            settings["qtables"] = [[1] * 64 for _ in settings["qtables"]]
        buffer = BytesIO()
        image.save(buffer, "JPEG", **settings, subsampling=sampling)
        data = buffer.getvalue()
        header, scan = walk_header(data, NO_LIMITS)
        adobe = None
        if image.mode == "CMYK":  # it must tell how *these* scans code their colours
            adobe = next(s for s in header if s.code == APP14)
        yield Coded(tuple(s for s in header if not s.is_metadata), data[scan:], adobe, whole=True)


def _settings(source: Jpeg, mode: str, kind: _Kind) -> dict[str, Any]:
    """How the source was encoded, in the encoder's words."""
    tables = [kind.tables[layer[3]] for layer in kind.layers]
    if mode == "CMYK" and kind.transform == 2:  # all channels now deserve the finest table
        tables = tables[:1]
    elif len(tables) == 3 and tables[1] == tables[2]:
        tables = tables[:2]
    standard = any(s.code == DHT and _STANDARD_AC in s.data for s in source.header)
    settings: dict[str, Any] = {
        "qtables": tables,
        "progressive": kind.progressive,
        "optimize": not standard,  # with those tables it would only cost time
    }
    if mode == "RGB":
        settings["keep_rgb"] = True
    interval = next((s.payload[:2] for s in source.header if s.code == DRI), b"\0\0")
    if any(interval):
        settings["restart_marker_blocks"] = int.from_bytes(interval)
    return settings


def _likeness(source: Jpeg, picture: PillowPicture, coded: Coded) -> float:
    """How near the source what was coded looks outside the notice, dB; not asked where that would cost much."""
    if _pixels(picture) > _SMALL:
        return math.inf
    said = [s for s in source.header if s.code == APP0 or (s.code == APP14 and not coded.adobe)]
    said += [coded.adobe] if coded.adobe else []  # what decoders know the colours by
    pieces = [b"\xff\xd8", *(s.data for s in (*said, *coded.header)), coded.scans]
    again = source.parse(b"".join(pieces), NO_LIMITS, thorough=False).decode()
    return picture.difference(again, None if picture.plates else picture.painted)


def _pixels(picture: PillowPicture) -> int:
    return picture.stored[0] * picture.stored[1]
