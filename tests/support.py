"""What several tests share: tools, the corpus, sample pictures."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aikz_label import sniff

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "fixtures" / "dandelion.jpg"
BIN = "051140000004"


def missing(what: str) -> None:
    """Skip with the reason where something is absent; fail where it must be there."""
    if os.environ.get("AIKZ_REQUIRE_TOOLS"):
        pytest.fail(f"{what} is required here (AIKZ_REQUIRE_TOOLS)")
    pytest.skip(f"{what} is not here")


def require_tool(name: str) -> str:
    """Path of a program; skips with the reason where it is absent, fails where it must be there."""
    path = shutil.which(name)
    if path is None:
        missing(f"the program {name}")
    assert path is not None
    return path


def require_corpus() -> Path:
    """Folder of the real files; skips with the reason where it is absent."""
    folder = Path(os.environ.get("AIKZ_CORPUS") or ROOT.parent / "shared" / "corpus")
    if not (folder / "index.tsv").is_file():
        missing("the corpus of real files (AIKZ_CORPUS)")
    return folder


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (480, 320)) -> Image.Image:
    """The photograph, reduced, in a mode."""
    with Image.open(PHOTO) as photo:
        small = photo.resize(size)
    if mode == "P":
        return small.quantize(256)
    if mode in {"LA", "RGBA"}:
        ramp = Image.linear_gradient("L").resize(size)
        small = small.convert(mode)
        small.putalpha(ramp)
        return small
    return small.convert(mode)


def require_heif() -> Any:
    """An independent library for HEIC, with the codec of ours; skips with the reason where one is absent."""
    try:
        import av  # noqa: F401
        import pillow_heif
    except ModuleNotFoundError as error:
        missing(f"the package {error.name}")
    return pillow_heif


def heic(image: Image.Image, **options: Any) -> bytes:
    """A picture as the bytes of a HEIC file."""
    buffer = io.BytesIO()
    made = require_heif().from_bytes(image.mode, image.size, image.tobytes())
    made.save(buffer, **{"quality": 90, **options})
    return buffer.getvalue()


def require_codecs() -> Any:
    """The optional library for JPEG XL and deep AVIF; skips with the reason where it is absent."""
    try:
        import imagecodecs
    except ModuleNotFoundError:
        missing("the package imagecodecs")
    return imagecodecs


def jxl(image: Image.Image) -> bytes:
    """A picture as the bytes of a JPEG XL file, lossy."""
    return bytes(require_codecs().jpegxl_encode(np.asarray(image), distance=1.0))


def deep_avif(image: Image.Image) -> bytes:
    """A picture as the bytes of an AVIF file of 10 bits, with PQ."""
    samples = np.asarray(image).astype(np.uint16) << 2
    options = {"bitspersample": 10, "primaries": 9, "transfer": 16, "matrix": 9, "speed": 10}
    return bytes(require_codecs().avif_encode(samples, level=90, **options))


def pixels(data: bytes, mode: str = "") -> Image.Image:
    """The decoded picture; HEIC as it is displayed, everything else as it is stored."""
    row = sniff(data)
    if row is not None and row.name == "heic":
        image = require_heif().open_heif(data).to_pillow()
    elif row is not None and row.name == "jxl":
        image = Image.fromarray(require_codecs().jpegxl_decode(data))
    else:
        image = Image.open(io.BytesIO(data))
    image.load()
    return image.convert(mode) if mode else image
