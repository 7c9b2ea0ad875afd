"""Coding the painted picture as the file was coded: with Pillow, or block by block where that keeps more.

Pillow decodes and encodes in YCbCr where the file stores YCbCr, which spares it a colour round trip: 64 to 72 dB instead of
60 to 63 on photographs. It knows three kinds of sampling, and colours that are stored smaller lose a little whenever they
are enlarged and reduced. What it cannot write, what is small, and what came out too far from the source is edited in place
instead: see `exact`. A picture whose lightness is stored smaller than itself, which blurs letters, becomes one that is not.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, JpegImagePlugin

from aikz_label.adapters.image.container import decoding
from aikz_label.adapters.image.jpeg import exact, splice
from aikz_label.adapters.image.jpeg.coefficients import Unreadable
from aikz_label.adapters.image.jpeg.segments import APP0, APP14, DHT, DRI, Segment, walk_header
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
_SAMPLINGS = {(1, 1): 0, (2, 1): 1, (2, 2): 2}  # of colours, in Pillow's numbers


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture as it goes into the file.

    Attributes:
        header: Segments that say how it is coded, before the first scan.
        scans: From the first scan to the end marker.
        adobe: What must stand in place of the source's Adobe segments; `None` where they still hold.
    """

    header: tuple[Segment, ...]
    scans: bytes
    adobe: Segment | None = None


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
    """The painted picture, coded like the source."""
    kind, size = _kind(source), source.end - source.scan
    sampling = kind.sampling(picture.mode)
    in_place = kind.sharp and picture.stored == source.size and picture.painted is not None
    if in_place and (found := _spliced(source, picture, kind)) is not None:
        return found
    if in_place and (sampling is None or (size <= _CHEAP and _pixels(picture) <= _SMALL)):
        found = _edited(source, picture, kind)
        if found is not None:
            return found
    coded = _encoded(source, picture.image, kind, sampling or 0)
    if in_place and not _near(source, picture, coded):
        return _edited(source, picture, kind) or coded
    return coded


def _kind(source: Jpeg) -> _Kind:
    with decoding(), Image.open(BytesIO(source.data), formats=["JPEG"]) as opened:
        assert isinstance(opened, JpegImagePlugin.JpegImageFile)
        progressive = bool(opened.info.get("progressive"))
        transform = opened.info.get("adobe_transform")
        return _Kind(opened.layer, opened.quantization, progressive, transform)


def _spliced(source: Jpeg, picture: PillowPicture, kind: _Kind) -> Coded | None:
    """With all bits of the source but those under the notice; if possible."""
    data = source.data[source.scan : source.end]
    try:
        scans = splice.spliced(source.header, data, picture, kind.transform)
    except Unreadable:
        return None
    found = Coded(tuple(s for s in source.header if not s.is_metadata), scans)
    return found if _near(source, picture, found) else None


def _edited(source: Jpeg, picture: PillowPicture, kind: _Kind) -> Coded | None:
    """Edited in place, with a rim of the old colours around the notice if much outside it changes without; if possible."""
    if source.end - source.scan > _AFFORDABLE or _pixels(picture) > _MOST_PIXELS:
        return None
    data, header = source.data[source.scan : source.end], source.header
    tables = tuple(s for s in header if not s.is_metadata and s.code not in {DHT, DRI})
    try:
        for rim in (False, True):
            scans = exact.edited(header, data, picture, kind.transform, rim=rim)
            found = Coded(tables, scans)
            if _near(source, picture, found):
                break
    except Unreadable:
        return None
    return found


def _encoded(source: Jpeg, image: Image.Image, kind: _Kind, sampling: int) -> Coded:
    buffer = BytesIO()
    image.save(buffer, "JPEG", **_settings(source, image.mode, kind), subsampling=sampling)
    data = buffer.getvalue()
    header, scan = walk_header(data, NO_LIMITS)
    adobe = None
    if image.mode == "CMYK":  # it must tell how *these* scans code their colours
        adobe = next(s for s in header if s.code == APP14)
    return Coded(tuple(s for s in header if not s.is_metadata), data[scan:], adobe)


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


def _near(source: Jpeg, picture: PillowPicture, coded: Coded) -> bool:
    """Whether what was coded still looks like the source outside the notice; not asked where it would cost much."""
    if _pixels(picture) > _SMALL:
        return True
    said = [s for s in source.header if s.code == APP0 or (s.code == APP14 and not coded.adobe)]
    said += [coded.adobe] if coded.adobe else []  # what decoders know the colours by
    pieces = [b"\xff\xd8", *(s.data for s in (*said, *coded.header)), coded.scans]
    again = source.parse(b"".join(pieces), NO_LIMITS, thorough=False).decode()
    return picture.difference(again, picture.painted) >= _WANTED_PSNR


def _pixels(picture: PillowPicture) -> int:
    return picture.stored[0] * picture.stored[1]
