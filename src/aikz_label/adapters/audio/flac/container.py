"""FLAC: frames of a notice among those of the programme, which get other numbers and stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    SoundFile,
    Text,
    Witness,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.flac import blocks as flac_blocks
from aikz_label.adapters.audio.flac import frames as flac_frames
from aikz_label.adapters.audio.flac import sound as flac_sound
from aikz_label.adapters.audio.flac.blocks import StreamInfo
from aikz_label.adapters.audio.flac.frames import Frames
from aikz_label.adapters.audio.flac.splice import Splice
from aikz_label.adapters.audio.frames import Once
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags.id3_file import Tagged
from aikz_label.adapters.audio.tags.vorbis import Comments
from aikz_label.later import Later
from aikz_label.values import dataclass, field

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.carriers.embedded import Place
    from aikz_label.carriers.room import Room
    from aikz_label.label import Label
    from aikz_label.limits import Limits
else:
    np = Later("numpy")

_MOST_BLOCKS = 1000
_BLOCK_HEAD, _MD5 = (
    4,
    18,
)  # bytes before the content of a block, and within the first one before the check sum
_MOST_METADATA = 1 << 26


@dataclass(frozen=True, slots=True)
class Flac(SoundFile):
    """A FLAC file.

    Attributes:
        source: The file.
        tagged: An ID3 tag before it, against the standard; also where markers are.
        info: What the first block says.
        blocks: The other ones.
        start: Where the frames start.
        size: Bytes of the file.
        frames: Where each is, for which FFmpeg walks through the whole file.
        summed: The check sum of its sound, once somebody decoded that.
    """

    source: BinaryIO
    tagged: Tagged
    info: StreamInfo
    blocks: tuple[flac_blocks.Block, ...]
    start: int
    size: int
    frames: Once[Frames]
    summed: list[bytes] = field(default_factory=list)

    demuxer: ClassVar[str] = "flac"

    @property
    def native(self) -> bool:
        """See `SoundFile.native`."""
        return True

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.info.rate

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always all blocks
        """Read the blocks."""
        size = size_of(source, limits)
        tagged = Tagged.read(source)
        if pieces.read(source, tagged.stop, 4) != b"fLaC":
            raise MediaProblem("damaged", detail_word="no-sound")
        blocks, at = _blocks(source, tagged.stop + 4, size)
        if not blocks or blocks[0].kind != flac_blocks.INFO:
            raise MediaProblem("damaged", detail_word="cut")
        info = StreamInfo.read(blocks[0].content)
        frames = Once(lambda: _frames(source, at, size))
        return cls(source, tagged, info, tuple(blocks[1:]), at, size, frames)

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`; frames must follow each other without anything between them."""
        if not len(self.frames()):
            raise MediaProblem("damaged", detail_word="no-sound")

    def witness(self) -> flac_sound.Sum | None:
        """The check sum of the sound, unless it has none, or one that did not fit."""
        wanted = any(self.info.md5) and (self._fits or not self.summed)
        return flac_sound.Sum(self.info) if wanted else None

    def witnessed(self, found: Witness) -> None:
        """See `SoundFile.witnessed`."""
        assert isinstance(found, flac_sound.Sum)
        self.summed[:] = [found.digest()]

    @property
    def _fits(self) -> bool:
        return self.summed == [self.info.md5]

    def sealed(self, found: Witness) -> None:
        """Write the check sum, which is behind the other numbers of the first block."""
        assert isinstance(found, flac_sound.Sum)
        at = self.tagged.stop + len(b"fLaC") + _BLOCK_HEAD + _MD5
        self.source.seek(at)
        self.source.write(found.digest())

    def markers(self) -> Iterator[Place]:
        """The objects of type C2PA in the tag before the file."""
        return self.tagged.markers()

    def texts(self) -> Iterator[Text]:
        """Of its comments, and of the tag before it."""
        for block in self.blocks:
            if block.kind == flac_blocks.COMMENTS:
                yield from Comments.read(block.content).read_texts()
        yield from self.tagged.texts()

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:  # noqa: ARG002  # a last frame can be short
        """The starts of frames."""
        firsts = self.frames().firsts
        nearest = (int(np.abs(firsts - second * self.info.rate).argmin()) for second in seconds)
        return tuple(dict.fromkeys(int(firsts[number]) for number in nearest))

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole frames can be taken out."""
        found = self.frames()
        bounds = {*found.firsts.tolist(), found.total}
        return bounds.issuperset(chain.from_iterable(places))

    def encode(self, samples: Samples) -> Coded:
        """Whole blocks."""
        return flac_sound.coded(samples, self.info, on_cd=self._on_cd)

    def assemble(self, inserts: Sequence[Insert], label: Label, said: list[str]) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        shift = Shift(inserts, self.info.rate)
        yield from self.tagged.without_marker()
        if not inserts:
            yield b"fLaC" + described(self, self.info, shift, label, lambda at: at)
            yield Span(self.start, self.size)
            return
        found = self.frames()
        splice = Splice.of(self, found, inserts)
        if any(self.info.md5) and self.summed and not self._fits:
            said.append(flac_sound.UNFIT)
        info = self.info.longer(shift, splice.sizes, bytes(16))  # `sealed` knows the new one
        yield b"fLaC" + described(self, info, shift, label, splice.places())
        for fresh in splice.frames():
            yield from fresh
        yield Span(found.stop, self.size)

    def room(self) -> Room:
        """An object in a tag before the file, where the engine has it too."""
        return self.tagged.room()

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        return self.tagged.parts()

    @property
    def _on_cd(self) -> bool:
        return any(b.kind == flac_blocks.CUES and flac_blocks.is_cd(b.content) for b in self.blocks)


def described(
    flac: Flac,
    info: StreamInfo,
    shift: Shift,
    label: Label,
    place: Callable[[int], int | None],
) -> bytes:
    """The blocks before the frames."""
    fresh = [flac_blocks.Block(flac_blocks.INFO, info.stored())]
    first = True
    for block in flac.blocks:
        content = block.content
        if block.kind == flac_blocks.COMMENTS:
            comments = Comments.read(content).moved(shift)
            content = (comments.with_mirror(label) if first else comments).stored()
            first = False
        elif block.kind == flac_blocks.CUES:
            content = flac_blocks.moved_cues(content, shift)
        elif block.kind == flac_blocks.SEEK:
            content = flac_blocks.moved_points(content, shift, place)
        fresh.append(flac_blocks.Block(block.kind, content))
    if first:
        added = Comments().with_mirror(label).stored()
        fresh.insert(1, flac_blocks.Block(flac_blocks.COMMENTS, added))
    return b"".join(block.stored(last=block is fresh[-1]) for block in fresh)


def _frames(source: BinaryIO, start: int, size: int) -> Frames:
    """The frames, which must have nothing between them."""
    found = flac_frames.listed(flac_frames.packets(source, Flac.demuxer), start)
    tail = pieces.read(source, found.stop, 4)
    if found.stop > size or (tail and tail[:3] not in {b"TAG", b"APE", b"LYR"}):
        raise refuse_variant("FLAC", "something stands between its frames")
    return found


def _blocks(source: BinaryIO, at: int, size: int) -> tuple[list[flac_blocks.Block], int]:
    """The blocks, and where they end."""
    found: list[flac_blocks.Block] = []
    spent = 0
    while True:
        head = pieces.read(source, at, 4)
        length = int.from_bytes(head[1:])
        spent += length
        if len(head) < 4 or at + 4 + length > size:
            raise MediaProblem("damaged", detail_word="cut")
        if len(found) == _MOST_BLOCKS or spent > _MOST_METADATA:
            raise MediaProblem(
                "over-limit", what_word="parts", found=len(found), limit=_MOST_BLOCKS
            )
        found.append(flac_blocks.Block(head[0] & 0x7F, pieces.read(source, at + 4, length)))
        at += 4 + length
        if head[0] & 0x80:
            return found, at
