"""Objects in S3, Google Cloud Storage and Azure as seekable files, through obstore (extra `storage`).

Whoever reads opens the store itself; credentials come from the environment, never from a URI. Every read after the first
asks for the very version that was opened, so an object that is replaced meanwhile is noticed. An error in the middle is
remembered: the engine swallows exceptions of its streams, and a network that fails must not look like a damaged file.
"""

from __future__ import annotations

import errno
import io
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aikz_label.errors import MissingDependency, SourceError, UsageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

SCHEMES = ("s3://", "gs://", "az://")
_FIRST = 4 * 1024 * 1024  # most pictures come with one request
_BLOCK = 1024 * 1024
_MAX_AHEAD = 8  # blocks fetched at once when reading goes straight on
_KEPT = 16  # blocks in memory


def is_uri(name: str) -> bool:
    """Whether a name is that of an object, or of a part of a bucket."""
    return name.startswith(SCHEMES)


class Listed(str):  # noqa: SLOT000  # a str cannot have any
    """The URI of an object that was found by listing, with what the listing says of it."""

    size: int
    state: str

    @classmethod
    def of(cls, uri: str, meta: Any) -> Listed:
        """From obstore's description."""
        made = cls(uri)
        made.size, made.state = meta["size"], _state(meta)
        return made


def listing(uri: str) -> Iterator[Listed]:
    """Every object below a URI that ends with a slash, page by page.

    Raises:
        MissingDependency: obstore is not installed.
        OSError: The storage says no, or nothing.
    """
    root, key = _parts(uri)
    store = _store(root)
    with _as_os_errors(uri):
        for page in _obstore().list(store, key or None, chunk_size=1000):
            for meta in page:
                if not meta["path"].endswith("/"):
                    yield Listed.of(f"{root}/{meta['path']}", meta)


@contextmanager
def open_object(uri: str) -> Iterator[tuple[BinaryIO, int, str]]:
    """An object as a seekable stream, its size, and what changes when it does.

    Raises:
        MissingDependency: obstore is not installed.
        SourceError: It changed while it was read.
        OSError: It is not there, or the storage says no, or nothing.
    """
    root, key = _parts(uri)
    if not key:
        raise UsageError(f"{uri} names no object.", hint="End it with a slash to mean all in it.")
    raw = _Object(uri, _store(root), key)
    with io.BufferedReader(raw, 64 * 1024) as stream:
        yield cast("BinaryIO", stream), raw.size, raw.state
        if raw.error is not None:
            raise raw.error


class _Object(io.RawIOBase):
    """Ranged reads with blocks that are kept, and more fetched ahead while reading goes straight on."""

    def __init__(self, uri: str, store: Any, key: str) -> None:
        super().__init__()
        self._uri, self._store, self._key = uri, store, key
        self._at, self._ahead, self._last = 0, 1, -2
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self.error: OSError | None = None
        with _as_os_errors(uri):
            data, meta = self._begin()
        self.size: int = meta["size"]
        self.state = _state(meta)
        self._version = {"if_match": meta["e_tag"]} if meta.get("e_tag") else {}
        self._keep(0, data)

    def _begin(self) -> tuple[bytes, Any]:
        from obstore.exceptions import BaseError  # noqa: PLC0415

        obstore = _obstore()
        try:
            result = obstore.get(self._store, self._key, options={"range": (0, _FIRST)})
            return bytes(result.bytes()), result.meta
        except BaseError:
            meta = obstore.head(self._store, self._key)
            if meta["size"]:
                raise
            return b"", meta  # of nothing there is no range

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self.size or not len(view):
            return 0
        number, start = divmod(self._at, _BLOCK)
        try:
            piece = self._block(number)[start : start + len(view)]
        except OSError as error:
            self.error = self.error or error
            raise
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        self._ahead = min(2 * self._ahead, _MAX_AHEAD) if number == self._last + 1 else 1
        start = number * _BLOCK
        end = min(self.size, start + self._ahead * _BLOCK)
        with _as_os_errors(self._uri):
            options = {"range": (start, end), **self._version}
            data = bytes(_obstore().get(self._store, self._key, options=options).bytes())
        if len(data) != end - start:
            raise OSError(errno.EIO, "The storage gave less than was asked for", self._uri)
        self._keep(start, data)
        return self._blocks[number]

    def _keep(self, start: int, data: bytes) -> None:
        for offset in range(0, len(data), _BLOCK):
            self._last = (start + offset) // _BLOCK
            self._blocks[self._last] = data[offset : offset + _BLOCK]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)


def _parts(uri: str) -> tuple[str, str]:
    """The bucket, or the account and the container, and the key in it."""
    scheme, _, rest = uri.partition("://")
    names = rest.split("/", 2 if scheme == "az" else 1)
    key = names.pop() if len(names) > (2 if scheme == "az" else 1) else ""
    return f"{scheme}://{'/'.join(names)}", key


def _state(meta: Any) -> str:
    return str(meta.get("e_tag") or meta.get("version") or meta["last_modified"])


@lru_cache(maxsize=64)
def _store(root: str) -> Any:
    _obstore()
    from obstore.store import from_url  # noqa: PLC0415

    with _as_os_errors(root):
        return from_url(
            root,
            client_options={"timeout": "30s", "connect_timeout": "5s", "allow_http": _allow_http()},
            # throttling is waited for, but not longer than a file's own deadline by much
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=20)},
        )


def _allow_http() -> bool:
    """What the environment says; options given in code make obstore overlook it."""
    names = ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP", "AZURE_ALLOW_HTTP")
    return any(os.environ.get(name, "").lower() in {"1", "true", "yes"} for name in names)


def _obstore() -> Any:
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")  # one file at a time
    try:
        import obstore  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingDependency("Object storage", "storage") from error
    return obstore


@contextmanager
def _as_os_errors(uri: str) -> Iterator[None]:
    """The storage's errors as those that a file system has."""
    from obstore import exceptions as theirs  # noqa: PLC0415

    try:
        yield
    except (theirs.NotFoundError, FileNotFoundError):  # it raises either
        raise FileNotFoundError(errno.ENOENT, "There is no such object", uri) from None
    except (theirs.PermissionDeniedError, theirs.UnauthenticatedError):
        raise PermissionError(errno.EACCES, "The storage does not permit it", uri) from None
    except theirs.PreconditionError:
        raise SourceError(
            f"{uri} changed while it was read.",
            code="source-changed",
            hint="Wait until whatever writes it has finished, then try again.",
        ) from None
    except theirs.BaseError as error:
        first = str(error).strip().splitlines()[:1] or ["no answer"]
        raise OSError(errno.EIO, first[0][:200], uri) from None
