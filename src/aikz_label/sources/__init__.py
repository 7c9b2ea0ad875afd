"""Any kind of source as one seekable binary stream."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

from aikz_label import files, formats
from aikz_label.errors import UsageError
from aikz_label.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

Source: TypeAlias = "str | Path | bytes | BinaryIO | Image"


@contextmanager
def open_any(source: Source, caps: Limits, target: Path | None) -> Iterator[BinaryIO]:
    """Open a path, bytes, a stream or a PIL image for reading.

    Args:
        source: Where the bytes are; a PIL image is encoded first.
        caps: How much is taken from a stream that cannot seek.
        target: The destination, whose suffix names the format of a PIL image.

    Raises:
        SourceError: A path that is not a regular file, or one that changed while it was read.
        UsageError: None of these, or a picture that cannot be written in that format.
    """
    if isinstance(source, str | Path):
        with files.open_source(Path(source)) as stream:
            yield stream
    elif isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(bytes(source))
    elif _is_picture(source):
        yield io.BytesIO(_encode(cast("Image", source), target))
    elif not hasattr(source, "read"):
        raise UsageError(f"Cannot read from {type(source).__name__}.")
    else:
        stream = cast("BinaryIO", source)
        if not isinstance(stream.read(0), bytes):
            raise UsageError("The stream gives text, not bytes.", hint="Open it in binary mode.")
        if getattr(stream, "seekable", bool)():
            yield stream
            return
        with files.spool(stream, caps.max_bytes) as spooled:
            yield spooled


def _is_picture(source: object) -> bool:
    """A PIL image, known without importing PIL for those who have none."""
    return hasattr(source, "save") and hasattr(source, "mode") and hasattr(source, "size")


# What holds a generator's colours: GIF would reduce them to 256, and what is no picture's format holds none.
_WRITTEN = ("png", "jpeg", "webp", "avif", "tiff", "bmp")
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95},
    "avif": {"quality": 95, "subsampling": "4:4:4"},
}
_EXIF = b"Exif\0\0"
# What WebP and AVIF hold as it is; Pillow would turn 16 bits into white and inks into other colours without a word.
_PLAIN = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX"}


def _encode(image: Image, target: Path | None) -> bytes:
    """A picture straight from a generator, in the destination's format."""
    suffix = target.suffix.lower() if target else ".png"
    rows = (formats.FORMATS[name] for name in _WRITTEN)
    row = next((f for f in rows if suffix in f.suffixes), None)
    if row is None:
        raise UsageError(
            f"A picture cannot be written as {suffix or 'a file without a suffix'}.",
            hint="Use .png, .jpg, .webp, .avif, .tiff or .bmp.",
        )
    buffer = io.BytesIO()
    try:
        _save(image, buffer, row.name)
    except (OSError, ValueError, RuntimeError) as error:
        width, height = image.size
        raise UsageError(
            f"A picture of mode {image.mode}, {width} × {height} pixels, cannot be written as {row.title}: {error}.",
            hint="Convert it first, for example with .convert('RGB'), or write it as .png or .tiff.",
        ) from error
    return buffer.getvalue()


def _save(image: Image, buffer: BinaryIO, name: str) -> None:
    """Write a picture if it keeps its depth, colours, transparency and frames; Pillow refuses only some that do not."""
    if getattr(image, "n_frames", 1) > 1:
        raise ValueError("of its frames only one would be left; pass the file, or a copy() of one")
    held = {
        "webp": image.mode in _PLAIN and 0 not in image.size,
        "avif": image.mode in _PLAIN,
        "bmp": not image.has_transparency_data and not {"icc_profile", "exif"} & set(image.info),
        "jpeg": "transparency" not in image.info,
        "tiff": "transparency" not in image.info,
    }
    if not held.get(name, True):
        raise ValueError("the format does not hold such a one")
    options = dict(_OPTIONS.get(name, {}))
    if block := image.info.get("exif"):  # without it a photograph may lie on its side
        options["exif"] = block if block.startswith(_EXIF) else _EXIF + block
    image.save(buffer, name.upper(), **options)
