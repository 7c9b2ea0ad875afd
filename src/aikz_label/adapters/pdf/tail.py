"""The bytes of an update: objects, object streams, and the cross-reference that says where they are."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from functools import partial

from aikz_label.adapters.pdf.crypt import Security
from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.objects import Content, Dict, Name, Ref, Stream, Value, written
from aikz_label.adapters.pdf.xref import Entry


class Tail:
    """The bytes of an update, as they grow.

    Attributes:
        packs: Objects can be put into object streams.
    """

    def __init__(
        self,
        security: Security | None,
        start: int,
        entries: Mapping[int, Entry],
        prev: Value,
        *,
        stream: bool,
    ) -> None:
        self._security = security
        self._start = start
        self._entries = dict(entries)
        self._prev = prev
        self._stream = stream
        self._out = io.BytesIO()
        self.packs = stream and security is None

    @classmethod
    def behind(cls, document: Document, start: int) -> Tail:
        """Behind a document: its cross-reference goes on, or lists everything where the file's own does not hold."""
        newest = document.sections[0]
        if not document.rebuilt:
            return cls(document.security, start, {}, newest.at, stream=newest.stream)
        known = ((num, document.entry(num)) for num in newest.numbers())
        entries = {num: entry for num, entry in known if entry and entry.kind}
        packed = any(entry.kind == 2 for entry in entries.values())
        return cls(document.security, start, entries, None, stream=packed)

    @classmethod
    def instead(cls, document: Document, start: int) -> Tail:
        """In place of the end of a document's last update."""
        newest = document.sections[0]
        known = ((num, newest.entry(num)) for num in newest.numbers())
        entries = {
            num: entry
            for num, entry in known
            if entry and (entry.kind == 2 or (entry.kind == 1 and entry.where < start))
        }
        prev = newest.trailer.get("Prev")
        return cls(document.security, start, entries, prev, stream=newest.stream)

    @property
    def at(self) -> int:
        """Where the next byte stands in the file, counted from its header."""
        return self._start + self._out.tell()

    def add(self, ref: Ref, content: Content) -> int:
        """Write an object; where the bytes of a stream start, counted from the file's header, is returned."""
        self._entries[ref.num] = Entry(1, self.at, ref.gen)
        self._out.write(b"%d %d obj\n" % ref)
        place, security = 0, self._security
        cipher = partial(security.encrypt, ref=ref, stream=False) if security else None
        if isinstance(content, Stream):
            data = self._encrypted(content, ref)
            head = {**content.dict, "Length": len(data)}
            self._out.write(written(head, cipher) + b"\nstream\n")
            place = self.at
            self._out.write(data + b"\nendstream")
        else:
            self._out.write(written(content, cipher))
        self._out.write(b"\nendobj\n")
        return place

    def pack(self, objects: list[tuple[Ref, Value]], num: int) -> int:
        """Write several objects as one object stream of this number; the next free number is returned."""
        head, bodies, size = [], [], 0
        for index, (ref, value) in enumerate(objects):
            body = written(value) + b"\n"
            head.append(b"%d %d" % (ref.num, size))
            bodies.append(body)
            size += len(body)
            self._entries[ref.num] = Entry(2, num, index)
        first = b" ".join(head) + b"\n"
        packed: Dict = {
            "Type": Name("ObjStm"),
            "N": len(objects),
            "First": len(first),
            "Filter": Name("FlateDecode"),
        }
        self.add(Ref(num, 0), Stream(packed, zlib.compress(first + b"".join(bodies))))
        return num + 1

    def closed(self, trailer: Dict, size: int) -> bytes:
        """All of it, with its cross-reference.

        Args:
            trailer: What the trailer says, besides what is said here.
            size: The next free number.
        """
        said: Dict = dict(trailer)
        at = self.at
        if self._prev is not None:
            said["Prev"] = self._prev
        if self._stream:
            self._entries[size] = Entry(1, at, 0)
            said["Size"] = size + 1
            self._out.write(self._xref_stream(said, size))
        else:
            said["Size"] = size
            self._out.write(self._xref_table() + b"trailer\n" + written(said) + b"\n")
        self._out.write(b"startxref\n%d\n%%%%EOF\n" % at)
        return self._out.getvalue()

    def _encrypted(self, content: Stream, ref: Ref) -> bytes:
        security = self._security
        if security is None or content.plain:
            return content.data
        if content.dict.get("Type") == "Metadata" and not security.metadata:
            return content.data
        return security.encrypt(content.data, ref, stream=True)

    def _runs(self) -> Iterator[tuple[int, list[Entry]]]:
        run: list[Entry] = []
        first = 0
        for num in sorted(self._entries):
            if run and num != first + len(run):
                yield first, run
                run = []
            if not run:
                first = num
            run.append(self._entries[num])
        if run:
            yield first, run

    def _xref_table(self) -> bytes:
        out = [b"xref\n"]
        if self._prev is None:
            out.append(b"0 1\n0000000000 65535 f \n")
        for first, run in self._runs():
            out.append(b"%d %d\n" % (first, len(run)))
            out += [b"%010d %05d n \n" % (entry.where, entry.which) for entry in run]
        return b"".join(out)

    def _xref_stream(self, said: Dict, num: int) -> bytes:
        width = max(1, (max(entry.where for entry in self._entries.values()).bit_length() + 7) // 8)
        index: list[Value] = []
        rows = []
        for first, run in self._runs():
            index += [first, len(run)]
            rows += [
                bytes([entry.kind])
                + entry.where.to_bytes(width, "big")
                + entry.which.to_bytes(2, "big")
                for entry in run
            ]
        data = zlib.compress(b"".join(rows))
        head: Dict = {
            "Type": Name("XRef"),
            **said,
            "W": [1, width, 2],
            "Index": index,
            "Filter": Name("FlateDecode"),
            "Length": len(data),
        }
        return b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (num, written(head), data)
