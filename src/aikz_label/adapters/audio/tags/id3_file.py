"""ID3v2 before the sound, as in MP3, ADTS and, against its standard, FLAC: mirrors, moved moments, and the marker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
from aikz_label.adapters.audio.container import Text
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import id3, id3_frames
from aikz_label.adapters.audio.tags.id3 import Frame, Tag
from aikz_label.carriers.embedded import Cut, Place
from aikz_label.carriers.room import Room
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.label import Label
from aikz_label.values import dataclass

_MOST_TAGS = 8


@dataclass(frozen=True, slots=True)
class Tagged:
    """The tags with which a file begins.

    Attributes:
        source: The file.
        tag: The first one; without frames when there is none.
        stop: Where the last one ends.
        lead: What stands between them and the sound.
        size: Bytes of the file.
    """

    source: BinaryIO
    tag: Tag
    stop: int
    lead: Span
    size: int

    @classmethod
    def read(cls, source: BinaryIO) -> Self:
        """Read the first tag, and skip those behind it.

        Raises:
            MediaProblem: A tag is longer than any, or does not hold what it says.
        """
        size = source.seek(0, 2)
        stop = length = id3.length_of(pieces.read(source, 0, id3.HEAD))
        if length > id3.MOST:
            raise MediaProblem("over-limit", what_word="bytes", found=length, limit=id3.MOST)
        tag = Tag.read(pieces.read(source, 0, length)) if length else Tag.new()
        assert tag is not None
        for _ in range(_MOST_TAGS):
            more = id3.length_of(pieces.read(source, stop, id3.HEAD)) if stop else 0
            if not more:
                break
            stop += more
        return cls(source, tag, stop, Span(stop, stop), size)

    def texts(self) -> Iterator[Text]:
        """The texts of the first tag."""
        return id3_frames.texts(self.tag)

    def packets(self) -> Iterator[bytes]:
        """The XMP packets of the first tag."""
        return id3_frames.packets(self.tag)

    def markers(self) -> Iterator[Place]:
        """The markers of the first tag, where they stand in the file."""
        if next(id3_frames.stores(self.tag), None) is None:
            return
        stored = pieces.read(self.source, 0, self.tag.length)
        for frame, start in id3_frames.stores(self.tag):
            store = frame.body[start:]
            at = stored.find(frame.body)
            if at < 0:  # unsynchronised: not in one piece
                yield Place(0, self.tag.length, None, (), "assertion.dataHash.malformed")
                continue
            first, last = at + start, at + len(frame.body)
            yield Place(first, last, store, (Cut(first, len(store)),))

    def rewritten(self, label: Label, shift: Shift, samples_per_frame: int) -> Iterator[Piece]:
        """The tag with mirrors and moved moments, without a marker; and the tags behind it."""
        tag = id3_frames.without_stores(self.tag)
        tag = id3_frames.moved(tag, shift, samples_per_frame)
        tag = id3_frames.with_mirror(tag, label)
        yield from tag.stored()
        yield Span(self.tag.length, self.stop)

    def without_marker(self) -> Iterator[Piece]:
        """The tags as they are but for the marker; nothing where that was all."""
        tag = id3_frames.without_stores(self.tag)
        if tag.frames or len(tag.frames) == len(self.tag.frames):
            yield from tag.stored() if self.tag.length else ()
        yield Span(self.tag.length, self.stop)

    def room(self) -> Room:
        """A last frame of the tag; in version 2.2 no verifier finds it.

        Raises:
            NoCarrier: The tag has that version.
        """
        if self.tag.version == 2:
            raise NoCarrier
        tag = id3_frames.without_stores(self.tag)
        frame = Frame(b"GEOB", bytes(2), id3_frames.MARKER_HEAD)

        def layout(size: int) -> tuple[Iterator[bytes], Iterator[bytes]]:
            length = len(frame.body) + size
            head = id3.head_of(frame, tag.version, length) + frame.body
            before, after = tag.stored(len(head) + size)
            rest = Span(self.tag.length, self.size)
            return iter((before, head)), pieces.blocks([after, rest], self.source)

        return Room(layout)

    def parts(self) -> Iterator[Piece]:
        """Every frame but the marker, and everything behind the tag."""
        tag = id3_frames.without_stores(self.tag)
        if tag.frames:
            yield bytes((tag.version, tag.revision, tag.flags)) + tag.extended[:6]
        for frame in tag.frames:
            yield frame.name + frame.flags
            yield frame.body
        yield tag.rest
        yield Span(self.tag.length, self.size)
