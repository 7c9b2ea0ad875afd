"""Pages as pictures, by PDFium.

PDFium is not safe to use from several threads, so one lock is around all of it. A file that it cannot open gives no
pictures, which is no error: what is known from the structure stays known. Sizes are bounded by pixels, and the number of
pages by whoever asks.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from aikz_label.values import dataclass

if TYPE_CHECKING:
    import pypdfium2
    from PIL import Image

_LOCK = threading.RLock()
_IN_MEMORY = 16 << 20  # bytes of a file
_MAX_PIXELS = 6_000_000  # of one picture
_KEPT = 64  # pages after which a document is opened anew
_SMALL = 165  # shorter side of a small picture, px: 20 dpi on A4
Part = tuple[float, float, float, float]
WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A page, or a part of it.

    Attributes:
        image: RGB.
        whole: Width and height that the whole page would have at this scale, px.
        left: Where the part starts in it, px.
        top: The same from above.
    """

    image: Image.Image
    whole: tuple[float, float]
    left: int
    top: int


class Renderer:
    """An open document; made by `opened`."""

    def __init__(self, document: pypdfium2.PdfDocument, source: BinaryIO, password: str) -> None:
        self._document: pypdfium2.PdfDocument | None = document
        self._source, self._password = source, password
        self._pages: set[int] = set()
        self.count = len(document)

    def picture(self, index: int, short_side: float, part: Part = WHOLE) -> Picture | None:
        """A page as people see it, on white, with its annotations and the form fields that are filled in.

        Args:
            index: The page, from 0.
            short_side: How large the shorter side of the whole page is to be, px.
            part: Only what lies between left, top, right and bottom: shares of the displayed page.

        Returns:
            The picture, or `None` when there is none of that page.
        """
        return self._drawn(index, short_side, part, grey=False)

    def grey(self, index: int, part: Part = WHOLE) -> NDArray[np.int16] | None:
        """A small grey picture of a page or of a part of it, or `None` when there is none."""
        seen = self._drawn(index, _SMALL, part, grey=True)
        return None if seen is None else np.asarray(seen.image, np.int16)

    def _drawn(self, index: int, short_side: float, part: Part, *, grey: bool) -> Picture | None:
        import pypdfium2  # noqa: PLC0415

        if not 0 <= index < self.count:
            return None
        document, page = self._fresh(index), None
        if document is None:
            return None
        try:
            page = document[index]
            width, height = page.get_size()
            left, top, right, bottom = part
            shown = width * height * (right - left) * (bottom - top)
            scale = min(short_side / min(width, height), (_MAX_PIXELS / shown) ** 0.5)
            crop = (left * width, (1 - bottom) * height, (1 - right) * width, top * height)
            bitmap = page.render(scale=scale, crop=crop, grayscale=grey)
            try:
                image = bitmap.to_pil().convert("L" if grey else "RGB")
            finally:
                bitmap.close()
        except (pypdfium2.PdfiumError, ValueError, ArithmeticError, OSError):
            return None
        finally:
            if page is not None:
                page.close()
        # it is cut off in whole px, rounded up
        edges = math.ceil(crop[0] * scale), math.ceil(crop[3] * scale)
        return Picture(image, (width * scale, height * scale), *edges)

    def _fresh(self, index: int) -> pypdfium2.PdfDocument | None:
        """The document, opened anew now and then: PDFium keeps whatever it has read of every page."""
        if len(self._pages) >= _KEPT and index not in self._pages:
            self.close()
            self._document = _document(self._source, self._password)
            self._pages.clear()
        self._pages.add(index)
        return self._document

    def close(self) -> None:
        """Let go of it."""
        if self._document is not None:
            self._document.close()
            self._document = None


@contextmanager
def opened(source: BinaryIO, password: str = "") -> Iterator[Renderer | None]:
    """Open a document for rendering; gives `None` when PDFium cannot."""
    with _LOCK:
        document = _document(source, password)
        if document is None:
            yield None
            return
        pages = Renderer(document, source, password)
        try:
            yield pages
        finally:
            pages.close()


def _document(source: BinaryIO, password: str) -> pypdfium2.PdfDocument | None:
    import pypdfium2  # noqa: PLC0415

    try:
        size = source.seek(0, 2)
        source.seek(0)
        # from memory it is faster, as long as there is room for it
        data = source.read() if size <= _IN_MEMORY else source
        document = pypdfium2.PdfDocument(data, password=password or None)
        document.init_forms()  # without it, fields are not drawn
    except (pypdfium2.PdfiumError, ValueError, OSError):
        return None
    return document
