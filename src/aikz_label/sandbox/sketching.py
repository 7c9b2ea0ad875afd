"""Drawing small pictures, as a child is asked for it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any, BinaryIO

from aikz_label import formats, limits
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import decoding
from aikz_label.limits import Limits
from aikz_label.sandbox.work import opened, sample
from aikz_label.values import dataclass


@dataclass(frozen=True, slots=True)
class Sketching:
    """Small pictures of pictures, for a page.

    Attributes:
        side: Pixels of the longer side.
        caps: Limits while reading.
    """

    side: int = 112
    caps: Limits = limits.DEFAULT

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A JPEG in base64, made anew from the pixels; nothing of the file itself is in it."""
        try:
            with opened(request["uri"], self.caps) as (stream, _, _):
                return {"jpeg": self._sketch(stream)}
        except (OSError, MediaProblem):
            return {}

    def _sketch(self, stream: BinaryIO) -> str:
        row = formats.sniff(stream)
        if row is None or row.family != "image":
            return ""
        with decoding():
            return self._drawn(stream)

    def _drawn(self, stream: BinaryIO) -> str:
        from PIL import Image, ImageOps  # noqa: PLC0415

        with Image.open(stream) as image:
            if image.width * image.height > self.caps.max_pixels:
                return ""
            image.draft("RGB", (2 * self.side, 2 * self.side))
            image.thumbnail((2 * self.side, 2 * self.side))
            small = ImageOps.exif_transpose(image).convert("RGB")
        small.thumbnail((self.side, self.side))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=70)
        return base64.b64encode(buffer.getvalue()).decode("ascii")

    def try_sample(self) -> None:
        """Draw the sample."""
        self._sketch(io.BytesIO(sample()))
