"""Destinations that are whole or absent, and what must stand beside them."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from aikz_label.errors import OutputExists, UsageError

_DESCRIPTORS = Path("/proc/self/fd")


@contextlib.contextmanager
def atomic_output(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Give a stream beside `path` that becomes `path` only when the block ends without an error.

    Where the file system can, the stream has no name until then (`O_TMPFILE`), so that even a killed process leaves
    nothing behind; elsewhere it is a hidden file in the same folder, removed on any error. Without `overwrite` an existing
    destination is never replaced, not even one that appears meanwhile.

    Raises:
        OutputExists: The destination is there and `overwrite` is false.
        OSError: The operating system's own answer (full disk, read-only, no such folder).
    """
    mode = _check_destination(path, overwrite=overwrite)
    stream, hidden = _temporary(path)
    with _removed_at_last(hidden), stream:
        yield stream
        stream.flush()
        if mode is not None:
            _keep_mode(stream, mode)
        os.fsync(stream.fileno())
        _publish(stream, hidden, path, overwrite=overwrite)
    _sync_folder(path.parent)


@contextlib.contextmanager
def companion(
    path: Path, owner: Path, *, overwrite: bool = False
) -> Iterator[Callable[[bytes | None, BinaryIO], None]]:
    """Give a function that puts a small file at `path` just before `owner` gets its name, or sees to it that none is there.

    Wrap it around the `atomic_output` of `owner`, and call the function last inside that, with the data (or `None` for no
    companion) and the stream that will become `owner`. The companion is published at once. Should `owner` not follow, it
    is taken back, and one that was there before returns. Killed in between, it stands beside the old owner or alone.

    Raises:
        OutputExists: A companion is there, and `overwrite` is false.
        OSError: The operating system's own answer.
    """
    state = _Companion(path, owner, overwrite=overwrite)
    try:
        yield state.put
    except BaseException:
        if not state.followed():
            state.take_back()
        raise
    finally:
        state.forget_old()


class _Companion:
    """Knows by looking, not by remembering, how far it came: a signal can arrive between any two steps."""

    def __init__(self, path: Path, owner: Path, *, overwrite: bool) -> None:
        self._path, self._owner, self._overwrite = path, owner, overwrite
        self._aside: Path | None = None
        self._mine: os.stat_result | None = None
        self._owners: os.stat_result | None = None

    def put(self, data: bytes | None, stream: BinaryIO) -> None:
        """Publish the companion of the file that `stream` will become."""
        self._owners = os.fstat(stream.fileno())
        if _check_destination(self._path, overwrite=self._overwrite) is not None:
            self._aside = _hidden_name(self._path)
            try:
                os.link(self._path, self._aside)
            except OSError:  # a file system without hard links
                self._path.rename(self._aside)
        if data is not None:
            with atomic_output(self._path, overwrite=self._overwrite) as out:
                self._mine = os.fstat(out.fileno())
                out.write(data)
        elif self._aside is not None:
            self._path.unlink(missing_ok=True)

    def followed(self) -> bool:
        """Whether the owner has its name already: an interruption can come after that."""
        return _is(self._owner, self._owners)

    def take_back(self) -> None:
        """Put things back as they were."""
        if self._aside is not None and self._aside.exists():
            self._aside.replace(self._path)
        elif _is(self._path, self._mine):
            self._path.unlink(missing_ok=True)

    def forget_old(self) -> None:
        """Remove the companion that was there before, or its second name: renaming one to the other does nothing."""
        if self._aside is not None:
            self._aside.unlink(missing_ok=True)


def _is(path: Path, inode: os.stat_result | None) -> bool:
    try:
        return inode is not None and os.path.samestat(path.lstat(), inode)
    except OSError:
        return False


def _check_destination(path: Path, *, overwrite: bool) -> int | None:
    """Refuse what must not be replaced; returns the mode of the file that will be."""
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", hint="Make it first.")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except ValueError as error:  # a NUL in the name
        raise UsageError("That is no name for a file.") from error
    if not stat.S_ISREG(
        found.st_mode
    ):  # replacing a link, a folder or a device is never what was meant
        raise UsageError(
            f"{path} is not a regular file and is not replaced.",
            hint="Name a file, or use --out-dir for a folder.",
        )
    if not overwrite:
        raise _exists(path)
    return stat.S_IMODE(found.st_mode)


def _keep_mode(stream: BinaryIO, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(stream.fileno(), mode)


@contextlib.contextmanager
def _removed_at_last(hidden: Path | None) -> Iterator[None]:
    """Remove a hidden name, whatever happens; after a rename it is gone already."""
    try:
        yield
    finally:
        if hidden is not None:
            hidden.unlink(missing_ok=True)


def check_not_source(source: Path | BinaryIO, destination: Path) -> None:
    """Refuse a destination that is the source itself, under any name or as an open file.

    Raises:
        UsageError: Both are one file.
    """
    try:
        one = source.stat() if isinstance(source, Path) else os.fstat(source.fileno())
        two = destination.stat()
    except (OSError, ValueError, AttributeError):  # one of them is no file, or not there
        return
    if os.path.samestat(one, two):
        raise UsageError(
            f"{destination} is the source itself, and the source is never changed.",
            hint="Name another destination.",
        )


def _temporary(path: Path) -> tuple[BinaryIO, Path | None]:
    """An open read-write stream in the folder of `path`, and its name if it needs one."""
    # 0666 and the umask, like any new file; the content is public by nature
    if hasattr(os, "O_TMPFILE") and _DESCRIPTORS.is_dir():
        with contextlib.suppress(OSError):
            descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
            return os.fdopen(descriptor, "w+b"), None
    hidden = _hidden_name(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(hidden, flags, 0o666)
    except OSError as error:  # the hidden name means nothing to people
        raise OSError(error.errno, error.strerror, str(path)) from None
    return os.fdopen(descriptor, "w+b"), hidden


def _hidden_name(path: Path) -> Path:
    return path.parent / f".aikz-label-{os.urandom(8).hex()}.tmp"


def _publish(stream: BinaryIO, hidden: Path | None, path: Path, *, overwrite: bool) -> None:
    """Give the finished stream its name."""
    if hidden is None and not overwrite:
        _link_descriptor(stream, path)
    elif hidden is None:
        hidden = _hidden_name(path)
        with _removed_at_last(hidden):
            _link_descriptor(stream, hidden)
            hidden.replace(path)
    elif overwrite:
        if os.name == "nt":
            stream.close()
        hidden.replace(path)
    else:
        _link_or_rename(stream, hidden, path)


def _link_or_rename(stream: BinaryIO, hidden: Path, path: Path) -> None:
    try:
        os.link(hidden, path)  # unlike rename, never replaces
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise _exists(path) from None
        if os.name == "nt":
            stream.close()
        hidden.rename(path)


def _link_descriptor(stream: BinaryIO, path: Path) -> None:
    # the folder descriptor is ignored (the path is absolute), but with one Python calls linkat(2), which alone follows the
    # link from /proc to the open file
    number = stream.fileno()
    try:
        os.link(_DESCRIPTORS / str(number), path, src_dir_fd=number, follow_symlinks=True)
    except FileExistsError as error:
        raise _exists(path) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where folders can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exists(path: Path) -> OutputExists:
    return OutputExists(
        f"{path} exists already.", hint="Use --overwrite (overwrite=True) or another name."
    )
