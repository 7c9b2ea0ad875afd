"""Which files are meant: paths, folders, patterns, lists, one at a time and in bounded memory."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from aikz_label.carriers.sidecar import SUFFIX
from aikz_label.errors import UsageError
from aikz_label.files import storage
from aikz_label.values import dataclass, field

_BLOCK = 1 << 16
_MAX_NAME = 1 << 16


@dataclass(frozen=True, slots=True)
class Patterns:
    """What `--glob` and an ignore file say, in the manner of gitignore; the last pattern that matches decides.

    Attributes:
        rules: Regular expression, whether a match is wanted, and whether it is for folders only.
        selective: There is a pattern for what is wanted, so files that none matches are not.
    """

    rules: tuple[tuple[re.Pattern[str], bool, bool], ...] = ()
    selective: bool = False

    @classmethod
    def of(cls, ignored: Iterable[str] = (), globs: Iterable[str] = ()) -> Patterns:
        """Lines of an ignore file, then globs, of which those with a `!` exclude."""
        rules = [_rule(line, excludes=True) for line in ignored if _speaks(line)]
        chosen = [_rule(line, excludes=False) for line in globs if line]
        return cls((*rules, *chosen), any(wanted for _, wanted, _ in chosen))

    @classmethod
    def load(cls, ignore_file: Path | None, globs: Iterable[str]) -> Patterns:
        """As `of`, the lines from a file."""
        if ignore_file is None:
            return cls.of((), globs)
        return cls.of(ignore_file.read_text(encoding="utf-8").splitlines(), globs)

    def match(self, relative: str, *, folder: bool) -> bool:
        """Whether a file is meant, or a folder has to be looked into."""
        path = relative.replace(os.sep, "/")
        for regex, wanted, folders in reversed(self.rules):
            if (folder or not folders) and regex.fullmatch(path):
                return wanted
        return folder or not self.selective


@dataclass(slots=True)
class Gathering:
    """Sources, and what was passed over on the way. Can be walked once.

    A folder is walked to its end; links in it are not followed and special files are not opened, but both are counted. A
    file that is named is taken as it is. No ignore file is ever read from a folder of uploads: whoever fills that folder
    would decide what is looked at.

    Attributes:
        arguments: Files, folders, patterns such as `photos/**/*.jpg`, or URIs.
        wanted: Which files of a folder are meant.
        listed: A stream of further files, each name ended by a NUL byte.
        failed: Told of folders that cannot be listed.
        without: Absolute path of what is ours: a journal, a folder for results.
        skipped: How many `links`, `special` files, `sidecars` and `ignored` ones were passed over.
    """

    arguments: tuple[str, ...] = ()
    wanted: Patterns = field(default_factory=Patterns)
    listed: BinaryIO | None = None
    failed: Callable[[str, OSError], None] = lambda *_: None
    without: str = ""
    skipped: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[str]:
        for argument in self.arguments:
            yield from self._one(argument)
        if self.listed is not None:
            yield from names(self.listed)

    def _one(self, argument: str) -> Iterator[str]:
        if storage.is_uri(argument):
            yield from self._objects(argument)
        elif os.path.isdir(argument):  # noqa: PTH112  # takes any name
            yield from self._folder(argument, self.wanted)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            yield from self._pattern(argument)
        else:
            yield argument

    def _pattern(self, argument: str) -> Iterator[str]:
        """Files that match, found like those of any folder; without one, the pattern itself, as a file that is not there.

        The standard library's `glob` follows links: two of them that lead back up never come to an end.
        """
        root, wanted = _split(argument)
        found = False
        if os.path.isdir(root or os.curdir):  # noqa: PTH112
            for path in self._folder(root or os.curdir, wanted):
                found = True
                yield path if root else path.removeprefix(os.path.join(os.curdir, ""))  # noqa: PTH118
        if not found:
            yield argument

    def _objects(self, uri: str) -> Iterator[str]:
        if not uri.endswith("/"):
            yield uri
            return
        above: list[
            str
        ] = []  # those that the one at hand begins with: a listing is in order, so its file is among them
        try:
            for found in storage.listing(uri):
                while above and not found.startswith(above[-1]):
                    above.pop()
                if not self.wanted.match(found[len(uri) :], folder=False):
                    self.skipped["ignored"] += 1
                elif found.removesuffix(SUFFIX) in above:
                    self.skipped["sidecars"] += 1
                else:
                    yield found
                above.append(found)
        except OSError as error:
            self.failed(uri, error)

    def _folder(self, root: str, wanted: Patterns) -> Iterator[str]:
        waiting, start = [root], len(os.path.join(root, ""))  # noqa: PTH118
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        yield from self._entry(entry, wanted, entry.path[start:], waiting)
            except OSError as error:
                self.failed(folder, error)

    def _entry(
        self, entry: os.DirEntry[str], wanted: Patterns, relative: str, waiting: list[str]
    ) -> Iterator[str]:
        path = entry.path
        folder = entry.is_dir(follow_symlinks=False)
        if self.without and os.path.abspath(path) == self.without:  # noqa: PTH100
            return
        if not wanted.match(relative, folder=folder):
            self.skipped["ignored"] += 1
        elif folder:
            waiting.append(path)
        elif entry.is_symlink():
            self.skipped["links"] += 1
        elif not entry.is_file(follow_symlinks=False):
            self.skipped["special"] += 1
        elif path.endswith(SUFFIX) and os.path.lexists(path.removesuffix(SUFFIX)):
            self.skipped["sidecars"] += 1
        else:
            yield path


def is_one(argument: str) -> bool:
    """Whether an argument means one file, there or not."""
    if storage.is_uri(argument):
        return not argument.endswith("/")
    if os.path.isdir(argument):  # noqa: PTH112
        return False
    return os.path.lexists(argument) or not glob.has_magic(argument)


def names(stream: BinaryIO) -> Iterator[str]:
    """Names that each end in a NUL byte; the last one may lack it.

    Raises:
        UsageError: What comes is no such list.
    """
    rest = b""
    while block := stream.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from (os.fsdecode(name) for name in whole if name)
        if len(rest) > _MAX_NAME:
            raise UsageError(
                "The list of files is not separated by NUL bytes.",
                hint="Make it with `find … -print0`.",
            )
    if rest:
        yield os.fsdecode(rest)


def _split(argument: str) -> tuple[str, Patterns]:
    """The folder in which a pattern begins, and what is wanted below it: no folder that cannot hold a match is walked."""
    parts = argument.split("/")
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    root, parts = "/".join(parts[:first]), parts[first:]
    globs = [f"/{'/'.join(parts)}", "!*/"]
    for number, part in enumerate(parts, 1):
        if number < len(parts) or part == "**":
            globs.append(f"/{'/'.join(parts[:number])}/")
        if part == "**":
            break
    return root or ("/" if first else ""), Patterns.of((), globs)


def _speaks(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _rule(line: str, *, excludes: bool) -> tuple[re.Pattern[str], bool, bool]:
    pattern = line.rstrip()
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!").removeprefix("\\")
    folders = pattern.endswith("/")
    pattern = pattern.rstrip("/")
    anchored = "/" in pattern
    body = "".join(_pieces(pattern.lstrip("/")))
    regex = re.compile(body if anchored else f"(?:.*/)?{body}", re.DOTALL)
    return regex, negated if excludes else not negated, folders


_TOKENS = r"(?s)\*\*/|^\*\*$|/\*\*$|\*+|\?|\[[!^]?\]?[^\]]*\]|."


def _pieces(pattern: str) -> Iterator[str]:
    end = fnmatch.translate("").removeprefix("(?s:)")
    for piece in re.findall(_TOKENS, pattern):
        if piece == "**/":
            yield "(?:[^/]+/)*"
        elif piece == "/**":
            yield "/.+"
        elif piece == pattern == "**":
            yield ".+"
        elif piece.startswith("*"):
            yield "[^/]*"
        elif piece == "?":
            yield "[^/]"
        elif piece.startswith("["):  # a range may be empty, or no range at all
            known = f"[!{piece[2:]}" if piece.startswith("[^") else piece
            yield f"(?!/){fnmatch.translate(known).removesuffix(end)}"
        else:
            yield re.escape(piece)
