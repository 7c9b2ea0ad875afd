"""The marker of video files: the engine's own in boxes and AVI, ours in Matroska; and what signing must not change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.video import offsets, riff, structure
from aikz_label.adapters.video.boxes import Tree
from aikz_label.carriers import ebml, matroska, native
from aikz_label.carriers.patched import Copy, Digest, Patch, Short
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.engine import Reading
from aikz_label.errors import Refused
from aikz_label.files import was_cut
from aikz_label.formats import Format
from aikz_label.limits import DEFAULT, NO_LIMITS
from aikz_label.trust import TrustList
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_OUTLINE = replace(NO_LIMITS, max_parts=DEFAULT.max_parts)


def read_marker(source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> Reading:
    """See `Adapter.read_marker`; the engine gets no store whose lengths lie, nor more boxes than it has time for."""
    if was_cut(source):
        return Reading("failed")
    try:
        if row.name in structure.BOXES and not (tree := Tree.read(source, _OUTLINE)).for_engine():
            return Reading("failed" if tree.markers() else "absent")
        if row.name in structure.MATROSKA:
            with structure.reading(_OUTLINE):
                document = ebml.Document.read(source, _OUTLINE.max_parts)
            return matroska.read(source, document, _OUTLINE.max_parts, trust)
        stores = tuple(_stores(source, row))
    except MediaProblem:
        return Reading("failed")
    return native.read(source, row, trust, stores)


def _stores(source: BinaryIO, row: Format) -> Iterator[bytes]:
    if row.name in structure.BOXES:
        tree = Tree.read(source, _OUTLINE)
        for box in tree.markers():
            if box.stop - box.body <= matroska.MAX_STORE:
                yield from bmff.stores(tree.data, (box,))
        return
    film = riff.Film.read(source, _OUTLINE)
    for chunk in film.markers():
        source.seek(chunk.body)
        yield source.read(min(chunk.stop - chunk.body, matroska.MAX_STORE))


def write_marker(
    source: BinaryIO,
    destination: BinaryIO,
    row: Format,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """See `Adapter.write_marker`."""
    if row.name in structure.MATROSKA:
        with structure.reading(NO_LIMITS):
            document = ebml.Document.read(source, NO_LIMITS.max_parts)
        matroska.write(source, destination, document, manifest, key, parent)
        return
    if row.name not in structure.BOXES:
        film = riff.Film.read(source, NO_LIMITS)
        if film.riffs[0].after < film.size:
            raise NoCarrier  # the engine keeps nothing behind the first RIFF chunk, such as the rest of a long film
        engine.sign(source, destination, row.mime, manifest, key, parent)
        return
    tree = Tree.read(source, NO_LIMITS)
    if tree.find(b"ftyp") is None:
        raise NoCarrier  # QuickTime from before that box, of which the engine knows nothing
    if not tree.for_engine():
        raise NoCarrier
    engine.sign(source, destination, row.mime, manifest, key, parent)
    _mend(tree, Tree.read(destination, NO_LIMITS), destination)


def _mend(before: Tree, after: Tree, destination: BinaryIO) -> None:
    """Put the tables of fragments right: the engine (0.91) gives every entry of one the place of the last.

    They stand in `mfra`, which the binding leaves out.
    """
    marker = next(iter(after.markers()), None)
    if marker is None:
        return
    length = marker.stop - marker.start

    def moved(old: int) -> int:
        return old + length if old >= marker.start else old

    old = [places for places in offsets.places(before) if places.box == b"tfra"]
    new = [places for places in offsets.places(after) if places.box == b"tfra"]
    for was, now in zip(old, new, strict=True):
        patch = was.moved(before.data, moved)
        if patch is not None:
            destination.seek(now.at)
            destination.write(patch.data)


def confirm(painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
    """See `Adapter.confirm`: part by part the two files are the same but for the marker, and tell the same places."""
    try:
        parts = (tuple(_parts(stream, row)) for stream in (painted, signed))
        same = all(one == other for one, other in zip_longest(*parts))
    except (MediaProblem, Short):
        same = False
    if not same:
        raise Refused(
            "The C2PA engine changed more of this file than the marker.",
            code="content-changed",
            hint="Nothing was written. Re-save the file with another program, or use a sidecar (--sidecar).",
        )


def _parts(source: BinaryIO, row: Format) -> Iterator[tuple[bytes, str]]:
    """Name and digest of every part but the marker; places count as they would be without it."""
    patches: list[Patch] = []
    if row.name in structure.BOXES:
        tree = Tree.read(source, NO_LIMITS)
        markers = tree.markers()
        patches += offsets.moved(tree, offsets.without(tree, markers))
        spans = [(box.kind, box.start, box.stop) for box in tree.top if box not in markers]
    elif row.name in structure.MATROSKA:
        spans = _matroska_spans(source)
    else:
        film = riff.Film.read(source, NO_LIMITS)
        known = [chunk for chunk in film.chunks if chunk not in film.markers()]
        spans = [(c.kind + c.form, c.start, c.stop) for c in (*known, *film.riffs[1:])]
        spans.append((b"", film.end, film.size))
    digest = Digest()
    copy = Copy(source, digest, patches)
    for kind, start, stop in spans:
        copy.between(start, stop)
        yield kind, digest.take()


def _matroska_spans(source: BinaryIO) -> list[tuple[bytes, int, int]]:
    """All but empty space, the list of parts in front, which may name the marker, and the marker."""
    with structure.reading(NO_LIMITS):
        document = ebml.Document.read(source, NO_LIMITS.max_parts)
        marked = {simple.tags for simple in matroska.find(source, document, NO_LIMITS.max_parts)}
    return [
        (ebml.packed_name(part.name), part.start, part.stop)
        for part in document.parts
        if part.name not in {ebml.VOID, ebml.SEEK_HEAD} and part not in marked
    ]
