"""The bytes of a PDF by offset, counted from its header as every offset in it is; never all of them at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Value
from aikz_label.adapters.pdf.syntax import Malformed, Parser, Short

Resolve: TypeAlias = "Callable[[Value | Extent], Value | Extent]"
HEADER_WITHIN = 1024
_FIRST = 2048  # bytes read for an object; most are smaller
_LARGEST = 64 << 20  # of an object without its stream
_ENDINGS = (b"endstream", b"endobj")
_END = re.compile(rb"[\x00\t\n\x0c\r ]*endstream")


class Reader:
    """One file.

    Attributes:
        origin: Where its header starts; what stands before is no part of it.
        size: Bytes from there to the end.
        version: Of its header.
        resolve: Follows a reference; at first nothing can be followed.
        garbled: Numbers of objects of which something was passed over.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        source.seek(0)
        head = source.read(HEADER_WITHIN + 16)
        self.origin = head.find(b"%PDF-", 0, HEADER_WITHIN + 5)
        if self.origin < 0:
            raise MediaProblem("damaged", detail_word="no-header")
        found = re.match(rb"%PDF-(\d)\.(\d)", head[self.origin :])
        self.version = (int(found[1]), int(found[2])) if found else (1, 4)
        self.size = source.seek(0, io.SEEK_END) - self.origin
        self.resolve: Resolve = lambda value: value
        self.garbled: set[int] = set()

    def piece(self, at: int, count: int) -> bytes:
        """Some bytes; fewer where the file ends."""
        if not 0 <= at <= self.size:
            return b""
        self._source.seek(self.origin + at)
        return self._source.read(max(0, min(count, self.size - at)))

    def blocks(self, size: int, more: int, at: int = 0) -> Iterator[tuple[int, bytes]]:
        """The file block by block, each with some bytes of the next one."""
        while at < self.size:
            yield at, self.piece(at, size + more)
            at += size

    def find(self, word: bytes, at: int, within: int) -> int:
        """Where a word stands from `at` on; -1 for nowhere near."""
        found = self.piece(at, within + len(word)).find(word)
        return at + found if found >= 0 else -1

    def start(self) -> int:
        """What `startxref` says at the end of the file; -1 for nothing."""
        for count in (2048, 1 << 16):
            tail = self.piece(max(0, self.size - count), count)
            found = re.match(
                rb"startxref[\x00\t\n\x0c\r ]*(\d{1,15})", tail[tail.rfind(b"startxref") :]
            )
            if found:
                return int(found[1])
        return -1

    def end_of_update(self, at: int) -> int:
        """Where the first update that ends behind an offset ends, with its end of line."""
        for offset, block in self.blocks(1 << 16, 8, at):
            found = block.find(b"%%EOF", 0, (1 << 16) + 5)
            if found >= 0:
                end = offset + found + 5
                after = self.piece(end, 2)
                return end + (2 if after == b"\r\n" else after[:1] in {b"\r", b"\n"})
        return self.size

    def object_at(self, at: int) -> tuple[Ref, Value | Extent]:
        """The object that starts at an offset.

        Raises:
            Malformed: There is none.
        """
        count = _FIRST
        while True:
            data = self.piece(at, count)
            whole = at + len(data) >= self.size
            parser = Parser(data, whole=whole)
            try:
                ref = parser.header()
                if ref is None:
                    raise Malformed("no object")
                value = self._value(parser)
                after = parser.stream() if isinstance(value, dict) else None
            except Short:
                if count >= _LARGEST:
                    raise MediaProblem(
                        "over-limit", what_word="bytes", found=count, limit=_LARGEST
                    ) from None
                count *= 8
                continue
            if parser.garbled:
                self.garbled.add(ref.num)
            if after is None or not isinstance(value, dict):
                return ref, value
            return ref, self._extent(value, at + after, ref)

    @staticmethod
    def _value(parser: Parser) -> Value:
        try:
            return parser.value()
        except Short:
            raise
        except Malformed:
            return None  # an object without a value

    def _extent(self, found: Dict, start: int, ref: Ref) -> Extent:
        length = self.resolve(found.get("Length"))
        known = isinstance(length, int) and 0 <= length <= self.size - start
        if known and isinstance(length, int) and _END.match(self.piece(start + length, 32)):
            return Extent(found, start, length, ref)
        return Extent(found, start, self._end(start) - start, ref)

    def _end(self, start: int) -> int:
        """Where a stream of unknown length ends."""
        for offset, block in self.blocks(1 << 20, 16, start):
            places = [at for word in _ENDINGS if (at := block.find(word)) >= 0]
            found = min(places, default=-1)
            if found >= 0:
                end = offset + found
                before = self.piece(max(start, end - 2), min(2, end - start))
                return end - (2 if before == b"\r\n" else before[-1:] in {b"\r", b"\n"})
        return self.size

    def raw(self, start: int, length: int) -> bytes:
        """The bytes of a stream."""
        return self.piece(start, length)

    def filters(self, found: Dict) -> list[tuple[str, Dict]]:
        """Name and parameters of each filter of a stream."""
        names = self.resolve(found.get("Filter", found.get("F")))
        parameters = self.resolve(found.get("DecodeParms", found.get("DP")))
        listed = names if isinstance(names, list) else [_direct(names)]
        options = parameters if isinstance(parameters, list) else [_direct(parameters)]
        made: list[tuple[str, Dict]] = []
        for index, value in enumerate(listed):
            name = self.resolve(value)
            one = self.resolve(options[index]) if index < len(options) else None
            if isinstance(name, Name):
                known = one if isinstance(one, dict) else {}
                made.append(
                    (name, {key: _direct(self.resolve(item)) for key, item in known.items()})
                )
        return made


def _direct(value: Value | Extent) -> Value:
    return None if isinstance(value, Extent) else value
