"""Every supported row of the format table keeps the adapter contract."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image

import apng_files
import gif_files
import png_files
import svg_files
import tiff_files
import webp_files
from aikz_label.formats import FORMATS
from aikz_label.metadata import ifd
from aikz_label.testing import AdapterContract
from support import deep_avif, encoded, heic, jxl, picture, pixels, require_heif

NAMED = re.compile(r'^    format = "(\w+)"$', re.MULTILINE)


class _Picture(AdapterContract):
    mode = "RGB"

    def sample(self) -> bytes:
        return encoded(picture(self.mode), self.format)

    def stripped(self, marked: bytes) -> bytes:
        with Image.open(io.BytesIO(marked)) as image:
            image.load()
            image.info.clear()
            return encoded(image, self.format)


class TestJpeg(_Picture):
    format = "jpeg"


class TestPng(_Picture):
    format = "png"

    def changed(self, marked: bytes) -> bytes:
        """Other pixels under a right check sum, so that only the marker can tell."""
        at = marked.rindex(b"IDAT")
        length = int.from_bytes(marked[at - 4 : at])
        data = bytearray(marked[at + 4 : at + 4 + length])
        data[-20] ^= 1
        chunk = b"IDAT" + bytes(data)
        check = zlib.crc32(chunk).to_bytes(4)
        return marked[:at] + chunk + check + marked[at + 8 + length :]


class TestDeepPng(TestPng):
    """16 bits per channel, which Pillow cannot hold."""

    def sample(self) -> bytes:
        return png_files.png(png_files.photo(png_files.RGB, 16), png_files.RGB, 16)

    def stripped(self, marked: bytes) -> bytes:
        return png_files.without(marked, b"caBX", b"iTXt")


class TestMovingPng(TestPng):
    def sample(self) -> bytes:
        return apng_files.moving()

    def stripped(self, marked: bytes) -> bytes:
        return png_files.without(marked, b"caBX", b"iTXt")


class TestWebP(_Picture):
    format = "webp"


class TestMovingWebP(TestWebP):
    """Lossy, so that a copy of the first picture brings the strip."""

    def sample(self) -> bytes:
        return webp_files.moving()

    def stripped(self, marked: bytes) -> bytes:
        return webp_files.without(marked, b"C2PA", b"XMP ")


class TestTiff(_Picture):
    format = "tiff"

    def changed(self, marked: bytes) -> bytes:
        """Another pixel in the first page, far from the badge."""
        read = ifd.Tiff.read(marked)
        at = read.numbers(read.pages[0].get(273))[-1] + 20
        return marked[:at] + bytes([marked[at] ^ 1]) + marked[at + 1 :]

    def stripped(self, marked: bytes) -> bytes:
        return tiff_files.without(marked, ifd.C2PA, ifd.XMP, ifd.EXIF)


class TestBook(TestTiff):
    """Pages of different kinds, in BigTIFF, of which Pillow reads only some."""

    def sample(self) -> bytes:
        return tiff_files.book(bigtiff=True)


class TestDng(TestBook):
    """Nothing is drawn, and the verdict stays `incomplete`."""

    format = "dng"
    noticed = False

    def sample(self) -> bytes:
        return tiff_files.raw_photo()


class TestGif(_Picture):
    format = "gif"
    mode = "P"


class TestMovingGif(TestGif):
    def sample(self) -> bytes:
        return gif_files.moving()

    def stripped(self, marked: bytes) -> bytes:
        return gif_files.without(marked, b"C2PA_GIF", b"XMP Data")


class TestAvif(_Picture):
    format = "avif"


class TestHeic(_Picture):
    format = "heic"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _library(cls):
        require_heif()

    def sample(self) -> bytes:
        return heic(picture(self.mode))

    def stripped(self, marked: bytes) -> bytes:
        return heic(pixels(marked))


class TestBmp(_Picture):
    format = "bmp"
    sidecar = True
    mirrored = False

    def stripped(self, marked: bytes) -> bytes:
        return marked


class TestIco(_Picture):
    """Two sizes, as bitmaps."""

    format = "ico"
    sidecar = True
    mirrored = False

    def stripped(self, marked: bytes) -> bytes:
        return marked

    def sample(self) -> bytes:
        sizes = [(256, 256), (64, 64)]
        return encoded(picture("RGBA", (256, 256)), "ICO", sizes=sizes, bitmap_format="bmp")


class TestJp2(_Picture):
    format = "jp2"
    sidecar = True

    def sample(self) -> bytes:
        return encoded(picture(self.mode), "JPEG2000")

    def stripped(self, marked: bytes) -> bytes:
        return encoded(pixels(marked), "JPEG2000")


class TestSvg(_Picture):
    format = "svg"

    def sample(self) -> bytes:
        return svg_files.svg()

    def stripped(self, marked: bytes) -> bytes:
        return svg_files.without_ours(marked)


class TestSvgz(TestSvg):
    format = "svgz"
    sidecar = True

    def sample(self) -> bytes:
        return gzip.compress(super().sample(), mtime=0)

    def changed(self, marked: bytes) -> bytes:
        """Another drawing under right check sums, so that only the marker can tell."""
        return gzip.compress(super().changed(gzip.decompress(marked)), mtime=0)

    def stripped(self, marked: bytes) -> bytes:
        return gzip.compress(super().stripped(gzip.decompress(marked)))


class TestJxl(_Picture):
    format = "jxl"

    def sample(self) -> bytes:
        return jxl(picture(self.mode))

    def stripped(self, marked: bytes) -> bytes:
        return jxl(pixels(marked))


class TestAvifOfTenBits(_Picture):
    """HDR of 10 bits, with opacity: the same promises at another depth."""

    format = "avif"

    def sample(self) -> bytes:
        return deep_avif(picture("RGBA"))

    def stripped(self, marked: bytes) -> bytes:
        return deep_avif(pixels(marked))


class TestHeicGrid(TestHeic):
    """Tiles: only those under the badge are coded anew."""

    def sample(self) -> bytes:
        return heic(picture(self.mode, (640, 480)), tile_size=256)


def test_every_supported_format_has_a_contract() -> None:
    """A class with its name, in this folder; `other` takes no notice (see tests/test_sidecar.py)."""
    files = Path(__file__).parent.glob("test_*.py")
    tested = {name for file in files for name in NAMED.findall(file.read_text(encoding="utf-8"))}
    assert tested | {"other"} == {row.name for row in FORMATS.values() if row.supported}


@pytest.mark.parametrize("row", [row for row in FORMATS.values() if not row.supported])
def test_every_other_format_is_named_not_guessed(row) -> None:
    assert row.title
    assert row.mime
    assert not row.marker
