"""What a video file says by its structure alone, whatever its container: see `Adapter.examine`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO

from aikz_label.adapters import Examined, MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.video import offsets, protection, riff, statements
from aikz_label.adapters.video.boxes import MOST, Tree
from aikz_label.carriers import ebml, matroska
from aikz_label.carriers.patched import Copy, Digest, Short
from aikz_label.files import was_cut
from aikz_label.formats import Format
from aikz_label.limits import Limits

BOXES = {"mp4", "mov", "3gp", "m4a"}
MATROSKA = {"mkv", "webm", "mka"}
_LARGER = 64  # times as large as a file that is read whole: a film is not
_MAX_MIRRORS = 50
_UNPROTECTED = {b"ftyp", b"free", b"skip", b"mfra"}  # C2PA 2.4, BMFF-based hash: at the top level
_PADDING = {b"free", b"skip"}


def examine(source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
    """See `Adapter.examine`."""
    check_size(source, limits)
    if row.name in BOXES:
        return _of_boxes(Tree.read(source, limits), source, limits, thorough=thorough)
    if row.name in MATROSKA:
        with reading(limits):
            return _of_matroska(source, limits, thorough=thorough)
    film = riff.Film.read(source, limits)
    if thorough and not any(chunk.form == b"movi" for chunk in film.chunks):
        raise MediaProblem("damaged", detail_word="no-header")
    mirrors = tuple(islice(statements.in_avi(film, limits), _MAX_MIRRORS))
    return Examined(mirrors, bool(film.markers()))


def check_size(source: BinaryIO, limits: Limits) -> None:
    """Stop before a file that is too large.

    Raises:
        MediaProblem: It is.
    """
    size, most = source.seek(0, io.SEEK_END), limits.max_bytes * _LARGER
    if was_cut(source):
        most = limits.max_bytes  # of what comes through a pipe, more is not kept
    if size > most:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=most)


@contextmanager
def reading(limits: Limits) -> Iterator[None]:
    """While the elements of a Matroska file are read."""
    try:
        yield
    except ebml.Broken as broken:
        if broken.found:
            raise bmff.too_many(broken.found, limits) from None
        raise bmff.cut() from None
    except Short:
        raise bmff.cut() from None


# --- boxes --------------------------------------------------------------------------------------------------------------


def _of_boxes(tree: Tree, source: BinaryIO, limits: Limits, *, thorough: bool) -> Examined:
    known = tuple(tree.all())
    marked = bool(tree.markers())
    if marked and len(known) > MOST:  # nobody here can check that marker
        raise MediaProblem("over-limit", what_word="parts", found=len(known), limit=MOST)
    if thorough:
        _check(tree, known)
    mirrors = tuple(islice(statements.in_boxes(tree, limits), _MAX_MIRRORS))
    locked = thorough and protection.in_boxes(tree)
    return Examined(mirrors, marked, (), *unprotected(tree, source), locked=locked)


def _check(tree: Tree, known: tuple[tuple[tuple[bytes, ...], bmff.Box], ...]) -> None:
    """A film that nobody could play: nothing describes it, or what it describes is not there."""
    if not any(path == (b"moov",) and box.kind == b"trak" for path, box in known):
        raise MediaProblem("damaged", detail_word="no-header")
    size = len(tree.data)
    for places in offsets.places(tree):
        if places.box in {b"stco", b"co64"}:
            last = places.at + places.step * (places.count - 1)
            if int.from_bytes(tree.data[last : last + places.width]) > size:
                raise bmff.cut()


def unprotected(tree: Tree, source: BinaryIO) -> tuple[str, bool]:
    """The digest of the boxes that the binding leaves out, and whether padding among them holds anything.

    Whole boxes count, in order, so that an empty one more is noticed too. The binding knows one marker; any further box of
    that type is left out like these. Places in `mfra` count as they would be without a marker, which signing puts in.
    """
    markers = tree.markers()
    digest, padding = Digest(), _Holds()
    copy = Copy(source, digest, offsets.moved(tree, offsets.without(tree, markers[:1]), b"tfra"))
    looked = Copy(source, padding)
    for box in tree.top:
        further = box in markers[1:]
        if box.kind in _UNPROTECTED or further:
            copy.between(box.start, box.stop)
        if box.kind in _PADDING or further:
            looked.between(box.body, box.stop)
    return digest.take(), padding.anything


class _Holds:
    """A place to write to that only remembers whether there was anything but zeros."""

    anything = False

    def write(self, data: bytes) -> None:
        """Look at the next bytes."""
        self.anything = self.anything or any(data)


# --- Matroska -----------------------------------------------------------------------------------------------------------


def _of_matroska(source: BinaryIO, limits: Limits, *, thorough: bool) -> Examined:
    document = ebml.Document.read(source, limits.max_parts)
    if thorough and not any(document.all(ebml.TRACKS)):
        raise MediaProblem("damaged", detail_word="no-header")
    mirrors = tuple(islice(statements.in_matroska(source, document), _MAX_MIRRORS))
    marked = any(matroska.find(source, document, limits.max_parts))
    locked = thorough and protection.in_matroska(source, document)
    return Examined(mirrors, marked, locked=locked)
