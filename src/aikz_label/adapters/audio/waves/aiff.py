"""AIFF and AIFF-C: chunks whose numbers have the highest byte first; there is no place for a marker."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces, recoders
from aikz_label.adapters.audio.container import (
    Coded,
    Insert,
    SoundFile,
    Text,
    needs_recoding,
    refuse_variant,
    size_of,
)
from aikz_label.adapters.audio.pieces import Piece, Span
from aikz_label.adapters.audio.recoders import Recoder
from aikz_label.adapters.audio.shifting import Shift, kept
from aikz_label.adapters.audio.tags import id3_chunk, id3_frames
from aikz_label.adapters.audio.tags.id3 import Tag
from aikz_label.adapters.audio.waves import adpcm, chunks, pcm
from aikz_label.adapters.audio.waves.chunks import Chunk
from aikz_label.adapters.audio.waves.pcm import Coding
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.carriers.embedded import Place
    from aikz_label.label import Label
    from aikz_label.limits import Limits

_TITLE = "AIFF"
_LONGEST = 0xFFFFFFFF
# Ways of storing in AIFF-C that are no compression: kind, bytes (0 for as many as the bits take), lowest byte first.
_STORED = {
    b"NONE": (pcm.SIGNED, 0, True),
    b"twos": (pcm.SIGNED, 0, True),
    b"sowt": (pcm.SIGNED, 0, False),
    b"in24": (pcm.SIGNED, 3, True),
    b"in32": (pcm.SIGNED, 4, True),
    b"42ni": (pcm.SIGNED, 3, False),
    b"23ni": (pcm.SIGNED, 4, False),
    b"raw ": (pcm.UNSIGNED, 1, True),
    b"fl32": (pcm.FLOAT, 4, True),
    b"FL32": (pcm.FLOAT, 4, True),
    b"fl64": (pcm.FLOAT, 8, True),
    b"FL64": (pcm.FLOAT, 8, True),
    b"alaw": (pcm.A_LAW, 1, True),
    b"ALAW": (pcm.A_LAW, 1, True),
    b"ulaw": (pcm.MU_LAW, 1, True),
    b"ULAW": (pcm.MU_LAW, 1, True),
}


@dataclass(frozen=True, slots=True)
class Aiff(SoundFile):
    """An AIFF file as its list of chunks.

    Attributes:
        source: The file.
        form: `AIFF` or `AIFC`.
        chunks: Everything in it.
        tail: What follows it.
        channels: How many.
        sampling: Samples per second.
        coding: How a sample is stored; `None` when it is compressed.
    """

    source: BinaryIO
    form: bytes
    chunks: tuple[Chunk, ...]
    tail: Span
    channels: int
    sampling: int
    coding: Coding | None

    demuxer: ClassVar[str] = "aiff"
    embeds: ClassVar[bool] = False

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.sampling

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the chunks."""
        size = size_of(source, limits)
        head = pieces.read(source, 0, 12)
        stop = min(8 + int.from_bytes(head[4:8]), size)
        listed = tuple(chunks.walk(source, 12, stop, "big", limits, {}))
        common = next((c.read(source) for c in listed if c.name == b"COMM"), b"")
        if len(common) < 18 or not any(c.name == b"SSND" for c in listed):
            raise MediaProblem("damaged", detail_word="no-sound")
        channels, _, bits = struct.unpack_from(">hIh", common)
        kind = common[18:22] if head[8:12] == b"AIFC" else b"NONE"
        rate = _extended(common[8:18])
        if channels < 1 or not 1 <= bits <= 64 or not 0 < rate < 1 << 24:
            raise MediaProblem("damaged", detail_word="no-sound")
        end = listed[-1].end
        return cls(source, head[8:12], listed, Span(end, size), channels, rate, _coding(kind, bits))

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        if sum(c.name == b"SSND" for c in self.chunks) > 1:
            raise refuse_variant(_TITLE, "it holds several pieces of sound")
        if self._bounds()[0] > self._bounds()[1]:
            raise MediaProblem("damaged", detail_word="cut")
        if self.coding is None:
            raise needs_recoding(_TITLE, "its samples are compressed, or stored in an unusual way")

    def markers(self) -> Iterator[Place]:
        """None: there is no place for one."""
        return iter(())

    def texts(self) -> Iterator[Text]:
        """Of ID3, and annotations."""
        for chunk in self.chunks:
            if chunk.name in id3_chunk.NAMES:
                yield from id3_chunk.texts(chunk.read(self.source))
            elif chunk.name == b"ANNO":
                text = chunk.read(self.source).rstrip(b"\0").decode("utf-8", "replace")
                yield Text("aiff", "Comment", text)

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """Any moment will do."""
        return tuple(min(round(second * self.rate), total) for second in seconds)

    def encode(self, samples: Samples) -> Coded:
        """See `SoundFile.encode`."""
        assert self.coding is not None
        return Coded(self.coding.encode(samples), samples.shape[1])

    def assemble(
        self,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002  # everything can be written
    ) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        shift = Shift(inserts, self.rate)
        chunk = {chunk.name: chunk for chunk in self.chunks}
        common = _longer(chunk[b"COMM"].read(self.source), shift)
        new: dict[bytes, list[Piece]] = {
            b"COMM": [common],
            b"SSND": self._sound(chunk[b"SSND"], inserts),
        }
        yield from self._written(new, shift, label)

    def recoder(self, coding: recoders.Coding) -> Recoder:
        """See `SoundFile.recoder`."""
        return adpcm.recoder(_TITLE, "aiff", coding, 0)

    def dressed(
        self,
        fresh: Self,
        total: int,  # noqa: ARG002  # the fresh one tells it
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],  # noqa: ARG002
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        theirs = {chunk.name: chunk for chunk in fresh.chunks}
        sound = theirs[b"SSND"]
        new: dict[bytes, list[Piece]] = {
            b"COMM": [theirs[b"COMM"].read(fresh.source)],
            b"SSND": [Span(sound.data, sound.stop, fresh.source)],
        }
        yield from self._written(new, Shift(inserts, fresh.rate), label)

    def _written(
        self, new: Mapping[bytes, list[Piece]], shift: Shift, label: Label
    ) -> Iterator[Piece]:
        """The file with some chunks of another content."""
        listed: list[Piece] = []
        tagged = False
        for chunk in self.chunks:
            content: bytes | None = None
            if chunk.name in new:
                listed += chunks.framed(chunk.name, new[chunk.name], "big")
                continue
            if chunk.large:
                pass
            elif chunk.name == b"MARK":
                content = _moved(chunk.read(self.source), shift)
            elif chunk.name in id3_chunk.NAMES and not tagged:
                content = id3_chunk.rewritten(chunk.read(self.source), label, shift)
                tagged = content is not None
            if content is None:
                listed += chunk.padded()
            else:
                listed.append(chunks.packed(chunk.name, content, "big"))
        if not tagged:
            tag = id3_frames.with_mirror(Tag.new(), label)
            listed.append(chunks.packed(b"ID3 ", b"".join(tag.stored()), "big"))
        size = 4 + pieces.size(listed)
        if size > _LONGEST:
            raise refuse_variant(_TITLE, "it would be longer than AIFF can tell")
        yield b"FORM" + size.to_bytes(4) + self.form
        yield from listed
        yield self.tail

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        for chunk in self.chunks:
            yield chunk.name
            yield chunk.content
        yield self.tail

    def _bounds(self) -> tuple[int, int]:
        """Where the samples start and stop, behind some bytes that move them to whole blocks of a disk."""
        chunk = next(c for c in self.chunks if c.name == b"SSND")
        offset = int.from_bytes(pieces.read(self.source, chunk.data, 4))
        return chunk.data + 8 + offset, chunk.stop

    def _sound(self, chunk: Chunk, inserts: Sequence[Insert]) -> list[Piece]:
        """The samples with notices in them."""
        assert self.coding is not None
        begin, end = self._bounds()
        step = self.channels * self.coding.width
        content: list[Piece] = [Span(chunk.data, begin)]
        for (start, stop), insert in zip_longest(kept(inserts), inserts):
            first, last = min(begin + start * step, end), min(begin + stop * step, end)
            content.append(Span(first, last if stop >= 0 else end))
            if insert is not None:
                content.append(insert.coded)
        return content


def _coding(kind: bytes, bits: int) -> Coding | None:
    known = _STORED.get(kind)
    if known is None:
        return None
    form, width, big = known
    width = width or (bits + 7) // 8
    if width > (8 if form == pcm.FLOAT else 4):
        return None
    valid = bits if form == pcm.SIGNED and (bits + 7) // 8 == width else 8 * width
    if form == pcm.SIGNED and width == 1:
        return Coding(pcm.SIGNED, 1, valid)
    return Coding(form, width, valid, big=big)


def _extended(stored: bytes) -> int:
    """A number of 80 bits, as the processors of 1988 had it: sign and exponent, then the fraction."""
    exponent = int.from_bytes(stored[:2]) & 0x7FFF
    fraction = int.from_bytes(stored[2:])
    power = exponent - 16383 - 63
    return fraction >> -power if -64 < power <= 0 else 0


def _longer(content: bytes, shift: Shift) -> bytes:
    """How many moments there are."""
    count = int.from_bytes(content[2:6]) + shift.total
    return content[:2] + min(count, _LONGEST).to_bytes(4) + content[6:]


def _moved(content: bytes, shift: Shift) -> bytes:
    """Markers: a number, a moment, and a name of even length with its length before it."""
    stored = bytearray(content)
    at = 2
    for _ in range(int.from_bytes(content[:2])):
        if at + 7 > len(stored):
            break
        moment = shift.samples(int.from_bytes(stored[at + 2 : at + 6]))
        stored[at + 2 : at + 6] = min(moment, _LONGEST).to_bytes(4)
        name = stored[at + 6]
        at += 7 + name + (1 - name % 2)
    return bytes(stored)
