"""The comment in which EXIF holds our mirror: where it stands, and what is written there.

EXIF has no field for AI. Its `UserComment` in the camera's directory is the one text that takes any letters and that every
reader shows. A block of EXIF has it, and so has a TIFF file, whose own first directory is EXIF's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aikz_label.metadata import exif, mirror
from aikz_label.metadata.ifd import EXIF, LONG, UNDEFINED, Directory, Tiff

if TYPE_CHECKING:
    from aikz_label.metadata.ifd_editor import Editor, Value

TAG = 0x9286
_LONGEST = 64 * 1024  # of ours
_IFD8 = 18  # an offset of BigTIFF that leads to a directory


class TakenError(ValueError):
    """There is a comment of somebody else's, which stays."""


def camera(tiff: Tiff, first: Directory) -> Directory | None:
    """The camera's directory, if the first one points to it; a tag with other values than a place does not."""
    entry = first.get(EXIF)
    place = entry.at if entry else None
    return next((d for d in tiff.children(first) if d.pointer_at == place), None)


def value(tiff: Tiff, found: Directory | None, text: str) -> Value:
    """A text as the tag holds it, in place of none or of an earlier one of ours.

    Raises:
        TakenError: There is another.
    """
    old = found.get(TAG) if found else None
    if old and old.length > _LONGEST:
        raise TakenError("there is a comment of somebody else's")
    said = tiff.data[old.at : old.at + old.length] if old else b""
    words = exif.comment_text(said, tiff.order)
    if words and not mirror.parsed(words):
        raise TakenError("there is a comment of somebody else's")
    if text.isascii():
        data = b"ASCII\0\0\0" + text.encode()
    else:
        data = b"UNICODE\0" + text.encode("utf-16-le" if tiff.order == "little" else "utf-16-be")
    return UNDEFINED, len(data), data


def new_camera(tiff: Tiff, editor: Editor, comment: Value) -> Value:
    """A camera's directory with nothing but the comment, at the end; what the first directory says of it."""
    assert comment is not None
    kind, count, data = comment
    place = editor.append(data)
    word = tiff.word
    row = [(TAG, 2), (kind, 2), (count, word), (place, word)]
    table = [(1, 8 if tiff.big else 2), *row, (0, word)]  # no directory follows
    at = editor.append(b"".join(number.to_bytes(size, tiff.order) for number, size in table))
    return _IFD8 if tiff.big else LONG, 1, at.to_bytes(word, tiff.order)
