"""A journal for reading: its lines one by one, and of every file the newest row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from aikz_label.batch import Row
from aikz_label.errors import JournalError
from aikz_label.sandbox import wire
from aikz_label.values import dataclass, field

SCHEMA = "aikz-label/journal/1"
# Of what a child may answer any row fits: written again, no value of JSON takes four times its room.
_MAX_LINE = 16 * 1024 * 1024


@dataclass(slots=True)
class Damage:
    """Lines that could not be read: how many, and the numbers of the first few."""

    lines: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, number: int) -> None:
        """Note one."""
        self.count += 1
        if len(self.lines) < 10:
            self.lines.append(number)


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of any length in bounded memory: one that is too long comes as something that cannot be read."""
    while line := stream.readline(_MAX_LINE):
        last = line
        while not last.endswith(b"\n") and (more := stream.readline(_MAX_LINE)):
            last = more
        yield line if last is line else b"\0" + last[-1:]


def parsed(line: bytes) -> dict[str, Any] | None:
    """What a line says; `None` when it cannot be read."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def key_of(uri: str) -> bytes:
    """What is remembered of a name: a million of them have to fit."""
    return hashlib.blake2b(uri.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(slots=True)
class Recorded:
    """A finished journal, or one that is still being written, for reading.

    Attributes:
        path: Where it is.
        header: Its first line, with the profile among the options.
        damage: Lines that could not be read, known after the rows were walked.
    """

    path: Path
    header: Mapping[str, Any]
    damage: Damage = field(default_factory=Damage)

    @classmethod
    def open(cls, path: Path) -> Recorded:
        """Look at its first line.

        Raises:
            JournalError: It is no journal.
            OSError: It cannot be opened.
        """
        with path.open("rb") as stream:
            header = parsed(next(lines(stream), b"")) or {}
        options = header.get("options")
        of_ours = isinstance(options, dict) and isinstance(options.get("profile"), str)
        if header.get("schema") != SCHEMA or not of_ours:
            raise JournalError(
                f"{path} is not a journal of this version.",
                code="journal-unknown",
                hint="Name what `verify --journal` wrote.",
            )
        return cls(path, header)

    def rows(self) -> Iterator[Row]:
        """The newest row of every file, in the order in which those were written."""
        newest = {key_of(row.uri): number for number, row in self._numbered()}
        for number, row in self._numbered():
            if newest.get(key_of(row.uri)) == number:
                yield row

    def _numbered(self) -> Iterator[tuple[int, Row]]:
        self.damage = Damage()
        with self.path.open("rb") as stream:
            for number, line in enumerate(lines(stream), 1):
                content = parsed(line)
                if content is not None and content.get("schema") == SCHEMA:
                    continue
                try:
                    row = wire.load(Row, content)
                    row.reason.text("en")  # it can be said
                except (ValueError, KeyError):
                    self.damage.add(number)
                    continue
                yield number, row
