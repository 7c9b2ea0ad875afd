"""Editing an EXIF block without moving anything in it.

Cameras write places into their own notes that count from the beginning of the block, so whatever stays must stay where it
is. What is new fits into the old place or goes to the end. When it is done the block is read again, and everything else
must be what it was.
"""

from __future__ import annotations

from typing import TypeAlias

from aikz_label.metadata import exif_comment, ifd
from aikz_label.metadata.ifd import LONG, Directory, Tiff
from aikz_label.metadata.ifd_editor import Editor

MAX_BLOCK = 64 * 1024
_PREFIX = b"Exif\0\0"
_ROOM = MAX_BLOCK - 3 - len(_PREFIX)  # what a segment of JPEG takes
_ORIENTATION = 0x0112
_PLACE, _LENGTH = 513, 514  # of the thumbnail

_Kept: TypeAlias = "tuple[int, int, int, int, bytes]"


class ExifError(ValueError):
    """The block cannot be edited without risk."""


class ExifBlock:
    """A block, and copies of it with one change each.

    Args:
        block: As the file holds it, with or without its usual first six bytes.

    Raises:
        ExifError: It is too large, damaged, or of an unknown kind.
    """

    def __init__(self, block: bytes) -> None:
        if len(block) > MAX_BLOCK:
            raise ExifError("it is too large")
        self._prefix = _PREFIX if block.startswith(_PREFIX) else b""
        try:
            self._tiff = Tiff.read(block[len(self._prefix) :])
            if self._tiff.big:
                raise ExifError("it is of another kind")
            self._kept = self._listing(self._tiff)
            self._editor = Editor(self._tiff)
        except (ifd.Malformed, ifd.TooMany) as error:
            raise ExifError("its directories make no sense") from error

    @property
    def orientation(self) -> int:
        """How the picture is turned to be seen, 1 to 8."""
        found = self._first.get(_ORIENTATION)
        value = next(iter(self._tiff.numbers(found)), 1) if found and found.length <= 4 else 1
        return value if 1 <= value <= 8 else 1

    @property
    def _first(self) -> Directory:
        return self._tiff.pages[0]

    # --- the comment ------------------------------------------------------------------------------------------------

    def with_comment(self, text: str) -> bytes:
        """The block with a text in `UserComment`, where there is none or an earlier one of ours.

        Raises:
            ExifError: There is a text of somebody else's, or no room.
        """
        camera = exif_comment.camera(self._tiff, self._first)
        try:
            comment = exif_comment.value(self._tiff, camera, text)
        except exif_comment.TakenError as error:
            raise ExifError(str(error)) from error
        if camera is None:
            made = exif_comment.new_camera(self._tiff, self._editor, comment)
            self._editor.change(self._first, {ifd.EXIF: made})
        else:
            self._editor.change(camera, {exif_comment.TAG: comment})
        return self._finished()

    # --- the thumbnail ----------------------------------------------------------------------------------------------

    @property
    def has_thumbnail(self) -> bool:
        """Whether there is a small picture of the picture, of any kind."""
        return len(self._tiff.pages) > 1

    @property
    def thumbnail(self) -> bytes | None:
        """The thumbnail, if it is a JPEG."""
        place, length = self._slot
        found = self._tiff.data[place : place + length]
        whole = len(found) == length and found.startswith(b"\xff\xd8")
        return found if place and whole else None

    def with_thumbnail(self, jpeg: bytes) -> bytes:
        """The block with another thumbnail, in place of the old one if it is not longer.

        Raises:
            ExifError: There is no room.
        """
        place, length = self._slot
        at = self._editor.store(place, length, jpeg)
        numbers = (value.to_bytes(4, self._tiff.order) for value in (at, len(jpeg)))
        changes = dict(zip((_PLACE, _LENGTH), ((LONG, 1, n) for n in numbers), strict=True))
        self._editor.change(self._tiff.pages[1], changes)
        return self._finished()

    def without_thumbnail(self) -> bytes:
        """The block without one; its bytes are wiped where nothing else uses them."""
        place, length = self._slot
        if length:
            self._editor.erase(place, place + length)
        self._editor.unlink(self._tiff.pages[1])
        return self._finished()

    @property
    def _slot(self) -> tuple[int, int]:
        """Where the bytes of the thumbnail begin, and how many they are."""
        page = self._tiff.pages[1]
        place, length = (
            next(iter(self._tiff.numbers(page.get(tag))), 0) for tag in (_PLACE, _LENGTH)
        )
        return place, length

    # --- proof ------------------------------------------------------------------------------------------------------

    def _finished(self) -> bytes:
        """The edited block, found to hold everything else that it held."""
        data = self._editor.data
        if len(data) > _ROOM:
            raise ExifError("it would become too large")
        try:
            now = self._listing(Tiff.read(data))
        except (ifd.Malformed, ifd.TooMany) as error:
            raise ExifError("it does not read back") from error
        if now != self._kept:
            raise ExifError("it does not read back")
        return self._prefix + data

    def _listing(self, tiff: Tiff) -> list[_Kept]:
        """Everything that must stay: each tag with type, count, place and bytes of its values."""
        length = len(self._tiff.data)
        found = []
        for directory in tiff.tree(of=tiff.pages[:1]):
            for entry in directory.entries:
                if entry.tag in {exif_comment.TAG, ifd.EXIF}:
                    continue
                # values that reach over the end are common and harmless; what comes behind is not part of them
                value = tiff.data[entry.at : min(entry.at + entry.length, length)]
                inside = directory.at <= entry.at < directory.next_at
                place = 0 if inside else entry.at
                if inside:
                    value = tiff.data[entry.at : entry.at + entry.length]
                found.append((entry.tag, entry.kind, entry.count, place, value))
        return found
