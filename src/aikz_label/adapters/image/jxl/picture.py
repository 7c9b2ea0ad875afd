"""The picture of a JPEG XL file, decoded by libjxl to be compared and measured; painting notes what the layer will hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jxl.header import Extra, Header
from aikz_label.adapters.image.refusals import cannot_grow
from aikz_label.adapters.image.samples import Colours, SamplePicture
from aikz_label.errors import MissingDependency, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import Picture

_MOST_SHOWN = 300_000_000  # samples of all frames of an animation that are compared
_LIKE = 48.0  # dB: what a badge looks like in every frame
_CALM = 8  # px: over so many the noise that a decoder makes up is evened out
_ROWS = 64 * _CALM  # that are evened out at once


class JxlPicture(SamplePicture):
    """The first picture that is shown; an animation brings the others to be compared.

    Attributes:
        layers: The masks that were drawn, and where.
        origin: Where the picture of the file lies in this one, which may be larger.

    Args:
        codestream: Of the file.
        header: What it says of itself.
        count: Frames that are shown.
        noisy: The decoder makes up noise, another one in every file.
        samples: The first picture, if it is decoded already.
    """

    __slots__ = ("_codestream", "_count", "_header", "_noisy", "layers", "origin")

    def __init__(
        self,
        codestream: bytes,
        header: Header,
        count: int,
        *,
        noisy: bool = False,
        samples: Any | None = None,
    ) -> None:
        samples = decoded(codestream, 0) if samples is None else samples
        super().__init__(samples, _colours(samples, header), header.orientation)
        self.layers: list[tuple[Image.Image, Box]] = []
        self.origin = (0, 0)
        self._codestream, self._header, self._count = codestream, header, count
        self._noisy = noisy

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        super().paint(mask, box)
        self.layers.append((mask, box))

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        """See `Picture`; only a still picture can become larger, and none smaller."""
        larger = edges[0] <= 0 and edges[1] <= 0
        larger = larger and edges[2] >= self.stored[0] and edges[3] >= self.stored[1]
        if self._count > 1 or not larger:
            raise cannot_grow("it moves, or would have to become smaller")
        piece = super()._cut(edges)
        assert isinstance(piece, SamplePicture)
        other = JxlPicture(
            self._codestream, self._header, 1, noisy=self._noisy, samples=piece.samples
        )
        other.origin = -edges[0], -edges[1]
        return other

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`; of an animation the worst frame, in each of which the box must look alike."""
        first = self._compared(self, other, box)
        if self._count == 1 or not isinstance(other, JxlPicture) or not first:
            return first
        if other._count != self._count:  # noqa: SLF001
            return 0.0
        worst, shown = first, None
        for was, now in zip(self._frames(), other._frames(), strict=True):  # noqa: SLF001
            worst = min(worst, self._compared(was, now, box))
            if box is not None:
                x, y, width, height = box
                part = SamplePicture(now.samples[y : y + height, x : x + width], self.colours)
                shown = shown or part
                if shown.difference(part, None) < _LIKE:
                    return 0.0
        return worst

    def _compared(self, was: SamplePicture, now: Picture, box: Box | None) -> float:
        if not self._noisy or not isinstance(now, SamplePicture) or was.stored != now.stored:
            return SamplePicture.difference(was, now, box)
        return SamplePicture.difference(_calmed(was, box), _calmed(now, box), None)

    def _frames(self) -> Iterator[SamplePicture]:
        """Every frame in turn."""
        if self._count * self.samples.size > _MOST_SHOWN:
            raise Refused(
                "The frames of this animation are too many to be looked at one by one.",
                code="over-limit",
                hint="Use a shorter or smaller animation.",
            )
        for index in range(self._count):
            yield SamplePicture(decoded(self._codestream, index), self.colours)


def _calmed(picture: SamplePicture, box: Box | None) -> SamplePicture:
    """What a picture looks like from afar, without what is in a box."""
    pieces = []
    for top in range(0, picture.stored[1], _ROWS):
        rows = picture.samples[top : top + _ROWS].astype(np.float64)
        if box is not None:
            x, y, width, height = box
            rows[max(0, y - top) : max(0, y + height - top), x : x + width] = 0.0
        fill = [(0, -size % _CALM) for size in rows.shape[:2]]
        rows = np.pad(rows, [*fill, (0, 0)])
        high, wide, channels = rows.shape
        blocks = rows.reshape(high // _CALM, _CALM, wide // _CALM, _CALM, channels)
        pieces.append(blocks.mean(axis=(1, 3)))
    return SamplePicture(np.concatenate(pieces), picture.colours)


def decoded(codestream: bytes, index: int) -> Any:
    """Rows × columns × channels of one frame, as it is stored."""
    codec = library()
    try:
        samples = codec.jpegxl_decode(codestream, index=index, keeporientation=True)
    except MemoryError:
        raise MediaProblem("damaged", detail_word="decoder") from None
    except Exception as error:  # decoders raise whatever they like on hostile bytes
        raise MediaProblem("damaged", detail_word="decoder") from error
    samples = np.array(samples)  # writable
    return samples[..., None] if samples.ndim == 2 else samples


def _colours(samples: Any, header: Header) -> Colours:
    """What the numbers mean, by the header."""
    floating = samples.dtype.kind == "f"
    white = 1.0 if floating else float((1 << min(header.depth.bits, 16)) - 1)
    grey = samples.shape[2] < 3
    alpha = next((c for c in header.channels if c.kind == Extra.ALPHA), None)
    has_alpha = alpha is not None and samples.shape[2] in {2, 4}
    return Colours(
        "grey" if grey else "rgb",
        0.0,
        white,
        alpha=samples.shape[2] - 1 if has_alpha else -1,
        opaque=white,
        premultiplied=has_alpha and alpha is not None and alpha.premultiplied,
        transfer=header.transfer if header.transfer in {"pq", "hlg"} else "sdr",
    )


def library() -> Any:
    """The decoder.

    Raises:
        MissingDependency: It is not installed.
    """
    try:
        import imagecodecs  # noqa: PLC0415  # optional
    except ImportError as error:
        raise MissingDependency("JPEG XL", "jxl") from error
    return imagecodecs
