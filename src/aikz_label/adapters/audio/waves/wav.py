"""WAV: RIFF, RF64 and BW64, with every chunk of Broadcast WAV kept."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import pieces
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
from aikz_label.adapters.audio.recoders import Coding, Recoder
from aikz_label.adapters.audio.shifting import Shift, kept
from aikz_label.adapters.audio.tags import id3_chunk, ixml, riff
from aikz_label.adapters.audio.waves import adpcm, chunks
from aikz_label.adapters.audio.waves import format as wave_format
from aikz_label.adapters.audio.waves import times as wave_times
from aikz_label.adapters.audio.waves.chunks import Chunk
from aikz_label.adapters.audio.waves.format import WaveFormat
from aikz_label.carriers.embedded import Cut, Place
from aikz_label.carriers.room import Room
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.label import Label

_UNKNOWN = {0, 0xFFFFFFFF}  # what programs write that do not know the length yet
_LONGEST = 0xFFFFFFFF
_MARKER = b"C2PA"
_STRETCHES = {b"LIST", b"plst"}
_REWRITTEN = {*_STRETCHES, riff.XMP, ixml.NAME, *id3_chunk.NAMES, *wave_times.MOVED}


@dataclass(frozen=True, slots=True)
class Wav(SoundFile):
    """A WAV file as its list of chunks.

    Attributes:
        source: The file.
        form: `RIFF`, `RF64` or `BW64`.
        chunks: Everything between its head and its end.
        tail: What follows the end.
        format: What its samples are.
    """

    source: BinaryIO
    form: bytes
    chunks: tuple[Chunk, ...]
    tail: Span
    format: WaveFormat

    demuxer: ClassVar[str] = "wav"

    @property
    def native(self) -> bool:
        """The engine knows RIFF, and refuses the larger forms."""
        return self.form == b"RIFF"

    @property
    def rate(self) -> int:
        """See `SoundFile.rate`."""
        return self.format.rate

    @classmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:  # noqa: ARG003  # always whole
        """Walk the chunks."""
        size = size_of(source, limits)
        head = pieces.read(source, 0, 48)
        stop, sizes = _extent(head, size)
        if head[:4] == b"RIFF" and _streamed(source, head, size):
            sizes, stop = {b"data": 0}, size
            listed = list(_up_to_data(source, size, limits))
        else:
            listed = list(chunks.walk(source, 12, stop, "little", limits, sizes))
        found = _first(listed, b"fmt ")
        described = wave_format.read(found.read(source)) if found else None
        if described is None or _first(listed, b"data") is None:
            raise MediaProblem("damaged", detail_word="no-sound")
        end = listed[-1].end
        return cls(source, head[:4], tuple(listed), Span(end, size), described)

    def check_variant(self) -> None:
        """See `SoundFile.check_variant`."""
        if sum(chunk.name == b"data" for chunk in self.chunks) > 1:
            raise refuse_variant("WAV", "it holds several pieces of sound")
        if self.format.coding is None:
            raise needs_recoding("WAV", "its samples are compressed, or stored in an unusual way")

    # --- reading ----------------------------------------------------------------------------------------------------

    def markers(self) -> Iterator[Place]:
        """The `C2PA` chunks."""
        for chunk in self.chunks:
            if chunk.name == _MARKER:
                store = chunk.read(self.source)
                cuts = tuple(
                    Cut(chunk.start, stop - chunk.start)
                    for stop in dict.fromkeys((chunk.stop, chunk.end))
                )
                yield Place(chunk.start, chunk.end, store, cuts)

    def texts(self) -> Iterator[Text]:
        """Of LIST INFO, ID3, and the chunk that China's practice has for its label."""
        for chunk in self.chunks:
            if chunk.name == b"AIGC":
                yield Text("riff", "AIGC", riff.text(chunk.read(self.source)))
            elif chunk.name == b"LIST":
                yield from riff.texts(chunk.read(self.source))
            elif chunk.name in id3_chunk.NAMES:
                yield from id3_chunk.texts(chunk.read(self.source))
            elif chunk.name == ixml.NAME:
                yield from ixml.texts(chunk.read(self.source))

    def packets(self) -> Iterator[bytes]:
        """See `SoundFile.packets`."""
        yield from (c.read(self.source) for c in self.chunks if c.name == riff.XMP)

    # --- writing ----------------------------------------------------------------------------------------------------

    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """Any moment will do."""
        return tuple(min(round(second * self.format.rate), total) for second in seconds)

    def encode(self, samples: Samples) -> Coded:
        """See `SoundFile.encode`."""
        assert self.format.coding is not None
        if any(c.name == b"axml" and b"rtime=" in c.read(self.source) for c in self.chunks):
            raise refuse_variant("WAV", "its objects move at times that a notice would put wrong")
        return Coded(self.format.coding.encode(samples), samples.shape[1])

    def assemble(self, inserts: Sequence[Insert], label: Label, said: list[str]) -> Iterator[Piece]:
        """See `SoundFile.assemble`."""
        chunk = next(chunk for chunk in self.chunks if chunk.name == b"data")
        new = {b"data": self._data(chunk, inserts)}
        yield from self._written(new, Shift(inserts, self.format.rate), label, said)

    def played(self, decoded: int, rate: int) -> int:  # noqa: ARG002
        """See `SoundFile.played`: the last block of compressed samples is filled up; who tells of less is not believed."""
        fact = _first(list(self.chunks), b"fact")
        told = int.from_bytes(fact.read(self.source)[:4], "little") if fact else 0
        data = sum(len(chunk.content) for chunk in self.chunks if chunk.name == b"data")
        block = -(-decoded // max(data // max(self.format.step, 1), 1))
        return told if decoded - block < told < decoded else decoded

    def recoder(self, coding: Coding) -> Recoder:
        """See `SoundFile.recoder`."""
        return adpcm.recoder("WAV", "wav", coding, self.format.step)

    def dressed(
        self,
        fresh: Self,
        total: int,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],
    ) -> Iterator[Piece]:
        """See `SoundFile.dressed`."""
        theirs = {chunk.name: chunk for chunk in fresh.chunks}
        sound, form = theirs[b"data"], theirs[b"fmt "].read(fresh.source)
        told = _first(list(self.chunks), b"fmt ")
        each_second = told.read(self.source)[8:12] if told else bytes(4)
        if fresh.format.step != self.format.step or not any(each_second):  # FFmpeg does not tell it
            each_second = round(len(sound.content) * fresh.rate / total).to_bytes(4, "little")
        form = form[:8] + each_second + form[12:]
        new: dict[bytes, list[Piece]] = {
            b"fmt ": [form],
            b"fact": [min(total, _LONGEST).to_bytes(4, "little")],
            b"data": [Span(sound.data, sound.stop, fresh.source)],
        }
        yield from self._written(new, Shift(inserts, fresh.rate), label, said)

    def _written(
        self, new: Mapping[bytes, list[Piece]], shift: Shift, label: Label, said: list[str]
    ) -> Iterator[Piece]:
        """The file with some chunks of another content."""
        listed: list[Piece] = []
        data = pieces.size(new[b"data"])
        for chunk in self.chunks:
            if chunk.name in new:
                told = data if self.form == b"RIFF" else _LONGEST
                size = told if chunk.name == b"data" else None
                listed += chunks.framed(chunk.name, new[chunk.name], "little", size)
            elif chunk.name not in {_MARKER, b"ds64"}:
                listed += self._changed(chunk, shift, label, said)
        listed += riff.added(self.chunks, self.source, label)
        yield from self._head(pieces.size(listed), data, shift.total)
        yield from listed
        yield self.tail

    def room(self) -> Room:
        """A chunk at the end, where the engine has it too; it has none in the larger forms, nor has anybody else."""
        if not self.native:
            raise NoCarrier
        listed: list[Piece] = []
        data = 0
        for chunk in self.chunks:
            if chunk.name not in {_MARKER, b"ds64"}:
                listed += chunk.padded()
            if chunk.name == b"data":
                data = len(chunk.content)

        def layout(size: int) -> tuple[Iterator[bytes], Iterator[bytes]]:
            before = [*self._head(pieces.size(listed) + size, data, 0), *listed]
            after = [self.tail]
            return pieces.blocks(before, self.source), pieces.blocks(after, self.source)

        def encode(store: bytes) -> bytes:
            return _MARKER + len(store).to_bytes(4, "little") + store

        return Room(layout, encode, lambda store: 8 + len(store), even=True)

    def parts(self) -> Iterator[Piece]:
        """See `SoundFile.parts`."""
        for chunk in self.chunks:
            if chunk.name not in {_MARKER, b"ds64"}:
                yield chunk.name
                yield chunk.content
        yield self.tail

    def _data(self, chunk: Chunk, inserts: Sequence[Insert]) -> list[Piece]:
        """The sound with notices in it."""
        content: list[Piece] = []
        for (start, stop), insert in zip_longest(kept(inserts), inserts):
            first = min(chunk.data + start * self.format.step, chunk.stop)
            last = min(chunk.data + stop * self.format.step, chunk.stop)
            content.append(Span(first, last if stop >= 0 else chunk.stop))
            if insert is not None:
                content.append(insert.coded)
        return content

    def _changed(
        self, chunk: Chunk, shift: Shift, label: Label, said: list[str]
    ) -> Iterator[Piece]:
        """A chunk as it is, or with its moments moved and its mirrors renewed."""
        content: bytes | None = None
        if chunk.large:
            if chunk.name in _REWRITTEN:
                name = chunk.name.decode("ascii").strip()
                said.append(f"The chunk {name} was left as it is: it is too large.")
        elif chunk.name in wave_times.MOVED:
            content = wave_times.moved(chunk.name, chunk.read(self.source), shift)
        elif chunk.name in id3_chunk.NAMES:
            content = id3_chunk.rewritten(chunk.read(self.source), label, shift)
        elif chunk.name == ixml.NAME:
            content = ixml.rewritten(chunk.read(self.source), label, shift)
        elif chunk.name in _STRETCHES and chunk.read(self.source)[:4] != riff.INFO:
            points = _first(list(self.chunks), b"cue ")
            known = wave_times.cues(points.read(self.source)) if points else {}
            content = wave_times.stretched(chunk.name, chunk.read(self.source), known, shift)
        else:
            content = riff.rewritten(chunk, self.source, label, said)
        if content is None:
            yield from chunk.padded()
        else:
            yield chunks.packed(chunk.name, content, "little")

    def _head(self, following: int, data: int, longer: int) -> Iterator[bytes]:
        """What stands before the other chunks: how long they and the sound are, in moments by how much longer."""
        size = 4 + following
        if self.form != b"RIFF":
            large = next(c for c in self.chunks if c.name == b"ds64").read(self.source)
            count = int.from_bytes(large[16:24], "little")
            size += 8 + len(large) + (len(large) & 1)
            fresh = struct.pack("<QQQ", size, data, count + longer if count else 0) + large[24:]
            yield self.form + b"\xff\xff\xff\xffWAVE" + chunks.packed(b"ds64", fresh, "little")
        elif size > _LONGEST:
            raise refuse_variant("WAV", "it would be longer than RIFF can tell")
        else:
            yield b"RIFF" + size.to_bytes(4, "little") + b"WAVE"


def _first(listed: list[Chunk], name: bytes) -> Chunk | None:
    return next((chunk for chunk in listed if chunk.name == name), None)


def _extent(head: bytes, size: int) -> tuple[int, dict[bytes, int]]:
    """Where the form ends, and the lengths that its first chunk tells."""
    length = int.from_bytes(head[4:8], "little")
    if head[:4] == b"RIFF":
        told = 8 + length if length not in _UNKNOWN else size
        return min(told, size), {}
    if head[12:16] != b"ds64" or len(head) < 44:
        raise MediaProblem("damaged", detail_word="cut")
    whole, data, _ = struct.unpack_from("<QQQ", head, 20)
    if 8 + whole > size + 1:
        raise MediaProblem("damaged", detail_word="cut")
    return min(8 + whole, size), {b"data": data}


def _streamed(source: BinaryIO, head: bytes, size: int) -> bool:
    """Whether a program wrote it that did not know the length yet: the sound then goes on to the end."""
    if int.from_bytes(head[4:8], "little") not in _UNKNOWN:
        return False
    at = 12
    for _ in range(100):
        if at + 8 > size:
            return False
        chunk = pieces.read(source, at, 8)
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return length in _UNKNOWN
        at += 8 + length + (length & 1)
    return False


def _up_to_data(source: BinaryIO, size: int, limits: Limits) -> Iterator[Chunk]:
    """The chunks of such a file."""
    at = 12
    for _ in range(limits.max_parts):
        head = pieces.read(source, at, 8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            yield Chunk(b"data", at, at + 8, size, size)
            return
        stop = at + 8 + length
        end = stop + (length & 1)
        yield Chunk(head[:4], at, at + 8, stop, end)
        at = end
