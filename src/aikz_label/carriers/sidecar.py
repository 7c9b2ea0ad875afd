"""The sidecar: a marker in a file of its own beside the file it belongs to (C2PA 2.4, 11.4).

For formats that have no place for a marker, and for any file whatever on request. It is bound to every byte: one
`c2pa.hash.data` without exclusions, so nothing of the format has to be understood to check it. Written as
`<name.ext>.c2pa`; `<stem>.c2pa`, the name other tools use, is read too.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine, files
from aikz_label.errors import SourceError
from aikz_label.files import storage
from aikz_label.formats import Format
from aikz_label.manifest import jumbf
from aikz_label.manifest.binding import MISMATCH
from aikz_label.report import Message, message
from aikz_label.trust import TrustList
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aikz_label.signing import SigningKey

SUFFIX = ".c2pa"
# Ours are 4 KB. The largest of other tools in the reference corpora, with thumbnails and parents, is below 2 MB.
MAX_BYTES = 16 * 1024 * 1024
_CHUNK = 1024 * 1024


class NoCarrier(Exception):
    """Raised by an adapter's `write_marker` when this file has no place for a marker: it gets a sidecar."""


class SidecarOnly:
    """The two marker methods of an adapter whose formats have no place for a marker."""

    def read_marker(
        self,
        source: BinaryIO,  # noqa: ARG002
        row: Format,  # noqa: ARG002
        trust: tuple[TrustList, ...],  # noqa: ARG002
    ) -> engine.Reading:
        """There is none inside."""
        return engine.Reading("absent")

    def write_marker(
        self,
        source: BinaryIO,  # noqa: ARG002
        destination: BinaryIO,  # noqa: ARG002
        row: Format,  # noqa: ARG002
        manifest: dict[str, Any],  # noqa: ARG002
        key: SigningKey,  # noqa: ARG002
        parent: engine.Parent | None,  # noqa: ARG002
    ) -> None:
        """Ask for a sidecar."""
        raise NoCarrier


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar that was found or given.

    Attributes:
        store: What is in it.
        problem: Why it could not be read, if so (group `unreadable`).
        shared: Its name, `<stem>.c2pa`, would also fit another file of the folder.
    """

    store: bytes = b""
    problem: Message | None = None
    shared: bool = False


def path_for(path: Path) -> Path:
    """Where the sidecar of a file goes."""
    return (
        path.parent / f"{path.name}{SUFFIX}"
    )  # whatever the path; that it names a file is asked later


def beside(path: Path) -> list[tuple[str, os.stat_result]]:
    """What is there under the names of its sidecar; the one with the whole name comes first."""
    found: list[tuple[str, os.stat_result]] = []
    whole = str(path)  # for every file of many, and `Path` makes new names slowly
    stem, dot, suffix = whole.rpartition(".")
    suffixed = bool(stem and dot and suffix) and os.sep not in f"{stem[-1]}{suffix}"
    if not path.name or (suffixed and whole.endswith(SUFFIX)):  # a sidecar has none of its own
        return found
    for name in (whole + SUFFIX, stem + SUFFIX)[: 1 + suffixed]:
        with contextlib.suppress(OSError, ValueError):  # the second: a NUL in the name
            found.append((name, os.lstat(name)))
    return found


def find(path: Path) -> Sidecar | None:
    """Look beside a file, under both names; the one with the whole name goes first."""
    return first_of(path, beside(path))


def first_of(path: Path, found: Sequence[tuple[str, os.stat_result]]) -> Sidecar | None:
    """The sidecar, of what `beside` found."""
    for name, state in found[:1]:
        return _read(Path(name), state, shared=name != f"{path}{SUFFIX}")
    return None


def find_object(uri: str) -> Sidecar | None:
    """Look beside an object of a bucket, under both names.

    Where its bucket may not be listed, the storage refuses what is not there as it refuses what is: both count as absent.
    """
    stem, dot, suffix = uri.rpartition(".")
    if uri.endswith(SUFFIX):
        return None
    found = _read_object(uri + SUFFIX)
    if found is None and dot and "/" not in suffix:
        found = _read_object(stem + SUFFIX, shared=True)
    return found


def given(source: bytes | str | Path) -> Sidecar:
    """The sidecar that a caller names or hands over.

    Raises:
        SourceError: The path is not a regular file.
        OSError: It cannot be opened.
    """
    if isinstance(source, str | Path):
        with files.open_source(Path(source)) as stream:
            data = stream.read(MAX_BYTES + 1)
    else:
        data = bytes(source)
    return _bounded(data)


def read(source: BinaryIO, beside: Sidecar, trust: tuple[TrustList, ...]) -> engine.Reading:
    """Validate a sidecar against the bytes of a file."""
    if not jumbf.lengths_fit(beside.store):
        return engine.Reading("invalid", "damaged", codes=("jumbf.length",))
    reading, binding = engine.read_unbound(beside.store, trust)
    if binding is not None and not binding.exclusions:
        # the engine's own look at a large file takes half a gigabyte and twice the time
        if _digest(source, binding.algorithm) != binding.digest:
            codes = (MISMATCH, *reading.codes)
            reading = replace(reading, state="invalid", problem="altered", codes=codes)
    elif binding is None and _is_bmff(source):
        reading = engine.read(source, engine.ANY, trust, beside.store)
    else:  # it leaves bytes out by place, or by what they look like, where neither can be right
        reading = engine.Reading("invalid", "damaged", codes=reading.codes)
    if reading.state in {"absent", "failed"}:
        return engine.Reading("invalid", "damaged", codes=reading.codes)
    return replace(reading, store=beside.store, outside=True)


def _digest(source: BinaryIO, algorithm: str) -> bytes:
    import hashlib  # noqa: PLC0415  # and with it OpenSSL

    digest = hashlib.new(algorithm)
    source.seek(0)
    while block := source.read(_CHUNK):
        digest.update(block)
    return digest.digest()


def _is_bmff(source: BinaryIO) -> bool:
    """Other tools bind to the boxes of an ISO-BMFF file; our own sidecars are bound to bytes there too."""
    source.seek(4)
    return source.read(4) == b"ftyp"


def sign(
    source: BinaryIO, manifest: dict[str, Any], key: SigningKey, parent: engine.Parent | None
) -> bytes:
    """Make the sidecar of a finished file; memory does not grow with the file."""
    digest = _digest(source, "sha256")
    binding = {"alg": "sha256", "hash": list(digest), "name": "whole file", "pad": []}
    whole = {
        **manifest,
        "assertions": [
            *manifest["assertions"],
            {"label": "c2pa.hash.data", "created": True, "data": binding},
        ],
    }
    return engine.sign_detached(whole, key, parent)


def _read(path: Path, found: os.stat_result, *, shared: bool) -> Sidecar:
    """What is there under a name."""
    if not stat.S_ISREG(found.st_mode):
        return Sidecar(problem=message("unreadable.sidecar-not-a-file"), shared=shared)
    try:
        with files.open_source(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (SourceError, OSError):
        return Sidecar(problem=message("unreadable.sidecar-not-read"), shared=shared)
    return _bounded(data, shared=shared)


def _read_object(uri: str, *, shared: bool = False) -> Sidecar | None:
    try:
        with storage.open_object(uri) as (stream, _, _):
            return _bounded(stream.read(MAX_BYTES + 1), shared=shared)
    except (FileNotFoundError, PermissionError):
        return None
    except OSError:
        return Sidecar(problem=message("unreadable.sidecar-not-read"), shared=shared)


def _bounded(data: bytes, *, shared: bool = False) -> Sidecar:
    if len(data) > MAX_BYTES:
        limit = message(
            "unreadable.over-limit", what_word="bytes", found=len(data), limit=MAX_BYTES
        )
        return Sidecar(problem=limit, shared=shared)
    return Sidecar(data, shared=shared)
