"""GIF, still and animated: blocks, and a new first frame put into the source's own list of them.

GIF89a (CompuServe, 1990), with what browsers made of it; C2PA 2.4, appendix A.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.container import (
    Chunk,
    Tags,
    Text,
    check_pixels,
    metadata,
    refuse_variant,
)
from aikz_label.adapters.image.frames import Animated, Disposal, Frame, Grown, shared_time
from aikz_label.adapters.image.gif_blocks import (
    Control,
    Descriptor,
    palette_length,
    past_sub_blocks,
    past_zeros,
    sub_blocks,
)
from aikz_label.limits import MIB, Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from PIL.Image import Image

    from aikz_label.adapters.image.canvas import Box
    from aikz_label.adapters.image.picture import Picture

_HEADER = 13  # signature and logical screen
_CONTROL, _IMAGE = b"!\xf9", b","
_MARKER = b"!\xff\x0bC2PA_GIF\x01\x00\x00"
_XMP = b"!\xff\x0bXMP DataXMP"
_COMMENT = b"!\xfe"
# The packet stands there as it is. This behind it leads everybody who skips sub-blocks to the end (XMP, part 3).
_XMP_TRAILER = bytes((1, *range(255, -1, -1)))
_TICK = 10  # ms
_KEEP, _CLEAR = 1, 2
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}  # 4 by early drafts


class _At(NamedTuple):
    """Where a frame is in the list of blocks."""

    control: int | None
    image: int


@dataclass(frozen=True, slots=True)
class Gif(Animated):
    """A GIF file as its list of blocks.

    Attributes:
        data: The whole file.
        size: Of the screen; where the first frame is larger, of both, as for browsers.
        blocks: Extensions and frames, whole; the name is how they begin.
        start: Where they begin.
        end: Where they end: with the trailer, or with what is no block.
    """

    data: bytes
    size: tuple[int, int]
    blocks: tuple[Chunk, ...]
    start: int
    end: int

    pillow = "GIF"
    least_psnr = 50.0  # lossless but for the palette entries that make room for black and white

    @classmethod
    def parse(cls, data: bytes, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the blocks, as far as they make sense: what follows then is kept, and nobody shows it."""
        if len(data) < _HEADER:
            raise MediaProblem("damaged", detail_word="no-header")
        blocks: list[Chunk] = []
        first: Chunk | None = None
        at = start = _HEADER + palette_length(data[10])
        while (at := past_zeros(data, at)) < len(data) and data[at] != ord(";"):
            block = _block(data, at, limits, first=first is None)
            if block is None:
                break
            blocks.append(block)
            first = first or (block if block.name == _IMAGE else None)
            at = block.stop if block.whole is data else len(data)
            if len(blocks) > limits.max_parts:
                raise MediaProblem(
                    "over-limit", what_word="parts", found=len(blocks), limit=limits.max_parts
                )
        if first is None:
            raise MediaProblem("damaged", detail_word="no-end")
        left, top, width, height = _descriptor(first).box
        screen = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
        size = max(screen[0], left + width), max(screen[1], top + height)
        check_pixels(size, limits)
        return cls(data, size, tuple(blocks), start, at)

    @property
    def has_marker(self) -> bool:
        """Whether there is an application extension of C2PA."""
        return any(_begins(block, _MARKER) for block in self.blocks)

    def stores(self) -> Iterator[bytes]:
        """What the extensions of C2PA hold."""
        yield from (
            sub_blocks(block.data[len(_MARKER) :])
            for block in self.blocks
            if _begins(block, _MARKER)
        )

    @property
    def xmp(self) -> bytes | None:
        """The packet; some writers cut it into sub-blocks, as everything else is."""
        block = next((block for block in self.blocks if _begins(block, _XMP)), None)
        return _packet(block) if block else None

    def packets(self) -> Iterator[bytes]:
        """See `Container.packets`."""
        for block in self.blocks:
            found = _packet(block) if _begins(block, _XMP) else None
            if found is not None:
                yield found

    def texts(self) -> Iterator[Text]:
        """The comments."""
        for block in self.blocks:
            if _begins(block, _COMMENT):
                yield Text("Comment", block, _comment, "comment")

    @property
    def exif(self) -> bytes | None:
        """GIF has no place for EXIF."""
        return None

    @property
    def moving(self) -> bool:
        """Whether there is more than one frame; browsers show each for a tenth of a second if no time is given."""
        return sum(block.name == _IMAGE for block in self.blocks) > 1

    def check_variant(self) -> None:
        """Refuse what viewers do not agree about."""
        from aikz_label.adapters.image import gif_coding  # noqa: PLC0415

        broken = self.data[self.end : self.end + 1] not in {b"", b";"}
        if broken and gif_coding.more_frames(self.data, len(self._places())):
            raise refuse_variant("GIF", "its blocks break off, and viewers do not agree where")

    @property
    def _decided(self) -> Box:
        """The part of the screen that the first frame says something of; viewers show around it what they like."""
        at = self._places()[0]
        box = _descriptor(self.blocks[at.image]).box
        return box if self._control(at).transparent is None else (0, 0, *self.size)

    def frames(self) -> tuple[Frame, ...]:
        """Every image block, with the control before it."""
        return tuple(self._frame(at) for at in self._places())

    def decode(self, index: int = 0) -> Picture:  # noqa: ARG002  # there is one
        """The first frame on the screen; alone, if the rest of the screen is undefined."""
        from aikz_label.adapters.image import gif_coding  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        image, corner = self._first()
        if not self.moving and self._decided != (0, 0, *self.size):
            return gif_coding.Window(image, corner, self.size)
        return PillowPicture(gif_coding.on_screen(image, corner, self.size)[0])

    def _first(self) -> tuple[Image, tuple[int, int]]:
        """The first frame, and where it begins."""
        from aikz_label.adapters.image import gif_coding  # noqa: PLC0415

        at = self._places()[0]
        block, transparent = self.blocks[at.image].data, self._control(at).transparent
        left, top, _, _ = Descriptor.read(block).box
        return gif_coding.decoded(block, self._palette, transparent), (left, top)

    def opening(self) -> Image:
        """See `Animated.opening`."""
        from aikz_label.adapters.image import canvas  # noqa: PLC0415

        return canvas.on_empty(*self._first(), self.size)

    def encode(self, pictures: Iterable[Picture], tags: Tags) -> bytes:
        """The file with another first frame, as large as the screen, or where it was on an undefined one."""
        from aikz_label.adapters.image import gif_coding  # noqa: PLC0415
        from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

        (picture,) = pictures
        assert isinstance(picture, PillowPicture)
        x, y, *screen = picture.window
        frame = gif_coding.coded(picture.image, self._palette, (x, y))
        size = screen[0], screen[1]
        return self._assemble(size, {self._places()[0].image: frame}, tags.xmp)

    def with_strip(self, band: Image, top: int, tags: Tags) -> Grown:
        """See `Animated.with_strip`; the palettes of later frames stay out of it."""
        from aikz_label.adapters.image import gif_coding  # noqa: PLC0415

        first, moved = gif_coding.on_screen(*self._first(), self.size)
        hole = first.info.get("transparency")
        image, recoloured = gif_coding.higher(first.crop((0, 0, self.size[0], top)), band)
        at, new = self._places()[0], gif_coding.coded(image, self._palette)
        old, wiped = self._control(at), self._frame(at).disposal is not Disposal.KEEP
        control, longer, lead = old.seen_through(hole), 0, moved or recoloured or wiped
        if lead:
            time, left = shared_time(old.time, _TICK)
            # "restore what was there" would bring the copy back: before the first frame there is nothing
            rest = old.but(_CLEAR if wiped else old.disposal, left)
            control, longer = control.but(_KEEP, time), time + left - old.time
            new += rest.packed() + self.blocks[at.image].data
        before = control.packed() if lead or control != old else b""
        # the loop count can stand between the two: it stays before the first frame
        apart = {at.control: before, at.image: new} if at.control is not None else {}
        fresh = apart or {at.image: before + new}
        data = self._assemble(image.size, fresh, tags.xmp)
        undefined = self._decided != (0, 0, *self.size)
        return Grown(data, lead, longer=Fraction(longer * _TICK, 1000), opened=undefined)

    def same_colours(self, other: Self) -> bool:
        """See `Animated.same_colours`."""
        return self._palette == other._palette

    def excerpt(self, numbers: Collection[int]) -> bytes:
        """See `Animated.excerpt`."""
        places = enumerate(self._places())
        left_out = {part for number, at in places if number not in numbers for part in at}
        kept = (b.data for place, b in enumerate(self.blocks) if place not in left_out)
        return b"".join((self.data[: self.start], *kept, b";"))

    def with_tags(self, tags: Tags) -> bytes:
        """The same frames with other metadata; GIF has a place for XMP only."""
        return self._assemble(self.size, {}, tags.xmp)

    def parts(self) -> Iterator[bytes]:
        """Header and global palette, every block but the marker, then whatever follows."""
        yield self.data[: self.start]
        yield from (block.data for block in self.blocks if not _begins(block, _MARKER))
        yield self.data[self.end :]

    def _assemble(
        self, size: tuple[int, int], fresh: Mapping[int, bytes], xmp: bytes | None
    ) -> bytes:
        """All blocks in their order, some of them new; extensions need GIF89a."""
        screen = b"".join(number.to_bytes(2, "little") for number in size)
        out = [b"GIF89a", screen, self.data[10 : self.start]]
        first = min(position for position in self._places()[0] if position is not None)
        packets = (i for i, block in enumerate(self.blocks) if _begins(block, _XMP))
        old = next(packets, -1) if xmp is not None else -1
        for position, block in enumerate(self.blocks):
            if position == first and xmp is not None:
                out += [_XMP, xmp, _XMP_TRAILER, b"\0"]
            if position != old and not _begins(block, _MARKER):
                out.append(fresh.get(position) or block.data)
        return b"".join((*out, b";", self.data[self.end :].removeprefix(b";")))

    def _places(self) -> list[_At]:
        found, control = [], None
        for position, block in enumerate(self.blocks):
            if block.name == _CONTROL:
                control = position
            elif block.name == _IMAGE:
                found.append(_At(control, position))
                control = None
        return found

    def _control(self, at: _At) -> Control:
        return Control() if at.control is None else Control.read(self.blocks[at.control].data)

    def _frame(self, at: _At) -> Frame:
        control, block = self._control(at), self.blocks[at.image]
        how = _DISPOSALS.get(control.disposal, Disposal.KEEP)
        seen_through = Chunk.of(b"", str(control.transparent).encode())
        time = Fraction(control.time * _TICK, 1000)
        return Frame(_descriptor(block).box, time, how, True, (seen_through, block))

    @property
    def _palette(self) -> bytes:
        return self.data[_HEADER : _HEADER + palette_length(self.data[10])]


def _block(data: bytes, at: int, limits: Limits, *, first: bool) -> Chunk | None:
    """The block that begins somewhere, or `None` for what is none behind the first frame.

    Raises:
        MediaProblem: The file breaks off within a frame, or before there is any.
    """
    head = data[at : at + Descriptor.LENGTH]
    body = at + 2
    try:
        if head[:1] == b"!":
            return Chunk(head[:2], data, at, past_sub_blocks(data, at + 2))
        if head[:1] != b"," or len(head) < Descriptor.LENGTH:
            raise MediaProblem("damaged", detail_word="cut")
        body = at + Descriptor.LENGTH + palette_length(head[9])
        return Chunk(_IMAGE, data, at, past_sub_blocks(data, body + 1))
    except MediaProblem as problem:
        if head[:1] == b"," and len(data) > body + 1:
            return _closed(data, at, body + 1, limits)
        if first or problem.message.code != "unreadable.damaged":
            raise
        return None


def _closed(data: bytes, at: int, body: int, limits: Limits) -> Chunk:
    """A frame whose last sub-block the end of the file cuts, after its last pixel.

    Raises:
        MediaProblem: Pixels are missing.
    """
    from aikz_label.adapters.image import gif_coding  # noqa: PLC0415  # for these rare files only

    last = body
    while last + 1 + data[last] < len(data):
        last += 1 + data[last]
    rest = data[last + 1 :]
    block = data[at:last] + (bytes((len(rest),)) + rest if rest else b"") + b"\0"
    check_pixels(Descriptor.read(block).box[2:], limits)
    gif_coding.check_whole(block)
    return Chunk.of(_IMAGE, block)


def _descriptor(block: Chunk) -> Descriptor:
    return Descriptor.read(block.whole[block.start : block.start + Descriptor.LENGTH])


def _begins(block: Chunk, how: bytes) -> bool:
    return block.whole[block.start : min(block.stop, block.start + len(how))] == how


def _packet(block: Chunk) -> bytes | None:
    """The XMP packet in a block, unless it is far larger than any."""
    if block.stop - block.start > 2 * MIB:
        return None
    raw = block.data[len(_XMP) : -1]
    whole = raw.endswith(_XMP_TRAILER)
    return raw.removesuffix(_XMP_TRAILER) if whole else sub_blocks(raw)


def _comment(block: Chunk) -> str:
    data = metadata(block) or b""
    return sub_blocks(data[len(_COMMENT) :]).decode(errors="replace").strip("\0 \t\r\n")
