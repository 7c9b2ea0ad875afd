"""FLAC in Ogg: a packet for each block of metadata, and for each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import Coded, Insert, refuse_variant
from aikz_label.adapters.audio.flac import blocks as flac_blocks
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.flac import frames as flac_frames
from aikz_label.adapters.audio.flac import sound as flac_sound
from aikz_label.adapters.audio.flac.blocks import Block, StreamInfo
from aikz_label.adapters.audio.flac.splice import coded
from aikz_label.adapters.audio.ogg.packets import Paging
from aikz_label.adapters.audio.ogg.streams import Stream
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags.vorbis import Comments
from aikz_label.later import Later

if TYPE_CHECKING:
    import numpy as np

    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.ogg.container import Ogg
    from aikz_label.adapters.audio.recoders import Coding, Recoder
    from aikz_label.label import Label
else:
    np = Later("numpy")

_INFO_AT = 17  # behind the head of the mapping, and that of the block


class FlacInOgg(Stream):
    """FLAC: frames get other numbers, and go into pages of their own."""

    lossy = False

    @property
    def info(self) -> StreamInfo:
        """What the first packet says."""
        return StreamInfo.read(self.head[_INFO_AT:])

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self.info.rate

    def headers(self, head: bytes) -> int:
        """The first packet tells how many follow, or nothing."""
        count = int.from_bytes(head[7:9])
        return count + 1 if count else 0

    def check(self, source: Ogg) -> None:  # noqa: ARG002
        """Refuse a head that is not whole."""
        if len(self.head) < _INFO_AT + 34:
            raise MediaProblem("damaged", detail_word="cut")

    def comments(self, packets: Sequence[bytes]) -> Comments:
        """Those of the first block of that kind."""
        for packet in packets[1:]:
            if packet[:1] and packet[0] & 0x7F == flac_blocks.COMMENTS:
                return Comments.read(packet[4:])
        return Comments()

    def changed(
        self,
        source: Ogg,
        inserts: Sequence[Insert],
        label: Label,
        shift: Shift,
        said: list[str],
    ) -> tuple[bytes, ...]:
        """The blocks with mirrors and moved moments; the first one tells length and check sum."""
        first, info = source.heads[0], self.info
        if inserts:
            md5 = flac_sound.md5(source.source, source.demuxer, info, inserts, said)
            info = info.longer(shift, (0, 0), md5)
            first = first[:_INFO_AT] + info.stored() + first[_INFO_AT + 34 :]
        fresh = []
        for packet in source.heads[1:]:
            kind, content = packet[0] & 0x7F, packet[4:]
            if kind == flac_blocks.COMMENTS:
                content = Comments.read(content).moved(shift).with_mirror(label).stored()
            elif kind == flac_blocks.CUES:
                content = flac_blocks.moved_cues(content, shift)
            fresh.append(Block(kind, content).stored(last=bool(packet[0] & 0x80)))
        return (first, *fresh)

    def samples(self, packet: bytes) -> int:
        """Those of a frame."""
        return flac_frames.samples_of(packet)

    def places(self, source: Ogg, seconds: Sequence[float], total: int) -> tuple[int, ...]:  # noqa: ARG002
        """The starts of frames."""
        firsts = source.timed().starts[:-1]
        nearest = (int(np.abs(firsts - second * self.rate).argmin()) for second in seconds)
        return tuple(dict.fromkeys(int(firsts[number]) for number in nearest))

    def holds(self, source: Ogg, places: Sequence[tuple[int, int]]) -> bool:
        """Only whole frames can be taken out."""
        bounds = set(source.timed().starts[:-1].tolist())
        return bounds.issuperset(chain.from_iterable(places))

    def encode(self, source: Ogg, samples: Samples) -> Coded:  # noqa: ARG002
        """Whole blocks."""
        return flac_sound.coded(samples, self.info)

    def recoder(self, coding: Coding) -> Recoder | None:  # noqa: ARG002
        """None: what loses nothing is not coded by something that does."""
        return None

    def spliced(self, source: Ogg, inserts: Sequence[Insert], paging: Paging) -> Iterator[bytes]:
        """All frames in their order, a page for some of them at a time."""
        waiting = list(inserts)
        at = position = more = skip = 0
        held: tuple[bytes, int] | None = None
        for packet in source.read_packets():
            if not packet.data:  # some programs end a stream with a packet of nothing
                continue
            length = flac_frames.samples_of(packet.data)
            if not length:
                raise refuse_variant("Ogg", "a packet of it is no frame of FLAC")
            variable = bool(packet.data[1] & 1)
            while waiting and waiting[0].at <= at:
                insert = waiting.pop(0)
                number = flac_coding.read_number(packet.data)[0] + more
                notice = tuple(
                    coded(insert.coded, self.info, number, packet.data, variable=variable)
                )
                step = self.info.blocks[1]
                for frame in notice:
                    if held:
                        yield from paging.add(*held)
                    position += step
                    held = (frame, position)
                skip += insert.instead
                more += insert.length if variable else len(notice)
            at += length
            if skip:
                skip -= length
                more -= length if variable else 1
                continue
            if held:
                yield from paging.add(*held)
            position += length
            held = (flac_frames.renumbered_packet(packet.data, more), position)
        if held:
            yield from paging.add(*held, last=True)
