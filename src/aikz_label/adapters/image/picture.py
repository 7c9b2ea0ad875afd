"""One picture of a file, decoded as it is stored: what painting, comparing and measuring need, and nothing more.

Two kinds share the interface: `PillowPicture` for everything that Pillow holds without loss, and `samples.SamplePicture`
for what it cannot hold, such as 16-bit or floating-point colours. A format may bring a third, for instance one that decodes
only where somebody looks. Boxes of `paint` and `difference` lie in the stored picture, edges of `crop` in the displayed
one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from PIL import Image

from aikz_label.adapters.image import canvas, modes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.notice.measure import Seen


class Picture(ABC):
    """What every kind offers. Pixels change only through `paint`.

    Attributes:
        orientation: How it is turned to be seen, as EXIF numbers it, 1 to 8.
        stored: Width and height as stored, px.
        painted: The box that `paint` has changed, in the stored picture; `None` before. Formats that are edited in place
            write no more than this.
        plates: What `with_band` has painted, box by box: in a narrow picture `painted` is all of it.
    """

    __slots__ = ("orientation", "painted", "plates", "stored")

    def __init__(self, stored: tuple[int, int], orientation: int) -> None:
        self.stored = stored
        self.orientation = orientation
        self.painted: Box | None = None
        self.plates: tuple[Box, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as people see it, px; what `measure` and `search` go by."""
        return canvas.displayed_size(self.stored, self.orientation)

    @property
    def window(self) -> Box:
        """Left and top of the picture on the canvas that people see, and the canvas's width and height.

        Records count in shares of the canvas. Nearly every picture is all of it.
        """
        return 0, 0, *self.size

    @abstractmethod
    def paint(self, mask: Image.Image, box: Box) -> None:
        """Draw a mask of the box's size, opaque: 0 becomes black and 255 white, diffuse white in HDR.

        Raises:
            Refused: The picture cannot hold black and white.
        """

    @abstractmethod
    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """A part as people see it, in an 8-bit mode that Pillow converts to RGB or RGBA.

        HDR is toned down so that diffuse white is white. What can be transparent has an alpha channel or a transparent
        colour in its `info`: it will be measured on white and on black.

        Args:
            edges: Left, top, right and bottom in the displayed picture, within it.
        """

    @abstractmethod
    def difference(self, other: Picture, box: Box | None) -> float:
        """PSNR in dB outside a box: infinite when every sample is equal, 0 when they cannot be compared.

        Samples are compared as this picture holds them, at full depth; palettes by the colours they mean.
        """

    def with_band(self, band: Image.Image, top: int) -> tuple[Picture, Box]:
        """The picture with a band below it, as people see it, and where that band is stored.

        Args:
            band: White coverage, mode L, as wide as the displayed picture, or wider: what is beside that becomes black.
            top: Where it begins; what the picture has there and below is left out.
        """
        kept, displayed = (0, 0, self.size[0], top), (band.width, top + band.height)
        before = canvas.stored_box(kept, self.size, self.orientation)
        after = canvas.stored_box(kept, displayed, self.orientation)
        x, y = before[0] - after[0], before[1] - after[1]
        width, height = canvas.displayed_size(displayed, self.orientation)  # the same both ways
        other = self._cut((x, y, x + width, y + height))
        if band.width > self.size[0]:
            beside = (self.size[0], 0, band.width - self.size[0], top)
            plate = Image.new("L", beside[2:])
            box = canvas.stored_box(beside, displayed, self.orientation)
            other.paint(canvas.stored_mask(plate, self.orientation), box)
            other.plates = (box,)
        box = canvas.stored_box((0, top, *band.size), displayed, self.orientation)
        other.plates += (box,)
        other.paint(canvas.stored_mask(band, self.orientation), box)
        return other, box

    @abstractmethod
    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        """Another piece of the stored plane, which may reach beyond this picture: what it has there does not matter."""

    def left_out(self, box: Box | None) -> tuple[Box, ...]:
        """What a comparison with another picture leaves out: a box, and what `with_band` painted."""
        return tuple({*self.plates, *([box] if box else [])})

    @property
    def moving(self) -> int | None:
        """How many pictures are shown in its place one after another; `None` for a still one."""
        return None

    def moments(self) -> Iterator[Seen]:
        """What is shown in its place one after another; a still picture is shown for ever."""
        yield self

    def seen(self) -> Image.Image:
        """The whole picture, as `crop` gives it."""
        return self.crop((0, 0, *self.size))

    def _stored_edges(self, edges: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        left, top, right, bottom = edges
        shown = (left, top, right - left, bottom - top)
        x, y, width, height = canvas.stored_box(shown, self.size, self.orientation)
        return x, y, x + width, y + height


class PillowPicture(Picture):
    """A Pillow image of any mode.

    Attributes:
        image: The image; its `info` says what is transparent.
    """

    __slots__ = ("image",)

    def __init__(self, image: Image.Image, orientation: int = 1) -> None:
        super().__init__(image.size, orientation)
        self.image = image

    @property
    def mode(self) -> str:
        """The image's, whether or not it is decoded yet."""
        return self.image.mode

    def patch(self) -> Image.Image:
        """The painted part, as the picture holds it."""
        assert self.painted is not None
        x, y, width, height = self.painted
        return self.image.crop((x, y, x + width, y + height))

    def paint(self, mask: Image.Image, box: Box) -> None:
        """See `Picture.paint`."""
        everywhere = modes.paint(self.image, mask, box)
        self.painted = (0, 0, *self.stored) if everywhere else canvas.around(box, self.painted)

    def crop(self, edges: tuple[int, int, int, int]) -> Image.Image:
        """See `Picture.crop`."""
        edges = self._stored_edges(edges)
        whole = edges == (0, 0, *self.stored)
        part = self.image if whole else self.image.crop(edges)
        return canvas.displayed(modes.eight_bit(part, self.image), self.orientation)

    def _cut(self, edges: tuple[int, int, int, int]) -> Picture:
        return PillowPicture(self.image.crop(edges), self.orientation)

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`."""
        if not isinstance(other, PillowPicture) or other.stored != self.stored:
            return 0.0
        image = other.image
        if image.mode != self.image.mode:
            image = image.convert(self.image.mode)
        return modes.difference_outside(self.image, image, *self.left_out(box))


def only(pictures: Iterable[Picture]) -> Image.Image:
    """The image of a container with one picture that Pillow decodes."""
    (picture,) = pictures
    assert isinstance(picture, PillowPicture)
    return picture.image
