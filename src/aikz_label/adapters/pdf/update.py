"""An incremental update: objects, a cross-reference of the kind the file has, and nothing else; what was there stays.

The catalog is always written last. So whoever adds the marker later cuts the update there and writes on.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from typing import BinaryIO

from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.objects import Content, Dict, Extent, Ref, Stream, Value
from aikz_label.adapters.pdf.tail import Tail
from aikz_label.errors import Refused

_PACK = 200  # objects in one object stream


class Update:
    """What is to be appended to a document.

    Attributes:
        document: To which.
        trailer: What its trailer is to say.
    """

    def __init__(self, document: Document, beyond: int = 0) -> None:
        """Begin an update.

        Args:
            document: The document.
            beyond: A number that new objects must not have, nor any below: something may refer to it that is not there.
        """
        self.document = document
        self.trailer: Dict = {
            key: value for key, value in document.trailer.items() if key not in {"Size", "Prev"}
        }
        self._objects: dict[int, tuple[Ref, Content]] = {}
        self._next = max(document.highest, beyond) + 1

    def add(self, content: Content) -> Ref:
        """Add an object."""
        ref = Ref(self._next, 0)
        self._next += 1
        self._objects[ref.num] = (ref, content)
        return ref

    def change(self, ref: Ref, content: Content) -> None:
        """Put something else in an object's place; strings are given decrypted."""
        self._objects[ref.num] = (ref, content)

    def opened(self, ref: Ref) -> Value:
        """An object as it is by now, its strings decrypted; a copy, until it is part of the update; `None` for a stream."""
        if ref.num in self._objects:
            content = self._objects[ref.num][1]
            return None if isinstance(content, Stream) else content
        found = self.document.get(ref)
        value = None if isinstance(found, Extent) else found
        return _cleared(self.document, value, ref)

    def edit(self, ref: Ref) -> Dict:
        """An object that is a dictionary, opened and taken into the update; whoever gets it changes it in place.

        Raises:
            Refused: Not all of it was understood.
        """
        found = self.opened(ref)
        if ref.num in self.document.reader.garbled and ref.num not in self._objects:
            raise Refused(
                "A page or another part of this document that would be written again is garbled, and more would be lost.",
                code="content-changed",
                hint="Repair it with the program that made it, or with `qpdf broken.pdf repaired.pdf`.",
            )
        value = found if isinstance(found, dict) else {}
        self._objects[ref.num] = (ref, value)
        return value

    @property
    def root(self) -> Dict:
        """The catalog, to be changed in place."""
        return self.edit(self.document.root)

    def append(self, base: BinaryIO, destination: BinaryIO) -> None:
        """Write the file with the update behind it."""
        base.seek(0)
        shutil.copyfileobj(base, destination, 1 << 20)
        at = base.tell()
        base.seek(max(0, at - 1))
        gap = b"" if base.read(1) in b"\r\n" else b"\n"
        tail = Tail.behind(self.document, at + len(gap) - self.document.reader.origin)
        self._add_objects(tail)
        destination.write(gap + tail.closed(self._whole_trailer(), self._next))

    @property
    def cut(self) -> int:
        """Where the catalog stands, if the last update of the file is one of ours; from there it can be written anew."""
        entry = self.document.entry(self.document.root.num)
        assert entry is not None
        return entry.where

    def again(self, hole: Ref) -> tuple[bytes, int]:
        """The last update from its catalog on, with what was changed since.

        Args:
            hole: A stream that was added.

        Returns:
            The bytes, and where the stream's own start among them.
        """
        tail = Tail.instead(self.document, self.cut)
        self.root  # noqa: B018  # is always part of it
        root = self._objects.pop(self.document.root.num)
        places = {num: tail.add(*one) for num, one in self._objects.items()}
        tail.add(*root)
        return tail.closed(self.trailer, self._next), places[hole.num] - self.cut

    def _add_objects(self, tail: Tail) -> None:
        self.root  # noqa: B018  # is always part of it
        root = self.document.root.num
        packed: list[tuple[Ref, Value]] = []
        for num, (ref, content) in self._objects.items():
            if num == root:
                continue
            if tail.packs and not isinstance(content, Stream) and ref.gen == 0:
                packed.append((ref, content))
            else:
                tail.add(ref, content)
        for at in range(0, len(packed), _PACK):
            self._next = tail.pack(packed[at : at + _PACK], self._next)
        tail.add(*self._objects[root])

    def _whole_trailer(self) -> Dict:
        trailer = dict(self.trailer)
        identity = self.document.array(trailer.get("ID"))
        if len(identity) == 2 and isinstance(identity[0], bytes):
            seed = repr(sorted(self._objects.items(), key=lambda one: one[0])).encode()
            trailer["ID"] = [identity[0], hashlib.sha256(seed).digest()[:16]]
        return trailer


def _cleared(document: Document, value: Value, ref: Ref) -> Value:
    """A copy with its strings decrypted."""
    if isinstance(value, dict):
        return {key: _cleared(document, item, ref) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleared(document, item, ref) for item in value]
    return document.clear(copy.copy(value), ref) if isinstance(value, bytes) else value
