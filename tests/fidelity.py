"""Is a marked picture still the same picture? Answered by Pillow and numpy, with none of the package's own parsing.

`losses` is the whole of it: one sentence per thing that is not as it was. The corpus tests, the conformance tests and
`tools/corpus_table.py` ask the same question.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

import films
import png_files

LEAST_PSNR = 40.0  # dB outside the badge, in the colours that are shown
_JPEG = {"JPEG", "MPO"}  # Pillow calls a JPEG with several pictures MPO
GRID = 16  # px, the largest block of JPEG and WebP
MAX_SHIFT, MAX_SHIFTED = 16, 0.05  # palette entries that make room for black and white

# How a stored picture is turned to be shown (CIPA DC-008, tag 274), as Pillow's own `ImageOps.exif_transpose` does it,
# and the way back.
_TURN = Image.Transpose
SHOWN_FROM_STORED = {
    2: _TURN.FLIP_LEFT_RIGHT,
    3: _TURN.ROTATE_180,
    4: _TURN.FLIP_TOP_BOTTOM,
    5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270,
    7: _TURN.TRANSVERSE,
    8: _TURN.ROTATE_90,
}
STORED_FROM_SHOWN = SHOWN_FROM_STORED | {6: _TURN.ROTATE_90, 8: _TURN.ROTATE_270}

_IPTC_EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_MIRROR = ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
_OURS = {_IPTC_EXT + name for name in _MIRROR}
_OURS |= {
    _IPTC_EXT + "DigitalSourceFileType"
}  # the older name of the first, whose place ours takes
_JPEG_C2PA = b"JP"  # an APP11 segment that holds a part of a JUMBF box
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_MPF = b"MPF\0"  # where further pictures are: compared by what stands there


def decode(data: bytes) -> ImageFile.ImageFile | None:
    """The picture with every pixel loaded, or `None` when the reference decoder refuses it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata; pixels either load or raise
            image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "GIF"])
            image.load()
    except (OSError, ValueError, SyntaxError, EOFError, UnidentifiedImageError):
        return None
    except Image.DecompressionBombError:
        return None
    return image


def losses(source: bytes, output: bytes, placement: Mapping[str, Any]) -> list[str]:
    """What marking changed besides drawing the badge or adding the strip; empty when nothing.

    Args:
        source: The file before.
        output: The file after.
        placement: Where the marker says it is: `x`, `y`, `width`, `height` as shares of the picture as shown.
    """
    before, written = decode(source), decode(output)
    assert before is not None, "only a picture that decodes can be compared"
    if written is None:
        return ["it does not decode any more"]
    if films.moves(before) and before.format not in _JPEG:  # there they are further pictures
        return films.losses(source, output, placement) + _metadata_losses(before, written)
    strip = placement.get("design") == "strip/1"
    after = _without_strip(written, placement, before) if strip else written
    found = [
        f"{what}: {was!r} became {now!r}"
        for what, was, now in (
            ("format", before.format, written.format),
            ("mode", before.mode, after.mode),
            ("size", before.size, after.size),
            ("frames", getattr(before, "n_frames", 1), getattr(written, "n_frames", 1)),
        )
        if was != now
    ]
    if found:
        return found
    found += _coding_losses(before, written, source, output)
    found += _metadata_losses(before, written)
    found += _further_losses(before, written, source, output)
    if before.format in _JPEG:
        _, _, tail = source.rpartition(b"\xff\xd9")  # what follows, such as an embedded film
        found += [] if output.endswith(tail[-16:]) else ["the bytes after the picture are gone"]
    outside = ~_badge_area(before, placement)
    if strip:
        outside[:] = True
    if not outside.any():
        return found  # the badge covers a tiny picture
    if before.format == "PNG" and source[24] == 16:  # of which Pillow gives the high bytes
        was, now = (
            png_files.deep_values(data, data[25], image.size)
            for data, image in ((source, before), (output, written))
        )
        if was is not None and (was != now[: before.height, : before.width])[outside].any():
            found.append("the low bits of some samples changed")
    if _is_lossy(before.format, source):
        return found + _lossy_losses(before, after, outside)
    return found + _exact_losses(before, after, outside)


def _without_strip(
    image: Image.Image, placement: Mapping[str, Any], before: Image.Image
) -> Image.Image:
    """The picture above a strip, stored as it was; a narrow one has black beside it."""
    turn = _orientation(image)
    width = before.width if turn < 5 else before.height
    shown = image.transpose(SHOWN_FROM_STORED[turn]) if turn in SHOWN_FROM_STORED else image
    above = shown.crop((0, 0, min(width, shown.width), round(placement["y"] * shown.height)))
    return above.transpose(STORED_FROM_SHOWN[turn]) if turn in STORED_FROM_SHOWN else above


def _coding_losses(
    before: Image.Image, after: Image.Image, source: bytes, output: bytes
) -> list[str]:
    """Bit depth and colour type of PNG, quantisation tables of JPEG: nothing may be coded more coarsely."""
    if before.format == "PNG":
        was, now = source[24:26], output[24:26]  # a palette may get more or fewer bits per index
        return [] if was == now or before.mode == "P" else [f"coding: {was!r} became {now!r}"]
    if before.format in _JPEG:
        was, now = _layers(before), _layers(after)
        found = []
        finest = all(set(table) == {1} for table, _ in now)  # where the notice shares blocks
        if not finest and [table for table, _ in was] != [table for table, _ in now]:
            found.append("the quantisation tables changed")
        full = was[0][1] != (1, 1) and all(sampling == (1, 1) for _, sampling in now)
        # where even the lightness was stored smaller, everything may become full
        if not full and [sampling for _, sampling in was] != [sampling for _, sampling in now]:
            found.append("the colours are sampled in another way")
        return found
    return []


def _layers(image: Image.Image) -> list[tuple[list[int], tuple[float, float]]]:
    """Of every component the quantisation table and how often it is sampled, as a share of the most in the picture.

    A step of 0, with which nothing but grey can be stored, becomes 1, the finest.
    """
    layers = image.layer  # type: ignore[attr-defined]
    widest, highest = max(layer[1] for layer in layers), max(layer[2] for layer in layers)
    tables = {n: [max(1, step) for step in t] for n, t in image.quantization.items()}  # type: ignore[attr-defined]
    return [(tables[t], (h / widest, v / highest)) for _, h, v, t in layers]


def _metadata_losses(before: Image.Image, after: Image.Image) -> list[str]:
    found = _exif_losses(before.info.get("exif"), after.info.get("exif"))
    if before.info.get("icc_profile") != after.info.get("icc_profile"):
        found.append("icc_profile is not what it was")
    was, now = _plain_info(before), _plain_info(after)
    found += [
        f"{key}: {was[key]!r} became {now.get(key)!r}" for key in was if was[key] != now.get(key)
    ]
    found += [f"{key} was added" for key in now if key not in was]
    if hasattr(before, "applist"):
        was_list, now_list = _segments(before), _segments(after)
        if was_list != now_list:
            found.append(f"segments {[s[0] for s in was_list]} became {[s[0] for s in now_list]}")
    return found + _xmp_losses(_xmp(before), _xmp(after))


def _exif_losses(before: bytes | None, after: bytes | None) -> list[str]:
    """Entries of the block that changed, as Pillow reads them, but for the comment; thumbnails are not compared."""
    was, now = _entries(before), _entries(after)
    if was is None or now is None or before is None:
        return [] if before == after else ["an EXIF block that cannot be read was changed"]
    comment = was.pop(("Exif", _COMMENT), b"")
    if now.pop(("Exif", _COMMENT), b"") != comment and comment[8:].strip(b"\0 "):
        return ["the EXIF comment of somebody else was changed"]
    changed = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
    return [f"EXIF {key} changed" for key in changed]


_COMMENT = ExifTags.Base.UserComment
_POINTERS = {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop}


def _entries(block: bytes | None) -> dict[tuple[str, int], Any] | None:
    """Values by directory and tag; `None` for a block that cannot be read."""
    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(block or b"")
            found = {("IFD0", int(tag)): repr(tags[tag]) for tag in tags if tag not in _POINTERS}
            for name in ("Exif", "GPSInfo", "Interop"):
                inner = tags.get_ifd(ExifTags.IFD[name])
                found |= {
                    (name, int(tag)): repr(inner[tag]) for tag in inner if tag not in _POINTERS
                }
                comment = inner.get(_COMMENT, b"")
                found[name, _COMMENT] = (
                    comment if isinstance(comment, bytes) else str(comment).encode()
                )
    except Exception:  # noqa: BLE001  # it raises whatever it likes
        return None
    return found


def _plain_info(image: Image.Image) -> dict[object, object]:
    """Everything Pillow read beside the pixels, without what has a comparison of its own."""
    own = {*_MIRROR, "icc_profile", "exif", "xmp", "XML:com.adobe.xmp", "mp", "mpoffset"}
    if image.mode == "P":
        own |= {"transparency"}  # compared as pixels: the palette may have been rearranged
    if image.mode == "CMYK":
        own |= {"adobe", "adobe_transform"}  # says how this scan is coded, which may change
    if image.format == "PNG":
        # an order of transmission, not content; and of the first frame alone: `films` compares all of them
        own |= {"interlace", "bbox", "blend", "disposal", "duration"}
    if image.format == "WEBP":
        own |= {"duration"}  # of the first frame alone; `films` compares all of them
    if image.format == "GIF":
        # extensions need the later version, and Pillow gives the place of the last one
        own |= {"version", "extension", "duration"}
    return {key: value for key, value in image.info.items() if key not in own}


def _segments(image: Image.Image) -> list[tuple[str, bytes]]:
    """A JPEG's APPn and COM segments, without C2PA and XMP; APP14 of a CMYK picture belongs to its scan."""
    listed: list[tuple[str, bytes]] = image.applist  # type: ignore[attr-defined]
    return [
        (name, data)
        for name, data in listed
        if not (name == "APP11" and data.startswith(_JPEG_C2PA))
        and not (name == "APP1" and data.startswith((_JPEG_XMP, b"Exif\0\0")))
        and not (name == "APP2" and data.startswith(_JPEG_MPF))
        and not (name == "APP14" and image.mode == "CMYK")
    ]


def _further_losses(
    before: Image.Image, after: Image.Image, source: bytes, output: bytes
) -> list[str]:
    """Pictures behind the first one, such as gain maps: what the index points to is what it pointed to."""
    (was, _), (now, end) = _further(before, source), _further(after, output)
    found = [] if was == now else ["the index of further pictures points to something else"]
    if now and end != b"\xff\xd9":
        found.append("the index of further pictures does not know where the first one ends")
    return found


def _further(image: Image.Image, data: bytes) -> tuple[list[bytes], bytes]:
    """Every further picture, and the last bytes of the first one, as Pillow reads the index of a JPEG file."""
    if "mp" not in image.info:
        return [], b""
    listed = image._getmp()[0xB002]  # type: ignore[attr-defined]
    base = data.index(_JPEG_MPF) + len(_JPEG_MPF)
    spans = [(base + e["DataOffset"], e["Size"]) for e in listed if e["DataOffset"]]
    first = next(e["Size"] for e in listed if not e["DataOffset"])
    return [data[at : at + size] for at, size in spans], data[first - 2 : first]


def _xmp(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp", image.info.get("XML:com.adobe.xmp"))
    return packet.encode() if isinstance(packet, str) else packet


def _xmp_losses(before: bytes | None, after: bytes | None) -> list[str]:
    """Statements of the old packet that the new one does not make; ours may replace earlier ones of the same name."""
    if before is None:
        return []
    was = _statements(before)
    if was is None:  # a packet that is none is left alone
        return [] if before == after else ["an XMP packet that cannot be read was changed"]
    now = _statements(after or b"")
    if now is None:
        return ["the XMP packet cannot be read any more"]
    gone = [statement for statement in was if statement not in now]
    return [f"XMP lost {statement}" for statement in gone]


def _statements(packet: bytes) -> list[tuple[str, str]] | None:
    """Every element with its text and every attribute, each with its path, but for the three that marking writes."""
    try:
        root = ET.fromstring(packet.strip(b"\0 \r\n\t"))
    except ET.ParseError:
        return None
    found: list[tuple[str, str]] = []

    def walk(element: ET.Element, path: str) -> None:
        if element.tag in _OURS:
            return
        here = f"{path}/{element.tag}"
        found.append((here, (element.text or "").strip()))
        found.extend((f"{here}@{k}", v) for k, v in element.attrib.items() if k not in _OURS)
        for child in element:
            walk(child, here)

    walk(root, "")
    return found


def _badge_area(image: Image.Image, placement: Mapping[str, Any]) -> np.ndarray:
    """True where the badge and its plate lie in the stored picture; everything else must be untouched."""
    turn = _orientation(image)
    shown = Image.new("L", image.size)
    if turn in SHOWN_FROM_STORED:
        shown = shown.transpose(SHOWN_FROM_STORED[turn])
    left, top = placement["x"] * shown.width, placement["y"] * shown.height
    right, bottom = (
        left + placement["width"] * shown.width,
        top + placement["height"] * shown.height,
    )
    shown.paste(255, (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)))
    stored = shown.transpose(STORED_FROM_SHOWN[turn]) if turn in STORED_FROM_SHOWN else shown
    box = stored.getbbox()
    assert box is not None, "the record names no area"
    if image.format not in {"PNG", "GIF"}:
        box = (
            box[0] // GRID * GRID,
            box[1] // GRID * GRID,
            -(-box[2] // GRID) * GRID,
            -(-box[3] // GRID) * GRID,
        )
    area = np.zeros((image.height, image.width), bool)
    area[box[1] : box[3], box[0] : box[2]] = True
    return area


def _orientation(image: Image.Image) -> int:
    """As browsers read it: from EXIF alone, where Pillow would also believe XMP."""
    tags = Image.Exif()
    try:
        tags.load(image.info.get("exif", b""))
        return int(tags.get(ExifTags.Base.Orientation, 1))
    except (
        ValueError,
        TypeError,
        SyntaxError,
        struct.error,
    ):  # EXIF that cannot be read turns nothing
        return 1


def _exact_losses(before: Image.Image, after: Image.Image, outside: np.ndarray) -> list[str]:
    """Every sample is equal, but for the few that a full palette gives up to make room for black and white."""
    was, now = _samples(before), _samples(after)
    delta = np.abs(was[outside].astype(np.int32) - now[outside].astype(np.int32))
    changed = (delta > 0).any(axis=1)
    few = before.mode == "P" and delta.max() <= MAX_SHIFT and changed.mean() <= MAX_SHIFTED
    if few or not changed.any():
        return []
    return [f"{changed.sum()} of {changed.size} pixels changed, by up to {delta.max()}"]


def _lossy_losses(before: Image.Image, after: Image.Image, outside: np.ndarray) -> list[str]:
    """PSNR of what is seen: colours as shown on white and on black; opacity must be the same."""
    found = []
    if "A" in before.getbands():
        was, now = _samples(before.getchannel("A")), _samples(after.getchannel("A"))
        if (was[outside] != now[outside]).any():
            found.append("the opacity changed")
    for ground in (0, 255):
        psnr = _psnr(
            _samples(_shown_on(before, ground)), _samples(_shown_on(after, ground)), outside
        )
        if psnr < LEAST_PSNR:
            found.append(f"{psnr:.1f} dB outside the badge")
    return found


def _shown_on(image: Image.Image, ground: int) -> Image.Image:
    if "A" not in image.getbands():
        return image
    plate = Image.new("RGBA", image.size, (ground, ground, ground, 255))
    return Image.alpha_composite(plate, image.convert("RGBA")).convert("RGB")


def _psnr(was: np.ndarray, now: np.ndarray, outside: np.ndarray) -> float:
    error = float(np.mean((was[outside].astype(np.float64) - now[outside]) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _samples(image: Image.Image) -> np.ndarray:
    """Pixels as rows × columns × channels, in the mode the file stores; palettes as the colours they mean."""
    if image.mode in {"P", "PA"}:
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    values = np.asarray(image)
    return values.reshape(*values.shape[:2], -1)


def _is_lossy(image_format: str | None, data: bytes) -> bool:
    """JPEG always; WebP when its picture is a VP8 chunk, looked up in the list of RIFF chunks."""
    if image_format != "WEBP":
        return image_format in _JPEG
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] == b"VP8 ":
            return True
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return False
