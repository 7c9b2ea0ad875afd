"""Files: sources that are only read; destinations, which are whole or absent, are in `output`."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from aikz_label.errors import SourceError

_CHUNK = 1024 * 1024
_SPOOL = 16 * _CHUNK
_FARTHEST = 1 << 42  # no file is that long, and file systems of Linux take no offset above 2^43


class _Source(io.BufferedReader):
    """A file in which an offset that a hostile file names is at worst behind the end, where nothing is read."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return super().seek(min(offset, _FARTHEST), whence)


@contextlib.contextmanager
def open_source(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading only, and notice when it changes meanwhile.

    Symbolic links, directories, FIFOs and devices are refused before a byte is read: a link can be swapped between two
    looks, and a FIFO would hang. One descriptor serves hashing, decoding and verifying.

    Raises:
        SourceError: Not a regular file, or it changed while it was read.
        OSError: The operating system's own answer (not found, permission).
    """
    if not _NOFOLLOW:
        _check_file(path)
    try:
        descriptor = os.open(path, _READING)
    except ValueError as error:  # a NUL in the name
        raise SourceError("That is no name of a file.", code="not-a-file") from error
    except OSError:
        _check_file(path)  # for what could not be opened this has better words
        raise
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        _check_file(path)
        raise SourceError(
            f"{path} is not a regular file.",
            code="not-a-file",
            hint="Pipes are read with '-' as the path.",
        )
    with _Source(io.FileIO(descriptor, "rb")) as stream:
        yield stream
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceError(
                f"{path} changed while it was read.",
                code="source-changed",
                hint="Wait until whatever writes it has finished, then try again.",
            )


_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READING = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_READING |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def _check_file(path: Path) -> None:
    if os.path.islink(path):  # noqa: PTH114  # unlike Path.is_symlink, takes any name
        raise SourceError(
            f"{path} is a symbolic link.", code="symlink", hint="Name the file it points to."
        )
    if os.path.isdir(path):  # noqa: PTH112  # Windows cannot even open one
        raise SourceError(
            f"{path} is a directory.", code="not-a-file", hint="Name the files in it."
        )


def spool(stream: BinaryIO, max_bytes: int) -> BinaryIO:
    """Copy a stream that cannot seek into a temporary file, up to `max_bytes` and one more.

    The extra byte lets the reader see that the limit was passed instead of taking a cut file for a whole one. Formats that
    may be larger than what is read whole ask `was_cut`.
    """
    import tempfile  # noqa: PLC0415  # 7 ms that only streams pay

    buffer = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115  # handed to the caller
    left = max_bytes + 1
    while left and (block := stream.read(min(_CHUNK, left))):
        buffer.write(block)
        left -= len(block)
    buffer.cut = not left  # type: ignore[attr-defined]
    buffer.seek(0)
    return buffer  # type: ignore[return-value]  # SpooledTemporaryFile is a BinaryIO in all but name


def pour(blocks: Iterable[bytes], destination: BinaryIO) -> None:
    """Write one block after another.

    `writelines` of a spooled file takes all of them into memory before it looks whether they are too many.
    """
    for block in blocks:  # noqa: FURB122
        destination.write(block)


def was_cut(stream: BinaryIO) -> bool:
    """Whether this holds only the beginning of what came through a pipe."""
    return bool(getattr(stream, "cut", False))


def sha256(stream: BinaryIO) -> str:
    """The SHA-256 of a whole stream, in hexadecimal; leaves it at its start."""
    stream.seek(0)
    import hashlib  # noqa: PLC0415  # and with it OpenSSL

    digest = hashlib.sha256()
    while block := stream.read(_CHUNK):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
