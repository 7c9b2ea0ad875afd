"""Editing an EXIF block without moving anything in it.

Cameras write places into their own notes that count from the beginning of the block, so whatever stays must stay where it
is. What is new is put at the end: a text, a directory that needs one more entry, a thumbnail that outgrew the old one. Only
the entries that lead there change. In the end the block is read again, and everything else must be what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aikz_label import exif, mirror

MAX_BLOCK = 64 * 1024
_PREFIX = b"Exif\0\0"
_ORDER: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_UNDEFINED, _LONG = 7, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_MAX_ENTRIES = 512  # cameras write below 100
_ORIENTATION, _COMMENT = 0x0112, 0x9286
_CAMERA, _GPS, _INTEROP = 0x8769, 0x8825, 0xA005  # entries that hold the place of another directory
_THUMBNAIL, _THUMBNAIL_SIZE = 0x0201, 0x0202


class ExifError(ValueError):
    """The block cannot be edited without risk."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory.

    Attributes:
        at: Where its twelve bytes stand.
        tag: What it is about.
        kind: Type of its values.
        count: How many there are.
        start: Where its values stand, in the entry itself when they fit.
        size: How many bytes they take.
    """

    at: int
    tag: int
    kind: int
    count: int
    start: int
    size: int


class ExifBlock:
    """A block while it is edited.

    Args:
        block: As the file holds it, with or without its usual first six bytes.

    Raises:
        ExifError: It is too large, damaged, or of an unknown kind.
    """

    def __init__(self, block: bytes) -> None:
        self._prefix = _PREFIX if block.startswith(_PREFIX) else b""
        self._data = bytearray(block[len(self._prefix) :])
        self._length = len(self._data)
        self._room = MAX_BLOCK - 3 - len(_PREFIX)  # what a segment of JPEG takes
        if len(block) > MAX_BLOCK:
            raise ExifError("it is too large")
        order = _ORDER.get(bytes(self._data[:4]))
        if order is None:
            raise ExifError("its first bytes are unknown")
        self._order = order
        self._before = self._listing()

    def finished(self) -> bytes:
        """The block, found to hold everything else that it held.

        Raises:
            ExifError: It does not.
        """
        if self._listing() != self._before:
            raise ExifError("it does not read back")
        if len(self._data) > self._room:
            raise ExifError("it would become too large")
        return self._prefix + bytes(self._data)

    @property
    def orientation(self) -> int:
        """How the picture is turned to be seen, 1 to 8."""
        found = self._find(self._directory(self._first)[0], _ORIENTATION)
        value = self._number(found.start, min(found.size, 4)) if found else 1
        return value if 1 <= value <= 8 else 1

    # --- the comment ------------------------------------------------------------------------------------------------

    def write_comment(self, text: str) -> None:
        """Put a text into `UserComment`, where there is none or an earlier one of ours.

        Raises:
            ExifError: There is a text of somebody else's, or the block is damaged.
        """
        value = self._encoded(text)
        pointer = self._find(self._directory(self._first)[0], _CAMERA)
        if pointer is None:
            camera = self._append(bytes(6))
            self._first = self._with_entry(self._first, _CAMERA, _LONG, 1, camera)
        else:
            camera = self._number(pointer.start, 4)
        old = self._find(self._directory(camera)[0], _COMMENT)
        if old is None:
            place = self._append(value)
            camera = self._with_entry(camera, _COMMENT, _UNDEFINED, len(value), place)
            found = self._find(self._directory(self._first)[0], _CAMERA)
            assert found is not None
            self._set(found.at + 8, camera)
            return
        said = exif.comment_text(bytes(self._data[old.start : old.start + old.size]), self._order)
        if said and not mirror.parsed(said):
            raise ExifError("there is a comment of somebody else's")
        place = self._append(value)
        self._data[old.at + 2 : old.at + 4] = _UNDEFINED.to_bytes(2, self._order)
        self._set(old.at + 4, len(value))
        self._set(old.at + 8, place)

    def _encoded(self, text: str) -> bytes:
        if text.isascii():
            return b"ASCII\0\0\0" + text.encode()
        encoding = "utf-16-le" if self._order == "little" else "utf-16-be"
        return b"UNICODE\0" + text.encode(encoding)

    # --- the thumbnail ----------------------------------------------------------------------------------------------

    @property
    def has_thumbnail(self) -> bool:
        """Whether there is a small picture of the picture, of any kind."""
        return bool(self._directory(self._first)[1])

    @property
    def thumbnail(self) -> bytes | None:
        """The thumbnail, if it is a JPEG."""
        found = self._slot()
        return bytes(self._data[found[0] : found[1]]) if found else None

    def write_thumbnail(self, jpeg: bytes) -> None:
        """Put another one in its place; at the end of the block when it is larger than the old one.

        Raises:
            ExifError: There is none, or it shares its bytes with something else.
        """
        found = self._slot()
        if found is None:
            raise ExifError("it has no thumbnail that is a JPEG")
        start, stop = found
        self._wipe(start, stop)
        if len(jpeg) <= stop - start:
            self._data[start : start + len(jpeg)] = jpeg
        else:
            start = self._append(jpeg)
        entries, _ = self._directory(self._directory(self._first)[1])
        for tag, value in ((_THUMBNAIL, start), (_THUMBNAIL_SIZE, len(jpeg))):
            entry = self._find(entries, tag)
            assert entry is not None
            self._data[entry.at + 2 : entry.at + 4] = _LONG.to_bytes(2, self._order)
            self._set(entry.at + 8, value)

    def drop_thumbnail(self) -> None:
        """Leave the thumbnail out; its bytes are wiped where that is known to be safe."""
        found = self._slot()
        if found is not None:
            self._wipe(*found)
        self._set(self._first + 2 + 12 * self._number(self._first, 2), 0)

    def _slot(self) -> tuple[int, int] | None:
        """Where the bytes of a thumbnail begin and end."""
        start = self._directory(self._first)[1]
        entries = self._directory(start)[0] if start else []
        place, size = (self._find(entries, tag) for tag in (_THUMBNAIL, _THUMBNAIL_SIZE))
        if place is None or size is None:
            return None
        begin = self._number(place.start, place.size)
        end = begin + self._number(size.start, size.size)
        if end > len(self._data) or self._data[begin : begin + 2] != b"\xff\xd8":
            return None
        return begin, end

    def _wipe(self, start: int, stop: int) -> None:
        for first, last in self._occupied():
            if first < stop and start < last:
                raise ExifError("its thumbnail shares bytes with something else")
        self._data[start:stop] = bytes(stop - start)

    # --- directories ------------------------------------------------------------------------------------------------

    @property
    def _first(self) -> int:
        return self._number(4, 4)

    @_first.setter
    def _first(self, start: int) -> None:
        self._set(4, start)

    def _directory(self, start: int) -> tuple[list[Entry], int]:
        """The entries of a directory, and where the next one begins; 0 without one."""
        if not 0 < start <= len(self._data) - 2:
            raise ExifError("a directory lies outside")
        count = self._number(start, 2)
        if count > _MAX_ENTRIES or start + 2 + 12 * count > len(self._data):
            raise ExifError("a directory is cut off")
        entries = [self._entry(start + 2 + 12 * index) for index in range(count)]
        at = start + 2 + 12 * count
        return entries, self._number(at, 4) if at + 4 <= len(self._data) else 0

    def _entry(self, at: int) -> Entry:
        tag, kind, count = (
            self._number(at, 2),
            self._number(at + 2, 2),
            self._number(at + 4, 4),
        )
        size = _SIZES.get(kind, 0) * count
        start = at + 8 if size <= 4 else self._number(at + 8, 4)
        # values that reach over the end are common and harmless; what is put there later is not part of them
        end = self._length if start < self._length else len(self._data)
        return Entry(at, tag, kind, count, start, max(0, min(size, end - start)))

    @staticmethod
    def _find(entries: list[Entry], tag: int) -> Entry | None:
        return next((entry for entry in entries if entry.tag == tag), None)

    def _with_entry(self, start: int, tag: int, kind: int, count: int, value: int) -> int:
        """A copy of a directory with one more entry, in its order, at the end of the block; where it begins."""
        entries, following = self._directory(start)
        whole = [bytes(self._data[entry.at : entry.at + 12]) for entry in entries]
        before = next((i for i, entry in enumerate(entries) if entry.tag > tag), len(entries))
        numbers = ((tag, 2), (kind, 2), (count, 4), (value, 4))
        whole.insert(before, b"".join(n.to_bytes(size, self._order) for n, size in numbers))
        head = len(whole).to_bytes(2, self._order)
        return self._append(head + b"".join(whole) + following.to_bytes(4, self._order))

    def _append(self, data: bytes) -> int:
        """Put something at the end, on an even place, and say where."""
        self._data += bytes(len(self._data) % 2)
        place = len(self._data)
        self._data += data
        if len(self._data) > self._room:
            raise ExifError("it would become too large")
        return place

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._data[at : at + size], self._order)

    def _set(self, at: int, value: int) -> None:
        self._data[at : at + 4] = value.to_bytes(4, self._order)

    # --- proof ------------------------------------------------------------------------------------------------------

    def _directories(self) -> Iterator[tuple[str, list[Entry]]]:
        """The directories that hold something of the picture, by name; those of the thumbnail are not among them."""
        first, _ = self._directory(self._first)
        yield "IFD0", first
        for name, tag in (("Exif", _CAMERA), ("GPS", _GPS)):
            pointer = self._find(first, tag)
            if pointer is None:
                continue
            entries, _ = self._directory(self._number(pointer.start, 4))
            yield name, entries
            inner = self._find(entries, _INTEROP)
            if inner is not None:
                yield "Interoperability", self._directory(self._number(inner.start, 4))[0]

    def _listing(self) -> list[tuple[str, int, int, int, int, bytes]]:
        """Everything that must stay: each entry with the place and the bytes of its values."""
        found = []
        for name, entries in self._directories():
            for entry in entries:
                if entry.tag in {_COMMENT, _CAMERA}:
                    continue
                inside = entry.start == entry.at + 8
                value = bytes(self._data[entry.start : entry.start + entry.size])
                place = 0 if inside else entry.start
                found.append((name, entry.tag, entry.kind, entry.count, place, value))
        return found

    def _occupied(self) -> Iterator[tuple[int, int]]:
        """Begin and end of everything that is known to lie in the block, but for the thumbnail's bytes."""
        yield 0, 8
        starts = [entries for _, entries in self._directories()]
        thumbnail = self._directory(self._first)[1]
        if thumbnail:
            starts.append(self._directory(thumbnail)[0])
        for entries in starts:
            for entry in entries:
                yield entry.at, entry.at + 12
                if entry.size:
                    yield entry.start, entry.start + entry.size
