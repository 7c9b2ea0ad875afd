"""Writing mirrors into a film: everything else stays, only places that the file tells of itself follow.

What each container gets:

* boxes: a free-form item for each property in the list of metadata (`moov/udta/meta/ilst`), and XMP in a box at the end,
  or where QuickTime has it;
* Matroska: a tag for each property;
* AVI: XMP in a chunk, and the line of all properties as the comment when there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from aikz_label.adapters import Order
from aikz_label.adapters.image.bmff import Box, pack
from aikz_label.adapters.video import offsets, riff, structure
from aikz_label.adapters.video.boxes import XMP, Tree
from aikz_label.carriers import ebml, ebml_edit, matroska
from aikz_label.carriers.patched import Copy, Patch
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Label
from aikz_label.limits import NO_LIMITS
from aikz_label.metadata import mirror, xmp

_OWNER = b"org.aikz"
_TEXT = (1).to_bytes(4) + bytes(4)  # UTF-8, any language
_MAX_MOVIE = 256 << 20
_MOST = 1_000_000  # chunks of an index


def write(source: BinaryIO, destination: BinaryIO, row: Format, order: Order) -> tuple[str, ...]:
    """Copy a film with our mirrors, and without an old marker and old mirrors of ours.

    Args:
        source: The film.
        destination: Where the copy goes.
        row: Its format.
        order: The label to mirror.

    Returns:
        What could not be written, one English sentence each.

    Raises:
        MediaProblem: The structure cannot be read.
        Refused: The file would become too long for the places it tells.
    """
    if row.name in structure.BOXES:
        return _Boxes(Tree.read(source, NO_LIMITS), order.label).write(source, destination)
    if row.name in structure.MATROSKA:
        return _into_matroska(source, destination, order.label)
    return _into_avi(source, destination, order.label)


# --- boxes --------------------------------------------------------------------------------------------------------------


class _Boxes:
    """A file of boxes, and its parts as they will be."""

    def __init__(self, tree: Tree, label: Label) -> None:
        self._tree, self._label = tree, label
        self._said: list[str] = []
        self._movie = tree.find(b"moov")
        self._user = tree.find(b"moov", b"udta")
        listed = tree.children(self._user) if self._user else ()
        self._packet = next((box for box in listed if box.kind == b"XMP_"), None)

    def write(self, source: BinaryIO, destination: BinaryIO) -> tuple[str, ...]:
        """Copy the file."""
        tree, movie = self._tree, self._movie
        if movie is not None and movie.stop - movie.start > _MAX_MOVIE:
            raise Refused(
                "The film's index is too large.", code="over-limit", hint="Split the film."
            )
        outside = b"" if self._packet else self._outside()
        user = self._user_data()
        grown = len(user) - (self._user.stop - self._user.start if self._user else 0)
        left_out = {*tree.markers(), *((b for b in tree.top if tree.is_xmp(b)) if outside else ())}
        kept, at = [], 0
        for box in tree.top:
            if box not in left_out:
                kept.append((box.start, box.stop, at))
                at += box.stop - box.start + (grown if box == movie else 0)
        patches = self._patches(offsets.Layout(kept))
        copy = Copy(source, destination, patches)
        for box in tree.top:
            if box.kind == b"mfra" and box == tree.top[-1]:  # found from the end of the file
                destination.write(outside)
                outside = b""
            if box in left_out:
                continue
            if box == movie:
                self._write_movie(copy, destination, movie, user, grown)
            else:
                copy.between(box.start, box.stop)
        destination.write(outside)
        return tuple(self._said)

    def _patches(self, layout: offsets.Layout) -> list[Patch]:
        last, patches = self._tree.top[-1], list[Patch]()
        head = self._tree.data[last.start : last.start + 4]
        if (
            not any(head) and last.kind != b"moov"
        ):  # it went to the end of the file, behind which XMP comes
            size = last.stop - last.start
            if size >= 1 << 32:
                raise _too_long()
            patches.append(Patch(last.start, size.to_bytes(4)))
        try:
            return patches + list(offsets.moved(self._tree, layout))
        except OverflowError:
            raise _too_long() from None

    def _write_movie(
        self, copy: Copy, destination: BinaryIO, movie: Box, user: bytes, grown: int
    ) -> None:
        """The index with other user data."""
        size = movie.stop - movie.start + grown
        head = movie.body - movie.start
        if head == 8 and size >= 1 << 32:
            raise _too_long()
        wide = (1).to_bytes(4) + b"moov" + size.to_bytes(8)
        destination.write(wide if head == 16 else size.to_bytes(4) + b"moov")
        at = self._user.start if self._user else movie.stop
        copy.between(movie.body, at)
        destination.write(user)
        copy.between(self._user.stop if self._user else at, movie.stop)

    def _outside(self) -> bytes:
        """The box with XMP."""
        old = next((box for box in self._tree.top if self._tree.is_xmp(box)), None)
        packet = self._xmp(self._tree.data[old.body + 16 : old.stop] if old else None)
        return pack(b"uuid", XMP, packet) if packet else b""

    def _xmp(self, packet: bytes | None) -> bytes:
        try:
            return xmp.write(packet, self._label)
        except xmp.XmpError as error:
            self._said.append(_xmp_warning(error))
            return b""

    def _user_data(self) -> bytes:
        """`udta` with our items; as it was, or none, where there is no `moov` or it has a list of another kind."""
        tree = self._tree
        parts = tree.children(self._user) if self._user else ()
        written, done = [], False
        for box in parts:
            data = tree.data[box.start : box.stop]
            if box.kind == b"meta":
                data, done = self._with_items(box), True
            elif box == self._packet:
                packet = self._xmp(tree.content(box))
                data = pack(b"XMP_", packet) if packet else data
            written.append(data)
        if not done:
            written.append(pack(b"meta", bytes(4), _HANDLER, pack(b"ilst", *self._items())))
        rest = (
            tree.data[parts[-1].stop if parts else self._user.body : self._user.stop]
            if self._user
            else b""
        )
        return pack(b"udta", *written, rest) if self._movie else b""

    def _with_items(self, meta: Box) -> bytes:
        """The list of metadata with our items in place of earlier ones."""
        tree = self._tree
        inner = tree.children(meta)
        handler = next((box for box in inner if box.kind == b"hdlr"), None)
        if handler is None or tree.data[handler.body + 8 : handler.body + 12] != b"mdir":
            return tree.data[meta.start : meta.stop]
        first = inner[0].start if inner else meta.stop
        listed = any(box.kind == b"ilst" for box in inner)
        written = [
            self._list(box) if box.kind == b"ilst" else tree.data[box.start : box.stop]
            for box in inner
            if not self._is_spare(box)
        ]
        written += [] if listed else [pack(b"ilst", *self._items())]
        return pack(b"meta", tree.data[meta.body : first], *written)

    def _is_spare(self, box: Box) -> bool:
        """Empty space for a longer list."""
        return box.kind == b"free" and not any(self._tree.content(box))

    def _list(self, listed: Box) -> bytes:
        tree = self._tree
        kept = [
            tree.data[item.start : item.stop]
            for item in tree.children(listed)
            if not self._is_ours(item)
        ]
        return pack(b"ilst", *kept, *self._items())

    def _is_ours(self, item: Box) -> bool:
        if item.kind != b"----":
            return False
        parts = {box.kind: self._tree.content(box)[4:] for box in self._tree.children(item)}
        name = parts.get(b"name", b"").decode("ascii", "replace")
        return parts.get(b"mean") == _OWNER and name in mirror.PROPERTIES

    def _items(self) -> list[bytes]:
        return [
            pack(
                b"----",
                pack(b"mean", bytes(4), _OWNER),
                pack(b"name", bytes(4), name.encode()),
                pack(b"data", _TEXT, value.encode()),
            )
            for name, value in mirror.statements(self._label)
        ]


_HANDLER = pack(b"hdlr", bytes(8), b"mdirappl", bytes(9))


def _too_long() -> Refused:
    return Refused(
        "The places in this film are written with too few digits for a longer file.",
        code="unsupported-variant",
        hint="Use a sidecar, or write the film anew with 64-bit places (co64).",
    )


def _xmp_warning(error: xmp.XmpError) -> str:
    return f"The XMP mirror was not written; the file's own was left as it is: {error}."


# --- Matroska -----------------------------------------------------------------------------------------------------------


def _into_matroska(source: BinaryIO, destination: BinaryIO, label: Label) -> tuple[str, ...]:
    most = NO_LIMITS.max_parts
    with structure.reading(NO_LIMITS):
        document = ebml.Document.read(source, most)
        old = [
            simple
            for simple in ebml.simple_tags(source, document, most)
            if simple.about_all and simple.name in {matroska.NAME, *mirror.PROPERTIES}
        ]
        items = [
            ebml.pack(
                ebml.SIMPLE_TAG,
                ebml.pack(ebml.TAG_NAME, name.encode()),
                ebml.pack(ebml.TAG_STRING, value.encode()),
            )
            for name, value in mirror.statements(label)
        ]
        tag = ebml.pack(ebml.TAG, ebml.pack(ebml.TARGETS, width=1), *items)
        ebml_edit.append(source, destination, document, ebml.pack(ebml.TAGS, tag), old)
    return ()


# --- AVI ----------------------------------------------------------------------------------------------------------------


def _into_avi(source: BinaryIO, destination: BinaryIO, label: Label) -> tuple[str, ...]:
    """What is new goes to the end of the first RIFF chunk, so that its index stays true; what is old is emptied."""
    film = riff.Film.read(source, NO_LIMITS)
    said: list[str] = []
    gone = {*film.markers(), *_own_comments(film)}
    old = next((chunk for chunk in film.chunks if chunk.kind == b"_PMX"), None)
    new = b""
    try:
        new += riff.packed(b"_PMX", xmp.write(film.content(old) if old else None, label))
        gone |= {old} if old else set()
    except xmp.XmpError as error:
        said.append(_xmp_warning(error))
    others = (c for form in film.chunks if form not in gone for c in film.inside(form, b"INFO"))
    if all(chunk.kind != b"ICMT" for chunk in others):
        comment = riff.packed(b"ICMT", mirror.line(label).encode() + b"\0")
        new += riff.packed(b"LIST", b"INFO" + comment)
    first, cut = film.riffs[0], film.riffs[0].stop
    for chunk in reversed(film.chunks):
        if chunk not in gone:
            cut = min(chunk.after, first.stop)
            new = bytes(chunk.after - cut) + new
            break
    size = cut - first.start - 8 + len(new)
    if size >= 1 << 32:
        raise _too_long()
    patches = [Patch(first.start + 4, size.to_bytes(4, "little"))]
    patches += (p for chunk in gone if chunk.start < cut for p in _emptied(chunk))
    distance = cut + len(new) + (size & 1) - first.after
    patches += riff.shifted(film, first.after, distance, _MOST)
    copy = Copy(source, destination, patches)
    copy.to(cut)
    destination.write(new + bytes(size & 1))
    copy.between(min(first.after, film.size), film.size)
    return tuple(said)


def _own_comments(film: riff.Film) -> Iterator[riff.Chunk]:
    """Lists that hold nothing but a comment of ours."""
    for chunk in film.chunks:
        inner = tuple(film.inside(chunk, b"INFO"))
        if [one.kind for one in inner] == [b"ICMT"]:
            text = film.content(inner[0]).rstrip(b"\0").decode("utf-8", "replace")
            if mirror.parsed(text):
                yield chunk


def _emptied(chunk: riff.Chunk) -> Iterator[Patch]:
    """A chunk made into empty space."""
    yield Patch(chunk.start, b"JUNK")
    yield Patch(chunk.start + 8, bytes(chunk.stop - chunk.start - 8))
