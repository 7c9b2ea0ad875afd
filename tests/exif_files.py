"""EXIF blocks put together by hand, with whatever makes them hard to edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
MAKE, ORIENTATION, CAMERA, GPS = 0x010F, 0x0112, 0x8769, 0x8825
MAKER_NOTE, COMMENT, WIDTH = 0x927C, 0x9286, 0xA002
NOTE_AT = 0x300

Directory = Mapping[int, tuple[int, bytes]]


class Builder:
    """Lays directories and values out one after another, in one byte order."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.data = bytearray((b"II*\0" if order == "little" else b"MM\0*") + self.number(8, 4))

    def number(self, value: int, size: int) -> bytes:
        return value.to_bytes(size, self.order)  # type: ignore[arg-type]

    def directory(self, entries: Directory, following: int = 0) -> int:
        """Write a directory with its values behind it; where it begins."""
        start = len(self.data)
        after = start + 2 + 12 * len(entries) + 4
        values, table = b"", self.number(len(entries), 2)
        for tag in sorted(entries):
            kind, value = entries[tag]
            size = {SHORT: 2, LONG: 4}.get(kind, 1)
            held = value.ljust(4, b"\0")
            if len(value) > 4:
                held = self.number(after + len(values), 4)
                values += value + b"\0" * (len(value) % 2)
            table += self.number(tag, 2) + self.number(kind, 2)
            table += self.number(len(value) // size, 4) + held
        self.data += table + self.number(following, 4) + values
        return start

    def pointer(self, start: int) -> tuple[int, bytes]:
        return LONG, self.number(start, 4)


def block(
    order: str = "little",
    *,
    thumbnail: bytes | None = None,
    comment: bytes | None = None,
    camera: bool = True,
    orientation: int = 1,
    after: bytes = b"",
) -> bytes:
    """A camera's block: a maker's note that counts from the beginning of the block, and a thumbnail.

    Args:
        order: Byte order.
        thumbnail: The thumbnail's bytes.
        comment: The value of `UserComment`.
        camera: Whether there is a directory of the camera's.
        orientation: How the picture is turned.
        after: Bytes behind the thumbnail.
    """
    made = Builder(order)
    note = b"NOTE" + made.number(NOTE_AT, 4) + bytes(range(200))  # holds its own place
    entries: dict[int, tuple[int, bytes]] = {
        MAKE: (ASCII, b"Some camera\0"),
        ORIENTATION: (SHORT, made.number(orientation, 2)),
    }
    held: dict[int, tuple[int, bytes]] = {
        MAKER_NOTE: (UNDEFINED, note),
        WIDTH: (LONG, made.number(480, 4)),
    }
    if comment is not None:
        held[COMMENT] = (UNDEFINED, comment)
    made.data += bytes(NOTE_AT)
    inner = made.directory(held)
    small = made.directory({0x0103: (SHORT, made.number(6, 2))})
    if thumbnail is not None:
        head = {
            0x0103: (SHORT, made.number(6, 2)),
            0x0201: made.pointer(0),
            0x0202: made.pointer(0),
        }
        place = len(made.data) + 2 + 12 * len(head) + 4
        head |= {0x0201: made.pointer(place), 0x0202: made.pointer(len(thumbnail))}
        small = made.directory(head)
        made.data += thumbnail + after
    if camera:
        entries[CAMERA] = made.pointer(inner)
    first = made.directory(entries, small if thumbnail is not None else 0)
    made.data[4:8] = made.number(first, 4)
    return bytes(made.data)


def entries(data: bytes, start: int) -> tuple[dict[int, tuple[int, int, bytes]], int]:
    """Type, place and bytes of every value of a directory, and where the next one begins."""
    order = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]

    found = {}
    count = number(start, 2)
    tags: Sequence[int] = range(start + 2, start + 2 + 12 * count, 12)
    for at in tags:
        kind, items = number(at + 2, 2), number(at + 4, 4)
        size = items * {SHORT: 2, LONG: 4, 5: 8, 10: 8}.get(kind, 1)
        place = at + 8 if size <= 4 else number(at + 8, 4)
        found[number(at, 2)] = (kind, place, data[place : place + size])
    return found, number(start + 2 + 12 * count, 4)


def first_of(data: bytes) -> int:
    """Where the first directory begins."""
    return int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big")
