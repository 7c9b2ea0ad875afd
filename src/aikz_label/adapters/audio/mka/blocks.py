"""The blocks of a sound in Matroska: where each is, when it is played, and which packets it holds (RFC 9559, 10)."""

from __future__ import annotations

from array import array
from typing import BinaryIO

import numpy as np

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.container import OnlyOver
from aikz_label.adapters.audio.mka.track import TITLE
from aikz_label.adapters.audio.packed.file import Numbers, Table
from aikz_label.adapters.video.spoken.matroska import laced
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import CLUSTER, CRC, Document, Element
from aikz_label.values import dataclass, field

TIME, BLOCK, GROUP = 0xE7, 0xA1, 0xA0
SIMPLE = 0xA3
_POSITION, _BEFORE = (
    0xA7,
    0xAB,
)  # of a cluster, and the size of the one before: both change, and nobody needs them
_PADDING = 0x75A2
_LACING = 0x06
_MOST_BLOCKS = 5_000_000
_MOST_LACED = 1 << 20
_NEVER = 1 << 62  # units of the file


@dataclass(slots=True)
class Found:
    """Columns that are being filled: blocks, and the packets in them."""

    start: array[int] = field(default_factory=lambda: array("q"))
    stop: array[int] = field(default_factory=lambda: array("q"))
    time: array[int] = field(default_factory=lambda: array("q"))
    first: array[int] = field(default_factory=lambda: array("q"))
    place: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster.

    Attributes:
        element: Where it is.
        time: From which its blocks count.
        summed: It begins with a check sum.
        gone: Elements of it that are written anew, or not at all.
    """

    element: Element
    time: int
    summed: bool
    gone: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of one track.

    Attributes:
        clusters: Everything in which blocks are.
        start: Of each block, where it starts, with its group.
        stop: Where it ends.
        time: When it is played, in the units of the file.
        first: The number of its first packet; behind the last block, that of all packets.
        place: Of each packet, where it is.
        size: Bytes of it.
    """

    clusters: tuple[Cluster, ...]
    start: Numbers
    stop: Numbers
    time: Numbers
    first: Numbers
    place: Numbers
    size: Numbers

    @property
    def single(self) -> bool:
        """Each block holds one packet."""
        return len(self.start) == len(self.place)


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk through all clusters finds.

    Attributes:
        blocks: The blocks of the sound.
        table: The packets in them.
    """

    blocks: Blocks
    table: Table


def read(source: BinaryIO, document: Document, track: int) -> Blocks:
    """Walk all clusters.

    Raises:
        Broken: The structure is.
        MediaProblem: A block is.
        OnlyOver: Blocks say something that nothing can go before.
    """
    found, clusters = Found(), []
    for part in document.all(CLUSTER):
        time, gone, summed = 0, [], False
        for child in ebml.children(source, part, _MOST_BLOCKS):
            if child.name == TIME:
                time = ebml.number(source, child)
                if time >= _NEVER:
                    raise MediaProblem("damaged", detail_word="too-long")
                gone.append(child)
            elif child.name in {SIMPLE, GROUP}:
                _read_block(source, child, track, time, found)
            elif child.name in {CRC, _POSITION, _BEFORE}:
                gone.append(child)
                summed = summed or child.name == CRC
            if len(found.place) > _MOST_BLOCKS:
                count = len(found.place)
                raise MediaProblem("over-limit", what_word="parts", found=count, limit=_MOST_BLOCKS)
        clusters.append(Cluster(part, time, summed, tuple(gone)))
    if not len(found.place):
        raise MediaProblem("damaged", detail_word="no-sound")
    if min(found.time) < 0:
        raise OnlyOver(TITLE, "some of it is played before its start")
    found.first.append(len(found.place))
    columns = (found.start, found.stop, found.time, found.first, found.place, found.size)
    return Blocks(tuple(clusters), *(np.frombuffer(column, np.int64) for column in columns))


def _read_block(source: BinaryIO, outer: Element, track: int, cluster: int, found: Found) -> None:
    block = outer if outer.name == SIMPLE else _in_group(source, outer)
    source.seek(block.body)
    head = source.read(min(11, block.size))
    width = 9 - head[0].bit_length() if head else 9
    if width > 8 or len(head) < width + 3:
        raise MediaProblem("damaged", detail_word="cut")
    if int.from_bytes(head[:width]) - (1 << 7 * width) != track:
        return
    at, sizes = block.body + width + 3, [block.size - width - 3]
    if head[width + 2] & _LACING:
        if block.size > _MOST_LACED:
            raise OnlyOver(TITLE, "its packets are too long")
        source.seek(at)
        skip, sizes = laced(source.read(block.stop - at), head[: width + 3])
        at += skip
    found.start.append(outer.start)
    found.stop.append(outer.stop)
    found.time.append(cluster + int.from_bytes(head[width : width + 2], signed=True))
    found.first.append(len(found.place))
    for size in sizes:
        found.place.append(at)
        found.size.append(size)
        at += size
    if at > block.stop:
        raise MediaProblem("damaged", detail_word="cut")


def _in_group(source: BinaryIO, group: Element) -> Element:
    """The block of a group."""
    block = None
    for child in ebml.children(source, group, 1000):
        if child.name == BLOCK:
            block = child
        elif (
            child.name == _PADDING
            and int.from_bytes(ebml.content(source, child, 8), signed=True) < 0
        ):
            raise OnlyOver(TITLE, "something is taken off at the start of its packets")
    if block is None:
        raise MediaProblem("damaged", detail_word="cut")
    return block
