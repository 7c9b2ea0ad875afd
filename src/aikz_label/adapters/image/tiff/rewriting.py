"""A TIFF file written anew where it changes: painted blocks, the tags that lead to them, and the mirrors.

Nothing else moves, so that no offset anywhere has to be understood; see `aikz_label.metadata.ifd_editor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aikz_label.adapters.image.tiff.page import (
    BITS,
    COLOUR_MAP,
    HEIGHT,
    OLD_JPEG,
    OLD_JPEG_LENGTH,
    ROWS_PER_STRIP,
    STRIP_LENGTHS,
    STRIPS,
    TILE_LENGTHS,
    TILES,
    WIDTH,
    Page,
)
from aikz_label.metadata import exif_comment, ifd
from aikz_label.metadata.ifd_editor import Editor, Value

if TYPE_CHECKING:
    from aikz_label.adapters.image.container import Tags
    from aikz_label.adapters.image.tiff.picture import TiffPicture


class Rewriting:
    """Changes to a file, gathered page by page.

    Args:
        tiff: The file as it was read.
    """

    def __init__(self, tiff: ifd.Tiff) -> None:
        self._tiff = tiff
        self._editor = Editor(tiff)
        self._changes: dict[int, dict[int, Value]] = {}

    # --- pixels -----------------------------------------------------------------------------------------------------

    def replace(self, old: Page, picture: TiffPicture) -> None:
        """Store the changed blocks of a page, and note what its directory says of them.

        Args:
            old: The page as the file has it.
            picture: The page as it is to be.
        """
        page, found = picture.page, dict[int, Value]()
        if page.places != old.places:
            for start, length in zip(old.places, old.lengths, strict=False):
                self._editor.erase(start, start + length)
        if page.size != old.size:
            grown = {WIDTH: page.size[0], HEIGHT: page.size[1]}
            grown |= {} if page.tiled else {ROWS_PER_STRIP: page.block[1]}
            found |= {
                tag: (ifd.LONG, 1, self._tiff.pack(ifd.LONG, [n])) for tag, n in grown.items()
            }
        places, lengths = list(page.places), list(page.lengths)
        for index, data in picture.blocks.encoded():
            places[index] = self._editor.store(places[index], lengths[index], data)
            lengths[index] = len(data)
        if page.split and page.places == old.places:
            assert (tuple(places), tuple(lengths)) == (page.places, page.lengths), "it moved"
        else:
            found |= self._places(page, places, lengths)
        if page.bits != old.bits:
            found[BITS] = (ifd.SHORT, page.samples, self._tiff.pack(ifd.SHORT, page.bits))
        colours = picture.colour_map.reshape(-1).tolist()
        if colours != list(page.colour_map):
            found[COLOUR_MAP] = (ifd.SHORT, len(colours), self._tiff.pack(ifd.SHORT, colours))
        self._changes[page.directory.at] = found

    def _places(self, page: Page, places: list[int], lengths: list[int]) -> dict[int, Value]:
        """What a directory says of where its blocks are."""
        found = dict[int, Value]()
        for tags, numbers in (((TILES, STRIPS), places), ((TILE_LENGTHS, STRIP_LENGTHS), lengths)):
            entry = next(filter(None, (page.directory.get(tag) for tag in tags)), None)
            kind = entry.kind if entry and entry.kind in {ifd.SHORT, ifd.LONG8} else ifd.LONG
            if kind == ifd.SHORT and max(numbers) >= 1 << 16:
                kind = ifd.LONG
            tag = entry.tag if entry else STRIP_LENGTHS
            found[tag] = (kind, len(numbers), self._tiff.pack(kind, numbers))
        if page.whole_jpeg:
            for tag, number in ((OLD_JPEG, places[0]), (OLD_JPEG_LENGTH, lengths[0])):
                if page.directory.get(tag):
                    found[tag] = (ifd.LONG, 1, self._tiff.pack(ifd.LONG, [number]))
        return found

    # --- directories ------------------------------------------------------------------------------------------------

    def finished(self, tags: Tags) -> bytes:
        """The file with changed directories, without a marker and with the mirrors."""
        first, *others = self._tiff.pages
        camera, comment = exif_comment.camera(self._tiff, first), self._comment(tags.comment)
        for found in reversed(tuple(self._tiff.tree())):
            old = found.get(ifd.C2PA)
            if old is not None and found in others and not found.get(WIDTH):
                self._editor.unlink(found)  # a page without pixels that the engine made
                self._editor.erase(old.at, old.at + old.length)
                continue
            wanted = dict(self._changes.get(found.at, {}))
            # what points behind the end of the file would point at something that is appended there
            wanted |= dict.fromkeys(dangling(self._tiff, found))
            if old is not None:
                wanted[ifd.C2PA] = None
            if comment is not None and found is first and camera is None:
                wanted[ifd.EXIF] = exif_comment.new_camera(self._tiff, self._editor, comment)
            elif comment is not None and camera is not None and found.at == camera.at:
                wanted[exif_comment.TAG] = comment
            if found is first and tags.xmp is not None:
                entry = found.get(ifd.XMP)
                kind = ifd.UNDEFINED if entry and entry.kind == ifd.UNDEFINED else ifd.BYTE
                wanted[ifd.XMP] = (kind, len(tags.xmp), tags.xmp)
            self._editor.change(found, wanted)
        return self._editor.data

    def _comment(self, text: str) -> Value:
        """The mirror in the words of EXIF; `None` where there is none to write, or those of somebody else stay."""
        camera = exif_comment.camera(self._tiff, self._tiff.pages[0])
        try:
            return exif_comment.value(self._tiff, camera, text) if text else None
        except exif_comment.TakenError:
            return None


def comment_is_taken(tiff: ifd.Tiff) -> bool:
    """Whether somebody else's words stand where EXIF would hold the mirror."""
    try:
        exif_comment.value(tiff, exif_comment.camera(tiff, tiff.pages[0]), "")
    except exif_comment.TakenError:
        return True
    return False


def dangling(tiff: ifd.Tiff, found: ifd.Directory) -> Iterator[int]:
    """Tags of a directory whose values lie outside the file."""
    for entry in found.entries:
        if entry.length > tiff.word and entry.at + entry.length > len(tiff.data):
            yield entry.tag
