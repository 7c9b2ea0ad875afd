"""Adding a Tags element to a Matroska or WebM file without moving anything else.

It goes to the end of the Segment, so every position that the file tells of itself stays true. What is taken out leaves
empty space behind. The list of parts at the start, the SeekHead, names the new one when the space behind it allows: players
that look only where it points find it then, and all others are none the worse.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import Document, Element, Simple
from aikz_label.carriers.patched import Copy, Patch

_MOST = 10_000  # entries of a SeekHead, elements of Tags
_MAX_TAGS = 64 << 20


def append(
    source: BinaryIO,
    destination: BinaryIO,
    document: Document,
    tags: bytes,
    dropped: Sequence[Simple] = (),
) -> int:
    """Copy a file with one more Tags element.

    Args:
        source: The file.
        destination: Where the copy goes, from where it stands.
        document: The file's outline.
        tags: The new element, whole.
        dropped: Tags that are left out.

    Returns:
        Offset of the new element in the copy.

    Raises:
        Broken: What is to be edited cannot be read.
    """
    segment = document.segment
    taken = Counter(simple.tags for simple in dropped)
    gone = {simple.tags for simple in dropped if taken[simple.tags] == simple.count}
    cut = segment.stop
    for part in reversed(document.parts):
        if part not in gone:
            break
        cut = part.start
    patches = [Patch(part.start, ebml.empty(part.stop - part.start)) for part in gone]
    patches += _without(source, [simple for simple in dropped if simple.tags not in gone])
    patches += _announced(source, document, gone, cut - segment.body)
    size = cut - segment.body + len(tags)
    copied = Copy(source, destination, patches)
    copied.to(segment.start)
    destination.write(_segment_head(source, segment, size))
    copied.skip(segment.body)
    copied.to(cut)
    at = destination.tell()
    destination.write(tags)
    copied.skip(segment.stop)
    copied.to(document.size)
    return at


def _segment_head(source: BinaryIO, segment: Element, size: int) -> bytes:
    """The head of the Segment for another size, as wide as it was if that fits."""
    if not segment.sized:
        source.seek(segment.start)
        return source.read(segment.body - segment.start)
    name = ebml.packed_name(ebml.SEGMENT)
    width = segment.body - segment.start - len(name)
    try:
        return name + ebml.packed_size(size, width)
    except OverflowError:
        return name + ebml.packed_size(size, 8)


def _without(source: BinaryIO, dropped: Sequence[Simple]) -> Iterator[Patch]:
    """Tags elements that keep others than those that are dropped, with their checksum put right."""
    for tags in {simple.tags for simple in dropped}:
        data = bytearray(ebml.content(source, tags, _MAX_TAGS))
        for simple in dropped:
            if simple.tags == tags:
                start, stop = simple.element.start - tags.body, simple.element.stop - tags.body
                data[start:stop] = ebml.empty(stop - start)
        yield Patch(tags.body, _summed(source, tags, bytes(data)))


def _summed(source: BinaryIO, part: Element, data: bytes) -> bytes:
    """Changed content of a part, its CRC-32 put right if it begins with one."""
    if not _is_summed(source, part):
        return data
    at = next(ebml.children(source, part, _MOST)).stop - part.body
    return data[: at - 4] + zlib.crc32(data[at:]).to_bytes(4, "little") + data[at:]


def _is_summed(source: BinaryIO, part: Element) -> bool:
    first = next(ebml.children(source, part, _MOST), None)
    return first is not None and first.name == ebml.CRC and first.size == 4


def _announced(
    source: BinaryIO, document: Document, gone: set[Element], position: int
) -> Iterator[Patch]:
    """The first SeekHead with an entry for the new element and none for those that are gone, in the space it has."""
    parts = document.parts
    index = next((i for i, part in enumerate(parts) if part.name == ebml.SEEK_HEAD), None)
    if index is None or not parts[index].sized:
        return
    seeks, after = parts[index], parts[index + 1] if index + 1 < len(parts) else None
    room = seeks.stop - seeks.start
    if after is not None and after.name == ebml.VOID and after.sized:
        room += after.stop - after.start
    lost = {part.start - document.segment.body for part in gone}
    kept, summed = b"".join(_entries(source, seeks, lost)), _is_summed(source, seeks)
    for entry in (_entry(position), b""):
        found = _seek_head(seeks, kept + entry, room, summed=summed)
        if found is not None:
            yield Patch(seeks.start, found)
            return


def _entries(source: BinaryIO, seeks: Element, lost: set[int]) -> Iterator[bytes]:
    """What the SeekHead holds and goes on to hold, without a checksum."""
    for entry in ebml.children(source, seeks, _MOST):
        if entry.name == ebml.CRC or (entry.name == ebml.SEEK and _target(source, entry) in lost):
            continue
        source.seek(entry.start)
        yield source.read(entry.stop - entry.start)


def _target(source: BinaryIO, entry: Element) -> int:
    found = [e for e in ebml.children(source, entry, _MOST) if e.name == ebml.SEEK_POSITION]
    return ebml.number(source, found[0]) if found else -1


def _entry(position: int) -> bytes:
    return ebml.pack(
        ebml.SEEK,
        ebml.pack(ebml.SEEK_ID, ebml.packed_name(ebml.TAGS), width=1),
        ebml.pack(ebml.SEEK_POSITION, position.to_bytes(8), width=1),
        width=1,
    )


def _seek_head(old: Element, payload: bytes, room: int, *, summed: bool) -> bytes | None:
    """A SeekHead and empty space that fill a room, or `None` when they do not."""
    if summed:
        checksum = zlib.crc32(payload).to_bytes(4, "little")
        payload = ebml.pack(ebml.CRC, checksum, width=1) + payload
    width = old.body - old.start - 4
    while len(payload) >= (1 << 7 * width) - 1:  # one more entry may need a longer length
        width += 1
    left = room - 4 - width - len(payload)
    if left < 0 or left == 1:
        return None
    return ebml.pack(ebml.SEEK_HEAD, payload, width=width) + ebml.empty(left)
