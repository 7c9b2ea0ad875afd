"""The pixels of single GIF frames: colour numbers in and out of blocks. Pillow does the LZW."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import palette
from aikz_label.adapters.image.container import decoding
from aikz_label.adapters.image.gif_blocks import Descriptor, palette_flags, past_sub_blocks
from aikz_label.adapters.image.picture import PillowPicture

if TYPE_CHECKING:
    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import Picture

_COLOURS = 256


class Window(PillowPicture):
    """A frame on a screen of which it says nothing beyond its own pixels, and nor does anything drawn on it.

    Attributes:
        corner: Where it begins.
        screen: Width and height of the screen, px; it grows with the frame.
    """

    __slots__ = ("corner", "screen")

    def __init__(
        self, image: Image.Image, corner: tuple[int, int], screen: tuple[int, int]
    ) -> None:
        super().__init__(image)
        self.corner = corner
        self.screen = (
            max(screen[0], corner[0] + image.width),
            max(screen[1], corner[1] + image.height),
        )

    @property
    def window(self) -> Box:
        """See `Picture.window`."""
        return *self.corner, *self.screen

    def _cut(self, edges: Box) -> Window:
        return Window(self.image.crop(edges), self.corner, self.screen)

    def difference(self, other: Picture, box: Box | None) -> float:
        """See `Picture.difference`."""
        same = isinstance(other, Window) and other.window == self.window
        return super().difference(other, box) if same else 0.0


def decoded(block: bytes, screen_palette: bytes, transparent: int | None) -> Image.Image:
    """The colour numbers of one frame, its palette with them.

    Args:
        block: Descriptor, local palette and pixels.
        screen_palette: The global palette.
        transparent: The transparent colour, if there is one.

    Raises:
        MediaProblem: The pixels are damaged, or have colours that are in no palette.
    """
    descriptor = Descriptor.read(block)
    start = Descriptor.LENGTH + descriptor.palette
    colours = block[Descriptor.LENGTH : start] or screen_palette
    found = _numbers(descriptor, block[start:])
    used = [index for index, count in enumerate(found.histogram()) if count]
    if any(index >= len(colours) // 3 and index != transparent for index in used):
        raise MediaProblem("damaged", detail_word="colours")
    # a transparent colour may lie outside, where room for new colours would be looked for
    found.putpalette(colours.ljust(3 * (1 + (transparent or 0)), b"\0"))
    if transparent is not None:
        found.info["transparency"] = transparent
    return found


def check_whole(block: bytes) -> None:
    """Make sure that every pixel of a frame is there, whatever its colours.

    Raises:
        MediaProblem: One is not.
    """
    descriptor = Descriptor.read(block)
    _numbers(descriptor, block[Descriptor.LENGTH + descriptor.palette :])


def more_frames(data: bytes, count: int) -> bool:
    """Whether Pillow, which looks for frames behind what is no block, finds others than so many.

    Where it finds that something is wrong there, it shows what was before.
    """
    try:
        with decoding(), Image.open(BytesIO(data), formats=["GIF"]) as image:
            return bool(getattr(image, "n_frames", 1) != count)
    except MediaProblem:
        return False


def _numbers(descriptor: Descriptor, pixels: bytes) -> Image.Image:
    """The colour numbers, whatever they mean, decoded from a file that holds nothing else."""
    size = b"".join(number.to_bytes(2, "little") for number in descriptor.box[2:])
    colours = bytes(level for index in range(_COLOURS) for level in (index, 0, 0))
    interlaced = bytes((descriptor.flags & Descriptor.INTERLACED,))
    alone = (b"GIF89a", size, b"\xf7\0\0", colours, b",\0\0\0\0", size, interlaced, pixels, b";")
    with decoding(), Image.open(BytesIO(b"".join(alone)), formats=["GIF"]) as image:
        image.load()
        return Image.frombytes("P", image.size, image.tobytes())


def on_screen(
    image: Image.Image, corner: tuple[int, int], size: tuple[int, int]
) -> tuple[Image.Image, bool]:
    """A frame on an empty screen, which is transparent, and whether pixels got another colour to make room for that."""
    if (corner, image.size) == ((0, 0), size):
        return image, False
    moved = image.info.get("transparency") is None and palette.make_hole(image)
    screen = Image.new("P", size, image.info["transparency"])
    screen.putpalette(image.getpalette("RGB") or [])
    screen.info["transparency"] = image.info["transparency"]
    screen.paste(image, corner)
    return screen, moved


def higher(image: Image.Image, band: Image.Image) -> tuple[Image.Image, bool]:
    """A picture with a band below it, and whether pixels got another colour to make room for black and white."""
    grown = image.crop((0, 0, band.width, image.height + band.height))
    moved = palette.paint(grown, band, (0, image.height))
    if band.width > image.width:
        beside = Image.new("L", (band.width - image.width, image.height))
        moved |= palette.paint(grown, beside, (image.width, 0))
    return grown, moved


def coded(image: Image.Image, screen_palette: bytes, corner: tuple[int, int] = (0, 0)) -> bytes:
    """Colour numbers as a block, with a local palette where the global one does not serve."""
    colours = bytes(image.getpalette("RGB") or b"")
    local = b"" if screen_palette.startswith(colours) else _padded(colours)
    buffer = BytesIO()
    numbers = Image.frombytes("L", image.size, image.tobytes())
    numbers.save(buffer, "GIF", optimize=False, interlace=0)
    written = buffer.getvalue()
    head = written.index(
        b",\0\0\0\0", 13 + 3 * _COLOURS
    )  # after the palette comes nothing but the frame
    start = head + Descriptor.LENGTH
    descriptor = Descriptor((*corner, *image.size), palette_flags(local))
    return descriptor.packed() + local + written[start : past_sub_blocks(written, start + 1)]


def _padded(colours: bytes) -> bytes:
    """A palette as long as GIF can write it."""
    count = 2
    while 3 * count < len(colours):
        count *= 2
    return colours.ljust(3 * count, b"\0")
