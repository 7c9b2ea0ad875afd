"""A PDF by its objects: what a reference leads to, decrypted and decoded where that is asked for.

Nothing is read before it is needed. Where the cross-reference does not hold, the objects are searched for, once, as viewers
do it; `rebuilt` then says that an update must list all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from typing import BinaryIO

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf import scan, xref
from aikz_label.adapters.pdf.crypt import Locked, Security, UnknownHandler, unlock
from aikz_label.adapters.pdf.filters import NotDecoded, TooLarge, decoded
from aikz_label.adapters.pdf.objects import Dict, Extent, Ref, Value
from aikz_label.adapters.pdf.reader import Reader, Resolve
from aikz_label.adapters.pdf.syntax import Malformed, Parser
from aikz_label.adapters.pdf.xref import Broken, Entry, Section

_MAX_FOLLOWED = 32  # references to references
_MAX_OPEN = 64  # objects that are being read because others need them
_MAX_PACKED = 64 << 20  # what an object stream may expand to
_MAX_EARLIER = 64  # updates that are looked behind
_KEPT = 4096  # objects held in memory


class Document:
    """One file.

    Attributes:
        reader: Its bytes.
        sections: Its cross-reference, newest first; one that was scanned if it is `rebuilt`.
        rebuilt: The file's own cross-reference does not hold.
        security: How it is encrypted; `None` when it is not, or locked.
        locked: A password is needed.
        foreign: It is encrypted in a way that nobody here knows.
    """

    def __init__(self, source: BinaryIO, password: str = "", *, parts: int = 1_000_000) -> None:
        """Open a file.

        Args:
            source: Its bytes, seekable.
            password: The user's or the owner's.
            parts: The most objects a scan may find.

        Raises:
            MediaProblem: It is no PDF that anybody could open.
        """
        self.reader = Reader(source)
        self.reader.resolve = self.resolve
        self.sections: list[Section] = []
        self.rebuilt = False
        self.security: Security | None = None
        self.locked = self.foreign = False
        self._parts = parts
        self._password = password
        self.forget()
        try:
            self.sections = xref.sections(self.reader, self.reader.start())
            self._unlock()
            whole = self.locked or self.foreign or isinstance(self.pages_root(), dict)
        except Broken:
            whole = False
        if not whole and not self.rebuilt:
            self._rebuild()

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._cache: OrderedDict[int, Value | Extent] = OrderedDict()
        self._packed: OrderedDict[int, dict[int, Value]] = OrderedDict()
        self._open: set[int] = set()

    @property
    def trailer(self) -> Dict:
        """The newest trailer, with what only older ones say."""
        merged: Dict = {}
        for section in reversed(self.sections):
            merged |= {key: section.trailer[key] for key in _TRAILER if key in section.trailer}
        return merged

    @property
    def root(self) -> Ref:
        """Reference to the catalog.

        Raises:
            MediaProblem: There is none.
        """
        found = self.trailer.get("Root")
        if not isinstance(found, Ref):
            raise MediaProblem("damaged", detail_word="no-catalog")
        return found

    @property
    def catalog(self) -> Dict:
        """The catalog; empty when it is none."""
        return self.mapping(self.root)

    @property
    def highest(self) -> int:
        """The highest number of an object."""
        size = self.trailer.get("Size")
        known = max(section.highest for section in self.sections)
        return max(known, min(size, xref.MAX_OBJECTS) - 1 if isinstance(size, int) else 0)

    def pages_root(self) -> Value | Extent:
        """What the catalog says its pages are."""
        return self.resolve(self.catalog.get("Pages"))

    def mapping(self, value: Value | Extent) -> Dict:
        """The dictionary that a value is or leads to, also that of a stream; empty for anything else."""
        found = self.resolve(value)
        if isinstance(found, Extent):
            return found.dict
        return found if isinstance(found, dict) else {}

    def array(self, value: Value | Extent) -> list[Value]:
        """The array that a value is or leads to; empty for anything else."""
        found = self.resolve(value)
        return found if isinstance(found, list) else []

    def resolve(self, value: Value | Extent) -> Value | Extent:
        """What a value leads to; `None` when it leads nowhere."""
        for _ in range(_MAX_FOLLOWED):
            if not isinstance(value, Ref):
                return value
            value = self.get(value)
        return None

    def get(self, ref: Ref) -> Value | Extent:
        """An object; `None` when there is none. Strings of an encrypted file are as they stand in it, see `clear`."""
        num = ref.num
        if num in self._cache:
            self._cache.move_to_end(num)
            return self._cache[num]
        if num in self._open or len(self._open) > _MAX_OPEN:
            return None
        self._open.add(num)
        try:
            value = self._load(ref)
        finally:
            self._open.discard(num)
        self._cache[num] = value
        if len(self._cache) > _KEPT:
            self._cache.popitem(last=False)
        return value

    def earlier(self) -> Iterator[Document]:
        """What the document was before its last update, before the one before that, and so on."""
        for index in range(1, min(len(self.sections), _MAX_EARLIER)):
            before = copy(self)
            before.sections = self.sections[index:]
            before.forget()
            yield before

    def entry(self, num: int) -> Entry | None:
        """Where an object is, by the newest section that says so."""
        for section in self.sections:
            found = section.entry(num)
            hybrid = section.hybrid.entry(num) if section.hybrid else None
            if hybrid is not None and (found is None or found.kind == 0):
                found = hybrid
            if found is not None:
                return found
        return None

    def is_packed(self, ref: Ref) -> bool:
        """Whether an object is in an object stream, where strings are not encrypted by themselves."""
        entry = self.entry(ref.num)
        return entry is not None and entry.kind == 2

    def raw(self, found: Extent) -> bytes:
        """The bytes of a stream, decrypted."""
        data = self.reader.raw(found.start, found.length)
        security = self.security if self._encrypted(found) else None
        return security.decrypt(data, found.ref, stream=True) if security else data

    def decoded(self, found: Extent, limit: int) -> bytes:
        """What a stream says.

        Raises:
            TooLarge: It expands to more than the limit.
            NotDecoded: It is for pictures, or encoded in an unknown way.
        """
        if found.length > limit:
            raise TooLarge("stream")
        return decoded(self.raw(found), self.reader.filters(found.dict), limit)

    def clear(self, value: Value, ref: Ref) -> Value:
        """A string of an object that is not in an object stream, decrypted."""
        if isinstance(value, bytes) and self.security and not self.is_packed(ref):
            return self.security.decrypt(value, ref, stream=False)
        return value

    def _encrypted(self, found: Extent) -> bool:
        if self.security is None:
            return False
        kind = found.dict.get("Type")
        if kind == "XRef" or (kind == "Metadata" and not self.security.metadata):
            return False
        for name, parameters in self.reader.filters(found.dict):
            if name == "Crypt":
                return parameters.get("Name", "Identity") != "Identity"
        return True

    def _load(self, ref: Ref) -> Value | Extent:
        entry = self.entry(ref.num)
        if entry is None or entry.kind == 0:
            return None
        if entry.kind == 2:
            return self._unpacked(entry.where).get(ref.num)
        try:
            found, value = self.reader.object_at(entry.where)
        except Malformed:
            found, value = Ref(-1, 0), None
        if found.num == ref.num:
            return value
        if self.rebuilt:
            return None
        self._rebuild()
        return self._load(ref)

    def _unpacked(self, num: int) -> dict[int, Value]:
        """The objects of an object stream."""
        if num in self._packed:
            self._packed.move_to_end(num)
            return self._packed[num]
        entry = self.entry(num)
        value = self.get(Ref(num, 0)) if entry is not None and entry.kind == 1 else None
        found: dict[int, Value] = {}
        if isinstance(value, Extent):
            try:
                found = dict(
                    _packed(self.decoded(value, _MAX_PACKED), self.reader.resolve, value.dict)
                )
            except TooLarge:
                raise MediaProblem(
                    "over-limit", what_word="bytes", found=_MAX_PACKED + 1, limit=_MAX_PACKED
                ) from None
            except NotDecoded:
                pass
        self._packed[num] = found
        if len(self._packed) > 16:
            self._packed.popitem(last=False)
        return found

    def _unlock(self) -> None:
        encrypt = self.trailer.get("Encrypt")
        if encrypt is None:
            return
        found = self._whole(encrypt, 0)
        identity = self.array(self.trailer.get("ID"))
        first = self.resolve(identity[0]) if identity else b""
        try:
            if not isinstance(found, dict):
                raise UnknownHandler
            file_id = first if isinstance(first, bytes) else b""
            self.security = unlock(found, file_id, self._password)
        except Locked:
            self.locked = True
        except UnknownHandler:
            self.foreign = True
        self.forget()

    def _whole(self, value: Value | Extent, depth: int) -> Value:
        """A value with every reference in it followed."""
        value = self.resolve(value)
        if isinstance(value, dict) and depth < 4:
            return {key: self._whole(item, depth + 1) for key, item in value.items()}
        return None if isinstance(value, Extent) else value

    def _rebuild(self) -> None:
        """Search the file for its objects."""
        self.rebuilt = True
        self.forget()
        section = scan.scanned(self.reader, self._parts)
        self.sections = [section]
        self.security, self.locked, self.foreign = None, False, False
        self._unlock()
        for num in section.streams:
            stream = section.entry(num)
            for inner in self._unpacked(num):
                known = section.entry(inner)
                if stream and (known is None or known.kind == 2 or known.where < stream.where):
                    section.listed[inner] = Entry(2, num, 0)
        self._cache.clear()


_TRAILER = ("Root", "Info", "ID", "Encrypt", "Size")


def _packed(data: bytes, resolve: Resolve, found: Dict) -> Iterator[tuple[int, Value]]:
    first, count = resolve(found.get("First")), resolve(found.get("N"))
    if not isinstance(first, int) or not isinstance(count, int) or not 0 <= first <= len(data):
        return
    head = data[:first].split()
    for index in range(min(count, len(head) // 2)):
        try:
            num, at = int(head[2 * index]), int(head[2 * index + 1])
            yield num, Parser(data, first + at).value()
        except ValueError:  # Malformed among them
            continue
